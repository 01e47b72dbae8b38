//! Writing DER, and making DER of BER.

use super::{
    BIT_STRING, CONSTRUCTED, Element, Header, INTEGER, MAX_DEPTH, OCTET_STRING, OID, Reader,
    SEQUENCE, SET,
};
use crate::{Error, Limit, Result};
use alloc::vec::Vec;

/// Writes an element as DER. The parts may be secret: the buffer has its final size from the start,
/// so it never moves and leaves no copy behind.
pub(crate) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length.saturating_add(Header::MAX));
    push_der_header(&mut out, tag, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// Writes tag and length.
pub(crate) fn der_header(tag: u8, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(Header::MAX);
    push_der_header(&mut out, tag, length);
    out
}

fn push_der_header(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let octets = significant(&octets);
            // A usize has at most eight octets.
            out.push(0x80 | u8::try_from(octets.len()).unwrap_or(0x7f));
            out.extend_from_slice(octets);
        }
    }
}

pub(crate) fn der_sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(SEQUENCE, parts)
}

pub(crate) fn der_oid(oid: &[u8]) -> Vec<u8> {
    der(OID, &[oid])
}

/// A BIT STRING of whole octets.
pub(crate) fn der_bits(octets: &[u8]) -> Vec<u8> {
    der(BIT_STRING, &[&[0], octets])
}

/// An unsigned big-endian number as INTEGER.
pub(crate) fn der_unsigned(number: &[u8]) -> Vec<u8> {
    let number = significant(number);
    match number.first() {
        Some(first) if first & 0x80 == 0 => der(INTEGER, &[number]),
        _ => der(INTEGER, &[&[0], number]),
    }
}

/// A big-endian number without its leading zero octets.
pub(crate) fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&octet| octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// The DER form of one BER element: definite shortest lengths, strings in one piece. Values stay as
/// they are; absent stays absent. It takes little more memory than the element, however small the
/// parts that a hostile one is made of.
pub(crate) fn to_der(raw: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(raw.len()).map_err(|_| Error::OutOfMemory)?;
    write_der(Element::only(raw)?, MAX_DEPTH, &mut out)?;
    Ok(out)
}

fn write_der(element: Element<'_>, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    let depth = depth.checked_sub(1).ok_or(Error::limit(Limit::Depth, 32))?;
    let start = out.len();
    let mut tag = element.tag;
    match tag & !CONSTRUCTED {
        _ if tag & CONSTRUCTED == 0 => out.extend_from_slice(element.body),
        OCTET_STRING => {
            tag = OCTET_STRING;
            out.extend_from_slice(&element.octets(OCTET_STRING)?);
        }
        BIT_STRING => {
            tag = BIT_STRING;
            out.push(0);
            out.extend_from_slice(&element.bits()?);
        }
        _ => {
            let mut reader = element.reader();
            while !reader.is_empty() {
                write_der(reader.next()?, depth, out)?;
            }
            if tag == SET {
                sort_elements(out.get_mut(start..).unwrap_or_default())?;
            }
        }
    }
    let header = der_header(tag, out.len() - start);
    out.splice(start..start, header);
    Ok(())
}

/// Puts elements in DER into the order of a SET OF.
fn sort_elements(elements: &mut [u8]) -> Result<()> {
    let (mut count, mut is_sorted) = (0, true);
    let mut previous: &[u8] = &[];
    let mut reader = Reader::new(elements);
    while !reader.is_empty() {
        let next = reader.next()?.raw;
        is_sorted &= previous <= next;
        previous = next;
        count += 1;
    }
    // As a rule they are in order already, and need no memory.
    if is_sorted {
        return Ok(());
    }
    let mut sorted = Vec::new();
    sorted.try_reserve_exact(count).map_err(|_| Error::OutOfMemory)?;
    let mut reader = Reader::new(elements);
    while !reader.is_empty() {
        sorted.push(reader.next()?.raw);
    }
    sorted.sort_unstable();
    elements.copy_from_slice(&sorted.concat());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ber_becomes_der() -> Result<()> {
        // SEQUENCE indefinite { OCTET STRING in pieces { 01 02, { 03 } }, NULL, long-form INTEGER }
        let ber = [
            0x30, 0x80, 0x24, 0x80, 0x04, 0x02, 1, 2, 0x24, 0x03, 0x04, 0x01, 3, 0, 0, 0x05, 0x00,
            0x02, 0x81, 0x01, 7, 0, 0,
        ];
        assert_eq!(to_der(&ber)?, [0x30, 0x0a, 0x04, 3, 1, 2, 3, 0x05, 0, 0x02, 1, 7]);
        for cut in 0..ber.len() {
            assert!(to_der(&ber[..cut]).is_err(), "{cut}");
        }
        Ok(())
    }

    #[test]
    fn a_set_is_sorted() -> Result<()> {
        // SET { SET { 02 01 02, 02 01 01 }, NULL }
        let ber = [0x31, 0x80, 0x31, 6, 2, 1, 2, 2, 1, 1, 5, 0, 0, 0];
        assert_eq!(to_der(&ber)?, [0x31, 10, 5, 0, 0x31, 6, 2, 1, 1, 2, 1, 2]);
        let sorted = [0x31, 6, 2, 1, 1, 2, 1, 2];
        assert_eq!(to_der(&sorted)?, sorted);
        Ok(())
    }

    #[test]
    fn nesting_is_bounded() {
        let mut deep = [0x30, 0x80].repeat(20_000);
        deep.extend([0, 0].repeat(20_000));
        assert_eq!(to_der(&deep), Err(Error::limit(Limit::Depth, 32)));
        let mut definite = Vec::new();
        for _ in 0..40 {
            definite = der_sequence(&[&definite]);
        }
        assert_eq!(to_der(&definite), Err(Error::limit(Limit::Depth, 32)));
    }

    #[test]
    fn numbers_keep_their_sign() {
        assert_eq!(der_unsigned(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(der_unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(der_unsigned(&[]), [2, 1, 0]);
    }
}

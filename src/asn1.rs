//! ASN.1 in small slices: reading BER and DER, writing DER.
//!
//! This is for pieces that are in memory as a whole and whose size is limited: one recipient, one
//! algorithm, a certificate, a key. The walk over a file of any length is `cms::ber`.

mod write;

#[cfg(feature = "seal")]
pub(crate) use write::der_header;
pub(crate) use write::{der, der_bits, der_oid, der_sequence, der_unsigned, significant, to_der};

use crate::{Error, Limit, Result};
use alloc::borrow::Cow;
use alloc::vec::Vec;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
#[cfg(feature = "identity")]
pub(crate) const UTF8_STRING: u8 = 0x0c;
#[cfg(feature = "identity")]
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
#[cfg(feature = "identity")]
pub(crate) const UTC_TIME: u8 = 0x17;
#[cfg(feature = "identity")]
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// The bit that tells a constructed encoding.
pub(crate) const CONSTRUCTED: u8 = 0x20;

/// A context-specific tag, primitive.
pub(crate) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// A context-specific tag, constructed.
pub(crate) const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

/// How deep a piece in memory may nest. A file's own depth limit is `Limits::depth`.
const MAX_DEPTH: usize = 32;

const TRUNCATED: Error = Error::Malformed("an element ends too early");
const UNEXPECTED: Error = Error::Malformed("an element is not the one that belongs there");

/// Tag and length of one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    /// `None` is the indefinite form.
    pub(crate) length: Option<u64>,
    /// Bytes that the header itself takes.
    pub(crate) size: usize,
}

impl Header {
    /// The longest header that is read: a tag, and a length of up to eight octets.
    pub(crate) const MAX: usize = 10;

    /// Reads a header; `None` if `bytes` end within it.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>> {
        let Some((&tag, rest)) = bytes.split_first() else { return Ok(None) };
        if tag & 0x1f == 0x1f {
            return Err(Error::Malformed("an element has a tag number above 30"));
        }
        let Some((&first, rest)) = rest.split_first() else { return Ok(None) };
        let (length, octets) = match first {
            0..=0x7f => (Some(u64::from(first)), 0),
            0x80 if tag & CONSTRUCTED != 0 => (None, 0),
            0x80 => return Err(Error::Malformed("a primitive element has no length")),
            0x81..=0x88 => {
                let octets = usize::from(first & 0x7f);
                let Some(octets_in) = rest.get(..octets) else { return Ok(None) };
                let length = octets_in.iter().fold(0, |sum, &octet| sum << 8 | u64::from(octet));
                (Some(length), octets)
            }
            _ => return Err(Error::Malformed("a length is absurd")),
        };
        Ok(Some(Self { tag, length, size: 2 + octets }))
    }

    /// The two zero bytes that end an indefinite length. A longer way to write them is none.
    pub(crate) fn is_end_of_contents(&self) -> bool {
        self.tag == 0 && self.length == Some(0) && self.size == 2
    }
}

/// One element: its tag, its content, and all of it as it stands in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
    pub(crate) raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// Reads the only element of `bytes`.
    pub(crate) fn only(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let element = reader.next()?;
        reader.finish()?;
        Ok(element)
    }

    /// The fields of the only element of `bytes`, a SEQUENCE.
    pub(crate) fn fields(bytes: &'a [u8]) -> Result<Reader<'a>> {
        let element = Self::only(bytes)?;
        if element.is(SEQUENCE) { Ok(element.reader()) } else { Err(UNEXPECTED) }
    }

    pub(crate) fn is(&self, tag: u8) -> bool {
        self.tag == tag
    }

    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader::new(self.body)
    }

    /// The octets of an OCTET STRING under `tag`, primitive or in pieces.
    pub(crate) fn octets(&self, tag: u8) -> Result<Cow<'a, [u8]>> {
        if self.tag == tag & !CONSTRUCTED {
            return Ok(Cow::Borrowed(self.body));
        }
        if self.tag != tag | CONSTRUCTED {
            return Err(UNEXPECTED);
        }
        let mut joined = Vec::new();
        join_pieces(self.body, OCTET_STRING, MAX_DEPTH, &mut joined)?;
        Ok(Cow::Owned(joined))
    }

    /// The octets of a BIT STRING with whole octets.
    pub(crate) fn bits(&self) -> Result<Cow<'a, [u8]>> {
        if self.tag == BIT_STRING {
            return whole_bits(self.body).map(Cow::Borrowed);
        }
        if self.tag != BIT_STRING | CONSTRUCTED {
            return Err(UNEXPECTED);
        }
        let mut joined = Vec::new();
        join_pieces(self.body, BIT_STRING, MAX_DEPTH, &mut joined)?;
        Ok(Cow::Owned(joined))
    }

    /// The value of a small non-negative INTEGER, in as few octets as it takes (X.690, 8.3.2).
    pub(crate) fn small_integer(&self) -> Result<u32> {
        match (self.tag, self.body) {
            (INTEGER, [0, second, ..]) if second & 0x80 == 0 => {
                Err(Error::Malformed("a number has zeros in front"))
            }
            (INTEGER, [first, ..]) if first & 0x80 == 0 && self.body.len() <= 4 => {
                Ok(self.body.iter().fold(0, |sum, &octet| sum << 8 | u32::from(octet)))
            }
            _ => Err(Error::Malformed("a number is out of range")),
        }
    }
}

fn whole_bits(body: &[u8]) -> Result<&[u8]> {
    match body.split_first() {
        Some((0, octets)) => Ok(octets),
        _ => Err(Error::Malformed("a bit string does not end at an octet")),
    }
}

fn join_pieces(body: &[u8], tag: u8, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    let depth = depth.checked_sub(1).ok_or(Error::limit(Limit::Depth, 32))?;
    let mut pieces = Reader::new(body);
    while !pieces.is_empty() {
        let piece = pieces.next()?;
        if piece.tag == tag {
            let octets = if tag == BIT_STRING { whole_bits(piece.body)? } else { piece.body };
            out.extend_from_slice(octets);
        } else if piece.tag == tag | CONSTRUCTED {
            join_pieces(piece.body, tag, depth, out)?;
        } else {
            return Err(UNEXPECTED);
        }
    }
    Ok(())
}

/// Reads elements one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element, whatever it is.
    pub(crate) fn next(&mut self) -> Result<Element<'a>> {
        let header = Header::read(self.rest)?.ok_or(TRUNCATED)?;
        let (end, trailer) = match header.length {
            Some(length) => {
                let length = usize::try_from(length).map_err(|_| TRUNCATED)?;
                (header.size.checked_add(length).ok_or(TRUNCATED)?, 0)
            }
            None => (end_of_indefinite(self.rest)?, 2),
        };
        let (raw, rest) = self.rest.split_at_checked(end).ok_or(TRUNCATED)?;
        self.rest = rest;
        let body = raw.get(header.size..end - trailer).ok_or(TRUNCATED)?;
        Ok(Element { tag: header.tag, body, raw })
    }

    /// The next element, which has to have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>> {
        let element = self.next()?;
        if element.tag == tag { Ok(element) } else { Err(UNEXPECTED) }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>> {
        if self.rest.first() == Some(&tag) { self.next().map(Some) } else { Ok(None) }
    }

    /// The body of the next element, an OBJECT IDENTIFIER.
    pub(crate) fn oid(&mut self) -> Result<&'a [u8]> {
        let body = self.expect(OID)?.body;
        match body.last() {
            Some(last) if last & 0x80 == 0 => Ok(body),
            _ => Err(Error::Malformed("an object identifier is cut")),
        }
    }

    /// Everything must have been read.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::Malformed("an element holds more than belongs there"))
        }
    }
}

/// Where the indefinite element at the start of `bytes` ends. Linear: definite elements inside are
/// skipped whole, indefinite ones are counted.
fn end_of_indefinite(bytes: &[u8]) -> Result<usize> {
    let mut at = 0_usize;
    let mut open = 0_usize;
    loop {
        let header = Header::read(bytes.get(at..).ok_or(TRUNCATED)?)?.ok_or(TRUNCATED)?;
        at = at.checked_add(header.size).ok_or(TRUNCATED)?;
        if header.is_end_of_contents() {
            open -= 1;
            if open == 0 {
                return Ok(at);
            }
        } else if let Some(length) = header.length {
            let length = usize::try_from(length).map_err(|_| TRUNCATED)?;
            at = at.checked_add(length).ok_or(TRUNCATED)?;
        } else {
            open += 1;
            if open > MAX_DEPTH {
                return Err(Error::limit(Limit::Depth, 32));
            }
        }
    }
}

/// An AlgorithmIdentifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Algorithm<'a> {
    pub(crate) oid: &'a [u8],
    pub(crate) parameters: Option<Element<'a>>,
    /// All of it, as it stands in the message.
    pub(crate) raw: &'a [u8],
}

impl<'a> Algorithm<'a> {
    pub(crate) fn new(element: Element<'a>) -> Result<Self> {
        if !element.is(SEQUENCE) {
            return Err(UNEXPECTED);
        }
        Self::from_body(element)
    }

    /// The same under an implicit tag that the caller has checked.
    pub(crate) fn from_body(element: Element<'a>) -> Result<Self> {
        let mut reader = element.reader();
        let oid = reader.oid()?;
        let parameters = if reader.is_empty() { None } else { Some(reader.next()?) };
        reader.finish()?;
        Ok(Self { oid, parameters, raw: element.raw })
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Self::new(reader.expect(SEQUENCE)?)
    }

    /// Whether the parameters are absent or NULL, which many encoders mix up.
    pub(crate) fn has_no_parameters(&self) -> bool {
        self.parameters.is_none_or(|parameters| parameters.is(NULL) && parameters.body.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::write::der_header;
    use super::*;

    #[test]
    fn lengths_are_read_and_written_in_every_form() -> Result<()> {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536, 1 << 24] {
            let bytes = der_header(OCTET_STRING, length);
            let header = Header::read(&bytes)?.ok_or(TRUNCATED)?;
            assert_eq!(header.length, u64::try_from(length).ok());
            assert_eq!(header.size, bytes.len());
            for cut in 0..bytes.len() {
                assert_eq!(Header::read(&bytes[..cut])?, None);
            }
        }
        let huge = [0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Header::read(&huge)?.and_then(|header| header.length), Some(u64::MAX));
        assert_eq!(Reader::new(&huge).next(), Err(TRUNCATED));
        assert!(Header::read(&[0x30, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 1]).is_err());
        assert!(Header::read(&[0x04, 0x80]).is_err());
        assert!(Header::read(&[0x1f, 0x81, 0x00]).is_err());
        Ok(())
    }

    #[test]
    fn numbers_are_minimal() -> Result<()> {
        for (bytes, value) in [(&[2, 1, 0][..], 0), (&[2, 1, 16], 16), (&[2, 2, 0, 0x80], 128)] {
            assert_eq!(Element::only(bytes)?.small_integer(), Ok(value));
        }
        for bytes in [&[2, 2, 0, 16][..], &[2, 2, 0, 0], &[2, 1, 0x80], &[2, 0], &[4, 1, 1]] {
            assert!(Element::only(bytes)?.small_integer().is_err(), "{bytes:?}");
        }
        Ok(())
    }

    /// The walk over a file and the reading of its parts agree on where an element ends.
    #[test]
    fn an_end_of_contents_has_two_octets() {
        let control = [0x30, 0x80, 5, 0, 0, 0];
        assert_eq!(Element::only(&control).map(|element| element.body), Ok(&[5, 0][..]));
        for end in [&[0, 0x81, 0][..], &[0, 0x82, 0, 0]] {
            assert!(Element::only(&[&control[..4], end].concat()).is_err());
        }
    }
}

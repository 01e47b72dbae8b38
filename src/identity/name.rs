//! X.501 names, read for people: nothing is decided by these texts.

use crate::asn1::{self, Element};
use crate::error::printable;
use crate::{Result, oid};
use alloc::string::String;
use core::fmt::Write;

/// The longest text of one name.
const MAX: usize = 96;

/// The value of the first attribute of this type that is text.
pub(super) fn attribute(name: &[u8], wanted: &[u8]) -> Option<String> {
    let mut found = None;
    // Damage behind it does not take it away.
    let _ = each_attribute(name, |oid, value| {
        if oid == wanted && found.is_none() {
            found = core::str::from_utf8(value).ok().map(String::from);
        }
    });
    found
}

/// A name as one line of printable ASCII.
pub(super) fn text(name: &[u8]) -> String {
    let mut out = String::new();
    let read = each_attribute(name, |oid, value| {
        if out.len() >= MAX {
            return; // enough for the cut below
        }
        if !out.is_empty() {
            out.push_str(", ");
        }
        match oid {
            oid::COMMON_NAME => out.push_str("CN="),
            oid::SERIAL_NUMBER => out.push_str("serialNumber="),
            [0x55, 4, 6] => out.push_str("C="),
            [0x55, 4, 10] => out.push_str("O="),
            [0x55, 4, 11] => out.push_str("OU="),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(out, "{}=", crate::error::Oid::new(other));
            }
        }
        out.push_str(&printable(value, MAX));
    });
    if read.is_err() {
        return String::from("(an unreadable name)");
    }
    match out.len() {
        0 => String::from("(an empty name)"),
        // It is printable already: only the cut is left to do.
        1..=MAX => out,
        _ => out.chars().take(MAX - 2).chain("..".chars()).collect(),
    }
}

/// Writes bytes as hexadecimal digits, at most `max` bytes.
pub(super) fn push_hex(out: &mut String, bytes: &[u8], max: usize) {
    for byte in bytes.iter().take(max) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    if bytes.len() > max {
        out.push_str("..");
    }
}

fn each_attribute(name: &[u8], mut each: impl FnMut(&[u8], &[u8])) -> Result<()> {
    let mut sets = Element::only(name)?.reader();
    while !sets.is_empty() {
        let mut attributes = sets.expect(asn1::SET)?.reader();
        while !attributes.is_empty() {
            let mut attribute = attributes.expect(asn1::SEQUENCE)?.reader();
            let oid = attribute.oid()?;
            each(oid, attribute.next()?.body);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::{der, der_oid, der_sequence};
    use alloc::vec::Vec;

    fn rdn(oid: &[u8], value: &[u8]) -> Vec<u8> {
        let attribute = der_sequence(&[&der_oid(oid), &der(0x0c, &[value])]);
        der(asn1::SET, &[&attribute])
    }

    #[test]
    fn names_become_one_short_line() {
        let text = |rdns: &[Vec<u8>]| text(&der_sequence(&[&rdns.concat()]));
        let name = [rdn(&[0x55, 4, 10], b"Acme"), rdn(oid::COMMON_NAME, b"SN1")];
        assert_eq!(text(&name), "O=Acme, CN=SN1");
        assert_eq!(text(&[rdn(&[0x55, 4, 5], b"a\\\n\xff")]), "serialNumber=a\\x5c\\x0a\\xff");
        assert_eq!(text(&[rdn(&[0x2a, 3, 4], b"x")]), "1.2.3.4=x");
        assert_eq!(text(&[]), "(an empty name)");
        assert_eq!(text(&[alloc::vec![0x31, 9]]), "(an unreadable name)");
        for count in [1, 2, 3, 1000] {
            let long = text(&alloc::vec![rdn(oid::COMMON_NAME, &[b'a'; 60]); count]);
            assert!(long.len() <= MAX && (count == 1 || long.ends_with("..")), "{long}");
        }
    }

    #[test]
    fn attributes_are_found_before_damage() {
        let name = [rdn(oid::COMMON_NAME, b"first"), rdn(oid::COMMON_NAME, b"second")].concat();
        let whole = der_sequence(&[&name]);
        assert_eq!(attribute(&whole, oid::COMMON_NAME).as_deref(), Some("first"));
        assert_eq!(attribute(&whole, oid::SERIAL_NUMBER), None);
        let damaged = der_sequence(&[&name, &[0x31, 9]]);
        assert_eq!(attribute(&damaged, oid::COMMON_NAME).as_deref(), Some("first"));
    }
}

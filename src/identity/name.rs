//! X.501 names, read for people: nothing is decided by these texts.

use crate::asn1::{self, Element};
use crate::error::printable;
use crate::{Result, oid};
use alloc::string::String;
use core::fmt::Write;

/// The longest text of one name.
const MAX: usize = 96;

/// The value of the first attribute of this type.
pub(super) fn attribute(name: &[u8], wanted: &[u8]) -> Option<String> {
    let mut found = None;
    each_attribute(name, |oid, value| {
        if oid == wanted && found.is_none() {
            found = core::str::from_utf8(value).ok().map(String::from);
        }
    })
    .ok()?;
    found
}

/// A name as one line of printable ASCII.
pub(super) fn text(name: &[u8]) -> String {
    let mut out = String::new();
    let read = each_attribute(name, |oid, value| {
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
    if out.is_empty() {
        return String::from("(an empty name)");
    }
    printable(out.as_bytes(), MAX).replace("\\x5c", "\\")
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

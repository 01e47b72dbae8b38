//! PEM (RFC 7468) for keys, certificates and requests, which are small and read as a whole.
//! Envelopes have their own incremental scanner in `cms::armor`.

use crate::asn1::{self, Element};
use crate::base64::engine;
use crate::{Result, Secret};
use ::base64::Engine as _;
use alloc::string::String;
use alloc::vec::Vec;

/// One block: its label, and what stands between the lines.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a [u8],
    text: &'a [u8],
}

impl Block<'_> {
    /// The decoded bytes; `None` if the text is no base64.
    pub(crate) fn decode(&self) -> Result<Option<Secret>> {
        let mut text = Secret::with_room(self.text.len())?;
        text.buffer().extend(self.text.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let mut bytes = Secret::zeros(text.len() / 4 * 3 + 3)?;
        let Ok(len) = engine().decode_slice(text.as_bytes(), bytes.as_mut()) else {
            return Ok(None);
        };
        bytes.buffer().truncate(len);
        Ok(Some(bytes))
    }

    /// Whether a header says that the content is encrypted (RFC 1421, as OpenSSL writes it).
    pub(crate) fn is_encrypted(&self) -> bool {
        find(self.text, b"Proc-Type: 4,ENCRYPTED").is_some()
    }
}

/// The blocks of a text, in order.
pub(crate) fn blocks(text: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let start = find_begin(text, at)? + BEGIN.len();
        let after = text.get(start..)?;
        let label = after.get(..find(after, DASHES)?)?;
        let body = after.get(label.len() + DASHES.len()..)?;
        let end = find(body, END)?;
        at = text.len() - body.len() + end + END.len();
        Some(Block { label, text: body.get(..end)? })
    })
}

/// Whether the bytes are text with a PEM block. A certificate in DER is not, even if it holds such a
/// line in a comment.
pub(crate) fn is_pem(bytes: &[u8]) -> bool {
    let is_der = Element::only(bytes).is_ok_and(|element| element.is(asn1::SEQUENCE));
    !is_der && find_begin(bytes, 0).is_some()
}

/// The next start of a block, from `at` on. It counts at the start of a line: `openssl x509 -text`
/// prints comments that may hold anything.
fn find_begin(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let start = at + find(text.get(at..)?, BEGIN)?;
        if let [] | [.., b'\n' | b'\r'] | [0xef, 0xbb, 0xbf] = text.get(..start)? {
            return Some(start);
        }
        at = start + BEGIN.len();
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// Bytes of one line before the base64, which makes 64 characters of them.
const LINE: usize = 48;

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// Writes a block.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let mut text = Vec::with_capacity(encoded_len(label, der));
    encode_into(&mut text, label, der);
    // It is all ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// Writes a block of secret bytes: in its final place from the start, so that no copy is left.
#[cfg(feature = "identity")]
pub(crate) fn encode_secret(label: &str, der: &[u8]) -> Result<Secret> {
    let mut text = Secret::with_room(encoded_len(label, der))?;
    encode_into(text.buffer(), label, der);
    Ok(text)
}

fn encoded_len(label: &str, der: &[u8]) -> usize {
    let marks = BEGIN.len() + END.len() + 2 * (label.len() + DASHES.len() + 1);
    marks + der.len().div_ceil(3) * 4 + der.len().div_ceil(LINE)
}

fn encode_into(out: &mut Vec<u8>, label: &str, der: &[u8]) {
    let mark = |out: &mut Vec<u8>, start: &[u8]| {
        for part in [start, label.as_bytes(), DASHES, b"\n"] {
            out.extend_from_slice(part);
        }
    };
    mark(out, BEGIN);
    let engine = engine();
    for line in der.chunks(LINE) {
        let start = out.len();
        out.resize(start + line.len().div_ceil(3) * 4, 0);
        // The place is as long as the line becomes.
        let _ = engine.encode_slice(line, out.get_mut(start..).unwrap_or_default());
        out.push(b'\n');
    }
    mark(out, END);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_comes_back() -> Result<()> {
        for len in [0, 1, 2, 3, 47, 48, 49, 256] {
            let der: Vec<u8> = (0..=255).take(len).collect();
            let text = encode("CERTIFICATE", &der);
            assert!(text.lines().all(|line| line.len() <= 64));
            assert_eq!(text.len(), encoded_len("CERTIFICATE", &der));
            let long = alloc::format!("\u{feff}some text\r\n{text}{}", encode("X", b"1"));
            for long in [long.clone(), long.replace('\n', "\r\n")] {
                let blocks: Vec<_> = blocks(long.as_bytes()).collect();
                assert_eq!(blocks.len(), 2);
                assert_eq!(blocks[0].label, b"CERTIFICATE");
                assert!(blocks[0].decode()?.is_some_and(|found| found.ct_eq(&der)));
            }
        }
        Ok(())
    }

    #[test]
    fn damage_is_no_block() {
        assert_eq!(blocks(b"-----BEGIN X-----\nAAAA\n").count(), 0);
        assert_eq!(blocks(b"-----BEGIN X-----\nAAAA\n-----END X-----\n").count(), 1);
        assert_eq!(blocks(b" -----BEGIN X-----\nAAAA\n-----END X-----\n").count(), 0);
        let encrypted = b"-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----\n";
        let block = blocks(encrypted).next().unwrap();
        assert!(block.is_encrypted() && block.decode().unwrap().is_none());
        let damaged = blocks(b"-----BEGIN X-----\nAA*A\n-----END X-----\n").next().unwrap();
        assert!(!damaged.is_encrypted() && damaged.decode().unwrap().is_none());
    }

    #[test]
    fn der_with_such_a_line_is_der() {
        let text = b"-----BEGIN X-----\nAAAA\n-----END X-----\n";
        assert!(is_pem(text));
        assert!(!is_pem(&asn1::der_sequence(&[&asn1::der(asn1::OCTET_STRING, &[text])])));
    }
}

//! PEM (RFC 7468) for keys, certificates and requests, which are small and read as a whole.
//! Envelopes have their own incremental scanner in `cms::armor`.

use crate::{Result, Secret};
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One block: its label, and what stands between the lines.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a [u8],
    text: &'a [u8],
}

impl Block<'_> {
    /// The decoded bytes; `None` if the text is no base64, for example because it is encrypted.
    pub(crate) fn decode(&self) -> Result<Option<Secret>> {
        let mut text = Secret::with_room(self.text.len())?;
        text.buffer().extend(self.text.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let mut bytes = Secret::zeros(text.len() / 4 * 3 + 3)?;
        let Ok(len) = STANDARD.decode_slice(text.as_bytes(), bytes.as_mut()) else {
            return Ok(None);
        };
        bytes.buffer().truncate(len);
        Ok(Some(bytes))
    }
}

/// The blocks of a text, in order.
pub(crate) fn blocks(text: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    core::iter::from_fn(move || {
        let start = find(rest, b"-----BEGIN ")?;
        let after = rest.get(start + 11..)?;
        let label = after.get(..find(after, b"-----")?)?;
        let body = after.get(label.len() + 5..)?;
        let end = find(body, b"-----END ")?;
        let text = body.get(..end)?;
        rest = body.get(end + 9..)?;
        Some(Block { label, text })
    })
}

/// Whether the bytes hold a PEM block at all.
pub(crate) fn is_pem(bytes: &[u8]) -> bool {
    find(bytes, b"-----BEGIN ").is_some()
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// Writes a block with lines of 64 characters.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let mut out = String::with_capacity(der.len() / 3 * 4 + der.len() / 48 + 64);
    out.push_str("-----BEGIN ");
    out.push_str(label);
    out.push_str("-----\n");
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut out);
        out.push('\n');
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

/// The same for secret bytes.
pub(crate) fn encode_secret(label: &str, der: &[u8]) -> Result<Secret> {
    // The exact room was asked for, so the text never moves and leaves no copy behind.
    let text = encode(label, der).into_bytes();
    Ok(Secret::from(Vec::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_comes_back() -> Result<()> {
        let der: Vec<u8> = (0..=255).collect();
        let text = encode("CERTIFICATE", &der);
        assert!(text.lines().all(|line| line.len() <= 64));
        let long = alloc::format!("some text\n{text}{}", encode("X", b"1"));
        let blocks: Vec<_> = blocks(long.as_bytes()).collect();
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0].label, b"CERTIFICATE");
        assert!(blocks[0].decode()?.is_some_and(|found| found.ct_eq(&der)));
        Ok(())
    }

    #[test]
    fn damage_is_no_block() {
        assert_eq!(blocks(b"-----BEGIN X-----\nAAAA\n").count(), 0);
        let encrypted = b"-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----\n";
        let block = blocks(encrypted).next().unwrap();
        assert!(block.decode().unwrap().is_none());
    }
}

//! Does a file hold a private key? Such a file is never published.

use sdi::{Error, KeyFault, SoftwareKey};

/// Whether the bytes are a private key of any kind, or text with one in it.
pub(crate) fn is_in(bytes: &[u8]) -> bool {
    bytes.split(|byte| matches!(byte, b'\n' | b'\r')).any(is_begin) || is_der(bytes)
}

/// PEM, also of kinds that nobody reads here, and indented in a configuration.
fn is_begin(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    let label = line.strip_prefix(b"-----BEGIN ").unwrap_or_default();
    label.windows(PRIVATE.len()).any(|words| words == PRIVATE)
}

const PRIVATE: &[u8] = b"PRIVATE KEY";

fn is_der(bytes: &[u8]) -> bool {
    match SoftwareKey::parse(bytes) {
        // A kind of key that this program has no use for.
        Ok(_) | Err(Error::Unsupported(_)) => true,
        // Encrypted or damaged ones are keys, too, and so is PKCS#12.
        Err(Error::Key(KeyFault::Unreadable(why))) => !why.contains("no private key"),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_blocks_are_no_keys() {
        for (text, is_key) in [
            (&b"-----BEGIN PRIVATE KEY-----\n"[..], true),
            (b"hostname r1\r\n  -----BEGIN ENCRYPTED PRIVATE KEY-----\r\n", true),
            (b"-----BEGIN PGP PRIVATE KEY BLOCK-----", true),
            (b"-----BEGIN PUBLIC KEY-----\n", false),
            (b"-----BEGIN CERTIFICATE-----\n", false),
            (b"-----END PRIVATE KEY-----\n", false),
            (b"! a PRIVATE KEY is none of these\n", false),
            (b"", false),
        ] {
            assert_eq!(is_in(text), is_key, "{text:?}");
        }
    }
}

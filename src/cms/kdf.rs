//! Key derivation: ANSI X9.63 (RFC 5753) and HKDF (RFC 5869).

use crate::crypto::{Hash, digest, hmac};
use crate::{Error, Result, Secret};

/// The X9.63 function: hash(z, counter, shared info), as often as needed.
pub(crate) fn x963(hash: Hash, z: &[u8], shared_info: &[u8], len: usize) -> Result<Secret> {
    let mut out = Secret::with_room(len.next_multiple_of(hash.len()))?;
    let mut counter = 1_u32;
    while out.len() < len {
        out.extend(digest(hash, &[z, &counter.to_be_bytes(), shared_info])?.as_bytes())?;
        counter = counter.checked_add(1).ok_or(TOO_LONG)?;
    }
    shorten(out, len)
}

/// HKDF, extract and expand. An absent salt is the same as an empty one.
pub(crate) fn hkdf(hash: Hash, salt: &[u8], ikm: &[u8], info: &[u8], len: usize) -> Result<Secret> {
    let extracted = hmac(hash, salt, &[ikm])?;
    hkdf_expand(hash, extracted.as_bytes(), info, len)
}

/// The second half of HKDF.
pub(crate) fn hkdf_expand(hash: Hash, key: &[u8], info: &[u8], len: usize) -> Result<Secret> {
    let mut out = Secret::with_room(len.next_multiple_of(hash.len()))?;
    let mut block = Secret::new();
    let mut counter = 1_u8;
    while out.len() < len {
        block = hmac(hash, key, &[block.as_bytes(), info, &[counter]])?;
        out.extend(block.as_bytes())?;
        counter = counter.checked_add(1).ok_or(TOO_LONG)?;
    }
    shorten(out, len)
}

const TOO_LONG: Error = Error::Argument("a derived key of this length");

fn shorten(derived: Secret, len: usize) -> Result<Secret> {
    Secret::copy_of(derived.as_bytes().get(..len).ok_or(TOO_LONG)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
    }

    #[test]
    fn hkdf_matches_rfc_5869() -> Result<()> {
        let okm = hkdf(
            Hash::Sha256,
            &hex("000102030405060708090a0b0c"),
            &[0x0b; 22],
            &hex("f0f1f2f3f4f5f6f7f8f9"),
            42,
        )?;
        let expected =
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
        assert!(okm.ct_eq(&hex(expected)));
        let okm = hkdf(Hash::Sha256, &[], &[0x0b; 22], &[], 42)?;
        let expected =
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
        assert!(okm.ct_eq(&hex(expected)));
        Ok(())
    }

    #[test]
    fn x963_is_a_hash_over_a_counter() -> Result<()> {
        let long = x963(Hash::Sha1, b"z", b"info", 50)?;
        let first = digest(Hash::Sha1, &[b"z\0\0\0\x01info"])?;
        let third = digest(Hash::Sha1, &[b"z\0\0\0\x03info"])?;
        assert_eq!(&long.as_bytes()[..20], first.as_bytes());
        assert_eq!(&long.as_bytes()[40..], &third.as_bytes()[..10]);
        assert_eq!(long.len(), 50);
        Ok(())
    }

    /// The examples of RFC 9709, appendix B: content keys from tests/vectors.
    #[test]
    fn content_keys_match_rfc_9709() -> Result<()> {
        let examples: serde_json::Value = serde_json::from_str(include_str!(
            "../../tests/vectors/rfc9709/cms_cek_hkdf_sha256.json"
        ))
        .map_err(|_| Error::Argument("the examples are no JSON"))?;
        let examples = examples.as_array().map(Vec::as_slice).unwrap_or_default();
        assert_eq!(examples.len(), 2);
        for example in examples {
            let field = |name: &str| example[name].as_str().unwrap_or_default();
            let salt = b"The Cryptographic Message Syntax";
            let expected = hex(field("okm"));
            let key =
                hkdf(Hash::Sha256, salt, &hex(field("ikm")), &hex(field("info")), expected.len())?;
            assert_eq!(expected.len(), 16);
            assert!(key.ct_eq(&expected), "{}", field("content"));
        }
        Ok(())
    }
}

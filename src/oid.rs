//! Object identifiers: the bodies of their encodings, under the names of the RFCs.

#[cfg(feature = "identity")]
use alloc::vec::Vec;

// Content types
/// 1.2.840.113549.1.7.1 (id-data, RFC 5652).
pub(crate) const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// 1.2.840.113549.1.7.3 (id-envelopedData, RFC 5652).
pub(crate) const ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
/// 1.2.840.113549.1.9.16.1.23 (id-ct-authEnvelopedData, RFC 5083).
pub(crate) const AUTH_ENVELOPED_DATA: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17];
/// 1.2.840.113549.1.9.3 (id-contentType, the attribute, RFC 5652).
pub(crate) const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];

// Keys and curves
/// 1.2.840.113549.1.1.1 (rsaEncryption, RFC 8017).
pub(crate) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1 (id-ecPublicKey, RFC 5480).
pub(crate) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7 (secp256r1).
pub(crate) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.132.0.34 (secp384r1).
pub(crate) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// 1.3.132.0.35 (secp521r1).
pub(crate) const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
/// 1.3.101.110 (id-X25519, RFC 8410).
pub(crate) const X25519: &[u8] = &[0x2b, 0x65, 0x6e];

// Key transport, RFC 8017
/// 1.2.840.113549.1.1.7 (id-RSAES-OAEP).
pub(crate) const RSAES_OAEP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07];
/// 1.2.840.113549.1.1.8 (id-mgf1).
pub(crate) const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
/// 1.2.840.113549.1.1.9 (id-pSpecified).
pub(crate) const P_SPECIFIED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x09];

// Hashes
/// 1.3.14.3.2.26.
pub(crate) const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// 2.16.840.1.101.3.4.2.4.
pub(crate) const SHA224: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04];
/// 2.16.840.1.101.3.4.2.1.
pub(crate) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// 2.16.840.1.101.3.4.2.2.
pub(crate) const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
/// 2.16.840.1.101.3.4.2.3.
pub(crate) const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];

// Key agreement, RFC 5753 and RFC 8418
/// 1.3.133.16.840.63.0.2.
pub(crate) const STD_DH_SHA1: &[u8] = &[0x2b, 0x81, 0x05, 0x10, 0x86, 0x48, 0x3f, 0x00, 0x02];
/// 1.3.132.1.11.0.
pub(crate) const STD_DH_SHA224: &[u8] = &[0x2b, 0x81, 0x04, 0x01, 0x0b, 0x00];
/// 1.3.132.1.11.1.
pub(crate) const STD_DH_SHA256: &[u8] = &[0x2b, 0x81, 0x04, 0x01, 0x0b, 0x01];
/// 1.3.132.1.11.2.
pub(crate) const STD_DH_SHA384: &[u8] = &[0x2b, 0x81, 0x04, 0x01, 0x0b, 0x02];
/// 1.3.132.1.11.3.
pub(crate) const STD_DH_SHA512: &[u8] = &[0x2b, 0x81, 0x04, 0x01, 0x0b, 0x03];
/// 1.3.133.16.840.63.0.3.
pub(crate) const COFACTOR_DH_SHA1: &[u8] = &[0x2b, 0x81, 0x05, 0x10, 0x86, 0x48, 0x3f, 0x00, 0x03];
/// 1.3.132.1.14.0.
pub(crate) const COFACTOR_DH_SHA224: &[u8] = &[0x2b, 0x81, 0x04, 0x01, 0x0e, 0x00];
/// 1.3.132.1.14.1.
pub(crate) const COFACTOR_DH_SHA256: &[u8] = &[0x2b, 0x81, 0x04, 0x01, 0x0e, 0x01];
/// 1.3.132.1.14.2.
pub(crate) const COFACTOR_DH_SHA384: &[u8] = &[0x2b, 0x81, 0x04, 0x01, 0x0e, 0x02];
/// 1.3.132.1.14.3.
pub(crate) const COFACTOR_DH_SHA512: &[u8] = &[0x2b, 0x81, 0x04, 0x01, 0x0e, 0x03];
/// 1.2.840.113549.1.9.16.3.19.
pub(crate) const DH_HKDF_SHA256: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x13];
/// 1.2.840.113549.1.9.16.3.20.
pub(crate) const DH_HKDF_SHA384: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x14];
/// 1.2.840.113549.1.9.16.3.21.
pub(crate) const DH_HKDF_SHA512: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x15];

// Key wrap
/// 2.16.840.1.101.3.4.1.5 (RFC 3565).
pub(crate) const AES128_WRAP: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x05];
/// 2.16.840.1.101.3.4.1.25 (RFC 3565).
pub(crate) const AES192_WRAP: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x19];
/// 2.16.840.1.101.3.4.1.45 (RFC 3565).
pub(crate) const AES256_WRAP: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d];
/// 1.2.840.113549.1.9.16.3.6 (RFC 3217).
#[cfg(feature = "legacy")]
pub(crate) const TRIPLE_DES_WRAP: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x06];

// Content encryption
/// 2.16.840.1.101.3.4.1.2 (RFC 3565).
pub(crate) const AES128_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02];
/// 2.16.840.1.101.3.4.1.22 (RFC 3565).
pub(crate) const AES192_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x16];
/// 2.16.840.1.101.3.4.1.42 (RFC 3565).
pub(crate) const AES256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
/// 2.16.840.1.101.3.4.1.6 (RFC 5084).
pub(crate) const AES128_GCM: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x06];
/// 2.16.840.1.101.3.4.1.26 (RFC 5084).
pub(crate) const AES192_GCM: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x1a];
/// 2.16.840.1.101.3.4.1.46 (RFC 5084).
pub(crate) const AES256_GCM: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e];
/// 1.2.840.113549.3.7 (RFC 3370).
#[cfg(feature = "legacy")]
pub(crate) const TRIPLE_DES_CBC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07];
/// 1.2.840.113549.1.9.16.3.31 (id-alg-cek-hkdf-sha256, RFC 9709).
pub(crate) const CEK_HKDF_SHA256: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x1f];

// Certificates and requests
/// 2.5.4.3.
pub(crate) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.4.5.
pub(crate) const SERIAL_NUMBER: &[u8] = &[0x55, 0x04, 0x05];
/// 2.5.29.14.
pub(crate) const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
/// 2.5.29.15.
#[cfg(feature = "identity")]
pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// 2.5.29.35.
#[cfg(feature = "identity")]
pub(crate) const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
/// 2.5.29.37.
#[cfg(feature = "identity")]
pub(crate) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// 1.2.840.113549.1.9.15 (RFC 4262).
pub(crate) const SMIME_CAPABILITIES: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0f];
/// 1.2.840.113549.1.9.14 (RFC 2986).
#[cfg(feature = "identity")]
pub(crate) const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
/// 1.2.840.10045.4.3.2.
#[cfg(feature = "identity")]
pub(crate) const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// 1.2.840.10045.4.3.3.
#[cfg(feature = "identity")]
pub(crate) const ECDSA_WITH_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
/// 1.2.840.10045.4.3.4.
#[cfg(feature = "identity")]
pub(crate) const ECDSA_WITH_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
/// 1.2.840.113549.1.1.11.
#[cfg(feature = "identity")]
pub(crate) const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];

/// The body of an object identifier that is written in numbers with dots between them.
#[cfg(feature = "identity")]
pub(crate) fn parse(text: &str) -> Option<Vec<u8>> {
    // 128 bits hold the longest arcs that there are, those of UUIDs.
    let mut arcs = text.split('.').map(|arc| -> Option<u128> {
        let is_number = arc.bytes().all(|byte| byte.is_ascii_digit());
        let has_spare_zero = arc.len() > 1 && arc.starts_with('0');
        if is_number && !has_spare_zero { arc.parse().ok() } else { None }
    });
    let (top, second) = (arcs.next()??, arcs.next()??);
    if top > 2 || top < 2 && second > 39 {
        return None;
    }
    let mut body = Vec::new();
    push_arc(&mut body, second.checked_add(40 * top)?);
    for arc in arcs {
        push_arc(&mut body, arc?);
    }
    Some(body)
}

/// Seven bits in an octet, the highest first; all but the last one have the eighth bit.
#[cfg(feature = "identity")]
fn push_arc(body: &mut Vec<u8>, arc: u128) {
    let octets = (128 - arc.leading_zeros()).div_ceil(7).max(1);
    for place in (0..octets).rev() {
        let more = if place == 0 { 0 } else { 0x80 };
        // Seven bits fit.
        body.push(more | u8::try_from(arc >> (7 * place) & 0x7f).unwrap_or_default());
    }
}

#[cfg(all(test, feature = "identity"))]
mod tests {
    use super::*;
    use crate::error::Oid;
    use alloc::string::ToString;

    #[test]
    fn what_is_parsed_is_what_is_shown() {
        for oid in [CEK_HKDF_SHA256, X25519, SERIAL_NUMBER, AES256_GCM, &[0], &[0x88, 0x37]] {
            assert_eq!(parse(&Oid::new(oid).to_string()).as_deref(), Some(oid));
        }
        let uuid = "2.25.340282366920938463463374607431768211455";
        let body = parse(uuid).unwrap();
        assert_eq!(Oid::new(&body).to_string(), uuid);
        for wrong in [
            "",
            "1",
            "1.",
            ".1",
            "1..2",
            "1.40",
            "0.40",
            "3.1",
            "1.02",
            "1.2.-3",
            "1.+2",
            "a.b",
            "1.2 ",
            "2.25.340282366920938463463374607431768211456",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}

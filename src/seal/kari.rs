//! KeyAgreeRecipientInfo (RFC 5753, RFC 8418): ephemeral-static Diffie-Hellman, a new ephemeral key
//! for each recipient.

use super::recipient::{Name, RecipientInfo};
use crate::asn1::{self, context_constructed, der, der_oid, der_sequence, der_unsigned};
use crate::cms::kari::shared_info;
use crate::cms::kdf;
use crate::cms::keywrap::aes_wrap;
use crate::crypto::agreement::SecretKey;
use crate::crypto::{Curve, Hash};
use crate::{Error, PublicKey, RandomSource, Result, Secret, oid};

/// Bytes of the key-encryption key: AES-256.
const KEK_LEN: usize = 32;

const VERSION: u8 = 3;

pub(super) fn recipient_info(
    key: &PublicKey,
    curve: Curve,
    name: &Name,
    content_key: &Secret,
    random: &mut dyn RandomSource,
) -> Result<RecipientInfo> {
    let ephemeral = SecretKey::generate(curve, random)?;
    let shared = ephemeral.agree(key.value()).ok_or(BAD_POINT)??;
    // RFC 7748, 6.1: a point of low order would give everybody the key.
    if shared.ct_eq(&[0; 32]) {
        return Err(BAD_POINT);
    }

    // The parameters are absent (RFC 3565), and NULL would give another key.
    let wrap = der_sequence(&[&der_oid(oid::AES256_WRAP)]);
    let info = shared_info(&wrap, None, KEK_LEN);
    let (originator, agreement, kek) = match curve {
        Curve::X25519 => (
            oid::X25519,
            oid::DH_HKDF_SHA256,
            kdf::hkdf(Hash::Sha256, &[], shared.as_bytes(), &info, KEK_LEN)?,
        ),
        Curve::P256 | Curve::P384 | Curve::P521 => (
            oid::EC_PUBLIC_KEY,
            oid::STD_DH_SHA256,
            kdf::x963(Hash::Sha256, shared.as_bytes(), &info, KEK_LEN)?,
        ),
    };
    let wrapped = aes_wrap(kek.as_bytes(), content_key.as_bytes())
        .ok_or(Error::Argument("an AES key of this length"))?;

    // OriginatorPublicKey, without parameters: the curve is the recipient's.
    let algorithm = der_sequence(&[&der_oid(originator)]);
    let point = der(asn1::BIT_STRING, &[&[0], &ephemeral.public_key()]);
    let originator = der(context_constructed(1), &[&algorithm, &point]);
    let name = match name {
        Name::IssuerAndSerial(name) => name.clone(),
        Name::KeyId(id) => der(context_constructed(0), &[&der(asn1::OCTET_STRING, &[id])]),
    };
    let wrapped_key = der_sequence(&[&name, &der(asn1::OCTET_STRING, &[&wrapped])]);
    let der = der(
        context_constructed(1),
        &[
            &der_unsigned(&[VERSION]),
            &der(context_constructed(0), &[&originator]),
            &der_sequence(&[&der_oid(agreement), &wrap]),
            &der_sequence(&[&wrapped_key]),
        ],
    );
    Ok(RecipientInfo { version: VERSION, der })
}

const BAD_POINT: Error = Error::Argument("a certificate's key gives no secret");

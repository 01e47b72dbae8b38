//! KeyTransRecipientInfo (RFC 5652, 6.2.1): RSA with OAEP (RFC 3560), or with PKCS#1 v1.5 for devices
//! that know nothing else.

use super::Profile;
use super::recipient::{Name, RecipientInfo};
use crate::asn1::{self, context, context_constructed, der, der_oid, der_sequence, der_unsigned};
use crate::cms::ktri::apply_mask;
use crate::crypto::{Hash, digest, rsa};
use crate::{Error, PublicKey, RandomSource, Result, Secret, oid};
use alloc::vec::Vec;

/// The hash of OAEP, and of its mask.
const HASH: Hash = Hash::Sha256;

/// Bytes of the shortest modulus that is sealed to: 2048 bits.
const MIN_MODULUS: usize = 256;

pub(super) fn recipient_info(
    key: &PublicKey,
    name: &Name,
    content_key: &Secret,
    profile: Profile,
    random: &mut dyn RandomSource,
) -> Result<RecipientInfo> {
    let modulus = key.value();
    if modulus.len() < MIN_MODULUS {
        return Err(Error::Argument("a certificate's RSA key is shorter than 2048 bits"));
    }
    let (algorithm, block) = match profile {
        Profile::Rfc8886 => {
            let null = der(asn1::NULL, &[]);
            let algorithm = der_sequence(&[&der_oid(oid::RSA_ENCRYPTION), &null]);
            (algorithm, pad_pkcs1(content_key, modulus.len(), random)?)
        }
        _ => (oaep_algorithm(), pad_oaep(content_key, modulus.len(), random)?),
    };
    let encrypted = rsa::public_apply(modulus, key.exponent(), block.as_bytes())?;
    let (version, name) = match name {
        Name::IssuerAndSerial(name) => (0, name.clone()),
        Name::KeyId(id) => (2, der(context(0), &[id])),
    };
    let encrypted = der(asn1::OCTET_STRING, &[&encrypted]);
    let der = der_sequence(&[&der_unsigned(&[version]), &name, &algorithm, &encrypted]);
    Ok(RecipientInfo { version, der })
}

/// RSAES-OAEP with its parameters. RFC 4055, 2.1: hash algorithms carry NULL.
fn oaep_algorithm() -> Vec<u8> {
    let hash = der_sequence(&[&der_oid(HASH.oid()), &der(asn1::NULL, &[])]);
    let mask = der_sequence(&[&der_oid(oid::MGF1), &hash]);
    let parameters = der_sequence(&[
        &der(context_constructed(0), &[&hash]),
        &der(context_constructed(1), &[&mask]),
    ]);
    der_sequence(&[&der_oid(oid::RSAES_OAEP), &parameters])
}

/// EME-OAEP (RFC 8017, 7.1.1) with an empty label: 00, masked seed, masked data, where the data is
/// the label's hash, zeros, 01, the key.
fn pad_oaep(key: &Secret, len: usize, random: &mut dyn RandomSource) -> Result<Secret> {
    let mut block = Secret::zeros(len)?;
    let (_, rest) = block.as_mut().split_at_mut(1);
    let (seed, data) = rest.split_at_mut(HASH.len());
    random.fill(seed)?;
    let (label_hash, rest) = data.split_at_mut(HASH.len());
    label_hash.copy_from_slice(digest(HASH, &[])?.as_bytes());
    place_key(key, 1, rest);
    apply_mask(HASH, seed, data)?;
    apply_mask(HASH, data, seed)?;
    Ok(block)
}

/// EME-PKCS1-v1_5 (RFC 8017, 7.2.1): 00, 02, random bytes that are not zero, 00, the key.
fn pad_pkcs1(key: &Secret, len: usize, random: &mut dyn RandomSource) -> Result<Secret> {
    let mut block = Secret::zeros(len)?;
    let (start, rest) = block.as_mut().split_at_mut(2);
    start.copy_from_slice(&[0, 2]);
    fill_without_zeros(place_key(key, 0, rest), random)?;
    Ok(block)
}

/// Puts separator and key at the end, and gives what is before them. Both fit, for the shortest
/// modulus has room for three hashes and a key.
fn place_key<'a>(key: &Secret, separator: u8, block: &'a mut [u8]) -> &'a mut [u8] {
    let (block, place) = block.split_at_mut(block.len().saturating_sub(key.len()));
    place.copy_from_slice(key.as_bytes());
    let (block, place) = block.split_at_mut(block.len().saturating_sub(1));
    place.fill(separator);
    block
}

fn fill_without_zeros(out: &mut [u8], random: &mut dyn RandomSource) -> Result<()> {
    /// Each draw leaves a zero in one of 256 places that it fills, so that this many leave none
    /// unless the source is broken.
    const DRAWS: usize = 16;
    random.fill(out)?;
    for _ in 0..DRAWS {
        let zeros = out.iter().filter(|&&byte| byte == 0).count();
        if zeros == 0 {
            return Ok(());
        }
        let mut fresh = Secret::zeros(zeros)?;
        random.fill(fresh.as_mut())?;
        let places = out.iter_mut().filter(|byte| **byte == 0);
        for (place, byte) in places.zip(fresh.as_bytes()) {
            *place = *byte;
        }
    }
    Err(Error::Random(0))
}

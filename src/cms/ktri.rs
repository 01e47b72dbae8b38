//! KeyTransRecipientInfo: RSA PKCS#1 v1.5 and OAEP (RFC 8017, RFC 3560).
//!
//! A bad padding must look like any other wrong key, or the device becomes a decryption oracle. So
//! an RSA decryption never fails here: behind a bad padding stands a substitute key, chosen without
//! a branch. It is the same whenever the same encrypted key comes, whatever else is in the file, so that
//! sending it again tells nothing new.

#[cfg(test)]
mod vectors;

use super::kdf;
use crate::asn1::{self, Algorithm, Element, context_constructed};
use crate::crypto::{Hash, digest, hmac};
use crate::key::unsupported;
use crate::{DeviceKey, Error, KeyError, KeyFault, Result, RsaScheme, Secret, oid};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// A key transport algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transport {
    Pkcs1,
    Oaep {
        hash: Hash,
        mask: Hash,
        has_label: bool,
        /// All that is needed of the label, which may be long.
        label_hash: Vec<u8>,
    },
}

/// What came out of a key transport.
pub(crate) struct Transported {
    pub(crate) key: Secret,
    /// The module itself refused the ciphertext: the file fails in the end, whatever it decrypts to.
    pub(crate) is_refused: bool,
}

impl Transport {
    pub(crate) fn read(algorithm: &Algorithm<'_>) -> Result<Self> {
        match algorithm.oid {
            oid::RSA_ENCRYPTION if algorithm.has_no_parameters() => Ok(Self::Pkcs1),
            oid::RSA_ENCRYPTION => Err(Error::Malformed("the key transport has parameters")),
            oid::RSAES_OAEP => {
                Self::oaep(algorithm.parameters.ok_or(BAD_OAEP)?).map_err(|error| match error {
                    Error::Unsupported(_) => error,
                    _ => BAD_OAEP,
                })
            }
            other => Err(unsupported("the key transport", other)),
        }
    }

    /// RSAES-OAEP-params. What is not understood is an error: falling back to another scheme would
    /// decrypt with the wrong one.
    fn oaep(parameters: Element<'_>) -> Result<Self> {
        if !parameters.is(asn1::SEQUENCE) {
            return Err(BAD_OAEP);
        }
        let (mut hash, mut mask, mut label) = (Hash::Sha1, Hash::Sha1, Cow::default());
        let mut fields = parameters.reader();
        if let Some(explicit) = fields.optional(context_constructed(0))? {
            hash = hash_function(only_algorithm(explicit)?)?;
        }
        if let Some(explicit) = fields.optional(context_constructed(1))? {
            let generation = only_algorithm(explicit)?;
            if generation.oid != oid::MGF1 {
                return Err(unsupported("the OAEP mask generation", generation.oid));
            }
            mask = hash_function(Algorithm::new(generation.parameters.ok_or(BAD_OAEP)?)?)?;
        }
        if let Some(explicit) = fields.optional(context_constructed(2))? {
            let source = only_algorithm(explicit)?;
            if source.oid != oid::P_SPECIFIED {
                return Err(unsupported("the OAEP label source", source.oid));
            }
            let octets = source.parameters.ok_or(BAD_OAEP)?;
            label = octets.octets(asn1::OCTET_STRING)?;
        }
        fields.finish()?;
        let label_hash = digest(hash, &[&label])?.into_bytes();
        Ok(Self::Oaep { hash, mask, has_label: !label.is_empty(), label_hash })
    }

    /// Decrypts a content key of a known length.
    pub(crate) fn decrypt(
        &self,
        key: &dyn DeviceKey,
        encrypted: &[u8],
        len: usize,
    ) -> Result<Transported> {
        let (answer, is_raw) = match (key.rsa_decrypt(RsaScheme::Raw, encrypted), self.scheme()) {
            (Err(KeyError::Unsupported), Some(scheme)) => {
                (key.rsa_decrypt(scheme, encrypted), false)
            }
            (answer, _) => (answer, true),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(KeyError::Refused) => {
                return Ok(Transported { key: Secret::zeros(len)?, is_refused: true });
            }
            // The file's scheme is one that the module has no operation for.
            Err(KeyError::Unsupported) => return Err(unsupported(NO_OPERATION, self.oid())),
            Err(error) => return Err(error.into()),
        };
        // From here on the length of a module's answer, which is secret, shows in no time and no size.
        let block = pad_left(&answer, encrypted.len())?;
        let substitute = substitute(&block, encrypted, len)?;
        let (found, is_good) = match self {
            _ if !is_raw => unpadded(&block, answer.len(), len)?,
            Self::Pkcs1 => unpad_pkcs1(&block, len)?,
            Self::Oaep { hash, mask, label_hash, .. } => {
                unpad_oaep(&block, len, *hash, *mask, label_hash)?
            }
        };
        let mut key = substitute;
        for (to, from) in key.as_mut().iter_mut().zip(found.as_bytes()) {
            to.conditional_assign(from, is_good);
        }
        Ok(Transported { key, is_refused: false })
    }

    const fn oid(&self) -> &'static [u8] {
        match self {
            Self::Pkcs1 => oid::RSA_ENCRYPTION,
            Self::Oaep { .. } => oid::RSAES_OAEP,
        }
    }

    /// What a module is asked for that does not give the raw block away.
    fn scheme(&self) -> Option<RsaScheme> {
        match self {
            Self::Pkcs1 => Some(RsaScheme::Pkcs1ImplicitRejection),
            Self::Oaep { hash: Hash::Sha1, mask: Hash::Sha1, has_label: false, .. } => {
                Some(RsaScheme::OaepSha1)
            }
            Self::Oaep { hash: Hash::Sha256, mask: Hash::Sha256, has_label: false, .. } => {
                Some(RsaScheme::OaepSha256)
            }
            Self::Oaep { .. } => None,
        }
    }
}

impl Display for Transport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pkcs1 => f.write_str("rsa-pkcs1-v1.5"),
            Self::Oaep { hash, mask, .. } => {
                write!(f, "rsa-oaep {} mgf1-{}", hash.name(), mask.name())
            }
        }
    }
}

const NO_OPERATION: &str = "by the module that holds the device's key: the key transport";
const BAD_OAEP: Error = Error::Malformed("the OAEP parameters are damaged");

fn only_algorithm(explicit: Element<'_>) -> Result<Algorithm<'_>> {
    let mut inner = explicit.reader();
    let algorithm = Algorithm::read(&mut inner)?;
    inner.finish()?;
    Ok(algorithm)
}

fn hash_function(algorithm: Algorithm<'_>) -> Result<Hash> {
    let hash =
        Hash::from_oid(algorithm.oid).ok_or_else(|| unsupported("the OAEP hash", algorithm.oid))?;
    if algorithm.has_no_parameters() { Ok(hash) } else { Err(BAD_OAEP) }
}

/// Modules drop leading zeros; more than the modulus has is no answer.
fn pad_left(answer: &Secret, len: usize) -> Result<Secret> {
    let start = len.checked_sub(answer.len()).ok_or(Error::Key(KeyFault::Answer))?;
    let mut block = Secret::zeros(len)?;
    if let Some(place) = block.as_mut().get_mut(start..) {
        place.copy_from_slice(answer.as_bytes());
    }
    Ok(block)
}

/// The key that stands in for one that was badly padded. Who does not know the decrypted block
/// cannot know it. Like a key that was well padded it depends on nothing else in the file: if another
/// IV gave another key, files that differ in the IV alone would tell the two apart.
fn substitute(block: &Secret, encrypted: &[u8], len: usize) -> Result<Secret> {
    let seed = hmac(Hash::Sha256, block.as_bytes(), &[encrypted])?;
    kdf::hkdf_expand(Hash::Sha256, seed.as_bytes(), b"sdi substitute content key", len)
}

/// A module's answer without padding, at the end of `block`: good if it is as long as a content key.
fn unpadded(block: &Secret, answer_len: usize, len: usize) -> Result<(Secret, Choice)> {
    let is_good = answer_len.ct_eq(&len);
    let key = block.len().checked_sub(len).and_then(|start| block.as_bytes().get(start..));
    Ok((Secret::copy_of(key.ok_or(Error::Key(KeyFault::Answer))?)?, is_good))
}

/// EME-PKCS1-v1_5 (RFC 8017, 7.2.2). The content key's length is known, so every byte has its place
/// and nothing is searched for.
fn unpad_pkcs1(block: &Secret, len: usize) -> Result<(Secret, Choice)> {
    const SHORTEST_PADDING: usize = 8;
    let padding_end = block.len().checked_sub(len + 1).filter(|&end| end >= 2 + SHORTEST_PADDING);
    let Some(padding_end) = padding_end else {
        return Ok((Secret::zeros(len)?, Choice::from(0)));
    };
    let (padding, rest) = block.as_bytes().split_at(padding_end);
    let (separator, key) = rest.split_at(1);
    let mut is_good = Choice::from(1);
    for (place, byte) in padding.iter().enumerate() {
        is_good &= match place {
            0 => byte.ct_eq(&0),
            1 => byte.ct_eq(&2),
            _ => !byte.ct_eq(&0),
        };
    }
    is_good &= separator.ct_eq(&[0]);
    Ok((Secret::copy_of(key)?, is_good))
}

/// EME-OAEP (RFC 8017, 7.1.2), with every byte in its place as above.
fn unpad_oaep(
    block: &Secret,
    len: usize,
    hash: Hash,
    mask: Hash,
    label_hash: &[u8],
) -> Result<(Secret, Choice)> {
    if block.len() < 2 * hash.len() + 2 + len {
        return Ok((Secret::zeros(len)?, Choice::from(0)));
    }
    let mut block = Secret::copy_of(block.as_bytes())?;
    let (first, rest) = block.as_mut().split_at_mut(1);
    let (seed, data) = rest.split_at_mut(hash.len());
    apply_mask(mask, data, seed)?;
    apply_mask(mask, seed, data)?;
    let (found_hash, rest) = data.split_at(hash.len());
    let (padding, key) = rest.split_at(rest.len().saturating_sub(len));
    let (zeros, separator) = padding.split_at(padding.len().saturating_sub(1));
    let mut is_good = first.as_ref().ct_eq(&[0]) & found_hash.ct_eq(label_hash);
    for byte in zeros {
        is_good &= byte.ct_eq(&0);
    }
    is_good &= separator.ct_eq(&[1]);
    Ok((Secret::copy_of(key)?, is_good))
}

/// Adds MGF1(seed) (RFC 8017, B.2.1).
pub(crate) fn apply_mask(hash: Hash, seed: &[u8], data: &mut [u8]) -> Result<()> {
    let mut counter = 0_u32;
    for piece in data.chunks_mut(hash.len()) {
        let mask = digest(hash, &[seed, &counter.to_be_bytes()])?;
        for (byte, mask) in piece.iter_mut().zip(mask.as_bytes()) {
            *byte ^= mask;
        }
        counter = counter.wrapping_add(1);
    }
    Ok(())
}

//! KeyAgreeRecipientInfo (RFC 5753, RFC 8418): from a raw shared secret to the content key.

use super::kdf;
use super::keywrap::KeyWrap;
use crate::asn1::{self, Algorithm, Reader, context_constructed, der, der_sequence, to_der};
use crate::crypto::{Curve, Hash, agreement};
use crate::key::{unsupported, unsupported_parameters};
use crate::{Error, Limit, Result, Secret, oid};
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter};

/// User keying material is a random number; anything longer is an attack on the hash.
const MAX_KEYING_MATERIAL: usize = 1024;

/// An uncompressed point of the largest curve, P-521. A longer one would only fill memory, for it is
/// kept until it is known whether the recipient is ours.
const LONGEST_POINT: usize = 1 + 2 * 66;

/// What the keys of one KeyAgreeRecipientInfo have in common.
#[derive(Debug)]
pub(crate) struct Agreement {
    /// `None` if the file leaves the curve to the recipient's key.
    curve: Option<Curve>,
    point: Vec<u8>,
    derivation: Derivation,
    wrap: KeyWrap,
    keying_material: Option<Vec<u8>>,
    /// ECC-CMS-SharedInfo.
    shared_info: Vec<u8>,
}

/// How a shared secret becomes a key-encryption key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derivation {
    X963(Hash),
    Hkdf(Hash),
}

impl Derivation {
    pub(crate) fn from_oid(oid: &[u8]) -> Option<Self> {
        Some(match oid {
            oid::STD_DH_SHA1 | oid::COFACTOR_DH_SHA1 => Self::X963(Hash::Sha1),
            oid::STD_DH_SHA224 | oid::COFACTOR_DH_SHA224 => Self::X963(Hash::Sha224),
            oid::STD_DH_SHA256 | oid::COFACTOR_DH_SHA256 => Self::X963(Hash::Sha256),
            oid::STD_DH_SHA384 | oid::COFACTOR_DH_SHA384 => Self::X963(Hash::Sha384),
            oid::STD_DH_SHA512 | oid::COFACTOR_DH_SHA512 => Self::X963(Hash::Sha512),
            oid::DH_HKDF_SHA256 => Self::Hkdf(Hash::Sha256),
            oid::DH_HKDF_SHA384 => Self::Hkdf(Hash::Sha384),
            oid::DH_HKDF_SHA512 => Self::Hkdf(Hash::Sha512),
            _ => return None,
        })
    }
}

impl Agreement {
    /// Reads originator, keying material and algorithm as they follow each other in the message.
    pub(crate) fn read(common: &[u8]) -> Result<Self> {
        let mut fields = Reader::new(common);
        let mut explicit = fields.expect(context_constructed(0))?.reader();
        let originator = explicit.next()?;
        explicit.finish()?;
        if !originator.is(context_constructed(1)) {
            return Err(Error::Unsupported(crate::Unsupported {
                what: "a key agreement with a static originator key",
                oid: None,
            }));
        }
        let (curve, point) = originator_key(originator.reader())?;

        let keying_material = match fields.optional(context_constructed(1))? {
            Some(explicit) => {
                let mut inner = explicit.reader();
                let octets = inner.next()?.octets(asn1::OCTET_STRING)?.into_owned();
                inner.finish()?;
                if octets.len() > MAX_KEYING_MATERIAL {
                    return Err(Error::limit(Limit::KeyingMaterial, 1024));
                }
                Some(octets)
            }
            None => None,
        };

        let algorithm = Algorithm::read(&mut fields)?;
        let derivation = Derivation::from_oid(algorithm.oid)
            .ok_or_else(|| unsupported("the key agreement", algorithm.oid))?;
        let wrap = algorithm.parameters.ok_or(NO_WRAP).and_then(Algorithm::new)?;
        let key_wrap =
            KeyWrap::from_algorithm(&wrap).ok_or_else(|| unsupported("the key wrap", wrap.oid))?;
        if !wrap.has_no_parameters() {
            return Err(Error::Malformed("the key wrap has parameters"));
        }
        // NULL or absent gives different keys, so the message's own algorithm goes in.
        let shared_info =
            shared_info(&to_der(wrap.raw)?, keying_material.as_deref(), key_wrap.key_len());
        Ok(Self { curve, point, derivation, wrap: key_wrap, keying_material, shared_info })
    }

    pub(crate) fn uses_sha1(&self) -> bool {
        self.derivation == Derivation::X963(Hash::Sha1)
    }

    /// Bytes that it takes in memory.
    pub(crate) fn size(&self) -> usize {
        let keying_material = self.keying_material.as_ref().map_or(0, Vec::len);
        size_of::<Self>() + self.point.len() + keying_material + self.shared_info.len()
    }

    /// Whether a key on this curve can be meant.
    pub(crate) fn fits(&self, curve: Curve) -> bool {
        match self.curve {
            Some(named) => named == curve,
            None => curve != Curve::X25519,
        }
    }

    /// Whether it fits, and the originator's point is as long as one of this curve: few files name the
    /// curve.
    pub(crate) fn may_be_on(&self, curve: Curve) -> bool {
        let (found, len) = (self.point.len(), curve.field_len());
        // One coordinate or two, behind the octet that tells; X25519 has neither.
        let is_as_long = found == len || found == 1 + len || found == 1 + 2 * len;
        self.fits(curve) && is_as_long
    }

    /// The originator's point, as the message has it.
    pub(crate) fn point(&self) -> &[u8] {
        &self.point
    }

    /// The originator's point, checked to be on the recipient's curve, uncompressed.
    pub(crate) fn checked_point(&self, curve: Curve) -> Result<Vec<u8>> {
        agreement::check_point(curve, &self.point)
            .ok_or(Error::Malformed("the originator's point is not on the key's curve"))
    }

    /// The content key; `None` if it was not wrapped under this shared secret.
    pub(crate) fn unwrap(&self, shared: &Secret, wrapped: &[u8]) -> Result<Option<Secret>> {
        let len = self.wrap.key_len();
        let shared = shared.as_bytes();
        let kek = match self.derivation {
            Derivation::X963(hash) => kdf::x963(hash, shared, &self.shared_info, len)?,
            Derivation::Hkdf(hash) => {
                let salt = self.keying_material.as_deref().unwrap_or_default();
                kdf::hkdf(hash, salt, shared, &self.shared_info, len)?
            }
        };
        self.wrap.unwrap(kek.as_bytes(), wrapped)
    }
}

impl Display for Agreement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (function, hash) = match self.derivation {
            Derivation::X963(hash) => ("x963", hash),
            Derivation::Hkdf(hash) => ("hkdf", hash),
        };
        write!(f, "ecdh {function}-{} {}", hash.name(), self.wrap.name())
    }
}

const NO_WRAP: Error = Error::Malformed("the key agreement names no key wrap");

/// OriginatorPublicKey.
fn originator_key(mut fields: Reader<'_>) -> Result<(Option<Curve>, Vec<u8>)> {
    let algorithm = Algorithm::read(&mut fields)?;
    let point = fields.next()?.bits()?;
    fields.finish()?;
    let curve = match (algorithm.oid, algorithm.parameters) {
        (oid::X25519, _) if algorithm.has_no_parameters() => Some(Curve::X25519),
        (oid::EC_PUBLIC_KEY, _) if algorithm.has_no_parameters() => None,
        (oid::EC_PUBLIC_KEY, Some(named)) if named.is(asn1::OID) => {
            let curve = Curve::from_named(named.body);
            Some(curve.ok_or_else(|| unsupported("the curve", named.body))?)
        }
        (oid::EC_PUBLIC_KEY, _) => return Err(unsupported_parameters()),
        (other, _) => return Err(unsupported("an originator key of the kind", other)),
    };
    if point.len() > LONGEST_POINT {
        return Err(Error::Malformed("the originator's point is longer than that of any curve"));
    }
    Ok((curve, point.into_owned()))
}

/// ECC-CMS-SharedInfo (RFC 5753, 7.2): the wrap algorithm, the keying material, the key's bits.
pub(crate) fn shared_info(wrap: &[u8], keying_material: Option<&[u8]>, key_len: usize) -> Vec<u8> {
    let explicit = |number, octets: &[u8]| {
        der(context_constructed(number), &[&der(asn1::OCTET_STRING, &[octets])])
    };
    let bits = u32::try_from(key_len * 8).unwrap_or(0).to_be_bytes();
    let entity = keying_material.map(|octets| explicit(0, octets)).unwrap_or_default();
    der_sequence(&[wrap, &entity, &explicit(2, &bits)])
}

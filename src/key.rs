//! Device keys: what a key has to be able to do, wherever it lives.
//!
//! TPMs and PKCS#11 modules cannot compute the key derivation of CMS. They are asked for raw
//! primitives only; derivation, key wrap and padding are this library's work.

mod ring;
mod software;

pub use ring::{Identity, KeyRing, OpenPolicy, OperatorMode, Owner};
pub use software::SoftwareKey;

use crate::asn1::{self, Algorithm, Element, significant};
use crate::asn1::{der, der_bits, der_oid, der_sequence, der_unsigned};
use crate::crypto::{Curve, Hash, agreement, digest};
use crate::{Error, KeyFault, Result, Secret, oid, pem};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt::{self, Debug, Formatter};

/// A private key as the device can use it: in memory, in a TPM, in an HSM.
///
/// Every operation defaults to [`KeyError::Unsupported`]: implement what the module can do. There
/// is deliberately no plain PKCS#1 v1.5 decryption, because a module that reports bad padding is an
/// oracle. Nothing here gives the private key away.
///
/// ```
/// use sdi::{DeviceKey, KeyError, PeerPoint, PublicKey, Secret};
///
/// #[derive(Debug)]
/// struct InTpm(PublicKey);
///
/// impl DeviceKey for InTpm {
///     fn public_key(&self) -> &PublicKey {
///         &self.0
///     }
///     fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
///         // TPM2_ECDH_ZGen on peer.point(); its response code is the vendor code.
///         Err(KeyError::Vendor(0x18b))
///     }
/// }
/// ```
pub trait DeviceKey: Debug + Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Elliptic curve Diffie-Hellman: the raw shared x-coordinate, without any derivation. A shorter
    /// answer is padded with zeros on the left, a longer one is refused.
    ///
    /// # Errors
    /// [`KeyError`].
    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        let _ = peer;
        Err(KeyError::Unsupported)
    }

    /// RSA decryption of one block in the given scheme.
    ///
    /// # Errors
    /// [`KeyError`].
    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        let _ = (scheme, ciphertext);
        Err(KeyError::Unsupported)
    }

    /// Decapsulation of an ML-KEM ciphertext.
    ///
    /// # Errors
    /// [`KeyError`].
    fn decapsulate(&self, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        let _ = ciphertext;
        Err(KeyError::Unsupported)
    }

    /// Signs `message`, whose hash is `digest` for modules that sign digests. ECDSA answers r and s,
    /// each as long as the field; RSA answers as many bytes as the modulus has.
    ///
    /// # Errors
    /// [`KeyError`].
    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
        digest: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let _ = (scheme, message, digest);
        Err(KeyError::Unsupported)
    }
}

/// Why a device key did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The key cannot do this operation; another one may be asked.
    Unsupported,
    /// The module rejects this ciphertext or point: a wrong key, not a broken one.
    Refused,
    /// The module failed, with a code of its own that reaches the caller's log.
    Vendor(i64),
    /// The module gave an answer of impossible length.
    Answer,
    /// There was no memory for the operation.
    OutOfMemory,
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unsupported => Self::Key(KeyFault::Unsupported),
            KeyError::Refused => Self::Decrypt,
            KeyError::Vendor(code) => Self::Key(KeyFault::Vendor(code)),
            KeyError::Answer => Self::Key(KeyFault::Answer),
            KeyError::OutOfMemory => Self::OutOfMemory,
        }
    }
}

/// The other side's public key in a key agreement, checked to be on the curve.
#[derive(Debug, Clone, Copy)]
pub struct PeerPoint<'a> {
    pub(crate) algorithm: KeyAlgorithm,
    pub(crate) point: &'a [u8],
}

impl<'a> PeerPoint<'a> {
    /// The curve.
    #[must_use]
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// An uncompressed point (04, x, y); for X25519 the 32 bytes.
    #[must_use]
    pub const fn point(&self) -> &'a [u8] {
        self.point
    }
}

/// What an RSA key is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RsaScheme {
    /// The bare private operation: the block as long as the modulus, padding and all.
    Raw,
    /// PKCS#1 v1.5 in a module that answers bad padding with a synthetic message.
    Pkcs1ImplicitRejection,
    /// OAEP with SHA-1 for hash and mask, empty label.
    OaepSha1,
    /// OAEP with SHA-256 for hash and mask, empty label.
    OaepSha256,
}

/// How a key signs certificates and requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureScheme {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384Sha384,
    /// ECDSA on P-521 with SHA-512.
    EcdsaP521Sha512,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RsaPkcs1Sha256,
}

/// The kinds of device keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// NIST P-256, the recommended kind.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// Curve25519. It cannot sign its own certificate.
    X25519,
    /// RSA with a modulus of so many bits; 2048, 3072 and 4096 can be made.
    Rsa(u32),
}

impl KeyAlgorithm {
    pub(crate) const fn curve(self) -> Option<Curve> {
        match self {
            Self::P256 => Some(Curve::P256),
            Self::P384 => Some(Curve::P384),
            Self::P521 => Some(Curve::P521),
            Self::X25519 => Some(Curve::X25519),
            Self::Rsa(_) => None,
        }
    }

    pub(crate) const fn of_curve(curve: Curve) -> Self {
        match curve {
            Curve::P256 => Self::P256,
            Curve::P384 => Self::P384,
            Curve::P521 => Self::P521,
            Curve::X25519 => Self::X25519,
        }
    }
}

/// A public key.
///
/// Two are equal when they are the same key, however they are written down.
///
/// ```
/// # fn main() -> Result<(), sdi::Error> {
/// use sdi::{DeviceKey, KeyAlgorithm, PublicKey, SoftwareKey, SystemRandom};
/// let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom)?;
/// let public = PublicKey::parse(key.public_key().spki_der())?;
/// assert_eq!(public.spki_sha256()?, key.public_key().spki_sha256()?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    /// Uncompressed point, X25519's 32 bytes, or the RSA modulus without leading zeros.
    value: Vec<u8>,
    /// RSA's public exponent, otherwise empty.
    exponent: Vec<u8>,
    spki: Vec<u8>,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280), DER or PEM (`PUBLIC KEY`).
    ///
    /// # Errors
    /// [`Error::Key`] if it is none, or if the point is not on its curve; [`Error::Unsupported`] for
    /// other kinds of keys.
    pub fn parse(spki: &[u8]) -> Result<Self> {
        if pem::is_pem(spki) {
            let block = pem::blocks(spki).find(|block| block.label == b"PUBLIC KEY");
            let block = block.ok_or(unreadable("there is no PUBLIC KEY block"))?;
            let der = block.decode()?.ok_or(unreadable("the base64 is damaged"))?;
            return Self::from_spki(der.as_bytes());
        }
        Self::from_spki(spki)
    }

    pub(crate) fn from_spki(spki: &[u8]) -> Result<Self> {
        let damaged = |_| unreadable("it is no SubjectPublicKeyInfo");
        let mut fields = Element::fields(spki).map_err(damaged)?;
        let algorithm = Algorithm::read(&mut fields).map_err(damaged)?;
        let bits = fields.next().and_then(|element| element.bits()).map_err(damaged)?;
        fields.finish().map_err(damaged)?;
        let key = match algorithm.oid {
            oid::EC_PUBLIC_KEY => Self::from_point(named_curve(algorithm.parameters)?, &bits)?,
            oid::X25519 => Self::from_point(Curve::X25519, &bits)?,
            oid::RSA_ENCRYPTION => Self::from_rsa_public_key(&bits)?,
            other => return Err(unsupported("a key of the kind", other)),
        };
        // As it came, points compressed or not: fingerprints are made of it. BER becomes DER, as with
        // every other program that computes them.
        Ok(Self { spki: asn1::to_der(spki).map_err(damaged)?, ..key })
    }

    /// From a point, in any form for a NIST curve.
    pub(crate) fn from_point(curve: Curve, point: &[u8]) -> Result<Self> {
        if !curve.is_built_in() {
            return Err(unsupported("a key on the curve", curve.oid()));
        }
        let value = agreement::check_point(curve, point)
            .ok_or(unreadable("the public point is not on its curve"))?;
        let algorithm = match curve {
            Curve::X25519 => der_sequence(&[&der_oid(oid::X25519)]),
            _ => der_sequence(&[&der_oid(oid::EC_PUBLIC_KEY), &der_oid(curve.oid())]),
        };
        let spki = der_sequence(&[&algorithm, &der_bits(&value)]);
        let exponent = Vec::new();
        Ok(Self { algorithm: KeyAlgorithm::of_curve(curve), value, exponent, spki })
    }

    fn from_rsa_public_key(der: &[u8]) -> Result<Self> {
        let damaged = |_| unreadable("it is no RSA public key");
        let mut fields = Element::fields(der).map_err(damaged)?;
        let modulus = fields.expect(asn1::INTEGER).map_err(damaged)?.body;
        let exponent = fields.expect(asn1::INTEGER).map_err(damaged)?.body;
        Self::from_rsa(modulus, exponent)
    }

    /// From modulus and exponent, big-endian.
    pub(crate) fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self> {
        let (value, exponent) = (significant(modulus), significant(exponent));
        let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        if !(128..=2048).contains(&value.len())
            || exponent.len() > 8
            || exponent == [1]
            || !odd(value)
            || !odd(exponent)
        {
            return Err(unreadable("the RSA numbers are out of range"));
        }
        let top = value.first().map_or(0, |first| first.leading_zeros());
        let bits = u32::try_from(value.len()).map_or(0, |bytes| bytes * 8 - top);
        let numbers = der_sequence(&[&der_unsigned(value), &der_unsigned(exponent)]);
        let algorithm = der_sequence(&[&der_oid(oid::RSA_ENCRYPTION), &der(asn1::NULL, &[])]);
        let spki = der_sequence(&[&algorithm, &der_bits(&numbers)]);
        Ok(Self {
            algorithm: KeyAlgorithm::Rsa(bits),
            value: value.to_vec(),
            exponent: exponent.to_vec(),
            spki,
        })
    }

    /// The kind of key.
    #[must_use]
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The SubjectPublicKeyInfo, DER.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of the SubjectPublicKeyInfo: what operators pin.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn spki_sha256(&self) -> Result<[u8; 32]> {
        let mut out = [0; 32];
        out.copy_from_slice(digest(Hash::Sha256, &[&self.spki])?.as_bytes());
        Ok(out)
    }

    /// Uncompressed point, X25519's 32 bytes, or the RSA modulus.
    pub(crate) fn value(&self) -> &[u8] {
        &self.value
    }

    /// RSA's public exponent.
    #[cfg(all(feature = "seal", feature = "rsa"))]
    pub(crate) fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// The content of the SubjectPublicKeyInfo's BIT STRING, which key identifiers hash.
    pub(crate) fn key_bits(&self) -> Result<Cow<'_, [u8]>> {
        let mut fields = Element::only(&self.spki)?.reader();
        Algorithm::read(&mut fields)?;
        fields.next()?.bits()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        (self.algorithm, &self.value, &self.exponent)
            == (other.algorithm, &other.value, &other.exponent)
    }
}

impl Eq for PublicKey {}

impl Debug for PublicKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.algorithm)
    }
}

pub(crate) const fn unreadable(what: &'static str) -> Error {
    Error::Key(KeyFault::Unreadable(what))
}

pub(crate) fn unsupported(what: &'static str, oid: &[u8]) -> Error {
    Error::Unsupported(crate::Unsupported { what, oid: Some(crate::error::Oid::new(oid)) })
}

pub(crate) const fn unsupported_parameters() -> Error {
    Error::Unsupported(crate::Unsupported {
        what: "a key with explicit curve parameters",
        oid: None,
    })
}

/// The curve that the parameters of an id-ecPublicKey name. Explicit parameters are not read.
pub(crate) fn named_curve(parameters: Option<Element<'_>>) -> Result<Curve> {
    match parameters {
        Some(parameters) if parameters.is(asn1::OID) => Curve::from_named(parameters.body)
            .ok_or_else(|| unsupported("a key on the curve", parameters.body)),
        _ => Err(unsupported_parameters()),
    }
}

//! Keys in memory, read from PKCS#8, SEC 1 and PKCS#1.

#[cfg(feature = "identity")]
mod made;

use super::{DeviceKey, KeyError, PeerPoint, PublicKey, named_curve, unreadable, unsupported};
use crate::asn1::{self, Algorithm, Element, Reader, significant};
#[cfg(feature = "rsa")]
use crate::crypto::rsa;
use crate::crypto::{Curve, agreement};
use crate::secret::on_wiped_stack;
use crate::{Error, Result, Secret, oid, pem};
use alloc::boxed::Box;
use core::fmt::{self, Debug, Formatter};

/// A private key in this process's memory, wiped on drop. Of RSA keys the arithmetic leaves copies of
/// intermediate numbers in freed memory; who has to fear a look at that takes an elliptic curve, or a
/// key in a module.
///
/// ```
/// # fn main() -> Result<(), sdi::Error> {
/// use sdi::{KeyAlgorithm, SoftwareKey, SystemRandom};
/// let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom)?;
/// let pem = key.to_pem()?; // store it where only the firmware reads
/// let again = SoftwareKey::parse(pem.as_bytes())?;
/// # use sdi::DeviceKey;
/// assert_eq!(key.public_key(), again.public_key());
/// # Ok(()) }
/// ```
pub struct SoftwareKey {
    public: PublicKey,
    secret: SecretPart,
}

/// On the heap, so that a key that is moved leaves no copy behind.
enum SecretPart {
    Agreement(Box<agreement::SecretKey>),
    #[cfg(feature = "rsa")]
    Rsa(Box<rsa::SecretKey>),
}

const ENCRYPTED: Error = unreadable("it is encrypted; remove its password first");
const UNKNOWN: Error = unreadable("it is no private key that is read here");

impl SoftwareKey {
    /// Reads a private key: PKCS#8, SEC 1 or PKCS#1, as PEM or DER, also behind
    /// `EC PARAMETERS`.
    ///
    /// # Errors
    /// [`Error::Key`] if it is damaged, encrypted or none; [`Error::Unsupported`] for kinds of keys
    /// that this build does not use.
    pub fn parse(key: &[u8]) -> Result<Self> {
        on_wiped_stack(|| Self::read(key))
    }

    fn read(key: &[u8]) -> Result<Self> {
        if !pem::is_pem(key) {
            return Self::from_der(key, None);
        }
        let mut curve = None;
        for block in pem::blocks(key) {
            match block.label {
                b"EC PARAMETERS" => {
                    let der = block.decode()?.unwrap_or_default();
                    let named = Element::only(der.as_bytes()).ok().filter(|e| e.is(asn1::OID));
                    curve = named.and_then(|oid| Curve::from_named(oid.body));
                }
                b"PRIVATE KEY" | b"EC PRIVATE KEY" | b"RSA PRIVATE KEY" => {
                    if block.is_encrypted() {
                        return Err(ENCRYPTED);
                    }
                    let der = block.decode()?.ok_or(unreadable("its base64 is damaged"))?;
                    return Self::from_der(der.as_bytes(), curve);
                }
                b"ENCRYPTED PRIVATE KEY" => return Err(ENCRYPTED),
                _ => {}
            }
        }
        Err(unreadable("there is no private key block"))
    }

    fn from_der(der: &[u8], mut curve: Option<Curve>) -> Result<Self> {
        let unknown = |_| UNKNOWN;
        let mut reader = Reader::new(der);
        let mut key = reader.next().map_err(unknown)?;
        // `openssl ecparam -genkey -outform DER` wrote the curve in front of the key before 3.0.
        if key.is(asn1::OID) {
            curve = Curve::from_named(key.body);
            key = reader.next().map_err(unknown)?;
        }
        reader.finish().map_err(unknown)?;
        if !key.is(asn1::SEQUENCE) {
            return Err(UNKNOWN);
        }
        let mut fields = key.reader();
        let first = fields.next().map_err(unknown)?.tag;
        let second = Reader::new(fields.rest()).next().map_err(unknown)?.tag;
        match (first, second) {
            (asn1::INTEGER, asn1::SEQUENCE) => Self::from_pkcs8(fields),
            (asn1::INTEGER, asn1::OCTET_STRING) => Self::from_sec1(key, curve),
            (asn1::INTEGER, asn1::INTEGER) => Self::from_pkcs1(key),
            // EncryptedPrivateKeyInfo (RFC 5958)
            (asn1::SEQUENCE, asn1::OCTET_STRING) => Err(ENCRYPTED),
            _ => Err(UNKNOWN),
        }
    }

    /// PKCS#8 (RFC 5958), after its version.
    fn from_pkcs8(mut fields: Reader<'_>) -> Result<Self> {
        let damaged = |_| unreadable("its PKCS#8 is damaged");
        let algorithm = Algorithm::read(&mut fields).map_err(damaged)?;
        let octets = fields.expect(asn1::OCTET_STRING).map_err(damaged)?.body;
        fields.optional(asn1::context_constructed(0)).map_err(damaged)?; // attributes
        let public = fields.optional(asn1::context(1)).map_err(damaged)?;
        let inner = |tag| match Element::only(octets) {
            Ok(inner) if inner.is(tag) => Ok(inner),
            _ => Err(unreadable("its PKCS#8 is damaged")),
        };
        let key = match algorithm.oid {
            oid::EC_PUBLIC_KEY => {
                Self::from_sec1(inner(asn1::SEQUENCE)?, Some(named_curve(algorithm.parameters)?))?
            }
            oid::X25519 => Self::from_scalar(Curve::X25519, inner(asn1::OCTET_STRING)?.body)?,
            oid::RSA_ENCRYPTION => Self::from_pkcs1(inner(asn1::SEQUENCE)?)?,
            other => return Err(unsupported("a key of the kind", other)),
        };
        key.checked_against(public)
    }

    /// ECPrivateKey (RFC 5915).
    fn from_sec1(key: Element<'_>, curve: Option<Curve>) -> Result<Self> {
        let damaged = |_| unreadable("its EC private key is damaged");
        let mut fields = key.reader();
        fields.expect(asn1::INTEGER).map_err(damaged)?;
        let scalar = fields.expect(asn1::OCTET_STRING).map_err(damaged)?.body;
        let parameters = fields.optional(asn1::context_constructed(0)).map_err(damaged)?;
        let own = parameters.map(|parameters| named_curve(parameters.reader().next().ok()));
        let curve = match (own.transpose()?, curve) {
            (Some(own), Some(outer)) if own != outer => {
                return Err(unreadable("it names two curves"));
            }
            (own, outer) => own.or(outer).ok_or(unreadable("it does not name its curve"))?,
        };
        let public = fields.optional(asn1::context_constructed(1)).map_err(damaged)?;
        let public = public.and_then(|public| public.reader().expect(asn1::BIT_STRING).ok());
        Self::from_scalar(curve, scalar)?.checked_against(public)
    }

    fn from_scalar(curve: Curve, scalar: &[u8]) -> Result<Self> {
        if !curve.is_built_in() {
            return Err(unsupported("a key on the curve", curve.oid()));
        }
        // Some encoders drop or add leading zeros of a number, which are looked for only then: how many
        // a private key has is a secret. X25519's 32 bytes are no number.
        let (zeros, number) = match curve {
            _ if scalar.len() == curve.field_len() => (0, scalar),
            Curve::X25519 => (0, scalar),
            _ => {
                let number = significant(scalar);
                (curve.field_len().saturating_sub(number.len()), number)
            }
        };
        let mut bytes = Secret::zeros(zeros)?;
        bytes.extend(number)?;
        let key = agreement::SecretKey::from_bytes(curve, bytes.as_bytes())
            .ok_or(unreadable("its number is out of range for the curve"))?;
        Self::from_agreement(curve, key)
    }

    /// A flipped bit in a stored scalar makes another key, as good as the first, that opens nothing.
    /// Where the public half (a BIT STRING) stands beside it, the two have to fit. A public half that
    /// cannot be read does no harm, because it is computed anyway.
    fn checked_against(self, public: Option<Element<'_>>) -> Result<Self> {
        let halves = (public.map(|public| public.body), self.public.algorithm.curve());
        if let (Some([0, point @ ..]), Some(curve)) = halves
            && PublicKey::from_point(curve, point).is_ok_and(|public| public != self.public)
        {
            return Err(unreadable("its private and public halves do not fit together"));
        }
        Ok(self)
    }

    fn from_agreement(curve: Curve, key: agreement::SecretKey) -> Result<Self> {
        let public = PublicKey::from_point(curve, &key.public_key())?;
        Ok(Self { public, secret: SecretPart::Agreement(key.into()) })
    }

    /// RSAPrivateKey (RFC 8017).
    #[cfg(feature = "rsa")]
    fn from_pkcs1(key: Element<'_>) -> Result<Self> {
        let read = || {
            let mut fields = key.reader();
            fields.expect(asn1::INTEGER)?;
            let mut next = || fields.expect(asn1::INTEGER).map(|number| number.body);
            Ok(rsa::Numbers { n: next()?, e: next()?, d: next()?, p: next()?, q: next()? })
        };
        let numbers = read().map_err(|_: Error| unreadable("its RSA private key is damaged"))?;
        let key = rsa::SecretKey::new(&numbers)
            .ok_or(unreadable("its RSA numbers do not fit together"))??;
        Self::from_rsa(key)
    }

    #[cfg(not(feature = "rsa"))]
    fn from_pkcs1(_: Element<'_>) -> Result<Self> {
        Err(unsupported("a key of the kind", oid::RSA_ENCRYPTION))
    }

    #[cfg(feature = "rsa")]
    fn from_rsa(key: rsa::SecretKey) -> Result<Self> {
        let public = PublicKey::from_rsa(&key.modulus(), &key.public_exponent())?;
        Ok(Self { public, secret: SecretPart::Rsa(key.into()) })
    }
}

impl DeviceKey for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        match &self.secret {
            SecretPart::Agreement(key) if peer.algorithm == self.public.algorithm => {
                let shared = on_wiped_stack(|| key.agree(peer.point));
                shared.ok_or(KeyError::Refused)?.map_err(failed)
            }
            _ => Err(KeyError::Unsupported),
        }
    }

    #[cfg(feature = "rsa")]
    fn rsa_decrypt(&self, scheme: super::RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        match (&self.secret, scheme) {
            (SecretPart::Rsa(key), super::RsaScheme::Raw) => {
                let block = on_wiped_stack(|| key.apply(ciphertext));
                block.ok_or(KeyError::Refused)?.map_err(failed)
            }
            _ => Err(KeyError::Unsupported),
        }
    }

    #[cfg(feature = "identity")]
    fn sign(
        &self,
        scheme: super::SignatureScheme,
        message: &[u8],
        digest: &[u8],
    ) -> Result<alloc::vec::Vec<u8>, KeyError> {
        on_wiped_stack(|| self.signature(scheme, message, digest))
    }
}

impl Debug for SoftwareKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareKey({:?})", self.public.algorithm)
    }
}

/// What a computation in memory can fail with is memory.
fn failed(_: Error) -> KeyError {
    KeyError::OutOfMemory
}

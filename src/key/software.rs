//! Keys in memory: read from PKCS#8, SEC 1 and PKCS#1, made, written.

use super::{DeviceKey, PeerPoint, RsaScheme, SignatureScheme};
use super::{KeyAlgorithm, KeyError, PublicKey, named_curve, unreadable, unsigned, unsupported};
use crate::asn1::{self, Algorithm, Element, Reader, significant};
#[cfg(feature = "identity")]
use crate::asn1::{der_bits, der_oid, der_sequence, der_unsigned};
#[cfg(feature = "rsa")]
use crate::crypto::rsa;
use crate::crypto::{Curve, agreement};
use crate::{Error, KeyFault, Result, Secret, oid, pem};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::{self, Debug, Formatter};

/// A private key in this process's memory, wiped on drop.
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

enum SecretPart {
    Agreement(agreement::SecretKey),
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

    /// Makes a new key.
    ///
    /// # Errors
    /// [`Error::Random`] when the source fails, [`Error::Argument`] for an RSA size other than 2048,
    /// 3072 and 4096, [`Error::Unsupported`] for a kind that this build lacks.
    #[cfg(feature = "identity")]
    pub fn generate(algorithm: KeyAlgorithm, random: &mut dyn crate::RandomSource) -> Result<Self> {
        match algorithm {
            #[cfg(feature = "rsa")]
            KeyAlgorithm::Rsa(bits @ (2048 | 3072 | 4096)) => {
                Self::from_rsa(rsa::SecretKey::generate(bits, random)?)
            }
            #[cfg(feature = "rsa")]
            KeyAlgorithm::Rsa(_) => {
                Err(Error::Argument("RSA keys are made with 2048, 3072 or 4096 bits"))
            }
            _ => {
                let kind = || unsupported("a key of the kind", oid::RSA_ENCRYPTION);
                let curve = algorithm.curve().ok_or_else(kind)?;
                if !curve.is_built_in() {
                    return Err(unsupported("a key on the curve", curve.oid()));
                }
                Self::from_agreement(curve, agreement::SecretKey::generate(curve, random)?)
            }
        }
    }

    /// The private key as PKCS#8 in PEM.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    #[cfg(feature = "identity")]
    pub fn to_pem(&self) -> Result<Secret> {
        pem::encode_secret("PRIVATE KEY", self.to_pkcs8()?.as_bytes())
    }

    fn from_der(der: &[u8], mut curve: Option<Curve>) -> Result<Self> {
        let unknown = |_| UNKNOWN;
        let mut reader = Reader::new(der);
        let mut key = reader.next().map_err(unknown)?;
        // `openssl ecparam -genkey -outform DER` writes the curve in front of the key.
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
        // Some encoders drop or add leading zeros of a number. X25519's 32 bytes are no number.
        let (zeros, number) = match curve {
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
        if let (Some([0, point @ ..]), Some(curve)) =
            (public.map(|public| public.body), self.public.algorithm.curve())
        {
            if PublicKey::from_point(curve, point).is_ok_and(|public| public != self.public) {
                return Err(unreadable("its private and public halves do not fit together"));
            }
        }
        Ok(self)
    }

    fn from_agreement(curve: Curve, key: agreement::SecretKey) -> Result<Self> {
        let public = PublicKey::from_point(curve, &key.public_key())?;
        Ok(Self { public, secret: SecretPart::Agreement(key) })
    }

    /// RSAPrivateKey (RFC 8017).
    #[cfg(feature = "rsa")]
    fn from_pkcs1(key: Element<'_>) -> Result<Self> {
        let read = || {
            let mut fields = key.reader();
            fields.expect(asn1::INTEGER)?;
            let mut next = || unsigned(&mut fields);
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
        Ok(Self { public, secret: SecretPart::Rsa(Box::new(key)) })
    }

    #[cfg(feature = "identity")]
    fn to_pkcs8(&self) -> Result<Secret> {
        let secret = |tag: u8, parts: &[&[u8]]| Secret::from(asn1::der(tag, parts));
        let (algorithm, inner) = match &self.secret {
            SecretPart::Agreement(key) => {
                let scalar = secret(asn1::OCTET_STRING, &[key.to_bytes()?.as_bytes()]);
                match key.curve() {
                    Curve::X25519 => (der_sequence(&[&der_oid(oid::X25519)]), scalar),
                    curve => {
                        let public = der_bits(self.public.value());
                        let public = asn1::der(asn1::context_constructed(1), &[&public]);
                        let version = der_unsigned(&[1]);
                        (
                            der_sequence(&[&der_oid(oid::EC_PUBLIC_KEY), &der_oid(curve.oid())]),
                            secret(asn1::SEQUENCE, &[&version, scalar.as_bytes(), &public]),
                        )
                    }
                }
            }
            #[cfg(feature = "rsa")]
            SecretPart::Rsa(key) => {
                let numbers = key.private_numbers().ok_or(Error::Key(KeyFault::Unsupported))?;
                let public = [Vec::new(), key.modulus(), key.public_exponent()]; // version 0 first
                let numbers: Vec<Secret> = public
                    .iter()
                    .map(Vec::as_slice)
                    .chain(numbers.iter().map(|number| number.as_slice()))
                    .map(|number| Secret::from(der_unsigned(number)))
                    .collect();
                let numbers: Vec<&[u8]> = numbers.iter().map(Secret::as_bytes).collect();
                let null = asn1::der(asn1::NULL, &[]);
                (
                    der_sequence(&[&der_oid(oid::RSA_ENCRYPTION), &null]),
                    secret(asn1::SEQUENCE, &numbers),
                )
            }
        };
        let inner = secret(asn1::OCTET_STRING, &[inner.as_bytes()]);
        Ok(secret(asn1::SEQUENCE, &[&der_unsigned(&[]), &algorithm, inner.as_bytes()]))
    }
}

impl DeviceKey for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        match &self.secret {
            SecretPart::Agreement(key) if peer.algorithm == self.public.algorithm => {
                key.agree(peer.point).ok_or(KeyError::Refused)?.map_err(failed)
            }
            _ => Err(KeyError::Unsupported),
        }
    }

    #[cfg(feature = "rsa")]
    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        match (&self.secret, scheme) {
            (SecretPart::Rsa(key), RsaScheme::Raw) => {
                key.apply(ciphertext).ok_or(KeyError::Refused)?.map_err(failed)
            }
            _ => Err(KeyError::Unsupported),
        }
    }

    #[cfg(feature = "identity")]
    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
        digest: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        match (&self.secret, scheme, self.public.algorithm) {
            (SecretPart::Agreement(key), SignatureScheme::EcdsaP256Sha256, KeyAlgorithm::P256)
            | (SecretPart::Agreement(key), SignatureScheme::EcdsaP384Sha384, KeyAlgorithm::P384)
            | (SecretPart::Agreement(key), SignatureScheme::EcdsaP521Sha512, KeyAlgorithm::P521) => {
                key.sign(message).ok_or(KeyError::Unsupported)
            }
            #[cfg(feature = "rsa")]
            (SecretPart::Rsa(key), SignatureScheme::RsaPkcs1Sha256, _) => {
                let block = pkcs1_signature_block(digest, self.public.value.len())
                    .ok_or(KeyError::Unsupported)?;
                let signature = key.apply(&block).ok_or(KeyError::Refused)?.map_err(failed)?;
                Ok(signature.into_bytes())
            }
            _ => Err(KeyError::Unsupported),
        }
    }
}

impl Debug for SoftwareKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareKey({:?})", self.public.algorithm)
    }
}

/// What a computation in memory can fail with is memory.
fn failed(_: Error) -> KeyError {
    KeyError::Vendor(i64::from(Error::OutOfMemory.code()))
}

/// EMSA-PKCS1-v1_5 (RFC 8017, 9.2) for a SHA-256 digest.
#[cfg(all(feature = "rsa", feature = "identity"))]
fn pkcs1_signature_block(digest: &[u8], size: usize) -> Option<Vec<u8>> {
    let algorithm = der_sequence(&[&der_oid(oid::SHA256), &asn1::der(asn1::NULL, &[])]);
    let info = der_sequence(&[&algorithm, &asn1::der(asn1::OCTET_STRING, &[digest])]);
    let mut block = alloc::vec![0xff; size];
    let start = size.checked_sub(info.len()).filter(|&start| start >= 11)?;
    block.get_mut(start..)?.copy_from_slice(&info);
    block.get_mut(..2)?.copy_from_slice(&[0, 1]);
    *block.get_mut(start - 1)? = 0;
    Some(block)
}

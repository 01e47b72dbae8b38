//! Keys in memory: read from PKCS#8, SEC 1 and PKCS#1, made, written.

use super::{DeviceKey, PeerPoint, RsaScheme, SignatureScheme};
use super::{KeyAlgorithm, KeyError, PublicKey, named_curve, unreadable, unsigned, unsupported};
use crate::asn1::{self, Algorithm, Element, Reader};
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

impl SoftwareKey {
    /// Reads a private key: PKCS#8, SEC 1 or PKCS#1, as PEM (also behind `EC PARAMETERS`) or DER.
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
            let der = block.decode()?;
            match (block.label, der) {
                (b"EC PARAMETERS", Some(der)) => {
                    let named = Element::only(der.as_bytes()).ok().filter(|e| e.is(asn1::OID));
                    curve = named.and_then(|oid| Curve::from_named(oid.body));
                }
                (b"PRIVATE KEY" | b"EC PRIVATE KEY" | b"RSA PRIVATE KEY", Some(der)) => {
                    return Self::from_der(der.as_bytes(), curve);
                }
                (b"ENCRYPTED PRIVATE KEY", _) | (b"EC PRIVATE KEY" | b"RSA PRIVATE KEY", None) => {
                    return Err(unreadable("it is encrypted; remove its password first"));
                }
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
            KeyAlgorithm::Rsa(_) => {
                Err(Error::Argument("RSA keys are made with 2048, 3072 or 4096 bits"))
            }
            _ => {
                let curve = algorithm.curve().ok_or(Error::Key(KeyFault::Unsupported))?;
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

    fn from_der(der: &[u8], curve: Option<Curve>) -> Result<Self> {
        let damaged = |_| unreadable("it is no private key that is read here");
        let key = Element::only(der).map_err(damaged)?;
        let mut fields = key.reader();
        fields.expect(asn1::INTEGER).map_err(damaged)?;
        match Reader::new(fields.rest()).next().map_err(damaged)?.tag {
            asn1::SEQUENCE => Self::from_pkcs8(fields),
            asn1::OCTET_STRING => Self::from_sec1(key, curve),
            asn1::INTEGER => Self::from_pkcs1(key),
            _ => Err(unreadable("it is no private key that is read here")),
        }
    }

    /// PKCS#8 (RFC 5958), after its version.
    fn from_pkcs8(mut fields: Reader<'_>) -> Result<Self> {
        let damaged = |_| unreadable("its PKCS#8 is damaged");
        let algorithm = Algorithm::read(&mut fields).map_err(damaged)?;
        let key = fields.expect(asn1::OCTET_STRING).map_err(damaged)?.body;
        match algorithm.oid {
            oid::EC_PUBLIC_KEY => {
                let curve = named_curve(&algorithm)?;
                Self::from_sec1(Element::only(key).map_err(damaged)?, Some(curve))
            }
            oid::X25519 => {
                let inner = Element::only(key).map_err(damaged)?;
                Self::from_scalar(Curve::X25519, inner.body)
            }
            oid::RSA_ENCRYPTION => Self::from_pkcs1(Element::only(key).map_err(damaged)?),
            other => Err(unsupported("a key of the kind", other)),
        }
    }

    /// ECPrivateKey (RFC 5915).
    fn from_sec1(key: Element<'_>, curve: Option<Curve>) -> Result<Self> {
        let damaged = |_| unreadable("its EC private key is damaged");
        let mut fields = key.reader();
        fields.expect(asn1::INTEGER).map_err(damaged)?;
        let scalar = fields.expect(asn1::OCTET_STRING).map_err(damaged)?.body;
        let curve = match fields.optional(asn1::context_constructed(0)).map_err(damaged)? {
            Some(parameters) => {
                let oid = parameters.reader().oid().map_err(|_| {
                    Error::Unsupported(crate::Unsupported {
                        what: "a key with explicit curve parameters",
                        oid: None,
                    })
                })?;
                Curve::from_named(oid).ok_or_else(|| unsupported("a key on the curve", oid))?
            }
            None => curve.ok_or(unreadable("it does not name its curve"))?,
        };
        Self::from_scalar(curve, scalar)
    }

    fn from_scalar(curve: Curve, scalar: &[u8]) -> Result<Self> {
        if !curve.is_built_in() {
            return Err(unsupported("a key on the curve", curve.oid()));
        }
        // Some encoders drop or add leading zeros.
        let len = curve.field_len();
        let extra = scalar.len().saturating_sub(len);
        let (zeros, scalar) = scalar.split_at(extra);
        let mut padded = Secret::zeros(len)?;
        if let Some(low) = padded.as_mut().get_mut(len - scalar.len()..) {
            low.copy_from_slice(scalar);
        }
        let in_range = zeros.iter().all(|&zero| zero == 0);
        let key = agreement::SecretKey::from_bytes(curve, padded.as_bytes())
            .filter(|_| in_range)
            .ok_or(unreadable("its number is out of range for the curve"))?;
        Self::from_agreement(curve, key)
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
        use crate::asn1::{der_oid, der_sequence, der_unsigned};

        let secret = |tag: u8, parts: &[&[u8]]| Secret::from(asn1::der(tag, parts));
        let (algorithm, inner) = match &self.secret {
            SecretPart::Agreement(key) => {
                let scalar = key.to_bytes()?;
                let octets = secret(asn1::OCTET_STRING, &[scalar.as_bytes()]);
                match key.curve() {
                    Curve::X25519 => (der_sequence(&[&der_oid(oid::X25519)]), octets),
                    curve => {
                        let bits = asn1::der(asn1::BIT_STRING, &[&[0], self.public.value()]);
                        let public = asn1::der(asn1::context_constructed(1), &[&bits]);
                        let version = der_unsigned(&[1]);
                        (
                            der_sequence(&[&der_oid(oid::EC_PUBLIC_KEY), &der_oid(curve.oid())]),
                            secret(asn1::SEQUENCE, &[&version, octets.as_bytes(), &public]),
                        )
                    }
                }
            }
            #[cfg(feature = "rsa")]
            SecretPart::Rsa(key) => {
                let numbers = key.private_numbers().ok_or(Error::Key(KeyFault::Unsupported))?;
                let numbers = numbers.map(|number| Secret::from(der_unsigned(&number)));
                let [d, p, q, dp, dq, qinv] = &numbers;
                let (zero, n) = (der_unsigned(&[]), der_unsigned(&key.modulus()));
                let e = der_unsigned(&key.public_exponent());
                let parts = [&zero, &n, &e]
                    .map(Vec::as_slice)
                    .into_iter()
                    .chain([d, p, q, dp, dq, qinv].into_iter().map(Secret::as_bytes));
                let parts: Vec<&[u8]> = parts.collect();
                let null = asn1::der(asn1::NULL, &[]);
                (
                    der_sequence(&[&der_oid(oid::RSA_ENCRYPTION), &null]),
                    secret(asn1::SEQUENCE, &parts),
                )
            }
        };
        let wrapped = secret(asn1::OCTET_STRING, &[inner.as_bytes()]);
        Ok(secret(asn1::SEQUENCE, &[&der_unsigned(&[]), &algorithm, wrapped.as_bytes()]))
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
    let algorithm = asn1::der_sequence(&[&asn1::der_oid(oid::SHA256), &asn1::der(asn1::NULL, &[])]);
    let info = asn1::der_sequence(&[&algorithm, &asn1::der(asn1::OCTET_STRING, &[digest])]);
    let mut block = alloc::vec![0xff; size];
    let start = size.checked_sub(info.len()).filter(|&start| start >= 11)?;
    block.get_mut(start..)?.copy_from_slice(&info);
    block.get_mut(..2)?.copy_from_slice(&[0, 1]);
    *block.get_mut(start - 1)? = 0;
    Some(block)
}

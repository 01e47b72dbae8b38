//! Keys that are made, written down, and sign: what the factory needs.

use super::{SecretPart, SoftwareKey, unsupported};
use crate::asn1::{self, der, der_bits, der_oid, der_sequence, der_unsigned};
#[cfg(feature = "rsa")]
use crate::crypto::rsa;
use crate::crypto::{Curve, agreement};
use crate::secret::on_wiped_stack;
use crate::{KeyAlgorithm, KeyError, RandomSource, Result, Secret};
use crate::{SignatureScheme, oid, pem};
use alloc::vec::Vec;

impl SoftwareKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`Error::Random`](crate::Error::Random) when the source fails, [`Error::Argument`](crate::Error::Argument) for an RSA size other than 2048,
    /// 3072 and 4096, [`Error::Unsupported`](crate::Error::Unsupported) for a kind that this build lacks.
    pub fn generate(algorithm: KeyAlgorithm, random: &mut dyn RandomSource) -> Result<Self> {
        on_wiped_stack(|| Self::make(algorithm, random))
    }

    fn make(algorithm: KeyAlgorithm, random: &mut dyn RandomSource) -> Result<Self> {
        match algorithm {
            #[cfg(feature = "rsa")]
            KeyAlgorithm::Rsa(bits @ (2048 | 3072 | 4096)) => {
                Self::from_rsa(rsa::SecretKey::generate(bits, random)?)
            }
            #[cfg(feature = "rsa")]
            KeyAlgorithm::Rsa(_) => {
                Err(crate::Error::Argument("RSA keys are made with 2048, 3072 or 4096 bits"))
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
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn to_pem(&self) -> Result<Secret> {
        on_wiped_stack(|| pem::encode_secret("PRIVATE KEY", self.to_pkcs8()?.as_bytes()))
    }

    fn to_pkcs8(&self) -> Result<Secret> {
        let version = der_unsigned(&[]);
        let (algorithm, key) = match &self.secret {
            SecretPart::Agreement(key) if key.curve() == Curve::X25519 => {
                let bytes = secret_der(asn1::OCTET_STRING, &[key.to_bytes()?.as_bytes()]);
                (der_sequence(&[&der_oid(oid::X25519)]), bytes)
            }
            SecretPart::Agreement(key) => {
                let curve = der_oid(key.curve().oid());
                (der_sequence(&[&der_oid(oid::EC_PUBLIC_KEY), &curve]), self.to_sec1(key)?)
            }
            #[cfg(feature = "rsa")]
            SecretPart::Rsa(key) => (
                der_sequence(&[&der_oid(oid::RSA_ENCRYPTION), &der(asn1::NULL, &[])]),
                to_pkcs1(key)?,
            ),
        };
        let key = secret_der(asn1::OCTET_STRING, &[key.as_bytes()]);
        Ok(secret_der(asn1::SEQUENCE, &[&version, &algorithm, key.as_bytes()]))
    }

    /// ECPrivateKey (RFC 5915) without the curve, which PKCS#8 names.
    fn to_sec1(&self, key: &agreement::SecretKey) -> Result<Secret> {
        let scalar = secret_der(asn1::OCTET_STRING, &[key.to_bytes()?.as_bytes()]);
        let public = der(asn1::context_constructed(1), &[&der_bits(self.public.value())]);
        Ok(secret_der(asn1::SEQUENCE, &[&der_unsigned(&[1]), scalar.as_bytes(), &public]))
    }

    /// ECDSA and PKCS#1 v1.5 signatures, both deterministic.
    pub(super) fn signature(
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
                let signature = key.apply(&block).ok_or(KeyError::Refused)?;
                Ok(signature.map_err(super::failed)?.into_bytes())
            }
            _ => {
                let _ = digest; // for RSA alone
                Err(KeyError::Unsupported)
            }
        }
    }
}

/// RSAPrivateKey (RFC 8017).
#[cfg(feature = "rsa")]
fn to_pkcs1(key: &rsa::SecretKey) -> Result<Secret> {
    let numbers = key.numbers().ok_or(crate::Error::Key(crate::KeyFault::Unsupported))?;
    let numbers = numbers.map(|number| Secret::from(der_unsigned(&number)));
    let version = Secret::from(der_unsigned(&[]));
    let all: Vec<&[u8]> = [&version].into_iter().chain(&numbers).map(Secret::as_bytes).collect();
    Ok(secret_der(asn1::SEQUENCE, &all))
}

fn secret_der(tag: u8, parts: &[&[u8]]) -> Secret {
    Secret::from(der(tag, parts))
}

/// EMSA-PKCS1-v1_5 (RFC 8017, 9.2) for a SHA-256 digest.
#[cfg(feature = "rsa")]
fn pkcs1_signature_block(digest: &[u8], size: usize) -> Option<Vec<u8>> {
    let algorithm = der_sequence(&[&der_oid(oid::SHA256), &der(asn1::NULL, &[])]);
    let info = der_sequence(&[&algorithm, &der(asn1::OCTET_STRING, &[digest])]);
    let mut block = alloc::vec![0xff; size];
    let start = size.checked_sub(info.len()).filter(|&start| start >= 11)?;
    block.get_mut(start..)?.copy_from_slice(&info);
    block.get_mut(..2)?.copy_from_slice(&[0, 1]);
    *block.get_mut(start - 1)? = 0;
    Some(block)
}

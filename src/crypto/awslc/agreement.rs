//! Elliptic curve key agreement.

use crate::crypto::Curve;
use crate::crypto::rustcrypto::agreement as portable;
#[cfg(any(feature = "seal", feature = "identity"))]
use crate::{Error, RandomSource};
use crate::{Result, Secret};
use alloc::vec::Vec;
use aws_lc_rs::agreement::{
    Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, agree,
};

pub(crate) use portable::check_point;

/// A private key for key agreement.
pub(crate) struct SecretKey {
    /// Reads, writes and signs.
    portable: portable::SecretKey,
    /// The same key for the arithmetic. X25519 is as fast without it.
    fast: Option<(&'static Algorithm, PrivateKey)>,
}

impl SecretKey {
    /// Reads the scalar (for X25519 the 32 bytes). `None` if it is none of this curve, or if this
    /// build lacks the curve.
    pub(crate) fn from_bytes(curve: Curve, scalar: &[u8]) -> Option<Self> {
        let portable = portable::SecretKey::from_bytes(curve, scalar)?;
        let algorithm = match curve {
            Curve::P256 => &ECDH_P256,
            Curve::P384 => &ECDH_P384,
            Curve::P521 => &ECDH_P521,
            Curve::X25519 => return Some(Self { portable, fast: None }),
        };
        let fast = PrivateKey::from_private_key(algorithm, scalar).ok()?;
        Some(Self { portable, fast: Some((algorithm, fast)) })
    }

    /// Makes a new key from the caller's randomness.
    #[cfg(any(feature = "seal", feature = "identity"))]
    pub(crate) fn generate(curve: Curve, random: &mut dyn RandomSource) -> Result<Self> {
        let scalar = portable::SecretKey::generate(curve, random)?.to_bytes()?;
        Self::from_bytes(curve, scalar.as_bytes()).ok_or(Error::OutOfMemory)
    }

    #[cfg(feature = "identity")]
    pub(crate) const fn curve(&self) -> Curve {
        self.portable.curve()
    }

    /// The scalar.
    #[cfg(feature = "identity")]
    pub(crate) fn to_bytes(&self) -> Result<Secret> {
        self.portable.to_bytes()
    }

    /// The public key: an uncompressed point, for X25519 32 bytes.
    pub(crate) fn public_key(&self) -> Vec<u8> {
        let fast = self.fast.as_ref().and_then(|(_, key)| key.compute_public_key().ok());
        fast.map_or_else(|| self.portable.public_key(), |point| point.as_ref().to_vec())
    }

    /// The raw shared secret: the x-coordinate, unhashed. `None` if `peer` is no point of the curve.
    pub(crate) fn agree(&self, peer: &[u8]) -> Option<Result<Secret>> {
        let Some((algorithm, key)) = &self.fast else { return self.portable.agree(peer) };
        let peer = UnparsedPublicKey::new(algorithm, peer);
        agree(key, peer, (), |shared| Ok(Secret::copy_of(shared))).ok()
    }

    /// ECDSA with the curve's own hash, deterministic (RFC 6979): r and s, each as long as the field.
    /// `None` for X25519, which does not sign.
    #[cfg(feature = "identity")]
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.portable.sign(message)
    }
}

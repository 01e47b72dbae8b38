//! Elliptic curve key agreement.

#[cfg(any(feature = "seal", feature = "identity"))]
use crate::RandomSource;
use crate::crypto::Curve;
use crate::crypto::rustcrypto::agreement as portable;
use crate::{Result, Secret};
use alloc::vec::Vec;
use sdi_aws_lc::ec;

pub(crate) use portable::check_point;

/// A private key for key agreement.
pub(crate) struct SecretKey {
    /// Reads, writes and signs.
    portable: portable::SecretKey,
    /// The same key for the arithmetic. X25519 is as fast without it.
    fast: Option<ec::PrivateKey>,
}

impl SecretKey {
    /// Reads the scalar (for X25519 the 32 bytes). `None` if it is none of this curve, or if this
    /// build lacks the curve.
    pub(crate) fn from_bytes(curve: Curve, scalar: &[u8]) -> Option<Self> {
        let portable = portable::SecretKey::from_bytes(curve, scalar)?;
        Some(Self::with(curve, portable, scalar))
    }

    fn with(curve: Curve, portable: portable::SecretKey, scalar: &[u8]) -> Self {
        let fast = match curve {
            Curve::P256 => ec::PrivateKey::new(ec::Curve::P256, scalar),
            Curve::P384 => ec::PrivateKey::new(ec::Curve::P384, scalar),
            Curve::P521 => ec::PrivateKey::new(ec::Curve::P521, scalar),
            Curve::X25519 => None,
        };
        Self { portable, fast }
    }

    /// Makes a new key from the caller's randomness.
    #[cfg(any(feature = "seal", feature = "identity"))]
    pub(crate) fn generate(curve: Curve, random: &mut dyn RandomSource) -> Result<Self> {
        let portable = portable::SecretKey::generate(curve, random)?;
        let scalar = portable.to_bytes()?;
        Ok(Self::with(curve, portable, scalar.as_bytes()))
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
        let fast = self.fast.as_ref().and_then(|key| {
            let mut point = alloc::vec![0; 1 + 2 * key.curve().field_len()];
            key.public_point(&mut point).map(|()| point)
        });
        fast.unwrap_or_else(|| self.portable.public_key())
    }

    /// The raw shared secret: the x-coordinate, unhashed. `None` if `peer` is no point of the curve.
    pub(crate) fn agree(&self, peer: &[u8]) -> Option<Result<Secret>> {
        let fast = self.fast.as_ref().map(|key| -> Result<_> {
            let mut shared = Secret::zeros(key.curve().field_len())?;
            Ok(key.agree(peer, shared.as_mut()).map(|()| shared))
        });
        match fast.transpose() {
            Ok(shared) => match shared.flatten() {
                Some(shared) => Some(Ok(shared)),
                // A bad point, or no memory: the other one tells.
                None => self.portable.agree(peer),
            },
            Err(error) => Some(Err(error)),
        }
    }

    /// ECDSA with the curve's own hash, deterministic (RFC 6979): r and s, each as long as the field.
    /// `None` for X25519, which does not sign.
    #[cfg(feature = "identity")]
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.portable.sign(message)
    }
}

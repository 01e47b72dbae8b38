//! Elliptic curve key agreement and signatures: P-256, P-384, P-521 and X25519.

use crate::crypto::Curve;
#[cfg(any(feature = "seal", feature = "identity"))]
use crate::{Error, RandomSource};
use crate::{Result, Secret};
use alloc::vec::Vec;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use p256::elliptic_curve::{self, AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey};
#[cfg(any(
    feature = "x25519",
    feature = "identity",
    all(feature = "aws-lc", feature = "seal")
))]
use zeroize::Zeroizing;

/// A private key for key agreement.
pub(crate) enum SecretKey {
    P256(p256::SecretKey),
    #[cfg(feature = "p384")]
    P384(p384::SecretKey),
    #[cfg(feature = "p521")]
    P521(p521::SecretKey),
    #[cfg(feature = "x25519")]
    X25519(x25519_dalek::StaticSecret),
}

impl SecretKey {
    /// Reads the scalar (for X25519 the 32 bytes). `None` if it is none of this curve, or if this
    /// build lacks the curve.
    pub(crate) fn from_bytes(curve: Curve, scalar: &[u8]) -> Option<Self> {
        if scalar.len() != curve.field_len() {
            return None;
        }
        match curve {
            Curve::P256 => p256::SecretKey::from_slice(scalar).ok().map(Self::P256),
            #[cfg(feature = "p384")]
            Curve::P384 => p384::SecretKey::from_slice(scalar).ok().map(Self::P384),
            #[cfg(feature = "p521")]
            Curve::P521 => p521::SecretKey::from_slice(scalar).ok().map(Self::P521),
            #[cfg(feature = "x25519")]
            Curve::X25519 => {
                let scalar = Zeroizing::new(<[u8; 32]>::try_from(scalar).ok()?);
                Some(Self::X25519(x25519_dalek::StaticSecret::from(*scalar)))
            }
            #[expect(clippy::allow_attributes, reason = "which arms are left depends on features")]
            #[allow(unreachable_patterns, reason = "which arms are left depends on features")]
            _ => None,
        }
    }

    /// Makes a new key by drawing scalars until one is in range (SEC 1, 3.2.1).
    #[cfg(any(feature = "seal", feature = "identity"))]
    pub(crate) fn generate(curve: Curve, random: &mut dyn RandomSource) -> Result<Self> {
        /// A draw misses with a probability of at most 2^-32 (P-256), so this many misses in a row
        /// mean that the source is broken.
        const DRAWS: usize = 8;
        if !curve.is_built_in() {
            return Err(Error::Key(crate::KeyFault::Unsupported));
        }
        let mut scalar = Secret::zeros(curve.field_len())?;
        for _ in 0..DRAWS {
            random.fill(scalar.as_mut())?;
            if let (Curve::P521, Some(top)) = (curve, scalar.as_mut().first_mut()) {
                *top &= 1;
            }
            if let Some(key) = Self::from_bytes(curve, scalar.as_bytes()) {
                return Ok(key);
            }
        }
        Err(Error::Random(0))
    }

    #[cfg(feature = "identity")]
    pub(crate) const fn curve(&self) -> Curve {
        match self {
            Self::P256(_) => Curve::P256,
            #[cfg(feature = "p384")]
            Self::P384(_) => Curve::P384,
            #[cfg(feature = "p521")]
            Self::P521(_) => Curve::P521,
            #[cfg(feature = "x25519")]
            Self::X25519(_) => Curve::X25519,
        }
    }

    /// The scalar.
    #[cfg(any(feature = "identity", all(feature = "aws-lc", feature = "seal")))]
    pub(crate) fn to_bytes(&self) -> Result<Secret> {
        match self {
            Self::P256(key) => Secret::copy_of(&Zeroizing::new(key.to_bytes())[..]),
            #[cfg(feature = "p384")]
            Self::P384(key) => Secret::copy_of(&Zeroizing::new(key.to_bytes())[..]),
            #[cfg(feature = "p521")]
            Self::P521(key) => Secret::copy_of(&Zeroizing::new(key.to_bytes())[..]),
            #[cfg(feature = "x25519")]
            Self::X25519(key) => Secret::copy_of(key.as_bytes()),
        }
    }

    /// The public key: an uncompressed point, for X25519 32 bytes.
    pub(crate) fn public_key(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => uncompressed(&key.public_key()),
            #[cfg(feature = "p384")]
            Self::P384(key) => uncompressed(&key.public_key()),
            #[cfg(feature = "p521")]
            Self::P521(key) => uncompressed(&key.public_key()),
            #[cfg(feature = "x25519")]
            Self::X25519(key) => x25519_dalek::PublicKey::from(key).as_bytes().to_vec(),
        }
    }

    /// The raw shared secret: the x-coordinate, unhashed. `None` if `peer` is no point of the curve.
    pub(crate) fn agree(&self, peer: &[u8]) -> Option<Result<Secret>> {
        fn shared<C>(key: &elliptic_curve::SecretKey<C>, peer: &[u8]) -> Option<Result<Secret>>
        where
            C: CurveArithmetic,
            AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
            FieldBytesSize<C>: ModulusSize,
        {
            let peer = PublicKey::<C>::from_sec1_bytes(peer).ok()?;
            Some(Secret::copy_of(key.diffie_hellman(&peer).raw_secret_bytes()))
        }
        match self {
            Self::P256(key) => shared(key, peer),
            #[cfg(feature = "p384")]
            Self::P384(key) => shared(key, peer),
            #[cfg(feature = "p521")]
            Self::P521(key) => shared(key, peer),
            #[cfg(feature = "x25519")]
            Self::X25519(key) => {
                let peer = x25519_dalek::PublicKey::from(<[u8; 32]>::try_from(peer).ok()?);
                Some(Secret::copy_of(key.diffie_hellman(&peer).as_bytes()))
            }
        }
    }

    /// ECDSA with the curve's own hash, deterministic (RFC 6979): r and s, each as long as the field.
    /// `None` for X25519, which does not sign.
    #[cfg(feature = "identity")]
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        use p256::ecdsa::signature::Signer;
        match self {
            Self::P256(key) => {
                let key = p256::ecdsa::SigningKey::from(key);
                let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            #[cfg(feature = "p384")]
            Self::P384(key) => {
                let key = p384::ecdsa::SigningKey::from(key);
                let signature: p384::ecdsa::Signature = key.try_sign(message).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            #[cfg(feature = "p521")]
            Self::P521(key) => {
                let key = p521::ecdsa::SigningKey::from(key);
                let signature: p521::ecdsa::Signature = key.try_sign(message).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            #[cfg(feature = "x25519")]
            Self::X25519(_) => None,
        }
    }
}

/// Checks that `point` (compressed or not) is on the curve and gives it back uncompressed.
/// `None` for anything else: infinity, hybrid form, another curve's point.
pub(crate) fn check_point(curve: Curve, point: &[u8]) -> Option<Vec<u8>> {
    fn checked<C>(point: &[u8]) -> Option<Vec<u8>>
    where
        C: CurveArithmetic,
        AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
        FieldBytesSize<C>: ModulusSize,
    {
        if !matches!(point.first(), Some(2..=4)) {
            return None;
        }
        PublicKey::<C>::from_sec1_bytes(point).ok().map(|point| uncompressed(&point))
    }
    match curve {
        Curve::P256 => checked::<p256::NistP256>(point),
        #[cfg(feature = "p384")]
        Curve::P384 => checked::<p384::NistP384>(point),
        #[cfg(feature = "p521")]
        Curve::P521 => checked::<p521::NistP521>(point),
        #[cfg(feature = "x25519")]
        Curve::X25519 => (point.len() == 32).then(|| point.to_vec()),
        #[expect(clippy::allow_attributes, reason = "which arms are left depends on features")]
        #[allow(unreachable_patterns, reason = "which arms are left depends on features")]
        _ => None,
    }
}

fn uncompressed<C>(point: &PublicKey<C>) -> Vec<u8>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    point.as_affine().to_sec1_point(false).as_bytes().to_vec()
}

#[cfg(all(test, feature = "std", feature = "p384", feature = "p521", feature = "x25519"))]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn both_sides_agree() -> Result<()> {
        for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::X25519] {
            let a = SecretKey::generate(curve, &mut SystemRandom)?;
            let b = SecretKey::generate(curve, &mut SystemRandom)?;
            let ab = a.agree(&b.public_key()).unwrap()?;
            let ba = b.agree(&a.public_key()).unwrap()?;
            assert!(ab.ct_eq(ba.as_bytes()));
            assert_eq!(ab.len(), curve.field_len());
            assert_eq!(check_point(curve, &a.public_key()), Some(a.public_key()));
        }
        Ok(())
    }

    #[test]
    fn only_points_of_the_curve_pass() -> Result<()> {
        let point = SecretKey::generate(Curve::P256, &mut SystemRandom)?.public_key();
        let mut compressed = point[..33].to_vec();
        compressed[0] = 2 + (point[64] & 1);
        assert_eq!(check_point(Curve::P256, &compressed), Some(point.clone()));
        let mut hybrid = point.clone();
        hybrid[0] = 6 + (point[64] & 1);
        let mut off = point.clone();
        off[64] ^= 1;
        for bad in [&hybrid[..], &off, &[0], &[], &point[..64], &[4; 97]] {
            assert_eq!(check_point(Curve::P256, bad), None);
        }
        assert_eq!(check_point(Curve::P384, &point), None);
        Ok(())
    }
}

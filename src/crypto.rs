//! The seam to cryptographic primitives: what the rest of the library asks for, and nothing more.
//!
//! DER, key derivation, key wrap and padding stay outside: they are the same whoever computes the
//! primitives. A back end offers hashes, block ciphers in CBC and CTR, GHASH, elliptic curve and RSA
//! operations; [`rustcrypto`] is the one that is always there.

#[cfg(feature = "aws-lc")]
mod awslc;
mod rustcrypto;
#[cfg(all(test, feature = "p384", feature = "p521", feature = "x25519"))]
mod vectors;

#[cfg(feature = "aws-lc")]
pub(crate) use awslc::agreement;
#[cfg(all(feature = "rsa", feature = "aws-lc"))]
pub(crate) use awslc::rsa;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use rustcrypto::agreement;
#[cfg(all(feature = "rsa", not(feature = "aws-lc")))]
pub(crate) use rustcrypto::rsa;
pub(crate) use rustcrypto::{BlockDecrypt, BlockEncrypt, Ghash, digest, hmac};

use crate::oid;

/// The hash functions that key derivations and OAEP use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Bytes of a digest.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The usual name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    pub(crate) fn from_oid(oid: &[u8]) -> Option<Self> {
        [Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|hash| hash.oid() == oid)
    }

    pub(crate) const fn oid(self) -> &'static [u8] {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha224 => oid::SHA224,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }
}

/// The curves of key agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
    X25519,
}

impl Curve {
    /// Bytes of a coordinate, and so of a shared secret.
    pub(crate) const fn field_len(self) -> usize {
        match self {
            Self::P256 | Self::X25519 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    pub(crate) const fn oid(self) -> &'static [u8] {
        match self {
            Self::P256 => oid::P256,
            Self::P384 => oid::P384,
            Self::P521 => oid::P521,
            Self::X25519 => oid::X25519,
        }
    }

    /// The curve of an id-ecPublicKey's namedCurve.
    pub(crate) fn from_named(oid: &[u8]) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.oid() == oid)
    }

    /// Whether this build computes on the curve.
    pub(crate) const fn is_built_in(self) -> bool {
        match self {
            Self::P256 => true,
            Self::P384 => cfg!(feature = "p384"),
            Self::P521 => cfg!(feature = "p521"),
            Self::X25519 => cfg!(feature = "x25519"),
        }
    }
}

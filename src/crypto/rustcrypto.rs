//! Primitives from the RustCrypto project: pure Rust, no C compiler, no operating system.

pub(crate) mod agreement;
#[cfg(feature = "rsa")]
pub(crate) mod rsa;
mod symmetric;

pub(crate) use symmetric::{BlockDecrypt, BlockEncrypt, Ghash};

use super::Hash;
use crate::{Error, Result, Secret};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// The digest of the parts, one after the other.
pub(crate) fn digest(hash: Hash, parts: &[&[u8]]) -> Result<Secret> {
    fn of<D: Digest>(parts: &[&[u8]]) -> Result<Secret> {
        let mut digest = D::new();
        for part in parts {
            digest.update(part);
        }
        Secret::copy_of(&digest.finalize())
    }
    match hash {
        Hash::Sha1 => of::<Sha1>(parts),
        Hash::Sha224 => of::<Sha224>(parts),
        Hash::Sha256 => of::<Sha256>(parts),
        Hash::Sha384 => of::<Sha384>(parts),
        Hash::Sha512 => of::<Sha512>(parts),
    }
}

/// HMAC (RFC 2104) over the parts, one after the other.
pub(crate) fn hmac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Result<Secret> {
    fn of<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Result<Secret> {
        // HMAC takes a key of any length.
        let mut mac = <M as KeyInit>::new_from_slice(key)
            .map_err(|_| Error::Argument("an HMAC key of this length"))?;
        for part in parts {
            mac.update(part);
        }
        Secret::copy_of(&mac.finalize().into_bytes())
    }
    match hash {
        Hash::Sha1 => of::<Hmac<Sha1>>(key, parts),
        Hash::Sha224 => of::<Hmac<Sha224>>(key, parts),
        Hash::Sha256 => of::<Hmac<Sha256>>(key, parts),
        Hash::Sha384 => of::<Hmac<Sha384>>(key, parts),
        Hash::Sha512 => of::<Hmac<Sha512>>(key, parts),
    }
}

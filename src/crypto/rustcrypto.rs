//! Primitives from the RustCrypto project: pure Rust, no C compiler, no operating system.

pub(crate) mod agreement;
#[cfg(feature = "rsa")]
pub(crate) mod rsa;
mod symmetric;

pub(crate) use symmetric::{BlockDecrypt, BlockEncrypt, Ghash};

use super::Hash;
use crate::{Result, Secret};
use core::iter;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// The digest of the parts, one after the other.
pub(crate) fn digest(hash: Hash, parts: &[&[u8]]) -> Result<Secret> {
    digest_each(hash, &mut parts.iter().copied())
}

fn digest_each(hash: Hash, parts: &mut dyn Iterator<Item = &[u8]>) -> Result<Secret> {
    fn of<D: Digest>(parts: &mut dyn Iterator<Item = &[u8]>) -> Result<Secret> {
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

/// HMAC (RFC 2104) over the parts, one after the other. It is made of the digests above: an own copy
/// of HMAC for each of them would cost a device 12 KB.
pub(crate) fn hmac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Result<Secret> {
    let block = match hash {
        Hash::Sha1 | Hash::Sha224 | Hash::Sha256 => 64,
        Hash::Sha384 | Hash::Sha512 => 128,
    };
    let key = if key.len() > block { digest(hash, &[key])? } else { Secret::copy_of(key)? };
    let pad = |byte| -> Result<Secret> {
        let mut pad = Secret::zeros(block)?;
        pad.as_mut().fill(byte);
        for (byte, key) in pad.as_mut().iter_mut().zip(key.as_bytes()) {
            *byte ^= key;
        }
        Ok(pad)
    };
    let inner_pad = pad(0x36)?;
    let mut inner = iter::once(inner_pad.as_bytes()).chain(parts.iter().copied());
    let inner = digest_each(hash, &mut inner)?;
    digest(hash, &[pad(0x5c)?.as_bytes(), inner.as_bytes()])
}

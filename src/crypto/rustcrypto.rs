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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    #[test]
    fn hmac_matches_rfc_2202_and_rfc_4231() -> Result<()> {
        let all = [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];
        let short = [
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
             8e2240ca5e69e2c78b3239ecfab21649",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ];
        // A key that is longer than a block of any of them.
        let long = [
            "90d0dace1c1bdc957339307803160335bde6df2b",
            "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6\
             0c2ef6ab4030fe8296248df163f44952",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
             6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
        ];
        let hex = |secret: Secret| -> String {
            secret.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
        };
        for ((hash, short), long) in all.into_iter().zip(short).zip(long) {
            let parts: [&[u8]; 3] = [b"what do ya want ", b"", b"for nothing?"];
            assert_eq!(hex(hmac(hash, b"Jefe", &parts)?), short);
            let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
            assert_eq!(hex(hmac(hash, &[0xaa; 131], &[text])?), long);
        }
        Ok(())
    }
}

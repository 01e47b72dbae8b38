//! Device keys.

use crate::boundary::boundary;
use crate::bytes::sdi_bytes;
use crate::code::{Code, code};
use crate::error::{Failure, sdi_error, sdi_result};
use crate::key_ops::OpsKey;
use crate::memory;
use crate::optional::{identity, system_random};
use crate::pointer::Handle;
use alloc::sync::Arc;
use core::ffi::c_void;
use sdi::{DeviceKey, KeyAlgorithm, PublicKey, RandomSource, SoftwareKey};

/// A device's private key: in memory, or in a module behind callbacks.
pub struct sdi_key {
    _opaque: [u8; 0],
}

impl Handle for sdi_key {
    type Value = Key;
    const CALLS_BACK: bool = true;
}

/// What a [`sdi_key`] holds.
pub(crate) enum Key {
    Software(Arc<SoftwareKey>),
    Ops(Arc<OpsKey>),
}

impl Key {
    pub(crate) fn device_key(&self) -> Arc<dyn DeviceKey> {
        match self {
            Self::Software(key) => Arc::<SoftwareKey>::clone(key),
            Self::Ops(key) => Arc::<OpsKey>::clone(key),
        }
    }

    fn public_key(&self) -> &PublicKey {
        match self {
            Self::Software(key) => key.public_key(),
            Self::Ops(key) => key.public_key(),
        }
    }
}

/// A kind of key: a constant of sdi_key_alg_code.
pub type sdi_key_alg = i32;

/// The values of sdi_key_alg.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_key_alg_code {
    /// NIST P-256, the recommended kind. Every build has it.
    SDI_KEY_P256 = 1,
    /// NIST P-384.
    SDI_KEY_P384 = 2,
    /// NIST P-521.
    SDI_KEY_P521 = 3,
    /// X25519. It cannot sign its own certificate: see sdi_cert_wrap.
    SDI_KEY_X25519 = 4,
    /// RSA, 2048 bits.
    SDI_KEY_RSA2048 = 10,
    /// RSA, 3072 bits.
    SDI_KEY_RSA3072 = 11,
    /// RSA, 4096 bits.
    SDI_KEY_RSA4096 = 12,
    /// ML-KEM-768. No build has it yet.
    SDI_KEY_ML_KEM_768 = 20,
}

code!(sdi_key_alg_code:
    SDI_KEY_P256 SDI_KEY_P384 SDI_KEY_P521 SDI_KEY_X25519
    SDI_KEY_RSA2048 SDI_KEY_RSA3072 SDI_KEY_RSA4096 SDI_KEY_ML_KEM_768);

fn algorithm(alg: sdi_key_alg) -> Result<KeyAlgorithm, Failure> {
    use sdi_key_alg_code::*;
    Ok(match sdi_key_alg_code::known(alg).ok_or(Failure::Argument("an unknown kind of key"))? {
        SDI_KEY_P256 => KeyAlgorithm::P256,
        SDI_KEY_P384 => KeyAlgorithm::P384,
        SDI_KEY_P521 => KeyAlgorithm::P521,
        SDI_KEY_X25519 => KeyAlgorithm::X25519,
        SDI_KEY_RSA2048 => KeyAlgorithm::Rsa(2048),
        SDI_KEY_RSA3072 => KeyAlgorithm::Rsa(3072),
        SDI_KEY_RSA4096 => KeyAlgorithm::Rsa(4096),
        SDI_KEY_ML_KEM_768 => return Err(Failure::Unsupported("has no ML-KEM")),
    })
}

fn generate(algorithm: KeyAlgorithm, random: &mut dyn RandomSource) -> Result<Key, Failure> {
    memory::check(0)?;
    Ok(Key::Software(Arc::new(identity::generate(algorithm, random)?)))
}

/// Fills out with len random bytes. 0 is success; anything else makes the call that needs the bytes
/// fail with SDI_ERR_RANDOM and this vendor code. It runs on the thread of that call, during it.
pub type sdi_random =
    Option<unsafe extern "C" fn(user: *mut c_void, out: *mut u8, len: usize) -> i32>;

/// Makes a key with the operating system's randomness, which may wait until the system has collected
/// enough: early in a first boot sdi_key_generate_with is for you. You own *key_out: free it with
/// sdi_key_free. May run at once with anything.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_key_generate(
    alg: sdi_key_alg,
    key_out: *mut *mut sdi_key,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let key_out = c.out(key_out)?;
        let alg = algorithm(alg)?;
        key_out.give(generate(alg, &mut system_random()?)?)
    })
}

/// Makes a key with randomness from your callback. random and user are used during this call only.
/// You own *key_out: free it with sdi_key_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_key_generate_with(
    alg: sdi_key_alg,
    random: sdi_random,
    user: *mut c_void,
    key_out: *mut *mut sdi_key,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let key_out = c.out(key_out)?;
        let mut random = c.random(random, user)?;
        key_out.give(generate(algorithm(alg)?, &mut random)?)
    })
}

/// Reads a private key: PKCS#8, SEC 1 or PKCS#1, as PEM or DER. The bytes are copied; wipe yours with
/// sdi_wipe. An encrypted key is SDI_ERR_KEY. You own *key_out: free it with sdi_key_free. May run at
/// once with anything.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_key_parse(
    pem_or_der: *const u8,
    len: usize,
    key_out: *mut *mut sdi_key,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let key_out = c.out(key_out)?;
        let key = c.bytes(pem_or_der, len)?;
        memory::check(len)?;
        key_out.give(Key::Software(Arc::new(SoftwareKey::parse(key)?)))
    })
}

/// The private key as PKCS#8 in PEM, so that a factory can store it. Only for keys in memory: a key
/// from sdi_key_from_ops is SDI_ERR_UNSUPPORTED. You own *pem_out: free it with sdi_bytes_free, which
/// wipes it. May run at once with other calls that take key.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_key_export_pem(
    key: *const sdi_key,
    pem_out: *mut *mut sdi_bytes,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let pem_out = c.out(pem_out)?;
        memory::check(0)?;
        pem_out.give(c.read(key, |key| match key {
            Key::Software(key) => identity::pem(key),
            Key::Ops(_) => Err(Failure::Unsupported("cannot read a key out of its module")),
        })?)
    })
}

/// The public key as SubjectPublicKeyInfo in DER. You own *spki_out: free it with sdi_bytes_free. May
/// run at once with other calls that take key.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_key_public_der(
    key: *const sdi_key,
    spki_out: *mut *mut sdi_bytes,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let spki_out = c.out(spki_out)?;
        memory::check(0)?;
        spki_out.give(c.read(key, |key| Ok(key.public_key().spki_der().to_vec().into()))?)
    })
}

/// Writes the SHA-256 of the SubjectPublicKeyInfo, 32 bytes, to sha256_out: what operators pin. May
/// run at once with other calls that take key.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_key_spki_sha256(
    key: *const sdi_key,
    sha256_out: *mut u8,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let sha256_out = c.array::<32>(sha256_out)?;
        sha256_out.set(c.read(key, |key| Ok(key.public_key().spki_sha256()?))?);
        Ok(())
    })
}

/// Frees the key. Key rings and openers that use it keep their own reference. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_key_free(key: *mut sdi_key) {
    boundary!(else (), |c| c.free(key));
}

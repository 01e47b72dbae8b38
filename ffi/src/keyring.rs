//! Which keys open, and what they may open.

use crate::boundary::boundary;
use crate::code::{Code, code};
use crate::error::{Failure, sdi_error, sdi_result};
use crate::identity::sdi_cert;
use crate::key::sdi_key;
use crate::memory;
use crate::pointer::{Caller, Handle};
use sdi::{Identity, KeyRing, OpenPolicy, OperatorMode};

/// The device's keys: the vendor's from the factory, and perhaps the operator's. Its settings bind
/// sdi_open and every opener that is made afterwards.
pub struct sdi_keyring {
    _opaque: [u8; 0],
}

impl Handle for sdi_keyring {
    type Value = Ring;
    const CALLS_BACK: bool = true;
}

/// What a [`sdi_keyring`] holds.
#[derive(Default)]
pub(crate) struct Ring {
    pub(crate) keys: KeyRing,
    /// Once it was set, openers have it too. The default is for whole files only.
    pub(crate) max_file: Option<u64>,
}

impl Ring {
    fn change(&mut self, change: impl FnOnce(&mut OpenPolicy)) {
        let mut policy = self.keys.policy().clone();
        change(&mut policy);
        self.keys.set_policy(policy);
    }
}

/// How the operator's key stands to the vendor's (RFC 8886, 5.2): a constant of
/// sdi_operator_mode_code.
pub type sdi_operator_mode = i32;

/// The values of sdi_operator_mode.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_operator_mode_code {
    /// Both open files, the operator's first.
    SDI_OPERATOR_PREFER = 1,
    /// The operator's alone: files to the vendor's key stop working, for good.
    SDI_OPERATOR_REPLACE = 2,
}

code!(sdi_operator_mode_code: SDI_OPERATOR_PREFER SDI_OPERATOR_REPLACE);

/// Makes a key ring without keys. You own *ring_out: free it with sdi_keyring_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_keyring_new(
    ring_out: *mut *mut sdi_keyring,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let ring_out = c.out(ring_out)?;
        memory::check(0)?;
        ring_out.give(Ring::default())
    })
}

/// Sets the key from the factory. cert may be NULL: a key whose certificate the device never saw. No
/// name tells then whom a file is for, and another device's file reads as SDI_ERR_DECRYPT. A
/// certificate of another key is SDI_ERR_KEY. After SDI_OPERATOR_REPLACE this is SDI_ERR_STATE. key
/// and cert are borrowed for the call; the ring keeps its own references.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_keyring_set_vendor(
    ring: *mut sdi_keyring,
    cert: *const sdi_cert,
    key: *const sdi_key,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        memory::check(0)?;
        let identity = c.identity(cert, key)?;
        c.write(ring, |ring| Ok(ring.keys.set_vendor(identity)?))
    })
}

/// Sets the operator's key; see sdi_keyring_set_vendor for cert and key.
///
/// With SDI_OPERATOR_REPLACE the vendor's identity leaves the ring for good: sdi_keyring_set_vendor
/// and sdi_keyring_remove_operator are SDI_ERR_STATE from then on. Destroying the vendor's key is
/// your work, and so is remembering the mode over a reboot. cert and key may then both be NULL: the
/// device was replaced and its key is missing, so nothing opens.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_keyring_set_operator(
    ring: *mut sdi_keyring,
    cert: *const sdi_cert,
    key: *const sdi_key,
    mode: sdi_operator_mode,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        memory::check(0)?;
        let mode = match sdi_operator_mode_code::known(mode) {
            Some(sdi_operator_mode_code::SDI_OPERATOR_PREFER) => OperatorMode::Prefer,
            Some(sdi_operator_mode_code::SDI_OPERATOR_REPLACE) => OperatorMode::Replace,
            None => return Err(Failure::Argument("an unknown operator mode")),
        };
        let is_missing = key.is_null() && cert.is_null() && mode == OperatorMode::Replace;
        let identity = if is_missing { None } else { Some(c.identity(cert, key)?) };
        c.write(ring, |ring| {
            // A key that leaves may be the last of its kind and call back, to a ring that is shut.
            drop(ring.keys.set_operator(identity, mode)?);
            Ok(())
        })
    })
}

/// Removes the operator's key, as a factory reset does after SDI_OPERATOR_PREFER. Without one it is
/// SDI_OK and changes nothing. After SDI_OPERATOR_REPLACE it is SDI_ERR_STATE: it is the only key.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_keyring_remove_operator(
    ring: *mut sdi_keyring,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| c.write(ring, |ring| Ok(ring.keys.remove_operator()?)))
}

/// Refuses files that are not authenticated encryption (CBC), before any key is used:
/// SDI_ERR_POLICY. 0 is off, the default; anything else is on.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_keyring_require_authenticated(
    ring: *mut sdi_keyring,
    on: i32,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        c.write(ring, |ring| {
            ring.change(|policy| policy.require_authenticated = on != 0);
            Ok(())
        })
    })
}

/// Sets how long a file may be: SDI_ERR_LIMIT. The default is 64 MiB for sdi_open and no limit for
/// openers. 0 refuses every file; UINT64_MAX is no limit.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_keyring_set_max_file(
    ring: *mut sdi_keyring,
    bytes: u64,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        c.write(ring, |ring| {
            ring.max_file = Some(bytes);
            ring.change(|policy| policy.limits.file = usize::try_from(bytes).unwrap_or(usize::MAX));
            Ok(())
        })
    })
}

/// Sets how many private key operations one file may cost: SDI_ERR_LIMIT. The default is 64; with 0
/// nothing opens.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_keyring_set_max_key_ops(
    ring: *mut sdi_keyring,
    max: u32,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        c.write(ring, |ring| {
            ring.change(|policy| policy.max_key_ops = max);
            Ok(())
        })
    })
}

/// Frees the ring. Openers that were made of it keep what they need. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_keyring_free(ring: *mut sdi_keyring) {
    boundary!(else (), |c| c.free(ring));
}

impl Caller {
    fn identity(&self, cert: *const sdi_cert, key: *const sdi_key) -> Result<Identity, Failure> {
        let key = self.read(key, |key| Ok(key.device_key()))?;
        let cert = match cert.is_null() {
            true => None,
            false => Some(self.read(cert, |cert| Ok(cert.clone()))?),
        };
        Ok(Identity::new(key, cert)?)
    }
}

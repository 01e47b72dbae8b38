//! Keys in a TPM or HSM, behind callbacks.

use crate::boundary::boundary;
use crate::code::{Code, code};
use crate::error::{Failure, sdi_error, sdi_result};
use crate::key::{Key, sdi_key, sdi_key_alg, sdi_key_alg_code};
use crate::memory;
use crate::pointer::Caller;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::fmt::{self, Debug, Formatter};
use core::mem::offset_of;
use core::ptr;
use sdi::SignatureScheme;
use sdi::{DeviceKey, KeyAlgorithm, KeyError, PeerPoint, PublicKey, RsaScheme, Secret};
use zeroize::Zeroizing;

/// What an RSA key is asked for: a constant of sdi_rsa_scheme_code.
pub type sdi_rsa_scheme = i32;

/// The values of sdi_rsa_scheme.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_rsa_scheme_code {
    /// The bare private operation: the block as long as the modulus, padding and all. Best: it
    /// opens PKCS#1 v1.5 and every OAEP.
    SDI_RSA_RAW = 1,
    /// PKCS#1 v1.5 in a module with implicit rejection: bad padding gives a made-up message, not a
    /// failure. A module that reports bad padding is an oracle: do not offer it here.
    SDI_RSA_PKCS1_IMPLICIT = 2,
    /// OAEP with SHA-1 for hash and mask, empty label.
    SDI_RSA_OAEP_SHA1 = 4,
    /// OAEP with SHA-256 for hash and mask, empty label.
    SDI_RSA_OAEP_SHA256 = 8,
}

code!(sdi_rsa_scheme_code:
    SDI_RSA_RAW SDI_RSA_PKCS1_IMPLICIT SDI_RSA_OAEP_SHA1 SDI_RSA_OAEP_SHA256);

/// How a key signs: a constant of sdi_sig_scheme_code.
pub type sdi_sig_scheme = i32;

/// The values of sdi_sig_scheme.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_sig_scheme_code {
    /// ECDSA on P-256 with SHA-256: 32 bytes of r, then 32 of s.
    SDI_SIG_ECDSA_P256_SHA256 = 1,
    /// ECDSA on P-384 with SHA-384: 48 bytes each.
    SDI_SIG_ECDSA_P384_SHA384 = 2,
    /// ECDSA on P-521 with SHA-512: 66 bytes each.
    SDI_SIG_ECDSA_P521_SHA512 = 3,
    /// RSA PKCS#1 v1.5 with SHA-256: as many bytes as the modulus has.
    SDI_SIG_RSA_PKCS1_SHA256 = 10,
}

code!(sdi_sig_scheme_code:
    SDI_SIG_ECDSA_P256_SHA256 SDI_SIG_ECDSA_P384_SHA384 SDI_SIG_ECDSA_P521_SHA512
    SDI_SIG_RSA_PKCS1_SHA256);

/// What a callback of sdi_key_ops returns when the module itself rejects this ciphertext or point.
/// cbindgen:ignore
pub const SDI_OP_REFUSED: i32 = i32::MIN;

/// A private key in a TPM or HSM. The library does the key derivation, the key wrap and the padding;
/// the module does one bare operation.
///
/// The struct is copied: fill it with zeros, set size to sizeof(sdi_key_ops), then the members that
/// the key can do. size tells the version: what an older, shorter struct lacks counts as NULL, the
/// end of a newer one is ignored. A size that cuts a member is SDI_ERR_ARGUMENT, and members from the
/// cut on are not looked at: destroy runs if it comes before.
///
/// A callback returns 0 for success; SDI_OP_REFUSED when the module itself rejects this ciphertext or
/// point, which is handled like a wrong key (SDI_ERR_DECRYPT); anything else is SDI_ERR_KEY with that
/// vendor code. It writes at most x_cap bytes to x and their number to *x_len, which is 0 at the call;
/// none, or a greater number, is SDI_ERR_KEY. What it is given is borrowed until it returns.
///
/// Callbacks run on the thread of the call that needs them, and never after it. Those of one key may
/// run at once on several threads: lock inside.
#[repr(C)]
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "C fills it in; size says how much of it there is")]
pub struct sdi_key_ops {
    /// sizeof(sdi_key_ops).
    pub size: usize,
    /// The values of sdi_rsa_scheme that rsa_decrypt can do, joined by OR. A file that needs another
    /// one is SDI_ERR_UNSUPPORTED.
    pub rsa_schemes: u32,
    /// Raw ECDH. peer is an uncompressed point (04, x, y) that was checked to be on the curve, or 32
    /// bytes for X25519. z is the shared x-coordinate without any derivation; a shorter one is padded
    /// with zeros on the left. It is called by sdi_open, and by the sdi_opener_update that completes
    /// the file's header: before there is plaintext, once for each point of a sender that may have
    /// meant this key, and at most as often as sdi_keyring_set_max_key_ops says. Without it a file
    /// that needs it is SDI_ERR_KEY.
    pub agree: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            curve: sdi_key_alg,
            peer: *const u8,
            peer_len: usize,
            z: *mut u8,
            z_cap: usize,
            z_len: *mut usize,
        ) -> i32,
    >,
    /// RSA decryption in one of rsa_schemes. For SDI_RSA_RAW out is the whole decrypted block; a
    /// shorter one is padded with zeros on the left.
    pub rsa_decrypt: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            scheme: sdi_rsa_scheme,
            ct: *const u8,
            ct_len: usize,
            out: *mut u8,
            out_cap: usize,
            out_len: *mut usize,
        ) -> i32,
    >,
    /// Signs msg; digest is its hash, for modules that sign digests.
    pub sign: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            scheme: sdi_sig_scheme,
            msg: *const u8,
            msg_len: usize,
            digest: *const u8,
            digest_len: usize,
            sig: *mut u8,
            sig_cap: usize,
            sig_len: *mut usize,
        ) -> i32,
    >,
    /// Runs exactly once, also when sdi_key_from_ops fails: on the thread that drops the last
    /// reference, which may be that of an opener's free. No other callback runs afterwards.
    pub destroy: Option<unsafe extern "C" fn(user: *mut c_void)>,
    /// ML-KEM decapsulation. No build calls it yet.
    pub decapsulate: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            alg: sdi_key_alg,
            ct: *const u8,
            ct_len: usize,
            ss: *mut u8,
            ss_cap: usize,
            ss_len: *mut usize,
        ) -> i32,
    >,
}

/// Makes a key of callbacks and a public key, SubjectPublicKeyInfo as DER or PEM. ops and spki_der are
/// copied. user is yours; it is passed to every callback until destroy(user) has run, which happens
/// exactly once, also when this call fails (unless ops is NULL, or ops->size is too small to have
/// destroy in it). You own *key_out: free it with
/// sdi_key_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_key_from_ops(
    ops: *const sdi_key_ops,
    user: *mut c_void,
    spki_der: *const u8,
    spki_len: usize,
    key_out: *mut *mut sdi_key,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        // First of all, so that destroy runs whatever fails.
        let module = c.module(ops, user);
        let key_out = c.out(key_out)?;
        let module = module?;
        let spki = c.bytes(spki_der, spki_len)?;
        memory::check(spki_len)?;
        let public = PublicKey::parse(spki)?;
        key_out.give(Key::Ops(Arc::new(OpsKey { module, public })))
    })
}

impl Caller {
    fn module(&self, ops: *const sdi_key_ops, user: *mut c_void) -> Result<Module, Failure> {
        if ops.is_null() {
            return Err(Failure::Null);
        }
        // SAFETY: not NULL, so there is at least the member that tells the size.
        let size = unsafe { ptr::addr_of!((*ops).size).read() };
        let whole = MEMBERS.into_iter().rev().find(|end| *end <= size).unwrap_or(0);
        let mut copy = sdi_key_ops {
            size,
            rsa_schemes: 0,
            agree: None,
            rsa_decrypt: None,
            sign: None,
            destroy: None,
            decapsulate: None,
        };
        // SAFETY: both have so many bytes, and any bytes are a value of each whole member.
        unsafe { ptr::copy_nonoverlapping(ops.cast::<u8>(), (&raw mut copy).cast::<u8>(), whole) };
        let module = Module { ops: copy, user };
        let is_cut = size < size_of::<sdi_key_ops>() && !MEMBERS.contains(&size);
        if is_cut {
            return Err(Failure::Argument("a size that cuts a member of sdi_key_ops"));
        }
        Ok(module)
    }
}

/// Where the members end, in bytes from the start. The number of schemes is followed by a gap.
const MEMBERS: [usize; 8] = [
    offset_of!(sdi_key_ops, rsa_schemes),
    offset_of!(sdi_key_ops, rsa_schemes) + size_of::<u32>(),
    offset_of!(sdi_key_ops, agree),
    offset_of!(sdi_key_ops, rsa_decrypt),
    offset_of!(sdi_key_ops, sign),
    offset_of!(sdi_key_ops, destroy),
    offset_of!(sdi_key_ops, decapsulate),
    size_of::<sdi_key_ops>(),
];

/// The callbacks and what they are called with. Dropping it is what runs destroy.
struct Module {
    ops: sdi_key_ops,
    user: *mut c_void,
}

// SAFETY: the header says that callbacks may run on several threads at once, and that destroy runs
// on any thread.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}

impl Drop for Module {
    fn drop(&mut self) {
        if let Some(destroy) = self.ops.destroy {
            // SAFETY: the header says that it is called with user, once.
            unsafe { destroy(self.user) };
        }
    }
}

/// A device key behind callbacks.
pub(crate) struct OpsKey {
    module: Module,
    public: PublicKey,
}

impl OpsKey {
    /// Room for an answer: a coordinate, or a block as long as the modulus.
    fn width(&self) -> usize {
        match self.public.algorithm() {
            KeyAlgorithm::P256 | KeyAlgorithm::X25519 => 32,
            KeyAlgorithm::P384 => 48,
            KeyAlgorithm::P521 => 66,
            KeyAlgorithm::Rsa(bits) => usize::try_from(bits.div_ceil(8)).unwrap_or(0),
            _ => 0,
        }
    }
}

impl Debug for OpsKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "OpsKey({:?})", self.public.algorithm())
    }
}

/// Calls a callback with room for its answer, and judges what it returns.
fn ask(
    room: usize,
    call: impl FnOnce(*mut u8, usize, *mut usize) -> i32,
) -> Result<Vec<u8>, KeyError> {
    let mut answer = Zeroizing::new(vec![0; room]);
    let mut len = 0;
    match call(answer.as_mut_ptr(), room, &raw mut len) {
        0 if len <= room => {
            answer.truncate(len);
            Ok(core::mem::take(&mut *answer))
        }
        0 => Err(KeyError::Answer),
        SDI_OP_REFUSED => Err(KeyError::Refused),
        code => Err(KeyError::Vendor(code.into())),
    }
}

impl DeviceKey for OpsKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        use sdi_key_alg_code::*;
        let agree = self.module.ops.agree.ok_or(KeyError::Unsupported)?;
        let curve = match peer.algorithm() {
            KeyAlgorithm::P256 => SDI_KEY_P256,
            KeyAlgorithm::P384 => SDI_KEY_P384,
            KeyAlgorithm::P521 => SDI_KEY_P521,
            KeyAlgorithm::X25519 => SDI_KEY_X25519,
            _ => return Err(KeyError::Unsupported),
        };
        let (user, point) = (self.module.user, peer.point());
        let z = ask(self.width(), |z, z_cap, z_len| {
            // SAFETY: a callback of this key, with buffers that outlive the call.
            unsafe { agree(user, curve.number(), point.as_ptr(), point.len(), z, z_cap, z_len) }
        })?;
        Ok(z.into())
    }

    fn rsa_decrypt(&self, scheme: RsaScheme, ct: &[u8]) -> Result<Secret, KeyError> {
        use sdi_rsa_scheme_code::*;
        let rsa_decrypt = self.module.ops.rsa_decrypt.ok_or(KeyError::Unsupported)?;
        let scheme = match scheme {
            RsaScheme::Raw => SDI_RSA_RAW,
            RsaScheme::Pkcs1ImplicitRejection => SDI_RSA_PKCS1_IMPLICIT,
            RsaScheme::OaepSha1 => SDI_RSA_OAEP_SHA1,
            RsaScheme::OaepSha256 => SDI_RSA_OAEP_SHA256,
            _ => return Err(KeyError::Unsupported),
        };
        if self.module.ops.rsa_schemes & scheme as u32 == 0 {
            return Err(KeyError::Unsupported);
        }
        let user = self.module.user;
        let block = ask(self.width(), |out, out_cap, out_len| {
            // SAFETY: a callback of this key, with buffers that outlive the call.
            unsafe {
                rsa_decrypt(user, scheme.number(), ct.as_ptr(), ct.len(), out, out_cap, out_len)
            }
        })?;
        Ok(block.into())
    }

    fn sign(
        &self,
        scheme: SignatureScheme,
        msg: &[u8],
        digest: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        use sdi_sig_scheme_code::*;
        let sign = self.module.ops.sign.ok_or(KeyError::Unsupported)?;
        let (scheme, room) = match scheme {
            SignatureScheme::EcdsaP256Sha256 => (SDI_SIG_ECDSA_P256_SHA256, 2 * self.width()),
            SignatureScheme::EcdsaP384Sha384 => (SDI_SIG_ECDSA_P384_SHA384, 2 * self.width()),
            SignatureScheme::EcdsaP521Sha512 => (SDI_SIG_ECDSA_P521_SHA512, 2 * self.width()),
            SignatureScheme::RsaPkcs1Sha256 => (SDI_SIG_RSA_PKCS1_SHA256, self.width()),
            _ => return Err(KeyError::Unsupported),
        };
        let user = self.module.user;
        ask(room, |sig, sig_cap, sig_len| {
            let (msg, msg_len) = (msg.as_ptr(), msg.len());
            let (digest, digest_len) = (digest.as_ptr(), digest.len());
            let scheme = scheme.number();
            // SAFETY: a callback of this key, with buffers that outlive the call.
            unsafe { sign(user, scheme, msg, msg_len, digest, digest_len, sig, sig_cap, sig_len) }
        })
    }
}

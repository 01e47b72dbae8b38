//! Sealing, whole and as a stream.

use crate::boundary::boundary;
use crate::bytes::sdi_bytes;
use crate::code::{Code, code};
use crate::error::{Failure, sdi_error, sdi_result};
use crate::identity::sdi_cert;
use crate::memory;
use crate::open::sdi_sink;
use crate::optional::seal::{self, Sealer};
use crate::pointer::{CSink, Caller, Handle};
use alloc::vec::Vec;
use core::ffi::c_void;
use sdi::Certificate;

/// How to encrypt: a constant of sdi_profile_code.
pub type sdi_profile = i32;

/// The values of sdi_profile.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_profile_code {
    /// The best that every certificate's SMIMECapabilities list, and AES-256-CBC where they list
    /// nothing.
    SDI_PROFILE_AUTO = 0,
    /// What the appendix of RFC 8886 shows: AES-256-CBC, RSA with PKCS#1 v1.5, PEM label PKCS7.
    SDI_PROFILE_RFC8886 = 1,
    /// Always AES-256-GCM: a file that was changed on the way is noticed.
    SDI_PROFILE_AUTHENTICATED = 2,
    /// Not there yet: SDI_ERR_UNSUPPORTED.
    SDI_PROFILE_POST_QUANTUM = 3,
}

code!(sdi_profile_code:
    SDI_PROFILE_AUTO SDI_PROFILE_RFC8886 SDI_PROFILE_AUTHENTICATED SDI_PROFILE_POST_QUANTUM);

/// How to write the file down: a constant of sdi_form_code.
pub type sdi_form = i32;

/// The values of sdi_form.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_form_code {
    /// Text between BEGIN and END lines.
    SDI_FORM_PEM = 0,
    /// Binary: DER, or BER for a stream of unknown length.
    SDI_FORM_DER = 1,
    /// Mail headers, then base64.
    SDI_FORM_SMIME = 2,
    /// The eight bytes 89 53 44 49 0D 0A 1A 0A, then binary: a text-mode transfer shows.
    SDI_FORM_MAGIC_DER = 3,
}

code!(sdi_form_code: SDI_FORM_PEM SDI_FORM_DER SDI_FORM_SMIME SDI_FORM_MAGIC_DER);

/// Encrypts one whole configuration to to_len certificates, 1 to 10,000: none is SDI_ERR_ARGUMENT, more
/// are SDI_ERR_LIMIT, and so is a certificate whose issuer and serial number take more than 1,024 bytes,
/// which no device would read. It is always binary: bytes in are bytes out. Nothing is checked but the key:
/// whether it is the right one is for you to know, by sdi_cert_spki_sha256. You own *file_out: free
/// it with sdi_bytes_free. May run at once with other calls that take the certificates.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_seal(
    to: *const *const sdi_cert,
    to_len: usize,
    profile: sdi_profile,
    form: sdi_form,
    plain: *const u8,
    plain_len: usize,
    file_out: *mut *mut sdi_bytes,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let file_out = c.out(file_out)?;
        let to = c.certificates(to, to_len)?;
        let plain = c.bytes(plain, plain_len)?;
        // Text is at most half as long again.
        memory::check(room(to.len()).saturating_add(plain_len.saturating_add(plain_len / 2)))?;
        let file = seal::whole(&to, known_profile(profile)?, known_form(form)?, plain)?;
        file_out.give(file.into())
    })
}

/// Encrypts a configuration that comes in pieces, in constant memory. The file is complete only when
/// sdi_sealer_finish returns SDI_OK. After an error of sdi_sealer_update or sdi_sealer_finish the
/// sealer answers SDI_ERR_STATE to everything but sdi_sealer_free.
pub struct sdi_sealer {
    _opaque: [u8; 0],
}

impl Handle for sdi_sealer {
    type Value = Stream;
}

/// What a [`sdi_sealer`] holds.
pub(crate) struct Stream {
    /// `None` after an error, and after the end.
    sealer: Option<Sealer>,
    sink: CSink,
}

const OVER: Failure = Failure::State("the stream has failed or has ended");

/// Makes a sealer; see sdi_seal for to, profile and form. sink gets the file as it is made; user is
/// passed to it. You own *sealer_out: free it with sdi_sealer_free. It keeps what it needs of the
/// certificates.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_sealer_new(
    to: *const *const sdi_cert,
    to_len: usize,
    profile: sdi_profile,
    form: sdi_form,
    sink: sdi_sink,
    user: *mut c_void,
    sealer_out: *mut *mut sdi_sealer,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let sealer_out = c.out(sealer_out)?;
        if sink.is_none() {
            return Err(Failure::Null);
        }
        let to = c.certificates(to, to_len)?;
        memory::check(room(to.len()))?;
        let sealer = seal::stream(&to, known_profile(profile)?, known_form(form)?)?;
        sealer_out.give(Stream { sealer: Some(sealer), sink: c.sink(sink, user) })
    })
}

/// Tells the plaintext's length beforehand: then the envelope is DER, otherwise BER. Fewer or more
/// bytes are SDI_ERR_STATE, and the file is lost. After the first update it is SDI_ERR_STATE.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_sealer_set_length(
    sealer: *mut sdi_sealer,
    plain_len: u64,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        c.write(sealer, |stream| {
            let sealer = stream.sealer.as_mut().ok_or(OVER)?;
            Ok(sealer.set_length(plain_len)?)
        })
    })
}

/// Takes the next piece of plaintext, of any length. in is borrowed for the call and must not change
/// during it. The sink may run.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_sealer_update(
    sealer: *mut sdi_sealer,
    r#in: *const u8,
    in_len: usize,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let input = c.bytes(r#in, in_len)?;
        c.write(sealer, |stream| {
            let mut sealer = stream.sealer.take().ok_or(OVER)?;
            memory::check(0)?;
            sealer.push(input, &mut stream.sink)?;
            stream.sealer = Some(sealer);
            Ok(())
        })
    })
}

/// Ends the file. The sink may run.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_sealer_finish(
    sealer: *mut sdi_sealer,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        c.write(sealer, |stream| {
            let sealer = stream.sealer.take().ok_or(OVER)?;
            memory::check(0)?;
            Ok(sealer.finish(&mut stream.sink)?)
        })
    })
}

/// Frees the sealer, finished or not. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_sealer_free(sealer: *mut sdi_sealer) {
    boundary!(else (), |c| c.free(sealer));
}

/// What so many recipients take, each with a certificate's names and a wrapped key.
const fn room(recipients: usize) -> usize {
    recipients.saturating_mul(4096)
}

fn known_profile(profile: sdi_profile) -> Result<sdi_profile_code, Failure> {
    sdi_profile_code::known(profile).ok_or(Failure::Argument("an unknown profile"))
}

fn known_form(form: sdi_form) -> Result<sdi_form_code, Failure> {
    sdi_form_code::known(form).ok_or(Failure::Argument("an unknown form"))
}

impl Caller {
    fn certificates(
        &self,
        to: *const *const sdi_cert,
        to_len: usize,
    ) -> Result<Vec<Certificate>, Failure> {
        // One more than the core takes is enough for it to refuse.
        let to = self.list(to, to_len)?;
        let most = usize::try_from(sdi::Limits::default().recipients).unwrap_or(usize::MAX);
        let to = to.get(..=most).unwrap_or(to);
        memory::check(to.len().saturating_mul(size_of::<Certificate>()))?;
        to.iter().map(|cert| self.read(*cert, |cert| Ok(cert.clone()))).collect()
    }
}

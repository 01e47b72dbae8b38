//! Certificates and requests.

use crate::boundary::boundary;
use crate::bytes::sdi_bytes;
use crate::error::{sdi_error, sdi_result};
use crate::key::sdi_key;
use crate::memory;
use crate::optional::identity;
use crate::pointer::Handle;
use core::ffi::c_char;
use sdi::Certificate;

/// A certificate: only a wrapper around a public key (RFC 8886, 3.1). Validity, CA flag, key usage
/// and signature are ignored.
pub struct sdi_cert {
    _opaque: [u8; 0],
}

impl Handle for sdi_cert {
    type Value = Certificate;
}

/// Reads a certificate, PEM (the first one of a bundle) or DER. The bytes are copied. You own
/// *cert_out: free it with sdi_cert_free. May run at once with anything.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_cert_parse(
    pem_or_der: *const u8,
    len: usize,
    cert_out: *mut *mut sdi_cert,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let cert_out = c.out(cert_out)?;
        let cert = c.bytes(pem_or_der, len)?;
        memory::check(len)?;
        cert_out.give(Certificate::parse(cert)?)
    })
}

/// Makes a certificate for a key, signed by the key itself, valid from not_before_unix (seconds since
/// 1970; 0 for a device without a clock) without end. device_id is 1 to 64 of A-Z a-z 0-9 . _ : -,
/// starts with a letter or digit, and has no two dots in a row, for it becomes a part of file names;
/// anything else is SDI_ERR_ARGUMENT. A key that cannot sign is SDI_ERR_KEY: use sdi_cert_wrap. You own
/// *cert_out: free it with sdi_cert_free. May run at once with other calls that take key.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_cert_self_sign(
    key: *const sdi_key,
    device_id: *const c_char,
    not_before_unix: u64,
    cert_out: *mut *mut sdi_cert,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let cert_out = c.out(cert_out)?;
        let id = c.text(device_id)?;
        memory::check(0)?;
        cert_out
            .give(c.read(key, |key| identity::self_sign(&*key.device_key(), id, not_before_unix))?)
    })
}

/// Makes a certificate around a bare public key, DER or PEM, for keys that cannot sign (X25519, and
/// modules that only decrypt) and for a directory that was sent the key alone. A key that is thrown
/// away signs it: the signature has no value (RFC 8886, 3.1). You own *cert_out: free it with
/// sdi_cert_free. May run at once with anything.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_cert_wrap(
    spki_der: *const u8,
    spki_len: usize,
    device_id: *const c_char,
    not_before_unix: u64,
    cert_out: *mut *mut sdi_cert,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let cert_out = c.out(cert_out)?;
        let spki = c.bytes(spki_der, spki_len)?;
        let id = c.text(device_id)?;
        memory::check(spki_len)?;
        cert_out.give(identity::wrap(spki, id, not_before_unix)?)
    })
}

/// Makes a certificate request (PKCS#10) in PEM for a key that can sign; see sdi_cert_self_sign for
/// device_id. You own *pem_out: free it with sdi_bytes_free. May run at once with other calls that
/// take key.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_csr(
    key: *const sdi_key,
    device_id: *const c_char,
    pem_out: *mut *mut sdi_bytes,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let pem_out = c.out(pem_out)?;
        let id = c.text(device_id)?;
        memory::check(0)?;
        let pem = c.read(key, |key| identity::request(&*key.device_key(), id))?;
        pem_out.give(pem.into_bytes().into())
    })
}

/// The certificate in PEM. You own *pem_out: free it with sdi_bytes_free. May run at once with other
/// calls that take cert.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_cert_pem(
    cert: *const sdi_cert,
    pem_out: *mut *mut sdi_bytes,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let pem_out = c.out(pem_out)?;
        memory::check(0)?;
        pem_out.give(c.read(cert, |cert| Ok(cert.to_pem().into_bytes().into()))?)
    })
}

/// The certificate in DER, as it was read. You own *der_out: free it with sdi_bytes_free. May run at
/// once with other calls that take cert.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_cert_der(
    cert: *const sdi_cert,
    der_out: *mut *mut sdi_bytes,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let der_out = c.out(der_out)?;
        memory::check(0)?;
        der_out.give(c.read(cert, |cert| Ok(cert.der().to_vec().into()))?)
    })
}

/// Writes the SHA-256 of the certificate's SubjectPublicKeyInfo, 32 bytes, to sha256_out: what
/// operators pin. May run at once with other calls that take cert.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_cert_spki_sha256(
    cert: *const sdi_cert,
    sha256_out: *mut u8,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let sha256_out = c.array::<32>(sha256_out)?;
        sha256_out.set(c.read(cert, |cert| Ok(cert.spki_sha256()?))?);
        Ok(())
    })
}

/// Frees the certificate. Key rings and sealers that use it keep their own. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_cert_free(cert: *mut sdi_cert) {
    boundary!(else (), |c| c.free(cert));
}

//! The C interface: calls in any order, with any bytes, on handles that are live or NULL. With
//! AddressSanitizer a leak, a second free and a use after a free show.

use crate::choices::Choices;
use crate::corpus::{cases, device_of, devices};
use sdi_c::bytes::{sdi_bytes, sdi_bytes_data, sdi_bytes_free, sdi_bytes_len};
use sdi_c::error::{
    sdi_error, sdi_error_code, sdi_error_free, sdi_error_text, sdi_error_vendor_code, sdi_result,
    sdi_result_name,
};
use sdi_c::identity::{
    sdi_cert, sdi_cert_der, sdi_cert_free, sdi_cert_parse, sdi_cert_pem, sdi_cert_spki_sha256,
};
use sdi_c::key::{sdi_key, sdi_key_free, sdi_key_parse, sdi_key_public_der};
use sdi_c::keyring::{
    sdi_keyring, sdi_keyring_free, sdi_keyring_new, sdi_keyring_remove_operator,
    sdi_keyring_require_authenticated, sdi_keyring_set_max_file, sdi_keyring_set_operator,
    sdi_keyring_set_vendor,
};
use sdi_c::open::{
    sdi_open, sdi_opener, sdi_opener_finish, sdi_opener_free, sdi_opener_hold, sdi_opener_new,
    sdi_opener_require_authenticated, sdi_opener_set_max_file, sdi_opener_update, sdi_opener_used,
};
use sdi_c::seal::{
    sdi_sealer, sdi_sealer_finish, sdi_sealer_free, sdi_sealer_new, sdi_sealer_set_length,
    sdi_sealer_update,
};
use sdi_c::{detect::sdi_detect, inspect::sdi_inspect};
use std::ffi::{CStr, c_void};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

/// Key, certificate and file of one device, as a C program has them.
struct Materials {
    key: Vec<u8>,
    certificate: Vec<u8>,
    file: Vec<u8>,
}

fn materials() -> &'static Materials {
    static MATERIALS: OnceLock<Materials> = OnceLock::new();
    MATERIALS.get_or_init(|| {
        let id = "openssl/size-p256-gcm-p17";
        let device = &devices()[device_of(id)];
        let case = cases().iter().find(|case| case.id == id).expect("the corpus has it");
        let certificate = device.certificate().der().to_vec();
        let key = std::fs::read(
            std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../tests/corpus")
                .join(&case.key_file),
        );
        Materials { key: key.expect("it was read before"), certificate, file: case.message.clone() }
    })
}

/// One handle of each kind; what is replaced is freed.
struct Handles {
    key: *mut sdi_key,
    certificate: *mut sdi_cert,
    ring: *mut sdi_keyring,
    opener: *mut sdi_opener,
    sealer: *mut sdi_sealer,
    error: *mut sdi_error,
    /// What the sink got.
    #[expect(clippy::box_collection, reason = "C keeps its address")]
    sink: Box<Vec<u8>>,
}

impl Handles {
    /// Reads the last error and frees it. A defect was caught inside if its number is 2.
    fn judge(&mut self, result: sdi_result) -> sdi_result {
        // SAFETY: the error is NULL or live, and its text ends with a NUL.
        unsafe {
            let error = std::mem::replace(&mut self.error, null_mut());
            assert_ne!(result, 2, "SDI_ERR_PANIC");
            if error.is_null() {
                assert!(result == 0 || result == 3, "{result} without an error");
            } else {
                assert_eq!(sdi_error_code(error), result);
                assert!(CStr::from_ptr(sdi_error_text(error)).to_bytes().len() <= 512);
                let _ = sdi_error_vendor_code(error);
                sdi_error_free(error);
            }
            assert!(CStr::from_ptr(sdi_result_name(result)).to_bytes().starts_with(b"SDI_"));
        }
        result
    }

    /// Looks at bytes that a call gave and frees them.
    fn take(bytes: *mut sdi_bytes) -> Vec<u8> {
        if bytes.is_null() {
            return Vec::new();
        }
        // SAFETY: the bytes are live until they are freed, here, once.
        unsafe {
            let all = std::slice::from_raw_parts(sdi_bytes_data(bytes), sdi_bytes_len(bytes));
            let copy = all.to_vec();
            sdi_bytes_free(bytes);
            copy
        }
    }
}

unsafe extern "C" fn sink(user: *mut c_void, data: *const u8, len: usize) -> i32 {
    // SAFETY: `user` is the vector that the handle was made with; the data are there for the call.
    unsafe {
        let all: &mut Vec<u8> = &mut *user.cast();
        all.extend_from_slice(std::slice::from_raw_parts(data, len));
        // One sink in many refuses.
        if all.last() == Some(&0xee) { 77 } else { 0 }
    }
}

/// Input: calls, each a byte, then its own choices.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut handles = Handles {
        key: null_mut(),
        certificate: null_mut(),
        ring: null_mut(),
        opener: null_mut(),
        sealer: null_mut(),
        error: null_mut(),
        sink: Box::default(),
    };
    while !choices.is_empty() {
        call(&mut handles, &mut choices);
    }
    // SAFETY: each handle is NULL or live, and not used any more.
    unsafe {
        sdi_key_free(handles.key);
        sdi_cert_free(handles.certificate);
        sdi_keyring_free(handles.ring);
        sdi_opener_free(handles.opener);
        sdi_sealer_free(handles.sealer);
    }
}

/// Good bytes, or the fuzzer's.
fn bytes<'a>(good: &'a [u8], choices: &mut Choices<'a>) -> &'a [u8] {
    if choices.flag() { choices.few() } else { good }
}

fn call(h: &mut Handles, choices: &mut Choices<'_>) {
    let known = materials();
    let user = (&raw mut *h.sink).cast();
    let err = &raw mut h.error;
    // SAFETY: handles are NULL or live, buffers are as long as is said, places are our own.
    unsafe {
        let result = match choices.byte() % 24 {
            0 => {
                sdi_key_free(h.key);
                let key = bytes(&known.key, choices);
                sdi_key_parse(key.as_ptr(), key.len(), &raw mut h.key, err)
            }
            1 => {
                sdi_cert_free(h.certificate);
                let cert = bytes(&known.certificate, choices);
                sdi_cert_parse(cert.as_ptr(), cert.len(), &raw mut h.certificate, err)
            }
            2 => {
                sdi_keyring_free(h.ring);
                sdi_keyring_new(&raw mut h.ring, err)
            }
            3 => {
                let cert = if choices.flag() { null_mut() } else { h.certificate };
                sdi_keyring_set_vendor(h.ring, cert, h.key, err)
            }
            4 => {
                let mode = choices.byte().into();
                sdi_keyring_set_operator(h.ring, h.certificate, h.key, mode, err)
            }
            5 => sdi_keyring_remove_operator(h.ring, err),
            6 => sdi_keyring_require_authenticated(h.ring, choices.byte().into(), err),
            7 => sdi_keyring_set_max_file(h.ring, choices.number(), err),
            8 => {
                let mut plaintext = null_mut();
                let file = bytes(&known.file, choices);
                let result = sdi_open(h.ring, file.as_ptr(), file.len(), &raw mut plaintext, err);
                assert_eq!(result == 0, !plaintext.is_null());
                Handles::take(plaintext);
                result
            }
            9 => {
                sdi_opener_free(h.opener);
                h.sink.clear();
                let sink = choices.flag().then_some(sink as unsafe extern "C" fn(_, _, _) -> _);
                sdi_opener_new(h.ring, sink, user, &raw mut h.opener, err)
            }
            10 => sdi_opener_hold(h.opener, choices.number() as usize, err),
            11 => sdi_opener_set_max_file(h.opener, choices.number(), err),
            12 => sdi_opener_require_authenticated(h.opener, choices.byte().into(), err),
            13..=14 => {
                let file = bytes(&known.file, choices);
                sdi_opener_update(h.opener, file.as_ptr(), file.len(), err)
            }
            15 => sdi_opener_finish(h.opener, err),
            16 => {
                let (mut identity, mut authenticated) = (-1, -1);
                let result = sdi_opener_used(h.opener, &raw mut identity, &raw mut authenticated);
                assert_eq!(result == 0, identity != -1);
                assert_ne!(result, 2);
                return;
            }
            17 => {
                let mut json = null_mut();
                let file = bytes(&known.file, choices);
                let result = sdi_inspect(file.as_ptr(), file.len(), &raw mut json, err);
                let text = Handles::take(json);
                assert!(text.is_ascii() && (result != 0 || text.starts_with(b"{")));
                if result == 0 {
                    serde_json::from_slice::<serde_json::Value>(&text).expect("it is JSON");
                }
                result
            }
            18 => {
                let name = [choices.few(), &[0]].concat();
                let head = bytes(&known.file, choices);
                let flags = choices.byte().into();
                let kind = sdi_detect(name.as_ptr().cast(), head.as_ptr(), head.len(), flags);
                assert!((0..=5).contains(&kind));
                return;
            }
            19 => {
                sdi_sealer_free(h.sealer);
                h.sink.clear();
                let to = [h.certificate.cast_const(), null()];
                let (count, profile, form) =
                    (choices.below(3), choices.byte() % 5, choices.byte() % 5);
                sdi_sealer_new(
                    to.as_ptr(),
                    count,
                    profile.into(),
                    form.into(),
                    Some(sink),
                    user,
                    &raw mut h.sealer,
                    err,
                )
            }
            20 => sdi_sealer_set_length(h.sealer, choices.byte().into(), err),
            21 => {
                let text = choices.few();
                sdi_sealer_update(h.sealer, text.as_ptr(), text.len(), err)
            }
            22 => sdi_sealer_finish(h.sealer, err),
            _ => {
                let (mut a, mut b, mut c) = (null_mut(), null_mut(), null_mut());
                let mut digest = [0; 32];
                let result = sdi_cert_pem(h.certificate, &raw mut a, err);
                h.judge(result);
                let result = sdi_cert_der(h.certificate, &raw mut b, &raw mut h.error);
                h.judge(result);
                let result =
                    sdi_cert_spki_sha256(h.certificate, digest.as_mut_ptr(), &raw mut h.error);
                h.judge(result);
                let result = sdi_key_public_der(h.key, &raw mut c, &raw mut h.error);
                [a, b, c].into_iter().for_each(|bytes| drop(Handles::take(bytes)));
                result
            }
        };
        h.judge(result);
    }
}

//! Bytes that the library owns, and the wiping of bytes that it does not.

use crate::boundary::boundary;
use crate::pointer::Handle;
use core::ffi::c_void;
use core::ptr;
use sdi::Secret;

/// Bytes that a function gives you. They are wiped when you free them.
pub struct sdi_bytes {
    _opaque: [u8; 0],
}

impl Handle for sdi_bytes {
    type Value = Secret;
}

/// The bytes: never NULL for a live b, also when there are none; NULL for NULL. Borrowed until you
/// free b. May run at once with other calls that take b.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_bytes_data(b: *const sdi_bytes) -> *const u8 {
    boundary!(else ptr::null(), |c| {
        c.read(b, |bytes| Ok(bytes.as_bytes().as_ptr())).unwrap_or(ptr::null())
    })
}

/// How many bytes there are; 0 for NULL. May run at once with other calls that take b.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_bytes_len(b: *const sdi_bytes) -> usize {
    boundary!(else 0, |c| c.read(b, |bytes| Ok(bytes.len())).unwrap_or(0))
}

/// Wipes and frees them. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_bytes_free(b: *mut sdi_bytes) {
    boundary!(else (), |c| c.free(b));
}

/// Overwrites a buffer of your own with zeros, also where a compiler would leave memset out because
/// nobody reads the buffer any more. NULL, a length of 0 and a length that no buffer has do nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_wipe(p: *mut c_void, len: usize) {
    boundary!(else (), |c| c.wipe(p.cast(), len));
}

//! A defect on demand, for tests that the frame of an exported function holds in every profile. It is
//! in no header, and in no library that is shipped.

use crate::boundary::boundary;
use crate::error::{sdi_error, sdi_result};
use crate::open::sdi_opener;

/// Panics inside a call on an opener.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_panic_test(
    opener: *mut sdi_opener,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| c.write(opener, |_| panic!("a panic for a test")))
}

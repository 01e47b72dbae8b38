//! Objects of AWS-LC, freed when they are dropped. AWS-LC overwrites all memory that it frees,
//! as long as no program gives it another allocator.

use aws_lc_sys::{BIGNUM, BN_bin2bn, BN_free, ERR_clear_error};
use std::ptr::{NonNull, null_mut};

/// An object that AWS-LC made for us.
pub(crate) struct Owned<T> {
    object: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// `None` if AWS-LC made none.
    ///
    /// # Safety
    /// `object` is null, or an object that `free` frees and that nobody else frees.
    pub(crate) unsafe fn new(object: *mut T, free: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        let object = done(NonNull::new(object))?;
        Some(Self { object, free })
    }

    pub(crate) const fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: `new` asks for an object that this function frees, and this is the last of it.
        unsafe { (self.free)(self.object.as_ptr()) }
    }
}

/// What was done, and nothing left in the error queue if it was not.
pub(crate) fn done<T>(result: Option<T>) -> Option<T> {
    if result.is_none() {
        // SAFETY: it takes nothing.
        unsafe { ERR_clear_error() }
    }
    result
}

/// A number from its big-endian bytes.
pub(crate) fn number(bytes: &[u8]) -> Option<Owned<BIGNUM>> {
    // SAFETY: as many bytes are read as the slice has; without a number to fill a new one is made, which
    // `BN_free` frees.
    unsafe { Owned::new(BN_bin2bn(bytes.as_ptr(), bytes.len(), null_mut()), BN_free) }
}

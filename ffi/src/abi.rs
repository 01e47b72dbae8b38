//! The number in `libsdi.so.N`.

/// The ABI of this header: N in libsdi.so.N. It rises only when something is removed or changed.
pub const SDI_ABI_VERSION: u32 = 0;

//! Which base64 engine there is: the one with vector instructions looks for them at run time, and needs
//! the standard library for that.

use ::base64::engine::general_purpose::PAD;

#[cfg(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) type Engine = ::base64::engine::Simd;
#[cfg(not(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) type Engine = ::base64::engine::GeneralPurpose;

/// An engine for the standard alphabet, with padding. It costs a table to make one.
pub(crate) fn engine() -> Engine {
    #[cfg(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Engine::standard(PAD);
    #[cfg(not(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    ::base64::engine::general_purpose::STANDARD
}

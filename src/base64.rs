//! Which base64 engine there is: the one with vector instructions looks for them at run time, and needs
//! the standard library for that.

use ::base64::engine::general_purpose::PAD;

#[cfg(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use ::base64::engine::Simd as Engine;

#[cfg(not(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) use ::base64::engine::GeneralPurpose as Engine;

/// An engine for the standard alphabet, with padding.
#[cfg(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) fn engine() -> Engine {
    Engine::standard(PAD)
}

/// An engine for the standard alphabet, with padding.
#[cfg(not(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) const fn engine() -> Engine {
    Engine::new(&::base64::alphabet::STANDARD, PAD)
}

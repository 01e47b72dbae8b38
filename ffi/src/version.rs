//! Which library this is, and what it can do.

use crate::abi::SDI_ABI_VERSION;
use crate::boundary::boundary;
use core::ffi::{CStr, c_char};

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The version of the library that runs, as text: "MAJOR.MINOR.PATCH". It is static.
#[unsafe(no_mangle)]
pub extern "C" fn sdi_version() -> *const c_char {
    boundary!(else c"".as_ptr(), |_| VERSION.as_ptr())
}

/// The version of the library that runs. Compare it with SDI_VERSION_NUMBER, the version that your
/// program was compiled for.
#[unsafe(no_mangle)]
pub extern "C" fn sdi_version_number() -> u32 {
    boundary!(else 0, |_| {
        let part = |text: &str| text.parse::<u32>().unwrap_or(0);
        part(env!("CARGO_PKG_VERSION_MAJOR")) << 16
            | part(env!("CARGO_PKG_VERSION_MINOR")) << 8
            | part(env!("CARGO_PKG_VERSION_PATCH"))
    })
}

/// The ABI of the library that runs, equal to SDI_ABI_VERSION and to N in libsdi.so.N.
#[unsafe(no_mangle)]
pub extern "C" fn sdi_abi_version() -> u32 {
    boundary!(else 0, |_| SDI_ABI_VERSION)
}

/// Parts that a build can have. P-256, AES-CBC, AES-GCM and AES key wrap are in every build.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_feature {
    /// RSA keys.
    SDI_FEATURE_RSA = 1,
    /// Keys on P-384.
    SDI_FEATURE_P384 = 2,
    /// Keys on P-521.
    SDI_FEATURE_P521 = 4,
    /// X25519 keys.
    SDI_FEATURE_X25519 = 8,
    /// Opening of triple DES.
    SDI_FEATURE_LEGACY = 16,
    /// Sealing.
    SDI_FEATURE_SEAL = 32,
    /// Making keys, certificates and certificate requests.
    SDI_FEATURE_IDENTITY = 64,
    /// ML-KEM keys. No build has them yet.
    SDI_FEATURE_ML_KEM = 128,
    /// The fast back end for servers. No build has it yet.
    SDI_FEATURE_AWS_LC = 256,
}

/// What this build has: values of sdi_feature, joined by OR. What it lacks answers
/// SDI_ERR_UNSUPPORTED. Sealing and key generation without a callback for randomness also need the
/// operating system's source, which a build can leave out.
#[unsafe(no_mangle)]
pub extern "C" fn sdi_features() -> u64 {
    boundary!(else 0, |_| {
        use sdi_feature::*;
        [
            (cfg!(feature = "rsa"), SDI_FEATURE_RSA),
            (cfg!(feature = "p384"), SDI_FEATURE_P384),
            (cfg!(feature = "p521"), SDI_FEATURE_P521),
            (cfg!(feature = "x25519"), SDI_FEATURE_X25519),
            (cfg!(feature = "legacy"), SDI_FEATURE_LEGACY),
            (cfg!(feature = "seal"), SDI_FEATURE_SEAL),
            (cfg!(feature = "identity"), SDI_FEATURE_IDENTITY),
        ]
        .into_iter()
        .filter(|(is_in, _)| *is_in)
        .fold(0, |all, (_, feature)| all | feature as u64)
    })
}

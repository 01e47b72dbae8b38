//! Primitives from AWS-LC, where they are faster than RustCrypto's: agreement on the NIST curves, and
//! RSA. It needs a C compiler and an operating system. What is not here is RustCrypto's.

pub(crate) mod agreement;
#[cfg(feature = "rsa")]
pub(crate) mod rsa;

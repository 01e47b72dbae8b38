//! How the decryption of CMS has failed elsewhere, each lesson a test. The name of a test begins with
//! the row of `docs/attacks-map.md` that it answers; some rows have further tests in other files,
//! which the map names.

#![cfg(all(
    feature = "std",
    feature = "rsa",
    feature = "p384",
    feature = "p521",
    feature = "x25519",
    feature = "legacy",
    feature = "seal",
    feature = "identity"
))]

mod aead;
mod containers;
mod content;
mod detection;
mod device;
mod identifiers;
mod install;
mod map;
mod million;
mod points;
mod promises;
mod secrets;
mod stream;
mod structure;
#[path = "../support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod work;
mod wrapping;

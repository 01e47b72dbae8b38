//! Keys, certificates and requests, against the openssl command line. Public API only.

#![cfg(all(
    feature = "std",
    feature = "rsa",
    feature = "p384",
    feature = "p521",
    feature = "x25519",
    feature = "identity"
))]

extern crate alloc;

mod hostile;
mod issuing;
mod keys;
mod making;
mod odd;
mod support;

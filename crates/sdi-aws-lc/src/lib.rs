//! What secure-device-install asks AWS-LC for: the NIST curves, and RSA without padding.
//!
//! AWS-LC's own Rust interface, aws-lc-rs, decrypts RSA with its padding only, and says whether the
//! padding was good. CMS must not know that early (RFC 3218), so the padding is secure-device-install's
//! work, as it is with a key in a TPM, and what is asked for here is the number. For agreement aws-lc-rs
//! computes the public point twice when it takes a key over, which is a seventh of the time of sealing.
//!
//! This is the one place outside the C interface with `unsafe`: each block calls AWS-LC with pointers to
//! what the same function owns or borrows. Nothing is kept in AWS-LC's error queue.

pub mod ec;
mod owned;
pub mod rsa;

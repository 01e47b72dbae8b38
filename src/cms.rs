//! Cryptographic Message Syntax (RFC 5652, RFC 5083): the walk from a file's bytes to its content.
//!
//! `armor -> ber -> recipient (ktri, kari) -> content`, each a room that knows only the next one.
//! Nothing here knows files, callers or policies beyond its arguments.

pub(crate) mod armor;
pub(crate) mod ber;
pub(crate) mod content;
pub(crate) mod kari;
pub(crate) mod kdf;
pub(crate) mod keywrap;
pub(crate) mod ktri;
pub(crate) mod recipient;

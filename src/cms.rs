//! Cryptographic Message Syntax (RFC 5652, RFC 5083): the walk from a file's bytes to its content.
//!
//! `armor -> ber -> recipient (ktri, kari) -> content`, each a room that knows only the next one.

mod kdf;
mod keywrap;

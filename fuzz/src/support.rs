//! The tests' own editor of DER and their maker of envelopes.

#![expect(dead_code, reason = "the targets use a part of it")]

#[path = "../../tests/support/der.rs"]
pub(crate) mod der;
#[path = "../../tests/support/forge.rs"]
pub(crate) mod forge;
#[path = "../../tests/support/gcm.rs"]
pub(crate) mod gcm;

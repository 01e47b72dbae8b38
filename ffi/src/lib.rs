//! The C interface of Secure Device Install: `libsdi` and `include/sdi.h`, which is made from these
//! modules, one part of the header from each.
//!
//! Nothing is decided here. An exported function checks its pointers, calls the core and translates
//! the answer; its whole body is one `boundary!`, so that no panic reaches C. All `unsafe` blocks are
//! in `pointer` and `key_ops`.
//!
//! A build that unwinds catches panics, which takes the standard library. One that aborts takes
//! nothing from it, and does without.

#![no_std]
#![expect(non_camel_case_types, reason = "these are the names of the C header")]
#![expect(clippy::missing_safety_doc, reason = "the first page of the header says it once for all")]

extern crate alloc;
#[cfg(panic = "unwind")]
extern crate std;

pub mod abi;
mod boundary;
pub mod bytes;
mod code;
pub mod detect;
pub mod error;
pub mod identity;
pub mod inspect;
pub mod install;
pub mod key;
pub mod key_ops;
pub mod keyring;
mod memory;
pub mod open;
mod optional;
pub mod orders;
#[cfg(feature = "panic-test")]
pub mod panic_test;
mod pointer;
pub mod seal;
mod state;
pub mod version;

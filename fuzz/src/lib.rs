//! What the fuzz targets share: one function for each target, which also runs without libFuzzer, and
//! the keys, files and edits that they need.
//!
//! A target panics when a promise is broken. `fuzz/README.md` says how to run them.

mod choices;
mod corpus;
mod edits;
mod envelopes;
mod module;
mod promises;
mod support;
pub mod targets;

pub use corpus::{Case, Device, cases, devices};

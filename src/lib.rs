//! Secure Device Install (RFC 8886).

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::as_conversions, clippy::disallowed_methods)]
#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod asn1;
mod autoinstall;
mod check;
mod cms;
mod crypto;
mod detect;
mod envelope;
mod error;
mod identity;
mod key;
mod limits;
mod oid;
mod open;
mod pem;
mod random;
#[cfg(feature = "seal")]
mod seal;
mod secret;

// The public interface is:
pub use autoinstall::{
    Action, Autoinstall, BadState, Event, OnFailure, Outcome, PlainFile, Policy,
};
pub use check::{ConfigCheck, FirstLine, LastLine, NoNul, NotEmpty, Utf8};
pub use detect::{Damage, Detection, Encoding, Hint, PemLabel, detect};
pub use envelope::{Envelope, Recipient};
pub use error::{Error, KeyFault, Limit, Misuse, Result, Strangers, Unsupported};
pub use identity::{Certificate, DeviceId};
#[cfg(feature = "identity")]
pub use identity::{IdentityBuilder, Validity};
pub use key::{
    DeviceKey, Identity, KeyAlgorithm, KeyError, KeyRing, OpenPolicy, OperatorMode, Owner,
    PeerPoint, PublicKey, RsaScheme, SignatureScheme, SoftwareKey,
};
pub use limits::Limits;
pub use open::{Opened, Opener, Sink, Summary, open, open_in_place};
pub use random::RandomSource;
#[cfg(feature = "std")]
pub use random::SystemRandom;
#[cfg(feature = "seal")]
pub use seal::{Form, Profile, Sealer, seal, seal_as};
pub use secret::Secret;

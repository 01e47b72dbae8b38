//! Secure Device Install ([RFC 8886]): a device's first configuration comes over the network, and
//! only that device can read it.
//!
//! The device makes a key pair in the factory, the vendor publishes the public key, the operator
//! encrypts the configuration to it and puts the file on any server. The device fetches the file,
//! sees that it is encrypted, opens it, checks it and installs it. This library is the part that
//! detects, opens, seals, makes certificates, and says what to do next. A file walks one way through
//! it:
//!
//! ```text
//!              name, first bytes         PEM, S/MIME, base64, DER, BER
//!                      |                               |
//!   file --------> detect() -- encrypted --> open() or Opener ----------------------------+
//!                      |                     armor -> envelope -> recipient -> content     |
//!                    plain                                            |                   v
//!                      |                                     KeyRing, DeviceKey      ConfigCheck
//!                      v                                  (memory, TPM, HSM: yours)       |
//!               as it always was                                                          v
//!                                                                                   your installer
//! ```
//!
//! # What it does
//!
//! - [`detect`](detect()) tells an encrypted file from a plain one, without any key.
//! - [`open()`] and [`Opener`] decrypt CMS EnvelopedData and AuthEnvelopedData (RFC 5652, RFC 5083)
//!   as OpenSSL and others write it: RSA, P-256, P-384, P-521 and X25519 keys, AES-CBC and AES-GCM.
//!   [`Envelope`] shows what a file is, without opening it.
//! - [`seal()`] and [`Sealer`] encrypt to one or many [`Certificate`]s.
//! - [`IdentityBuilder`] makes the device's certificate or a request for one. [`DeviceKey`] is the
//!   trait for keys that never leave their hardware, [`KeyRing`] the rules for a vendor's and an
//!   operator's key.
//! - [`Autoinstall`] says when to fetch, decrypt, check, install and try again.
//!
//! It does no I/O, reads no clock, starts no thread, and needs no operating system: bytes, time and
//! randomness are arguments. It contains no unsafe code. Nothing from a file is believed: what it
//! may cost is bounded by [`Limits`], and a decryption that fails says nothing but that.
//!
//! # What it does not do
//!
//! This is what RFC 8886 leaves open. Know it before you rely on it:
//!
//! - It gives confidentiality only: by default a device accepts any configuration that is encrypted
//!   to its key, whoever made it, and plaintext.
//! - It gives no assurance about the source of a configuration, and no protection against theft and
//!   reuse of devices.
//! - Whoever has the device in hand, or breaks into it, may extract the key: use a TPM.
//! - Whoever controls the configuration server and has the public key can send a configuration of
//!   their choice.
//! - A malicious vendor who keeps a copy of the key cannot be detected: an operator's own key
//!   replaces the vendor's.
//! - An old configuration that was valid once is accepted again: nothing stops a replay.
//!
//! A device that needs to know who made its configuration brings a signed layer of its own, inside
//! the encrypted one. There is no DHCP and no TFTP here either: fetching and installing is the
//! host's work.
//!
//! # Seal and open
//!
//! ```
//! use sdi::{
//!     DeviceId, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, Profile, SoftwareKey, SystemRandom,
//! };
//! use std::sync::Arc;
//! # fn main() -> sdi::Result<()> {
//! // The device, in the factory. The certificate goes to the vendor's directory.
//! let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom)?;
//! let certificate = IdentityBuilder::new(DeviceId::new("SN19842256")?, 0).self_sign(&key)?;
//!
//! // The operator, while the device is in transit.
//! let config = b"hostname r1\nradius-server key s3cret\nend\n";
//! let file = sdi::seal(config, &[certificate.clone()], Profile::Auto, &mut SystemRandom)?;
//!
//! // The device, at the operator's site.
//! let mut keys = KeyRing::new();
//! keys.set_vendor(Identity::new(Arc::new(key), Some(certificate))?)?;
//! assert_eq!(sdi::open(&file, &keys)?.plaintext(), config);
//! # Ok(()) }
//! ```
//!
//! # Open a stream into a staging file
//!
//! What comes out of an [`Opener`] before it is finished may be damaged or forged. It goes into a
//! file that nobody reads, which gets its name when all is well. A real device makes that file
//! readable for itself alone and syncs it before the renaming.
//!
//! ```
//! use sdi::{Error, Opener};
//! use std::fs::{self, File};
//! use std::io::Write;
//! # use sdi::{
//! #     DeviceId, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, Profile, SoftwareKey, SystemRandom,
//! # };
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom)?;
//! # let certificate = IdentityBuilder::new(DeviceId::new("SN19842256")?, 0).self_sign(&key)?;
//! # let mut keys = KeyRing::new();
//! # keys.set_vendor(Identity::new(std::sync::Arc::new(key), Some(certificate.clone()))?)?;
//! # let config = vec![b'x'; 100_000];
//! # let file = sdi::seal(&config, &[certificate], Profile::Auto, &mut SystemRandom)?;
//! # let mut packets = file.chunks(512);
//! # let flash = tempfile::tempdir()?;
//! # let flash = flash.path();
//! let staging = flash.join("config.cfg.new");
//! let mut staged = File::create(&staging)?;
//! let mut write = |bytes: &[u8]| staged.write_all(bytes).map_err(|_| Error::Sink(1));
//!
//! let mut opener = Opener::new(&keys)?;
//! while let Some(packet) = packets.next() {
//!     opener.push(packet, &mut write)?;
//! }
//! let summary = opener.finish(&mut write)?; // only now is it verified
//! assert!(summary.is_authenticated());
//!
//! fs::rename(&staging, flash.join("config.cfg"))?;
//! # assert_eq!(fs::read(flash.join("config.cfg"))?, config);
//! # Ok(()) }
//! ```
//!
//! # Auto-install
//!
//! The machine gives orders, the host carries them out and says how it went. Here every order but
//! the waiting is one line.
//!
//! ```
//! use sdi::{
//!     Action, Autoinstall, ConfigCheck, Event, Hint, LastLine, NoNul, Outcome, Policy, Utf8,
//! };
//! # use sdi::{
//! #     DeviceId, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, Profile, SoftwareKey, SystemRandom,
//! # };
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let id = DeviceId::new("SN19842256")?;
//! # let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom)?;
//! # let certificate = IdentityBuilder::new(id.clone(), 0).self_sign(&key)?;
//! # let mut keys = KeyRing::new();
//! # keys.set_vendor(Identity::new(std::sync::Arc::new(key), Some(certificate.clone()))?)?;
//! # let on_the_server = sdi::seal(b"hostname r1\nend\n", &[certificate], Profile::Auto, &mut SystemRandom)?;
//! # let fetch = || Some(on_the_server.clone());
//! # let mut running = Vec::new();
//! # let mut install = |config: &[u8]| running = config.to_vec();
//! let sane: [&dyn ConfigCheck; 3] = [&NoNul, &Utf8, &LastLine("end")];
//! let clock = std::time::Instant::now();
//! let mut machine = Autoinstall::new(Policy::for_device(&id), clock.elapsed());
//! let (mut file, mut config) = (Vec::new(), Vec::new());
//! let outcome = loop {
//!     let event = match machine.poll(clock.elapsed()) {
//!         Action::WaitUntil(time) => {
//!             std::thread::sleep(time.saturating_sub(clock.elapsed()));
//!             continue;
//!         }
//!         Action::Fetch { .. } => match fetch() {
//!             Some(fetched) => {
//!                 file = fetched;
//!                 let hint = Hint { at_end: true, expect_encrypted: false };
//!                 Event::Fetched(sdi::detect(Some(b"SN19842256.enc"), &file, hint))
//!             }
//!             None => Event::FetchFailed,
//!         },
//!         Action::Decrypt => match sdi::open(&file, &keys) {
//!             Ok(opened) => {
//!                 config = opened.into_plaintext().into_bytes();
//!                 Event::Decrypted
//!             }
//!             Err(error) => Event::DecryptFailed(error.code()),
//!         },
//!         Action::Check => sane.check(&config).map_or(Event::CheckFailed, |()| Event::Checked),
//!         Action::Install => {
//!             install(&config);
//!             Event::Installed
//!         }
//!         Action::CheckRaw => sane.check(&file).map_or(Event::CheckFailed, |()| Event::Checked),
//!         Action::InstallRaw => {
//!             install(&file);
//!             Event::Installed
//!         }
//!         Action::Finished(outcome) => break outcome,
//!     };
//!     machine.handle(clock.elapsed(), event)?;
//! };
//! assert_eq!(outcome, Outcome::Installed);
//! # assert_eq!(running, b"hostname r1\nend\n");
//! # Ok(()) }
//! ```
//!
//! # Features
//!
//! All but `aws-lc` are on by default. Always there: P-256, AES-CBC, AES-GCM, AES key wrap.
//!
//! | feature | what it adds |
//! |---|---|
//! | `std` | [`SystemRandom`], the operating system's source of randomness; without it the caller brings one |
//! | `simd` | base64 by vector instructions where the processor has them; brings in the Rust standard library |
//! | `aws-lc` | the arithmetic of AWS-LC for the NIST curves and RSA: needs a C compiler to build, and the system's randomness to use an RSA key |
//! | `rsa` | RSA device keys: PKCS#1 v1.5 and OAEP |
//! | `p384`, `p521`, `x25519` | these curves |
//! | `legacy` | opening triple DES; it is never written |
//! | `seal` | [`seal()`], [`seal_as`], [`Sealer`] |
//! | `identity` | [`IdentityBuilder`] and the making of keys |
//!
//! A device that only opens leaves out `seal` and `identity`.
//!
//! [RFC 8886]: https://www.rfc-editor.org/rfc/rfc8886

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::as_conversions, clippy::disallowed_methods)]
#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

extern crate alloc;

mod asn1;
mod autoinstall;
mod base64;
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

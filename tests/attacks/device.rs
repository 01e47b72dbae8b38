//! Devices with the keys of the corpus, and what such a device does with a file.

use super::support::corpus::{Case, cases, ring_of};
use super::support::keys::{Device, Log};
use sdi::{
    Action, Autoinstall, ConfigCheck, DeviceKey, Error, Event, Hint, Identity, KeyAlgorithm,
    KeyRing, NoNul, NotEmpty, Outcome, Policy, SoftwareKey, Utf8,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The keys of the corpus of one kind, each once, in a fixed order.
pub(crate) fn keys(algorithm: KeyAlgorithm) -> Vec<Arc<SoftwareKey>> {
    let mut files = BTreeMap::new();
    for case in cases("corpus") {
        let Some(name) = case.text("key") else { continue };
        if !files.contains_key(name) {
            files.insert(name.to_owned(), case.key());
        }
    }
    // The same key stands there in several forms.
    let of_spki = |key: Arc<SoftwareKey>| (key.public_key().spki_der().to_vec(), key);
    let keys: BTreeMap<Vec<u8>, _> = files.into_values().map(of_spki).collect();
    keys.into_values().filter(|key| key.public_key().algorithm() == algorithm).collect()
}

/// A device with the first key of a kind.
pub(crate) fn device(algorithm: KeyAlgorithm) -> Device {
    let key = keys(algorithm).into_iter().next().expect("the corpus has such a key");
    Device::with_key(key, "device")
}

/// The ring of a device whose key notes what it is asked.
pub(crate) fn watched(device: &Device) -> (KeyRing, Log) {
    let log = Log::default();
    (device.watched("key", &log).ring(), log)
}

/// The ring of a device that has its key alone, which notes what it is asked.
pub(crate) fn bare(device: &Device) -> (KeyRing, Log) {
    let log = Log::default();
    let key = device.watched("key", &log).key;
    (ring_of(Identity::new(key, None).expect("a key needs nothing else")), log)
}

/// The ring of the device that a case of the corpus is for. Where its certificate is another key's,
/// the key stands alone.
pub(crate) fn ring_of_case(case: &Case) -> KeyRing {
    let Device { key, certificate } = case.device();
    let identity = Identity::new(Arc::clone(&key), Some(certificate));
    ring_of(
        identity.unwrap_or_else(|_| Identity::new(key, None).expect("a key needs nothing else")),
    )
}

/// What became of a file on a device that runs auto-install once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) decrypted: bool,
    pub(crate) installed: Option<Vec<u8>>,
    pub(crate) failure: Option<i32>,
}

/// Runs auto-install until the first attempt is over. The checks are that there is something, in
/// UTF-8, without a zero.
pub(crate) fn attempt(keys: &KeyRing, file: &[u8]) -> Attempt {
    let sane = |config: &[u8]| {
        let checks: [&dyn ConfigCheck; 3] = [&NotEmpty, &NoNul, &Utf8];
        if checks.check(config).is_ok() { Event::Checked } else { Event::CheckFailed }
    };
    let mut machine = Autoinstall::new(Policy::unseeded(), Duration::ZERO);
    let mut attempt = Attempt::default();
    let mut plaintext = Vec::new();
    loop {
        let event = match machine.poll(Duration::ZERO) {
            Action::WaitUntil(_) => return attempt,
            Action::Finished(outcome) => {
                assert_eq!(outcome == Outcome::Installed, attempt.installed.is_some());
                return attempt;
            }
            Action::Fetch { .. } => {
                let hint = Hint { at_end: true, ..Hint::default() };
                Event::Fetched(sdi::detect(None, file, hint))
            }
            Action::Decrypt => match sdi::open(file, keys) {
                Ok(opened) => {
                    attempt.decrypted = true;
                    plaintext = opened.plaintext().to_vec();
                    Event::Decrypted
                }
                Err(error) => {
                    attempt.failure = Some(error.code());
                    Event::DecryptFailed(error.code())
                }
            },
            Action::Check => sane(&plaintext),
            Action::CheckRaw => sane(file),
            Action::Install => {
                attempt.installed = Some(plaintext.clone());
                Event::Installed
            }
            Action::InstallRaw => {
                attempt.installed = Some(file.to_vec());
                Event::Installed
            }
        };
        assert_eq!(machine.handle(Duration::ZERO, event), Ok(()), "{event:?}");
    }
}

/// The error of a file that must not open.
pub(crate) fn refusal(file: &[u8], keys: &KeyRing) -> Error {
    match sdi::open(file, keys) {
        Err(error) => error,
        Ok(opened) => panic!("it opens, with {} bytes", opened.plaintext().len()),
    }
}

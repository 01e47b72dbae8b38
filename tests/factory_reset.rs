//! R43: a factory reset makes the next boot a first boot. The vendor's key survives; the operator's
//! goes in mode Prefer and stays in mode Replace.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod support;

use sdi::{
    Action, Autoinstall, Error, Event, Hint, Identity, KeyRing, Misuse, OperatorMode, Outcome,
    Policy,
};
use std::time::Duration;
use support::corpus::{Case, case};

fn vendor() -> Case {
    case("openssl/cms-p256-aes-192-cbc")
}

fn operator() -> Case {
    case("openssl/cms-p384-aes-128-cbc")
}

fn identity(case: &Case) -> Identity {
    Identity::new(case.key(), Some(case.certificate())).unwrap()
}

/// What a device keeps when it is switched off.
struct Device {
    keys: KeyRing,
    operator: Option<OperatorMode>,
    config: Option<Vec<u8>>,
    state: Option<[u8; 64]>,
}

impl Device {
    fn from_the_factory() -> Self {
        Self { keys: vendor().ring(), operator: None, config: None, state: None }
    }

    /// A boot with this file on the server, switched off again after three failed attempts. Tells how
    /// the last attempt ended, and the numbers of all.
    fn boot(&mut self, file: &[u8]) -> (Option<Event>, Vec<u32>) {
        if self.config.is_some() {
            return (None, Vec::new());
        }
        let mut now = Duration::ZERO;
        let mut machine = match &self.state {
            Some(state) => Autoinstall::restore(Policy::unseeded(), now, state).unwrap(),
            None => Autoinstall::new(Policy::unseeded(), now),
        };
        let (mut plaintext, mut attempts) = (Vec::new(), Vec::new());
        loop {
            let event = match machine.poll(now) {
                Action::WaitUntil(_) if attempts.len() >= 3 => break,
                Action::WaitUntil(time) => {
                    now = time;
                    continue;
                }
                Action::Fetch { attempt } => {
                    attempts.push(attempt);
                    let hint = Hint { at_end: true, expect_encrypted: false };
                    Event::Fetched(sdi::detect(None, file, hint))
                }
                Action::Decrypt => match sdi::open(file, &self.keys) {
                    Ok(opened) => {
                        plaintext = opened.plaintext().to_vec();
                        Event::Decrypted
                    }
                    Err(error) => Event::DecryptFailed(error.code()),
                },
                Action::Install => {
                    self.config = Some(plaintext.clone());
                    Event::Installed
                }
                Action::Finished(outcome) => {
                    assert_eq!(outcome, Outcome::Installed);
                    break;
                }
                _ => Event::Checked,
            };
            machine.handle(now, event).unwrap();
        }
        self.state = self.config.is_none().then(|| machine.save(now));
        (machine.outcome(), attempts)
    }

    /// The operator sets a key of their own.
    fn take(&mut self, operator: &Case, mode: OperatorMode) -> Option<Identity> {
        self.operator = Some(mode);
        self.keys.set_operator(Some(identity(operator)), mode).unwrap()
    }

    /// Configuration and saved schedule go, and the operator's key if it is not the only one.
    fn reset(&mut self) -> Result<(), Misuse> {
        self.config = None;
        self.state = None;
        if self.operator == Some(OperatorMode::Prefer) {
            self.keys.remove_operator()?;
            self.operator = None;
        }
        Ok(())
    }
}

const INSTALLED: Option<Event> = Some(Event::Installed);
const NOT_FOR_THIS_DEVICE: Option<Event> = Some(Event::DecryptFailed(130));

#[test]
fn r43_mode_prefer_the_vendors_key_alone_survives() -> Result<(), Error> {
    let (vendor, operator) = (vendor(), operator());
    let mut device = Device::from_the_factory();
    let fingerprint = identity(&vendor).key().public_key().spki_sha256()?;
    assert_eq!(device.boot(&vendor.message()), (INSTALLED, vec![1]));
    assert_eq!(device.config, Some(vendor.plaintext()));
    assert_eq!(device.boot(&vendor.message()), (None, vec![]), "a configured device asks nobody");

    assert!(device.take(&operator, OperatorMode::Prefer).is_none());
    for file in [&vendor, &operator] {
        device.config = None;
        assert_eq!(device.boot(&file.message()), (INSTALLED, vec![1]), "both open");
    }

    device.reset()?;
    // The first boot again: the operator's file is for a stranger, and attempts count from 1.
    assert_eq!(device.boot(&operator.message()), (NOT_FOR_THIS_DEVICE, vec![1, 2, 3]));
    // A later boot goes on with them: this is what a reset takes away.
    assert_eq!(device.boot(&operator.message()), (NOT_FOR_THIS_DEVICE, vec![4, 5, 6]));
    device.reset()?;
    assert_eq!(device.boot(&vendor.message()), (INSTALLED, vec![1]));
    assert_eq!(device.config, Some(vendor.plaintext()));
    let opened_with = sdi::open(&vendor.message(), &device.keys)?;
    assert_eq!(opened_with.summary().owner(), sdi::Owner::Vendor);
    assert_eq!(fingerprint, vendor.certificate().spki_sha256()?);
    Ok(())
}

#[test]
fn r43_mode_replace_the_operators_key_survives() -> Result<(), Error> {
    let (vendor, operator) = (vendor(), operator());
    let mut device = Device::from_the_factory();
    let replaced = device.take(&operator, OperatorMode::Replace);
    assert!(replaced.is_some(), "the vendor's identity is handed back");
    assert_eq!(device.boot(&operator.message()), (INSTALLED, vec![1]));

    device.reset()?;
    assert!(device.keys.remove_operator().is_err(), "the ring keeps its only key");
    // The first boot again, with the same key as before.
    assert_eq!(device.boot(&vendor.message()), (NOT_FOR_THIS_DEVICE, vec![1, 2, 3]));
    device.reset()?;
    assert_eq!(device.boot(&operator.message()), (INSTALLED, vec![1]));
    assert_eq!(device.config, Some(operator.plaintext()));
    Ok(())
}

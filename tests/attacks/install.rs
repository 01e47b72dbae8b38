//! A12: what is not verified does not act. The files and the processes of a whole device are another
//! part's; here is what the library and its machine do about it.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

use super::device::device;
use super::support::forge::{self, Suite, WRAPS};
use super::support::keys::Device;
use super::support::streamed;
use sdi::{
    Action, Autoinstall, ConfigCheck, DeviceId, Event, Hint, KeyAlgorithm, KeyRing, LastLine,
    NoNul, Policy, Utf8,
};
use std::time::Duration;

const OLD: &[u8] = b"hostname factory\nend\n";
const NEW: &[u8] = b"hostname r1\nradius-server key s3cret\nend\n";
const KEY: [u8; 32] = *b"the content key of these files..";

/// A host that stages what a stream gives it. Says what is its configuration in the end.
fn auto_install(file: &[u8], keys: &KeyRing) -> Vec<u8> {
    let checks: [&dyn ConfigCheck; 3] = [&NoNul, &Utf8, &LastLine("end")];
    let mut machine = Autoinstall::new(Policy::unseeded(), Duration::ZERO);
    let (mut installed, mut staged) = (OLD.to_vec(), Vec::new());
    loop {
        let event = match machine.poll(Duration::ZERO) {
            Action::Fetch { .. } => {
                let hint = Hint { at_end: true, ..Hint::default() };
                Event::Fetched(sdi::detect(None, file, hint))
            }
            Action::Decrypt => match streamed(file, keys, 64).unwrap() {
                (Ok((plaintext, _)), _) => {
                    staged = plaintext;
                    Event::Decrypted
                }
                (Err(error), _) => Event::DecryptFailed(error.code()),
            },
            Action::Check if checks.check(&staged).is_ok() => Event::Checked,
            Action::Check => Event::CheckFailed,
            Action::Install => {
                installed = std::mem::take(&mut staged);
                Event::Installed
            }
            // The next attempt is a later one's story, and the end is the end.
            Action::WaitUntil(_) | Action::Finished(_) => return installed,
            order => panic!("{order:?} for an encrypted file"),
        };
        machine.handle(Duration::ZERO, event).unwrap();
    }
}

/// A file to a device, and where in it the content begins. Behind that are only content and tag.
fn file(device: &Device, suite: Suite) -> (Vec<u8>, usize) {
    let recipient = forge::p256_recipient(&*device.key, WRAPS[2], |kek| forge::wrap(kek, &KEY));
    let content = suite.encrypt(&KEY, NEW);
    let file = content.to([recipient]);
    let start = file.windows(16).position(|part| part == &content.ciphertext[..16]).unwrap();
    (file, start)
}

/// Every bit of the content and of the tag, and every length: the old configuration stays. Of CBC, the
/// blocks that the padding is judged by.
#[test]
fn a12_what_is_not_verified_is_not_installed() {
    let device = device(KeyAlgorithm::P256);
    let keys = device.ring();
    let mut kept = 0;
    for suite in [Suite::Aes256Gcm, Suite::Aes256Cbc] {
        let (file, start) = file(&device, suite);
        // The control.
        assert_eq!(auto_install(&file, &keys), NEW);
        for len in start..file.len() {
            assert_eq!(auto_install(&file[..len], &keys), OLD, "{suite:?}, {len} bytes");
            kept += 1;
        }
        if !suite.is_authenticated() {
            continue;
        }
        for bit in start * 8..file.len() * 8 {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(auto_install(&damaged, &keys), OLD, "{suite:?}, bit {bit}");
            kept += 1;
        }
    }
    println!("A12: {kept} damaged files, and the old configuration is there");
    assert!(kept > 500, "{kept}");
}

/// Whoever carries the file, and watches when the device comes again, does not learn whether its padding
/// was good: a failed decryption and a failed check are followed by the same times.
#[test]
fn a12_a_bad_padding_and_a_bad_plaintext_are_followed_by_the_same() {
    let policy = Policy::for_device(&DeviceId::new("SN19842256").unwrap());
    let (file, _) = file(&device(KeyAlgorithm::P256), Suite::Aes256Cbc);
    let fetched = sdi::detect(None, &file, Hint { at_end: true, ..Hint::default() });
    let times = |failing: &dyn Fn(Action) -> Event| {
        let mut machine = Autoinstall::new(policy.clone(), Duration::ZERO);
        let mut now = Duration::ZERO;
        let mut starts = Vec::new();
        while starts.len() < 40 {
            let order = machine.poll(now);
            let event = match order {
                Action::WaitUntil(time) => {
                    now = time;
                    continue;
                }
                Action::Fetch { attempt } => {
                    starts.push((now, attempt));
                    Event::Fetched(fetched)
                }
                order => failing(order),
            };
            machine.handle(now, event).unwrap();
        }
        starts
    };
    let bad_padding = times(&|order| match order {
        Action::Decrypt => Event::DecryptFailed(140),
        order => panic!("{order:?}"),
    });
    let bad_plaintext = times(&|order| match order {
        Action::Decrypt => Event::Decrypted,
        Action::Check => Event::CheckFailed,
        order => panic!("{order:?}"),
    });
    assert_eq!(bad_padding, bad_plaintext);
    // Forty attempts: an hour of quick ones, and more than a day.
    assert!(bad_padding[39].0 > Duration::from_secs(24 * 3600), "{:?}", bad_padding[39]);
}

//! Auto-install over real files: what `detect`, `open` and the checks say goes in, and what would be
//! installed comes out.

mod support;

use sdi::{
    Action, Autoinstall, ConfigCheck, Error, Event, Hint, KeyRing, NoNul, NotEmpty, Outcome,
    PlainFile, Policy, Utf8,
};
use std::collections::BTreeMap;
use std::time::Duration;
use support::corpus::{Case, Expect, cases};

/// One attempt of a device: the orders that it followed, and what it installed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Attempt {
    orders: Vec<&'static str>,
    installed: Option<Vec<u8>>,
    last: Option<Event>,
}

fn sane(config: &[u8]) -> Result<(), Error> {
    let checks: [&dyn ConfigCheck; 3] = [&NotEmpty, &NoNul, &Utf8];
    checks.check(config)
}

fn attempt(policy: Policy, keys: &KeyRing, name: &str, file: &[u8]) -> Attempt {
    let mut machine = Autoinstall::new(policy, Duration::ZERO);
    let mut attempt = Attempt::default();
    let mut plaintext = Vec::new();
    let checked = |config: &[u8]| match sane(config) {
        Ok(()) => Event::Checked,
        Err(_) => Event::CheckFailed,
    };
    loop {
        let (order, event) = match machine.poll(Duration::ZERO) {
            Action::WaitUntil(_) | Action::Finished(Outcome::Aborted) => break,
            Action::Finished(Outcome::Installed) => {
                assert!(attempt.installed.is_some());
                break;
            }
            Action::Fetch { .. } => {
                let hint = Hint { at_end: true, expect_encrypted: false };
                ("Fetch", Event::Fetched(sdi::detect(Some(name.as_bytes()), file, hint)))
            }
            Action::Decrypt => match sdi::open(file, keys) {
                Ok(opened) => {
                    plaintext = opened.plaintext().to_vec();
                    ("Decrypt", Event::Decrypted)
                }
                Err(error) => ("Decrypt", Event::DecryptFailed(error.code())),
            },
            Action::Check => ("Check", checked(&plaintext)),
            Action::CheckRaw => ("CheckRaw", checked(file)),
            Action::Install => {
                attempt.installed = Some(plaintext.clone());
                ("Install", Event::Installed)
            }
            Action::InstallRaw => {
                attempt.installed = Some(file.to_vec());
                ("InstallRaw", Event::Installed)
            }
        };
        attempt.orders.push(order);
        assert_eq!(machine.handle(Duration::ZERO, event), Ok(()));
    }
    attempt.last = machine.outcome();
    attempt
}

/// The seven files of R2: configurations as they are today.
fn plain_files() -> [Vec<u8>; 7] {
    let certificate = text_cases().remove(0).certificate().to_pem();
    [
        b"hostname r1\ninterface eth0\n".to_vec(),
        b"hostname r1\r\ninterface eth0\r\n".to_vec(),
        "banner Gr\u{fc}\u{df}e aus K\u{f6}ln\n".into(),
        b"{\"hostname\": \"r1\", \"interfaces\": []}\n".to_vec(),
        b"<?xml version=\"1.0\"?>\n<config><hostname>r1</hostname></config>\n".to_vec(),
        format!("hostname r1\ncrypto pki certificate\n{certificate}quit\n").into(),
        b"banner the words -----BEGIN CMS----- in a line\nhostname r1\n".to_vec(),
    ]
}

/// The corpus files that hold a configuration such as the check wants it.
fn text_cases() -> Vec<Case> {
    let mut cases = cases("corpus");
    cases.retain(|case| case.expect() == Expect::Plaintext && sane(&case.plaintext()).is_ok());
    cases
}

/// One of them for each kind of key and encoding, at least seven.
fn sealed_files() -> Vec<Case> {
    let kind = |case: &Case| {
        (case.text("key_alg").map(String::from), case.text("encoding").map(String::from))
    };
    let kinds: BTreeMap<_, _> = text_cases().into_iter().map(|case| (kind(&case), case)).collect();
    assert!(kinds.len() >= 7, "{} files", kinds.len());
    kinds.into_values().collect()
}

const SEALED: [&str; 4] = ["Fetch", "Decrypt", "Check", "Install"];

#[test]
fn r1_any_file_to_the_device_is_accepted_whoever_made_it() {
    for case in sealed_files() {
        // Made by other programs, which have the certificate and nothing else.
        let attempt = attempt(Policy::unseeded(), &case.ring(), "SN1", &case.message());
        assert_eq!(attempt.orders, SEALED, "{}", case.id());
    }
    let keys = text_cases().remove(0).ring();
    let attempt = attempt(Policy::unseeded(), &keys, "SN1", b"hostname r1\n");
    assert_eq!(attempt.orders, ["Fetch", "InstallRaw"]);
}

#[test]
fn r2_plain_files_arrive_byte_for_byte() {
    let keys = text_cases().remove(0).ring();
    for file in plain_files() {
        let attempt = attempt(Policy::unseeded(), &keys, "r1.cfg", &file);
        assert_eq!(attempt.orders, ["Fetch", "InstallRaw"], "{}", file.escape_ascii());
        assert_eq!(attempt.installed, Some(file));
    }
}

#[test]
fn r9_both_orders_end_the_same() {
    let detect_first = Policy::unseeded;
    let parse_first = || Policy::unseeded().parse_first(true);
    let keys = text_cases().remove(0).ring();
    for file in plain_files() {
        let first = attempt(parse_first(), &keys, "r1.cfg", &file);
        assert_eq!(first.orders, ["Fetch", "CheckRaw", "InstallRaw"]);
        assert_eq!(first.installed, attempt(detect_first(), &keys, "r1.cfg", &file).installed);
    }
    for case in sealed_files() {
        let first = attempt(parse_first(), &case.ring(), "SN1.enc", &case.message());
        assert_eq!(first, attempt(detect_first(), &case.ring(), "SN1.enc", &case.message()));
    }
    // What neither parses nor opens ends in a failure.
    let neither = attempt(parse_first(), &keys, "r1.cfg", b"hostname \xff\n");
    assert_eq!(neither.orders, ["Fetch", "CheckRaw", "Decrypt"]);
    assert_eq!(neither.last, Some(Event::DecryptFailed(Error::NotEncrypted.code())));
}

#[test]
fn r29_an_encrypted_only_device_installs_no_plain_file() {
    let policy = || Policy::unseeded().plain(PlainFile::Refuse);
    let case = text_cases().remove(0);
    let message = case.message();
    for (name, file) in [
        ("r1.cfg", &b"hostname r1\n"[..]),
        ("SN1.enc", b"hostname r1\n"),
        ("SN1", b""),
        ("SN1", &message[..10]),
    ] {
        let attempt = attempt(policy(), &case.ring(), name, file);
        assert_eq!(attempt.orders, ["Fetch"], "{name}");
        assert!(matches!(attempt.last, Some(Event::Fetched(_))), "{name}");
    }
    let control = attempt(policy(), &case.ring(), "SN1", &message);
    assert_eq!(control.installed, Some(case.plaintext()));
}

#[test]
fn r30_the_plaintext_is_what_is_installed() {
    for case in sealed_files() {
        let attempt = attempt(Policy::unseeded(), &case.ring(), "SN1.enc", &case.message());
        assert_eq!(attempt.orders, SEALED, "{}", case.id());
        assert_eq!(attempt.installed, Some(case.plaintext()), "{}", case.id());
    }
}

#[test]
fn r38_nothing_is_installed_with_a_wrong_key() {
    // Keys alone, so that no file is turned away by the name of its recipient.
    let key = |case: &Case| case.certificate().spki_sha256().unwrap();
    let cases: Vec<_> = text_cases().into_iter().map(|case| (key(&case), case)).collect();
    let mut refused = 0;
    for (key, case) in &cases {
        let other = cases.iter().find(|(other_key, other)| {
            other_key != key && other.text("key_alg") == case.text("key_alg")
        });
        let Some((_, other)) = other else { continue };
        let attempt = attempt(Policy::unseeded(), &other.bare_ring(), "SN1", &case.message());
        assert_eq!(attempt.installed, None, "{}", case.id());
        refused += 1;
    }
    assert!(refused >= 50, "{refused} files");
}

/// A configured device: what runs on it changes only if a file opens and is sane.
fn load(running: &mut Vec<u8>, keys: &KeyRing, file: &[u8], replace: bool) -> Result<(), Error> {
    let opened = sdi::open(file, keys)?;
    sane(opened.plaintext())?;
    if replace {
        running.clear();
    }
    running.extend_from_slice(opened.plaintext());
    Ok(())
}

#[test]
fn r42_a_part_is_loaded_on_a_configured_device_without_the_machine() -> Result<(), Error> {
    let before = b"hostname r1\n".to_vec();
    let cases = text_cases();
    let case = cases.iter().min_by_key(|case| case.plaintext().len()).unwrap();
    let part = case.plaintext();
    assert!(part.len() < 200, "a part, not a whole configuration");

    let mut running = before.clone();
    load(&mut running, &case.ring(), &case.message(), false)?;
    assert_eq!(running, [&before[..], &part].concat(), "merged");
    load(&mut running, &case.ring(), &case.message(), true)?;
    assert_eq!(running, part, "replaced");

    // A failure changes nothing, and there is nobody who would try again.
    let stranger =
        cases.iter().find(|other| other.text("key_alg") != case.text("key_alg")).unwrap();
    for replace in [false, true] {
        let mut running = before.clone();
        assert!(load(&mut running, &stranger.ring(), &case.message(), replace).is_err());
        assert_eq!(running, before);
    }
    Ok(())
}

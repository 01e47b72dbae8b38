//! A9, A16, A27: what is promised about dependencies, arithmetic and the past.

use super::support::corpus::{Expect, cases};
use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The versions of a package in a lock file, as numbers.
fn locked(lock: &str, package: &str) -> Vec<Vec<u64>> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    let mut found = Vec::new();
    while lines.by_ref().any(|line| line == name) {
        let version = lines.next().and_then(|line| line.strip_prefix("version = \""));
        let version = version.expect("a version follows").trim_end_matches('"');
        assert!(!version.contains('-'), "{package} {version} is no release");
        found.push(version.split('.').map(|part| part.parse().expect("a number")).collect());
    }
    found
}

/// Before 0.10 RSA decryption took a time that showed the padding (RUSTSEC-2023-0071), and its release
/// candidates had an oracle (RustCrypto/RSA#626).
#[test]
fn a09_rsa_is_a_version_without_marvin() {
    let locks = ["Cargo.lock", "tests/ctgrind/Cargo.lock", "tests/no_std/Cargo.lock"];
    let versions: Vec<_> = locks.iter().flat_map(|lock| locked(&read(lock), "rsa")).collect();
    assert_eq!(versions.len(), locks.len(), "{versions:?}");
    assert!(versions.iter().all(|version| *version >= vec![0, 10, 0]), "{versions:?}");
    let old = "[[package]]\nname = \"rsa\"\nversion = \"0.9.8\"\n";
    assert_eq!(locked(old, "rsa"), [[0, 9, 8]]);
}

/// No length is converted with `as`, in the core or its rooms.
#[test]
fn a16_no_as_conversions() {
    let lib = read("src/lib.rs");
    assert!(lib.contains("#![deny(clippy::as_conversions"));
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            assert!(!source.contains("allow(clippy::as_conversions"), "{}", path.display());
            assert!(!source.contains("expect(clippy::as_conversions"), "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 40, "{files}");
}

/// Nothing stops a replay, and the documents say so: files of the past open, and open again.
#[test]
fn a27_yesterdays_file_opens_today() {
    let mut opened = 0;
    for case in cases("corpus").iter().filter(|case| case.expect() == Expect::Plaintext).step_by(9)
    {
        let (file, ring) = (case.message(), case.ring());
        for _ in 0..2 {
            assert_eq!(sdi::open(&file, &ring).unwrap().plaintext(), case.plaintext());
        }
        opened += 1;
    }
    assert!(opened > 40, "{opened}");
}

//! What the README tells people to run is what is run.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

use sdi::{
    Certificate, DeviceId, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, SoftwareKey,
    SystemRandom,
};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

const CONFIG: &[u8] = b"hostname ams-edge-07\nradius-server key not-a-secret\nend\n";

/// The two commands at the top are steps of the gate, word for word.
#[test]
fn the_two_commands_are_run_by_the_gate() {
    let commands = blocks("## Two commands", "sh").concat();
    let gate = read(".ci/run");
    let steps: Vec<&str> = gate.lines().map(str::trim_start).collect();
    assert_eq!(commands.lines().count(), 2);
    for command in commands.lines() {
        assert!(steps.iter().any(|step| step.ends_with(&format!(" {command}"))), "{command}");
    }
}

/// The Rust example is one that the crate's documentation has, and tests.
#[test]
fn the_rust_example_is_a_tested_one() {
    let example = blocks("## For the Rust user", "rust").concat();
    let source = read("src/lib.rs");
    let documented: String = source
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .filter(|line| !line.starts_with("# "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(example.contains("sdi::open(&file, &keys)"));
    assert!(documented.contains(&example), "not in src/lib.rs:\n{example}");
}

/// Requirement R24: the operator's commands make files that the devices open.
#[test]
fn r24_the_operators_commands_make_files_that_open() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("router.cfg"), CONFIG).unwrap();
    let (rsa, _) = device("SN19842256", KeyAlgorithm::Rsa(2048), folder.path());
    let (ec, pin) = device("SN20260001", KeyAlgorithm::P256, folder.path());

    let commands = blocks("## For the operator", "sh");
    let [fingerprint, for_ec, for_rsa] = &commands[..] else {
        panic!("{} blocks of commands", commands.len());
    };
    let shown = run(fingerprint, folder.path());
    let hex: String = pin.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(String::from_utf8(shown.stdout).unwrap().starts_with(&hex));
    run(for_ec, folder.path());
    run(for_rsa, folder.path());

    let file = |name| fs::read(folder.path().join(name)).unwrap();
    let (ec_file, rsa_file) = (file("SN20260001.enc"), file("SN19842256.enc"));
    let opened = sdi::open(&ec_file, &ec).unwrap();
    assert_eq!(opened.plaintext(), CONFIG);
    assert!(opened.summary().is_authenticated());
    assert_eq!(sdi::open(&rsa_file, &rsa).unwrap().plaintext(), CONFIG);
    assert!(sdi::open(&rsa_file, &ec).is_err());
}

/// A device's keys and the SHA-256 of its public key; its certificate goes into the folder.
fn device(id: &str, algorithm: KeyAlgorithm, folder: &Path) -> (KeyRing, [u8; 32]) {
    let made = || -> sdi::Result<(SoftwareKey, Certificate)> {
        let key = SoftwareKey::generate(algorithm, &mut SystemRandom)?;
        let certificate = IdentityBuilder::new(DeviceId::new(id)?, 0).self_sign(&key)?;
        Ok((key, certificate))
    };
    let (key, certificate) = made().unwrap();
    fs::write(folder.join(format!("{id}.crt")), certificate.to_pem()).unwrap();
    let pin = certificate.spki_sha256().unwrap();
    let mut ring = KeyRing::new();
    ring.set_vendor(Identity::new(Arc::new(key), Some(certificate)).unwrap()).unwrap();
    (ring, pin)
}

fn run(commands: &str, folder: &Path) -> Output {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", commands])
        .current_dir(folder)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{commands}\n{words}");
    output
}

/// The blocks of code in one kind of language below a heading of the README.
fn blocks(heading: &str, language: &str) -> Vec<String> {
    let readme = read("README.md");
    let section = readme.split("\n## ").find(|section| heading[3..] == *first_line(section));
    let section = section.unwrap_or_else(|| panic!("the README has no section {heading}"));
    let opening = format!("```{language}\n");
    let parts = section.split(&opening).skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

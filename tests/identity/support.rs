//! The openssl command line, and small pieces of DER.

use sdi::{DeviceId, DeviceKey, IdentityBuilder, KeyAlgorithm, SoftwareKey, SystemRandom};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// 2026-11-25 00:00:00 UTC.
pub(crate) const NOW: u64 = 1_795_564_800;

/// Runs openssl, whatever comes out. A machine without openssl fails the test.
pub(crate) fn run_openssl(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("these tests need the openssl command");
    // A command that does not read its input has closed the pipe already.
    let _ = child.stdin.take().expect("stdin is piped").write_all(input);
    child.wait_with_output().expect("openssl ends")
}

/// Runs openssl, which has to succeed.
pub(crate) fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run_openssl(args, input);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {}: {errors}", args.join(" "));
    output.stdout
}

/// The same for commands that answer text.
pub(crate) fn openssl_text(args: &[&str], input: &[u8]) -> String {
    String::from_utf8(openssl(args, input)).expect("openssl answers text")
}

/// A fresh folder for the files of one test.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

pub(crate) fn generate(algorithm: KeyAlgorithm) -> SoftwareKey {
    SoftwareKey::generate(algorithm, &mut SystemRandom).expect("a key")
}

pub(crate) fn builder(id: &str) -> IdentityBuilder {
    IdentityBuilder::new(DeviceId::new(id).expect("an identifier"), NOW)
}

/// What openssl says the public key of a private one is, as SubjectPublicKeyInfo.
pub(crate) fn openssl_spki(private_pem: &[u8]) -> Vec<u8> {
    openssl(&["pkey", "-pubout", "-outform", "DER"], private_pem)
}

/// A private key as PKCS#8, DER.
pub(crate) fn pkcs8(private_pem: &[u8]) -> Vec<u8> {
    openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], private_pem)
}

/// A private key in the form of its own kind (SEC 1 or PKCS#1), DER.
pub(crate) fn traditional(private_pem: &[u8]) -> Vec<u8> {
    openssl(&["pkey", "-traditional", "-outform", "DER"], private_pem)
}

/// Whether the two are the same key with the same encoding.
#[track_caller]
pub(crate) fn assert_spki(key: &SoftwareKey, spki: &[u8]) {
    assert_eq!(key.public_key().spki_der(), spki);
}

/// One element of DER.
pub(crate) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = body.len().to_be_bytes();
    let zeros = length.iter().take_while(|&&octet| octet == 0).count();
    let mut out = vec![tag];
    if body.len() < 0x80 {
        out.extend(&length[length.len() - 1..]);
    } else {
        out.push(0x80 + u8::try_from(length.len() - zeros).expect("at most eight octets"));
        out.extend(&length[zeros..]);
    }
    out.extend(body);
    out
}

/// The place of `what` in `bytes`.
pub(crate) fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

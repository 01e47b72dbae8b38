//! A8: whatever a device's RSA key answers, the work behind it is the same: one operation of the key,
//! and the same number of instructions, to the last one. So no block of the content more or less is
//! deciphered, and nothing ends early.
//!
//! The test runs this program once more, under valgrind, which counts each call.

use super::device::device;
use super::million::{KEY, TEXT, bad_blocks};
use super::support::forge::{
    Content, Random, Suite, modulus_len, oaep_recipient, pkcs1_block, pkcs1_recipient,
};
use super::support::keys::Device;
use sdi::{DeviceKey, Error, KeyAlgorithm, KeyError, KeyRing, PublicKey, RsaScheme, Secret};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// A key that answers with what it is given, so that the arithmetic of RSA, which is not ours, is not
/// counted; and how often it was asked.
#[derive(Debug)]
struct Answering {
    public: PublicKey,
    next: Mutex<(Vec<u8>, usize)>,
}

impl DeviceKey for Answering {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn rsa_decrypt(&self, _: RsaScheme, _: &[u8]) -> Result<Secret, KeyError> {
        let mut next = self.next.lock().map_err(|_| KeyError::Vendor(1))?;
        next.1 += 1;
        Ok(Secret::from(next.0.clone()))
    }
}

/// What is counted.
#[inline(never)]
fn counted(file: &[u8], ring: &KeyRing) -> Option<Error> {
    black_box(sdi::open(black_box(file), ring)).err()
}

/// Blocks around a wrong content key with good padding, and with every kind of bad padding.
fn pkcs1_answers(len: usize) -> Vec<Vec<u8>> {
    let mut random = Random(28);
    let good = pkcs1_block(len, &random.bytes(32), &mut random);
    let bad = bad_blocks(len, &mut random).into_iter().map(|(_, block)| block);
    [good].into_iter().chain(bad).collect()
}

/// The same for OAEP: wrong content keys of the right length and of others, then bytes that are wrong.
fn oaep_answers(device: &Device) -> Vec<Vec<u8>> {
    let public = device.key.public_key();
    let mut random = Random(29);
    let mut block = |key_len: usize| {
        let key = random.bytes(key_len);
        let mut recipient = oaep_recipient(public, &key, &mut random);
        let encrypted = recipient.at(&[3]).body().clone();
        device
            .key
            .rsa_decrypt(RsaScheme::Raw, &encrypted)
            .expect("the block is below the modulus")
            .into_bytes()
    };
    let mut answers: Vec<Vec<u8>> = [32, 0, 1, 16, 31, 33, 64].map(&mut block).into();
    for at in [0, 1, 32, 33, 64, 65, 200, 255] {
        let mut bad = answers[0].clone();
        bad[at] ^= 1;
        answers.push(bad);
    }
    answers
}

/// Each file, with the answers that all have to fail alike.
fn files(device: &Device) -> Vec<(String, Vec<u8>, Vec<Vec<u8>>)> {
    let public = device.key.public_key();
    let len = modulus_len(public);
    let mut random = Random(30);
    let pkcs1 = pkcs1_recipient(public, &pkcs1_block(len, &KEY, &mut random));
    let oaep = oaep_recipient(public, &KEY, &mut random);
    let mut files = Vec::new();
    for suite in [Suite::Aes256Gcm, Suite::Aes256Cbc] {
        // Longer than what is deciphered in one go, so that an early end would show.
        let content: Content = suite.encrypt(&KEY, &TEXT.repeat(400));
        for (name, recipient, answers) in
            [("PKCS#1 v1.5", &pkcs1, pkcs1_answers(len)), ("OAEP", &oaep, oaep_answers(device))]
        {
            files.push((format!("{name}, {suite:?}"), content.to([recipient.clone()]), answers));
        }
    }
    // The control: a single block more.
    let longer = Suite::Aes256Cbc.encrypt(&KEY, &[TEXT.repeat(400).as_slice(), &[0; 16]].concat());
    files.push(("a block more".into(), longer.to([pkcs1]), pkcs1_answers(len)));
    files
}

/// What runs under valgrind: every file with every answer.
#[test]
#[ignore = "a08_every_answer_of_a_key_takes_the_same_work runs it"]
fn subject() {
    let device = device(KeyAlgorithm::Rsa(2048));
    let public = device.key.public_key().clone();
    let key = Arc::new(Answering { public, next: Mutex::default() });
    let ring = Device { key: Arc::clone(&key) as Arc<dyn DeviceKey>, ..device.clone() }.ring();
    for (name, file, answers) in files(&device) {
        for answer in answers {
            *key.next.lock().unwrap() = (answer, 0);
            let error = counted(&file, &ring);
            // A line for each call, in the order of valgrind's counts.
            println!("\ncall {name}: {error:?}, {} operations", key.next.lock().unwrap().1);
        }
    }
}

/// The instructions of this program itself in a profile. Those of the C library are left out: what an
/// allocation takes depends on all that were made before it.
fn own_instructions(profile: &str) -> u64 {
    let program = std::env::current_exe().expect("this program runs");
    let mut is_own = false;
    let mut lines = profile.lines();
    let mut sum = 0;
    while let Some(line) = lines.next() {
        if let Some(object) = line.strip_prefix("ob=") {
            is_own = Path::new(object) == program;
        } else if line.starts_with("calls=") {
            // The next line is what the called function took, which is counted where it stands.
            lines.next();
        } else if is_own && line.starts_with(|first: char| first.is_ascii_digit()) {
            let cost = line.split_once(' ').and_then(|(_, cost)| cost.parse::<u64>().ok());
            sum += cost.unwrap_or_else(|| panic!("a line of a profile: {line}"));
        }
    }
    sum
}

#[test]
fn a08_every_answer_of_a_key_takes_the_same_work() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("profile");
    let counted = std::any::type_name_of_val(&counted);
    let output = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--collect-atstart=no"])
        .args(["--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--toggle-collect={counted}"))
        .arg(format!("--dump-before={counted}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "work::subject", "--ignored", "--nocapture", "--test-threads=1"])
        .output()
        .expect("valgrind is a tool of the tests");
    assert!(output.status.success(), "{output:?}");

    let mut counts: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let calls: Vec<&str> = stdout.lines().filter_map(|line| line.strip_prefix("call ")).collect();
    for (number, call) in (1..).zip(&calls) {
        let (name, outcome) = call.split_once(": ").unwrap();
        assert_eq!(outcome, "Some(Decrypt), 1 operations", "{name}, call {number}");
        // A call stands in the dump that the next one begins with, the last one in that of the end.
        let dump = match number == calls.len() {
            false => profile.with_extension((number + 1).to_string()),
            true => profile.clone(),
        };
        let dump = fs::read_to_string(dump).unwrap();
        counts.entry(name).or_default().insert(own_instructions(&dump));
    }
    assert_eq!((counts.len(), calls.len()), (5, 3 * 27 + 2 * 15), "{counts:?}");
    assert!(counts.values().all(|counts| counts.len() == 1), "{counts:?}");
    // The control: a block is seen.
    let [more, cbc] = ["a block more", "PKCS#1 v1.5, Aes256Cbc"].map(|name| counts[name].first());
    assert!(more > cbc && cbc > Some(&10_000), "{counts:?}");
    println!("A8: {} answers, instructions of each file: {counts:?}", calls.len());
}

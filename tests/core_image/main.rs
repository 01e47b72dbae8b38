//! The whole memory of a process that has made, read and used keys, opened and sealed, and failed at
//! all of it, holds none of the secrets: no private key, no content key, no key-encryption key, no
//! shared secret, no plaintext. Not on the heap, not in freed blocks, not on the stack. What does stay
//! is listed here, name by name.
//!
//! Each test runs this program once more, as the process that is looked at: what a core dump would
//! hold is read from `/proc`, and a secret that was left there on purpose has to be found.

#![cfg(all(
    target_os = "linux",
    feature = "rsa",
    feature = "legacy",
    feature = "seal",
    feature = "identity"
))]
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod subject;
#[path = "../support/mod.rs"]
mod support;

use sdi::{DeviceKey, KeyAlgorithm, SoftwareKey};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use subject::{Drawn, MADE, WAYS};
use support::corpus::case;
use support::der::Node;
use support::forge::{self, Random, Suite, WRAPS};
use support::image::{Wanted, image};

/// Where the process that is looked at finds its files; it is set in that process alone.
const FOLDER: &str = "SDI_CORE_IMAGE";
/// What it does before it waits to be looked at: one thing, so that nothing covers its traces.
const JOB: &str = "SDI_CORE_IMAGE_JOB";

/// The folder of a process, with what it reads.
struct Stage {
    folder: tempfile::TempDir,
    secrets: BTreeMap<String, Vec<u8>>,
    random: Vec<u8>,
}

impl Stage {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut random = Random(seed);
        let (planted, drawn) = (random.bytes(64), random.bytes(8192));
        let plaintext: Vec<u8> = random.bytes(4096).iter().map(|byte| b' ' + byte % 95).collect();
        let mut stage = Self { folder, secrets: BTreeMap::new(), random: drawn };
        stage.write("planted", &planted);
        stage.write("random", &stage.random);
        stage.write("plaintext", &plaintext);
        stage.hide("plaintext", &plaintext);
        stage.hide("planted", &planted);
        stage.hide("planted and freed", &planted.iter().map(|byte| !byte).collect::<Vec<u8>>());
        stage
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn hide(&mut self, name: &str, secret: &[u8]) {
        self.secrets.insert(name.to_owned(), secret.to_vec());
    }

    /// A key's file, whose text is a secret as well.
    fn write_key(&mut self, pem: &[u8]) {
        let lines = pem.split(|&byte| byte == b'\n').filter(|line| !line.starts_with(b"-----"));
        let text: Vec<u8> = lines.flatten().copied().collect();
        let der = {
            use base64::prelude::{BASE64_STANDARD, Engine};
            BASE64_STANDARD.decode(&text).unwrap()
        };
        self.write("key.pem", pem);
        self.write("key.der", &der);
        // Its second half: the first one may be what all keys of its kind begin with.
        self.hide("base64 of the key", &text[text.len() / 2..]);
    }

    /// Runs the process until it waits, and looks.
    /// The names of what it found.
    fn look(&self, job: &str) -> BTreeSet<String> {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "subject::subject", "--ignored", "--nocapture", "--test-threads=1"])
            .env(FOLDER, self.folder.path())
            .env(JOB, job)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lengths = Vec::new();
        let mut is_ready = false;
        for line in lines.map(|line| line.unwrap()) {
            if let Some(list) = line.strip_prefix("drawn ") {
                let numbers = list.trim_matches(['[', ']']).split(", ");
                lengths = numbers.filter_map(|number| number.parse::<usize>().ok()).collect();
            }
            if line == "ready" {
                is_ready = true;
                break;
            }
        }
        assert!(is_ready, "the process ended before it was looked at");
        // Short draws are nonces, which stand in the file that is made.
        let mut wanted = Wanted::default();
        let mut drawn = &self.random[..];
        for (number, length) in lengths.into_iter().enumerate() {
            let (draw, rest) = drawn.split_at(length);
            drawn = rest;
            if length >= 32 {
                wanted.add(&format!("draw {number} of {length} bytes"), draw);
            }
        }
        for (name, secret) in &self.secrets {
            wanted.add(name, secret);
        }
        let regions = image(child.id());
        let found = wanted.found_in(&regions);
        let bytes: usize = regions.iter().map(Vec::len).sum();
        assert!(bytes > 100_000, "{bytes} bytes are no process");
        child.kill().unwrap();
        child.wait().unwrap();
        println!("{job}: {bytes} bytes, found: {found:?}");
        found
    }
}

/// The process holds what was planted, and beside it nothing but what is listed. Gives what it holds.
fn found_beside_the_planted(stage: &Stage, job: &str, listed: &[&str]) -> BTreeSet<String> {
    let mut found = stage.look(job);
    for control in ["planted", "planted and freed"] {
        assert!(found.remove(control), "{job}: {control} was not found");
    }
    let is_listed = |name: &String| listed.contains(&name.as_str());
    assert!(found.iter().all(is_listed), "{job}: {found:?}");
    found
}

/// R36: keys that are made, certificates, sealing, opening what was sealed.
#[test]
fn a24_a_process_that_made_keys_and_sealed_holds_no_secret() {
    let stage = Stage::new(1);
    for algorithm in MADE {
        for what in ["make", "seal", "seal as RFC 8886", "seal and give up", "open"] {
            let job = format!("{what} with {algorithm:?}");
            found_beside_the_planted(&stage, &job, &[]);
        }
    }
}

/// R36: a key from a file, on a curve, and files of every kind to it.
#[test]
fn a24_a_process_that_opened_with_p256_holds_no_secret() {
    let mut stage = Stage::new(2);
    let plaintext = stage.secrets["plaintext"].clone();
    let mut random = Random(3);
    let scalar = random.bytes(32);
    let content_key = random.bytes(32);
    stage.write("scalar", &scalar);
    let mut from_file = Drawn {
        file: File::open(stage.folder.path().join("scalar")).unwrap(),
        lengths: Vec::new(),
    };
    let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut from_file).unwrap();
    stage.write_key(key.to_pem().unwrap().as_bytes());
    stage.hide("private key", &scalar);
    stage.hide("content key", &content_key);

    let point = Node::parse(key.public_key().spki_der()).at(&[1]).body()[1..].to_vec();
    let peer = p256::PublicKey::from_sec1_bytes(&point).unwrap();
    let ephemeral = p256::SecretKey::from_slice(&forge::EPHEMERAL).unwrap();
    stage.hide("shared secret", ephemeral.diffie_hellman(&peer).raw_secret_bytes());
    let mut kek = Vec::new();
    let recipient = forge::p256_recipient(&key, WRAPS[2], |given| {
        kek = given.to_vec();
        forge::wrap(given, &content_key)
    });
    stage.hide("key-encryption key", &kek);
    files(&mut stage, &content_key, &plaintext, &recipient);
    for job in jobs() {
        found_beside_the_planted(&stage, &job, &[]);
    }
}

/// All that is done with a key that is in a file.
fn jobs() -> Vec<String> {
    let files = ["gcm", "cbc", "rfc9709", "wrong tag", "wrong padding"];
    let opening = files.iter().flat_map(|name| WAYS.map(|way| format!("{name} as {way:?}")));
    ["read", "write", "sign"].map(str::to_owned).into_iter().chain(opening).collect()
}

/// Three files that open, and some that fail late and early.
fn files(stage: &mut Stage, content_key: &[u8], plaintext: &[u8], recipient: &Node) {
    let derived = forge::derived_key(content_key, &Suite::Aes256Gcm.algorithm(), 32);
    stage.hide("derived content key", &derived);
    let gcm = Suite::Aes256Gcm.encrypt(content_key, plaintext);
    let mut wrong_tag = gcm.clone();
    wrong_tag.tag.as_mut().unwrap()[0] ^= 1;
    let cbc = Suite::Aes256Cbc.encrypt(content_key, plaintext);
    let mut wrong_padding = cbc.clone();
    let at = wrong_padding.ciphertext.len() - 17;
    wrong_padding.ciphertext[at] ^= 0x40;
    let of_rfc9709 = forge::Content {
        algorithm: Suite::Aes256Gcm.derived_algorithm(),
        ..Suite::Aes256Gcm.encrypt(&derived, plaintext)
    };
    for (name, content) in [
        ("gcm", gcm),
        ("cbc", cbc),
        ("rfc9709", of_rfc9709),
        ("wrong tag", wrong_tag),
        ("wrong padding", wrong_padding),
    ] {
        stage.write(&format!("files/{name}"), &content.to([recipient.clone()]));
    }
}

/// RSA leaves something, and this is all of it: SECURITY.md says so.
#[test]
fn a24_what_rsa_leaves_in_a_process_is_known() {
    let mut stage = Stage::new(4);
    let plaintext = stage.secrets["plaintext"].clone();
    let mut random = Random(5);
    let content_key = random.bytes(32);
    let key = case("openssl/gcm-rsa2048-aes256").key();
    let pem = key.to_pem().unwrap();
    stage.write_key(pem.as_bytes());
    let der = fs::read(stage.folder.path().join("key.der")).unwrap();
    let mut numbers = Node::parse(Node::parse(&der).at(&[2]).body());
    for (at, name) in ["n", "e", "d", "p", "q", "dp", "dq", "qinv"].into_iter().enumerate().skip(2)
    {
        let number = numbers.at(&[at + 1]).body().clone();
        stage.hide(name, &number);
    }
    let block = forge::pkcs1_block(256, &content_key, &mut random);
    let recipient = forge::pkcs1_recipient(key.public_key(), &block);
    stage.hide("padding of the block", &block[2..218]);
    stage.hide("content key", &content_key);
    files(&mut stage, &content_key, &plaintext, &recipient);
    let mut left = BTreeSet::new();
    for job in jobs() {
        left.extend(found_beside_the_planted(&stage, &job, &LEFT_BY_RSA));
    }
    // An exception that is none any more is taken off the list. (AWS-LC's use of the heap overwrites one.)
    if cfg!(not(feature = "aws-lc")) {
        assert_eq!(left, LEFT_BY_RSA.map(str::to_owned).into());
    }
}

/// The primes, of which reading a key makes copies.
const LEFT_BY_RSA: [&str; 2] = ["p", "q"];

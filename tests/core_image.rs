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

mod support;

use sdi::{
    DeviceId, DeviceKey, Error, Form, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, Opener,
    Profile, RandomSource, Result, Sealer, Secret, SignatureScheme, SoftwareKey,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use support::corpus::{case, ring_of};
use support::der::Node;
use support::forge::{self, Random, Suite, WRAPS};
use support::image::{Wanted, image};
use support::keys::certificate;

/// Where the process that is looked at finds its files; it is set in that process alone.
const FOLDER: &str = "SDI_CORE_IMAGE";
/// What it does before it waits to be looked at: one thing, so that nothing covers its traces.
const JOB: &str = "SDI_CORE_IMAGE_JOB";

// ---- the process that is looked at ----

/// A file's bytes, read without any buffer on the way.
fn read(path: &Path) -> Secret {
    let mut file = File::open(path).unwrap();
    let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    file.read_exact(&mut bytes).unwrap();
    Secret::from(bytes)
}

/// Randomness that the other process knows, because it comes out of a file. It writes down how much
/// was drawn each time.
struct Drawn {
    file: File,
    lengths: Vec<usize>,
}

impl RandomSource for Drawn {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        self.file.read_exact(out).map_err(|_| Error::Random(1))?;
        self.lengths.push(out.len());
        Ok(())
    }
}

/// How a file is opened.
#[derive(Debug, Clone, Copy)]
enum Way {
    Whole,
    InPlace,
    Stream,
    Held,
    /// A stream that is dropped in the middle of the content.
    GivenUp,
    /// A stream whose receiver fails.
    FailingSink,
}

const WAYS: [Way; 6] =
    [Way::Whole, Way::InPlace, Way::Stream, Way::Held, Way::GivenUp, Way::FailingSink];

fn open(file: &[u8], ring: &KeyRing, way: Way) -> bool {
    match way {
        Way::Whole => return sdi::open(file, ring).is_ok(),
        Way::InPlace => {
            let mut buffer = file.to_vec();
            let opened = sdi::open_in_place(&mut buffer, ring).is_ok();
            drop(Secret::from(buffer));
            return opened;
        }
        _ => {}
    }
    let mut opener = Opener::new(ring).unwrap();
    if matches!(way, Way::Held | Way::GivenUp) {
        opener.hold(100_000).unwrap();
    }
    let fails = matches!(way, Way::FailingSink);
    let mut sink = |_: &[u8]| if fails { Err(Error::Sink(1)) } else { Ok(()) };
    let part = if matches!(way, Way::GivenUp) { &file[..file.len() - 300] } else { file };
    let pushed = part.chunks(97).try_for_each(|piece| opener.push(piece, &mut sink));
    match way {
        Way::GivenUp => false,
        _ => pushed.and_then(|()| opener.finish(&mut sink)).is_ok(),
    }
}

/// One thing that is done with the key in the file.
fn use_the_key(folder: &Path, job: &str) {
    let pem = read(&folder.join("key.pem"));
    let der = read(&folder.join("key.der"));
    let key = Arc::new(SoftwareKey::parse(pem.as_bytes()).unwrap());
    match job {
        "read" => {
            assert_eq!(SoftwareKey::parse(der.as_bytes()).unwrap().public_key(), key.public_key());
            assert!(SoftwareKey::parse(&der.as_bytes()[1..]).is_err());
            assert!(SoftwareKey::parse(&pem.as_bytes()[..pem.as_bytes().len() / 2]).is_err());
        }
        "write" => assert!(key.to_pem().unwrap().ct_eq(pem.as_bytes())),
        "sign" => {
            let scheme = match key.public_key().algorithm() {
                KeyAlgorithm::P256 => SignatureScheme::EcdsaP256Sha256,
                _ => SignatureScheme::RsaPkcs1Sha256,
            };
            assert!(key.sign(scheme, b"text", &[3; 32]).is_ok());
        }
        _ => {
            let (name, way) = job.split_once(" as ").unwrap();
            let way = WAYS.into_iter().find(|known| format!("{known:?}") == way).unwrap();
            let device = certificate(key.public_key(), "device");
            let ring = ring_of(Identity::new(key, Some(device)).unwrap());
            let file = read(&folder.join("files").join(name));
            let opens = !matches!(way, Way::GivenUp | Way::FailingSink) && !name.contains("wrong");
            assert_eq!(open(file.as_bytes(), &ring, way), opens, "{job}");
        }
    }
}

/// Makes a key, and in all jobs but the first a certificate and a file.
fn make_a_key(folder: &Path, algorithm: KeyAlgorithm, job: &str, drawn: &mut Drawn) {
    let key = Arc::new(SoftwareKey::generate(algorithm, drawn).unwrap());
    if job == "make" {
        return;
    }
    let builder = IdentityBuilder::new(DeviceId::new("SN19842256").unwrap(), 0);
    let to = [builder.wrap(key.public_key(), &mut Random(1)).unwrap()];
    let profile = if job == "seal" { Profile::Authenticated } else { Profile::Rfc8886 };
    let plaintext = read(&folder.join("plaintext"));
    if job == "seal and give up" {
        let mut sealer = Sealer::new(&to, profile, Form::Pem, drawn).unwrap();
        for _ in 0..3 {
            sealer.push(plaintext.as_bytes(), &mut |_: &[u8]| Ok(())).unwrap();
        }
        return;
    }
    let file = sdi::seal_as(plaintext.as_bytes(), &to, profile, Form::Pem, drawn).unwrap();
    if job == "open" {
        let [certificate] = to;
        let ring = ring_of(Identity::new(key, Some(certificate)).unwrap());
        assert!(open(&file, &ring, Way::Whole));
    }
}

#[test]
#[ignore = "the process that the other tests start and look at"]
fn subject() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("another test starts this one"));
    let job = std::env::var(JOB).unwrap();
    let mut drawn = Drawn { file: File::open(folder.join("random")).unwrap(), lengths: Vec::new() };
    // The control: what is kept, and what was freed without care.
    let planted = read(&folder.join("planted")).into_bytes();
    match job.split_once(" with ") {
        Some((job, made)) => {
            let algorithm = MADE.into_iter().find(|known| format!("{known:?}") == made).unwrap();
            make_a_key(&folder, algorithm, job, &mut drawn);
        }
        None => use_the_key(&folder, &job),
    }
    println!("\ndrawn {:?}", drawn.lengths);
    let forgotten = planted.iter().map(|byte| !byte).collect::<Vec<u8>>();
    drop(forgotten);
    println!("ready");
    let mut end = [0];
    let _ = std::io::stdin().read(&mut end);
    drop(std::hint::black_box(planted));
}

const MADE: [KeyAlgorithm; 4] =
    [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521, KeyAlgorithm::X25519];

// ---- the process that looks ----

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
            .args(["--exact", "subject", "--ignored", "--nocapture", "--test-threads=1"])
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
    // An exception that is none any more is taken off the list.
    assert_eq!(left, LEFT_BY_RSA.map(str::to_owned).into());
}

/// The primes, of which reading a key makes copies.
const LEFT_BY_RSA: [&str; 2] = ["p", "q"];

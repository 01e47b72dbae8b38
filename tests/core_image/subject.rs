//! The process that is looked at: it does one thing with secrets, and waits.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

use super::support::corpus::ring_of;
use super::support::forge::Random;
use super::support::keys::certificate;
use super::{FOLDER, JOB};
use sdi::{
    DeviceId, DeviceKey, Error, Form, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, Opener,
    Profile, RandomSource, Result, Sealer, Secret, SignatureScheme, SoftwareKey,
};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The keys that are made.
pub(crate) const MADE: [KeyAlgorithm; 4] =
    [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521, KeyAlgorithm::X25519];

/// A file's bytes, read without any buffer on the way.
fn read(path: &Path) -> Secret {
    let mut file = File::open(path).unwrap();
    let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    file.read_exact(&mut bytes).unwrap();
    Secret::from(bytes)
}

/// Randomness that the other process knows, because it comes out of a file. It writes down how much
/// was drawn each time.
pub(crate) struct Drawn {
    pub(crate) file: File,
    pub(crate) lengths: Vec<usize>,
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
pub(crate) enum Way {
    Whole,
    InPlace,
    Stream,
    Held,
    /// A stream that is dropped in the middle of the content.
    GivenUp,
    /// A stream whose receiver fails.
    FailingSink,
}

pub(crate) const WAYS: [Way; 6] =
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

//! Files of the corpus, changed at random, given to this library and to OpenSSL. Where one opens what
//! the other refuses, or the plaintexts differ, a row of `explained.md` has to say why.
//!
//! `SDI_DIFFERENTIAL=100000 cargo test --release --test differential` makes more of them, and
//! `SDI_DIFFERENTIAL_SEED` others. What nobody can explain is written to the build's temporary folder.

#![cfg(all(feature = "rsa", feature = "p384", feature = "p521", feature = "legacy"))]

mod armor;
mod classes;
mod mutations;
mod normal;
mod oracle;
#[path = "../support/mod.rs"]
mod support;
mod tally;

use classes::{Disagreement, class};
use oracle::{Oracle, Verdict};
use sdi::{KeyAlgorithm, KeyRing};
use std::path::{Path, PathBuf};
use support::corpus::{Expect, cases};
use support::der::Node;
use support::forge::Random;
use tally::Tally;

/// Changed files, where the environment does not say otherwise.
const FILES: u64 = 6000;
const SEED: u64 = 8886;
/// Files whose inside changes are worth their time.
const LARGEST: usize = 3000;

/// A device, as both sides know it.
struct Device {
    ring: KeyRing,
    /// Its place among OpenSSL's devices.
    place: usize,
    /// issuerAndSerialNumber of its certificate.
    name: Vec<u8>,
    is_rsa: bool,
    /// The files of key and certificate.
    files: [PathBuf; 2],
}

/// A file of the corpus that opens.
struct Seed {
    id: String,
    file: Vec<u8>,
    plaintext: Vec<u8>,
    device: usize,
}

/// Files that open, of the armor that is wanted (binary ones have none), and their devices.
fn seeds(is_wanted: fn(&[u8]) -> bool) -> (Vec<Seed>, Vec<Device>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let (mut seeds, mut devices) = (Vec::new(), Vec::<Device>::new());
    for case in cases("corpus") {
        let file = case.message();
        if case.expect() != Expect::Plaintext || file.len() > LARGEST || !is_wanted(&file) {
            continue;
        }
        let files = ["key", "cert"].map(|what| folder.join(case.text(what).expect("it has both")));
        let known = devices.iter().position(|device| device.files == files);
        let device = known.unwrap_or_else(|| {
            let certificate = case.certificate();
            devices.push(Device {
                ring: case.ring(),
                place: devices.len(),
                name: normal::name_of(certificate.der()),
                is_rsa: matches!(certificate.public_key().algorithm(), KeyAlgorithm::Rsa(_)),
                files,
            });
            devices.len() - 1
        });
        seeds.push(Seed { id: case.id().to_owned(), plaintext: case.plaintext(), file, device });
    }
    (seeds, devices)
}

fn is_binary(file: &[u8]) -> bool {
    file[0] == 0x30
}

fn oracle(devices: &[Device]) -> Oracle {
    Oracle::new(devices.iter().flat_map(|device| device.files.clone()).collect())
}

fn opened(file: &[u8], ring: &KeyRing) -> sdi::Result<Vec<u8>> {
    sdi::open(file, ring).map(|opened| opened.into_plaintext().into_bytes())
}

/// The control: as they are, all of these files open on both sides, to the same plaintext.
#[test]
fn the_corpus_opens_on_both_sides() {
    let (seeds, devices) = seeds(is_binary);
    let mut oracle = oracle(&devices);
    for seed in &seeds {
        let device = &devices[seed.device];
        assert_eq!(opened(&seed.file, &device.ring).as_ref(), Ok(&seed.plaintext), "{}", seed.id);
        let theirs = oracle.judge(device.place, &seed.file);
        assert!(
            matches!(&theirs, Verdict::Opened { plaintext, by_key_alone: false, used }
                if *plaintext == seed.plaintext && *used == seed.file.len()),
            "{}: {theirs:?}",
            seed.id
        );
        // And reduced to what is read of them, for the device's recipient at least.
        let reduced = normal::reduced(&seed.file, &device.name);
        let open = reduced.iter().any(|file| {
            opened(file, &device.ring).as_ref() == Ok(&seed.plaintext)
                && matches!(oracle.judge(device.place, file), Verdict::Opened { plaintext, .. }
                    if plaintext == seed.plaintext)
        });
        assert!(open, "{} is not reduced well", seed.id);
    }
    println!("{} files open on both sides", seeds.len());
    assert!(seeds.len() > 300, "{}", seeds.len());
}

#[test]
fn every_disagreement_is_explained() {
    let mut tally = Tally::new(FILES, SEED, |row| !row.starts_with("armor-"));
    let (seeds, devices) = seeds(is_binary);
    let mut oracle = oracle(&devices);
    let mut pool = Vec::new();
    for seed in seeds.iter().step_by(7) {
        let mut tree = Node::parse(&seed.file);
        pool.extend(tree.paths().iter().map(|path| tree.at(path).clone()));
    }
    let mut random = Random(tally.start);
    for number in tally.numbers() {
        let seed = &seeds[random.below(seeds.len())];
        let device = &devices[seed.device];
        let (file, changes) = mutations::mutated(&seed.file, &pool, &mut random);
        let ours = opened(&file, &device.ring);
        let theirs = oracle.judge(device.place, &file);
        match (&ours, &theirs) {
            (Ok(ours), Verdict::Opened { plaintext, by_key_alone: false, .. })
                if ours == plaintext =>
            {
                tally.both();
            }
            (Err(_), Verdict::Unreadable(_) | Verdict::Refused(_)) => tally.neither(),
            _ => {
                let case = Disagreement {
                    file: &file,
                    device,
                    original: &seed.plaintext,
                    ours: &ours,
                    theirs: &theirs,
                };
                let row = class(&case, &mut oracle);
                tally.disagreement(row, number, &file, || {
                    let ours = ours.as_ref().map(|text| *text == seed.plaintext);
                    format!("{} {changes}: ours {ours:?}, theirs {theirs:?}", seed.id)
                });
            }
        }
    }
    tally.end();
}

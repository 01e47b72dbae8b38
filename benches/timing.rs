//! A t-test of times, after dudect: does a refusal take longer for one kind of secret than for another?
//!
//! Informational, and never a test: what a shared machine measures is noise, and a |t| below 4.5 says
//! only that so many runs showed nothing. The proof without a clock is `tests/ctgrind`.
//!
//! `cargo bench --bench timing` or, with a number of runs for each class, `.. -- 100000`.

#[path = "../tests/support/mod.rs"]
mod support;

use sdi::{DeviceKey, Error, KeyError, KeyRing, PeerPoint, PublicKey, Secret};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use support::corpus::case;
use support::der::Node;
use support::forge::{self, Random, Suite, WRAPS};
use support::keys::Device;

/// Above this a difference is no accident any more.
const SUSPICIOUS: f64 = 4.5;
/// Files of each class, so that no single file's luck is measured.
const FILES: usize = 64;

/// Mean and variance of numbers that come one by one (Welford).
#[derive(Default)]
struct Class {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Class {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let away = value - self.mean;
        self.mean += away / self.count;
        self.squares += away * (value - self.mean);
    }

    fn variance(&self) -> f64 {
        self.squares / (self.count - 1.0)
    }
}

/// Welch's t of two classes.
fn t(classes: &[Class; 2]) -> f64 {
    let [one, other] = classes;
    let spread = one.variance() / one.count + other.variance() / other.count;
    (one.mean - other.mean) / spread.sqrt()
}

/// Opens files of both classes in random order; each of them has to fail in the same way.
fn measure(what: &str, keys: &KeyRing, files: &[Vec<Vec<u8>>; 2], runs: usize) {
    let mut random = Random(7);
    let mut times = [Vec::new(), Vec::new()];
    // Every file is opened at the same place. Where it lies decides how fast it is read, and a class
    // whose files lie better would be a class that is faster.
    let mut place = Vec::new();
    for _ in 0..2 * runs {
        let class = random.below(2);
        place.clear();
        place.extend_from_slice(&files[class][random.below(FILES)]);
        let start = Instant::now();
        let answer = black_box(sdi::open(black_box(&place), keys));
        let time = start.elapsed();
        assert_eq!(answer.expect_err("every file is damaged"), Error::Decrypt);
        times[class].push(time.as_secs_f64() * 1e9);
    }
    // The slowest are interrupts: what is above a percentile of all is left out, for several ones.
    let mut all: Vec<f64> = times.concat();
    all.sort_by(f64::total_cmp);
    let mut worst = 0.0_f64;
    for percent in [50, 75, 90, 99, 100] {
        let limit = all[(all.len() * percent / 100).max(1) - 1];
        let mut classes = [Class::default(), Class::default()];
        for (class, times) in classes.iter_mut().zip(&times) {
            times.iter().filter(|time| **time <= limit).for_each(|time| class.add(*time));
        }
        if t(&classes).abs() > worst.abs() {
            worst = t(&classes);
        }
    }
    let median = all[all.len() / 2] / 1000.0;
    let verdict = if worst.abs() < SUSPICIOUS { "nothing to see" } else { "look closer" };
    println!("{what}: t = {worst:+.2} in {} runs, median {median:.1} us: {verdict}", all.len());
}

/// A8, A9: good PKCS#1 v1.5 padding around a wrong key, and bad padding.
fn rsa_padding(runs: usize) {
    let device = case("openssl/gcm-rsa2048-aes256").device();
    let public = device.key.public_key();
    let len = forge::modulus_len(public);
    let mut random = Random(8);
    let content = Suite::Aes256Gcm.encrypt(&[3; 32], b"hostname r1\n");
    let files = [true, false].map(|good| {
        let mut file = || {
            let key = random.bytes(32);
            let mut block = forge::pkcs1_block(len, &key, &mut random);
            if !good {
                // No zero ends the padding.
                let at = len - 33;
                block[at] = 1;
            }
            content.to([forge::pkcs1_recipient(public, &block)])
        };
        (0..FILES).map(|_| file()).collect()
    });
    measure("PKCS#1 v1.5 padding, good or bad", &device.ring(), &files, runs);
}

/// A module that always agrees on the same secret, so that no curve's time is in the way.
#[derive(Debug)]
struct Agreed(PublicKey, Vec<u8>);

impl DeviceKey for Agreed {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn agree(&self, _: PeerPoint<'_>) -> Result<Secret, KeyError> {
        Ok(Secret::from(self.1.clone()))
    }
}

/// A19: CBC padding that is wrong in its last byte, or in its first.
fn cbc_padding(runs: usize) {
    let device = case("openssl/cms-p256-aes-256-cbc").device();
    let public = device.key.public_key().clone();
    let point = Node::parse(public.spki_der()).at(&[1]).body()[1..].to_vec();
    let peer = p256::PublicKey::from_sec1_bytes(&point).expect("a P-256 key");
    let ephemeral = p256::SecretKey::from_slice(&forge::EPHEMERAL).expect("a scalar");
    let shared = ephemeral.diffie_hellman(&peer).raw_secret_bytes().to_vec();
    let mut random = Random(9);
    let files = [16, 1].map(|wrong| {
        let mut file = || {
            let key = random.bytes(32);
            let mut blocks = [random.bytes(1024), vec![16; 16]].concat();
            let at = blocks.len() - wrong;
            blocks[at] = 0;
            let content = forge::Content {
                algorithm: Suite::Aes256Cbc.algorithm(),
                ciphertext: forge::aes_cbc(&key, forge::IV, &blocks),
                tag: None,
            };
            content
                .to([forge::p256_recipient(&*device.key, WRAPS[2], |kek| forge::wrap(kek, &key))])
        };
        (0..FILES).map(|_| file()).collect()
    });
    let module = Device { key: Arc::new(Agreed(public, shared)), ..device.clone() };
    measure("CBC padding, wrong at its start or end", &module.ring(), &files, runs);
}

fn main() {
    let runs = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(10_000);
    cbc_padding(runs);
    rsa_padding(runs.div_ceil(10));
}

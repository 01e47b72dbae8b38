//! One call of the library, for valgrind to count its instructions: see instructions.sh.
//!
//! Keys and randomness are always the same, so that the same build always counts the same.
#![expect(clippy::unwrap_used, reason = "a panic ends the measurement")]

use sdi::{
    Certificate, DeviceId, Form, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, Profile,
    RandomSource, SoftwareKey,
};
use std::hint::black_box;
use std::sync::Arc;

/// Bytes from a counter: whatever they are, they are the same in each run.
struct Counter(u8);

impl RandomSource for Counter {
    fn fill(&mut self, out: &mut [u8]) -> sdi::Result<()> {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(113);
            *byte = self.0;
        }
        Ok(())
    }
}

#[inline(never)]
fn counted_open(file: &[u8], ring: &KeyRing) {
    black_box(sdi::open(black_box(file), ring).unwrap());
}

#[inline(never)]
fn counted_seal(plaintext: &[u8], to: &[Certificate], profile: Profile, form: Form) {
    black_box(sdi::seal_as(black_box(plaintext), to, profile, form, &mut Counter(1)).unwrap());
}

/// PEM with so many bytes more behind its first line of base64, where blanks may stand: as long as the
/// longest line, or lines without anything, so that whoever looks ahead looks far.
fn with_blanks(file: &[u8], size: usize) -> Vec<u8> {
    const LONG: usize = 8000;
    let period = [&[b' '; LONG][..], b"\n", &[b' '; LONG], &[b'\n'; LONG]].concat();
    let lines = file.split_inclusive(|&byte| byte == b'\n');
    let head: usize = lines.take(2).map(<[u8]>::len).sum();
    let (head, rest) = file.split_at(head);
    [head, &period.repeat(size.div_ceil(period.len())), rest].concat()
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [operation, profile, form, size] = words.as_slice() else {
        // `cargo bench` runs it without a word.
        return println!("benches/instructions.sh runs this under valgrind");
    };
    let profile = match profile.as_str() {
        "cbc" => Profile::Rfc8886,
        _ => Profile::Authenticated,
    };
    let form = match form.as_str() {
        "der" => Form::Der,
        _ => Form::Pem,
    };
    let size = size.parse().unwrap();
    let plaintext = vec![b'x'; size];
    let key = Arc::new(SoftwareKey::generate(KeyAlgorithm::P256, &mut Counter(2)).unwrap());
    let builder = IdentityBuilder::new(DeviceId::new("SN19842256").unwrap(), 1_700_000_000);
    let to = [builder.self_sign(key.as_ref()).unwrap()];
    let mut ring = KeyRing::new();
    ring.set_vendor(Identity::new(key, Some(to[0].clone())).unwrap()).unwrap();
    match operation.as_str() {
        "open" if words[2] == "blanks" => {
            let file = sdi::seal_as(b"x", &to, profile, form, &mut Counter(3)).unwrap();
            counted_open(&with_blanks(&file, size), &ring);
        }
        "open" => {
            let file = sdi::seal_as(&plaintext, &to, profile, form, &mut Counter(3)).unwrap();
            counted_open(&file, &ring);
        }
        _ => counted_seal(&plaintext, &to, profile, form),
    }
}

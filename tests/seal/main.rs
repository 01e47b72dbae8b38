//! Sealing: what comes out, who can open it, and what is refused. Public API only.

#![cfg(all(
    feature = "std",
    feature = "rsa",
    feature = "p384",
    feature = "p521",
    feature = "x25519",
    feature = "seal",
    feature = "identity"
))]

mod derived;
mod openssl;
mod refuse;
mod stream;
mod structure;
#[path = "../support/mod.rs"]
mod support;

use sdi::{
    Certificate, DeviceId, DeviceKey, Form, IdentityBuilder, KeyAlgorithm, Profile, RandomSource,
    Result, Sealer, SoftwareKey, SystemRandom,
};

const PROFILES: [Profile; 3] = [Profile::Auto, Profile::Rfc8886, Profile::Authenticated];
const FORMS: [Form; 4] = [Form::Pem, Form::Der, Form::Smime, Form::MagicDer];
const MAGIC: &[u8] = b"\x89SDI\r\n\x1a\n";

/// Bytes without a pattern that a block would repeat.
fn plaintext(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Fixed::new(7).fill(&mut bytes).expect("it never fails");
    bytes
}

/// The same bytes for the same seed.
#[derive(Debug)]
struct Fixed(u64);

impl Fixed {
    const fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl RandomSource for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        for byte in out {
            // Knuth's MMIX; only the high bits are any good.
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

/// A new key and a certificate that lists what this library opens.
fn capable(algorithm: KeyAlgorithm) -> (SoftwareKey, Certificate) {
    let key = SoftwareKey::generate(algorithm, &mut SystemRandom).expect("a key can be made");
    let id = DeviceId::new("SN1").expect("it is an identifier");
    let builder = IdentityBuilder::new(id, 0);
    let certificate = builder.wrap(key.public_key(), &mut SystemRandom).expect("it can be wrapped");
    (key, certificate)
}

/// Seals as a stream, in chunks.
fn streamed(
    plaintext: &[u8],
    to: &[Certificate],
    profile: Profile,
    form: Form,
    chunk: usize,
    length_is_known: bool,
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut sink = |bytes: &[u8]| {
        assert!(!bytes.is_empty(), "a sink is never given nothing");
        file.extend_from_slice(bytes);
        Ok(())
    };
    let mut sealer = Sealer::new(to, profile, form, &mut Fixed::new(1)).expect("it can be sealed");
    if length_is_known {
        sealer.set_length(plaintext.len() as u64).expect("nothing was pushed");
    }
    for chunk in plaintext.chunks(chunk) {
        sealer.push(chunk, &mut sink).expect("it can be sealed");
    }
    sealer.finish(&mut sink).expect("it can be sealed");
    file
}

//! The memory of sealing: what is freed holds no secret, and a stream takes the same room however
//! long it is.
//!
//! Its own test program with one test, because the allocator and its counters belong to the process.

#![cfg(all(
    feature = "std",
    feature = "rsa",
    feature = "p384",
    feature = "p521",
    feature = "x25519",
    feature = "seal",
    feature = "identity"
))]

mod support;

use sdi::{Certificate, DeviceId, DeviceKey, Form, IdentityBuilder, KeyAlgorithm, Profile};
use sdi::{RandomSource, Result, Sealer, SoftwareKey, SystemRandom, seal_as};
use std::hint::black_box;
use support::freed::{Watching, forget, hide, watched};

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// The same bytes each time. Hides the draws of 32 bytes: content key and ephemeral keys.
struct Source {
    state: u64,
    hides: bool,
}

impl RandomSource for Source {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        for byte in out.iter_mut() {
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = self.state.to_be_bytes()[0];
        }
        if self.hides && out.len() >= 32 {
            hide(out);
        }
        Ok(())
    }
}

fn certificate(algorithm: KeyAlgorithm) -> Certificate {
    let key = SoftwareKey::generate(algorithm, &mut SystemRandom).expect("a key");
    let builder = IdentityBuilder::new(DeviceId::new("SN1").expect("an identifier"), 0);
    builder.wrap(key.public_key(), &mut SystemRandom).expect("it can be wrapped")
}

#[test]
fn a24_sealing_leaves_no_secret_and_takes_bounded_room() {
    let plaintext: Vec<u8> = b"enable secret 0 correct horse\n".repeat(1000);
    hide(&plaintext[..30]);
    // The control: the detector sees a copy.
    assert_eq!(watched(|| drop(black_box(plaintext[..30].to_vec()))).0, 2);
    assert_eq!(watched(|| drop(black_box(vec![7; 64]))).0, 0);

    let kinds = [
        KeyAlgorithm::P256,
        KeyAlgorithm::P384,
        KeyAlgorithm::P521,
        KeyAlgorithm::X25519,
        KeyAlgorithm::Rsa(2048),
    ];
    for kind in kinds {
        let to = [certificate(kind)];
        for profile in [Profile::Rfc8886, Profile::Authenticated] {
            let seal = |hides| {
                let mut random = Source { state: 1, hides };
                seal_as(&plaintext, &to, profile, Form::Pem, &mut random).unwrap()
            };
            seal(true);
            assert_eq!(watched(|| drop(seal(false))).0, 0, "{kind:?} {profile:?}");
            let (hits, ..) = watched(|| {
                let mut random = Source { state: 1, hides: false };
                let sealer = Sealer::new(&to, profile, Form::Pem, &mut random);
                let mut sealer = sealer.unwrap();
                sealer.push(&plaintext[..10_000], &mut |_: &[u8]| Ok(())).unwrap();
                // Given up with plaintext in its buffer.
                drop(sealer);
                let mut random = Source { state: 1, hides: false };
                let sealer = Sealer::new(&to, profile, Form::Pem, &mut random);
                let mut sealer = sealer.unwrap();
                sealer.push(&plaintext, &mut |_: &[u8]| Ok(())).unwrap();
                sealer.finish(&mut |_: &[u8]| Ok(())).unwrap();
            });
            assert_eq!(hits, 0, "{kind:?} {profile:?}");
        }
    }

    forget();
    let to = [certificate(KeyAlgorithm::P256)];
    let peak = |megabytes: usize, form| {
        let chunk = vec![0; 1 << 20];
        let (_, peak, ()) = watched(|| {
            let mut sink = |_: &[u8]| Ok(());
            let sealer = Sealer::new(&to, Profile::Auto, form, &mut SystemRandom);
            let mut sealer = sealer.unwrap();
            for _ in 0..megabytes {
                sealer.push(&chunk, &mut sink).unwrap();
            }
            sealer.finish(&mut sink).unwrap();
        });
        peak
    };
    for form in [Form::Pem, Form::Der] {
        let short = peak(1, form);
        assert!(short < 64 << 10, "{short} bytes");
        assert_eq!(peak(32, form), short);
    }
}

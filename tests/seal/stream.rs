//! The stream: the same file however the plaintext is cut, and whatever fails.

use crate::support::corpus::{Case, case};
use crate::support::openssl::device;
use crate::{FORMS, Fixed, PROFILES, plaintext, streamed};
use sdi::{Certificate, Error, Form, Profile, RandomSource, Result, Sealer, seal_as};

fn to(name: &str) -> [Certificate; 1] {
    [device(name).certificate.clone()]
}

#[test]
fn chunks_do_not_show() {
    let to = to("p256");
    for size in [0, 1, 15, 16, 17, 4097, 8191, 8192, 8193, 16_384, 16_400] {
        let plaintext = plaintext(size);
        for profile in PROFILES {
            for form in FORMS {
                let case = format!("{size} {profile:?} {form:?}");
                let at_once = seal_as(&plaintext, &to, profile, form, &mut Fixed::new(1)).unwrap();
                assert_eq!(at_once.capacity(), at_once.len(), "{case}: its length was known");
                let unknown = streamed(&plaintext, &to, profile, form, usize::MAX, false);
                assert!(unknown != at_once, "{case}");
                for chunk in [1, 7, 64, 4096, usize::MAX] {
                    let known = streamed(&plaintext, &to, profile, form, chunk, true);
                    assert!(known == at_once, "{case}, in chunks of {chunk}");
                    let other = streamed(&plaintext, &to, profile, form, chunk, false);
                    assert!(other == unknown, "{case}, in chunks of {chunk}");
                }
            }
        }
    }
}

/// What is drawn, and in which order, is a promise: content key, nonce, recipients.
#[test]
fn the_same_random_bytes_give_the_same_file() {
    let devices = ["openssl/cms-p256-aes-256-cbc", "openssl/enc-smime-rsa2048-der"].map(case);
    let to = devices.each_ref().map(Case::certificate);
    let plaintext = b"hostname golden\n";
    for (profile, golden) in [
        (Profile::Rfc8886, include_str!("golden/rfc8886.pem")),
        (Profile::Authenticated, include_str!("golden/authenticated.pem")),
    ] {
        let seal = |seed| {
            let mut random = Fixed::new(seed);
            let file = seal_as(plaintext, &to, profile, Form::Pem, &mut random);
            String::from_utf8(file.unwrap()).unwrap()
        };
        assert_eq!(seal(1), golden);
        assert_ne!(seal(2), golden);
        for device in &devices {
            let opened = sdi::open(golden.as_bytes(), &device.ring()).unwrap();
            assert_eq!(opened.plaintext(), plaintext);
        }
    }
}

#[test]
fn a_wrong_length_is_misuse() {
    let to = to("p256");
    for profile in PROFILES {
        let seal = |promised: u64, pushes: &[usize]| -> Result<Vec<u8>> {
            let mut file = Vec::new();
            let mut sealer = Sealer::new(&to, profile, Form::Der, &mut Fixed::new(1))?;
            sealer.set_length(promised)?;
            for &len in pushes {
                sealer.push(&plaintext(len), &mut file)?;
            }
            sealer.finish(&mut file)?;
            Ok(file)
        };
        for (promised, pushes) in [
            (10, &[9][..]),
            (10, &[]),
            (10, &[5, 4, 0]),
            (10, &[11]),
            (10, &[5, 6]),
            (0, &[1]),
            (20_000, &[19_999]),
            (8192, &[8192, 1]),
            (if usize::BITS < 64 { 1 << 30 } else { 1 << 35 }, &[1]),
        ] {
            let outcome = seal(promised, pushes);
            assert!(matches!(outcome, Err(Error::Misuse(_))), "{promised} {pushes:?}: {outcome:?}");
        }
        for (promised, pushes) in
            [(10, &[10][..]), (10, &[5, 0, 5]), (0, &[]), (0, &[0]), (20_000, &[8192, 11_808])]
        {
            seal(promised, pushes).unwrap();
        }
    }
}

/// Nothing of the plaintext that is too much comes out, and the sealer is of no more use.
#[test]
fn too_much_plaintext_ends_the_file() {
    let (to, mut file) = (to("p256"), Vec::new());
    let sealer = Sealer::new(&to, Profile::Auto, Form::Der, &mut Fixed::new(1));
    let mut sealer = sealer.unwrap();
    sealer.set_length(8192).unwrap();
    sealer.push(&[0; 8191], &mut file).unwrap();
    let before = file.len();
    assert!(matches!(sealer.push(&[0; 2], &mut file), Err(Error::Misuse(_))));
    assert!(matches!(sealer.push(&[0; 1], &mut file), Err(Error::Misuse(_))));
    assert!(sealer.set_length(8193).is_err());
    assert!(matches!(sealer.finish(&mut file), Err(Error::Misuse(_))));
    assert_eq!(file.len(), before);
}

#[test]
fn the_length_comes_before_the_file() {
    let (to, mut file) = (to("p256"), Vec::new());
    let mut sealer = Sealer::new(&to, Profile::Auto, Form::Der, &mut Fixed::new(1)).unwrap();
    sealer.set_length(99).unwrap();
    sealer.set_length(3).unwrap();
    sealer.push(b"ab", &mut file).unwrap();
    assert!(sealer.set_length(2).is_err());
    // The refused call has changed nothing.
    sealer.push(b"c", &mut file).unwrap();
    sealer.finish(&mut file).unwrap();
    assert_eq!(sdi::open(&file, &device("p256").ring).unwrap().plaintext(), b"abc");
}

#[test]
fn a_failing_sink_ends_the_file() {
    let (to, plaintext) = (to("p256"), plaintext(20_000));
    for form in FORMS {
        for length_is_known in [true, false] {
            let seal = |fails_at: usize| {
                let mut writes = 0;
                let mut sink = |_: &[u8]| {
                    writes += 1;
                    if writes == fails_at { Err(Error::Sink(-28)) } else { Ok(()) }
                };
                let sealer = Sealer::new(&to, Profile::Authenticated, form, &mut Fixed::new(1));
                let mut sealer = sealer.unwrap();
                if length_is_known {
                    sealer.set_length(20_000).unwrap();
                }
                let outcome = sealer.push(&plaintext, &mut sink);
                if outcome.is_err() {
                    let again = sealer.push(b"", &mut sink);
                    assert!(matches!(again, Err(Error::Misuse(_))), "{again:?}");
                    let end = sealer.finish(&mut sink);
                    assert!(matches!(end, Err(Error::Misuse(_))), "{end:?}");
                    return (outcome, writes);
                }
                (sealer.finish(&mut sink), writes)
            };
            let (outcome, writes) = seal(usize::MAX);
            assert_eq!(outcome, Ok(()));
            assert!(writes > 3, "{writes} writes");
            for fails_at in 1..=writes {
                // Nothing was written after the write that failed.
                assert_eq!(seal(fails_at), (Err(Error::Sink(-28)), fails_at), "{form:?}");
            }
        }
    }
}

/// Fails at one of its draws.
struct Failing {
    draws: usize,
    fails_at: usize,
}

impl RandomSource for Failing {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        self.draws += 1;
        if self.draws == self.fails_at {
            return Err(Error::Random(0x922));
        }
        Fixed::new(self.draws as u64).fill(out)
    }
}

#[test]
fn a_failing_source_of_randomness_gives_its_code() {
    let to = ["p256", "rsa2048", "p521"].map(|name| device(name).certificate.clone());
    for profile in PROFILES {
        let seal = |fails_at| {
            let mut random = Failing { draws: 0, fails_at };
            let outcome = seal_as(b"x", &to, profile, Form::Der, &mut random);
            (outcome.map(drop), random.draws)
        };
        let (outcome, draws) = seal(usize::MAX);
        assert_eq!(outcome, Ok(()));
        assert!(draws >= 5, "key, nonce and three recipients, not {draws}");
        for fails_at in 1..=draws {
            assert_eq!(seal(fails_at), (Err(Error::Random(0x922)), fails_at));
        }
    }
}

/// A source that is stuck must not hang the sealer, nor make a file that anybody opens.
#[test]
fn a_stuck_source_of_randomness_is_noticed() {
    struct Zeros;
    impl RandomSource for Zeros {
        fn fill(&mut self, out: &mut [u8]) -> Result<()> {
            out.fill(0);
            Ok(())
        }
    }
    for (name, profile) in [("p256", Profile::Auto), ("rsa2048", Profile::Rfc8886)] {
        let outcome = seal_as(b"x", &to(name), profile, Form::Der, &mut Zeros);
        assert_eq!(outcome, Err(Error::Random(0)), "{name}");
    }
}

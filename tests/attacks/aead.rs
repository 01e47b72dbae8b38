//! A13, A23: the tag of every AEAD that is opened counts, each bit of it.

use super::device::{device, watched};
use super::support::der::{Node, edited, octets, oid, path, sequence};
use super::support::forge::{self, AEADS, Suite};
use super::support::{CHUNKS, opened_every_way, streamed};
use sdi::{Error, KeyAlgorithm};

const KEY: [u8; 32] = *b"the content key of these files..";

/// 128 flips of the tag, for contents of four lengths and each AEAD.
#[test]
fn a23_every_bit_of_every_tag_counts() {
    let device = device(KeyAlgorithm::P256);
    let (ring, _) = watched(&device);
    let mut refused = 0;
    for suite in AEADS {
        let key = &KEY[..suite.key_len()];
        for len in [0, 1, 16, 65_536] {
            let plaintext = vec![b'x'; len];
            let content = suite.encrypt(key, &plaintext);
            let recipient =
                forge::p256_recipient(&*device.key, forge::WRAPS[2], |kek| forge::wrap(kek, key));
            let control = content.to([recipient.clone()]);
            assert_eq!(opened_every_way(&control, &ring).map(|(text, _)| text), Ok(plaintext));
            for bit in 0..128 {
                let mut content = content.clone();
                let tag = content.tag.as_mut().expect("an AEAD has a tag");
                tag[bit / 8] ^= 1 << (bit % 8);
                let file = content.to([recipient.clone()]);
                assert_eq!(sdi::open(&file, &ring).map(|_| ()), Err(Error::Decrypt));
                let mut buffer = file.clone();
                assert_eq!(sdi::open_in_place(&mut buffer, &ring), Err(Error::Decrypt));
                assert!(buffer.is_empty(), "unverified plaintext is left");
                let chunk = CHUNKS[bit % CHUNKS.len()];
                if len <= 16 || bit % 32 == 31 {
                    let (verdict, _) =
                        streamed(&file, &ring, chunk).expect("it stays in its error");
                    assert_eq!(verdict, Err(Error::Decrypt), "in chunks of {chunk}");
                }
                refused += 1;
            }
        }
    }
    println!("A23: {refused} damaged tags refused");
    assert_eq!(refused, 3 * 512);
}

/// What is held back comes out only when the tag is right, and then all of it.
#[test]
fn a13_held_plaintext_stays_inside() {
    let device = device(KeyAlgorithm::P256);
    let ring = device.ring();
    let content = Suite::Aes256Gcm.encrypt(&KEY, &[b'x'; 1000]);
    let recipient =
        forge::p256_recipient(&*device.key, forge::WRAPS[2], |kek| forge::wrap(kek, &KEY));
    let right = content.to([recipient]);
    let wrong = edited(&right, path::MAC, |tag| tag.body()[15] ^= 1);
    for (file, given) in [(right, 1000), (wrong, 0)] {
        let mut plaintext = Vec::new();
        let mut opener = sdi::Opener::new(&ring).unwrap();
        opener.hold(1000).unwrap();
        for piece in file.chunks(7) {
            opener.push(piece, &mut plaintext).unwrap();
            assert!(plaintext.is_empty(), "it comes out before it is verified");
        }
        assert_eq!(opener.finish(&mut plaintext).is_ok(), given > 0);
        assert_eq!(plaintext.len(), given);
    }
}

/// The list of AEADs that the tests walk over is the library's own: its dispatch has one arm for each
/// cipher that belongs in AuthEnvelopedData.
#[test]
fn a23_the_list_of_aeads_is_whole() {
    let source = include_str!("../../src/cms/content.rs");
    let arms = source.lines().map(str::trim).filter(|line| {
        let pattern = line.split("=>").next().unwrap_or_default().trim();
        pattern.starts_with("(oid::") && pattern.ends_with(", true)")
    });
    assert_eq!(arms.count(), AEADS.len());
}

/// ChaCha20-Poly1305 is not opened, and no key is asked.
#[test]
fn a23_chacha20_poly1305_is_unsupported() {
    let device = device(KeyAlgorithm::P256);
    let (ring, log) = watched(&device);
    let recipient =
        forge::p256_recipient(&*device.key, forge::WRAPS[2], |kek| forge::wrap(kek, &KEY));
    let mut content = Suite::Aes256Gcm.encrypt(&KEY, b"text");
    assert!(sdi::open(&content.to([recipient.clone()]), &ring).is_ok());
    log.take();
    for parameters in [octets([7; 12]), sequence([octets([7; 12])]), Node::Raw(Vec::new())] {
        content.algorithm = sequence([oid("1.2.840.113549.1.9.16.3.18"), parameters]);
        let verdict = opened_every_way(&content.to([recipient.clone()]), &ring);
        assert!(matches!(verdict, Err(Error::Unsupported(_))), "{verdict:?}");
    }
    assert_eq!(log.take(), [""; 0]);
}

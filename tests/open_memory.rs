//! The memory of opening: what is freed holds no plaintext, no content key, no key-encryption key and
//! no private key, whether a file opens or fails.
//!
//! Its own test program with one test, because the allocator and its counters belong to the process.

#![cfg(all(
    feature = "std",
    feature = "rsa",
    feature = "legacy",
    feature = "seal",
    feature = "identity"
))]

mod support;

use sdi::{Error, KeyAlgorithm, KeyRing, Opener, RandomSource, Result, Secret, SoftwareKey};
use std::hint::black_box;
use std::sync::Arc;
use support::der::{Node, edited, path};
use support::forge::{self, Content, Random, Suite, WRAPS};
use support::freed::{Watching, forget, hide, watched};
use support::keys::Device;

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// A source that gives what it once drew, so that the private key is known.
struct Drawn([u8; 32]);

impl RandomSource for Drawn {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        out.copy_from_slice(&self.0[..out.len()]);
        Ok(())
    }
}

/// Every way of opening: whole, in place, as a stream, held, given up half-way.
fn each_way(file: &[u8], ring: &KeyRing, opens: bool) {
    let mut buffer = file.to_vec();
    let in_place = sdi::open_in_place(&mut buffer, ring);
    assert_eq!(in_place.is_ok(), opens);
    drop(Secret::from(buffer));
    assert_eq!(sdi::open(file, ring).is_ok(), opens);
    for (chunk, hold, whole) in [
        (1, false, true),
        (64, true, true),
        (4096, false, true),
        (64, false, false),
        (64, true, false),
    ] {
        let mut nowhere = |_: &[u8]| Ok(());
        let mut opener = Opener::new(ring).expect("the ring has a key");
        if hold {
            opener.hold(100_000).expect("nothing was pushed");
        }
        let part = if whole { file } else { &file[..file.len() - 10] };
        let pushed = part.chunks(chunk).try_for_each(|piece| opener.push(piece, &mut nowhere));
        let finished = pushed.and_then(|()| opener.finish(&mut nowhere).map(|_| ()));
        assert_eq!(finished.is_ok(), opens && whole, "{finished:?}");
    }
    // A sink that fails in the middle of its plaintext.
    let mut opener = Opener::new(ring).expect("the ring has a key");
    let mut failing = |_: &[u8]| Err(Error::Sink(1));
    let failed =
        opener.push(file, &mut failing).and_then(|()| opener.finish(&mut failing).map(|_| ()));
    assert!(failed.is_err());
}

/// Files that open and files that fail, for a key. Each has a name.
fn files(
    content: &Content,
    recipient: &Node,
    bad_recipient: &Node,
) -> Vec<(&'static str, Vec<u8>, bool)> {
    let right = content.to([recipient.clone()]);
    let mut wrong_end = content.clone();
    match &mut wrong_end.tag {
        Some(tag) => tag[0] ^= 1,
        // The padding of the last block.
        None => {
            let at = wrong_end.ciphertext.len() - 17;
            wrong_end.ciphertext[at] ^= 0x40;
        }
    }
    let overfull = edited(&right, path::ENVELOPED, |enveloped| {
        enveloped.children().push(Node::Primitive(0x04, vec![1; 16]));
    });
    vec![
        ("right", right, true),
        ("a damaged end", wrong_end.to([recipient.clone()]), false),
        ("more behind it", overfull, false),
        ("a wrong recipient", content.to([bad_recipient.clone()]), false),
    ]
}

/// A24, A13.
#[test]
fn a24_a13_opening_leaves_no_secret() {
    // With CBC the last block is all text but for one byte.
    let last = b"snmp comm s3cr3";
    let plaintext = [&b"enable secret 0 correct horse\n".repeat(1000)[..], last].concat();
    assert_eq!(plaintext.len() % 16, 15);
    let mut random = Random(24);
    let content_key = random.bytes(32);
    let scalar: [u8; 32] = random.bytes(32).try_into().unwrap();
    hide(&plaintext[..30]);
    hide(last);
    hide(&content_key);
    // The control: the detector sees copies, also within a longer block.
    assert_eq!(watched(|| drop(black_box(content_key.clone()))).0, 2);
    assert!(watched(|| drop(black_box(plaintext[..1000].to_vec()))).0 > 2);
    assert_eq!(watched(|| drop(black_box(vec![7; 64]))).0, 0);

    let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut Drawn(scalar)).unwrap();
    hide(&scalar);
    let pem = key.to_pem().unwrap();
    assert!(watched(|| drop(black_box(scalar.to_vec()))).0 > 0);
    let device = Device::with_key(Arc::new(key), "device");
    let point = Node::parse(device.key.public_key().spki_der()).at(&[1]).body()[1..].to_vec();
    let peer = p256::PublicKey::from_sec1_bytes(&point).unwrap();
    let ephemeral = p256::SecretKey::from_slice(&forge::EPHEMERAL).unwrap();
    let shared = ephemeral.diffie_hellman(&peer);
    hide(shared.raw_secret_bytes());
    let mut kek = Vec::new();
    let to = |key: &[u8], kek_out: &mut Vec<u8>| {
        forge::p256_recipient(&*device.key, WRAPS[2], |kek| {
            *kek_out = kek.to_vec();
            forge::wrap(kek, key)
        })
    };
    let recipient = to(&content_key, &mut kek);
    hide(&kek);
    let mut bad = recipient.clone();
    bad.at(&[3, 0, 1]).body()[20] ^= 1;

    let mut judged = 0;
    for suite in [Suite::Aes256Gcm, Suite::Aes256Cbc] {
        let derived = forge::derived_key(&content_key, &suite.algorithm(), 32);
        hide(&derived);
        for content in [
            suite.encrypt(&content_key, &plaintext),
            Content { algorithm: suite.derived_algorithm(), ..suite.encrypt(&derived, &plaintext) },
        ] {
            for (what, file, opens) in files(&content, &recipient, &bad) {
                let (hits, ..) = watched(|| {
                    let key = SoftwareKey::parse(pem.as_bytes()).unwrap();
                    let key = Device { key: Arc::new(key), ..device.clone() };
                    each_way(&file, &key.ring(), opens);
                });
                assert_eq!(hits, 0, "{suite:?}, {what}");
                judged += 1;
            }
        }
    }
    assert_eq!(judged, 16);

    // Keys that are made, and files that are no keys.
    let (hits, ..) = watched(|| {
        let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut Drawn(scalar)).unwrap();
        drop(key.to_pem().unwrap());
        for cut in [10, 60, 100, 150, 200] {
            assert!(SoftwareKey::parse(&pem.as_bytes()[..cut]).is_err());
        }
        let mut damaged = Secret::from(pem.as_bytes().to_vec()).into_bytes();
        damaged[80] ^= 1;
        let damaged = Secret::from(damaged);
        let _ = SoftwareKey::parse(damaged.as_bytes());
    });
    assert_eq!(hits, 0);

    // RSA: the plaintext and the content key. Of the block that held the key the back end leaves
    // copies, as `SoftwareKey` and SECURITY.md say, so the key is not looked for.
    forget();
    hide(&plaintext[..30]);
    let case = support::corpus::case("openssl/gcm-rsa2048-aes256");
    let device = case.device();
    let public = device.key.public_key();
    let len = forge::modulus_len(public);
    let block = forge::pkcs1_block(len, &content_key, &mut random);
    let recipient = forge::pkcs1_recipient(public, &block);
    let bad = forge::pkcs1_recipient(public, &[&[0, 1], &block[2..]].concat());
    let content = Suite::Aes256Gcm.encrypt(&content_key, &plaintext);
    for (what, file, opens) in files(&content, &recipient, &bad) {
        let (hits, ..) = watched(|| each_way(&file, &device.ring(), opens));
        assert_eq!(hits, 0, "RSA, {what}");
    }
}

//! A8, A10, A11: RSA recipients. A wrong padding, a wrong length and a wrong key are all the same, and
//! nobody guesses.

use super::device::{attempt, bare, device, keys, refusal, watched};
use super::support::corpus::ring_of;
use super::support::der::{Node, edited, null, octets, oid, path, sequence};
use super::support::forge::{
    Content, Random, Suite, modulus, modulus_len, pkcs1_block, pkcs1_recipient,
};
use super::support::keys::Device;
use super::support::opened_every_way;
use super::support::{self, forge};
use sdi::{
    Certificate, DeviceKey, Error, Form, KeyAlgorithm, KeyError, KeyRing, Owner, Profile,
    PublicKey, RsaScheme, Secret, seal_as,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

pub(super) const TEXT: &[u8] = b"hostname r1\n";
pub(super) const KEY: [u8; 32] = *b"the content key of these files..";

/// One RSA key in memory is asked for its block, once.
const ONE_OPERATION: [&str; 1] = ["key Raw"];

/// A number below the modulus, in as many bytes.
fn random_number(key: &PublicKey, random: &mut Random) -> Vec<u8> {
    let mut number = random.bytes(modulus_len(key));
    number[0] = 0;
    number
}

/// A file whose only recipient has this encrypted key.
fn with_encrypted_key(content: &Content, key: &PublicKey, encrypted: Vec<u8>) -> Vec<u8> {
    let transport = sequence([oid("1.2.840.113549.1.1.1"), null()]);
    content.to([forge::transport_recipient(key, transport, encrypted)])
}

/// Blocks that are no good padding around a key of 32 bytes, though each holds what a careless
/// reader would take for it.
pub(super) fn bad_blocks(len: usize, random: &mut Random) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (first, second) in [(0, 1), (0, 0), (1, 2), (0, 3), (2, 0), (0x7f, 2)] {
        let mut block = pkcs1_block(len, &KEY, random);
        block[..2].copy_from_slice(&[first, second]);
        all.push((format!("begins with {first} {second}"), block));
    }
    for short in 0..8 {
        // Zero bytes after so much padding, so that the key is preceded by zeros.
        let mut block = pkcs1_block(len, &KEY, random);
        block[2 + short..len - 32].fill(0);
        all.push((format!("{short} bytes of padding"), block));
    }
    let mut no_zero = pkcs1_block(len, &KEY, random);
    no_zero[len - 33] = 0x55;
    all.push(("no zero byte before the key".into(), no_zero));
    all.push((
        "no zero byte at all".into(),
        [&[0, 2], random.padding(len - 2).as_slice()].concat(),
    ));
    for key_len in [0, 1, 8, 15, 16, 17, 24, 31, 33, 64] {
        let key: Vec<u8> = KEY.iter().copied().cycle().take(key_len).collect();
        all.push((format!("a key of {key_len}"), pkcs1_block(len, &key, random)));
    }
    all
}

/// Ten thousand random encrypted keys and two hundred made by hand: one error, one operation.
#[test]
fn a08_million_message() {
    let device = device(KeyAlgorithm::Rsa(2048));
    let public = device.key.public_key();
    let (ring, log) = watched(&device);
    let content = Suite::Aes256Gcm.encrypt(&KEY, TEXT);
    let mut random = Random(8);
    let len = modulus_len(public);

    let control = content.to([pkcs1_recipient(public, &pkcs1_block(len, &KEY, &mut random))]);
    assert_eq!(opened_every_way(&control, &ring).map(|(text, _)| text), Ok(TEXT.to_vec()));
    assert!(log.take().iter().all(|asked| asked == ONE_OPERATION[0]));

    let mut refused = 0;
    let mut judge = |what: &str, file: &[u8], every_way: bool| {
        assert_eq!(refusal(file, &ring), Error::Decrypt, "{what}");
        assert_eq!(log.take(), ONE_OPERATION, "{what}");
        if every_way {
            assert_eq!(opened_every_way(file, &ring), Err(Error::Decrypt), "{what}");
            log.take();
        }
        refused += 1;
    };
    for number in 0..10_000 {
        let encrypted = random_number(public, &mut random);
        let file = with_encrypted_key(&content, public, encrypted);
        judge("random", &file, number % 200 == 0);
    }
    let mut by_hand = 0;
    while by_hand < 200 {
        for (what, block) in bad_blocks(len, &mut random) {
            judge(&what, &content.to([pkcs1_recipient(public, &block)]), by_hand % 4 == 0);
            by_hand += 1;
        }
    }
    println!("A8: {refused} RSA recipients refused, {by_hand} of them made by hand");
    assert!(by_hand >= 200 && refused == 10_000 + by_hand);
}

/// A number that is no block of the key: the same error, whatever the content is.
#[test]
fn a08_numbers_beyond_the_modulus() {
    let device = device(KeyAlgorithm::Rsa(2048));
    let public = device.key.public_key();
    let (ring, _) = watched(&device);
    for suite in [Suite::Aes256Gcm, Suite::Aes256Cbc] {
        let content = suite.encrypt(&KEY, TEXT);
        let modulus = modulus(public);
        let mut above = modulus.clone();
        *above.last_mut().unwrap() |= 0x80;
        above[0] = 0xff;
        for encrypted in [modulus, above, vec![0xff; modulus_len(public)]] {
            let file = with_encrypted_key(&content, public, encrypted);
            assert_eq!(opened_every_way(&file, &ring), Err(Error::Decrypt));
        }
        for number in [0, 1] {
            let mut encrypted = vec![0; modulus_len(public)];
            *encrypted.last_mut().unwrap() = number;
            let file = with_encrypted_key(&content, public, encrypted);
            assert_eq!(opened_every_way(&file, &ring), Err(Error::Decrypt), "{number}");
        }
    }
}

/// CBC content: the same, but for the padding accident, one in 255.
#[test]
fn a08_bad_padding_before_cbc() {
    let device = device(KeyAlgorithm::Rsa(2048));
    let public = device.key.public_key();
    let (ring, log) = watched(&device);
    let content = Suite::Aes256Cbc.encrypt(&KEY, TEXT);
    let mut random = Random(88);
    let (mut refused, mut accidents) = (0, 0);
    for (what, block) in (0..8).flat_map(|_| bad_blocks(modulus_len(public), &mut random)) {
        let file = content.to([pkcs1_recipient(public, &block)]);
        match sdi::open(&file, &ring) {
            Err(error) => {
                assert_eq!(error, Error::Decrypt, "{what}");
                refused += 1;
            }
            Ok(opened) => {
                assert_ne!(opened.plaintext(), TEXT, "{what}");
                accidents += 1;
            }
        }
        assert_eq!(log.take(), ONE_OPERATION, "{what}");
    }
    println!("A8: {refused} refused before CBC content, {accidents} padding accidents");
    assert!(refused >= 200 && accidents <= 8, "{refused} {accidents}");
}

/// A module with implicit rejection: bad padding gives a message of random length, the same for the
/// same block.
#[derive(Debug)]
struct Module(Arc<dyn DeviceKey>);

impl DeviceKey for Module {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        if scheme != RsaScheme::Pkcs1ImplicitRejection {
            return Err(KeyError::Unsupported);
        }
        let block = self.0.rsa_decrypt(RsaScheme::Raw, ciphertext)?;
        let block = block.as_bytes();
        let zero = block.iter().skip(2).position(|&byte| byte == 0).map(|at| at + 2);
        Ok(Secret::from(match zero {
            Some(zero) if block.starts_with(&[0, 2]) && zero >= 10 => block[zero + 1..].to_vec(),
            _ => {
                let digest = Sha256::digest(block);
                digest.iter().copied().cycle().take(usize::from(digest[31])).collect()
            }
        }))
    }
}

/// Sent again and again, a bad file fails or opens to the same garbage: a substitute key that were
/// drawn anew would tell bad padding from good.
#[test]
fn a08_the_same_file_a_thousand_times() {
    let device = device(KeyAlgorithm::Rsa(2048));
    let public = device.key.public_key().clone();
    let module = Device { key: Arc::new(Module(Arc::clone(&device.key))), ..device.clone() };
    let content = Suite::Aes256Cbc.encrypt(&KEY, TEXT);
    let mut random = Random(1000);
    let len = modulus_len(&public);
    let control = content.to([pkcs1_recipient(&public, &pkcs1_block(len, &KEY, &mut random))]);
    for ring in [device.ring(), module.ring()] {
        assert_eq!(opened_every_way(&control, &ring).map(|(text, _)| text), Ok(TEXT.to_vec()));
        let outcome =
            |file: &[u8]| sdi::open(file, &ring).map(|opened| opened.plaintext().to_vec());
        let bad = content.to([pkcs1_recipient(&public, &bad_blocks(len, &mut random)[0].1)]);
        let first = outcome(&bad);
        let same = (0..1000).filter(|_| outcome(&bad) == first).count();
        assert_eq!(same, 1000);
        // One whose substitute passes the padding by accident passes it each time.
        let mut opened = (0..2000).filter_map(|_| {
            let file = with_encrypted_key(&content, &public, random_number(&public, &mut random));
            outcome(&file).ok().map(|text| (file, text))
        });
        let (lucky, text) = opened.next().expect("one in 255 passes");
        assert!((0..20).all(|_| outcome(&lucky) == Ok(text.clone())));
        drop(opened);
    }
}

/// Every order of a P-256 and two RSA recipients; each device opens with its own.
#[test]
fn a10_orders_of_recipients() {
    const ORDERS: [[usize; 3]; 6] =
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let rsa = keys(KeyAlgorithm::Rsa(2048));
    let devices = [
        device(KeyAlgorithm::P256),
        Device::with_key(rsa[0].clone(), "first"),
        Device::with_key(rsa[1].clone(), "second"),
    ];
    let rings = devices.each_ref().map(Device::ring);
    let to: Vec<Certificate> = devices.iter().map(|device| device.certificate.clone()).collect();
    let mut random = Random(10);
    let (mut opens, mut right) = (0, 0);
    for message in 0..1000 {
        let text = format!("hostname r{message}\n").into_bytes();
        let profile = [Profile::Rfc8886, Profile::Authenticated][message % 2];
        let file = seal_as(&text, &to, profile, Form::Der, &mut random).unwrap();
        for order in ORDERS {
            let file = edited(&file, path::RECIPIENTS, |set| {
                let all = set.children().clone();
                *set.children() = order.map(|place| all[place].clone()).to_vec();
            });
            for ring in &rings {
                opens += 1;
                right += usize::from(sdi::open(&file, ring).is_ok_and(|o| o.plaintext() == text));
            }
            if message < 6 {
                let verdict = opened_every_way(&file, &rings[message % 3]);
                assert_eq!(verdict.map(|(text, _)| text), Ok(text.clone()));
            }
        }
    }
    println!("A10: {right} of {opens} opens are right");
    assert_eq!((opens, right), (18_000, 18_000));
}

/// A key alone is found at each of fifty places.
#[test]
fn a10_a_key_alone_at_every_place() {
    let mut random = Random(50);
    let ours = device(KeyAlgorithm::P256);
    let to: Vec<Certificate> = (1..50)
        .map(|_| sdi::SoftwareKey::generate(KeyAlgorithm::P256, &mut random).unwrap())
        .map(|key| support::keys::certificate(key.public_key(), "other"))
        .chain([ours.certificate.clone()])
        .collect();
    let (ring, _) = bare(&ours);
    for profile in [Profile::Rfc8886, Profile::Authenticated] {
        let file = seal_as(TEXT, &to, profile, Form::Der, &mut random).unwrap();
        let mut tree = Node::parse(&file);
        let recipients = tree.at(path::RECIPIENTS).children();
        assert_eq!(recipients.len(), 50);
        let mut open = 0;
        for _ in 0..50 {
            recipients.rotate_left(1);
            let recipients = recipients.clone();
            let file = edited(&file, path::RECIPIENTS, |set| *set.children() = recipients);
            let opened = sdi::open(&file, &ring).unwrap();
            assert_eq!((opened.plaintext(), opened.summary().owner()), (TEXT, Owner::Vendor));
            open += 1;
        }
        assert_eq!(open, 50);
    }
}

/// Ten thousand different files for another RSA key, on a device that has its key alone and so has
/// to try: some pass the padding of CBC by accident, and none is installed.
#[test]
fn a11_wrong_keys_that_pass_the_padding() {
    let mut rsa = keys(KeyAlgorithm::Rsa(2048));
    assert!(rsa.len() >= 2);
    rsa.sort_by_key(|key| modulus(key.public_key()));
    // The other's modulus is the smaller one, so that its blocks are blocks of ours, too.
    let (other, ours) = (rsa[0].public_key(), Device::with_key(rsa[1].clone(), "ours"));
    let text = b"interface ge-0/0/0 unit 0\n".repeat(40);
    assert!(text.len() >= 1024);
    let ring: KeyRing = ring_of(ours.bare());
    let mut random = Random(11);
    let len = modulus_len(other);

    let right = Suite::Aes256Cbc.encrypt(&KEY, &text);
    let ours = ours.key.public_key();
    let control = right.to([pkcs1_recipient(ours, &pkcs1_block(len, &KEY, &mut random))]);
    assert_eq!(attempt(&ring, &control).installed, Some(text.clone()));

    let (mut passed, mut installed) = (0, 0);
    for _ in 0..10_000 {
        let key = random.bytes(32);
        let content = Suite::Aes256Cbc.encrypt(&key, &text);
        let file = content.to([pkcs1_recipient(other, &pkcs1_block(len, &key, &mut random))]);
        let attempt = attempt(&ring, &file);
        assert!(attempt.decrypted || attempt.failure == Some(140), "{attempt:?}");
        passed += usize::from(attempt.decrypted);
        installed += usize::from(attempt.installed.is_some());
    }
    println!("A11: of 10000 wrong keys {passed} pass the padding, {installed} are installed");
    assert!((14..=64).contains(&passed), "{passed} pass: the test does not test");
    assert_eq!(installed, 0);
}

/// A P-256 key tells a wrong key at once: nothing passes.
#[test]
fn a11_wrong_p256_keys_never_pass() {
    let keys = keys(KeyAlgorithm::P256);
    let (other, ours) = (&keys[0], Device::with_key(keys[1].clone(), "ours"));
    let ring = ring_of(ours.bare());
    let content = Suite::Aes256Cbc.encrypt(&KEY, TEXT);
    let to = |key: &dyn DeviceKey, content_key: &[u8]| {
        content
            .to([forge::p256_recipient(key, forge::WRAPS[2], |kek| forge::wrap(kek, content_key))])
    };
    assert_eq!(attempt(&ring, &to(&*ours.key, &KEY)).installed, Some(TEXT.to_vec()));
    let mut random = Random(256);
    let passed = (0..1000).filter(|_| {
        let attempt = attempt(&ring, &to(other.as_ref(), &random.bytes(32)));
        attempt.decrypted || attempt.failure != Some(140)
    });
    assert_eq!(passed.count(), 0);
}

/// A file with one block of content, under an IV that the attacker chooses, is taken once in 256. A key
/// that was badly padded must then be taken as a good one is: whatever becomes of the IV's other bytes.
#[test]
fn a08_the_substitute_key_does_not_follow_the_iv() {
    let device = Device::new(KeyAlgorithm::Rsa(2048), "SN1");
    let ring = device.ring();
    let key = device.key.public_key();
    let mut random = Random(8);
    let block = random.bytes(16);
    let takes = |recipient: &Node, iv: &[u8]| {
        let algorithm = sequence([oid("2.16.840.1.101.3.4.1.42"), octets(iv)]);
        let content = Content { algorithm, ciphertext: block.clone(), tag: None };
        sdi::open(&content.to([recipient.clone()]), &ring).is_ok()
    };
    let good = pkcs1_block(modulus_len(key), &KEY, &mut random);
    let bad = bad_blocks(modulus_len(key), &mut random).into_iter().step_by(3);
    let (mut tried, mut taken) = (0, 0);
    for (what, padded) in bad.chain([("good".to_owned(), good)]) {
        let recipient = pkcs1_recipient(key, &padded);
        let mut iv = random.bytes(16);
        let last = (0..=255).find(|&last| {
            iv[15] = last;
            takes(&recipient, &iv)
        });
        assert!(last.is_some(), "{what}: some last byte makes the padding good");
        for changed in 0..4 {
            iv[changed] ^= 0x41;
            tried += 1;
            taken += usize::from(takes(&recipient, &iv));
        }
    }
    // A padding of 02 02 and longer ends with a byte that was changed once in 60,000.
    assert!(tried > 20 && taken == tried, "{taken} of {tried}");
}

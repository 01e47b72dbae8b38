//! A19, A20: padding and pieces of content.

use super::device::{device, refusal, watched};
use super::support::der::{Node, octets, oid, sequence};
use super::support::forge::{self, Content, Suite, WRAPS};
use super::support::keys::Device;
use super::support::opened_every_way;
use sdi::{Error, KeyAlgorithm};
use std::panic::{AssertUnwindSafe, catch_unwind};

const KEY: [u8; 32] = *b"the content key of these files..";
const IV: [u8; 16] = [0x17; 16];

fn recipient(device: &Device) -> Node {
    forge::p256_recipient(&*device.key, WRAPS[2], |kek| forge::wrap(kek, &KEY))
}

/// A file whose content decrypts to these whole blocks, padding and all, cut to `len` bytes.
fn cbc(device: &Device, blocks: &[u8], len: usize) -> Vec<u8> {
    let mut ciphertext = forge::aes_cbc(&KEY, IV, blocks);
    ciphertext.truncate(len);
    let algorithm = sequence([oid(Suite::Aes256Cbc.oid()), octets(IV)]);
    Content { algorithm, ciphertext, tag: None }.to([recipient(device)])
}

/// Content of 0 to 33 bytes, and every last byte. Only whole blocks with a padding of 1 to 16 bytes
/// open; the padding is right where it can be.
#[test]
fn a19_every_length_and_last_byte() {
    let device = device(KeyAlgorithm::P256);
    let (ring, _) = watched(&device);
    let (mut files, mut opened, mut panics) = (0, 0, 0);
    for len in 0..=33_usize {
        for last in 0..=255_u8 {
            // As many blocks as are needed, and the padding before the cut.
            let mut blocks = vec![b'a'; len.next_multiple_of(16)];
            let whole = len - len % 16;
            let padding = usize::from(last).min(whole);
            blocks[whole - padding..whole].fill(last);
            if let Some(byte) = blocks[..whole].last_mut() {
                *byte = last;
            }
            let file = cbc(&device, &blocks, len);
            files += 1;
            let verdict = catch_unwind(AssertUnwindSafe(|| sdi::open(&file, &ring)));
            let should_open = len % 16 == 0 && len > 0 && (1..=16).contains(&last);
            match verdict {
                Ok(Ok(found)) => {
                    assert!(should_open, "{len} {last}");
                    assert_eq!(found.plaintext(), &blocks[..len - usize::from(last)]);
                    opened += 1;
                }
                Ok(Err(error)) => {
                    assert!(!should_open, "{len} {last}");
                    assert_eq!(error, Error::Decrypt, "{len} {last}");
                }
                Err(_) => panics += 1,
            }
            if files % 87 == 0 {
                assert_eq!(opened_every_way(&file, &ring).is_ok(), should_open, "{len} {last}");
            }
        }
    }
    println!("A19: {files} files, {opened} open, {panics} panics");
    assert_eq!((files, opened, panics), (8704, 2 * 16, 0));
}

/// One byte of the padding is another: each place, each length of padding.
#[test]
fn a19_wrong_bytes_within_the_padding() {
    let device = device(KeyAlgorithm::P256);
    let (ring, _) = watched(&device);
    let mut refused = 0;
    for padding in 1..=16_u8 {
        let text = vec![b'a'; 32 - usize::from(padding)];
        let right = forge::padded(&text, 16);
        assert_eq!(sdi::open(&cbc(&device, &right, 32), &ring).unwrap().plaintext(), text);
        for place in 1..=usize::from(padding) {
            for wrong in [0, padding ^ 0x80, padding.wrapping_add(1), 17, 255] {
                let mut blocks = right.clone();
                blocks[32 - place] = wrong;
                // The last byte decides: with it the rest may be right again.
                let last = usize::from(blocks[31]);
                let again = (1..=16).contains(&last)
                    && blocks[32 - last..].iter().all(|&byte| usize::from(byte) == last);
                if !again {
                    assert_eq!(refusal(&cbc(&device, &blocks, 32), &ring), Error::Decrypt);
                    refused += 1;
                }
            }
        }
    }
    println!("A19: {refused} paddings with a wrong byte refused");
    assert!(refused > 600, "{refused}");
}

/// Triple DES has blocks of eight: the same rule with eight.
#[cfg(feature = "legacy")]
#[test]
fn a19_triple_des_pads_to_eight() {
    let device = device(KeyAlgorithm::P256);
    let (ring, _) = watched(&device);
    for len in 0..=17 {
        let text = vec![b'a'; len];
        let content = Suite::TripleDes.encrypt(&KEY[..24], &text);
        let to = forge::p256_recipient(&*device.key, WRAPS[2], |kek| forge::wrap(kek, &KEY[..24]));
        let file = content.to([to.clone()]);
        assert_eq!(opened_every_way(&file, &ring).map(|(text, _)| text), Ok(text));
        let cut = Content { ciphertext: content.ciphertext[..len / 8 * 8].to_vec(), ..content };
        // Without its last block the last byte is an a, which is no padding.
        assert_eq!(opened_every_way(&cut.to([to]), &ring), Err(Error::Decrypt), "{len}");
    }
}

/// What looks like an OCTET STRING or a SEQUENCE is the operator's, and comes back as it is; also in
/// pieces, whose sizes do not show.
#[test]
fn a20_plaintext_that_looks_like_der() {
    let device = device(KeyAlgorithm::P256);
    let (ring, _) = watched(&device);
    for text in
        [&[4, 3, 1, 2, 3][..], &[0x30, 0x80, 0, 0], &[0x24, 0x80, 4, 1, b'a', 0, 0], &[4, 0], b""]
    {
        for suite in [Suite::Aes256Cbc, Suite::Aes256Gcm] {
            let content = suite.encrypt(&KEY, text);
            let file = content.to([recipient(&device)]);
            assert_eq!(opened_every_way(&file, &ring).map(|(text, _)| text), Ok(text.to_vec()));
        }
    }
}

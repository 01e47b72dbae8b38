//! Files as an attacker makes them: any content key, any wrapping, any content; right but for what a
//! test breaks. The cryptography here is other people's crates or a few lines of its own, not the
//! library's.

use super::der::{Node, integer, null, octets, oid, sequence, set};
use super::gcm;
use aes_kw::cipher::KeyInit;
use hmac::{Hmac, Mac};
use p256::elliptic_curve::sec1::ToSec1Point;
use rsa::BoxedUint;
use sdi::{DeviceKey, PublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Bytes that look random and are the same in every run (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("it fits");
        usize::try_from(self.next() % end).expect("it fits")
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_be_bytes()[0]).collect()
    }

    /// Bytes of which none is zero.
    pub(crate) fn padding(&mut self, len: usize) -> Vec<u8> {
        self.bytes(len).into_iter().map(|byte| byte.max(1)).collect()
    }
}

impl sdi::RandomSource for Random {
    fn fill(&mut self, out: &mut [u8]) -> sdi::Result<()> {
        out.copy_from_slice(&self.bytes(out.len()));
        Ok(())
    }
}

/// A content encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suite {
    Aes128Cbc,
    Aes192Cbc,
    Aes256Cbc,
    TripleDes,
    Aes128Gcm,
    Aes192Gcm,
    Aes256Gcm,
}

/// The AEADs that are opened. One that is added later is added here, and so enters every test that
/// walks over this list.
pub(crate) const AEADS: [Suite; 3] = [Suite::Aes128Gcm, Suite::Aes192Gcm, Suite::Aes256Gcm];

const NONCE: [u8; 12] = *b"twelve bytes";
pub(crate) const IV: [u8; 16] = *b"initial sixteen.";

impl Suite {
    pub(crate) const fn oid(self) -> &'static str {
        match self {
            Self::Aes128Cbc => "2.16.840.1.101.3.4.1.2",
            Self::Aes192Cbc => "2.16.840.1.101.3.4.1.22",
            Self::Aes256Cbc => "2.16.840.1.101.3.4.1.42",
            Self::TripleDes => "1.2.840.113549.3.7",
            Self::Aes128Gcm => "2.16.840.1.101.3.4.1.6",
            Self::Aes192Gcm => "2.16.840.1.101.3.4.1.26",
            Self::Aes256Gcm => "2.16.840.1.101.3.4.1.46",
        }
    }

    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes128Gcm => 16,
            Self::Aes192Cbc | Self::Aes192Gcm | Self::TripleDes => 24,
            Self::Aes256Cbc | Self::Aes256Gcm => 32,
        }
    }

    pub(crate) fn is_authenticated(self) -> bool {
        AEADS.contains(&self)
    }

    /// The AlgorithmIdentifier.
    pub(crate) fn algorithm(self) -> Node {
        let parameters = match self {
            Self::TripleDes => octets(&IV[..8]),
            _ if self.is_authenticated() => sequence([octets(NONCE), integer(16)]),
            _ => octets(IV),
        };
        sequence([oid(self.oid()), parameters])
    }

    /// The same around which RFC 9709 derives a key.
    pub(crate) fn derived_algorithm(self) -> Node {
        sequence([oid("1.2.840.113549.1.9.16.3.31"), self.algorithm()])
    }

    /// The content and its tag, under a key of the cipher's length.
    pub(crate) fn encrypt(self, key: &[u8], plaintext: &[u8]) -> Content {
        let (ciphertext, tag) = match self {
            Self::TripleDes => (triple_des_cbc(key, &IV[..8], &padded(plaintext, 8)), None),
            _ if self.is_authenticated() => {
                let (ciphertext, tag) = gcm::seal(key, &NONCE, plaintext);
                (ciphertext, Some(tag.to_vec()))
            }
            _ => (aes_cbc(key, IV, &padded(plaintext, 16)), None),
        };
        Content { algorithm: self.algorithm(), ciphertext, tag }
    }
}

/// Encrypted content. With a tag it goes into AuthEnvelopedData.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) algorithm: Node,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) tag: Option<Vec<u8>>,
}

impl Content {
    /// The file, in DER.
    pub(crate) fn to(&self, recipients: impl Into<Vec<Node>>) -> Vec<u8> {
        let info = sequence([
            oid("1.2.840.113549.1.7.1"),
            self.algorithm.clone(),
            Node::Primitive(0x80, self.ciphertext.clone()),
        ]);
        let (version, kind) = match self.tag {
            Some(_) => (0, "1.2.840.113549.1.9.16.1.23"),
            None => (2, "1.2.840.113549.1.7.3"),
        };
        let mac = self.tag.clone().map(octets);
        let parts: Vec<Node> =
            [integer(version), set(recipients), info].into_iter().chain(mac).collect();
        sequence([oid(kind), Node::Constructed(0xa0, vec![sequence(parts)])]).encode()
    }
}

/// PKCS#7 padding.
pub(crate) fn padded(plaintext: &[u8], block: usize) -> Vec<u8> {
    let count = block - plaintext.len() % block;
    let byte = u8::try_from(count).expect("a block is short");
    [plaintext, &vec![byte; count]].concat()
}

/// CBC over whole blocks.
pub(crate) fn aes_cbc(key: &[u8], iv: [u8; 16], blocks: &[u8]) -> Vec<u8> {
    let encrypt = gcm::aes(key);
    let mut chain = iv;
    let (blocks, _) = blocks.as_chunks::<16>();
    let mut out = Vec::new();
    for block in blocks {
        chain = encrypt(std::array::from_fn(|at| block[at] ^ chain[at]));
        out.extend(chain);
    }
    out
}

fn triple_des_cbc(key: &[u8], iv: &[u8], blocks: &[u8]) -> Vec<u8> {
    use des::cipher::BlockCipherEncrypt;
    let cipher = des::TdesEde3::new_from_slice(key).expect("the key has 24 bytes");
    let mut chain: [u8; 8] = iv.try_into().expect("the IV has 8 bytes");
    let (blocks, _) = blocks.as_chunks::<8>();
    let mut out = Vec::new();
    for block in blocks {
        let mixed: [u8; 8] = std::array::from_fn(|at| block[at] ^ chain[at]);
        let mut block = mixed.into();
        cipher.encrypt_block(&mut block);
        chain = block.into();
        out.extend(chain);
    }
    out
}

/// RFC 9709: the content key that an algorithm makes of the one that recipients get.
pub(crate) fn derived_key(key: &[u8], algorithm: &Node, len: usize) -> Vec<u8> {
    let hmac = |key: &[u8], message: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length will do");
        mac.update(message);
        mac.finalize().into_bytes()
    };
    let extracted = hmac(b"The Cryptographic Message Syntax", key);
    hmac(&extracted, &[algorithm.encode().as_slice(), &[1]].concat())[..len].to_vec()
}

/// The key's usual subjectKeyIdentifier.
fn key_id(key: &PublicKey) -> Vec<u8> {
    Sha1::digest(&bits(key)[1..]).to_vec()
}

fn bits(key: &PublicKey) -> Vec<u8> {
    Node::parse(key.spki_der()).at(&[1]).body().clone()
}

/// AES key wrap (RFC 3394) with a key-encryption key of 16, 24 or 32 bytes.
pub(crate) fn wrap(kek: &[u8], key: &[u8]) -> Vec<u8> {
    let mut out = vec![0; key.len() + 8];
    let wrapped = match kek.len() {
        16 => aes_kw::KwAes128::new_from_slice(kek).expect("16").wrap_key(key, &mut out),
        24 => aes_kw::KwAes192::new_from_slice(kek).expect("24").wrap_key(key, &mut out),
        _ => aes_kw::KwAes256::new_from_slice(kek).expect("32").wrap_key(key, &mut out),
    };
    wrapped.expect("the key has whole blocks").to_vec()
}

/// AES key wrap with padding (RFC 5649).
pub(crate) fn wrap_padded(kek: &[u8], key: &[u8]) -> Vec<u8> {
    let mut out = vec![0; key.len().next_multiple_of(8) + 8];
    let wrapped = match kek.len() {
        16 => aes_kw::KwpAes128::new_from_slice(kek).expect("16").wrap_key(key, &mut out),
        24 => aes_kw::KwpAes192::new_from_slice(kek).expect("24").wrap_key(key, &mut out),
        _ => aes_kw::KwpAes256::new_from_slice(kek).expect("32").wrap_key(key, &mut out),
    };
    wrapped.expect("the key is short").to_vec()
}

/// A key wrap algorithm: its identifier, and the bytes of its key.
pub(crate) const WRAPS: [(&str, usize); 3] = [
    ("2.16.840.1.101.3.4.1.5", 16),
    ("2.16.840.1.101.3.4.1.25", 24),
    ("2.16.840.1.101.3.4.1.45", 32),
];

/// The sender's private key, on P-256.
pub(crate) const EPHEMERAL: [u8; 32] = [0x42; 32];

/// A KeyAgreeRecipientInfo for a P-256 key, whose wrapped key is made from the key-encryption key.
pub(crate) fn p256_recipient(
    key: &dyn DeviceKey,
    (wrap_oid, kek_len): (&str, usize),
    wrapped: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Node {
    let public = key.public_key();
    let point = bits(public);
    let peer = p256::PublicKey::from_sec1_bytes(&point[1..]).expect("a P-256 key");
    let ephemeral = p256::SecretKey::from_slice(&EPHEMERAL).expect("a scalar");
    let shared = ephemeral.diffie_hellman(&peer);
    let wrap = sequence([oid(wrap_oid)]);
    let bit_count = u32::try_from(kek_len * 8).expect("it fits").to_be_bytes();
    let info = sequence([wrap.clone(), Node::Constructed(0xa2, vec![octets(bit_count)])]);
    let kek = Sha256::new()
        .chain_update(shared.raw_secret_bytes())
        .chain_update([0, 0, 0, 1])
        .chain_update(info.encode())
        .finalize();
    let sender = ephemeral.public_key().to_sec1_point(false);
    let originator = Node::Constructed(
        0xa1,
        vec![
            sequence([oid("1.2.840.10045.2.1")]),
            Node::Primitive(0x03, [&[0], sender.as_bytes()].concat()),
        ],
    );
    let name = Node::Constructed(0xa0, vec![octets(key_id(public))]);
    Node::Constructed(
        0xa1,
        vec![
            integer(3),
            Node::Constructed(0xa0, vec![originator]),
            sequence([oid("1.3.132.1.11.1"), wrap]),
            sequence([sequence([name, octets(wrapped(&kek[..kek_len]))])]),
        ],
    )
}

/// A KeyTransRecipientInfo with PKCS#1 v1.5, whose decrypted block is `block`.
pub(crate) fn pkcs1_recipient(key: &PublicKey, block: &[u8]) -> Node {
    let transport = sequence([oid("1.2.840.113549.1.1.1"), null()]);
    transport_recipient(key, transport, rsa_encrypt(key, block))
}

/// A KeyTransRecipientInfo with OAEP, SHA-256 twice, of this key.
pub(crate) fn oaep_recipient(key: &PublicKey, content_key: &[u8], random: &mut Random) -> Node {
    let hash = sequence([oid("2.16.840.1.101.3.4.2.1"), null()]);
    let mask = sequence([oid("1.2.840.113549.1.1.8"), hash.clone()]);
    let parameters =
        sequence([Node::Constructed(0xa0, vec![hash]), Node::Constructed(0xa1, vec![mask])]);
    let transport = sequence([oid("1.2.840.113549.1.1.7"), parameters]);
    let masked = |data: &[u8], seed: &[u8]| -> Vec<u8> {
        let pieces = data.chunks(32).zip(0_u32..).flat_map(|(piece, counter)| {
            let mask = Sha256::new().chain_update(seed).chain_update(counter.to_be_bytes());
            piece.iter().zip(mask.finalize()).map(|(a, b)| a ^ b).collect::<Vec<u8>>()
        });
        pieces.collect()
    };
    let zeros = vec![0; modulus_len(key) - 66 - content_key.len()];
    let data = [Sha256::digest(b"").as_slice(), &zeros, &[1], content_key].concat();
    let seed = random.bytes(32);
    let data = masked(&data, &seed);
    let block = [&[0], masked(&seed, &data).as_slice(), &data].concat();
    transport_recipient(key, transport, rsa_encrypt(key, &block))
}

/// A KeyTransRecipientInfo with any encrypted key.
pub(crate) fn transport_recipient(key: &PublicKey, transport: Node, encrypted: Vec<u8>) -> Node {
    let name = Node::Primitive(0x80, key_id(key));
    sequence([integer(2), name, transport, octets(encrypted)])
}

/// A block of PKCS#1 v1.5 with good padding around a key.
pub(crate) fn pkcs1_block(len: usize, content_key: &[u8], random: &mut Random) -> Vec<u8> {
    let padding = random.padding(len - 3 - content_key.len());
    [&[0, 2], padding.as_slice(), &[0], content_key].concat()
}

pub(crate) fn modulus_len(key: &PublicKey) -> usize {
    modulus(key).len()
}

/// The modulus, big-endian, without its leading zero.
pub(crate) fn modulus(key: &PublicKey) -> Vec<u8> {
    let mut numbers = Node::parse(&bits(key)[1..]);
    let body = numbers.at(&[0]).body();
    body.iter().copied().skip_while(|&byte| byte == 0).collect()
}

fn rsa_encrypt(key: &PublicKey, block: &[u8]) -> Vec<u8> {
    let mut numbers = Node::parse(&bits(key)[1..]);
    let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
    let (n, e) = (number(&modulus(key)), number(numbers.at(&[1]).body()));
    let public = rsa::PublicKey::new(n, e).expect("the key is good");
    let len = modulus_len(key);
    let bits = u32::try_from(len * 8).expect("it fits");
    let block = BoxedUint::from_be_slice(block, bits).expect("it is as long as the modulus");
    let encrypted = rsa::hazmat::rsa_encrypt(&public, &block).expect("it is below the modulus");
    let encrypted = encrypted.to_be_bytes();
    encrypted[encrypted.len() - len..].to_vec()
}

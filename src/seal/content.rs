//! Content encryption: AES-256-CBC (RFC 3565) and AES-256-GCM (RFC 5084), the latter with or without
//! a derived key (RFC 9709).

use super::Profile;
use crate::asn1::{self, der, der_oid, der_sequence};
use crate::cms::kdf;
use crate::crypto::{BlockEncrypt, Ghash, Hash};
use crate::identity::Capabilities;
use crate::{Certificate, Error, Limit, RandomSource, Result, Secret, Unsupported, oid};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Bytes of an AES-256 key.
const KEY_LEN: usize = 32;
const BLOCK: usize = 16;
/// Bytes of GCM's tag, which RFC 5084 calls ICVlen.
pub(super) const TAG_LEN: usize = 16;

/// What the content is encrypted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suite {
    Cbc,
    Gcm,
    /// GCM under a key that is derived from the one that recipients get.
    DerivedGcm,
}

impl Suite {
    pub(super) fn choose(profile: Profile, to: &[Certificate]) -> Result<Self> {
        let all = |listed: fn(Capabilities) -> bool| {
            to.iter().all(|certificate| listed(certificate.capabilities()))
        };
        let gcm = match profile {
            Profile::Rfc8886 => false,
            Profile::Auto => all(|capabilities| capabilities.aes256_gcm),
            Profile::Authenticated => true,
            Profile::PostQuantum => {
                let what = "the profile post-quantum";
                return Err(Unsupported { what, oid: None }.into());
            }
        };
        Ok(match gcm {
            false => Self::Cbc,
            true if all(|capabilities| capabilities.cek_hkdf) => Self::DerivedGcm,
            true => Self::Gcm,
        })
    }

    /// Whether it belongs in AuthEnvelopedData.
    pub(super) const fn is_authenticated(self) -> bool {
        !matches!(self, Self::Cbc)
    }
}

/// The keyed cipher, and what the envelope says about it.
pub(super) struct Content {
    /// AlgorithmIdentifier, DER.
    pub(super) algorithm: Vec<u8>,
    /// The key that recipients get.
    pub(super) key: Secret,
    pub(super) encryptor: Encryptor,
}

impl Content {
    /// Draws key and nonce.
    pub(super) fn new(suite: Suite, random: &mut dyn RandomSource) -> Result<Self> {
        let mut key = Secret::zeros(KEY_LEN)?;
        random.fill(key.as_mut())?;
        if suite == Suite::Cbc {
            let mut iv = [0; BLOCK];
            random.fill(&mut iv)?;
            let algorithm =
                der_sequence(&[&der_oid(oid::AES256_CBC), &der(asn1::OCTET_STRING, &[&iv])]);
            let encryptor = Encryptor { cipher: aes(&key)?, mode: Mode::Cbc { iv } };
            return Ok(Self { algorithm, key, encryptor });
        }
        let mut nonce = [0; 12];
        random.fill(&mut nonce)?;
        // ICVlen is 12 where it is absent, so it is written down.
        let tag_len = der(asn1::INTEGER, &[&[16]]);
        let parameters = der_sequence(&[&der(asn1::OCTET_STRING, &[&nonce]), &tag_len]);
        let inner = der_sequence(&[&der_oid(oid::AES256_GCM), &parameters]);
        if suite == Suite::Gcm {
            let encryptor = Encryptor::gcm(aes(&key)?, nonce);
            return Ok(Self { algorithm: inner, key, encryptor });
        }
        let encryptor = Encryptor::gcm(aes(&derive(&key, &inner)?)?, nonce);
        let algorithm = der_sequence(&[&der_oid(oid::CEK_HKDF_SHA256), &inner]);
        Ok(Self { algorithm, key, encryptor })
    }
}

/// The cipher's key (RFC 9709, 2): it depends on the algorithm, so that nobody can pass the content
/// off as another cipher's.
fn derive(key: &Secret, algorithm: &[u8]) -> Result<Secret> {
    let salt = b"The Cryptographic Message Syntax";
    kdf::hkdf(Hash::Sha256, salt, key.as_bytes(), algorithm, key.len())
}

fn aes(key: &Secret) -> Result<BlockEncrypt> {
    BlockEncrypt::aes(key.as_bytes()).ok_or(Error::Argument("an AES key of this length"))
}

/// Encrypts in place, whole blocks until the last piece.
pub(super) struct Encryptor {
    cipher: BlockEncrypt,
    mode: Mode,
}

enum Mode {
    Cbc {
        iv: [u8; BLOCK],
    },
    Gcm {
        ghash: Ghash,
        counter: [u8; BLOCK],
        /// Encrypts the tag.
        mask: Zeroizing<[u8; BLOCK]>,
        len: u64,
    },
}

impl Encryptor {
    /// GCM (SP 800-38D) without additional data: we write no authenticated attributes.
    fn gcm(cipher: BlockEncrypt, nonce: [u8; 12]) -> Self {
        let mut hash_key = Zeroizing::new([0; BLOCK]);
        cipher.block(&mut hash_key);
        let mut counter = [0; BLOCK];
        for (to, from) in counter.iter_mut().zip(nonce.iter().chain(&[0, 0, 0, 1])) {
            *to = *from;
        }
        let mut mask = Zeroizing::new([0; BLOCK]);
        cipher.ctr(&mut counter, mask.as_mut());
        let mode = Mode::Gcm { ghash: Ghash::new(&hash_key), counter, mask, len: 0 };
        Self { cipher, mode }
    }

    /// Bytes of plaintext that one key and nonce can encrypt: SP 800-38D, 5.2.1.1. CBC has no such
    /// end; its bound keeps the arithmetic of lengths far from any overflow.
    const fn max_len(&self) -> u64 {
        match self.mode {
            Mode::Cbc { .. } => 1 << 62,
            Mode::Gcm { .. } => (1 << 36) - 32,
        }
    }

    pub(super) fn check_len(&self, plaintext: u64) -> Result<()> {
        let max = self.max_len();
        if plaintext > max { Err(Error::limit(Limit::Content, max)) } else { Ok(()) }
    }

    /// Bytes of encrypted content, which DER tells beforehand.
    pub(super) fn content_len(&self, plaintext: u64) -> Result<usize> {
        /// More than half of the address space would leave no room for the arithmetic of headers.
        const MAX: usize = usize::MAX / 2;
        self.check_len(plaintext)?;
        let len = match self.mode {
            Mode::Cbc { .. } => plaintext - plaintext % 16 + 16,
            Mode::Gcm { .. } => plaintext,
        };
        usize::try_from(len)
            .ok()
            .filter(|&len| len <= MAX)
            .ok_or_else(|| Error::limit(Limit::Content, u64::try_from(MAX).unwrap_or(u64::MAX)))
    }

    /// Whole blocks.
    pub(super) fn update(&mut self, blocks: &mut [u8]) {
        match &mut self.mode {
            Mode::Cbc { iv } => self.cipher.cbc(iv, blocks),
            Mode::Gcm { ghash, counter, len, .. } => {
                self.cipher.ctr(counter, blocks);
                ghash.update(blocks);
                *len += u64::try_from(blocks.len()).unwrap_or(u64::MAX);
            }
        }
    }

    /// The last piece, of any length: padded by CBC, followed by GCM's tag.
    pub(super) fn finish(&mut self, last: &mut Secret) -> Result<Option<[u8; TAG_LEN]>> {
        if matches!(self.mode, Mode::Cbc { .. }) {
            let padding = BLOCK - last.len() % BLOCK;
            for _ in 0..padding {
                last.extend(&[u8::try_from(padding).unwrap_or(0)])?;
            }
        }
        self.update(last.as_mut());
        let Mode::Gcm { ghash, mask, len, .. } = &mut self.mode else { return Ok(None) };
        // Bits of additional data, of which there is none, and of content.
        let lengths = u128::from(*len) * 8;
        ghash.update(&lengths.to_be_bytes());
        let mut tag = ghash.sum();
        for (byte, mask) in tag.iter_mut().zip(mask.iter()) {
            *byte ^= mask;
        }
        Ok(Some(tag))
    }
}

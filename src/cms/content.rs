//! The content: AES-CBC, triple DES in CBC and AES-GCM (RFC 3565, RFC 5084), as it arrives.
//!
//! What has been decrypted is provisional until [`Decryptor::finish`] has checked tag or padding.

use super::kdf;
use crate::asn1::{self, Algorithm, Element, der};
use crate::crypto::{BlockDecrypt, BlockEncrypt, Ghash, Hash};
use crate::key::unsupported;
use crate::{Error, Limit, Result, Secret, oid};
use alloc::vec::Vec;
use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroize;

/// A content encryption algorithm with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentAlgorithm {
    cipher: Cipher,
    /// The content key is derived from the one that recipients get (RFC 9709).
    is_derived: bool,
    /// What goes into derived and substitute keys: the cipher's AlgorithmIdentifier, DER.
    der: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    Cbc { key_len: usize, iv: [u8; 16] },
    TripleDes { iv: [u8; 8] },
    Gcm { key_len: usize, nonce: [u8; 12], tag_len: usize },
}

impl ContentAlgorithm {
    /// Reads the algorithm. Authenticated ciphers belong in AuthEnvelopedData, the others in
    /// EnvelopedData; anything else would let one be passed off as the other.
    pub(crate) fn read(algorithm: &Algorithm<'_>, is_authenticated: bool) -> Result<Self> {
        let (inner, is_derived) = match (algorithm.oid, algorithm.parameters) {
            (oid::CEK_HKDF_SHA256, Some(inner)) => {
                (Algorithm::new(inner).map_err(|_| BAD_PARAMETERS)?, true)
            }
            (oid::CEK_HKDF_SHA256, None) => return Err(BAD_PARAMETERS),
            _ => (*algorithm, false),
        };
        let parameters = inner.parameters;
        let cipher = match (inner.oid, is_authenticated) {
            (oid::AES128_CBC, false) => Cipher::Cbc { key_len: 16, iv: iv(parameters)? },
            (oid::AES192_CBC, false) => Cipher::Cbc { key_len: 24, iv: iv(parameters)? },
            (oid::AES256_CBC, false) => Cipher::Cbc { key_len: 32, iv: iv(parameters)? },
            #[cfg(feature = "legacy")]
            (oid::TRIPLE_DES_CBC, false) => Cipher::TripleDes { iv: iv(parameters)? },
            (oid::AES128_GCM, true) => gcm(16, parameters)?,
            (oid::AES192_GCM, true) => gcm(24, parameters)?,
            (oid::AES256_GCM, true) => gcm(32, parameters)?,
            (other, false) => return Err(unsupported("the content encryption", other)),
            (other, true) => {
                return Err(unsupported("the authenticated content encryption", other));
            }
        };
        Ok(Self { cipher, is_derived, der: asn1::to_der(inner.raw)? })
    }

    /// Bytes of the content key.
    pub(crate) const fn key_len(&self) -> usize {
        match self.cipher {
            Cipher::Cbc { key_len, .. } | Cipher::Gcm { key_len, .. } => key_len,
            Cipher::TripleDes { .. } => 24,
        }
    }

    /// Bytes of the tag, for the authenticated ciphers.
    pub(crate) const fn tag_len(&self) -> Option<usize> {
        match self.cipher {
            Cipher::Gcm { tag_len, .. } => Some(tag_len),
            Cipher::Cbc { .. } | Cipher::TripleDes { .. } => None,
        }
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// The usual name of the cipher.
    pub(crate) const fn name(&self) -> &'static str {
        match self.cipher {
            Cipher::Cbc { key_len: 16, .. } => "aes-128-cbc",
            Cipher::Cbc { key_len: 24, .. } => "aes-192-cbc",
            Cipher::Cbc { .. } => "aes-256-cbc",
            Cipher::TripleDes { .. } => "des-ede3-cbc",
            Cipher::Gcm { key_len: 16, .. } => "aes-128-gcm",
            Cipher::Gcm { key_len: 24, .. } => "aes-192-gcm",
            Cipher::Gcm { .. } => "aes-256-gcm",
        }
    }

    /// Whether the content key is derived (RFC 9709).
    pub(crate) const fn is_derived(&self) -> bool {
        self.is_derived
    }
}

const BAD_PARAMETERS: Error = Error::Malformed("the content encryption's parameters are damaged");

fn iv<const N: usize>(parameters: Option<Element<'_>>) -> Result<[u8; N]> {
    let octets = parameters.ok_or(BAD_PARAMETERS)?.octets(asn1::OCTET_STRING);
    octets.ok().and_then(|octets| octets.as_ref().try_into().ok()).ok_or(BAD_PARAMETERS)
}

/// GCMParameters (RFC 5084). A short tag is a forgery waiting to happen, and a long nonce was a
/// stack overflow elsewhere: 12 bytes of nonce and 12 to 16 of tag are what is read.
fn gcm(key_len: usize, parameters: Option<Element<'_>>) -> Result<Cipher> {
    let parameters = parameters.filter(|parameters| parameters.is(asn1::SEQUENCE));
    let mut fields = parameters.ok_or(BAD_PARAMETERS)?.reader();
    let nonce = fields.next().and_then(|nonce| nonce.octets(asn1::OCTET_STRING));
    let nonce = nonce.map_err(|_| BAD_PARAMETERS)?;
    let tag_len = match fields.optional(asn1::INTEGER).map_err(|_| BAD_PARAMETERS)? {
        Some(tag_len) => tag_len.small_integer().map_err(|_| BAD_PARAMETERS)?,
        None => 12,
    };
    fields.finish().map_err(|_| BAD_PARAMETERS)?;
    let too_odd = |what| Error::Unsupported(crate::Unsupported { what, oid: None });
    let nonce = nonce.as_ref().try_into().map_err(|_| too_odd("a GCM nonce of another length"))?;
    match usize::try_from(tag_len) {
        Ok(tag_len @ 12..=16) => Ok(Cipher::Gcm { key_len, nonce, tag_len }),
        _ => Err(too_odd("a GCM tag of another length")),
    }
}

/// Decrypts content in pieces of any length.
pub(crate) struct Decryptor {
    mode: Mode,
    /// Where pieces are decrypted.
    buffer: Secret,
}

enum Mode {
    Cbc(Cbc),
    Gcm(Gcm),
}

impl Decryptor {
    /// Bytes that are decrypted at once.
    const LOAD: usize = 8192;

    /// Takes the content key as a recipient got it.
    pub(crate) fn new(algorithm: &ContentAlgorithm, key: &Secret) -> Result<Self> {
        let derived;
        let key = if algorithm.is_derived {
            let salt = b"The Cryptographic Message Syntax";
            let info = &algorithm.der;
            derived = kdf::hkdf(Hash::Sha256, salt, key.as_bytes(), info, algorithm.key_len())?;
            &derived
        } else {
            key
        };
        let key = key.as_bytes();
        let mode = match algorithm.cipher {
            Cipher::Cbc { iv, .. } => {
                Mode::Cbc(Cbc::new(BlockDecrypt::aes(key).ok_or(Error::Decrypt)?, iv, 16))
            }
            #[cfg(feature = "legacy")]
            Cipher::TripleDes { iv } => {
                let mut chain = [0; 16];
                for (to, from) in chain.iter_mut().zip(iv) {
                    *to = from;
                }
                let cipher = BlockDecrypt::triple_des(key).ok_or(Error::Decrypt)?;
                Mode::Cbc(Cbc::new(cipher, chain, 8))
            }
            #[cfg(not(feature = "legacy"))]
            Cipher::TripleDes { .. } => return Err(Error::Decrypt),
            Cipher::Gcm { nonce, tag_len, .. } => {
                let cipher = BlockEncrypt::aes(key).ok_or(Error::Decrypt)?;
                Mode::Gcm(Gcm::new(cipher, nonce, tag_len))
            }
        };
        Ok(Self { mode, buffer: Secret::zeros(Self::LOAD)? })
    }

    /// Decrypts a piece; what comes out is provisional.
    pub(crate) fn push(
        &mut self,
        mut input: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        while !input.is_empty() {
            let (used, plaintext) = self.step(input)?;
            input = input.get(used..).unwrap_or_default();
            if !plaintext.is_empty() {
                out(plaintext)?;
            }
        }
        Ok(())
    }

    /// Decrypts the start of `input`: how much of it, and what came out, never more than went in so
    /// far.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<(usize, &[u8])> {
        let (used, done) = match &mut self.mode {
            Mode::Cbc(cbc) => cbc.decrypt(input, self.buffer.as_mut()),
            Mode::Gcm(gcm) => gcm.decrypt(input, self.buffer.as_mut())?,
        };
        Ok((used, self.buffer.as_bytes().get(..done).unwrap_or_default()))
    }

    /// Whether all that came in is what was encrypted; then the last bytes come out. The tag is GCM's,
    /// the attributes are authenticated with it.
    pub(crate) fn finish(
        mut self,
        tag: Option<&[u8]>,
        attributes: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        match &mut self.mode {
            Mode::Cbc(cbc) => {
                let mut last = cbc.last()?;
                let result =
                    if last.0 > 0 { out(last.1.get(..last.0).unwrap_or(&[])) } else { Ok(()) };
                last.1.zeroize();
                result
            }
            Mode::Gcm(gcm) => gcm.verify(tag.ok_or(Error::Decrypt)?, attributes),
        }
    }
}

struct Cbc {
    cipher: BlockDecrypt,
    chain: [u8; 16],
    block_len: usize,
    /// What has come in and is not decrypted yet: the last block has the padding, so a whole one
    /// waits until more comes.
    held: [u8; 16],
    held_len: usize,
}

impl Cbc {
    const fn new(cipher: BlockDecrypt, chain: [u8; 16], block_len: usize) -> Self {
        Self { cipher, chain, block_len, held: [0; 16], held_len: 0 }
    }

    /// Takes from `input` what fits into `buffer`: bytes used, bytes decrypted.
    fn decrypt(&mut self, input: &[u8], buffer: &mut [u8]) -> (usize, usize) {
        let held = self.held_len;
        let used = input.len().min(buffer.len() - held);
        let (now, _) = input.split_at(used);
        let filled = held + used;
        let (start, rest) = buffer.split_at_mut(held);
        start.copy_from_slice(self.held.get(..held).unwrap_or_default());
        if let Some(rest) = rest.get_mut(..used) {
            rest.copy_from_slice(now);
        }
        // At least one byte stays, and with it the last block.
        let keep = match filled % self.block_len {
            0 => filled.min(self.block_len),
            partial => partial,
        };
        let whole = filled - keep;
        if let Some(kept) = buffer.get(whole..filled) {
            for (to, from) in self.held.iter_mut().zip(kept) {
                *to = *from;
            }
        }
        self.held_len = keep;
        let chain = self.chain.get_mut(..self.block_len).unwrap_or_default();
        self.cipher.cbc(chain, buffer.get_mut(..whole).unwrap_or_default());
        (used, whole)
    }

    /// The last block without its padding (RFC 5652, 6.3), checked without a branch on its bytes.
    fn last(&mut self) -> Result<(usize, [u8; 16])> {
        if self.held_len != self.block_len {
            return Err(Error::Decrypt);
        }
        let len = self.block_len;
        let chain = self.chain.get_mut(..len).unwrap_or_default();
        self.cipher.cbc(chain, self.held.get_mut(..len).unwrap_or_default());
        let block = self.held.get(..len).unwrap_or_default();
        let padding = block.last().copied().unwrap_or(0);
        let block_len = u8::try_from(len).unwrap_or(0);
        let mut is_good = padding.ct_gt(&0) & !padding.ct_gt(&block_len);
        for (place, byte) in (1..=block_len).zip(block.iter().rev()) {
            let is_text: Choice = place.ct_gt(&padding);
            is_good &= is_text | byte.ct_eq(&padding);
        }
        if bool::from(is_good) {
            Ok((len - usize::from(padding), self.held))
        } else {
            Err(Error::Decrypt)
        }
    }
}

impl Drop for Cbc {
    fn drop(&mut self) {
        self.held.zeroize();
    }
}

struct Gcm {
    cipher: BlockEncrypt,
    /// H, which GHASH multiplies by.
    hash_key: [u8; 16],
    ghash: Ghash,
    counter: [u8; 16],
    /// Encrypts the tag.
    mask: [u8; 16],
    tag_len: usize,
    len: u64,
    /// A block of key stream of which `used` bytes are spent, and its ciphertext so far.
    stream: [u8; 16],
    partial: [u8; 16],
    used: usize,
}

impl Gcm {
    /// Bytes that one key and nonce can encrypt (SP 800-38D, 5.2.1.1).
    const MAX: u64 = (1 << 36) - 32;

    fn new(cipher: BlockEncrypt, nonce: [u8; 12], tag_len: usize) -> Self {
        let mut hash_key = [0; 16];
        cipher.block(&mut hash_key);
        let mut counter = [0; 16];
        for (to, from) in counter.iter_mut().zip(nonce.iter().chain(&[0, 0, 0, 1])) {
            *to = *from;
        }
        let mut mask = [0; 16];
        cipher.ctr(&mut counter, &mut mask);
        Self {
            cipher,
            hash_key,
            ghash: Ghash::new(&hash_key),
            counter,
            mask,
            tag_len,
            len: 0,
            stream: [0; 16],
            partial: [0; 16],
            used: 0,
        }
    }

    fn decrypt(&mut self, input: &[u8], buffer: &mut [u8]) -> Result<(usize, usize)> {
        let used = input.len().min(buffer.len());
        let now = input.get(..used).unwrap_or_default();
        let more = u64::try_from(used).unwrap_or(u64::MAX);
        self.len = self.len.saturating_add(more);
        if self.len > Self::MAX {
            return Err(Error::limit(Limit::Content, Self::MAX));
        }
        let out = buffer.get_mut(..used).unwrap_or_default();
        out.copy_from_slice(now);

        // First the rest of a block that was begun, then whole blocks, then the start of one.
        let begun = if self.used > 0 { (16 - self.used).min(used) } else { 0 };
        let (first, rest) = out.split_at_mut(begun);
        self.within_block(first);
        let whole = rest.len() - rest.len() % 16;
        let (blocks, last) = rest.split_at_mut(whole);
        if !blocks.is_empty() {
            self.ghash.update(blocks);
            self.cipher.ctr(&mut self.counter, blocks);
        }
        if !last.is_empty() {
            self.stream = [0; 16];
            self.cipher.ctr(&mut self.counter, &mut self.stream);
            self.within_block(last);
        }
        Ok((used, used))
    }

    fn within_block(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let place = self.partial.get_mut(self.used).zip(self.stream.get(self.used));
            if let Some((partial, key)) = place {
                *partial = *byte;
                *byte ^= key;
            }
            self.used += 1;
        }
        if self.used == 16 {
            self.ghash.update(&self.partial);
            self.used = 0;
        }
    }

    /// Checks the tag. The attributes are the additional data, yet stand behind the content: GHASH
    /// is a polynomial, so their share is added afterwards, multiplied by H once for each block of
    /// ciphertext.
    fn verify(&mut self, tag: &[u8], attributes: &[u8]) -> Result<()> {
        if self.used > 0 {
            let rest = self.partial.get(..self.used).unwrap_or_default();
            self.ghash.update(rest);
        }
        let mut sum = self.ghash.sum();
        if !attributes.is_empty() {
            let mut share = Ghash::new(&self.hash_key);
            share.update(attributes);
            let share = multiply(&share.sum(), &power(&self.hash_key, self.len.div_ceil(16)));
            add(&mut sum, &share);
        }
        let bits = |len: u64| len.saturating_mul(8).to_be_bytes();
        let attributes_len = u64::try_from(attributes.len()).unwrap_or(u64::MAX);
        let mut lengths = [0; 16];
        for (to, from) in
            lengths.iter_mut().zip(bits(attributes_len).into_iter().chain(bits(self.len)))
        {
            *to = from;
        }
        add(&mut sum, &lengths);
        let mut expected = multiply(&sum, &self.hash_key);
        add(&mut expected, &self.mask);
        let expected = expected.get(..self.tag_len).unwrap_or_default();
        if bool::from(expected.ct_eq(tag)) { Ok(()) } else { Err(Error::Decrypt) }
    }
}

impl Drop for Gcm {
    fn drop(&mut self) {
        self.hash_key.zeroize();
        self.mask.zeroize();
        self.stream.zeroize();
        self.partial.zeroize();
    }
}

fn add(to: &mut [u8; 16], other: &[u8; 16]) {
    for (byte, other) in to.iter_mut().zip(other) {
        *byte ^= other;
    }
}

/// The product in GCM's field: GHASH of one block.
fn multiply(a: &[u8; 16], b: &[u8; 16]) -> [u8; 16] {
    let mut product = Ghash::new(b);
    product.update(a);
    product.sum()
}

fn power(base: &[u8; 16], mut exponent: u64) -> [u8; 16] {
    // The field's one: the first bit is its lowest power.
    let mut result = [0; 16];
    if let Some(first) = result.first_mut() {
        *first = 0x80;
    }
    let mut square = *base;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(&result, &square);
        }
        square = multiply(&square, &square);
        exponent >>= 1;
    }
    result
}

/// Authenticated attributes as they are authenticated: as a SET OF, in DER. A content type among
/// them must be that of the content (RFC 5083, 2.1).
pub(crate) fn authenticated_attributes(raw: &[u8]) -> Result<Vec<u8>> {
    let attributes = Element::only(raw)?;
    let as_set = asn1::to_der(&der(asn1::SET, &[attributes.body]))?;
    let mut fields = Element::only(&as_set)?.reader();
    while !fields.is_empty() {
        let mut attribute = fields.expect(asn1::SEQUENCE)?.reader();
        let oid = attribute.oid()?;
        let mut values = attribute.expect(asn1::SET)?.reader();
        attribute.finish()?;
        if oid == oid::CONTENT_TYPE && (values.oid()? != oid::DATA || !values.is_empty()) {
            return Err(Error::Malformed("the authenticated attributes name another content type"));
        }
    }
    Ok(as_set)
}

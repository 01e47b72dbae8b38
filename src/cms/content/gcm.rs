//! AES-GCM (SP 800-38D, RFC 5084) from CTR and GHASH, so that content streams and its additional
//! data may come last.

use crate::crypto::{BlockEncrypt, Ghash};
use crate::{Error, Limit, Result};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

pub(super) struct Gcm {
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

    pub(super) fn new(cipher: BlockEncrypt, nonce: [u8; 12], tag_len: usize) -> Self {
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

    pub(super) fn decrypt(&mut self, input: &[u8], buffer: &mut [u8]) -> Result<(usize, usize)> {
        let used = input.len().min(buffer.len());
        let now = input.get(..used).unwrap_or_default();
        let more = u64::try_from(used).unwrap_or(u64::MAX);
        self.len = self.len.saturating_add(more);
        if self.len > Self::MAX {
            return Err(Error::limit(Limit::Content, Self::MAX));
        }
        let out = buffer.get_mut(..used).unwrap_or_default();

        // First the rest of a block that was begun, then whole blocks, then the start of one.
        let begun = if self.used > 0 { (16 - self.used).min(used) } else { 0 };
        let whole = (used - begun) / 16 * 16;
        let (first, rest) = now.split_at(begun);
        let (blocks, last) = rest.split_at(whole);
        let (first_out, rest_out) = out.split_at_mut(begun);
        let (blocks_out, last_out) = rest_out.split_at_mut(whole);
        first_out.copy_from_slice(first);
        self.within_block(first_out);
        if !blocks.is_empty() {
            self.ghash.update(blocks);
            blocks_out.copy_from_slice(blocks);
            self.cipher.ctr(&mut self.counter, blocks_out);
        }
        if !last.is_empty() {
            self.stream = [0; 16];
            self.cipher.ctr(&mut self.counter, &mut self.stream);
            last_out.copy_from_slice(last);
            self.within_block(last_out);
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
    pub(super) fn verify(&mut self, tag: &[u8], attributes: &[u8]) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// SP 800-38D: beyond this the counter would begin again, and give the same key stream twice.
    #[test]
    fn a16_content_ends_where_the_counter_does() {
        let gcm = |len| {
            let cipher = BlockEncrypt::aes(&[7; 16]).expect("16 bytes are a key");
            let mut gcm = Gcm::new(cipher, [1; 12], 16);
            gcm.len = len;
            gcm
        };
        let too_long = Err(Error::limit(Limit::Content, (1 << 36) - 32));
        let mut buffer = [0; 64];
        for (len, more, fits) in [
            (0, 64, true),
            (Gcm::MAX - 64, 64, true),
            (Gcm::MAX - 63, 64, false),
            (Gcm::MAX, 0, true),
            (Gcm::MAX, 1, false),
            ((1 << 36) - 1, 1, false),
            (u64::MAX, 64, false),
        ] {
            let found = gcm(len).decrypt(&[0; 64][..more], &mut buffer);
            assert_eq!(found, if fits { Ok((more, more)) } else { too_long.clone() }, "{len}");
        }
        // The last block's counter is 2^32 - 1: none comes twice.
        let last = u32::try_from(Gcm::MAX / 16 + 1);
        assert_eq!(last, Ok(u32::MAX));
    }
}

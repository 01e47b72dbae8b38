//! CBC (RFC 3565, RFC 3370): any cipher's blocks, and the padding at the end.

use crate::crypto::BlockDecrypt;
use crate::{Error, Result};
use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroize;

pub(super) struct Cbc {
    cipher: BlockDecrypt,
    chain: [u8; 16],
    block_len: usize,
    /// What has come in and is not decrypted yet: the last block has the padding, so a whole one
    /// waits until more comes.
    held: [u8; 16],
    held_len: usize,
}

impl Cbc {
    pub(super) const fn new(cipher: BlockDecrypt, chain: [u8; 16], block_len: usize) -> Self {
        Self { cipher, chain, block_len, held: [0; 16], held_len: 0 }
    }

    /// Takes from `input` what fits into `buffer`: bytes used, bytes decrypted.
    pub(super) fn decrypt(&mut self, input: &[u8], buffer: &mut [u8]) -> (usize, usize) {
        let (now, rest) = input.split_at(input.len().min(self.block_len - self.held_len));
        self.hold(now);
        if rest.is_empty() {
            return (now.len(), 0);
        }
        // More comes, so the block that is held is not the last one.
        debug_assert!(buffer.len() >= self.block_len, "a block has to fit");
        let (first, room) = buffer.split_at_mut(self.block_len.min(buffer.len()));
        let held = self.held.get(..self.block_len).unwrap_or_default();
        let chain = self.chain.get_mut(..self.block_len).unwrap_or_default();
        self.cipher.cbc(chain, held, first);
        self.held_len = 0;
        // At least one byte stays, and with it the last block.
        let whole = (rest.len() - 1).min(room.len()) / self.block_len * self.block_len;
        let (blocks, rest) = rest.split_at(whole);
        self.cipher.cbc(chain, blocks, room.get_mut(..whole).unwrap_or_default());
        let (kept, _) = rest.split_at(rest.len().min(self.block_len));
        self.hold(kept);
        (now.len() + whole + kept.len(), first.len() + whole)
    }

    fn hold(&mut self, bytes: &[u8]) {
        for (to, from) in self.held.iter_mut().skip(self.held_len).zip(bytes) {
            *to = *from;
        }
        self.held_len += bytes.len();
    }

    /// The last block without its padding (RFC 5652, 6.3), checked without a branch on its bytes.
    pub(super) fn last(&mut self) -> Result<(usize, [u8; 16])> {
        if self.held_len != self.block_len {
            return Err(Error::Decrypt);
        }
        let len = self.block_len;
        let chain = self.chain.get_mut(..len).unwrap_or_default();
        let ciphertext = self.held;
        let ciphertext = ciphertext.get(..len).unwrap_or_default();
        self.cipher.cbc(chain, ciphertext, self.held.get_mut(..len).unwrap_or_default());
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

#[cfg(all(test, feature = "seal"))]
mod tests {
    use super::*;
    use crate::crypto::BlockEncrypt;
    use alloc::vec;
    use alloc::vec::Vec;

    const KEY: [u8; 32] = [7; 32];
    const IV: [u8; 16] = [9; 16];

    fn encrypted(mut padded: Vec<u8>) -> Vec<u8> {
        let cipher = BlockEncrypt::aes(&KEY).expect("32 bytes are a key");
        cipher.cbc(&mut IV.clone(), &mut padded);
        padded
    }

    fn decrypted(ciphertext: &[u8], piece: usize, buffer: usize) -> Result<Vec<u8>> {
        let cipher = BlockDecrypt::aes(&KEY).expect("32 bytes are a key");
        let mut cbc = Cbc::new(cipher, IV, 16);
        let (mut all, mut buffer) = (Vec::new(), vec![0; buffer]);
        for mut input in ciphertext.chunks(piece) {
            while !input.is_empty() {
                let (used, done) = cbc.decrypt(input, &mut buffer);
                assert!(used > 0 && used <= input.len() && done <= buffer.len());
                all.extend_from_slice(&buffer[..done]);
                input = &input[used..];
            }
        }
        let (len, last) = cbc.last()?;
        all.extend_from_slice(&last[..len]);
        Ok(all)
    }

    /// Also text that looks like its own padding; however it is cut, and with hardly room for a block.
    #[test]
    fn every_length_comes_back() {
        for len in 0..100 {
            let padding = 16 - len % 16;
            let byte = u8::try_from(padding).expect("16 at most");
            let ciphertext = encrypted(vec![byte; len + padding]);
            for piece in [1, 5, 15, 16, 17, 32, 33, 200] {
                for buffer in [16, 17, 40, 64, 8192] {
                    let found = decrypted(&ciphertext, piece, buffer);
                    assert_eq!(found, Ok(vec![byte; len]), "{len} {piece} {buffer}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_padding_is_refused() {
        let refused =
            |block: [u8; 16]| decrypted(&encrypted(block.to_vec()), 16, 64) == Err(Error::Decrypt);
        for last in 0..=255 {
            let mut block = [0x55; 16];
            block[15] = last;
            assert_eq!(refused(block), last != 1, "{last}");
            // Right but for one byte.
            for at in 0..15 {
                let mut block = [last; 16];
                block[at] ^= 0x40;
                let is_text = usize::from(last) <= 15 - at;
                assert_eq!(refused(block), !(is_text && last > 0), "{last} at {at}");
            }
        }
        for len in [0, 1, 15, 17, 31] {
            assert_eq!(decrypted(&vec![0; len], 16, 64), Err(Error::Decrypt));
        }
    }
}

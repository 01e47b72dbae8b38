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
    pub(super) fn last(&mut self) -> Result<(usize, [u8; 16])> {
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

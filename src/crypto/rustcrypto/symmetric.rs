//! AES and triple DES in CBC and CTR, and GHASH.

use crate::secret::wipe;
use aes::cipher::array::Array;
use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use polyval::Polyval;
use polyval::hazmat::FieldElement;
use polyval::universal_hash::UniversalHash;
use zeroize::Zeroize;

/// A block cipher, keyed for encryption.
pub(crate) enum BlockEncrypt {
    Aes128(aes::Aes128Enc),
    Aes192(aes::Aes192Enc),
    Aes256(aes::Aes256Enc),
}

macro_rules! each_aes {
    ($self:expr, $cipher:ident => $body:expr) => {
        match $self {
            Self::Aes128($cipher) => $body,
            Self::Aes192($cipher) => $body,
            Self::Aes256($cipher) => $body,
        }
    };
}

impl BlockEncrypt {
    /// AES with a key of 16, 24 or 32 bytes.
    pub(crate) fn aes(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Aes128(aes::Aes128Enc::new_from_slice(key).ok()?),
            24 => Self::Aes192(aes::Aes192Enc::new_from_slice(key).ok()?),
            32 => Self::Aes256(aes::Aes256Enc::new_from_slice(key).ok()?),
            _ => return None,
        })
    }

    pub(crate) fn block(&self, block: &mut [u8; 16]) {
        each_aes!(self, cipher => cipher.encrypt_block(block.into()));
    }

    /// CBC over whole blocks, in place; `iv` is left ready for the next call.
    #[cfg(feature = "seal")]
    pub(crate) fn cbc(&self, iv: &mut [u8; 16], data: &mut [u8]) {
        use aes::cipher::common::BlockSizeUser;
        use aes::cipher::{BlockCipherEncBackend, BlockCipherEncClosure};

        struct Chain<'a>(&'a mut [u8; 16], &'a mut [Block<aes::Aes128Enc>]);

        impl BlockSizeUser for Chain<'_> {
            type BlockSize = <aes::Aes128Enc as BlockSizeUser>::BlockSize;
        }

        // One call for the whole run: the chain leaves the cipher no parallel work, and a call for
        // each block would cost as much as the block.
        impl BlockCipherEncClosure for Chain<'_> {
            fn call<B: BlockCipherEncBackend<BlockSize = Self::BlockSize>>(self, backend: &B) {
                // Values, not places: the chain stays in a register from one block to the next.
                let mut chained = Block::<aes::Aes128Enc>::from(*self.0);
                for place in self.1 {
                    let mut block = *place;
                    xor_block(block.as_mut(), chained.as_ref());
                    backend.encrypt_block_inplace(&mut block);
                    *place = block;
                    chained = block;
                }
                *self.0 = chained.into();
            }
        }

        let (blocks, _) = Array::slice_as_chunks_mut(data);
        each_aes!(self, cipher => cipher.encrypt_with_backend(Chain(iv, blocks)));
    }

    /// CTR with a 32-bit counter (SP 800-38D), in place. Only the last call may end within a block.
    pub(crate) fn ctr(&self, counter: &mut [u8; 16], data: &mut [u8]) {
        /// Blocks that are worked on at once: enough for the cipher's parallel units.
        const RUN: usize = 64;
        let (nonce, mut low) = split(u128::from_be_bytes(*counter));
        let mut stream = [Block::<aes::Aes128Enc>::default(); RUN];
        for piece in data.chunks_mut(16 * RUN) {
            let run = stream.get_mut(..piece.len().div_ceil(16)).unwrap_or_default();
            for block in &mut *run {
                *block = (nonce | u128::from(low)).to_be_bytes().into();
                low = low.wrapping_add(1);
            }
            each_aes!(self, cipher => cipher.encrypt_blocks(run));
            xor(piece, Array::slice_as_flattened(run));
        }
        *counter = (nonce | u128::from(low)).to_be_bytes();
        wipe(Array::slice_as_flattened_mut(&mut stream));
    }
}

/// A counter block without its last 32 bits, and those.
fn split(counter: u128) -> (u128, u32) {
    let [.., a, b, c, d] = counter.to_be_bytes();
    let low = u32::from_be_bytes([a, b, c, d]);
    (counter ^ u128::from(low), low)
}

/// A block cipher, keyed for decryption.
pub(crate) enum BlockDecrypt {
    Aes128(aes::Aes128Dec),
    Aes192(aes::Aes192Dec),
    Aes256(aes::Aes256Dec),
    #[cfg(feature = "legacy")]
    TripleDes(des::TdesEde3),
}

impl BlockDecrypt {
    /// AES with a key of 16, 24 or 32 bytes.
    pub(crate) fn aes(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Aes128(aes::Aes128Dec::new_from_slice(key).ok()?),
            24 => Self::Aes192(aes::Aes192Dec::new_from_slice(key).ok()?),
            32 => Self::Aes256(aes::Aes256Dec::new_from_slice(key).ok()?),
            _ => return None,
        })
    }

    /// Triple DES with a key of 24 bytes.
    #[cfg(feature = "legacy")]
    pub(crate) fn triple_des(key: &[u8]) -> Option<Self> {
        des::TdesEde3::new_from_slice(key).ok().map(Self::TripleDes)
    }

    /// One AES block.
    pub(crate) fn block(&self, block: &mut [u8; 16]) {
        match self {
            Self::Aes128(cipher) => cipher.decrypt_block(block.into()),
            Self::Aes192(cipher) => cipher.decrypt_block(block.into()),
            Self::Aes256(cipher) => cipher.decrypt_block(block.into()),
            #[cfg(feature = "legacy")]
            Self::TripleDes(_) => {}
        }
    }

    /// CBC over whole blocks, into a place as long; `iv` (a block long) is left ready for the next call.
    pub(crate) fn cbc(&self, iv: &mut [u8], from: &[u8], to: &mut [u8]) {
        match self {
            Self::Aes128(cipher) => cbc_decrypt(cipher, iv, from, to),
            Self::Aes192(cipher) => cbc_decrypt(cipher, iv, from, to),
            Self::Aes256(cipher) => cbc_decrypt(cipher, iv, from, to),
            #[cfg(feature = "legacy")]
            Self::TripleDes(cipher) => cbc_decrypt(cipher, iv, from, to),
        }
    }
}

fn cbc_decrypt<C: BlockCipherDecrypt>(cipher: &C, iv: &mut [u8], from: &[u8], to: &mut [u8]) {
    /// Bytes that are worked on at once: enough for the cipher's parallel units.
    const RUN: usize = 1024;
    for (from, to) in from.chunks(RUN).zip(to.chunks_mut(RUN)) {
        let (blocks, _) = Array::slice_as_chunks(from);
        let (plain, _) = Array::slice_as_chunks_mut(to);
        if cipher.decrypt_blocks_b2b(blocks, plain).is_err() {
            return;
        }
        let (first, rest) = to.split_at_mut(iv.len().min(to.len()));
        xor(first, iv);
        xor(rest, from);
        if let Some(last) = from.rchunks(iv.len()).next().filter(|last| last.len() == iv.len()) {
            iv.copy_from_slice(last);
        }
    }
}

/// Adds as many bytes of `other` as there are in `to`. In words, so that it is fast in builds whose
/// loops are not vectorised, too.
fn xor(to: &mut [u8], other: &[u8]) {
    let other = other.get(..to.len()).unwrap_or(other);
    let (blocks, rest) = to.as_chunks_mut();
    let (other_blocks, other_rest) = other.as_chunks();
    for (block, other) in blocks.iter_mut().zip(other_blocks) {
        xor_block(block, other);
    }
    for (byte, other) in rest.iter_mut().zip(other_rest) {
        *byte ^= other;
    }
}

/// In halves, which compilers join to one vector where there are such. A `u128` stays in two registers,
/// and the cipher, which reads a vector, waits for both to be written.
fn xor_block(block: &mut [u8; 16], other: &[u8; 16]) {
    let sum = |a, b| (u64::from_ne_bytes(a) ^ u64::from_ne_bytes(b)).to_ne_bytes();
    if let (([first, second], _), ([a, b], _)) = (block.as_chunks_mut(), other.as_chunks()) {
        *first = sum(*first, *a);
        *second = sum(*second, *b);
    }
}

/// GHASH (SP 800-38D) under one hash key: POLYVAL with the bytes of each block in reverse (RFC 8452,
/// appendix A).
#[derive(Clone)]
pub(crate) struct Ghash {
    hash: Polyval,
}

impl Ghash {
    pub(crate) fn new(key: &[u8; 16]) -> Self {
        let mut key = FieldElement::from(reversed(key)).mulx();
        let hash = Polyval::new(&key.into());
        key.zeroize();
        Self { hash }
    }

    /// Whole blocks; a last partial block is filled with zeros.
    pub(crate) fn update(&mut self, data: &[u8]) {
        /// Blocks that are worked on at once: enough for the hash's parallel units.
        const RUN: usize = 64;
        let mut run = [polyval::Block::default(); RUN];
        let (blocks, rest) = data.as_chunks();
        for piece in blocks.chunks(RUN) {
            for (to, from) in run.iter_mut().zip(piece) {
                *to = reversed(from).into();
            }
            self.hash.update(run.get(..piece.len()).unwrap_or_default());
        }
        if !rest.is_empty() {
            let mut last = [0; 16];
            for (to, from) in last.iter_mut().zip(rest) {
                *to = *from;
            }
            self.hash.update(&[reversed(&last).into()]);
        }
    }

    /// The sum so far.
    pub(crate) fn sum(&self) -> [u8; 16] {
        reversed(&self.hash.clone().finalize().into())
    }
}

fn reversed(block: &[u8; 16]) -> [u8; 16] {
    u128::from_ne_bytes(*block).swap_bytes().to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
    }

    #[test]
    fn cbc_matches_sp_800_38a() {
        let key = hex("2b7e151628aed2a6abf7158809cf4f3c");
        let iv: [u8; 16] = core::array::from_fn(|i| u8::try_from(i).unwrap());
        let plain = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
             30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
        let cipher = hex("7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
             73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7");
        let mut data = vec![0; cipher.len()];
        BlockDecrypt::aes(&key).unwrap().cbc(&mut iv.clone(), &cipher, &mut data);
        assert_eq!(data, plain);
        #[cfg(feature = "seal")]
        {
            BlockEncrypt::aes(&key).unwrap().cbc(&mut iv.clone(), &mut data);
            assert_eq!(data, cipher);
        }
        // In runs of any number of blocks.
        let long: Vec<u8> = (0..16 * 200).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let mut whole = long.clone();
        BlockDecrypt::aes(&key).unwrap().cbc(&mut iv.clone(), &long, &mut whole);
        let (mut pieces, mut chain) = (long.clone(), iv);
        for (from, to) in long.chunks(16 * 3).zip(pieces.chunks_mut(16 * 3)) {
            BlockDecrypt::aes(&key).unwrap().cbc(&mut chain, from, to);
        }
        assert_eq!(pieces, whole);
    }

    #[test]
    fn any_number_of_bytes_is_added() {
        let other: Vec<u8> = (1..=40).collect();
        for len in 0..=40 {
            let mut to = vec![0; len];
            xor(&mut to, &other);
            assert_eq!(to, other[..len]);
        }
    }

    #[test]
    fn ctr_matches_sp_800_38a() {
        let key = hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        let mut counter: [u8; 16] = core::array::from_fn(|i| 0xf0 + u8::try_from(i).unwrap());
        let mut data = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        BlockEncrypt::aes(&key).unwrap().ctr(&mut counter, &mut data);
        let expected = "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5";
        assert_eq!(data, hex(expected));
        assert_eq!(counter[12..], [0xfc, 0xfd, 0xff, 0x01]);
    }
}

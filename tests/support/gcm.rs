//! AES-GCM with a nonce of any length (SP 800-38D), which no safe library offers.

use aes::cipher::{Block, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Aes192Enc, Aes256Enc};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;

/// AES with a key of 16, 24 or 32 bytes: the encryption of one block.
pub(crate) fn aes(key: &[u8]) -> Box<dyn Fn([u8; 16]) -> [u8; 16]> {
    fn with<C: BlockCipherEncrypt + KeyInit + 'static>(
        key: &[u8],
    ) -> Box<dyn Fn([u8; 16]) -> [u8; 16]>
    where
        Block<C>: From<[u8; 16]> + Into<[u8; 16]>,
    {
        let cipher = C::new_from_slice(key).expect("the key is as long as the cipher's");
        Box::new(move |block| {
            let mut block = block.into();
            cipher.encrypt_block(&mut block);
            block.into()
        })
    }
    match key.len() {
        16 => with::<Aes128Enc>(key),
        24 => with::<Aes192Enc>(key),
        _ => with::<Aes256Enc>(key),
    }
}

/// Ciphertext and tag, without additional data.
pub(crate) fn seal(key: &[u8], nonce: &[u8], plaintext: &[u8]) -> (Vec<u8>, [u8; 16]) {
    let encrypt = aes(key);
    let hash_key = encrypt([0; 16]);
    let hash = |data: &[u8]| {
        let mut ghash = GHash::new(&hash_key.into());
        ghash.update_padded(data);
        let bits = u64::try_from(data.len()).expect("it fits") * 8;
        ghash.update_padded(&u128::from(bits).to_be_bytes());
        <[u8; 16]>::from(ghash.finalize())
    };
    let start = match <[u8; 12]>::try_from(nonce) {
        Ok(nonce) => {
            let mut start = [0; 16];
            start[..12].copy_from_slice(&nonce);
            start[15] = 1;
            start
        }
        Err(_) => hash(nonce),
    };
    let mut counter = start;
    let mut ciphertext = plaintext.to_vec();
    for piece in ciphertext.chunks_mut(16) {
        let low = u32::from_be_bytes(counter[12..].try_into().expect("four bytes"));
        counter[12..].copy_from_slice(&low.wrapping_add(1).to_be_bytes());
        for (byte, key) in piece.iter_mut().zip(encrypt(counter)) {
            *byte ^= key;
        }
    }
    let mut tag = hash(&ciphertext);
    for (byte, mask) in tag.iter_mut().zip(encrypt(start)) {
        *byte ^= mask;
    }
    (ciphertext, tag)
}

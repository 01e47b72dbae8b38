//! Key wrap: AES (RFC 3394) and triple DES (RFC 3217). A wrapped key tells whether it was unwrapped
//! with the right key, so a failure may be told apart at once.

#[cfg(test)]
mod vectors;

use crate::asn1::Algorithm;
use crate::crypto::BlockDecrypt;
#[cfg(feature = "seal")]
use crate::crypto::BlockEncrypt;
use crate::{Result, Secret, oid};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A key wrap algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyWrap {
    Aes128,
    Aes192,
    Aes256,
    #[cfg(feature = "legacy")]
    TripleDes,
}

impl KeyWrap {
    pub(crate) fn from_algorithm(algorithm: &Algorithm<'_>) -> Option<Self> {
        match algorithm.oid {
            oid::AES128_WRAP => Some(Self::Aes128),
            oid::AES192_WRAP => Some(Self::Aes192),
            oid::AES256_WRAP => Some(Self::Aes256),
            #[cfg(feature = "legacy")]
            oid::TRIPLE_DES_WRAP => Some(Self::TripleDes),
            _ => None,
        }
    }

    /// Bytes of the key-encryption key.
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
            #[cfg(feature = "legacy")]
            Self::TripleDes => 24,
        }
    }

    /// The usual name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "aes-128-wrap",
            Self::Aes192 => "aes-192-wrap",
            Self::Aes256 => "aes-256-wrap",
            #[cfg(feature = "legacy")]
            Self::TripleDes => "des-ede3-wrap",
        }
    }

    /// Unwraps; `None` if the key-encryption key is not the one that wrapped.
    pub(crate) fn unwrap(self, kek: &[u8], wrapped: &[u8]) -> Result<Option<Secret>> {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => aes_unwrap(kek, wrapped),
            #[cfg(feature = "legacy")]
            Self::TripleDes => triple_des_unwrap(kek, wrapped),
        }
    }
}

/// RFC 3394's initial value.
const AES_WRAP_IV: [u8; 8] = [0xa6; 8];

/// Content keys are at most 32 bytes; anything much longer is no key.
const MAX_WRAPPED: usize = 128;

fn aes_unwrap(kek: &[u8], wrapped: &[u8]) -> Result<Option<Secret>> {
    let Some(cipher) = BlockDecrypt::aes(kek) else { return Ok(None) };
    let Some((iv, key)) = wrapped.split_first_chunk::<8>() else { return Ok(None) };
    if key.len() < 16 || key.len() % 8 != 0 || wrapped.len() > MAX_WRAPPED {
        return Ok(None);
    }
    let mut iv = *iv;
    let mut key = Secret::copy_of(key)?;
    let mut step = u64::try_from(key.len() / 8 * 6).unwrap_or(0);
    let mut block = Zeroizing::new([0; 16]);
    for _ in 0..6 {
        for register in key.as_mut().rchunks_mut(8) {
            let (high, low) = block.split_at_mut(8);
            for ((to, from), count) in high.iter_mut().zip(iv).zip(step.to_be_bytes()) {
                *to = from ^ count;
            }
            low.copy_from_slice(register);
            cipher.block(&mut block);
            let (high, low) = block.split_at(8);
            iv.copy_from_slice(high);
            register.copy_from_slice(low);
            step -= 1;
        }
    }
    Ok(bool::from(iv.ct_eq(&AES_WRAP_IV)).then_some(key))
}

/// Wraps a content key with AES.
#[cfg(feature = "seal")]
pub(crate) fn aes_wrap(kek: &[u8], key: &[u8]) -> Option<alloc::vec::Vec<u8>> {
    let cipher = BlockEncrypt::aes(kek)?;
    let mut out = [&AES_WRAP_IV, key].concat();
    let (iv, registers) = out.split_first_chunk_mut::<8>()?;
    let mut step = 0_u64;
    let mut block = Zeroizing::new([0; 16]);
    for _ in 0..6 {
        for register in registers.chunks_mut(8) {
            let (high, low) = block.split_at_mut(8);
            high.copy_from_slice(iv);
            low.copy_from_slice(register);
            cipher.block(&mut block);
            step += 1;
            let (high, low) = block.split_at(8);
            for ((to, from), count) in iv.iter_mut().zip(high).zip(step.to_be_bytes()) {
                *to = from ^ count;
            }
            register.copy_from_slice(low);
        }
    }
    Some(out)
}

#[cfg(feature = "legacy")]
fn triple_des_unwrap(kek: &[u8], wrapped: &[u8]) -> Result<Option<Secret>> {
    use crate::crypto::{Hash, digest};

    let Some(cipher) = BlockDecrypt::triple_des(kek) else { return Ok(None) };
    // RFC 3217 wraps triple DES keys; OpenSSL wraps AES keys in the same way.
    let key_len = match wrapped.len() {
        len @ (32 | 40 | 48) => len - 16,
        _ => return Ok(None),
    };
    let iv = &mut [0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05];
    let mut outer = Secret::zeros(wrapped.len())?;
    cipher.cbc(iv, wrapped, outer.as_mut());
    outer.as_mut().reverse();
    let Some((iv, hidden)) = outer.as_mut().split_first_chunk_mut::<8>() else { return Ok(None) };
    let mut inner = Secret::zeros(hidden.len())?;
    cipher.cbc(iv, hidden, inner.as_mut());
    let (key, check) = inner.as_bytes().split_at(key_len);
    let sum = digest(Hash::Sha1, &[key])?;
    let sum = sum.as_bytes().get(..8).unwrap_or_default();
    if bool::from(sum.ct_eq(check)) { Secret::copy_of(key).map(Some) } else { Ok(None) }
}

#[cfg(all(test, feature = "seal"))]
mod tests {
    use super::*;

    #[test]
    fn aes_matches_rfc_3394_4_6() -> Result<()> {
        let kek: [u8; 32] = core::array::from_fn(|i| u8::try_from(i).unwrap());
        let key = [
            0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
            0xee, 0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        ];
        let wrapped = [
            0x28, 0xc9, 0xf4, 0x04, 0xc4, 0xb8, 0x10, 0xf4, 0xcb, 0xcc, 0xb3, 0x5c, 0xfb, 0x87,
            0xf8, 0x26, 0x3f, 0x57, 0x86, 0xe2, 0xd8, 0x0e, 0xd3, 0x26, 0xcb, 0xc7, 0xf0, 0xe7,
            0x1a, 0x99, 0xf4, 0x3b, 0xfb, 0x98, 0x8b, 0x9b, 0x7a, 0x02, 0xdd, 0x21,
        ];
        assert_eq!(aes_wrap(&kek, &key).as_deref(), Some(&wrapped[..]));
        assert!(KeyWrap::Aes256.unwrap(&kek, &wrapped)?.is_some_and(|found| found.ct_eq(&key)));
        for byte in 0..wrapped.len() {
            let mut bad = wrapped;
            bad[byte] ^= 1;
            assert!(KeyWrap::Aes256.unwrap(&kek, &bad)?.is_none());
        }
        for len in [0, 8, 16, 32, 39] {
            assert!(KeyWrap::Aes256.unwrap(&kek, &wrapped[..len])?.is_none());
        }
        Ok(())
    }

    #[cfg(feature = "legacy")]
    #[test]
    fn triple_des_matches_rfc_3217_3_4() -> Result<()> {
        let hex = |text: &str| -> alloc::vec::Vec<u8> {
            let digits = text.chars().filter_map(|digit| digit.to_digit(16));
            let digits: alloc::vec::Vec<u32> = digits.collect();
            digits.chunks(2).filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
        };
        let key = hex("2923bf85e06dd6ae529149f1f1bae9eab3a7da3d860d3e98");
        let kek = hex("255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f");
        let wrapped = hex("690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2\
             768c632775a467d4");
        let unwrapped = KeyWrap::TripleDes.unwrap(&kek, &wrapped)?;
        assert!(unwrapped.is_some_and(|found| found.ct_eq(&key)));
        for byte in 0..wrapped.len() {
            let mut bad = wrapped.clone();
            bad[byte] ^= 1;
            assert!(KeyWrap::TripleDes.unwrap(&kek, &bad)?.is_none());
        }
        assert!(KeyWrap::TripleDes.unwrap(&kek, &wrapped[..39])?.is_none());
        Ok(())
    }
}

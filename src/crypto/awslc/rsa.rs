//! RSA without padding: the padding is ours, in `cms::ktri`. Keys that AWS-LC does not compute with stay
//! with RustCrypto.

#[cfg(feature = "identity")]
use crate::RandomSource;
use crate::crypto::rustcrypto::rsa as portable;
use crate::{Result, Secret};
use alloc::vec::Vec;
use sdi_aws_lc::rsa;
#[cfg(feature = "identity")]
use zeroize::Zeroizing;

pub(crate) use portable::Numbers;

/// An RSA private key.
pub(crate) struct SecretKey {
    /// Reads and writes.
    portable: portable::SecretKey,
    /// The same key for the arithmetic.
    fast: Option<rsa::PrivateKey>,
}

impl SecretKey {
    /// Checks the numbers and takes them over. `None` if they are no key.
    pub(crate) fn new(numbers: &Numbers<'_>) -> Option<Result<Self>> {
        portable::SecretKey::new(numbers).map(|key| key.map(Self::from))
    }

    /// Makes a new key with the public exponent 65537.
    #[cfg(feature = "identity")]
    pub(crate) fn generate(bits: u32, random: &mut dyn RandomSource) -> Result<Self> {
        portable::SecretKey::generate(bits, random).map(Self::from)
    }

    pub(crate) fn modulus(&self) -> Vec<u8> {
        self.portable.modulus()
    }

    pub(crate) fn public_exponent(&self) -> Vec<u8> {
        self.portable.public_exponent()
    }

    /// Modulus, both exponents, both primes, their exponents and the coefficient, as PKCS#1 lists them.
    #[cfg(feature = "identity")]
    pub(crate) fn numbers(&self) -> Option<[Zeroizing<Vec<u8>>; 8]> {
        self.portable.numbers()
    }

    /// The private operation on one block, blinded and checked: as long as the modulus. `None` if
    /// `block` is not below the modulus.
    pub(crate) fn apply(&self, block: &[u8]) -> Option<Result<Secret>> {
        let mut answer = match Secret::zeros(block.len()) {
            Ok(answer) => answer,
            Err(error) => return Some(Err(error)),
        };
        match self.fast.as_ref().and_then(|key| key.apply(block, answer.as_mut())) {
            Some(()) => Some(Ok(answer)),
            None => self.portable.apply(block),
        }
    }
}

impl From<portable::SecretKey> for SecretKey {
    fn from(portable: portable::SecretKey) -> Self {
        let fast = portable.numbers().and_then(|numbers| {
            let [n, e, d, p, q, d_p, d_q, q_inv] = numbers.each_ref().map(|number| &number[..]);
            rsa::PrivateKey::new(&rsa::Numbers { n, e, d, p, q, d_p, d_q, q_inv })
        });
        Self { portable, fast }
    }
}

/// The public operation on one block as long as the modulus.
#[cfg(feature = "seal")]
pub(crate) fn public_apply(modulus: &[u8], exponent: &[u8], block: &[u8]) -> Result<Vec<u8>> {
    let mut answer = alloc::vec![0; block.len()];
    match rsa::public_apply(modulus, exponent, block, &mut answer) {
        Some(()) => Ok(answer),
        None => portable::public_apply(modulus, exponent, block),
    }
}

//! RSA without padding: the padding is ours, in `cms::ktri`.

#[cfg(any(feature = "seal", feature = "identity"))]
use crate::Error;
#[cfg(feature = "identity")]
use crate::RandomSource;
use crate::crypto::{Hash, digest, hmac};
use crate::{Result, Secret};
use alloc::vec::Vec;
use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng};
#[cfg(feature = "seal")]
use rsa::PublicKey;
use rsa::hazmat::rsa_decrypt_and_check;
#[cfg(feature = "seal")]
use rsa::hazmat::rsa_encrypt;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BoxedUint, PrivateKey};
use zeroize::Zeroizing;

/// An RSA private key.
pub(crate) struct SecretKey {
    key: PrivateKey,
    /// Seeds the blinding, so that decryption needs no source of randomness.
    blinding: Secret,
}

/// The numbers of a private key, big-endian.
pub(crate) struct Numbers<'a> {
    pub(crate) n: &'a [u8],
    pub(crate) e: &'a [u8],
    pub(crate) d: &'a [u8],
    pub(crate) p: &'a [u8],
    pub(crate) q: &'a [u8],
}

impl SecretKey {
    /// Checks the numbers and takes them over. `None` if they are no key.
    pub(crate) fn new(numbers: &Numbers<'_>) -> Option<Result<Self>> {
        // A modulus beyond this would make a key file a way to burn hours.
        if !(128..=2048).contains(&significant(numbers.n).len()) {
            return None;
        }
        let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(significant(bytes));
        let primes = alloc::vec![number(numbers.p), number(numbers.q)];
        let key = PrivateKey::from_components(
            number(numbers.n),
            number(numbers.e),
            number(numbers.d),
            primes,
        );
        key.ok().map(Self::with_blinding)
    }

    /// Makes a new key with the public exponent 65537.
    #[cfg(feature = "identity")]
    pub(crate) fn generate(bits: u32, random: &mut dyn RandomSource) -> Result<Self> {
        let mut seed = Secret::zeros(48)?;
        random.fill(seed.as_mut())?;
        let bits = usize::try_from(bits).map_err(|_| Error::Argument("an RSA key size"))?;
        let mut generator = Generator::new(seed);
        let key = PrivateKey::new(&mut generator, bits)
            .map_err(|_| Error::Argument("an RSA key of this size cannot be made"))?;
        Self::with_blinding(key)
    }

    fn with_blinding(key: PrivateKey) -> Result<Self> {
        let d = Zeroizing::new(key.d().to_be_bytes());
        let blinding = digest(Hash::Sha256, &[b"sdi rsa blinding", &d])?;
        Ok(Self { key, blinding })
    }

    pub(crate) fn modulus(&self) -> Vec<u8> {
        self.key.n_bytes().into_vec()
    }

    pub(crate) fn public_exponent(&self) -> Vec<u8> {
        self.key.e_bytes().into_vec()
    }

    /// Modulus, both exponents, both primes, their exponents and the coefficient, as PKCS#1 lists them.
    #[cfg(any(feature = "identity", feature = "aws-lc"))]
    pub(crate) fn numbers(&self) -> Option<[Zeroizing<Vec<u8>>; 8]> {
        let bytes = |number: &BoxedUint| Zeroizing::new(number.to_be_bytes().into_vec());
        let [p, q] = self.key.primes() else { return None };
        Some([
            Zeroizing::new(self.modulus()),
            Zeroizing::new(self.public_exponent()),
            bytes(self.key.d()),
            bytes(p),
            bytes(q),
            bytes(self.key.dp()?),
            bytes(self.key.dq()?),
            bytes(&Zeroizing::new(self.key.qinv()?.retrieve())),
        ])
    }

    /// The private operation on one block, blinded and checked: as long as the modulus. `None` if
    /// `block` is not below the modulus.
    pub(crate) fn apply(&self, block: &[u8]) -> Option<Result<Secret>> {
        let size = self.key.size();
        if block.len() != size {
            return None;
        }
        let number = BoxedUint::from_be_slice(block, self.key.n_bits_precision()).ok()?;
        let seed = match hmac(Hash::Sha256, self.blinding.as_bytes(), &[block]) {
            Ok(seed) => seed,
            Err(error) => return Some(Err(error)),
        };
        let mut generator = Generator::new(seed);
        let answer = rsa_decrypt_and_check(&self.key, Some(&mut generator), &number).ok()?;
        let answer = Zeroizing::new(answer);
        let bytes = Zeroizing::new(answer.to_be_bytes());
        Some(Secret::copy_of(bytes.get(bytes.len().checked_sub(size)?..)?))
    }
}

/// The public operation on one block as long as the modulus.
#[cfg(feature = "seal")]
pub(crate) fn public_apply(modulus: &[u8], exponent: &[u8], block: &[u8]) -> Result<Vec<u8>> {
    let bad = |_| Error::Argument("a certificate's RSA key is unusable");
    let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(significant(bytes));
    let key = PublicKey::new_with_size_limits(number(modulus), number(exponent), 1024..=16_384)
        .map_err(bad)?;
    let block = BoxedUint::from_be_slice(block, key.n_bits_precision())
        .map_err(|_| Error::Argument("a certificate's RSA key is unusable"))?;
    let answer = rsa_encrypt(&key, &Zeroizing::new(block)).map_err(bad)?.to_be_bytes();
    let start = answer.len().saturating_sub(key.size());
    Ok(answer.get(start..).unwrap_or_default().to_vec())
}

fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// Random bytes from a seed: HMAC-SHA-256 over a counter.
struct Generator {
    seed: Secret,
    counter: u64,
}

impl Generator {
    const fn new(seed: Secret) -> Self {
        Self { seed, counter: 0 }
    }
}

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        use ::hmac::{Hmac, KeyInit, Mac};
        for piece in out.chunks_mut(32) {
            let Ok(mut mac) = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(self.seed.as_bytes())
            else {
                // HMAC takes a key of any length.
                return Ok(());
            };
            mac.update(&self.counter.to_be_bytes());
            self.counter = self.counter.wrapping_add(1);
            let block = Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()));
            piece.copy_from_slice(block.get(..piece.len()).unwrap_or_default());
        }
        Ok(())
    }
}

impl TryCryptoRng for Generator {}

#[cfg(all(test, feature = "std", feature = "identity", feature = "seal"))]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn private_undoes_public() -> Result<()> {
        let key = SecretKey::generate(2048, &mut SystemRandom)?;
        let mut block = [0x5a; 256];
        block[0] = 0;
        let hidden = public_apply(&key.modulus(), &key.public_exponent(), &block)?;
        assert!(key.apply(&hidden).unwrap()?.ct_eq(&block));
        assert!(key.apply(&hidden[1..]).is_none());
        assert!(key.apply(&[0xff; 256]).is_none());
        Ok(())
    }
}

//! RSA without padding: a block as long as the modulus in, one as long out.

use crate::owned::{Owned, done, number};
use aws_lc_sys::{
    RSA, RSA_NO_PADDING, RSA_decrypt, RSA_encrypt, RSA_free, RSA_new_private_key,
    RSA_new_public_key,
};

/// The numbers of a private key (RFC 8017, 3.2), big-endian.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "RFC 8017 has no more")]
#[expect(missing_docs, reason = "they have the names of RFC 8017")]
pub struct Numbers<'a> {
    pub n: &'a [u8],
    pub e: &'a [u8],
    pub d: &'a [u8],
    pub p: &'a [u8],
    pub q: &'a [u8],
    pub d_p: &'a [u8],
    pub d_q: &'a [u8],
    pub q_inv: &'a [u8],
}

/// A private key.
pub struct PrivateKey(Owned<RSA>);

// SAFETY: decryption "may be used concurrently" on one key (rsa.h), and nothing else uses it.
unsafe impl Send for PrivateKey {}
// SAFETY: see above.
unsafe impl Sync for PrivateKey {}

impl PrivateKey {
    /// Checks the numbers and takes them over. `None` if they do not fit together, or if AWS-LC does not
    /// compute with such: it wants at most 16,384 bits, and an exponent of at most 33.
    #[must_use]
    pub fn new(numbers: &Numbers<'_>) -> Option<Self> {
        let Numbers { n, e, d, p, q, d_p, d_q, q_inv } = *numbers;
        let [n, e, d, p] = [number(n)?, number(e)?, number(d)?, number(p)?];
        let [q, d_p, d_q, q_inv] = [number(q)?, number(d_p)?, number(d_q)?, number(q_inv)?];
        // SAFETY: all numbers live, and are copied; `RSA_free` frees what is made here.
        let key = unsafe {
            let key = RSA_new_private_key(
                n.as_ptr(),
                e.as_ptr(),
                d.as_ptr(),
                p.as_ptr(),
                q.as_ptr(),
                d_p.as_ptr(),
                d_q.as_ptr(),
                q_inv.as_ptr(),
            );
            Owned::new(key, RSA_free)
        };
        key.map(Self)
    }

    /// The private operation, blinded and checked against the public one. `None` if `block` is not below
    /// the modulus, or one of the slices is not as long.
    ///
    /// Blinding takes random numbers of the system's. The first call of a process seeds AWS-LC's generator,
    /// which takes a tenth of a second; where the system has none to give, AWS-LC ends the process.
    #[must_use]
    pub fn apply(&self, block: &[u8], answer: &mut [u8]) -> Option<()> {
        apply(RSA_decrypt, &self.0, block, answer)
    }
}

/// The public operation under a modulus and an exponent. `None` if they are none for AWS-LC, and as
/// [`PrivateKey::apply`].
#[must_use]
pub fn public_apply(n: &[u8], e: &[u8], block: &[u8], answer: &mut [u8]) -> Option<()> {
    let (n, e) = (number(n)?, number(e)?);
    // SAFETY: both numbers live, and are copied; `RSA_free` frees what is made here.
    let key = unsafe { Owned::new(RSA_new_public_key(n.as_ptr(), e.as_ptr()), RSA_free) }?;
    apply(RSA_encrypt, &key, block, answer)
}

type Operation =
    unsafe extern "C" fn(*mut RSA, *mut usize, *mut u8, usize, *const u8, usize, i32) -> i32;

fn apply(operation: Operation, key: &Owned<RSA>, block: &[u8], answer: &mut [u8]) -> Option<()> {
    let mut written = 0;
    // SAFETY: the key lives; as many bytes are read and at most as many written as the slices have.
    let is_done = unsafe {
        let (to, room) = (answer.as_mut_ptr(), answer.len());
        let (from, len) = (block.as_ptr(), block.len());
        operation(key.as_ptr(), &raw mut written, to, room, from, len, RSA_NO_PADDING) == 1
    };
    done((is_done && written == answer.len()).then_some(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The primes 3 * 2^510 + 761 and 7 * 2^509 + 15.
    const N: &str = "\
        a8000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
        0000000000000000000000000000000002a520000000000000000000000000000000000000000000000000000000\
        000000000000000000000000000000000000000000000000000000000000000000002c97";
    const D: &str = "\
        407bb784487bb784487bb784487bb784487bb784487bb784487bb784487bb784487bb784487bb784487bb784487b\
        b784487bb784487bb784487bb784487bb8878f42f0bd0f42f0bd0f42f0bd0f42f0bd0f42f0bd0f42f0bd0f42f0bd\
        0f42f0bd0f42f0bd0f42f0bd0f42f0bd0f42f0bd0f42f0bd0f42f0bd0f42f0bd0f4300b1";
    const P: &str = "\
        c0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
        0000000000000000000000000000000002f9";
    const Q: &str = "\
        e0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
        00000000000000000000000000000000000f";
    const D_P: &str = "\
        10372fc8d0372fc8d0372fc8d0372fc8d0372fc8d0372fc8d0372fc8d0372fc8d0372fc8d0372fc8d0372fc8d037\
        2fc8d0372fc8d0372fc8d0372fc8d0373009";
    const D_Q: &str = "\
        a7877878878778788787787887877878878778788787787887877878878778788787787887877878878778788787\
        787887877878878778788787787887877883";
    const Q_INV: &str = "\
        bdf269192cba57801f48fb7431dc50c12f7720b3e3a5dc1eb2d056d0ecfc0a5cf9b1b0842df33152a93b969bbdb6\
        f808365b9b4d16a1ff82dc122f388ebcfe33";

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
        let byte = |pair: &[u32]| u8::try_from(pair[0] * 16 + pair[1]).expect("two digits");
        digits.chunks(2).map(byte).collect()
    }

    fn key(d: &[u8]) -> Option<PrivateKey> {
        let [n, p, q, d_p, d_q, q_inv] = [N, P, Q, D_P, D_Q, Q_INV].map(hex);
        let (e, d_p, d_q) = (&[1, 0, 1][..], &d_p[..], &d_q[..]);
        PrivateKey::new(&Numbers { n: &n, e, d, p: &p, q: &q, d_p, d_q, q_inv: &q_inv })
    }

    #[test]
    fn private_undoes_public() {
        let key = key(&hex(D)).expect("these numbers are a key");
        let block = [&[0][..], &[0x5a; 127]].concat();
        let (mut hidden, mut answer) = ([0; 128], [0; 128]);
        assert_eq!(public_apply(&hex(N), &[1, 0, 1], &block, &mut hidden), Some(()));
        assert_ne!(hidden[..], block);
        assert_eq!(key.apply(&hidden, &mut answer), Some(()));
        assert_eq!(answer[..], block);
    }

    #[test]
    fn bad_numbers_blocks_and_places_are_refused() {
        let mut d = hex(D);
        let key_of = |d: &[u8]| key(d).is_some();
        assert!(key_of(&d));
        d[60] ^= 1;
        assert!(!key_of(&d) && !key_of(&[]));

        let n = hex(N);
        let key = key(&hex(D)).expect("these numbers are a key");
        let mut answer = [0; 129];
        for bad in [&n[..], &[0xff; 128], &[1; 127], &[1; 129], &[]] {
            assert_eq!(key.apply(bad, &mut answer[..128]), None);
            assert_eq!(public_apply(&n, &[1, 0, 1], bad, &mut answer[..128]), None);
        }
        for len in [0, 127, 129] {
            assert_eq!(key.apply(&[1; 128], &mut answer[..len]), None);
        }
        assert_eq!(key.apply(&[1; 128], &mut answer[..128]), Some(()));
        for (n, e) in [(&n[..], &[][..]), (&n, &[2]), (&n, &[1; 40]), (&[], &[3]), (&[7], &[3])] {
            assert_eq!(public_apply(n, e, &[1; 128], &mut answer[..128]), None);
        }
    }
}

//! Key agreement on the NIST curves.

use crate::owned::{Owned, done, number};
use aws_lc_sys::{
    EC_GROUP, EC_KEY, EC_KEY_free, EC_KEY_get0_private_key, EC_KEY_new, EC_KEY_set_group,
    EC_KEY_set_private_key, EC_POINT, EC_POINT_free, EC_POINT_mul, EC_POINT_new,
    EC_POINT_oct2point, EC_POINT_point2oct, EC_group_p256, EC_group_p384, EC_group_p521,
    ECDH_compute_key, point_conversion_form_t,
};
use std::ptr::{null, null_mut};

/// A curve of FIPS 186.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are no more")]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

impl Curve {
    /// Bytes of a coordinate.
    #[must_use]
    pub const fn field_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn group(self) -> *const EC_GROUP {
        // SAFETY: these take nothing, and give constants.
        unsafe {
            match self {
                Self::P256 => EC_group_p256(),
                Self::P384 => EC_group_p384(),
                Self::P521 => EC_group_p521(),
            }
        }
    }

    fn point(self) -> Option<Owned<EC_POINT>> {
        // SAFETY: the group is a constant; `EC_POINT_free` frees what is made here.
        unsafe { Owned::new(EC_POINT_new(self.group()), EC_POINT_free) }
    }
}

/// A private key.
pub struct PrivateKey {
    curve: Curve,
    key: Owned<EC_KEY>,
}

// SAFETY: AWS-LC's keys may be used by all threads at once as long as none changes them (ec_key.h), and
// after `new` nothing does.
unsafe impl Send for PrivateKey {}
// SAFETY: see above.
unsafe impl Sync for PrivateKey {}

impl PrivateKey {
    /// Takes a scalar, big-endian. `None` if it is out of the curve's range.
    #[must_use]
    pub fn new(curve: Curve, scalar: &[u8]) -> Option<Self> {
        let scalar = number(scalar)?;
        // SAFETY: `EC_KEY_free` frees what is made here.
        let key = unsafe { Owned::new(EC_KEY_new(), EC_KEY_free) }?;
        // SAFETY: all three objects live; the key copies the number.
        let is_set = unsafe {
            EC_KEY_set_group(key.as_ptr(), curve.group()) == 1
                && EC_KEY_set_private_key(key.as_ptr(), scalar.as_ptr()) == 1
        };
        done(is_set.then_some(Self { curve, key }))
    }

    /// The curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// The public key: an uncompressed point, into as many bytes as it takes.
    #[must_use]
    pub fn public_point(&self, point: &mut [u8]) -> Option<()> {
        let group = self.curve.group();
        let public = self.curve.point()?;
        // SAFETY: all objects live and are of one group; no more bytes are written than the slice has.
        let written = unsafe {
            let scalar = EC_KEY_get0_private_key(self.key.as_ptr());
            let is_made =
                EC_POINT_mul(group, public.as_ptr(), scalar, null(), null(), null_mut()) == 1;
            let form = point_conversion_form_t::POINT_CONVERSION_UNCOMPRESSED;
            let (to, len) = (point.as_mut_ptr(), point.len());
            if is_made {
                EC_POINT_point2oct(group, public.as_ptr(), form, to, len, null_mut())
            } else {
                0
            }
        };
        done((written > 0 && written == point.len()).then_some(()))
    }

    /// The x-coordinate that this key shares with a public one, into as many bytes as it takes.
    /// `None` if `peer` is no point of the curve, or the one at infinity.
    #[must_use]
    pub fn agree(&self, peer: &[u8], shared: &mut [u8]) -> Option<()> {
        let group = self.curve.group();
        let point = self.curve.point()?;
        // SAFETY: all objects live and are of one group; as many bytes are read and at most as many
        // written as the slices have. The point is checked as it is read.
        let written = unsafe {
            let (from, len) = (peer.as_ptr(), peer.len());
            if EC_POINT_oct2point(group, point.as_ptr(), from, len, null_mut()) == 1 {
                let (to, len) = (shared.as_mut_ptr().cast(), shared.len());
                ECDH_compute_key(to, len, point.as_ptr(), self.key.as_ptr(), None)
            } else {
                -1
            }
        };
        let is_whole = usize::try_from(written)
            .is_ok_and(|written| written == shared.len() && written == self.curve.field_len());
        done(is_whole.then_some(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVES: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    fn key(curve: Curve, last: u8) -> PrivateKey {
        let mut scalar = vec![0; curve.field_len()];
        scalar[curve.field_len() - 20..].fill(last);
        PrivateKey::new(curve, &scalar).expect("a small number is in range")
    }

    fn public(key: &PrivateKey) -> Vec<u8> {
        let mut point = vec![0; 1 + 2 * key.curve.field_len()];
        key.public_point(&mut point).expect("the point fits");
        point
    }

    #[test]
    fn both_sides_agree() {
        for curve in CURVES {
            let (a, b) = (key(curve, 3), key(curve, 77));
            let mut ab = vec![0; curve.field_len()];
            let mut ba = ab.clone();
            a.agree(&public(&b), &mut ab).expect("b's point is good");
            b.agree(&public(&a), &mut ba).expect("a's point is good");
            assert_eq!(ab, ba);
            assert!(ab.iter().any(|&byte| byte != 0));
        }
    }

    #[test]
    fn bad_numbers_points_and_places_are_refused() {
        for curve in CURVES {
            let len = curve.field_len();
            for scalar in [vec![0; len], vec![0xff; len], vec![], vec![1; len + 1]] {
                assert!(PrivateKey::new(curve, &scalar).is_none());
            }
            let key = key(curve, 3);
            let good = public(&key);
            let mut shared = vec![0; len];
            let mut off = good.clone();
            off[2 * len] ^= 1;
            for bad in [&off[..], &good[..2 * len], &[0], &[], &[4; 40]] {
                assert_eq!(key.agree(bad, &mut shared), None);
            }
            assert_eq!(key.agree(&good, &mut shared[1..]), None);
            assert_eq!(key.agree(&good, &mut vec![0; len + 1]), None);
            assert_eq!(key.agree(&good, &mut shared), Some(()));
            assert_eq!(key.public_point(&mut off[1..]), None);
            assert_eq!(key.public_point(&mut [0; 200]), None);
        }
    }
}

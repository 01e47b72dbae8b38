//! Bytes that are wiped when they are no longer needed.

use crate::{Error, Result};
use alloc::vec::Vec;
use core::fmt::{self, Debug, Formatter};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Secret bytes: a key, a shared secret, a plaintext. Wiped on drop; cannot be cloned, printed or
/// compared with `==`.
///
/// ```
/// let secret = sdi::Secret::from(vec![1, 2, 3]);
/// assert_eq!(secret.as_bytes(), [1, 2, 3]);
/// assert_eq!(format!("{secret:?}"), "Secret(3 bytes)");
/// ```
#[derive(Default)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// An empty secret.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An empty secret that can take `len` bytes without moving.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn with_room(len: usize) -> Result<Self> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| Error::OutOfMemory)?;
        Ok(Self(bytes))
    }

    pub(crate) fn zeros(len: usize) -> Result<Self> {
        let mut secret = Self::with_room(len)?;
        secret.0.resize(len, 0);
        Ok(secret)
    }

    pub(crate) fn copy_of(bytes: &[u8]) -> Result<Self> {
        let mut secret = Self::with_room(bytes.len())?;
        secret.0.extend_from_slice(bytes);
        Ok(secret)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares in a time that depends on the lengths alone.
    #[must_use]
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        self.0.as_slice().ct_eq(other).into()
    }

    /// Gives the bytes away. Wiping them is the caller's work from then on.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        core::mem::take(&mut self.0)
    }

    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// The buffer itself. Who lets it grow beyond its capacity leaves a copy behind: use
    /// [`Self::reserve`] first.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Makes room for `more` bytes and wipes the old place when the bytes have to move.
    pub(crate) fn reserve(&mut self, more: usize) -> Result<()> {
        let needed = self.0.len().checked_add(more).ok_or(Error::OutOfMemory)?;
        if needed > self.0.capacity() {
            let mut larger = Self::with_room(needed.max(self.0.capacity().saturating_mul(2)))?;
            larger.0.extend_from_slice(&self.0);
            *self = larger;
        }
        Ok(())
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) -> Result<()> {
        self.reserve(bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

impl Drop for Secret {
    // A call is shorter than the loop, in sixty places: 15 KB of the library.
    #[inline(never)]
    fn drop(&mut self) {
        wipe_vec(&mut self.0);
    }
}

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Debug for Secret {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// Takes over the bytes and their wiping.
impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// Overwrites and empties a buffer, with what it has beyond its length.
pub(crate) fn wipe_vec(bytes: &mut Vec<u8>) {
    // Cleared first, it is wiped as one block; `Vec::zeroize` goes byte by byte.
    bytes.clear();
    bytes.spare_capacity_mut().zeroize();
}

/// Overwrites bytes as one block; `zeroize` of a slice goes byte by byte.
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    zeroize::optimization_barrier(bytes);
}

/// Does work with keys, and then overwrites the stack that it used: keys and keyed ciphers are moved as
/// they are made, and leave copies there that no drop reaches. What holds a secret in the result has to
/// be on the heap, because the result is moved, too.
pub(crate) fn on_wiped_stack<T>(work: impl FnOnce() -> T) -> T {
    let result = out_of_line(work);
    wipe_stack();
    result
}

/// Works in a frame of its own, where that of [`wipe_stack`] will be.
#[inline(never)]
pub(crate) fn out_of_line<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Overwrites the stack below the caller: half of what a call with a P-256 key may use; below that are
/// leaves of arithmetic. Also between steps of one call, because what goes to the heap next would
/// take copies along in bytes that it does not use.
#[inline(never)]
pub(crate) fn wipe_stack() {
    const USED: usize = 32 << 10;
    wipe(&mut [0; USED]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_keeps_the_bytes() -> Result<()> {
        let mut secret = Secret::with_room(2)?;
        for i in 0..=255 {
            secret.extend(&[i])?;
        }
        assert_eq!(secret.len(), 256);
        assert!(secret.as_bytes().iter().copied().eq(0..=255));
        assert!(secret.ct_eq(&(0..=255).collect::<Vec<u8>>()));
        assert!(!secret.ct_eq(b""));
        Ok(())
    }
}

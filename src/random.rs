//! Where randomness comes from. Only sealing and key making need it; opening does not.

#[cfg(feature = "std")]
use crate::Error;
use crate::Result;

/// A cryptographically secure source of random bytes, given by the caller.
///
/// ```
/// struct Module;
/// impl sdi::RandomSource for Module {
///     fn fill(&mut self, out: &mut [u8]) -> Result<(), sdi::Error> {
///         // ask the TPM; on failure its own code comes out again
///         Err(sdi::Error::Random(0x922))
///     }
/// }
/// ```
pub trait RandomSource {
    /// Fills `out` completely.
    ///
    /// # Errors
    /// [`Error::Random`](crate::Error::Random) with a code of the source's own.
    fn fill(&mut self, out: &mut [u8]) -> Result<()>;
}

impl<R: RandomSource + ?Sized> RandomSource for &mut R {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        (**self).fill(out)
    }
}

/// The operating system's source. It waits until the system has enough entropy: a device that makes
/// its key early in its first boot may want to bring its own.
#[cfg(feature = "std")]
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct is its own constructor")]
pub struct SystemRandom;

#[cfg(feature = "std")]
impl RandomSource for SystemRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        getrandom::fill(out)
            .map_err(|error| Error::Random(error.raw_os_error().map_or(-1, i64::from)))
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn the_system_gives_different_bytes() -> Result<()> {
        let (mut a, mut b) = ([0; 32], [0; 32]);
        SystemRandom.fill(&mut a)?;
        SystemRandom.fill(&mut b)?;
        assert_ne!(a, b);
        Ok(())
    }
}

//! What a vendor decides about auto-install: what is accepted, and when attempts are made.

use super::schedule::to_millis;
use crate::{DeviceId, Error, Result};
use core::num::NonZeroU32;
use core::time::Duration;
use sha2::{Digest, Sha256};

/// What to do with a file that is not encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PlainFile {
    /// Install it, as a device without this feature does.
    #[default]
    Accept,
    /// Abort: this device takes encrypted configurations only (RFC 8886, 4.3).
    Refuse,
}

/// What to do when an attempt fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnFailure {
    /// Try again, as the schedule says.
    #[default]
    Retry,
    /// End with [`Outcome::Aborted`](crate::Outcome::Aborted).
    Abort,
}

/// The rules that an [`Autoinstall`](crate::Autoinstall) follows.
///
/// The defaults are those of RFC 8886, section 4.3: plain files are accepted, attempts start at
/// 0, 5, .., 60 minutes and then every hour, and there is no last one.
///
/// ```
/// # fn main() -> Result<(), sdi::Error> {
/// use sdi::{DeviceId, PlainFile, Policy};
/// use std::time::Duration;
/// let policy = Policy::for_device(&DeviceId::new("SN19842256")?)
///     .plain(PlainFile::Refuse)
///     .start_spread(Duration::from_secs(300));
/// # let _ = policy;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub(super) plain: PlainFile,
    pub(super) parse_first: bool,
    pub(super) on_failure: OnFailure,
    pub(super) max_attempts: Option<NonZeroU32>,
    /// Milliseconds, as all times here.
    pub(super) fast: u64,
    pub(super) fast_for: u64,
    pub(super) slow: u64,
    pub(super) start_spread: u64,
    pub(super) jitter_permille: u64,
    /// Without a seed there is no jitter and no spread.
    pub(super) seed: Option<u64>,
}

impl Policy {
    /// The defaults, with every wait made up to a tenth shorter or longer, at random and differently
    /// for each device. Devices that are switched on together then do not come back together.
    #[must_use]
    pub fn for_device(id: &DeviceId) -> Self {
        let seed = Some(digest(id.as_str().as_bytes()));
        Self { jitter_permille: 100, seed, ..Self::unseeded() }
    }

    /// The defaults, without jitter: attempts start exactly at the times that RFC 8886 suggests. For
    /// tests, and for devices that no other one is switched on with.
    #[must_use]
    pub const fn unseeded() -> Self {
        Self {
            plain: PlainFile::Accept,
            parse_first: false,
            on_failure: OnFailure::Retry,
            max_attempts: None,
            fast: 5 * 60 * 1000,
            fast_for: 60 * 60 * 1000,
            slow: 60 * 60 * 1000,
            start_spread: 0,
            jitter_permille: 0,
            seed: None,
        }
    }

    /// What to do with a file that is not encrypted.
    #[must_use]
    pub const fn plain(mut self, plain: PlainFile) -> Self {
        self.plain = plain;
        self
    }

    /// The order of RFC 8886, section 2.1: a file that does not look encrypted is checked as it is,
    /// and decrypted only if that fails. [`PlainFile::Refuse`] wins over it.
    #[must_use]
    pub const fn parse_first(mut self, on: bool) -> Self {
        self.parse_first = on;
        self
    }

    /// What to do when an attempt fails.
    #[must_use]
    pub const fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// Abort when this many attempts have failed, those of [`poke`](crate::Autoinstall::poke)
    /// included. `None`, the default: never, because a device may be installed long before its
    /// configuration is ready.
    #[must_use]
    pub const fn max_attempts(mut self, max: Option<NonZeroU32>) -> Self {
        self.max_attempts = max;
        self
    }

    /// The wait from one attempt's start to the next one's: `fast` while the earlier one starts less
    /// than `fast_for` after the first, then `slow`. Parts of a millisecond are dropped.
    ///
    /// # Errors
    /// [`Error::Argument`] if `fast` or `slow` is less than a millisecond.
    pub fn retry(mut self, fast: Duration, fast_for: Duration, slow: Duration) -> Result<Self> {
        let (fast, slow) = (to_millis(fast), to_millis(slow));
        if fast == 0 || slow == 0 {
            return Err(Error::Argument("an interval between attempts of 0"));
        }
        (self.fast, self.fast_for, self.slow) = (fast, to_millis(fast_for), slow);
        Ok(self)
    }

    /// Makes every wait longer or shorter, by up to `permille` thousandths. `seed` is what makes this
    /// device different from others: its serial number, or random bytes that it keeps. The same seed
    /// gives the same times on every machine.
    ///
    /// # Errors
    /// [`Error::Argument`] if `permille` is above 500, or above 0 without a seed.
    pub fn jitter(mut self, permille: u32, seed: &[u8]) -> Result<Self> {
        if permille > 500 {
            return Err(Error::Argument("a jitter of more than 500 permille"));
        }
        if permille > 0 && seed.is_empty() {
            return Err(Error::Argument("jitter without a seed: all devices would have the same"));
        }
        self.jitter_permille = u64::from(permille);
        self.seed = (!seed.is_empty()).then(|| digest(seed));
        Ok(self)
    }

    /// Delays the first attempt by a time between 0 and `max` that follows from the seed; without a
    /// seed there is no delay. For sites where a power cut ends for all devices at once.
    #[must_use]
    pub fn start_spread(mut self, max: Duration) -> Self {
        self.start_spread = to_millis(max);
        self
    }

    /// Whether a failure is the end, after this many attempts.
    pub(super) fn ends_after(&self, attempts: u32) -> bool {
        self.on_failure == OnFailure::Abort
            || self.max_attempts.is_some_and(|max| attempts >= max.get())
    }
}

/// Seeds are often near to each other, as serial numbers are; their digests are not.
fn digest(seed: &[u8]) -> u64 {
    let digest: [u8; 32] = Sha256::digest(seed).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

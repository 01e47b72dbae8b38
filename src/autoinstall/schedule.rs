//! When the next attempt starts. Integers only: the same on every machine, for ever.

use super::policy::Policy;
use core::time::Duration;

/// Counts down to the next start, and up from the first one. It holds no point in time but the
/// host's last `now`: so a clock that goes back is no time passed, a restored machine does not care
/// where the new boot's clock begins, and no sum can overflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule {
    /// The host's clock at the last call. All times are milliseconds.
    clock: u64,
    /// Time since the first scheduled start.
    pub(super) since_first: Option<u64>,
    /// Time to the next scheduled start.
    pub(super) to_next: u64,
    /// How many waits were drawn: the position in the device's random sequence.
    pub(super) drawn: u32,
}

impl Schedule {
    pub(super) fn new(policy: &Policy, now: Duration) -> Self {
        let clock = to_millis(now);
        Self { clock, since_first: None, to_next: policy.first_delay(), drawn: 0 }
    }

    /// Goes on where a saved schedule was, with a wait that this policy can have given.
    pub(super) fn restored(
        policy: &Policy,
        now: Duration,
        since_first: Option<u64>,
        to_next: u64,
        drawn: u32,
    ) -> Self {
        let to_next = to_next.min(policy.longest_wait());
        Self { clock: to_millis(now), since_first, to_next, drawn }
    }

    /// Lets the time up to `now` pass.
    pub(super) fn advance(&mut self, now: Duration) {
        let now = to_millis(now);
        let passed = now.saturating_sub(self.clock);
        self.clock = now;
        self.to_next = self.to_next.saturating_sub(passed);
        self.since_first = self.since_first.map(|since| since.saturating_add(passed));
    }

    pub(super) const fn is_due(&self) -> bool {
        self.to_next == 0
    }

    /// The host's time of the next start.
    pub(super) const fn next_start(&self) -> Duration {
        // Durations have room for the sum of any two such times.
        Duration::from_millis(self.clock).saturating_add(Duration::from_millis(self.to_next))
    }

    /// A scheduled attempt starts now.
    pub(super) fn start(&mut self, policy: &Policy) {
        let since_first = *self.since_first.get_or_insert(0);
        let gap = if since_first < policy.fast_for { policy.fast } else { policy.slow };
        self.to_next = self.draw(policy, gap);
    }

    /// An attempt has failed. If it was still running when the next one was due, the server is slow
    /// or away: that next one comes after a pause, drawn like every wait, so that devices whose
    /// attempts all time out together drift apart.
    pub(super) fn pause_if_overrun(&mut self, policy: &Policy) {
        if self.is_due() {
            self.to_next = self.draw(policy, policy.pause());
        }
    }

    fn draw(&mut self, policy: &Policy, wait: u64) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        policy.jittered(wait, self.drawn)
    }
}

impl Policy {
    /// The delay of the first attempt: position 0 of the device's random sequence.
    fn first_delay(&self) -> u64 {
        match (self.seed, self.start_spread.checked_add(1)) {
            (Some(seed), Some(choices)) => random(seed, 0) % choices,
            (Some(seed), None) => random(seed, 0),
            (None, _) => 0,
        }
    }

    /// After an attempt that overran the next one's start.
    fn pause(&self) -> u64 {
        (self.fast / 5).max(1)
    }

    /// `wait`, shorter or longer by up to the jitter's share of it. Never 0, for `wait` is not.
    fn jittered(&self, wait: u64, position: u32) -> u64 {
        let Some(seed) = self.seed else { return wait };
        let most = self.most_jitter(wait);
        (wait - most).saturating_add(random(seed, position) % (2 * most + 1))
    }

    /// At most half of `wait`, and computed without overflow.
    const fn most_jitter(&self, wait: u64) -> u64 {
        wait / 1000 * self.jitter_permille + wait % 1000 * self.jitter_permille / 1000
    }

    /// No wait under this policy is longer.
    fn longest_wait(&self) -> u64 {
        let interval = self.fast.max(self.slow);
        interval.saturating_add(self.most_jitter(interval)).max(self.start_spread)
    }
}

/// Whole milliseconds; what does not fit (584 million years) is the greatest that does.
pub(super) fn to_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The number at `position` of the sequence that `seed` names (SplitMix64). Each number depends on
/// seed and position alone, so a restored machine needs no generator state.
fn random(seed: u64, position: u32) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = seed.wrapping_add((u64::from(position) + 1).wrapping_mul(STEP));
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

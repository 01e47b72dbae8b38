//! Time is a number that the test moves.
#![expect(dead_code, reason = "no test file uses all of it")]

use sdi::{Action, Autoinstall, Detection, Encoding, Event, Outcome, Policy};
use std::time::Duration;

pub(crate) const ENVELOPED: Event = Event::Fetched(Detection::Enveloped(Encoding::Der));
pub(crate) const PLAIN: Event = Event::Fetched(Detection::Plain);
pub(crate) const INSTALLED: Action = Action::Finished(Outcome::Installed);
pub(crate) const ABORTED: Action = Action::Finished(Outcome::Aborted);
pub(crate) const YEARS: Duration = Duration::from_secs(87_660 * 3600); // ten of them

pub(crate) const fn sec(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn min(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

pub(crate) const fn fetch(attempt: u32) -> Action {
    Action::Fetch { attempt }
}

pub(crate) fn boot(policy: Policy) -> Autoinstall {
    Autoinstall::new(policy, Duration::ZERO)
}

/// At each time the machine gives this order, as often as it is asked, and takes this answer.
#[track_caller]
pub(crate) fn follow(machine: &mut Autoinstall, timeline: &[(Duration, Action, Event)]) {
    for (now, order, answer) in timeline {
        assert_eq!(machine.poll(*now), *order, "at {now:?}");
        assert_eq!(machine.poll(*now), *order, "polled again at {now:?}");
        assert_eq!(machine.handle(*now, *answer), Ok(()), "{answer:?} at {now:?}");
    }
}

/// The next start, when the host sleeps as long as it is told.
pub(crate) fn next_start(machine: &mut Autoinstall, mut now: Duration) -> Duration {
    if let Action::WaitUntil(time) = machine.poll(now) {
        assert!(time > now, "a wait that is none at {now:?}");
        now = time;
    }
    assert!(matches!(machine.poll(now), Action::Fetch { .. }), "no order at {now:?}");
    now
}

/// When the first `n` attempts start, each of which fails after `takes(attempt)`.
pub(crate) fn starts(policy: Policy, n: u32, takes: impl Fn(u32) -> Duration) -> Vec<Duration> {
    let (mut machine, mut now) = (boot(policy), Duration::ZERO);
    (1..=n)
        .map(|attempt| {
            let start = next_start(&mut machine, now);
            now = start + takes(attempt);
            assert_eq!(machine.handle(now, Event::FetchFailed), Ok(()));
            start
        })
        .collect()
}

pub(crate) fn minutes(list: &[u64]) -> Vec<Duration> {
    list.iter().copied().map(min).collect()
}

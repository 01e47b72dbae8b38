//! Random policies, clocks and events against the machine, and beside it a plain account of what has
//! happened, from which the promises are checked. Deterministic; `PROPTEST_CASES` makes it longer.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod timeline;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sdi::Event::{
    Cancel, CheckFailed, Checked, DecryptFailed, Decrypted, FetchFailed, Fetched, InstallFailed,
    Installed,
};
use sdi::{Action, Autoinstall, Damage, Detection, Event, OnFailure, Outcome, PlainFile, Policy};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;
use timeline::{ENVELOPED, PLAIN};

const EVENTS: [Event; 14] = [
    ENVELOPED,
    PLAIN,
    Fetched(Detection::Damaged(Damage::TextMode)),
    Fetched(Detection::OtherCms),
    Fetched(Detection::Empty),
    Fetched(Detection::NeedMore),
    FetchFailed,
    Decrypted,
    DecryptFailed(140),
    Checked,
    CheckFailed,
    Installed,
    InstallFailed,
    Cancel,
];

/// A policy in numbers, so that the account can compute with them. Times in milliseconds.
#[derive(Debug, Clone)]
struct Rules {
    refuse: bool,
    parse_first: bool,
    abort: bool,
    max: u32,
    fast: u64,
    fast_for: u64,
    slow: u64,
    spread: u64,
    permille: u32,
    seed: Vec<u8>,
}

impl Rules {
    fn policy(&self) -> Policy {
        let millis = Duration::from_millis;
        Policy::unseeded()
            .plain(if self.refuse { PlainFile::Refuse } else { PlainFile::Accept })
            .parse_first(self.parse_first)
            .on_failure(if self.abort { OnFailure::Abort } else { OnFailure::Retry })
            .max_attempts(NonZeroU32::new(self.max))
            .retry(millis(self.fast), millis(self.fast_for), millis(self.slow))
            .and_then(|policy| policy.jitter(self.permille, &self.seed))
            .map(|policy| policy.start_spread(millis(self.spread)))
            .unwrap()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Poll,
    /// An answer that fits the order, if the number finds one.
    Answer(usize),
    Any(usize),
    Poke,
    Reboot,
}

#[derive(Debug, Clone)]
enum Clock {
    Stands,
    Runs(u64),
    ToTheNextStart,
    /// Anywhere, the past included.
    Jumps(u64),
}

fn rules() -> impl Strategy<Value = Rules> {
    let wait = || prop_oneof![Just(300_000), 1..10_u64, 1..10_000_000_u64, Just(u64::MAX - 1)];
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.2));
    let max = prop_oneof![3 => Just(0), 1 => 1..5_u32];
    let jitter =
        prop_oneof![Just((0, vec![])), (0..=500_u32, prop::collection::vec(any::<u8>(), 1..9))];
    let spread = prop_oneof![Just(0), 0..1_000_000_u64, Just(u64::MAX)];
    (flags, max, wait(), prop_oneof![Just(0), wait()], wait(), spread, jitter).prop_map(
        |((refuse, parse_first, abort), max, fast, fast_for, slow, spread, (permille, seed))| {
            Rules { refuse, parse_first, abort, max, fast, fast_for, slow, spread, permille, seed }
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<(Clock, Step)>> {
    let clock = prop_oneof![
        2 => Just(Clock::Stands),
        2 => (0..600_000_u64).prop_map(Clock::Runs),
        4 => Just(Clock::ToTheNextStart),
        1 => any::<u64>().prop_map(Clock::Jumps),
    ];
    let step = prop_oneof![
        4 => Just(Step::Poll),
        8 => (0..100_usize).prop_map(Step::Answer),
        2 => (0..EVENTS.len()).prop_map(Step::Any),
        1 => Just(Step::Poke),
        1 => Just(Step::Reboot),
    ];
    prop::collection::vec((clock, step), 1..80)
}

/// What has happened so far, kept by a clock that never goes back.
struct Account<'a> {
    rules: &'a Rules,
    clock: u64,
    elapsed: u128,
    /// The first scheduled start.
    first: Option<u128>,
    /// Between these two lies the next scheduled start; jitter decides where.
    due: (u128, u128),
    poked: bool,
    starts: u32,
    /// The events of the attempt that is running.
    attempt: Option<Vec<Event>>,
    outcome: Option<Outcome>,
}

impl<'a> Account<'a> {
    fn new(rules: &'a Rules, clock: u64) -> Self {
        let spread = if rules.seed.is_empty() { 0 } else { rules.spread };
        let due = (0, spread.into());
        let (first, attempt, outcome) = (None, None, None);
        Self { rules, clock, elapsed: 0, first, due, poked: false, starts: 0, attempt, outcome }
    }

    fn advance(&mut self, now: u64) {
        self.elapsed += u128::from(now.saturating_sub(self.clock));
        self.clock = now;
    }

    /// The range of times after a wait from now on.
    fn after(&self, wait: u64) -> (u128, u128) {
        let jitter = u128::from(wait) * u128::from(self.rules.permille) / 1000;
        let wait = u128::from(wait);
        (self.elapsed + wait - jitter, self.elapsed + (wait + jitter).min(u64::MAX.into()))
    }

    /// The machine says that an attempt starts. Never early, never more than allowed.
    fn start(&mut self) {
        assert!(self.poked || self.elapsed >= self.due.0, "an early start");
        self.starts += 1;
        assert!(self.rules.max == 0 || self.starts <= self.rules.max, "a start too many");
        if self.elapsed >= self.due.1 || !self.poked {
            let first = *self.first.get_or_insert(self.elapsed);
            let fast = self.elapsed - first < self.rules.fast_for.into();
            self.due = self.after(if fast { self.rules.fast } else { self.rules.slow });
        }
        (self.poked, self.attempt) = (false, Some(Vec::new()));
    }

    /// An extra attempt was asked for, when the machine would have given this order.
    fn poke(&mut self, order: Action) {
        match order {
            Action::WaitUntil(until) => self.wait(self.clock, until),
            // It is due anyway, or was asked for already.
            _ if self.poked => {}
            _ => {
                assert!(self.elapsed >= self.due.0, "an early start");
                self.due.1 = self.elapsed.min(self.due.1);
            }
        }
        self.poked = true;
    }

    /// The machine says that it waits. Not for nothing, not past the start, not longer than ever.
    fn wait(&mut self, now: u64, until: Duration) {
        assert!(!self.poked && self.attempt.is_none());
        let left = until.as_millis() - u128::from(now);
        assert!(left > 0, "a wait that is none");
        let next = self.elapsed + left;
        assert!(self.due.0 <= next && next <= self.due.1, "{next} is not in {:?}", self.due);
        self.due = (next, next);
    }

    /// An event was accepted.
    fn event(&mut self, event: Event, next: Action) {
        if let Action::Finished(outcome) = next {
            (self.outcome, self.attempt) = (Some(outcome), None);
            assert_eq!(outcome == Outcome::Installed, event == Installed);
        } else if let Action::WaitUntil(until) = next {
            self.attempt = None;
            assert!(!self.rules.abort && (self.rules.max == 0 || self.starts < self.rules.max));
            let left = until.as_millis() - u128::from(self.clock);
            if self.elapsed >= self.due.0 && self.elapsed + left > self.due.1 {
                self.due = self.after((self.rules.fast / 5).max(1));
            }
        } else if let Some(attempt) = &mut self.attempt {
            attempt.push(event);
        }
    }

    /// What is installed was checked, and looked plain or was decrypted.
    fn order(&self, order: Action) {
        let so_far = self.attempt.as_deref().unwrap_or_default();
        match (order, so_far) {
            (Action::Install, [ENVELOPED, Decrypted, Checked]) => {}
            (Action::Install, [PLAIN, CheckFailed, Decrypted, Checked]) => {
                assert!(self.rules.parse_first && !self.rules.refuse);
            }
            (Action::InstallRaw, [PLAIN]) => assert!(!self.rules.parse_first && !self.rules.refuse),
            (Action::InstallRaw, [PLAIN, Checked]) => {
                assert!(self.rules.parse_first && !self.rules.refuse);
            }
            (Action::Install | Action::InstallRaw, _) => panic!("{order:?} after {so_far:?}"),
            _ => {}
        }
    }
}

fn name(action: Action) -> &'static str {
    match action {
        Action::WaitUntil(_) => "WaitUntil",
        Action::Fetch { .. } => "Fetch",
        Action::CheckRaw => "CheckRaw",
        Action::InstallRaw => "InstallRaw",
        Action::Decrypt => "Decrypt",
        Action::Check => "Check",
        Action::Install => "Install",
        Action::Finished(Outcome::Installed) => "Installed",
        Action::Finished(Outcome::Aborted) => "Aborted",
    }
}

fn play(rules: &Rules, zero: u64, steps: &[(Clock, Step)], seen: &mut BTreeSet<&'static str>) {
    let at = Duration::from_millis;
    let mut now = zero;
    let mut machine = Autoinstall::new(rules.policy(), at(now));
    let mut account = Account::new(rules, now);
    for (clock, step) in steps {
        now = match clock {
            Clock::Stands => now,
            Clock::Runs(time) => now.saturating_add(*time),
            Clock::Jumps(time) => *time,
            Clock::ToTheNextStart => match machine.clone().poll(at(now)) {
                Action::WaitUntil(time) => u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
                _ => now,
            },
        };
        let before = machine.clone();
        let event = match step {
            Step::Poll => None,
            Step::Any(number) => EVENTS.get(*number).copied(),
            Step::Answer(number) => {
                let fits = |event: &Event| machine.clone().handle(at(now), *event).is_ok();
                let fitting: Vec<_> = EVENTS.into_iter().filter(fits).collect();
                fitting.get(number % fitting.len().max(1)).copied()
            }
            Step::Poke => {
                let waits = account.attempt.is_none() && account.outcome.is_none();
                assert_eq!(machine.poke(at(now)).is_ok(), waits);
                if waits {
                    account.advance(now);
                    account.poke(before.clone().poll(at(now)));
                } else {
                    assert_eq!(machine, before, "a refused poke changes nothing");
                }
                None
            }
            Step::Reboot => {
                account.advance(now);
                let state = machine.save(at(now));
                now = zero / 2;
                account.clock = now;
                machine = Autoinstall::restore(rules.policy(), at(now), &state).unwrap();
                if account.attempt.is_some() {
                    account.event(Cancel, machine.clone().poll(at(now)));
                }
                None
            }
        };
        if let Some(event) = event {
            match machine.handle(at(now), event) {
                Ok(()) => {
                    account.advance(now);
                    account.event(event, machine.clone().poll(at(now)));
                    assert!(event != Cancel || account.outcome == Some(Outcome::Aborted));
                }
                Err(_) => assert_eq!(machine, before, "a refused event changes nothing"),
            }
        }

        // Whatever has happened: there is one order, it is the same when asked again, and it fits.
        let order = machine.poll(at(now));
        account.advance(now);
        assert_eq!(machine.poll(at(now)), order);
        seen.insert(name(order));
        match order {
            Action::Finished(outcome) => assert_eq!(account.outcome, Some(outcome)),
            Action::WaitUntil(until) => {
                account.wait(now, until);
                let start = machine.clone().poll(until.min(at(u64::MAX)));
                assert!(matches!(start, Action::Fetch { .. }) || until > at(u64::MAX));
            }
            Action::Fetch { attempt } => {
                if account.attempt.is_none() {
                    account.start();
                }
                assert_eq!(attempt, account.starts);
            }
            _ => {}
        }
        account.order(order);
        assert_eq!(machine.attempts(), account.starts);
        // No order is lost: time alone does not take it away.
        if account.attempt.is_some() {
            let mut later = machine.clone();
            assert!([0, now, u64::MAX].iter().all(|time| later.poll(at(*time)) == order));
        }
    }
}

#[test]
fn r31_r33_r34_r38_hold_whatever_happens() {
    let seen = RefCell::new(BTreeSet::new());
    let config = Config { failure_persistence: None, ..Config::default() };
    let config = Config { cases: config.cases.max(10_000), ..config };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng)
        .run(&(rules(), any::<u64>(), steps()), |(rules, zero, steps)| {
            play(&rules, zero, &steps, &mut seen.borrow_mut());
            Ok(())
        })
        .unwrap();
    assert_eq!(seen.borrow().len(), 9, "not every state was reached: {:?}", seen.borrow());
}

//! The machine that runs auto-install, under any policy, any clock and any events.

use crate::choices::Choices;
use sdi::{
    Action, Autoinstall, Damage, Detection, Encoding, Event, OnFailure, Outcome, PlainFile, Policy,
};
use std::num::NonZeroU32;
use std::time::Duration;

const EVENTS: [Event; 13] = [
    Event::Fetched(Detection::Enveloped(Encoding::Der)),
    Event::Fetched(Detection::Plain),
    Event::Fetched(Detection::Damaged(Damage::TextMode)),
    Event::Fetched(Detection::OtherCms),
    Event::Fetched(Detection::Empty),
    Event::FetchFailed,
    Event::Decrypted,
    Event::DecryptFailed(140),
    Event::Checked,
    Event::CheckFailed,
    Event::Installed,
    Event::InstallFailed,
    Event::Cancel,
];

/// The last moment that the machine tells from others.
const LAST: Duration = Duration::from_millis(u64::MAX);

/// What the host may rely on, kept beside the machine.
struct Account {
    refuses_plain: bool,
    parses_first: bool,
    max_attempts: Option<NonZeroU32>,
    /// Since the last fetch.
    events: Vec<Event>,
}

impl Account {
    /// An order fits what was said since the file was fetched.
    fn accepts(&self, order: Action) {
        const ENCRYPTED: Event = Event::Fetched(Detection::Enveloped(Encoding::Der));
        const PLAIN: Event = Event::Fetched(Detection::Plain);
        let fits = match (order, self.events.as_slice()) {
            (Action::Install, [ENCRYPTED, Event::Decrypted, Event::Checked]) => true,
            (Action::Install, [PLAIN, Event::CheckFailed, Event::Decrypted, Event::Checked]) => {
                self.parses_first && !self.refuses_plain
            }
            (Action::InstallRaw, [PLAIN]) => !self.parses_first && !self.refuses_plain,
            (Action::InstallRaw, [PLAIN, Event::Checked]) => {
                self.parses_first && !self.refuses_plain
            }
            (Action::Install | Action::InstallRaw, _) => false,
            _ => true,
        };
        assert!(fits, "{order:?} after {:?}", self.events);
    }
}

fn policy(choices: &mut Choices<'_>) -> (Policy, Account) {
    let flags = choices.byte();
    let account = Account {
        refuses_plain: flags & 1 != 0,
        parses_first: flags & 2 != 0,
        max_attempts: NonZeroU32::new(u32::from(choices.byte() % 8)),
        events: Vec::new(),
    };
    let mut policy = Policy::unseeded()
        .plain(if account.refuses_plain { PlainFile::Refuse } else { PlainFile::Accept })
        .parse_first(account.parses_first)
        .on_failure(if flags & 4 != 0 { OnFailure::Abort } else { OnFailure::Retry })
        .max_attempts(account.max_attempts);
    if flags & 8 != 0 {
        let time = |choices: &mut Choices<'_>| Duration::from_millis(choices.number());
        let times = (time(choices), time(choices), time(choices));
        policy = policy.clone().retry(times.0, times.1, times.2).unwrap_or(policy);
    }
    if flags & 16 != 0 {
        let permille = u32::from(choices.byte()) * 4;
        policy = policy.clone().jitter(permille, choices.bytes(4)).unwrap_or(policy);
    }
    if flags & 32 != 0 {
        policy = policy.start_spread(Duration::from_millis(choices.number()));
    }
    (policy, account)
}

/// Input: the policy, when it begins, then steps of a clock and an event.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (policy, mut account) = policy(&mut choices);
    let mut now = Duration::from_millis(choices.number());
    let mut machine = Autoinstall::new(policy.clone(), now);
    while !choices.is_empty() {
        let before = machine.clone();
        let order = machine.poll(now);
        let polled = machine.clone();
        assert_eq!(machine.poll(now), order, "asked again");
        assert_eq!(machine, polled, "asking again changes nothing");
        check_order(&before, order, now, &mut account);

        match choices.byte() % 24 {
            number @ 0..=12 => {
                let event = EVENTS[usize::from(number)];
                let before = machine.clone();
                match machine.handle(now, event) {
                    Ok(()) => {
                        account.events.push(event);
                        let ended = matches!(machine.clone().poll(now), Action::Finished(_));
                        assert!(event != Event::Cancel || ended);
                    }
                    Err(_) => assert_eq!(machine, before, "a refused event changes nothing"),
                }
            }
            13..=15 => {
                if let Action::WaitUntil(time) = order {
                    now = time.min(LAST);
                }
            }
            16..=17 => now = (now + Duration::from_secs(choices.byte().into())).min(LAST),
            18 => now = Duration::from_millis(choices.number()),
            19..=20 => {
                let waits = matches!(order, Action::WaitUntil(_));
                let before = machine.clone();
                assert_eq!(machine.poke(now).is_ok(), waits);
                let next = machine.clone().poll(now);
                assert!(!waits || matches!(next, Action::Fetch { .. }), "{next:?} after a poke");
                assert!(waits || machine == before, "a refused poke changes nothing");
            }
            21 => {
                // A reboot: as if no time had passed, an attempt in progress has failed.
                let state = machine.save(now);
                now = Duration::from_millis(choices.number());
                machine = Autoinstall::restore(policy.clone(), now, &state).expect("its own state");
                assert_eq!(machine.attempts(), polled.attempts());
                account.events.clear();
            }
            _ => {
                // Bytes from a broken flash: an answer, and never a machine out of order.
                let mut state = machine.save(now);
                let (at, bits) = (choices.below(state.len()), choices.byte());
                state[at] ^= bits;
                let restored = Autoinstall::restore(policy.clone(), now, &state);
                assert_eq!(restored.is_ok(), bits == 0, "byte {at} changed by {bits}");
            }
        }
    }
}

fn check_order(before: &Autoinstall, order: Action, now: Duration, account: &mut Account) {
    match order {
        Action::WaitUntil(time) => assert!(time > now, "a wait that is none: {time:?} at {now:?}"),
        Action::Fetch { attempt } => {
            if before.attempts() != attempt {
                assert_eq!(before.attempts().saturating_add(1), attempt);
                account.events.clear();
            }
            assert!(account.max_attempts.is_none_or(|max| attempt <= max.get()));
        }
        Action::Finished(Outcome::Installed) => {
            assert_eq!(before.outcome(), Some(Event::Installed));
        }
        order => account.accepts(order),
    }
}

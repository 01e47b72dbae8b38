//! What survives a reboot, what a poke does, and what changes nothing.

mod timeline;

use sdi::Event::{
    self, Cancel, CheckFailed, Checked, DecryptFailed, Decrypted, FetchFailed, Fetched,
    InstallFailed, Installed,
};
use sdi::{Action, Autoinstall, BadState, Damage, Detection, DeviceId, OnFailure, Policy};
use sha2::{Digest, Sha256};
use std::num::NonZeroU32;
use std::time::Duration;
use timeline::{
    ABORTED, ENVELOPED, INSTALLED, PLAIN, boot, fetch, follow, min, next_start, sec, starts,
};

#[test]
fn r34_saving_changes_nothing() {
    let policy = Policy::for_device(&DeviceId::new("SN19842256").unwrap());
    let (mut steady, mut now) = (boot(policy.clone()), Duration::ZERO);
    let (mut rebooted, mut zero) = (steady.clone(), Duration::ZERO);
    for attempt in 1..=20_000 {
        let start = next_start(&mut steady, now);
        assert_eq!(next_start(&mut rebooted, now - zero), start - zero);
        now = start + sec(9);
        steady.handle(now, FetchFailed).unwrap();
        if attempt % 1000 == 0 {
            // The other one is saved in the middle of its attempt, and wakes up in a boot whose
            // clock starts somewhere else.
            let state = rebooted.save(now - zero);
            zero = now - sec(attempt / 1000);
            rebooted = Autoinstall::restore(policy.clone(), now - zero, &state).unwrap();
            assert_eq!(rebooted.outcome(), Some(Cancel));
        } else {
            rebooted.handle(now - zero, FetchFailed).unwrap();
        }
        assert_eq!(rebooted.attempts(), steady.attempts());
    }
}

#[test]
fn r34_poke_adds_one_start_and_moves_none() {
    let device = Policy::for_device(&DeviceId::new("SN19842256").unwrap());
    for policy in [Policy::unseeded(), device.clone(), device.start_spread(min(5))] {
        let expected = starts(policy.clone(), 20, |_| sec(1));
        let mut machine = boot(policy);
        let mut attempt = 0;
        for (start, next) in expected.iter().zip(&expected[1..]) {
            assert_eq!(next_start(&mut machine, *start), *start);
            // After each scheduled attempt an extra one.
            let later = *start + sec(100);
            follow(&mut machine, &[(*start + sec(1), fetch(attempt + 1), FetchFailed)]);
            assert_eq!(machine.poll(later), Action::WaitUntil(*next));
            assert_eq!(machine.poke(later), Ok(()));
            assert_eq!(machine.poke(later), Ok(()), "asking twice is asking once");
            follow(&mut machine, &[(later, fetch(attempt + 2), FetchFailed)]);
            assert_eq!(machine.poll(later), Action::WaitUntil(*next));
            attempt += 2;
        }
    }
}

#[test]
fn r34_poke_knows_what_is_due_and_what_is_running() {
    // The first attempt is due: it is the one that was asked for.
    let mut machine = boot(Policy::unseeded());
    assert_eq!(machine.poke(sec(0)), Ok(()));
    follow(&mut machine, &[(sec(0), fetch(1), FetchFailed)]);
    assert_eq!(machine.poll(sec(0)), Action::WaitUntil(min(5)));
    // An extra attempt that is still running when the next is due overruns like any other.
    assert_eq!(machine.poke(min(4)), Ok(()));
    assert_eq!(machine.poll(min(4)), fetch(2));
    assert!(machine.poke(min(4)).is_err(), "one is running");
    assert_eq!(machine.handle(min(6), FetchFailed), Ok(()));
    assert_eq!(machine.poll(min(6)), Action::WaitUntil(min(7)));
    // The time up to it has passed, even if the clock goes back afterwards.
    let mut machine_again = machine.clone();
    assert_eq!(machine_again.poke(sec(400)), Ok(()));
    follow(&mut machine_again, &[(sec(0), fetch(3), FetchFailed)]);
    assert_eq!(machine_again.poll(sec(0)), Action::WaitUntil(sec(20)));
    // It outlives a reboot, and cannot wake up what has ended.
    assert_eq!(machine.poke(min(6)), Ok(()));
    let state = machine.save(min(6));
    let mut machine = Autoinstall::restore(Policy::unseeded(), sec(0), &state).unwrap();
    follow(&mut machine, &[(sec(0), fetch(3), FetchFailed), (min(1), fetch(4), Cancel)]);
    let ended = machine.poke(min(1)).unwrap_err();
    assert!(ended.to_string().contains("auto-install has ended"), "{ended}");
    assert_eq!(machine.poll(min(1)), ABORTED);
}

/// The longest time that can pass since the first attempt is told from no first attempt.
#[test]
fn r34_an_age_is_no_fresh_start() {
    let mut machine = boot(Policy::unseeded());
    follow(&mut machine, &[(sec(0), fetch(1), FetchFailed)]);
    let state = machine.save(Duration::MAX);
    let mut machine = Autoinstall::restore(Policy::unseeded(), sec(0), &state).unwrap();
    follow(&mut machine, &[(sec(0), fetch(2), FetchFailed)]);
    assert_eq!(machine.poll(sec(0)), Action::WaitUntil(min(60)));
}

#[test]
fn r34_there_is_a_cap_only_if_one_is_set() {
    let policy = Policy::unseeded().max_attempts(NonZeroU32::new(3));
    let mut machine = boot(policy.clone());
    follow(&mut machine, &[(sec(0), fetch(1), FetchFailed)]);
    assert_eq!(machine.poke(sec(1)), Ok(()));
    follow(&mut machine, &[(sec(1), fetch(2), FetchFailed), (min(5), fetch(3), FetchFailed)]);
    assert_eq!((machine.poll(min(5)), machine.outcome()), (ABORTED, Some(FetchFailed)));
    // The last attempt can be the good one.
    let mut machine = boot(policy);
    follow(
        &mut machine,
        &[
            (sec(0), fetch(1), FetchFailed),
            (min(5), fetch(2), FetchFailed),
            (min(10), fetch(3), PLAIN),
            (min(10), Action::InstallRaw, Installed),
        ],
    );
    assert_eq!(machine.poll(min(10)), INSTALLED);
}

/// A machine for every event that a saved state can hold, with that event.
fn saved_reasons() -> Vec<(Autoinstall, Option<Event>)> {
    let run = |policy: Policy, events: &[Event]| {
        let mut machine = boot(policy);
        for event in events {
            machine.poll(sec(1));
            assert_eq!(machine.handle(sec(2), *event), Ok(()));
        }
        (machine, events.last().copied())
    };
    let retry = Policy::unseeded();
    let abort = retry.clone().on_failure(OnFailure::Abort);
    let mut machines = vec![
        run(retry.clone(), &[]),
        run(retry.clone(), &[FetchFailed]),
        run(retry.clone(), &[ENVELOPED, DecryptFailed(i32::MIN)]),
        run(retry.clone(), &[ENVELOPED, Decrypted, CheckFailed]),
        run(retry.clone(), &[ENVELOPED, Decrypted, Checked, InstallFailed]),
        run(retry.clone(), &[ENVELOPED, Decrypted, Checked, Installed]),
        run(retry.clone(), &[Cancel]),
        run(retry.clone().plain(sdi::PlainFile::Refuse), &[PLAIN]),
        run(abort, &[FetchFailed]),
    ];
    for detection in [
        Detection::Empty,
        Detection::NeedMore,
        Detection::OtherCms,
        Detection::Damaged(Damage::Truncated),
        Detection::Damaged(Damage::TextMode),
        Detection::Damaged(Damage::NotAnEnvelope),
        Detection::Damaged(Damage::Armor),
    ] {
        machines.push(run(retry.clone(), &[Fetched(detection)]));
    }
    machines
}

#[test]
fn r34_a_saved_state_comes_back_as_it_was() {
    for (mut machine, reason) in saved_reasons() {
        let state = machine.save(sec(3));
        let mut restored = Autoinstall::restore(Policy::unseeded(), sec(3), &state).unwrap();
        assert_eq!(restored.outcome(), reason);
        assert_eq!(restored.attempts(), machine.attempts());
        assert_eq!(restored.save(sec(3)), state);
        assert_eq!(restored.poll(sec(3)), machine.poll(sec(3)), "{reason:?}");
    }
}

#[test]
fn r34_an_attempt_in_progress_is_saved_as_failed() {
    let mut machine = boot(Policy::unseeded());
    follow(&mut machine, &[(sec(0), fetch(1), ENVELOPED)]);
    assert_eq!(machine.poll(sec(2)), Action::Decrypt);
    let state = machine.save(sec(2));
    assert_eq!(machine.poll(sec(2)), Action::Decrypt, "saving is only looking");
    let restore = |policy| Autoinstall::restore(policy, sec(0), &state).unwrap();
    let mut restored = restore(Policy::unseeded());
    assert_eq!(restored.poll(sec(0)), Action::WaitUntil(sec(298)));
    assert_eq!((restored.outcome(), restored.attempts()), (Some(Cancel), 1));
    // Overrun while it was running: the pause, not an attempt at once.
    let mut restored =
        Autoinstall::restore(Policy::unseeded(), sec(0), &machine.save(min(9))).unwrap();
    assert_eq!(restored.poll(sec(0)), Action::WaitUntil(min(1)));
    // A device that aborts on failure has failed.
    let mut machine = boot(Policy::unseeded().on_failure(OnFailure::Abort));
    assert_eq!(machine.poll(sec(0)), fetch(1));
    let mut restored =
        Autoinstall::restore(Policy::unseeded(), sec(0), &machine.save(sec(1))).unwrap();
    assert_eq!((restored.poll(sec(0)), restored.outcome()), (ABORTED, Some(Cancel)));
}

#[test]
fn r34_the_fast_hour_does_not_begin_again() {
    let (mut machine, mut now, mut starts) = (boot(Policy::unseeded()), sec(0), Vec::new());
    for _ in 0..16 {
        // A reboot, with a clock that begins at 0, 10 seconds after every failed attempt.
        let start = next_start(&mut machine, sec(0));
        now += start;
        starts.push(now.as_secs() / 60);
        machine.handle(start, FetchFailed).unwrap();
        let state = machine.save(start + sec(10));
        now += sec(10);
        machine = Autoinstall::restore(Policy::unseeded(), sec(0), &state).unwrap();
    }
    assert_eq!(starts, [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 120, 180, 240]);
}

/// A state with these bytes changed and a check value that fits.
fn forged(state: &[u8; 64], at: usize, bytes: &[u8]) -> [u8; 64] {
    let mut forged = *state;
    forged[at..at + bytes.len()].copy_from_slice(bytes);
    let digest = Sha256::digest(&forged[..56]);
    forged[56..].copy_from_slice(&digest[..8]);
    forged
}

#[test]
fn r34_damaged_states_are_refused() {
    let restore = |state: &[u8]| {
        let restored = Autoinstall::restore(Policy::unseeded(), sec(0), state);
        restored.map(|machine| machine.attempts())
    };
    let mut machine = boot(Policy::unseeded());
    follow(&mut machine, &[(sec(0), fetch(1), FetchFailed)]);
    let state = machine.save(sec(1));
    assert_eq!(restore(&state), Ok(1), "the control");

    for bit in 0..512 {
        let mut damaged = state;
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(restore(&damaged), Err(BadState::Damaged), "bit {bit}");
    }
    assert_eq!(restore(&[0; 64]), Err(BadState::Damaged));
    assert_eq!(restore(&[0xff; 64]), Err(BadState::Damaged), "erased flash");
    for bad in [&state[..63], &[], &[state.as_slice(), b"\0"].concat()] {
        assert_eq!(restore(bad), Err(BadState::Length));
    }

    // With a check value that fits: another version, and what no machine has saved.
    assert_eq!(restore(&forged(&state, 0, b"SDIa\x01")), Ok(1), "the control");
    assert_eq!(restore(&forged(&state, 4, &[2])), Err(BadState::Version(2)));
    for (at, bytes) in [
        (0, &b"SDIb"[..]),
        (5, &[4]),       // an unknown phase
        (5, &[2]),       // installed by a failure
        (6, &[7]),       // waiting after a success
        (6, &[3]),       // an event that ends nothing
        (6, &[2, 1]),    // a detail that the event does not have
        (6, &[1, 3]),    // a detection that ends nothing
        (5, &[3, 0, 0]), // aborted for no reason
        (55, &[1]),
    ] {
        assert_eq!(restore(&forged(&state, at, bytes)), Err(BadState::Damaged), "{at} {bytes:?}");
    }
}

#[test]
fn r34_a_forged_state_moves_the_next_attempt_and_nothing_else() {
    let mut machine = boot(Policy::unseeded());
    follow(&mut machine, &[(sec(0), fetch(1), FetchFailed)]);
    // All numbers at their greatest.
    let state = forged(&machine.save(sec(0)), 12, &[0xff; 24]);
    let id = DeviceId::new("SN19842256").unwrap();
    for (policy, longest) in [
        (Policy::unseeded(), min(60)),
        (Policy::for_device(&id), min(66)),
        (Policy::unseeded().start_spread(min(90)), min(90)),
    ] {
        let mut machine = Autoinstall::restore(policy, sec(0), &state).unwrap();
        assert_eq!(machine.poll(sec(0)), Action::WaitUntil(longest));
        assert_eq!(machine.attempts(), u32::MAX);
        follow(&mut machine, &[(longest, fetch(u32::MAX), FetchFailed)]);
        assert!(matches!(machine.poll(longest), Action::WaitUntil(_)));
    }
}

#[test]
fn a_bad_state_says_what_is_wrong() {
    for (bad, text) in [
        (BadState::Length, "the saved state is not 64 bytes long"),
        (BadState::Version(9), "the saved state has version 9, which is not known here"),
        (BadState::Damaged, "the saved state is damaged"),
    ] {
        assert_eq!(bad.to_string(), text);
    }
}

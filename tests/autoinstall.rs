//! What auto-install does with a file, as timelines.

mod timeline;

use sdi::Event::{
    Cancel, CheckFailed, Checked, DecryptFailed, Decrypted, FetchFailed, Fetched, InstallFailed,
    Installed,
};
use sdi::{Action, Autoinstall, Damage, Detection, Event, OnFailure, PlainFile, Policy};
use timeline::{
    ABORTED, ENVELOPED, INSTALLED, PLAIN, YEARS, boot, fetch, follow, min, next_start, sec,
};

#[test]
fn r2_a_plain_file_is_installed_as_before() {
    let mut machine = boot(Policy::unseeded());
    follow(&mut machine, &[(sec(0), fetch(1), PLAIN), (sec(1), Action::InstallRaw, Installed)]);
    assert_eq!(machine.poll(sec(2)), INSTALLED);
    assert_eq!((machine.outcome(), machine.attempts()), (Some(Installed), 1));
}

#[test]
fn r30_an_encrypted_file_is_decrypted_checked_and_installed() {
    let mut machine = boot(Policy::unseeded());
    follow(
        &mut machine,
        &[
            (sec(0), fetch(1), ENVELOPED),
            (sec(1), Action::Decrypt, Decrypted),
            (sec(2), Action::Check, Checked),
            (sec(3), Action::Install, Installed),
        ],
    );
    assert_eq!(machine.poll(sec(4)), INSTALLED);
    assert_eq!(machine.poll(YEARS), INSTALLED);
}

#[test]
fn r28_a_plain_file_on_a_later_attempt_and_after_a_reboot() {
    let mut machine = boot(Policy::unseeded());
    follow(&mut machine, &[(sec(0), fetch(1), FetchFailed)]);
    let state = machine.save(sec(100));
    let mut machine = Autoinstall::restore(Policy::unseeded(), sec(7), &state).unwrap();
    assert_eq!(machine.poll(sec(7)), Action::WaitUntil(sec(207)));
    follow(&mut machine, &[(sec(207), fetch(2), PLAIN), (sec(208), Action::InstallRaw, Installed)]);
    assert_eq!(machine.poll(sec(208)), INSTALLED);
}

#[test]
fn r9_parse_first_checks_the_file_as_it_is() {
    let policy = Policy::unseeded().parse_first(true);
    // The plain file parses.
    let mut machine = boot(policy.clone());
    follow(
        &mut machine,
        &[
            (sec(0), fetch(1), PLAIN),
            (sec(1), Action::CheckRaw, Checked),
            (sec(2), Action::InstallRaw, Installed),
        ],
    );
    assert_eq!(machine.poll(sec(3)), INSTALLED);
    // It does not: perhaps it is encrypted in a way that cannot be seen.
    let mut machine = boot(policy.clone());
    follow(
        &mut machine,
        &[
            (sec(0), fetch(1), PLAIN),
            (sec(1), Action::CheckRaw, CheckFailed),
            (sec(2), Action::Decrypt, Decrypted),
            (sec(3), Action::Check, Checked),
            (sec(4), Action::Install, Installed),
        ],
    );
    assert_eq!(machine.poll(sec(5)), INSTALLED);
    // It is neither.
    let mut machine = boot(policy.clone());
    follow(
        &mut machine,
        &[
            (sec(0), fetch(1), PLAIN),
            (sec(1), Action::CheckRaw, CheckFailed),
            (sec(2), Action::Decrypt, DecryptFailed(100)),
        ],
    );
    assert_eq!(machine.poll(sec(3)), Action::WaitUntil(min(5)));
    assert_eq!(machine.outcome(), Some(DecryptFailed(100)));
    // What looks encrypted is not touched by it, and what is refused is not even parsed.
    let mut machine = boot(policy.clone());
    follow(&mut machine, &[(sec(0), fetch(1), ENVELOPED)]);
    assert_eq!(machine.poll(sec(1)), Action::Decrypt);
    let mut machine = boot(policy.plain(PlainFile::Refuse));
    follow(&mut machine, &[(sec(0), fetch(1), PLAIN)]);
    assert_eq!(machine.poll(sec(1)), ABORTED);
}

#[test]
fn r29_an_encrypted_only_device_refuses_plaintext() {
    let policy = Policy::unseeded().plain(PlainFile::Refuse).on_failure(OnFailure::Retry);
    let mut machine = boot(policy.clone());
    follow(&mut machine, &[(sec(0), fetch(1), PLAIN)]);
    assert_eq!(machine.poll(sec(1)), ABORTED);
    assert_eq!((machine.outcome(), machine.attempts()), (Some(PLAIN), 1));

    // What is no plaintext is a failure like others, and none is ever installed.
    for detection in [
        Detection::Damaged(Damage::NotAnEnvelope),
        Detection::Damaged(Damage::Truncated),
        Detection::OtherCms,
        Detection::Empty,
        Detection::NeedMore,
    ] {
        let mut machine = boot(policy.clone());
        follow(&mut machine, &[(sec(0), fetch(1), Fetched(detection))]);
        assert_eq!(machine.poll(sec(1)), Action::WaitUntil(min(5)), "{detection:?}");
        assert_eq!(machine.outcome(), Some(Fetched(detection)));

        let mut machine = boot(policy.clone().on_failure(OnFailure::Abort));
        follow(&mut machine, &[(sec(0), fetch(1), Fetched(detection))]);
        assert_eq!(machine.poll(sec(1)), ABORTED, "{detection:?}");
    }

    // The control: an encrypted file.
    let mut machine = boot(policy);
    follow(&mut machine, &[(sec(0), fetch(1), ENVELOPED)]);
    assert_eq!(machine.poll(sec(1)), Action::Decrypt);
}

/// The ways in which an attempt fails: orders and answers, the last one the failure.
fn failures() -> Vec<Vec<(Action, Event)>> {
    use Action::{Check, CheckRaw, Decrypt, Install, InstallRaw};
    vec![
        vec![(fetch(1), FetchFailed)],
        vec![(fetch(1), Fetched(Detection::OtherCms))],
        vec![(fetch(1), ENVELOPED), (Decrypt, DecryptFailed(140))],
        vec![(fetch(1), ENVELOPED), (Decrypt, DecryptFailed(190))], // the opener's policy
        vec![(fetch(1), ENVELOPED), (Decrypt, Decrypted), (Check, CheckFailed)],
        vec![
            (fetch(1), ENVELOPED),
            (Decrypt, Decrypted),
            (Check, Checked),
            (Install, InstallFailed),
        ],
        vec![(fetch(1), PLAIN), (CheckRaw, Checked), (InstallRaw, InstallFailed)],
    ]
}

#[test]
fn r31_a_failure_is_the_end_or_is_retried_until_it_works() {
    let policy = Policy::unseeded().parse_first(true);
    for failure in failures() {
        let mut machine = boot(policy.clone().on_failure(OnFailure::Abort));
        for (order, answer) in &failure {
            follow(&mut machine, &[(sec(0), *order, *answer)]);
        }
        assert_eq!(machine.poll(sec(0)), ABORTED, "{failure:?}");
        let reason = failure.last().map(|(_, answer)| *answer);
        assert_eq!((machine.outcome(), machine.attempts()), (reason, 1), "{failure:?}");

        for good in [2, 14, 100] {
            let (mut machine, mut now) = (boot(policy.clone()), sec(0));
            for attempt in 1..good {
                now = next_start(&mut machine, now);
                for (order, answer) in &failure {
                    let order = if *order == fetch(1) { fetch(attempt) } else { *order };
                    follow(&mut machine, &[(now, order, *answer)]);
                }
                assert_eq!(machine.outcome(), reason);
            }
            now = next_start(&mut machine, now);
            follow(
                &mut machine,
                &[
                    (now, fetch(good), ENVELOPED),
                    (now, Action::Decrypt, Decrypted),
                    (now, Action::Check, Checked),
                    (now, Action::Install, Installed),
                ],
            );
            assert_eq!(machine.poll(now), INSTALLED, "{failure:?}");
            assert_eq!((machine.outcome(), machine.attempts()), (Some(Installed), good));
        }
    }
}

#[test]
fn r31_cancel_is_heard_in_every_phase() {
    let mut machine = boot(Policy::unseeded().start_spread(min(5)));
    assert_eq!(machine.handle(sec(0), Cancel), Ok(()));
    assert_eq!((machine.poll(sec(0)), machine.outcome()), (ABORTED, Some(Cancel)));
    for failure in failures() {
        let mut machine = boot(Policy::unseeded().parse_first(true));
        for (order, answer) in &failure {
            assert_eq!(machine.poll(sec(0)), *order);
            let mut stopped = machine.clone();
            assert_eq!(stopped.handle(sec(0), Cancel), Ok(()));
            assert_eq!((stopped.poll(sec(1)), stopped.outcome()), (ABORTED, Some(Cancel)));
            assert!(stopped.handle(sec(1), Cancel).is_err(), "the end is the end");
            machine.handle(sec(0), *answer).unwrap();
        }
    }
}

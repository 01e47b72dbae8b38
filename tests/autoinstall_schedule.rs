//! When attempts start: the schedule of RFC 8886, section 4.3.

mod timeline;

use sdi::Event::FetchFailed;
use sdi::{Action, Autoinstall, DeviceId, Error, Policy};
use std::time::Duration;
use timeline::{YEARS, boot, fetch, follow, min, minutes, sec, starts};

#[test]
fn r33_schedule_is_exact() {
    let policy = Policy::unseeded;
    let instant = |_| Duration::ZERO;
    let expected = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 120, 180, 240, 300];
    assert_eq!(starts(policy(), 17, instant), minutes(&expected));
    // Start to start: what an attempt takes does not add up.
    assert_eq!(starts(policy(), 17, |_| sec(299)), minutes(&expected));
    // Jitter is off by choice, too.
    let id = DeviceId::new("SN19842256").unwrap();
    let chosen = Policy::for_device(&id).jitter(0, b"SN19842256").unwrap();
    assert_eq!(starts(chosen, 17, instant), minutes(&expected));
    // Other intervals.
    let other = policy().retry(sec(10), sec(25), min(1)).unwrap();
    assert_eq!(starts(other, 6, instant), [0, 10, 20, 30, 90, 150].map(sec));
    let never_fast = policy().retry(min(5), Duration::ZERO, min(7)).unwrap();
    assert_eq!(starts(never_fast, 4, instant), minutes(&[0, 7, 14, 21]));
}

#[test]
fn r33_an_attempt_that_overruns_is_followed_after_a_pause() {
    let first = |takes| move |attempt| if attempt == 1 { takes } else { Duration::ZERO };
    let policy = Policy::unseeded;
    assert_eq!(starts(policy(), 4, first(min(7))), minutes(&[0, 8, 13, 18]));
    assert_eq!(starts(policy(), 3, first(sec(299))), minutes(&[0, 5, 10]));
    // Still running when the next one is due.
    assert_eq!(starts(policy(), 3, first(sec(300))), minutes(&[0, 6, 11]));
    assert_eq!(starts(policy(), 3, first(sec(301))), [sec(0), sec(361), sec(661)]);
    // Always, and in the slow time too.
    assert_eq!(starts(policy(), 4, |_| min(61)), minutes(&[0, 62, 124, 186]));
    // Even a fifth of 1 ms is a wait.
    let shortest = policy().retry(Duration::from_millis(1), sec(1), sec(1)).unwrap();
    let expected = [0, 8, 16].map(Duration::from_millis);
    assert_eq!(starts(shortest, 3, |_| Duration::from_millis(7)), expected);
}

#[test]
fn r33_the_fast_hour_ends_at_60_minutes_sharp() {
    for (start, next) in [
        (Duration::from_millis(3_599_000), Duration::from_millis(3_899_000)), // 59:59
        (Duration::from_millis(3_599_999), Duration::from_millis(3_899_999)),
        (Duration::from_millis(3_600_000), min(120)),
        (Duration::from_millis(3_600_001), Duration::from_millis(7_200_001)),
    ] {
        let mut machine = boot(Policy::unseeded());
        follow(&mut machine, &[(sec(0), fetch(1), FetchFailed), (start, fetch(2), FetchFailed)]);
        assert_eq!(machine.poll(start), Action::WaitUntil(next));
    }
}

#[test]
fn r33_a_clock_that_goes_back_or_jumps_is_harmless() {
    let mut machine = Autoinstall::new(Policy::unseeded(), min(1000));
    follow(&mut machine, &[(min(1000), fetch(1), FetchFailed)]);
    assert_eq!(machine.poll(min(1002)), Action::WaitUntil(min(1005)));
    // Back: no time has passed, and from there it passes again.
    assert_eq!(machine.poll(min(3)), Action::WaitUntil(min(6)));
    assert_eq!(machine.poll(min(5)), Action::WaitUntil(min(6)));
    // Forward: one attempt, not the twelve that lie between.
    follow(&mut machine, &[(min(5000), fetch(2), FetchFailed)]);
    assert_eq!(machine.poll(min(5000)), Action::WaitUntil(min(5060)));
    // During an attempt: to the end of time, and to its beginning.
    assert_eq!(machine.poll(min(5060)), fetch(3));
    assert_eq!(machine.poll(Duration::MAX), fetch(3));
    assert_eq!(machine.handle(Duration::ZERO, FetchFailed), Ok(()));
    assert_eq!(machine.poll(Duration::ZERO), Action::WaitUntil(min(1)));
}

#[test]
fn r33_parts_of_a_millisecond_do_not_make_an_attempt_early() {
    let mut machine = boot(Policy::unseeded());
    follow(&mut machine, &[(sec(0), fetch(1), FetchFailed)]);
    let almost = min(5) - Duration::from_nanos(1);
    assert_eq!(machine.poll(almost), Action::WaitUntil(min(5)));
    assert_eq!(machine.poll(min(5)), fetch(2));
}

#[test]
fn r33_jitter_stays_within_its_bounds() {
    let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
    for n in 0..200 {
        let policy = Policy::for_device(&DeviceId::new(&format!("SN{n:08}")).unwrap());
        let starts = starts(policy, 40, |_| Duration::ZERO);
        assert_eq!(starts[0], Duration::ZERO);
        for pair in starts.windows(2) {
            let gap = pair[1] - pair[0];
            if pair[0] < min(60) {
                assert!((sec(270)..=sec(330)).contains(&gap), "{gap:?}");
                (least, most) = (least.min(gap), most.max(gap));
            } else {
                assert!((min(54)..=min(66)).contains(&gap), "{gap:?}");
            }
        }
    }
    // The bounds are used: these are about 2 500 draws from 60 seconds.
    assert!(least < sec(271) && most > sec(329), "{least:?}, {most:?}");
    // The pause after an overrun is drawn, too: or devices that time out together stay together.
    let pause = |seed: &[u8]| {
        let policy = Policy::unseeded().jitter(500, seed).unwrap();
        starts(policy, 2, |_| min(10))[1] - min(10)
    };
    assert!((sec(30)..=sec(90)).contains(&pause(b"a")));
    assert_ne!(pause(b"a"), pause(b"b"));
}

/// The share of a wait that is no whole number of seconds is exact as well: 504 of 1009 ms.
#[test]
fn r33_jitter_is_exact_to_the_millisecond() {
    let wait = Duration::from_millis(1009);
    let policy = Policy::unseeded().retry(wait, min(60), wait).unwrap();
    let starts = starts(policy.jitter(500, b"seed").unwrap(), 10_000, |_| Duration::ZERO);
    let gaps = || starts.windows(2).map(|pair| (pair[1] - pair[0]).as_millis());
    assert_eq!((gaps().min(), gaps().max()), (Some(505), Some(1513)));
}

#[test]
fn r33_policy_refuses_what_cannot_be_meant() {
    let policy = Policy::unseeded;
    let argument = |policy: sdi::Result<Policy>| matches!(policy, Err(Error::Argument(_)));
    assert!(argument(policy().retry(Duration::ZERO, min(60), min(60))));
    assert!(argument(policy().retry(min(5), min(60), Duration::ZERO)));
    assert!(argument(policy().retry(Duration::from_nanos(999_999), min(60), min(60))));
    assert!(policy().retry(Duration::from_millis(1), min(60), Duration::from_millis(1)).is_ok());
    assert!(argument(policy().jitter(501, b"seed")));
    assert!(policy().jitter(500, b"seed").is_ok());
    assert!(argument(policy().jitter(1, b"")));
    assert_eq!(policy().jitter(0, b"").map(|policy| starts(policy, 2, |_| sec(0))[1]), Ok(min(5)));
}

#[test]
fn r32_a_fleet_does_not_come_back_as_one() {
    let mut seconds = vec![0_u32; 16 * 3600];
    for n in 0..10_000 {
        let id = DeviceId::new(&format!("SN{n:08}")).unwrap();
        for start in starts(Policy::for_device(&id), 16, |_| Duration::ZERO) {
            seconds[usize::try_from(start.as_secs()).unwrap()] += 1;
        }
    }
    assert_eq!(seconds.iter().sum::<u32>(), 160_000);
    assert_eq!(seconds[0], 10_000);
    let most = |from: usize| seconds[from..].iter().copied().max();
    assert!(most(1) <= Some(250), "{:?}", most(1));
    assert!(most(70 * 60) <= Some(40), "{:?}", most(70 * 60));
}

#[test]
fn r32_jitter_is_independent_between_devices_and_between_attempts() {
    // Pairs of neighbours in a table of 10 x 10 fields: about 100 of 10 000 in each.
    let starts: Vec<_> = (0..10_001)
        .map(|n| {
            let id = DeviceId::new(&format!("SN{n:08}")).unwrap();
            starts(Policy::for_device(&id), 3, |_| Duration::ZERO)
        })
        .collect();
    let field = |gap: Duration| usize::try_from((gap - sec(270)).as_millis() / 6001).unwrap();
    let evenly = |pairs: Vec<(Duration, Duration)>| {
        let mut table = [[0; 10]; 10];
        for (a, b) in pairs {
            table[field(a)][field(b)] += 1;
        }
        assert!(table.iter().flatten().all(|n| (50..=160).contains(n)), "{table:?}");
    };
    evenly(starts.windows(2).map(|two| (two[0][1], two[1][1])).collect());
    evenly(starts.iter().skip(1).map(|one| (one[1], one[2] - one[1])).collect());
}

#[test]
fn r32_the_same_seed_gives_the_same_times_on_every_machine() {
    let policy = Policy::for_device(&DeviceId::new("SN19842256").unwrap());
    let millis = |policy| {
        let starts = starts(policy, 5, |_| Duration::ZERO);
        starts.into_iter().map(|start| start.as_millis()).collect::<Vec<_>>()
    };
    // Computed by a few lines of Python from the same definition: SHA-256, then SplitMix64.
    let pinned = [0, 297_582, 611_657, 917_675, 1_192_888];
    assert_eq!(millis(policy.clone()), pinned);
    assert_eq!(millis(Policy::unseeded().jitter(100, b"SN19842256").unwrap()), pinned);
    assert_eq!(millis(policy.start_spread(min(5)))[0], 215_355);
}

#[test]
fn r32_the_first_attempt_can_be_spread() {
    let mut fifths = [0; 5];
    for n in 0..1000 {
        let id = DeviceId::new(&format!("SN{n:08}")).unwrap();
        let policy = Policy::for_device(&id).start_spread(min(5));
        let first = starts(policy, 1, |_| Duration::ZERO)[0];
        assert!(first <= min(5));
        fifths[usize::try_from(first.as_secs() / 61).unwrap()] += 1;
    }
    assert!(fifths.iter().all(|n| (140..=260).contains(n)), "{fifths:?}");
    // The hour counts from the first attempt on.
    let policy = Policy::unseeded().jitter(0, b"seed").unwrap().start_spread(min(50));
    let starts = starts(policy, 15, |_| Duration::ZERO);
    assert!(starts[0] > Duration::ZERO && starts[0] <= min(50));
    assert_eq!((starts[12] - starts[0], starts[13] - starts[0]), (min(60), min(120)));
    // No seed, no spread.
    assert_eq!(boot(Policy::unseeded().start_spread(min(5))).poll(sec(0)), fetch(1));
}

#[test]
fn r34_ten_years_without_drift() {
    for zero in [Duration::ZERO, Duration::from_millis(u64::MAX) - YEARS] {
        let mut machine = Autoinstall::new(Policy::unseeded(), zero);
        let (mut now, mut n) = (zero, 0_u32);
        loop {
            match machine.poll(now) {
                Action::WaitUntil(time) if time > zero + YEARS => break,
                Action::WaitUntil(time) => now = time,
                Action::Fetch { attempt } => {
                    n += 1;
                    assert_eq!(attempt, n);
                    machine.handle(now, FetchFailed).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(n, 87_672);
        assert_eq!(now, zero + YEARS, "the last start is on the hour");
    }
}

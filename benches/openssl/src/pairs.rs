//! Two ways to do the same, measured in turn.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// What was found.
pub(crate) struct Paired {
    /// How many times as fast the first way is as the second: the median over the pairs.
    pub(crate) ratio: f64,
    /// The median time of one call of the first way.
    pub(crate) ours: Duration,
}

/// CPU time of this thread.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn timed(calls: u32, call: &mut dyn FnMut()) -> Duration {
    let start = now();
    for _ in 0..calls {
        call();
    }
    (now() - start) / calls
}

/// Runs both in turn until enough pairs are there.
pub(crate) fn measure(ours: &mut dyn FnMut(), theirs: &mut dyn FnMut()) -> Paired {
    /// A sample lasts at least this long, whatever the resolution of the clock.
    const SAMPLE: Duration = Duration::from_millis(2);
    const ENOUGH: Duration = Duration::from_millis(400);
    const FEWEST: usize = 7;

    let calls = |call: &mut dyn FnMut()| {
        timed(1, call);
        let one = timed(1, call).max(Duration::from_nanos(1));
        u32::try_from(SAMPLE.as_nanos() / one.as_nanos()).unwrap() + 1
    };
    let (our_calls, their_calls) = (calls(ours), calls(theirs));
    let start = now();
    let mut pairs = Vec::new();
    while pairs.len() < FEWEST || now() - start < ENOUGH {
        // Who goes first changes, so that neither always finds the other's caches.
        let (a, b) = if pairs.len() % 2 == 0 {
            let a = timed(our_calls, ours);
            (a, timed(their_calls, theirs))
        } else {
            let b = timed(their_calls, theirs);
            (timed(our_calls, ours), b)
        };
        pairs.push((b.as_secs_f64() / a.as_secs_f64(), a));
    }
    let middle = pairs.len() / 2;
    let mut ratios: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
    ratios.sort_by(f64::total_cmp);
    let mut times: Vec<Duration> = pairs.iter().map(|pair| pair.1).collect();
    times.sort_unstable();
    Paired { ratio: ratios[middle], ours: times[middle] }
}

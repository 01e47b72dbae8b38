//! How long a call takes, and which of two ways is faster.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// How long each measurement goes on.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Repetitions at least.
    pub(crate) fewest: usize,
    /// Time at least.
    pub(crate) enough: Duration,
}

impl Effort {
    pub(crate) const FULL: Self = Self { fewest: 7, enough: Duration::from_millis(400) };
    pub(crate) const QUICK: Self = Self { fewest: 3, enough: Duration::from_millis(10) };

    pub(crate) fn is_quick(self) -> bool {
        self.fewest == Self::QUICK.fewest
    }

    /// Two ways to do the same, in turn, until enough pairs are there.
    pub(crate) fn pairs(self, ours: &mut dyn FnMut(), theirs: &mut dyn FnMut()) -> Paired {
        self.prepared_pairs(&|_| (), ours, theirs)
    }

    /// The same, and what so many calls of ours use up is made before each of them, for which nobody pays.
    pub(crate) fn prepared_pairs(
        self,
        prepare: &dyn Fn(usize),
        ours: &mut dyn FnMut(),
        theirs: &mut dyn FnMut(),
    ) -> Paired {
        prepare(2);
        let (our_calls, their_calls) = (calls(ours), calls(theirs));
        let start = cpu_time();
        let mut pairs = Vec::new();
        while pairs.len() < self.fewest || cpu_time() - start < self.enough {
            prepare(our_calls.try_into().unwrap());
            // Who goes first changes, so that neither always finds the other's caches.
            let (a, b) = if pairs.len() % 2 == 0 {
                let a = timed(our_calls, ours);
                (a, timed(their_calls, theirs))
            } else {
                let b = timed(their_calls, theirs);
                (timed(our_calls, ours), b)
            };
            pairs.push((a, b.as_secs_f64() / a.as_secs_f64()));
        }
        let mut ratios: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
        ratios.sort_by(f64::total_cmp);
        let ours = median(pairs.iter().map(|pair| pair.0).collect());
        Paired { ratio: ratios[ratios.len() / 2], ours }
    }

    /// The median time of one call. What takes long is called once more, and that is it.
    pub(crate) fn alone(self, call: &mut dyn FnMut()) -> Duration {
        call();
        let first = timed(1, call);
        if first > self.enough / 4 {
            return first;
        }
        let calls = samples(first);
        let start = cpu_time();
        let mut times = Vec::new();
        while times.len() < self.fewest || cpu_time() - start < self.enough / 4 {
            times.push(timed(calls, call));
        }
        median(times)
    }

    /// The median of what calls say of themselves.
    pub(crate) fn spent(self, call: &mut dyn FnMut() -> Duration) -> Duration {
        let start = cpu_time();
        let mut times = Vec::new();
        while times.len() < self.fewest || cpu_time() - start < self.enough {
            times.push(call());
        }
        median(times)
    }
}

/// What was found.
pub(crate) struct Paired {
    /// How many times as fast the first way is as the second: the median over the pairs.
    pub(crate) ratio: f64,
    /// The median time of one call of the first way.
    pub(crate) ours: Duration,
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A time for people.
pub(crate) fn shown(time: Duration) -> String {
    match time.as_secs_f64() * 1e6 {
        micros if micros < 1000.0 => format!("{micros:.0} us"),
        micros => format!("{:.1} ms", micros / 1000.0),
    }
}

/// How fast so many bytes are done.
pub(crate) fn gigabytes(bytes: usize, time: Duration) -> String {
    let bytes = u32::try_from(bytes).map(f64::from).unwrap();
    format!("{:.2} GB/s", bytes / time.as_secs_f64() / 1e9)
}

/// A number of bytes for people.
pub(crate) fn bytes(size: u64) -> String {
    match size {
        0..=0x3ff => format!("{size} B"),
        0x400..=0xf_ffff => format!("{} KiB", size >> 10),
        0x10_0000..=0x3fff_ffff => format!("{} MiB", size >> 20),
        _ => format!("{} GiB", size >> 30),
    }
}

/// CPU time of this thread.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn timed(calls: u32, call: &mut dyn FnMut()) -> Duration {
    let start = cpu_time();
    for _ in 0..calls {
        call();
    }
    (cpu_time() - start) / calls
}

/// After a call that warms up: how many make a sample.
fn calls(call: &mut dyn FnMut()) -> u32 {
    call();
    samples(timed(1, call))
}

/// How many calls of this length the clock can resolve.
fn samples(one: Duration) -> u32 {
    const SAMPLE: Duration = Duration::from_millis(2);
    let one = one.max(Duration::from_nanos(1));
    u32::try_from(SAMPLE.as_nanos() / one.as_nanos()).unwrap() + 1
}

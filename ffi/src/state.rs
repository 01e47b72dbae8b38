//! Who is behind the door of a handle: see `pointer`.

use crate::error::Failure;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Who is behind a door, and what became of it.
#[derive(Default)]
pub(crate) struct State(AtomicUsize);

/// Bits of a state; above them the readers are counted.
const FREED: usize = 1;
const PANICKED: usize = 2;
pub(crate) const WRITER: usize = 4;
pub(crate) const READER: usize = 8;

impl State {
    pub(crate) fn enter(&self, who: usize) -> Result<(), Failure> {
        let shut = if who == WRITER { usize::MAX } else { FREED | PANICKED | WRITER };
        self.0
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |state| {
                (state & shut == 0).then(|| state + who)
            })
            .map(drop)
            .map_err(|state| if state & PANICKED == 0 { IN_USE } else { Failure::Panicked })
    }

    /// Whether it has to be torn down now.
    pub(crate) fn leave(&self, who: usize, is_whole: bool) -> bool {
        if who == WRITER && !is_whole {
            self.0.fetch_or(PANICKED, Ordering::Relaxed);
        }
        let after = self.0.fetch_sub(who, Ordering::AcqRel) - who;
        after & FREED != 0 && after < WRITER
    }

    /// Whether it has to be torn down now.
    pub(crate) fn free(&self) -> bool {
        let before = self.0.fetch_or(FREED, Ordering::AcqRel);
        before & FREED == 0 && before < WRITER
    }
}

pub(crate) const IN_USE: Failure = Failure::State(
    "the object is in use: this call comes from inside a callback of another call on it, or from a \
     second thread",
);

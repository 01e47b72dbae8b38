//! The frame of every exported function: a panic ends here, and a failure becomes a number.

use crate::code::Code;
use crate::error::{Failure, sdi_error, sdi_result, sdi_result_code};
use crate::pointer::Caller;

/// The whole body of an exported function. The work gets the [`Caller`].
///
/// - `boundary!(err, |c| ..)` answers an `sdi_result` and fills `*err` on failure,
/// - `boundary!(|c| ..)` answers an `sdi_result`,
/// - `boundary!(else value, |c| ..)` answers what the work does, or the value after a panic.
macro_rules! boundary {
    (else $value:expr, $work:expr) => {
        $crate::boundary::plain(&$crate::pointer::caller!(), $value, $work)
    };
    ($err:expr, $work:expr) => {
        $crate::boundary::detailed(&$crate::pointer::caller!(), $err, &mut $work)
    };
    ($work:expr) => {
        $crate::boundary::number(&$crate::pointer::caller!(), &mut $work)
    };
}
pub(crate) use boundary;

/// What an exported function does. It is not generic, so that there is one frame and not seventy.
type Work<'w> = &'w mut dyn FnMut(&Caller) -> Result<(), Failure>;

pub(crate) fn detailed(caller: &Caller, err: *mut *mut sdi_error, work: Work<'_>) -> sdi_result {
    let err = caller.out(err).ok();
    let answer = caught(caller, work);
    number(caller, &mut |_| {
        if let (Err(failure), Some(err)) = (&answer, &err) {
            // Without memory for more the number has to be enough.
            let _ = err.give(failure.detail());
        }
        Ok(())
    });
    number_of(&answer)
}

pub(crate) fn number(caller: &Caller, work: Work<'_>) -> sdi_result {
    number_of(&caught(caller, work))
}

pub(crate) fn plain<R>(caller: &Caller, after_panic: R, work: impl FnOnce(&Caller) -> R) -> R {
    let (mut work, mut answer) = (Some(work), after_panic);
    let _ = caught(caller, &mut |caller| {
        if let Some(work) = work.take() {
            answer = work(caller);
        }
        Ok(())
    });
    answer
}

#[cfg(panic = "unwind")]
fn caught(caller: &Caller, work: Work<'_>) -> Result<(), Failure> {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    // What a panic may have left half done is a handle, and that handle is shut (see `pointer`).
    catch_unwind(AssertUnwindSafe(|| work(caller))).unwrap_or(Err(Failure::Panicked))
}

/// Where a panic does not unwind, it has ended the process.
#[cfg(not(panic = "unwind"))]
fn caught(caller: &Caller, work: Work<'_>) -> Result<(), Failure> {
    work(caller)
}

fn number_of(answer: &Result<(), Failure>) -> sdi_result {
    match answer {
        Ok(()) => sdi_result_code::SDI_OK.number(),
        Err(failure) => failure.code(),
    }
}

//! The frame of every exported function: a panic ends here, and a failure becomes a number.

use crate::code::Code;
use crate::error::{Failure, sdi_error, sdi_result, sdi_result_code};
use crate::pointer::Caller;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
        $crate::boundary::detailed(&$crate::pointer::caller!(), $err, $work)
    };
    ($work:expr) => {
        $crate::boundary::number(&$crate::pointer::caller!(), $work)
    };
}
pub(crate) use boundary;

pub(crate) fn plain<'c, R>(
    caller: &'c Caller,
    after_panic: R,
    work: impl FnOnce(&'c Caller) -> R,
) -> R {
    // What a panic may have left half done is a handle, and that handle is shut (see `pointer`).
    catch_unwind(AssertUnwindSafe(|| work(caller))).unwrap_or(after_panic)
}

pub(crate) fn number<'c>(
    caller: &'c Caller,
    work: impl FnOnce(&'c Caller) -> Result<(), Failure>,
) -> sdi_result {
    match plain(caller, Err(Failure::Panicked), work) {
        Ok(()) => sdi_result_code::SDI_OK.number(),
        Err(failure) => failure.code(),
    }
}

pub(crate) fn detailed<'c>(
    caller: &'c Caller,
    err: *mut *mut sdi_error,
    work: impl FnOnce(&'c Caller) -> Result<(), Failure>,
) -> sdi_result {
    let err = caller.out(err).ok();
    number(caller, |caller| {
        let answer = plain(caller, Err(Failure::Panicked), work);
        if let (Err(failure), Some(err)) = (&answer, err) {
            // Without memory the number has to be enough.
            let _ = err.give(failure.detail());
        }
        answer
    })
}

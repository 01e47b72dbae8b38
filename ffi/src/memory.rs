//! Being out of memory, as an answer.

use crate::error::Failure;
use alloc::vec::Vec;

/// What opening takes in small pieces, which Rust cannot do without: it would end the process.
const SMALL_PIECES: usize = 256 << 10;

/// Asks for as much memory as the next step can need, `more` in one piece among it, and gives it
/// back. What is there now is there in a moment, unless another thread takes it.
pub(crate) fn check(more: usize) -> Result<(), Failure> {
    let mut probe = Vec::<u8>::new();
    probe
        .try_reserve_exact(SMALL_PIECES.saturating_add(more))
        .map_err(|_| sdi::Error::OutOfMemory)?;
    // Otherwise the compiler sees that nobody uses it.
    core::hint::black_box(&mut probe);
    Ok(())
}

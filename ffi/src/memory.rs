//! Being out of memory, as an answer.

use crate::error::Failure;
use alloc::vec::Vec;

/// What any call takes in small pieces, which Rust cannot do without: it would end the process.
/// Measured: at most 20 KiB with keys of up to 4096 bits, and a third more for twice the bits.
const SMALL_PIECES: usize = 40 << 10;

/// Asks for as much memory as the next step can need, `more` of it in one piece, and gives it back.
/// What is there now is there in a moment, unless another thread takes it.
pub(crate) fn check(more: usize) -> Result<(), Failure> {
    // Two pieces: a C library keeps large and small ones in different places.
    let _large = asked_for(more)?;
    let _small = asked_for(SMALL_PIECES)?;
    Ok(())
}

fn asked_for(size: usize) -> Result<Vec<u8>, Failure> {
    let mut piece = Vec::new();
    piece.try_reserve_exact(size).map_err(|_| sdi::Error::OutOfMemory)?;
    // Otherwise the compiler sees that nobody uses it.
    core::hint::black_box(&mut piece);
    Ok(piece)
}

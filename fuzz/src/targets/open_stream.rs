//! `Opener` against `open`: however a file is cut, the verdict is the same.

use crate::choices::Choices;
use crate::promises::{at_once, streamed};

/// Input: two bytes for the key ring, a flag for holding back, four lengths of pieces, the file.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let Some(ring) = super::ring(&mut choices) else { return };
    let hold = choices.flag();
    let lengths = choices.bytes(4);
    let file = choices.rest();
    if file.len() > ring.policy().limits.file {
        return; // a stream has no such limit
    }
    assert_eq!(at_once(file, &ring), streamed(file, &ring, lengths, hold), "{lengths:?}");
}

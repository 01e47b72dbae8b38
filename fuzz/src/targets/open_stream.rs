//! `Opener` against `open`: however a file is cut, the verdict is the same.

use crate::choices::Choices;
use crate::promises::{Verdict, at_once, streamed};
use sdi::{Error, KeyRing, Opener, Secret};

/// Input: two bytes for the key ring, a byte of flags, four lengths of pieces, the file.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let Some(ring) = super::ring(&mut choices) else { return };
    let flags = choices.byte();
    let lengths = choices.bytes(4);
    let file = choices.rest();
    if file.len() > ring.policy().limits.file {
        return; // a stream has no such limit
    }
    let verdict = at_once(file, &ring);
    assert_eq!(verdict, streamed(file, &ring, lengths, flags & 1 != 0), "{lengths:?}");
    if flags & 2 != 0 {
        with_settings(file, &ring, &verdict);
    }
}

/// An opener's own settings only tighten, and come before the file.
fn with_settings(file: &[u8], ring: &KeyRing, verdict: &Verdict) {
    let Ok(len) = u64::try_from(file.len()) else { return };
    let run = |max_file: u64, held: usize, is_strict: bool| {
        let mut opener = Opener::new(ring)?;
        opener.set_max_file(max_file)?;
        opener.hold(held)?;
        if is_strict {
            opener.require_authenticated()?;
        }
        let mut plaintext = Secret::new();
        let pushed = opener.push(file, &mut plaintext);
        assert!(opener.set_max_file(1).is_err() && opener.require_authenticated().is_err());
        assert_eq!(format!("{opener:?}").contains("used up"), pushed.is_err());
        pushed?;
        opener.finish(&mut plaintext).map(|summary| (plaintext.into_bytes(), summary))
    };
    assert_eq!(run(len, usize::MAX, false), *verdict);
    if let Some(less) = len.checked_sub(1) {
        assert!(matches!(run(less, 0, false), Err(Error::Limit { .. })), "a longer file");
    }
    if let Ok((plaintext, summary)) = verdict {
        let strict = run(u64::MAX, plaintext.len(), true);
        assert_eq!(strict.is_ok(), summary.is_authenticated());
        if let Some(less) = plaintext.len().checked_sub(1) {
            assert!(matches!(run(len, less, false), Err(Error::Limit { .. })), "a longer text");
        }
    }
}

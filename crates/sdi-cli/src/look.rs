//! What a file is, from its first byte to its last: an envelope that was cut short begins as well as a
//! whole one.

use crate::input::fill;
use crate::report::Failure;
use sdi::{Damage, Detection, Envelope, Error, Hint, Limits};
use std::io::Read;
use std::path::Path;

/// What the library looks at, and one byte more to know the end.
const HEAD: usize = 4097;

/// What was found.
pub(crate) struct Look {
    pub(crate) found: Detection,
    /// What is damaged, in words.
    pub(crate) reason: Option<&'static str>,
    /// What was read of the file. It is the caller's to wipe, if it is a secret.
    pub(crate) bytes: Vec<u8>,
    /// Nothing comes behind it.
    pub(crate) is_all: bool,
}

impl Look {
    /// Looks at a file, whose name counts, too. One that looks encrypted is walked to its end, unless it
    /// is longer than what is held in memory.
    pub(crate) fn at(
        file: &mut impl Read,
        path: &Path,
        name: Option<&[u8]>,
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::io("read", path, &error);
        let mut bytes = vec![0; HEAD];
        let len = fill(file, &mut bytes).map_err(failed)?;
        bytes.truncate(len);
        let hint = |at_end| Hint { at_end, ..Hint::default() };
        let found = sdi::detect(name, &bytes, hint(len < HEAD));
        let mut look = Self { found, reason: None, bytes, is_all: len < HEAD };
        let limits = Limits::default();
        if matches!(found, Detection::Enveloped(_)) {
            look.read_on(file, path)?;
            if look.is_all {
                look.found = sdi::detect(name, &look.bytes, hint(true));
            }
        }
        if look.is_all && matches!(look.found, Detection::Enveloped(_)) {
            // What is not opened here, or is too large, is whole nevertheless.
            if let Err(Error::Malformed(what)) = Envelope::parse(&look.bytes, &limits) {
                look.found = Detection::Damaged(Damage::Truncated);
                look.reason = Some(what);
            }
        }
        if let (Detection::Damaged(damage), None) = (look.found, look.reason) {
            look.reason = Some(why(damage));
        }
        Ok(look)
    }

    /// Reads the rest, as far as it is held in memory.
    pub(crate) fn read_on(&mut self, file: &mut impl Read, path: &Path) -> Result<(), Failure> {
        let limit = Limits::default().file;
        if !self.is_all {
            // One byte more, to know the end.
            let most = (limit + 1).saturating_sub(self.bytes.len());
            let mut rest = file.take(u64::try_from(most).unwrap_or(u64::MAX));
            rest.read_to_end(&mut self.bytes).map_err(|error| Failure::io("read", path, &error))?;
            self.is_all = self.bytes.len() <= limit;
        }
        Ok(())
    }
}

fn why(damage: Damage) -> &'static str {
    match damage {
        Damage::Truncated => "it ends too early",
        Damage::TextMode => "a text-mode transfer has changed its line ends",
        Damage::NotAnEnvelope => "it should be encrypted and is not",
        _ => "the text around the envelope is damaged",
    }
}

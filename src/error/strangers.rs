//! The names of recipients that are not us.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter};

/// Whom a file was for, when it was not for us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strangers {
    /// The first recipients that the file names, at most eight.
    pub(crate) wanted: Vec<String>,
    /// How many recipients the file has.
    pub(crate) total: u64,
    /// The identities in the key ring.
    pub(crate) have: Vec<String>,
}

impl Strangers {
    /// The recipients that the file names, at most the first eight, as printable text.
    pub fn wanted(&self) -> impl Iterator<Item = &str> {
        self.wanted.iter().map(String::as_str)
    }

    /// How many recipients the file has.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The identities of this key ring, as printable text.
    pub fn have(&self) -> impl Iterator<Item = &str> {
        self.have.iter().map(String::as_str)
    }
}

impl Display for Strangers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        /// Room for the names, so that the whole line stays below 512 bytes.
        const NAMES: usize = 190;
        let list = |names: &[String], f: &mut Formatter<'_>| {
            let mut room = NAMES;
            for (i, name) in names.iter().enumerate() {
                if name.len() + 2 > room {
                    return f.write_str(if i == 0 { "(a long name)" } else { ", .." });
                }
                room -= name.len() + 2;
                write!(f, "{}{name}", if i == 0 { "" } else { ", " })?;
            }
            Ok(())
        };
        f.write_str("the file is not for this device: it is for ")?;
        if self.wanted.is_empty() {
            f.write_str("nobody that it names")?;
        }
        list(&self.wanted, f)?;
        let named = u64::try_from(self.wanted.len()).unwrap_or(u64::MAX);
        if self.total > named && !self.wanted.is_empty() {
            write!(f, " and {} more", self.total - named)?;
        }
        f.write_str("; this device is ")?;
        if self.have.is_empty() {
            f.write_str("without a name")?;
        }
        list(&self.have, f)
    }
}

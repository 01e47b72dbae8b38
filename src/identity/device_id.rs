//! The one grammar of device identifiers.

use crate::{Error, Result};
use alloc::string::String;
use core::fmt::{self, Display, Formatter};

/// A device's identifier: a serial number, a MAC address, a UUID. It becomes part of file names and
/// URLs, so its grammar is narrow: 1 to 64 of `A-Z a-z 0-9 . _ : -`, the first a letter or digit,
/// never `..`.
///
/// ```
/// use sdi::DeviceId;
/// assert!(DeviceId::new("SN19842256").is_ok());
/// assert!(DeviceId::new("00:1b:54:0a:9f:e1").is_ok());
/// assert!(DeviceId::new("../etc/passwd").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeviceId(String);

impl DeviceId {
    /// Checks the text.
    ///
    /// # Errors
    /// [`Error::Argument`].
    pub fn new(id: &str) -> Result<Self> {
        let first = id.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        let rest = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
        // (A search for text is 3 KB of code.)
        let goes_up = id.as_bytes().windows(2).any(|two| two == b"..");
        if first && rest && id.len() <= 64 && !goes_up {
            Ok(Self(id.into()))
        } else {
            Err(Error::Argument(
                "a device identifier is 1 to 64 letters, digits and . _ : -, starts with a letter \
                 or digit and has no ..",
            ))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for DeviceId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a25_hostile_identifiers_are_refused() {
        let long = "a".repeat(65);
        let hostile = [
            "",
            ".",
            "..",
            "../x",
            "/etc/x",
            "a/b",
            "a\\b",
            "a\0",
            "a\r\nb",
            "%2e%2e",
            "a..b",
            ".a",
            "-a",
            "_a",
            ":a",
            " a",
            "a ",
            "a\u{ff0e}\u{ff0e}",
            "\u{e9}",
            "a*",
            "a?",
            &long,
        ];
        for id in hostile {
            assert!(DeviceId::new(id).is_err(), "{id:?}");
        }
        let most = "a".repeat(64);
        for id in ["a", "SN-1_2.3:4", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", &most] {
            assert_eq!(DeviceId::new(id).unwrap().as_str(), id);
        }
    }
}

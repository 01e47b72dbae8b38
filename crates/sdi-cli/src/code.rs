//! The codes of errors. The last two digits are the exit status, the first two tell causes with the
//! same exit status apart. They are never given another meaning.

use std::fmt::{self, Display, Formatter};

/// A code, as `E0004`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(u16);

impl Code {
    pub(crate) const OTHER: Self = Self(1);
    pub(crate) const USAGE: Self = Self(2);
    pub(crate) const MALFORMED: Self = Self(3);
    pub(crate) const UNSUPPORTED: Self = Self(103);
    pub(crate) const LIMIT: Self = Self(203);
    pub(crate) const NOT_FOR_KEY: Self = Self(4);
    pub(crate) const DECRYPT: Self = Self(5);
    pub(crate) const PIN: Self = Self(6);
    pub(crate) const OTHER_DEVICE: Self = Self(206);
    pub(crate) const NOT_FOUND: Self = Self(7);
    pub(crate) const NETWORK: Self = Self(9);
    pub(crate) const PLAIN: Self = Self(10);
    pub(crate) const NEITHER: Self = Self(11);
    pub(crate) const TOO_WEAK: Self = Self(112);
    pub(crate) const PRIVATE_KEY: Self = Self(212);
    pub(crate) const NOT_SANE: Self = Self(13);
    pub(crate) const EXISTS: Self = Self(14);
    pub(crate) const PERMISSIONS: Self = Self(15);

    /// Every code that this command gives.
    pub(crate) const ALL: [Self; 18] = [
        Self::OTHER,
        Self::USAGE,
        Self::MALFORMED,
        Self::UNSUPPORTED,
        Self::LIMIT,
        Self::NOT_FOR_KEY,
        Self::DECRYPT,
        Self::PIN,
        Self::OTHER_DEVICE,
        Self::NOT_FOUND,
        Self::NETWORK,
        Self::PLAIN,
        Self::NEITHER,
        Self::TOO_WEAK,
        Self::PRIVATE_KEY,
        Self::NOT_SANE,
        Self::EXISTS,
        Self::PERMISSIONS,
    ];

    /// The code with this text; the letter may be small, and may be missing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("sdi::").unwrap_or(text);
        let number: u16 = text.trim_start_matches(['E', 'e']).parse().ok()?;
        Self::ALL.into_iter().find(|code| code.0 == number)
    }

    /// The exit status.
    pub(crate) fn exit(self) -> u8 {
        u8::try_from(self.0 % 100).unwrap_or(1)
    }

    /// How bad it is; a batch that goes on after failures exits with the worst one.
    pub(crate) fn severity(self) -> usize {
        const WORST_FIRST: [u8; 15] = [1, 2, 15, 6, 5, 4, 8, 3, 12, 13, 14, 11, 10, 7, 9];
        let place = WORST_FIRST.iter().position(|exit| *exit == self.exit());
        WORST_FIRST.len() - place.unwrap_or(0)
    }
}

impl Display for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "E{:04}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_hold_their_exit_status() {
        assert_eq!(Code::UNSUPPORTED.to_string(), "E0103");
        assert_eq!(Code::UNSUPPORTED.exit(), 3);
        assert_eq!(Code::PERMISSIONS.exit(), 15);
        assert_eq!(Code::parse("E0004"), Some(Code::NOT_FOR_KEY));
        assert_eq!(Code::parse("sdi::e0103"), Some(Code::UNSUPPORTED));
        assert_eq!(Code::parse("E9999"), None);
    }

    #[test]
    fn a_wrong_key_is_worse_than_a_missing_certificate() {
        assert!(Code::NOT_FOR_KEY.severity() > Code::NOT_FOUND.severity());
        assert!(Code::OTHER.severity() > Code::PERMISSIONS.severity());
        for code in Code::ALL {
            assert!(code.severity() > 0, "{code}");
        }
    }
}

//! The box "Sane?" of RFC 8886, figure 3: is this a configuration, before it is installed?
//!
//! A wrong key can yield garbage that unpads by chance (1 in 255 for CBC), so every decrypted file
//! is checked. The device's own parser is the best check; those here cost nothing beside it. They
//! look at the bytes alone and change nothing, line ends included.

use crate::{Error, Result};
use core::str;

/// A check of a whole configuration.
///
/// Several together are one, the first failure counts:
///
/// ```
/// use sdi::{ConfigCheck, Error, LastLine, NoNul, NotEmpty, Utf8};
/// let sane: [&dyn ConfigCheck; 4] = [&NotEmpty, &NoNul, &Utf8, &LastLine("end")];
/// assert_eq!(sane.check(b"hostname r1\nend\n"), Ok(()));
/// assert_eq!(
///     sane.check(b"hostname r1\n\xff\xfe\nend\n"),
///     Err(Error::Rejected { check: "utf-8", line: 2 })
/// );
/// ```
pub trait ConfigCheck {
    /// Looks at the whole configuration.
    ///
    /// # Errors
    /// [`Error::Rejected`] with the name of the check and the line, never with the content: it would
    /// end in a log.
    fn check(&self, config: &[u8]) -> Result<()>;
}

impl<C: ConfigCheck + ?Sized> ConfigCheck for &C {
    fn check(&self, config: &[u8]) -> Result<()> {
        (**self).check(config)
    }
}

impl<C: ConfigCheck> ConfigCheck for [C] {
    fn check(&self, config: &[u8]) -> Result<()> {
        self.iter().try_for_each(|check| check.check(config))
    }
}

/// `not-empty`: there is more than white space.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct is its own constructor")]
pub struct NotEmpty;

impl ConfigCheck for NotEmpty {
    fn check(&self, config: &[u8]) -> Result<()> {
        require(!config.trim_ascii().is_empty(), "not-empty", 0)
    }
}

/// `no-nul`: no byte is 0.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct is its own constructor")]
pub struct NoNul;

impl ConfigCheck for NoNul {
    fn check(&self, config: &[u8]) -> Result<()> {
        match config.iter().position(|byte| *byte == 0) {
            Some(at) => require(false, "no-nul", line_of(config, at)),
            None => Ok(()),
        }
    }
}

/// `utf-8`: the whole is valid UTF-8, of which ASCII is a part.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct is its own constructor")]
pub struct Utf8;

impl ConfigCheck for Utf8 {
    fn check(&self, config: &[u8]) -> Result<()> {
        match str::from_utf8(config) {
            Err(error) => require(false, "utf-8", line_of(config, error.valid_up_to())),
            Ok(_) => Ok(()),
        }
    }
}

/// `first-line`: the first line that is not blank is this one. White space behind it does not count.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "it is a line and nothing else")]
pub struct FirstLine<'a>(pub &'a str);

impl ConfigCheck for FirstLine<'_> {
    fn check(&self, config: &[u8]) -> Result<()> {
        let (number, line) = lines(config).next().unwrap_or((0, b""));
        require(line == self.0.trim_ascii_end().as_bytes(), "first-line", number)
    }
}

/// `last-line`: the last line that is not blank is this one, so the file was not cut. White space
/// behind it does not count.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "it is a line and nothing else")]
pub struct LastLine<'a>(pub &'a str);

impl ConfigCheck for LastLine<'_> {
    fn check(&self, config: &[u8]) -> Result<()> {
        let (number, line) = lines(config).last().unwrap_or((0, b""));
        require(line == self.0.trim_ascii_end().as_bytes(), "last-line", number)
    }
}

fn require(sane: bool, check: &'static str, line: u64) -> Result<()> {
    if sane { Ok(()) } else { Err(Error::Rejected { check, line }) }
}

/// The lines that are not blank, without white space behind them, with their numbers.
fn lines(config: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    (1..)
        .zip(config.split(|byte| *byte == b'\n'))
        .map(|(number, line)| (number, line.trim_ascii_end()))
        .filter(|(_, line)| !line.is_empty())
}

/// The number of the line that the byte at `at` stands in.
fn line_of(config: &[u8], at: usize) -> u64 {
    let ends = config.iter().take(at).filter(|byte| **byte == b'\n').count();
    u64::try_from(ends).unwrap_or(u64::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn rejected(check: &'static str, line: u64) -> Result<()> {
        Err(Error::Rejected { check, line })
    }

    #[test]
    fn each_check_accepts_and_names_itself_and_the_line() {
        let text = "! r1\r\n\r\nhostname r\u{e9}1\r\nend\r\n\n".as_bytes();
        let end = LastLine("end");
        let all: [&dyn ConfigCheck; 5] = [&NotEmpty, &NoNul, &Utf8, &FirstLine("! r1"), &end];
        assert_eq!(all.check(text), Ok(()));

        for blank in [&b""[..], b" ", b"\r\n\t\n"] {
            assert_eq!(NotEmpty.check(blank), rejected("not-empty", 0));
        }
        assert_eq!(NoNul.check(b"a\nb\nc\0\n"), rejected("no-nul", 3));
        assert_eq!(NoNul.check(b"\0"), rejected("no-nul", 1));
        assert_eq!(Utf8.check(b"a\nb\xff\n"), rejected("utf-8", 2));
        // A character that the end cuts in two.
        assert_eq!(Utf8.check(b"a\xc3"), rejected("utf-8", 1));
    }

    #[test]
    fn first_and_last_line_are_whole_lines_and_not_blank_ones() {
        assert_eq!(FirstLine("begin").check(b"\nbegin \r\nend"), Ok(()));
        assert_eq!(FirstLine("begin").check(b"\nbegin it\nbegin\n"), rejected("first-line", 2));
        assert_eq!(FirstLine("begin").check(b""), rejected("first-line", 0));
        assert_eq!(LastLine("end").check(b"begin\nend\n \n\n"), Ok(()));
        assert_eq!(LastLine("end").check(b"end\n  end\n"), rejected("last-line", 2));
        assert_eq!(LastLine("end").check(b"end\nen"), rejected("last-line", 2));
        assert_eq!(LastLine("end").check(b"end\nfriend\n"), rejected("last-line", 2));
    }

    #[test]
    fn the_first_failure_of_several_counts_and_shows_no_content() {
        let both: [&dyn ConfigCheck; 2] = [&NoNul, &Utf8];
        let error = both.check(b"secret 1\nsecret \xff\0").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the decrypted configuration failed the check `no-nul` in line 2"
        );
        let none: [&dyn ConfigCheck; 0] = [];
        assert_eq!(none.check(b"\0"), Ok(()));
    }

    #[test]
    fn a_check_of_a_device_own_stands_beside_the_others() {
        struct Hostname;
        impl ConfigCheck for Hostname {
            fn check(&self, config: &[u8]) -> Result<()> {
                let found = config.windows(9).any(|window| window == b"hostname ");
                require(found, "hostname", 0)
            }
        }
        let sane: [&dyn ConfigCheck; 2] = [&NotEmpty, &Hostname];
        assert_eq!(sane.check(b"hostname r1\n"), Ok(()));
        assert_eq!(sane.check(b"host r1\n"), rejected("hostname", 0));
    }
}

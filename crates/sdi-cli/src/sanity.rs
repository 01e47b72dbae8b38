//! Is this a configuration? For plaintext that nothing but its padding vouches for, and for those who
//! ask. It looks at a stream piece by piece.

use crate::code::Code;
use crate::report::{Failure, shown};
use clap::builder::{OsStringValueParser, TypedValueParser};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use zeroize::Zeroize;

/// Which check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sanity {
    /// Text, where nothing but the padding says that the key was right.
    Auto,
    /// No check.
    None,
    /// UTF-8 text without NUL, and not blank.
    Text,
    /// Text that ends with the line `end`.
    Ios,
    /// What this program accepts.
    Program(OsString),
}

impl Sanity {
    /// Of the option's value.
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        OsStringValueParser::new().try_map(|value| match value.as_bytes() {
            b"auto" => Ok(Self::Auto),
            b"none" => Ok(Self::None),
            b"text" => Ok(Self::Text),
            b"ios" => Ok(Self::Ios),
            [b'c', b'm', b'd', b':', program @ ..] if !program.is_empty() => {
                Ok(Self::Program(OsStr::from_bytes(program).to_owned()))
            }
            _ => Err("one of auto, none, text, ios, cmd:PROG"),
        })
    }
}

/// Shows the plaintext to a program, which says by its status whether it is a configuration.
pub(crate) fn ask(
    program: &OsStr,
    show: impl FnOnce(&mut ChildStdin) -> io::Result<()>,
) -> Result<(), Failure> {
    let path = Path::new(program);
    let failed = |error: io::Error| Failure::io("run", path, &error);
    // What it says goes to stderr; stdout is the plaintext's.
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| show(&mut stdin));
    let status = child.wait().map_err(failed)?;
    match written {
        // It knows before it has read all.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(failed(error)),
        _ => {}
    }
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(Code::NOT_SANE, "the program that was asked does not accept it")
        .fact("program", shown(path))
        .fact("status", status.to_string()))
}

/// Why a plaintext is no configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Insane {
    what: &'static str,
    line: u64,
}

impl Insane {
    pub(crate) fn failure(self) -> Failure {
        let failure = Failure::new(Code::NOT_SANE, "what was decrypted is no configuration")
            .fact("reason", self.what);
        let failure = match self.line {
            0 => failure,
            line => failure.fact("line", line.to_string()),
        };
        failure.help(
            "give the certificate with --cert, so that a wrong key is noticed;\n\
             if the file is meant to be binary, say --sanity none",
        )
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct TextCheck {
    lines: u64,
    has_ink: bool,
    found: Option<Insane>,
    /// The start of a character that the next piece completes.
    begun: Vec<u8>,
    /// The line at hand as far as it matters: long enough to be told from `end`.
    line: Vec<u8>,
    /// Whether the last line that is not blank was `end`.
    ends: bool,
}

impl TextCheck {
    pub(crate) fn push(&mut self, piece: &[u8]) {
        if self.found.is_some() {
            return;
        }
        for &byte in piece {
            self.byte(byte);
        }
        self.characters(piece);
    }

    /// The verdict on the whole.
    pub(crate) fn finish(mut self, needs_end: bool) -> Result<(), Insane> {
        self.end_line();
        match self.found {
            Some(found) => Err(found),
            None if !self.begun.is_empty() => Err(self.insane("it is no UTF-8 text")),
            None if !self.has_ink => Err(Insane { what: "it is blank", line: 0 }),
            None if needs_end && !self.ends => {
                Err(Insane { what: "its last line is not: end", line: 0 })
            }
            None => Ok(()),
        }
    }

    fn insane(&self, what: &'static str) -> Insane {
        Insane { what, line: self.lines + 1 }
    }

    fn byte(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                self.end_line();
                self.lines += 1;
            }
            0 if self.found.is_none() => self.found = Some(self.insane("it contains a NUL")),
            _ => {
                self.has_ink |= !byte.is_ascii_whitespace();
                // `end`, and enough to see that there is more.
                if self.line.len() < 4 || !byte.is_ascii_whitespace() {
                    self.line.truncate(4);
                    self.line.push(byte);
                }
            }
        }
    }

    fn end_line(&mut self) {
        match self.line.trim_ascii_end() {
            [] => {}
            line => self.ends = line == b"end",
        }
        self.line.zeroize();
    }

    /// UTF-8, across the border between pieces.
    fn characters(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Some((&next, later)) = rest.split_first().filter(|_| !self.begun.is_empty()) {
            self.begun.push(next);
            rest = later;
            match std::str::from_utf8(&self.begun) {
                Ok(_) => self.begun.zeroize(),
                Err(error) if error.error_len().is_some() => return self.no_text(),
                Err(_) => {}
            }
        }
        if let Err(error) = std::str::from_utf8(rest) {
            if error.error_len().is_some() {
                return self.no_text();
            }
            self.begun.extend(rest.get(error.valid_up_to()..).unwrap_or_default());
        }
    }

    fn no_text(&mut self) {
        self.found.get_or_insert(Insane { what: "it is no UTF-8 text", line: 0 });
    }
}

impl Drop for TextCheck {
    fn drop(&mut self) {
        self.begun.zeroize();
        self.line.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict, the same however the text is cut.
    fn check(text: &[u8], needs_end: bool) -> Result<(), &'static str> {
        let verdicts: Vec<_> = (1..=text.len().max(1))
            .map(|len| {
                let mut check = TextCheck::default();
                text.chunks(len).for_each(|piece| check.push(piece));
                check.finish(needs_end).map_err(|insane| insane.what)
            })
            .collect();
        assert!(verdicts.windows(2).all(|two| two[0] == two[1]), "{verdicts:?}");
        verdicts[0]
    }

    #[test]
    fn text_is_told_from_what_is_none() {
        assert_eq!(check("hostname r\u{e9}seau \u{1f6f0}\r\nend\r\n".as_bytes(), true), Ok(()));
        assert_eq!(check(b"hostname r1\n", false), Ok(()));
        assert_eq!(check(b"hostname r1\n", true), Err("its last line is not: end"));
        assert_eq!(check(b"end\nfriend", true), Err("its last line is not: end"));
        assert_eq!(check(b"x\nend   \n \n\n", true), Ok(()));
        assert_eq!(check(b"x\nend  x\n", true), Err("its last line is not: end"));
        assert_eq!(check(b"", false), Err("it is blank"));
        assert_eq!(check(b" \r\n\t", false), Err("it is blank"));
        assert_eq!(check(b"a\0b", false), Err("it contains a NUL"));
        assert_eq!(check(b"a\xffb", false), Err("it is no UTF-8 text"));
        assert_eq!(check(b"abc\xc3", false), Err("it is no UTF-8 text"));
        assert_eq!(check(b"\xc3(", false), Err("it is no UTF-8 text"));
    }

    #[test]
    fn the_line_is_named() {
        let mut check = TextCheck::default();
        check.push(b"a\nb\n\0");
        assert_eq!(check.finish(false), Err(Insane { what: "it contains a NUL", line: 3 }));
    }
}

//! Is it text, not blank, and does it end with the line `end`?

use super::Insane;
use zeroize::Zeroize;

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct TextCheck {
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
    pub(super) fn push(&mut self, piece: &[u8]) {
        if self.found.is_some() {
            return;
        }
        for &byte in piece {
            self.byte(byte);
        }
        self.characters(piece);
    }

    /// The verdict on the whole.
    pub(super) fn finish(mut self, needs_end: bool) -> Result<(), Insane> {
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

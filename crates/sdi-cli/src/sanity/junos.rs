//! Is it what Junos writes? Statements in braces that balance, as `show configuration` has them (or
//! JSON, for which the same holds); commands, as `display set` has them; or XML. That it was not cut
//! is what counts: which statements there are is the device's to know.

use super::Insane;
use zeroize::Zeroize;

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct JunosCheck {
    format: Option<Format>,
    place: Place,
    /// Lines that ended.
    lines: u64,
    /// Braces that are open.
    depth: u64,
    /// The line of the outermost one that is open.
    opened: u64,
    /// The first word of the line at hand, or the name of the XML tag, as far as it matters.
    word: Vec<u8>,
    is_in_word: bool,
    /// Whether the line at hand has had its first word, or begun it.
    has_word: bool,
    /// The last byte that is neither blank nor comment.
    last: u8,
    has_begun: bool,
    has_ended: bool,
    found: Option<Insane>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Blocks in braces, and statements that end with a semicolon.
    Braces,
    /// A command on every line.
    Commands,
    Xml,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    /// Outside of texts and comments.
    #[default]
    Outside,
    /// Behind a slash, which may begin a comment.
    Slash,
    Text,
    /// Behind a backslash in a text.
    Escape,
    LineComment,
    BlockComment,
    /// Behind an asterisk in a comment, which may end it.
    Asterisk,
}

/// What a line can begin with in the configuration mode of Junos.
const COMMANDS: [&[u8]; 16] = [
    b"activate",
    b"annotate",
    b"copy",
    b"deactivate",
    b"delete",
    b"edit",
    b"exit",
    b"insert",
    b"protect",
    b"rename",
    b"replace",
    b"set",
    b"top",
    b"unprotect",
    b"up",
    b"wildcard",
];

impl JunosCheck {
    /// Longer than any word that matters.
    const WORD: usize = 16;

    pub(super) fn push(&mut self, piece: &[u8]) {
        for &byte in piece {
            if self.found.is_some() {
                return;
            }
            if self.format == Some(Format::Xml) {
                self.xml(byte);
            } else {
                self.byte(byte);
            }
            self.lines += u64::from(byte == b'\n');
        }
    }

    /// The verdict on the whole.
    pub(super) fn finish(mut self) -> Result<(), Insane> {
        self.byte(b'\n');
        let whole = |what| Err(Insane { what, line: 0 });
        match (self.found, self.format) {
            (Some(found), _) => Err(found),
            (None, None) => whole("it has no statements"),
            (None, Some(Format::Xml)) if !self.has_begun => whole("it has no <configuration>"),
            (None, Some(Format::Xml)) if !self.has_ended || self.last != b'>' => {
                whole("its <configuration> does not end")
            }
            (None, Some(Format::Xml)) => Ok(()),
            _ if matches!(self.place, Place::Text | Place::Escape) => {
                whole("a text in quotes does not end")
            }
            _ if matches!(self.place, Place::BlockComment | Place::Asterisk) => {
                whole("a comment does not end")
            }
            (None, Some(Format::Commands)) => Ok(()),
            _ if self.depth > 0 => Err(Insane { what: "a brace is not closed", line: self.opened }),
            _ if !self.has_begun => whole("it has neither braces nor commands"),
            _ if !matches!(self.last, b'}' | b';') => whole("it ends within a statement"),
            _ => Ok(()),
        }
    }

    fn insane(&mut self, what: &'static str) {
        self.found = Some(Insane { what, line: self.lines + 1 });
    }

    fn byte(&mut self, byte: u8) {
        self.place = match (self.place, byte) {
            (Place::Outside, _) => self.outside(byte),
            (Place::Text, b'"') => Place::Outside,
            (Place::Text, b'\\') => Place::Escape,
            (Place::Text | Place::Escape, _) => Place::Text,
            (Place::Slash, b'*') => Place::BlockComment,
            (Place::Slash, _) => {
                self.ink(b'/');
                self.outside(byte)
            }
            (Place::Asterisk, b'/') => Place::Outside,
            (Place::BlockComment | Place::Asterisk, b'*') => Place::Asterisk,
            (Place::BlockComment | Place::Asterisk, _) => Place::BlockComment,
            (Place::LineComment, b'\n') => self.outside(byte),
            (Place::LineComment, _) => Place::LineComment,
        }
    }

    /// Outside of texts and comments; gives back where the next byte is.
    fn outside(&mut self, byte: u8) -> Place {
        if byte.is_ascii_whitespace() || byte == b'#' {
            self.end_word();
        }
        match byte {
            b'/' => return Place::Slash,
            b'#' => return Place::LineComment,
            b'\n' => self.has_word = false,
            byte if byte.is_ascii_whitespace() => {}
            byte => self.ink(byte),
        }
        if byte == b'"' { Place::Text } else { Place::Outside }
    }

    fn ink(&mut self, byte: u8) {
        if self.format.is_none() && !self.has_word && byte == b'<' {
            self.format = Some(Format::Xml);
            return self.xml(byte);
        }
        self.last = byte;
        if !std::mem::replace(&mut self.has_word, true) {
            self.is_in_word = true;
        }
        match byte {
            b'{' => {
                self.end_word();
                if self.depth == 0 {
                    self.opened = self.lines + 1;
                }
                self.depth += 1;
                self.has_begun = true;
            }
            b'}' => {
                self.end_word();
                match self.depth.checked_sub(1) {
                    Some(depth) => self.depth = depth,
                    None if self.format == Some(Format::Commands) => {}
                    None => self.insane("a brace closes nothing"),
                }
            }
            _ => self.letter(byte),
        }
    }

    /// The first word of a line tells commands from statements.
    fn end_word(&mut self) {
        if !std::mem::take(&mut self.is_in_word) {
            return;
        }
        let is_command = COMMANDS.contains(&&self.word[..]);
        self.word.zeroize();
        match self.format {
            None if is_command => self.format = Some(Format::Commands),
            None => self.format = Some(Format::Braces),
            Some(Format::Commands) if !is_command => self.insane("a line begins with no command"),
            Some(_) => {}
        }
    }

    fn letter(&mut self, byte: u8) {
        if self.is_in_word && self.word.len() < Self::WORD {
            // All at once: a buffer that grows leaves copies behind.
            self.word.reserve_exact(Self::WORD - self.word.len());
            self.word.push(byte);
        }
    }

    /// The names of tags are enough.
    fn xml(&mut self, byte: u8) {
        if byte == b'<' {
            self.word.zeroize();
            self.is_in_word = true;
        } else if byte == b'>' || byte.is_ascii_whitespace() {
            if std::mem::take(&mut self.is_in_word) {
                self.has_begun |= self.word == b"configuration";
                self.has_ended |= self.has_begun && self.word == b"/configuration";
            }
        } else {
            self.letter(byte);
        }
        if !byte.is_ascii_whitespace() {
            self.last = byte;
        }
    }
}

impl Drop for JunosCheck {
    fn drop(&mut self) {
        self.word.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict, the same however the text is cut.
    fn check(text: &str) -> Result<(), &'static str> {
        let verdicts: Vec<_> = (1..=text.len().max(1))
            .map(|len| {
                let mut check = JunosCheck::default();
                text.as_bytes().chunks(len).for_each(|piece| check.push(piece));
                check.finish().map_err(|insane| insane.what)
            })
            .collect();
        assert!(verdicts.windows(2).all(|two| two[0] == two[1]), "{verdicts:?}");
        verdicts[0]
    }

    const BRACES: &str = "## Last commit: 2026-11-25\nversion 23.4R1;\n/* edge */\nsystem {\n    \
        host-name r1; # a } in a comment\n    login {\n        message \"a } \\\" in a text\";\n    }\n}\n";
    const COMMANDS: &str = "# r1\nset version 23.4R1\r\n\n  set system host-name \"r } 1\"\n\
        deactivate interfaces ge-0/0/1\ndelete system services\n";
    const XML: &str = "<?xml version=\"1.0\"?>\n<rpc-reply xmlns:junos=\"x\">\n\
        <configuration junos:changed-seconds=\"1\">\n<system><host-name>r1</host-name></system>\n\
        </configuration>\n</rpc-reply>\n";

    #[test]
    fn what_junos_writes_is_accepted() {
        for text in [BRACES, COMMANDS, XML] {
            assert_eq!(check(text), Ok(()), "{text}");
            assert_eq!(check(&text.replace('\n', "\r\n")), Ok(()), "{text}");
        }
        for text in [
            "system { host-name r1; }",
            "/* x **/ system{}",
            "groups { g { interfaces { <ge-*> { unit 0; } } } }",
            "replace: system { }",
            "route 0.0.0.0/0 { }",
            "{ \"configuration\" : { \"version\" : \"} \\\" #\" } }",
            "x<y { }",
            "set x",
            "<configuration><x/></configuration>",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_was_cut_is_refused() {
        // Behind the last line of braces, and behind the end of XML, nothing is missing.
        for end in 0..BRACES.trim_end().len() {
            assert!(check(&BRACES[..end]).is_err(), "{end}");
        }
        let end = XML.find("</configuration>").unwrap() + "</configuration".len();
        for end in 0..end {
            assert!(check(&XML[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn the_reason_is_named() {
        for (text, reason) in [
            ("", "it has no statements"),
            ("# nothing\n", "it has no statements"),
            ("hostname r1\nend\n", "it has neither braces nor commands"),
            ("version 1;\n", "it has neither braces nor commands"),
            ("system {\n", "a brace is not closed"),
            ("system { } }", "a brace closes nothing"),
            ("system { } x", "it ends within a statement"),
            ("system { } \"x", "a text in quotes does not end"),
            ("system { } /* x *", "a comment does not end"),
            ("set x\nhostname r1\n", "a line begins with no command"),
            ("set x \"y\nset z", "a text in quotes does not end"),
            ("<html></html>", "it has no <configuration>"),
            ("<configuration>", "its <configuration> does not end"),
            ("<configuration></configuration> x", "its <configuration> does not end"),
        ] {
            assert_eq!(check(text), Err(reason), "{text}");
        }
        let mut check = JunosCheck::default();
        check.push(b"a { }\nb {\n c {\n }\n");
        assert_eq!(check.finish().unwrap_err().line, 2);
    }
}

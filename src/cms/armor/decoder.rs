//! Taking the armor off, piece by piece: what comes out is BER.

use super::{Start, is_base64, is_fill};
use crate::base64::{self, engine};
use crate::{Encoding, Error, Limit, PemLabel, Result};
use ::base64::Engine as _;
use alloc::boxed::Box;

/// Takes the armor off and hands the BER on.
#[derive(Debug)]
pub(crate) enum Decoder {
    Binary,
    Base64(Box<Base64>),
}

impl Decoder {
    pub(crate) fn new(start: &Start, line_limit: usize) -> Self {
        if !start.is_base64 {
            return Self::Binary;
        }
        let label = match start.encoding {
            Encoding::Pem(label) => Some(label),
            _ => None,
        };
        Self::Base64(Box::new(Base64::new(label, line_limit)))
    }

    /// Decodes the next piece of the file.
    pub(crate) fn push(
        &mut self,
        input: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Binary => out(input),
            Self::Base64(base64) => base64.push(input, out),
        }
    }

    /// The file ends here.
    pub(crate) fn finish(&mut self, out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match self {
            Self::Binary => Ok(()),
            Self::Base64(base64) => base64.finish(out),
        }
    }
}

/// Base64 in lines, up to a PEM end line or the end of the file.
#[derive(Debug)]
pub(crate) struct Base64 {
    engine: base64::Engine,
    label: Option<PemLabel>,
    line_limit: usize,
    line: usize,
    /// Characters of the last line that ended.
    usual: usize,
    previous: u8,
    place: Place,
    /// Base64 without its line ends, waiting for a full load.
    text: [u8; Self::LOAD],
    len: usize,
    padded: bool,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Body,
    /// In the PEM end line, after so many characters that fit.
    EndLine(usize),
    AfterEnd,
}

impl Base64 {
    /// Characters that are decoded at once.
    const LOAD: usize = 2048;

    fn new(label: Option<PemLabel>, line_limit: usize) -> Self {
        Self {
            engine: engine(),
            label,
            line_limit,
            line: 0,
            usual: 0,
            previous: b'\r',
            place: Place::Body,
            text: [0; Self::LOAD],
            len: 0,
            padded: false,
        }
    }

    fn push(&mut self, input: &[u8], out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut rest = input;
        while let Some((&byte, after)) = rest.split_first() {
            if let Some((line, after)) = self.usual_line(rest) {
                self.take(line, out)?;
                self.line = 0;
                self.previous = b'\n';
                rest = after;
                continue;
            }
            if matches!(self.place, Place::Body) && is_base64(byte) && !self.padded {
                let run = rest.iter().take_while(|&&byte| is_base64(byte)).count();
                let (run, after) = rest.split_at(run);
                self.take(run, out)?;
                rest = after;
                continue;
            }
            self.special(byte, out)?;
            rest = after;
        }
        Ok(())
    }

    /// A whole line that is as long as the one before it, as most are: its end is not searched for,
    /// and its characters are checked all at once.
    fn usual_line<'a>(&self, rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        if !matches!(self.place, Place::Body) || self.padded || self.usual == 0 {
            return None;
        }
        let (line, after) = rest.split_at_checked(self.usual)?;
        let after = after.strip_prefix(b"\n")?;
        let (words, rest) = line.as_chunks();
        let bad = words.iter().fold(0, |bad, word| bad | not_base64(*word));
        (bad == 0 && rest.iter().all(|&byte| is_base64(byte))).then_some((line, after))
    }

    /// A run of base64 characters of one line.
    fn take(&mut self, mut run: &[u8], out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.line = self.line.saturating_add(run.len());
        if self.line > self.line_limit {
            return Err(self.line_too_long());
        }
        self.previous = b'A';
        while !run.is_empty() {
            let room = self.text.get_mut(self.len..).unwrap_or_default();
            let (now, later) = run.split_at(run.len().min(room.len()));
            if let Some(place) = room.get_mut(..now.len()) {
                place.copy_from_slice(now);
            }
            self.len += now.len();
            run = later;
            if self.len == Self::LOAD {
                self.decode(out)?;
            }
        }
        Ok(())
    }

    /// Anything but base64 characters in the body.
    fn special(&mut self, byte: u8, out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let previous = core::mem::replace(&mut self.previous, byte);
        if matches!(byte, b'\n' | b'\r') {
            self.usual = self.line;
            self.line = 0;
        } else {
            self.line = self.line.saturating_add(1);
            if self.line > self.line_limit && !matches!(self.place, Place::AfterEnd) {
                return Err(self.line_too_long());
            }
        }
        match self.place {
            Place::Body => match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'=' => {
                    self.padded = true;
                    if let Some(place) = self.text.get_mut(self.len) {
                        *place = byte;
                    }
                    self.len += 1;
                    if self.len == Self::LOAD {
                        self.decode(out)?;
                    }
                }
                // TFTP's netascii writes CR as CR NUL.
                0 if previous == b'\r' => {}
                b'-' if self.label.is_some() && matches!(previous, b'\n' | b'\r' | 0) => {
                    self.decode(out)?;
                    self.place = Place::EndLine(1);
                }
                0 | 0xff if self.label.is_none() => {
                    self.decode(out)?;
                    self.place = Place::AfterEnd;
                }
                _ => return Err(Error::Malformed("a character does not belong in base64")),
            },
            Place::EndLine(matched) => {
                let label = self.label.unwrap_or(PemLabel::Cms);
                if end_line(label).nth(matched) != Some(byte) {
                    return Err(Error::Malformed("the PEM end line is not that of its begin line"));
                }
                self.place = if end_line(label).nth(matched + 1).is_some() {
                    Place::EndLine(matched + 1)
                } else {
                    Place::AfterEnd
                };
            }
            Place::AfterEnd => {
                if !is_fill(byte) {
                    return Err(Error::Malformed("something stands after the end"));
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match (self.place, self.label) {
            (Place::AfterEnd, _) => Ok(()),
            (Place::Body, None) => self.decode(out),
            _ => Err(Error::Malformed("the PEM end line is missing")),
        }
    }

    fn decode(&mut self, out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut bytes = [0; Self::LOAD / 4 * 3];
        let text = self.text.get(..self.len).unwrap_or_default();
        let len = self
            .engine
            .decode_slice(text, &mut bytes)
            .map_err(|_| Error::Malformed("the base64 is damaged"))?;
        self.len = 0;
        if len == 0 { Ok(()) } else { out(bytes.get(..len).unwrap_or_default()) }
    }

    fn line_too_long(&self) -> Error {
        Error::limit(Limit::Line, u64::try_from(self.line_limit).unwrap_or(u64::MAX))
    }
}

/// Which of eight bytes are not [`is_base64`]: their high bits. Without a branch and without a `bool`, so
/// that compilers that can take several words at once do.
fn not_base64(word: [u8; 8]) -> u64 {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    const HIGH: u64 = each(0x80);
    /// The high bit of each byte that is in the range, of bytes that have none.
    const fn within(word: u64, first: u8, last: u8) -> u64 {
        (word + each(0x80 - first)) & !(word + each(0x7f - last))
    }
    let word = u64::from_ne_bytes(word);
    let low = word & !HIGH;
    let found =
        within(low | each(0x20), b'a', b'z') | within(low, b'/', b'9') | within(low, b'+', b'+');
    (word | !found) & HIGH
}

fn end_line(label: PemLabel) -> impl Iterator<Item = u8> {
    [b"-----END ".as_slice(), label.name().as_bytes(), b"-----"].into_iter().flatten().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::engine::general_purpose::STANDARD;
    use alloc::vec;
    use alloc::vec::Vec;

    const LIMIT: usize = 100;

    /// What comes out when the text comes in pieces of this length.
    fn decoded(text: &[u8], label: Option<PemLabel>, piece: usize) -> (Vec<u8>, Result<()>) {
        let mut bytes = Vec::new();
        let mut keep = |more: &[u8]| {
            bytes.extend_from_slice(more);
            Ok(())
        };
        let mut decoder = Base64::new(label, LIMIT);
        let pushed = text.chunks(piece).try_for_each(|piece| decoder.push(piece, &mut keep));
        let result = pushed.and_then(|()| decoder.finish(&mut keep));
        (bytes, result)
    }

    /// The same in another way: the end is searched for, and what is before it decoded at once.
    fn expected(text: &[u8], label: Option<PemLabel>) -> Option<Vec<u8>> {
        // The line before it may have ended in CR NUL.
        let mut after_cr = true;
        let mut at_line_start = true;
        let (mut quads, mut line) = (Vec::new(), 0);
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            match byte {
                b'-' if label.is_some() && at_line_start => break,
                0 if after_cr => {}
                0 | 0xff if label.is_none() => break,
                b'\r' | b'\n' => line = 0,
                _ => line += 1,
            }
            if line > LIMIT {
                return None;
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                0 if after_cr => {}
                _ => quads.push(byte),
            }
            at_line_start = matches!(byte, b'\r' | b'\n') || byte == 0 && after_cr;
            after_cr = byte == b'\r';
            at += 1;
        }
        let mut rest = &text[at..];
        if let Some(label) = label {
            rest = rest.strip_prefix(end_line(label).collect::<Vec<_>>().as_slice())?;
        }
        let is_over = rest.iter().all(|&byte| is_fill(byte));
        STANDARD.decode(quads).ok().filter(|_| is_over)
    }

    fn check(text: &[u8], label: Option<PemLabel>) -> bool {
        let expected = expected(text, label);
        let whole = decoded(text, label, text.len().max(1));
        match (&whole.1, &expected) {
            (Ok(()), Some(bytes)) => assert_eq!(whole.0, *bytes),
            (Err(_), None) => {}
            _ => panic!("{whole:?}, but {expected:?}: {}", text.escape_ascii()),
        }
        for piece in [1, 7, 80] {
            assert_eq!(decoded(text, label, piece), whole, "{piece}: {}", text.escape_ascii());
        }
        expected.is_some()
    }

    /// Every byte changed, left out and doubled by one of another kind: the quick way for whole lines takes
    /// nothing else than the slow one, and both what there is to take.
    #[test]
    fn changed_text_is_decoded_or_refused_however_it_comes() {
        let (mut taken, mut refused) = (0, 0);
        for (len, line, end) in [
            (47, 64, "\n"),
            (48, 64, "\n"),
            (49, 16, "\n"),
            (95, 64, "\r\n"),
            (61, 20, "\r\0\n"),
            (40, 17, "\r"),
        ] {
            let bytes: Vec<u8> = (0..len).map(|byte: u8| byte.wrapping_mul(91)).collect();
            let base64 = STANDARD.encode(&bytes);
            for label in [None, Some(PemLabel::Cms)] {
                let mut text: Vec<u8> = Vec::new();
                for line in base64.as_bytes().chunks(line) {
                    text.extend_from_slice(line);
                    text.extend_from_slice(end.as_bytes());
                }
                if let Some(label) = label {
                    text.extend(end_line(label).chain(*b"\n"));
                }
                assert!(check(&text, label));
                for at in 0..text.len() {
                    for byte in *b"Az09+/=- \t\r\n\0\xff\x80*:@[`{\x7f" {
                        for replaced in [0, 1, 2] {
                            let mut changed = text.clone();
                            let end = (at + replaced).min(text.len());
                            changed.splice(at..end, [byte]);
                            if check(&changed, label) { taken += 1 } else { refused += 1 }
                        }
                    }
                    let mut shorter = text.clone();
                    shorter.remove(at);
                    check(&shorter, label);
                    check(&text[..at], label);
                    check(&[&text[..at], &[0xff; 9]].concat(), label);
                    // The same twice, a word apart.
                    if let Some(word) = text.get(at..at + 9) {
                        let mut twice = text.clone();
                        twice[at] = b' ';
                        twice[at + 8] = b' ';
                        check(&twice, label);
                        twice.splice(at..at + 9, word.iter().copied().rev());
                        check(&twice, label);
                    }
                }
                for more in 0..80 {
                    let followed = [&text[..], &vec![b'A'; more], b"\n"].concat();
                    let is_more = label.is_none() && text.len() > 1;
                    assert!(!check(&followed, label) || more == 0 || is_more, "{more}");
                }
            }
        }
        assert!(taken > 1000 && refused > 1000, "{taken} {refused}");
    }

    /// Beyond one load, and up to the longest line.
    #[test]
    fn long_text_and_long_lines() {
        let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
        let base64 = STANDARD.encode(&bytes);
        for line in [1, 64, 76, LIMIT, LIMIT + 1] {
            let mut text: Vec<u8> = Vec::new();
            for line in base64.as_bytes().chunks(line) {
                text.extend_from_slice(line);
                text.push(b'\n');
            }
            assert_eq!(check(&text, None), line <= LIMIT);
            // Padding where a load ends, and text behind it.
            for at in [2044, 2047, 2048, 2049] {
                let mut changed = text.clone();
                let place = at + at / line;
                changed.splice(place..place, vec![b'='; 4]);
                assert!(!check(&changed, None));
            }
        }
        // Padding ends the text, also before a line that is as long.
        assert!(check(b"QUJD\nQQ==\n", None));
        assert!(!check(b"QUJD\nQQ==\nQUJD\n", None));
        let limit = Err(Error::limit(Limit::Line, 100));
        let too_long = |text: &[u8], label| decoded(text, label, text.len()).1;
        assert_eq!(too_long(&[b'A'; 101], None), limit);
        assert_eq!(too_long(&[b' '; 101], None), limit);
        assert_eq!(too_long(&[&[b'A'; 60][..], b" \t", &[b'A'; 39]].concat(), None), limit);
        // What fills a file up is no line.
        assert_eq!(too_long(&[b"AAAA\n", &[0xff; 101][..]].concat(), None), Ok(()));
        let ended = [b"AAAA\n-----END CMS-----", &[b' '; 101][..]].concat();
        assert_eq!(too_long(&ended, Some(PemLabel::Cms)), Ok(()));
    }

    #[test]
    fn eight_at_once_are_checked_as_one() {
        for byte in 0..=255 {
            for place in 0..8 {
                for other in [b'A', b'z', b'/', b'+', b'0'] {
                    let mut word = [other; 8];
                    word[place] = byte;
                    let found = not_base64(word).to_ne_bytes().map(|byte| byte == 0);
                    assert!(
                        found
                            .iter()
                            .enumerate()
                            .all(|(at, &is_good)| { is_good == (at != place || is_base64(byte)) }),
                        "{byte} at {place}"
                    );
                }
            }
            assert_eq!(not_base64([byte; 8]) == 0, is_base64(byte));
        }
    }
}

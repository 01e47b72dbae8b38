//! Taking the armor off, piece by piece: what comes out is BER.

#[cfg(test)]
mod tests;

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
        // Only where a line begins: each place would be looked at once for every byte before it.
        let is_tried = matches!(self.place, Place::Body) && !self.padded && self.line == 0;
        if !is_tried || self.usual == 0 {
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

//! The form of the file: PEM (RFC 7468), S/MIME (RFC 8551), or binary with or without our magic.

use super::{Form, Profile};
use crate::base64::{self, engine};
use crate::cms::armor::MAGIC;
use crate::{Error, Result, Sink};
use ::base64::Engine as _;

/// Bytes of a line, and characters.
const LINE: usize = 48;
const CHARACTERS: usize = 64;
/// Lines that are written at once.
const RUN: usize = 32;

/// Writes the envelope down.
pub(super) struct Armor {
    begin: &'static [u8],
    end: &'static [u8],
    base64: Option<base64::Engine>,
    /// The start of a line that waits for its rest.
    line: [u8; LINE],
    filled: usize,
}

macro_rules! pem {
    ($what:literal, $label:literal) => {
        concat!("-----", $what, " ", $label, "-----\n").as_bytes()
    };
}

/// The headers as OpenSSL writes them; RFC 8551 and RFC 5083 name the types.
macro_rules! smime {
    ($type:literal) => {
        concat!(
            "MIME-Version: 1.0\n",
            "Content-Disposition: attachment; filename=\"smime.p7m\"\n",
            "Content-Type: application/pkcs7-mime; smime-type=",
            $type,
            "; name=\"smime.p7m\"\n",
            "Content-Transfer-Encoding: base64\n\n",
        )
        .as_bytes()
    };
}

impl Armor {
    pub(super) fn new(form: Form, profile: Profile, is_authenticated: bool) -> Self {
        let (begin, end): (&[u8], &[u8]) = match form {
            // OpenSSL's `smime` reads no other label than PKCS7, `cms` reads both.
            Form::Pem if profile == Profile::Rfc8886 => {
                (pem!("BEGIN", "PKCS7"), pem!("END", "PKCS7"))
            }
            Form::Pem => (pem!("BEGIN", "CMS"), pem!("END", "CMS")),
            Form::Smime if is_authenticated => (smime!("authEnveloped-data"), b"\n"),
            Form::Smime => (smime!("enveloped-data"), b"\n"),
            Form::Der => (b"", b""),
            Form::MagicDer => (&MAGIC, b""),
        };
        let base64 = matches!(form, Form::Pem | Form::Smime).then(engine);
        Self { begin, end, base64, line: [0; LINE], filled: 0 }
    }

    /// How long the file of so many bytes will be.
    pub(super) fn file_len(&self, len: usize) -> Option<usize> {
        let body = if self.base64.is_some() {
            len.div_ceil(3).checked_mul(4)?.checked_add(len.div_ceil(LINE))?
        } else {
            len
        };
        body.checked_add(self.begin.len() + self.end.len())
    }

    pub(super) fn begin(&self, sink: &mut dyn Sink) -> Result<()> {
        write_some(self.begin, sink)
    }

    pub(super) fn write(&mut self, mut bytes: &[u8], sink: &mut dyn Sink) -> Result<()> {
        if self.base64.is_none() {
            return write_some(bytes, sink);
        }
        if self.filled > 0 {
            bytes = self.fill(bytes);
            if self.filled < LINE {
                return Ok(());
            }
            self.write_lines(&self.line, sink)?;
        }
        let (lines, rest) = bytes.split_at(bytes.len() - bytes.len() % LINE);
        for run in lines.chunks(RUN * LINE) {
            self.write_lines(run, sink)?;
        }
        self.filled = 0;
        self.fill(rest);
        Ok(())
    }

    pub(super) fn end(&self, sink: &mut dyn Sink) -> Result<()> {
        self.write_lines(self.line.get(..self.filled).unwrap_or_default(), sink)?;
        write_some(self.end, sink)
    }

    /// Writes at most [`RUN`] lines, of which the last may be short.
    fn write_lines(&self, bytes: &[u8], sink: &mut dyn Sink) -> Result<()> {
        let Some(base64) = &self.base64 else { return Ok(()) };
        let mut characters = [0; RUN * CHARACTERS];
        let len = base64.encode_slice(bytes, &mut characters).map_err(|_| Error::OutOfMemory)?;
        let characters = characters.get(..len).unwrap_or_default();
        let mut text = [b'\n'; RUN * (CHARACTERS + 1)];
        for (line, place) in characters.chunks(CHARACTERS).zip(text.chunks_mut(CHARACTERS + 1)) {
            for (to, from) in place.iter_mut().zip(line) {
                *to = *from;
            }
        }
        let len = len + len.div_ceil(CHARACTERS);
        write_some(text.get(..len).unwrap_or_default(), sink)
    }

    /// Adds to the line that waits, and gives back what it has no room for.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = self.line.get_mut(self.filled..).unwrap_or_default();
        let (now, later) = bytes.split_at(bytes.len().min(room.len()));
        for (to, from) in room.iter_mut().zip(now) {
            *to = *from;
        }
        self.filled += now.len();
        later
    }
}

/// A sink is never given nothing.
fn write_some(bytes: &[u8], sink: &mut dyn Sink) -> Result<()> {
    if bytes.is_empty() { Ok(()) } else { sink.write(bytes) }
}

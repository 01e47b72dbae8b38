//! Opening: an encrypted file and the device's keys in, the configuration out.
//!
//! [`open`] takes a whole file and gives nothing before tag or padding is verified. [`Opener`] takes
//! a file piece by piece, in constant memory; what it gives is provisional until it is finished.
//! Both walk the same way, so they agree on every file, however it is cut.
//!
//! Nothing here proves who made a file: see the crate's documentation.

mod opening;
mod stream;

use crate::cms::armor::{self, Found, Start};
use crate::cms::ber::Walker;
use crate::secret::{on_wiped_stack, out_of_line, wipe_stack, wipe_vec};
use crate::{Damage, Error, KeyRing, Limit, Misuse, Owner, Result, Secret, Unsupported};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::{self, Debug, Formatter};
use opening::{Opening, Output};
use stream::Stream;

/// Opens a whole file.
///
/// The file may come in any form that [`detect`](crate::detect()) calls enveloped. The plaintext is
/// given only after tag or padding is verified. With CBC that is no proof: check that the
/// configuration is sane before it is installed (RFC 8886, figure 3).
///
/// # Errors
/// [`Error::NotEncrypted`] for a plain file, [`Error::NotForThisDevice`] for a stranger's, and
/// otherwise what is wrong; [`Error::Misuse`] if the key ring is empty.
pub fn open(file: &[u8], keys: &KeyRing) -> Result<Opened> {
    check_length(file, keys)?;
    let room = match armor::classify(file, true) {
        Found::Enveloped(Start { is_base64: true, .. }) => file.len() / 4 * 3,
        _ => file.len(),
    };
    let mut plaintext = Secret::new();
    let mut sink = |bytes: &[u8]| {
        if plaintext.is_empty() {
            plaintext.reserve(room)?;
        }
        plaintext.extend(bytes)
    };
    let mut opener = Opener::new(keys)?;
    opener.push(file, &mut sink)?;
    let summary = opener.finish(&mut sink)?;
    Ok(Opened { plaintext, summary })
}

/// Opens a whole file within its own buffer, which holds the plaintext afterwards.
///
/// A file in DER, with or without our magic, needs no second buffer; other forms are opened as
/// [`open`] does. When the content itself fails, the buffer is wiped and empty, since it may hold
/// unverified plaintext; after any other error it is as it was.
///
/// # Errors
/// As [`open`].
pub fn open_in_place(file: &mut Vec<u8>, keys: &KeyRing) -> Result<Summary> {
    on_wiped_stack(|| in_place(file, keys))
}

fn in_place(file: &mut Vec<u8>, keys: &KeyRing) -> Result<Summary> {
    check_length(file, keys)?;
    let Found::Enveloped(Start { is_base64: false, at, .. }) = armor::classify(file, true) else {
        return replace(file, keys);
    };
    keys.check_in_use()?;
    let mut opening = Opening::new(keys, keys.policy().require_authenticated);
    let mut walker = Walker::new(&keys.policy().limits);
    let mut pieces = Vec::new();
    let ber = file.get(at..).unwrap_or_default();
    walker.push(ber, &mut opening.visitor(Output::Places(&mut pieces)))?;
    walker.finish()?;
    let content = match pieces.as_slice() {
        [] => 0..0,
        [only] => at + only.start..at + only.end,
        _ => return replace(file, keys),
    };
    match opening.decrypt_in_place(file, content) {
        Ok(summary) => Ok(summary),
        Err(error) => {
            wipe_vec(file);
            Err(error)
        }
    }
}

fn replace(file: &mut Vec<u8>, keys: &KeyRing) -> Result<Summary> {
    let opened = open(file, keys)?;
    *file = opened.plaintext.into_bytes();
    Ok(opened.summary)
}

fn check_length(file: &[u8], keys: &KeyRing) -> Result<()> {
    let limit = keys.policy().limits.file;
    if file.len() > limit {
        return Err(Error::limit(Limit::File, u64::try_from(limit).unwrap_or(u64::MAX)));
    }
    Ok(())
}

/// An opened file.
#[derive(Debug)]
pub struct Opened {
    plaintext: Secret,
    summary: Summary,
}

impl Opened {
    /// The plaintext, byte for byte as it was sealed.
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        self.plaintext.as_bytes()
    }

    /// The plaintext, taken over.
    #[must_use]
    pub fn into_plaintext(self) -> Secret {
        self.plaintext
    }

    /// What was used.
    #[must_use]
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }
}

/// What opened a file, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    owner: Owner,
    is_authenticated: bool,
    is_named: bool,
    plaintext_len: u64,
}

impl Summary {
    /// Whose key opened the file.
    #[must_use]
    pub const fn owner(&self) -> Owner {
        self.owner
    }

    /// Whether it was authenticated encryption. CBC is not: whoever carries the file can change it.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        self.is_authenticated
    }

    /// Whether the file names the key that opened it: by its certificate's issuer and serial number,
    /// or by a key identifier. A key that no name tells from a stranger's was tried on the file; with
    /// RSA and CBC nothing but the padding then says that it was the right one.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        self.is_named
    }

    /// Bytes of plaintext.
    #[must_use]
    pub const fn plaintext_len(&self) -> u64 {
        self.plaintext_len
    }
}

/// Takes plaintext or ciphertext as it is made. Every `FnMut(&[u8]) -> sdi::Result<()>` is one, and
/// so are `Vec<u8>` and [`Secret`].
pub trait Sink {
    /// Takes bytes, never none.
    ///
    /// # Errors
    /// [`Error::Sink`] with a code of the sink's own; it ends the call that wrote.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
}

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.try_reserve(bytes.len()).map_err(|_| Error::OutOfMemory)?;
        self.extend_from_slice(bytes);
        Ok(())
    }
}

impl Sink for Secret {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.extend(bytes)
    }
}

impl<F: FnMut(&[u8]) -> Result<()>> Sink for F {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self(bytes)
    }
}

/// Opens a file that comes in pieces, in constant memory: 64 KiB, and what is kept of recipients that
/// may be ours. That is less than 1 KiB for real files; 48 KiB if a hostile file names a key of ours
/// 16 times; 64 KiB for a key whose certificate is not known, since every entry may be for it.
///
/// **What the sink gets is provisional until [`finish`](Self::finish) is `Ok`**: write it to a
/// staging place, rename it afterwards, or use [`hold`](Self::hold). After any error the opener
/// answers only [`Error::Misuse`].
///
/// ```no_run
/// # fn main() -> Result<(), sdi::Error> {
/// # let keys = sdi::KeyRing::new();
/// # fn next_packet() -> Option<Vec<u8>> { None }
/// let mut staged = Vec::new();
/// let mut opener = sdi::Opener::new(&keys)?;
/// while let Some(packet) = next_packet() {
///     opener.push(&packet, &mut staged)?;
/// }
/// let summary = opener.finish(&mut staged)?;
/// // Only now is `staged` the configuration.
/// assert_eq!(summary.plaintext_len(), staged.len() as u64);
/// # Ok(()) }
/// ```
#[must_use = "a stream that is not finished is not verified"]
pub struct Opener {
    /// `None` after an error, and while a call is at work.
    stream: Option<Box<Stream>>,
}

impl Opener {
    /// An opener for these keys. Later changes of the ring do not reach it.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the ring is empty.
    pub fn new(keys: &KeyRing) -> Result<Self> {
        keys.check_in_use()?;
        Ok(Self { stream: Some(Box::new(Stream::new(keys))) })
    }

    /// Refuses files that are not authenticated encryption, whatever the ring says.
    ///
    /// # Errors
    /// [`Misuse`] after the first push.
    pub fn require_authenticated(&mut self) -> Result<(), Misuse> {
        self.settings()?.require_authenticated = true;
        Ok(())
    }

    /// Limits the length of the file. A stream has no limit of its own.
    ///
    /// # Errors
    /// [`Misuse`] after the first push.
    pub fn set_max_file(&mut self, bytes: u64) -> Result<(), Misuse> {
        let settings = self.settings()?;
        settings.max_file = Some(settings.max_file.map_or(bytes, |max| max.min(bytes)));
        Ok(())
    }

    /// Keeps the plaintext, up to `max` bytes of it, and gives it to the sink only when all of it is
    /// verified, within a successful [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`Misuse`] after the first push.
    pub fn hold(&mut self, max: usize) -> Result<(), Misuse> {
        self.settings()?.hold(max);
        Ok(())
    }

    /// Takes the next piece of the file, of any length.
    ///
    /// # Errors
    /// As [`open`], as soon as it is known; [`Error::Sink`] from the sink.
    pub fn push(&mut self, input: &[u8], sink: &mut dyn Sink) -> Result<()> {
        // Taken out, so that it is gone after an error, and out of a re-entrant call's reach.
        let mut stream = self.stream.take().ok_or(USED_UP)?;
        let had_key = stream.has_content_key();
        let result = out_of_line(|| stream.push(input, sink));
        let uses_key = stream.has_content_key();
        if result.is_ok() {
            self.stream = Some(stream);
        } else {
            drop(stream);
        }
        if result.is_err() || uses_key && !had_key {
            wipe_stack();
        }
        result
    }

    /// Ends the file: only when this is `Ok` was the plaintext what was encrypted.
    ///
    /// # Errors
    /// As [`open`].
    pub fn finish(mut self, sink: &mut dyn Sink) -> Result<Summary> {
        let mut stream = self.stream.take().ok_or(USED_UP)?;
        // The stack is wiped when `self` is dropped.
        out_of_line(|| stream.finish(sink))
    }

    fn settings(&mut self) -> Result<&mut Stream, Misuse> {
        match self.stream.as_deref_mut() {
            Some(stream) if !stream.is_begun => Ok(stream),
            Some(_) => Err(Misuse("the file has begun; settings come before it")),
            None => Err(USED_UP),
        }
    }
}

/// Each piece of content leaves the cipher's keys on the stack. While the stream lives they are in
/// memory anyway.
impl Drop for Opener {
    fn drop(&mut self) {
        wipe_stack();
    }
}

impl Debug for Opener {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.stream {
            Some(stream) => write!(f, "Opener({} bytes so far)", stream.received),
            None => f.write_str("Opener(used up)"),
        }
    }
}

const USED_UP: Misuse = Misuse("the stream has failed, or is at work in an outer call");

/// Where the envelope begins, or why there is none.
pub(crate) fn enveloped(found: Found) -> Result<Start> {
    Err(match found {
        Found::Enveloped(start) => return Ok(start),
        Found::Plain | Found::NeedMore => Error::NotEncrypted,
        Found::Empty => Error::Malformed("it is empty"),
        Found::OtherCms(oid) => {
            Error::Unsupported(Unsupported { what: "CMS that is not enveloped data", oid })
        }
        Found::Damaged(Damage::Truncated) => Error::Malformed("it ends too early"),
        Found::Damaged(Damage::TextMode) => {
            Error::Malformed("a text-mode transfer has changed it, binary mode keeps it whole")
        }
        Found::Damaged(Damage::NotAnEnvelope) => Error::Malformed("its content is no envelope"),
        Found::Damaged(Damage::Armor) => Error::Malformed("the text around it is damaged"),
    })
}

//! What can go wrong, told to a person: what happened, to what, and what to do.
//!
//! An error carries no key, no plaintext and no word on which check of a decryption failed. Names
//! that come from a file are escaped and cut, so that a log line stays one line.

mod oid;
mod strangers;

pub(crate) use oid::Oid;
pub use strangers::Strangers;

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::{self, Display, Formatter, Write};

/// `core::result::Result` with this library's [`enum@Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// The one error type. [`Error::code`] is the number that the C interface returns.
///
/// Display gives one line of printable ASCII, at most 512 bytes.
///
/// ```
/// let error = sdi::SoftwareKey::parse(b"no key").unwrap_err();
/// assert_eq!(error.code(), 150);
/// assert_eq!(
///     error.to_string(),
///     "the key cannot be read: it is no private key that is read here"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Memory for a buffer of the input's size could not be had. Nothing was lost: free some, or
    /// use the streaming form, and try again.
    OutOfMemory,
    /// The caller passed something that cannot be meant. Never caused by a file's content.
    Argument(&'static str),
    /// A call that does not fit the object's state. Never caused by a file's content.
    Misuse(Misuse),
    /// The caller's sink refused bytes, with this code.
    Sink(i64),
    /// The file is not encrypted at all.
    NotEncrypted,
    /// The file's public structure is damaged.
    Malformed(&'static str),
    /// The file is whole, and uses something that this build does not open.
    Unsupported(Unsupported),
    /// The file was encrypted for others.
    NotForThisDevice(Box<Strangers>),
    /// Decryption failed: a wrong key or a damaged file. Deliberately nothing more.
    Decrypt,
    /// A device key, or the module that holds it, failed.
    Key(KeyFault),
    /// A limit was exceeded; nothing was cut off.
    Limit {
        /// Which limit.
        which: Limit,
        /// The greatest value that it allows.
        max: u64,
    },
    /// A check of the decrypted configuration failed.
    Rejected {
        /// Name of the check.
        check: &'static str,
        /// The line that failed, from 1; 0 if the check does not look at lines.
        line: u64,
    },
    /// The source of randomness failed, with this code; with 0 it did not fail, but what it gave was
    /// unusable again and again.
    Random(i64),
    /// The file is whole and the key ring's policy refuses it.
    Policy(&'static str),
}

impl Error {
    /// The stable number of this kind of error: 1 to 99 the call, 100 and above the file or key.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Self::OutOfMemory => 3,
            Self::Argument(_) => 4,
            Self::Misuse(_) => 5,
            Self::Sink(_) => 6,
            Self::NotEncrypted => 100,
            Self::Malformed(_) => 110,
            Self::Unsupported(_) => 120,
            Self::NotForThisDevice(_) => 130,
            Self::Decrypt => 140,
            Self::Key(_) => 150,
            Self::Limit { .. } => 160,
            Self::Rejected { .. } => 170,
            Self::Random(_) => 180,
            Self::Policy(_) => 190,
        }
    }

    /// What a key, random or sink callback returned; 0 for every other error.
    #[must_use]
    pub const fn vendor_code(&self) -> i64 {
        match self {
            Self::Sink(code) | Self::Random(code) | Self::Key(KeyFault::Vendor(code)) => *code,
            _ => 0,
        }
    }

    /// How much an error tells about a file that several keys failed to open.
    pub(crate) const fn usefulness(&self) -> u8 {
        match self {
            Self::Key(_) => 6,
            Self::Limit { .. } => 5,
            Self::Decrypt => 4,
            Self::Malformed(_) => 3,
            Self::Unsupported(_) => 2,
            Self::NotForThisDevice(_) => 1,
            _ => 7,
        }
    }

    pub(crate) const fn limit(which: Limit, max: u64) -> Self {
        Self::Limit { which, max }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory => f.write_str("out of memory: free some and try again"),
            Self::Argument(what) => write!(f, "invalid argument: {what}"),
            Self::Misuse(misuse) => write!(f, "{misuse}"),
            Self::Sink(code) => write!(f, "the receiver of the output failed with code {code}"),
            Self::NotEncrypted => f.write_str("the file is not encrypted"),
            Self::Malformed(what) => {
                write!(f, "the file is damaged: {what}; fetch it again or have it encrypted again")
            }
            Self::Unsupported(what) => {
                write!(f, "not supported: {what}; use another algorithm, or a build that has it")
            }
            Self::NotForThisDevice(strangers) => write!(f, "{strangers}"),
            Self::Decrypt => f.write_str(
                "decryption failed: the file is for another key or was changed on the way",
            ),
            Self::Key(fault) => write!(f, "{fault}"),
            Self::Limit { which, max } => write!(f, "the file exceeds the limit of {max} {which}"),
            Self::Rejected { check, line: 0 } => {
                write!(f, "the decrypted configuration failed the check `{check}`")
            }
            Self::Rejected { check, line } => {
                write!(f, "the decrypted configuration failed the check `{check}` in line {line}")
            }
            Self::Random(0) => f.write_str(
                "the source of randomness gives nothing usable: see whether it works at all",
            ),
            Self::Random(code) => {
                write!(f, "the source of randomness failed with code {code}: try again later")
            }
            Self::Policy(what) => write!(f, "this device's policy refuses the file: {what}"),
        }
    }
}

impl core::error::Error for Error {}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

/// A call that does not fit the state of the object. A state machine and a key ring are unchanged; a
/// stream that was given too much is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misuse(pub(crate) &'static str);

impl Display for Misuse {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "wrong call: {}", self.0)
    }
}

impl core::error::Error for Misuse {}

/// What is not opened, with the identifier that the file gives for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    pub(crate) what: &'static str,
    pub(crate) oid: Option<Oid>,
}

impl Unsupported {
    /// What is not supported, in words.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        self.what
    }

    /// The object identifier in question, in dotted form, where there is one.
    #[must_use]
    pub fn oid(&self) -> Option<String> {
        self.oid.as_ref().map(|oid| {
            let mut dotted = String::new();
            // Writing to a String cannot fail.
            let _ = write!(dotted, "{oid}");
            dotted
        })
    }
}

impl Display for Unsupported {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.oid {
            Some(oid) => write!(f, "{} {oid}", self.what),
            None => f.write_str(self.what),
        }
    }
}

impl From<Unsupported> for Error {
    fn from(unsupported: Unsupported) -> Self {
        Self::Unsupported(unsupported)
    }
}

/// Why a device key did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFault {
    /// The module that holds the key failed, with this code of its own.
    Vendor(i64),
    /// The key cannot do the operation that is needed: to open this file, or to sign.
    Unsupported,
    /// The module's answer has an impossible length.
    Answer,
    /// The bytes are no key that this library reads.
    Unreadable(&'static str),
    /// Certificate and key do not belong together.
    Mismatch,
}

impl Display for KeyFault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vendor(code) => write!(f, "the device key's module failed with code {code}"),
            Self::Unsupported => f.write_str(
                "the device key cannot do the needed operation; wrap the public key of one that \
                 cannot sign",
            ),
            Self::Answer => {
                f.write_str("the device key's module gave an answer of impossible length")
            }
            Self::Unreadable(what) => write!(f, "the key cannot be read: {what}"),
            Self::Mismatch => f.write_str("certificate and key do not belong together"),
        }
    }
}

/// The limits that a file can exceed; see [`crate::Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Length of the file, for the one-shot functions.
    File,
    /// Header without the recipients.
    Header,
    /// One recipient.
    Recipient,
    /// Number of recipients.
    Recipients,
    /// Nesting depth.
    Depth,
    /// One name: the identifier of a recipient.
    Name,
    /// One line of text around or of the base64.
    Line,
    /// Authenticated attributes.
    Attributes,
    /// Key operations for one file.
    KeyOps,
    /// What one key and nonce can encrypt.
    Content,
    /// User keying material of a key agreement.
    KeyingMaterial,
    /// Recipients under identifiers of our own.
    OwnRecipients,
    /// Plaintext that is held back until it is verified.
    Held,
}

impl Display for Limit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "bytes in a file",
            Self::Header => "header bytes",
            Self::Recipient => "bytes for one recipient",
            Self::Recipients => "recipients",
            Self::Depth => "levels of nesting",
            Self::Name => "bytes in a name",
            Self::Line => "bytes in a line",
            Self::Attributes => "bytes of authenticated attributes",
            Self::KeyOps => "key operations for one file",
            Self::Content => "bytes of content under one key",
            Self::KeyingMaterial => "bytes of user keying material",
            Self::OwnRecipients => "recipients with this device's identifier",
            Self::Held => "bytes of plaintext to hold back",
        })
    }
}

/// Text from a file as one line of printable ASCII, at most `max` bytes.
pub(crate) fn printable(text: &[u8], max: usize) -> String {
    let mut out = String::new();
    for &byte in text {
        let plain = matches!(byte, b' '..=b'~') && byte != b'\\';
        if out.len() + if plain { 1 } else { 4 } + 2 > max {
            out.push_str("..");
            break;
        }
        if plain {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    #[test]
    fn text_and_code_are_pinned() {
        let oid = Oid::new(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02]);
        for (error, code, text) in [
            (Error::NotEncrypted, 100, "the file is not encrypted"),
            (
                Error::Decrypt,
                140,
                "decryption failed: the file is for another key or was changed on the way",
            ),
            (
                Error::limit(Limit::Depth, 32),
                160,
                "the file exceeds the limit of 32 levels of nesting",
            ),
            (
                Error::Unsupported(Unsupported { what: "the content type", oid: Some(oid) }),
                120,
                "not supported: the content type 1.2.840.113549.1.7.2; use another algorithm, or a \
                 build that has it",
            ),
        ] {
            assert_eq!(error.code(), code);
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn names_from_a_file_stay_one_short_line() {
        let hostile = printable(b"CN=\n\x1b[31m\xff\\", 60);
        assert_eq!(hostile, "CN=\\x0a\\x1b[31m\\xff\\x5c");
        assert_eq!(printable(&[0xff; 100], 20), "\\xff\\xff\\xff\\xff..");
        let strangers = Strangers {
            wanted: vec![printable(&[b'a'; 300], 64); 8],
            total: 10_000,
            have: vec![printable(&[b'b'; 300], 120); 2],
        };
        let text = Error::NotForThisDevice(Box::new(strangers)).to_string();
        assert!(text.len() <= 512, "{} bytes: {text}", text.len());
        assert!(text.contains("and 9992 more"));
    }
}

//! Results, and the detail of one failure.

use crate::boundary::boundary;
use crate::code::{Code, code};
use crate::pointer::Handle;
use core::ffi::{CStr, c_char};
use core::fmt::{self, Display, Formatter, Write};

/// What a call that can fail returns: a constant of sdi_result_code. Numbers never change their
/// meaning. 1 to 99 is a problem of the call, 100 and above is one of the file or the key.
pub type sdi_result = i32;

/// The values of sdi_result.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_result_code {
    /// All went well.
    SDI_OK = 0,
    /// An argument is NULL that must not be.
    SDI_ERR_NULL = 1,
    /// A defect of this library was caught. The non-const handle of that call answers this to
    /// everything but its free; everything else goes on working. A library of profile firmware ends
    /// the process instead.
    SDI_ERR_PANIC = 2,
    /// Memory is short. *err may stay NULL.
    SDI_ERR_MEMORY = 3,
    /// An argument has a value that cannot be meant.
    SDI_ERR_ARGUMENT = 4,
    /// The call does not fit what was called before, or comes from inside a callback of another call
    /// on the same handle.
    SDI_ERR_STATE = 5,
    /// Your sink refused bytes; sdi_error_vendor_code says what it returned.
    SDI_ERR_SINK = 6,
    /// The file is not encrypted at all.
    SDI_ERR_NOT_ENCRYPTED = 100,
    /// The file's public structure is damaged. Fetch it again.
    SDI_ERR_MALFORMED = 110,
    /// The file or the call needs something that this build does not have.
    SDI_ERR_UNSUPPORTED = 120,
    /// The file was encrypted for others. The text names them, and this device.
    SDI_ERR_NOT_FOR_THIS_DEVICE = 130,
    /// A wrong key, or a file that was changed. Deliberately nothing more.
    SDI_ERR_DECRYPT = 140,
    /// A key cannot be read, does not belong to its certificate, or its module failed;
    /// sdi_error_vendor_code says what a module returned.
    SDI_ERR_KEY = 150,
    /// The file exceeds a limit. Nothing was cut off.
    SDI_ERR_LIMIT = 160,
    /// A check of the decrypted configuration failed. No function of this header returns it.
    SDI_ERR_REJECTED = 170,
    /// The source of randomness failed; sdi_error_vendor_code says what it returned.
    SDI_ERR_RANDOM = 180,
    /// The file is whole, and the key ring's settings refuse it.
    SDI_ERR_POLICY = 190,
}

use sdi_result_code::*;

code!(sdi_result_code:
    SDI_OK SDI_ERR_NULL SDI_ERR_PANIC SDI_ERR_MEMORY SDI_ERR_ARGUMENT SDI_ERR_STATE SDI_ERR_SINK
    SDI_ERR_NOT_ENCRYPTED SDI_ERR_MALFORMED SDI_ERR_UNSUPPORTED SDI_ERR_NOT_FOR_THIS_DEVICE
    SDI_ERR_DECRYPT SDI_ERR_KEY SDI_ERR_LIMIT SDI_ERR_REJECTED SDI_ERR_RANDOM SDI_ERR_POLICY);

impl sdi_result_code {
    const fn text(self) -> &'static CStr {
        match self {
            SDI_OK => c"all went well",
            SDI_ERR_NULL => c"an argument is NULL that must not be",
            SDI_ERR_PANIC => c"a defect of the library was caught: please report it",
            SDI_ERR_MEMORY => c"memory is short: free some and try again",
            SDI_ERR_ARGUMENT => c"an argument has a value that cannot be meant",
            SDI_ERR_STATE => c"the call does not fit what was called before",
            SDI_ERR_SINK => c"the receiver of the bytes refused them",
            SDI_ERR_NOT_ENCRYPTED => c"the file is not encrypted",
            SDI_ERR_MALFORMED => c"the file is damaged: fetch it again",
            SDI_ERR_UNSUPPORTED => c"this build does not have what is needed",
            SDI_ERR_NOT_FOR_THIS_DEVICE => c"the file is not for this device",
            SDI_ERR_DECRYPT => {
                c"decryption failed: the file is for another key or was changed on the way"
            }
            SDI_ERR_KEY => c"the key, or the module that holds it, failed",
            SDI_ERR_LIMIT => c"the file exceeds a limit",
            SDI_ERR_REJECTED => c"the decrypted configuration failed a check",
            SDI_ERR_RANDOM => c"the source of randomness failed: try again later",
            SDI_ERR_POLICY => c"this device's policy refuses the file",
        }
    }
}

/// The name of a result, for example "SDI_ERR_DECRYPT", or "SDI_ERR_?" for an unknown number. It is
/// static text. May run at once with anything.
#[unsafe(no_mangle)]
pub extern "C" fn sdi_result_name(r: sdi_result) -> *const c_char {
    boundary!(else c"".as_ptr(), |_| {
        sdi_result_code::name(r).unwrap_or(c"SDI_ERR_?").as_ptr()
    })
}

/// A result in words, for example "the file is not encrypted". It is static text. May run at once
/// with anything.
#[unsafe(no_mangle)]
pub extern "C" fn sdi_result_text(r: sdi_result) -> *const c_char {
    boundary!(else c"".as_ptr(), |_| {
        sdi_result_code::known(r).map_or(c"an unknown result", sdi_result_code::text).as_ptr()
    })
}

/// The detail of one failure. No key and no plaintext is in it, so it may go to a log.
pub struct sdi_error {
    _opaque: [u8; 0],
}

impl Handle for sdi_error {
    type Value = Detail;
}

/// The result that came with it; SDI_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_error_code(e: *const sdi_error) -> sdi_result {
    boundary!(else SDI_ERR_PANIC.number(), |c| {
        c.read(e, |detail| Ok(detail.code)).unwrap_or_default()
    })
}

/// What happened, to what, and what to do: one line of printable ASCII, at most 512 bytes. The text
/// is borrowed until you free e; it is "" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_error_text(e: *const sdi_error) -> *const c_char {
    boundary!(else c"".as_ptr(), |c| {
        c.read(e, |detail| Ok(detail.text.as_ptr().cast())).unwrap_or(c"".as_ptr())
    })
}

/// What a callback for a key, for randomness or for bytes returned; 0 for every other failure, and
/// for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_error_vendor_code(e: *const sdi_error) -> i64 {
    boundary!(else 0, |c| c.read(e, |detail| Ok(detail.vendor_code)).unwrap_or(0))
}

/// Frees it. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_error_free(e: *mut sdi_error) {
    boundary!(else (), |c| c.free(e));
}

/// Why an exported function fails: as the core says, and what only C can do wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    Null,
    Panicked,
    Argument(&'static str),
    State(&'static str),
    /// Left out of this build.
    Unsupported(&'static str),
    Core(sdi::Error),
}

impl Failure {
    pub(crate) fn code(&self) -> sdi_result {
        match self {
            Self::Null => SDI_ERR_NULL.number(),
            Self::Panicked => SDI_ERR_PANIC.number(),
            Self::Argument(_) => SDI_ERR_ARGUMENT.number(),
            Self::State(_) => SDI_ERR_STATE.number(),
            Self::Unsupported(_) => SDI_ERR_UNSUPPORTED.number(),
            Self::Core(error) => error.code(),
        }
    }

    pub(crate) fn detail(&self) -> Detail {
        let vendor_code = match self {
            Self::Core(error) => error.vendor_code(),
            _ => 0,
        };
        let mut text = Text { bytes: [0; TEXT], len: 0 };
        // Text that does not fit is cut.
        let _ = write!(text, "{self}");
        Detail { code: self.code(), vendor_code, text: text.bytes }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("an argument is NULL that must not be"),
            Self::Panicked => f.write_str("a defect of the library was caught: please report it"),
            Self::Argument(what) => write!(f, "invalid argument: {what}"),
            Self::State(what) => write!(f, "wrong call: {what}"),
            Self::Unsupported(what) => write!(f, "not supported: this build {what}"),
            Self::Core(error) => write!(f, "{error}"),
        }
    }
}

impl From<sdi::Error> for Failure {
    fn from(error: sdi::Error) -> Self {
        Self::Core(error)
    }
}

impl From<sdi::Misuse> for Failure {
    fn from(misuse: sdi::Misuse) -> Self {
        Self::Core(misuse.into())
    }
}

/// What an [`sdi_error`] holds. The text is inside, so that one allocation is enough.
pub(crate) struct Detail {
    code: sdi_result,
    vendor_code: i64,
    /// Ends with a NUL.
    text: [u8; TEXT],
}

const TEXT: usize = 512 + 1;

struct Text {
    bytes: [u8; TEXT],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..TEXT - 1).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(more.bytes()) {
            *to = from;
            self.len += 1;
        }
        Ok(())
    }
}

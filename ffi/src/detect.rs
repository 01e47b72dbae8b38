//! Is this file encrypted?

use crate::boundary::boundary;
use crate::code::{Code, code};
use core::ffi::c_char;
use sdi::{Detection, Hint};

/// What a file is: a constant of sdi_kind_code.
pub type sdi_kind = i32;

/// The values of sdi_kind.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_kind_code {
    /// The bytes so far do not tell: give more. Never the answer to 4096 bytes or to a whole file.
    SDI_KIND_NEED_MORE = 0,
    /// Nothing, or nothing but white space: a failed fetch.
    SDI_KIND_EMPTY = 1,
    /// Not encrypted: today's plain configuration.
    SDI_KIND_PLAIN = 2,
    /// An encrypted configuration: open it.
    SDI_KIND_ENVELOPED = 3,
    /// CMS of another kind, for example signed data. Never install it as plain.
    SDI_KIND_OTHER_CMS = 4,
    /// Meant to be encrypted, and damaged. Never install it as plain.
    SDI_KIND_DAMAGED = 5,
}

use sdi_kind_code::*;

code!(sdi_kind_code:
    SDI_KIND_NEED_MORE SDI_KIND_EMPTY SDI_KIND_PLAIN
    SDI_KIND_ENVELOPED SDI_KIND_OTHER_CMS SDI_KIND_DAMAGED);

impl sdi_kind_code {
    pub(crate) const fn of(detection: Detection) -> Self {
        match detection {
            Detection::NeedMore => SDI_KIND_NEED_MORE,
            Detection::Empty => SDI_KIND_EMPTY,
            Detection::Plain => SDI_KIND_PLAIN,
            Detection::Enveloped(_) => SDI_KIND_ENVELOPED,
            Detection::OtherCms => SDI_KIND_OTHER_CMS,
            // What is not known here is not plain.
            _ => SDI_KIND_DAMAGED,
        }
    }
}

/// Flags for sdi_detect.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_detect_flag {
    /// head is the whole file.
    SDI_DETECT_AT_END = 1,
    /// A DHCP option or an operator said that the file is encrypted.
    SDI_DETECT_EXPECT_ENCRYPTED = 2,
}

/// Tells what a file is by its first bytes, and by its name where the bytes show nothing. It takes no
/// key and no memory, and cannot fail.
///
/// head is the whole file (then set SDI_DETECT_AT_END) or its start; at most the first 4096 bytes are
/// looked at, and with those or at the end the answer is never SDI_KIND_NEED_MORE. file_name may be
/// NULL and any bytes; a name that ends in ".enc" means the same as SDI_DETECT_EXPECT_ENCRYPTED: what
/// is no envelope is then SDI_KIND_DAMAGED, never SDI_KIND_PLAIN. So give the name that the server was
/// asked for, without a query, and not that of a temporary file. SDI_KIND_PLAIN for fewer bytes than
/// these, and not at the end, is not final: an envelope may stand behind text. Other bits of flags are
/// ignored. A head of NULL counts as empty. Both are borrowed for the call. May run at once with
/// anything.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_detect(
    file_name: *const c_char,
    head: *const u8,
    head_len: usize,
    flags: u32,
) -> sdi_kind {
    boundary!(else SDI_KIND_DAMAGED.number(), |c| {
        const MOST: usize = 4096;
        let is_set = |flag: sdi_detect_flag| flags & flag as u32 != 0;
        let hint = Hint {
            at_end: is_set(sdi_detect_flag::SDI_DETECT_AT_END) && head_len <= MOST,
            expect_encrypted: is_set(sdi_detect_flag::SDI_DETECT_EXPECT_ENCRYPTED),
        };
        let head = c.bytes(head, head_len.min(MOST)).unwrap_or_default();
        sdi_kind_code::of(sdi::detect(c.name(file_name), head, hint)).number()
    })
}

/// The name of a kind, for example "SDI_KIND_PLAIN", or "SDI_KIND_?" for an unknown number. It is
/// static text. May run at once with anything.
#[unsafe(no_mangle)]
pub extern "C" fn sdi_kind_name(k: sdi_kind) -> *const c_char {
    boundary!(else c"".as_ptr(), |_| {
        sdi_kind_code::name(k).unwrap_or(c"SDI_KIND_?").as_ptr()
    })
}

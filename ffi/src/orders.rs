//! What auto-install orders, and what is answered.

use crate::boundary::boundary;
use crate::code::{Code, code};
use core::ffi::c_char;

/// An order: a constant of sdi_action_code.
pub type sdi_action = i32;

/// The values of sdi_action.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_action_code {
    /// Nothing before that time; then poll again.
    SDI_ACT_WAIT = 1,
    /// Get the file, from the beginning: DHCP, then the configuration server. Answer with
    /// SDI_EV_FETCHED or SDI_EV_FETCH_FAILED.
    SDI_ACT_FETCH = 2,
    /// Decrypt the file. Answer with SDI_EV_DECRYPTED or SDI_EV_DECRYPT_FAILED.
    SDI_ACT_DECRYPT = 3,
    /// See whether the plaintext is a sane configuration. Answer with SDI_EV_CHECKED or
    /// SDI_EV_CHECK_FAILED.
    SDI_ACT_CHECK = 4,
    /// Install the plaintext. Answer with SDI_EV_INSTALLED or SDI_EV_INSTALL_FAILED.
    SDI_ACT_INSTALL = 5,
    /// A configuration is installed: nothing any more.
    SDI_ACT_DONE = 6,
    /// It was cancelled, or the settings do not allow to go on: nothing any more.
    SDI_ACT_ABORTED = 7,
    /// As SDI_ACT_CHECK, for the file as it was fetched.
    SDI_ACT_CHECK_RAW = 8,
    /// As SDI_ACT_INSTALL, for the file as it was fetched.
    SDI_ACT_INSTALL_RAW = 9,
}

code!(sdi_action_code:
    SDI_ACT_WAIT SDI_ACT_FETCH SDI_ACT_DECRYPT SDI_ACT_CHECK SDI_ACT_INSTALL SDI_ACT_DONE
    SDI_ACT_ABORTED SDI_ACT_CHECK_RAW SDI_ACT_INSTALL_RAW);

/// What happened: a constant of sdi_event_code.
pub type sdi_event = i32;

/// The values of sdi_event.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_event_code {
    /// The whole file is here; arg is the sdi_kind that sdi_detect gave.
    SDI_EV_FETCHED = 1,
    /// No address, no server, no file, or not all of it.
    SDI_EV_FETCH_FAILED = 2,
    /// The plaintext is here and verified.
    SDI_EV_DECRYPTED = 3,
    /// The file did not open; arg is the sdi_result, or any number of yours: it is kept for
    /// sdi_install_outcome, and not judged.
    SDI_EV_DECRYPT_FAILED = 4,
    /// The configuration is sane.
    SDI_EV_CHECKED = 5,
    /// It is not.
    SDI_EV_CHECK_FAILED = 6,
    /// The configuration is installed and in use.
    SDI_EV_INSTALLED = 7,
    /// It could not be installed.
    SDI_EV_INSTALL_FAILED = 8,
    /// Stop: auto-install is not wanted any more. Taken at any time before the end.
    SDI_EV_CANCEL = 9,
}

code!(sdi_event_code:
    SDI_EV_FETCHED SDI_EV_FETCH_FAILED SDI_EV_DECRYPTED SDI_EV_DECRYPT_FAILED SDI_EV_CHECKED
    SDI_EV_CHECK_FAILED SDI_EV_INSTALLED SDI_EV_INSTALL_FAILED SDI_EV_CANCEL);

/// The name of an order, for example "SDI_ACT_FETCH", or "SDI_ACT_?" for an unknown number. It is
/// static text. May run at once with anything.
#[unsafe(no_mangle)]
pub extern "C" fn sdi_action_name(a: sdi_action) -> *const c_char {
    boundary!(else c"".as_ptr(), |_| sdi_action_code::name(a).unwrap_or(c"SDI_ACT_?").as_ptr())
}

/// The name of an event, for example "SDI_EV_FETCHED", or "SDI_EV_?" for an unknown number. It is
/// static text. May run at once with anything.
#[unsafe(no_mangle)]
pub extern "C" fn sdi_event_name(e: sdi_event) -> *const c_char {
    boundary!(else c"".as_ptr(), |_| sdi_event_code::name(e).unwrap_or(c"SDI_EV_?").as_ptr())
}

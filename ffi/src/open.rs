//! Opening, whole and as a stream.

use crate::boundary::boundary;
use crate::bytes::sdi_bytes;
use crate::error::{Failure, sdi_error, sdi_result};
use crate::keyring::sdi_keyring;
use crate::memory;
use crate::pointer::{CSink, Handle};
use core::ffi::c_void;
use sdi::{Opener, Owner, Summary};

/// Decrypts one whole file. The plaintext is given only after tag or padding is verified. With CBC
/// that proves little: check that the configuration is sane before you install it (RFC 8886, figure
/// 3). A key ring without keys is SDI_ERR_STATE, an empty file SDI_ERR_MALFORMED. You own *plain_out:
/// free it with sdi_bytes_free, which wipes it. May run at once with other calls that take ring.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_open(
    ring: *const sdi_keyring,
    file: *const u8,
    file_len: usize,
    plain_out: *mut *mut sdi_bytes,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let plain_out = c.out(plain_out)?;
        let file = c.bytes(file, file_len)?;
        let opened = c.read(ring, |ring| {
            // The plaintext is at most as long as the file.
            let most = ring.keys.policy().limits.file;
            memory::check(if file_len > most { 0 } else { file_len })?;
            Ok(sdi::open(file, &ring.keys)?)
        })?;
        plain_out.give(opened.into_plaintext())
    })
}

/// Takes bytes as they are made, never none; they are borrowed until it returns. 0 is success;
/// anything else stops the call with SDI_ERR_SINK and this vendor code. It runs on the thread of that
/// call, during it.
pub type sdi_sink =
    Option<unsafe extern "C" fn(user: *mut c_void, data: *const u8, len: usize) -> i32>;

/// Decrypts a file that comes in pieces, in constant memory.
///
/// What the sink gets is provisional until sdi_opener_finish returns SDI_OK: stage it, and rename it
/// then, or use sdi_opener_hold. After an error of sdi_opener_update or sdi_opener_finish the opener
/// answers SDI_ERR_STATE to everything but sdi_opener_free. A call that is refused for its arguments
/// or its time has changed nothing.
pub struct sdi_opener {
    _opaque: [u8; 0],
}

impl Handle for sdi_opener {
    type Value = Stream;
}

/// What a [`sdi_opener`] holds.
pub(crate) struct Stream {
    /// `None` after an error, and after the end.
    opener: Option<Opener>,
    sink: CSink,
    holds: bool,
    summary: Option<Summary>,
}

impl Stream {
    fn opener(&mut self) -> Result<&mut Opener, Failure> {
        self.opener.as_mut().ok_or(OVER)
    }
}

const OVER: Failure = Failure::State("the stream has failed or has ended");

/// Makes an opener with the keys and settings that ring has now. sink may be NULL: the file is
/// verified only. user is passed to sink. You own *opener_out: free it with sdi_opener_free. It keeps
/// what it needs of ring. May run at once with other calls that take ring.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_opener_new(
    ring: *const sdi_keyring,
    sink: sdi_sink,
    user: *mut c_void,
    opener_out: *mut *mut sdi_opener,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let opener_out = c.out(opener_out)?;
        memory::check(0)?;
        let opener = c.read(ring, |ring| {
            let mut opener = Opener::new(&ring.keys)?;
            if let Some(max) = ring.max_file {
                opener.set_max_file(max)?;
            }
            Ok(opener)
        })?;
        let sink = c.sink(sink, user);
        opener_out.give(Stream { opener: Some(opener), sink, holds: false, summary: None })
    })
}

/// Sets how long the file may be: SDI_ERR_LIMIT. It only tightens what the key ring says. After the
/// first update it is SDI_ERR_STATE.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_opener_set_max_file(
    opener: *mut sdi_opener,
    bytes: u64,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| c.write(opener, |stream| Ok(stream.opener()?.set_max_file(bytes)?)))
}

/// Refuses a file that is not authenticated encryption (CBC): SDI_ERR_POLICY. It only tightens what
/// the key ring says, so 0 leaves that as it is. After the first update it is SDI_ERR_STATE.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_opener_require_authenticated(
    opener: *mut sdi_opener,
    on: i32,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        c.write(opener, |stream| {
            let opener = stream.opener()?;
            match on {
                // Nothing to tighten; it only has to be early enough.
                0 => opener.set_max_file(u64::MAX)?,
                _ => opener.require_authenticated()?,
            }
            Ok(())
        })
    })
}

/// Keeps the plaintext, up to max bytes (SDI_ERR_LIMIT beyond), and gives it to the sink within a
/// successful sdi_opener_finish only. After the first update it is SDI_ERR_STATE.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_opener_hold(
    opener: *mut sdi_opener,
    max: usize,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        c.write(opener, |stream| {
            stream.opener()?.hold(max)?;
            stream.holds = true;
            Ok(())
        })
    })
}

/// Takes the next piece of the file, of any length. in is borrowed for the call and must not change
/// during it. The sink and the callbacks of keys may run.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_opener_update(
    opener: *mut sdi_opener,
    r#in: *const u8,
    in_len: usize,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let input = c.bytes(r#in, in_len)?;
        c.write(opener, |stream| {
            let mut opener = stream.opener.take().ok_or(OVER)?;
            // What is held may have to move to a place of twice the size.
            memory::check(if stream.holds { in_len } else { 0 })?;
            opener.push(input, &mut stream.sink)?;
            stream.opener = Some(opener);
            Ok(())
        })
    })
}

/// Ends the file. Only when this is SDI_OK was the plaintext what somebody encrypted. The sink and the
/// callbacks of keys may run.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_opener_finish(
    opener: *mut sdi_opener,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        c.write(opener, |stream| {
            let opener = stream.opener.take().ok_or(OVER)?;
            memory::check(0)?;
            stream.summary = Some(opener.finish(&mut stream.sink)?);
            Ok(())
        })
    })
}

/// Whose key opened a file.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum sdi_identity {
    /// The key from the factory.
    SDI_IDENTITY_VENDOR = 1,
    /// The operator's own key.
    SDI_IDENTITY_OPERATOR = 2,
}

/// Says what was used, after a successful sdi_opener_finish: a constant of sdi_identity, and 1 for
/// authenticated encryption or 0 for CBC, which whoever carries the file can change. Before that it is
/// SDI_ERR_STATE. May run at once with other calls that take a const opener.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_opener_used(
    opener: *const sdi_opener,
    identity_out: *mut i32,
    authenticated_out: *mut i32,
) -> sdi_result {
    boundary!(|c| {
        let identity_out = c.place(identity_out)?;
        let authenticated_out = c.place(authenticated_out)?;
        let (owner, is_authenticated) = c.read(opener, |stream| {
            let summary =
                stream.summary.as_ref().ok_or(Failure::State("nothing was opened yet"))?;
            Ok((summary.owner(), summary.is_authenticated()))
        })?;
        identity_out.set(match owner {
            Owner::Operator => sdi_identity::SDI_IDENTITY_OPERATOR,
            _ => sdi_identity::SDI_IDENTITY_VENDOR,
        } as i32);
        authenticated_out.set(is_authenticated.into());
        Ok(())
    })
}

/// Frees the opener, finished or not. NULL is fine. It may drop the last reference to a key and run
/// its destroy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_opener_free(opener: *mut sdi_opener) {
    boundary!(else (), |c| c.free(opener));
}

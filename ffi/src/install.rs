//! Auto-install: facts in, orders out.

use crate::boundary::boundary;
use crate::code::Code;
use crate::detect::{sdi_kind, sdi_kind_code};
use crate::error::{Failure, sdi_error, sdi_result};
use crate::orders::{sdi_action, sdi_action_code::*, sdi_event, sdi_event_code, sdi_event_code::*};
use crate::pointer::Handle;
use core::num::NonZeroU32;
use core::time::Duration;
use sdi::{Action, Autoinstall, Damage, Detection, Encoding, Event, OnFailure, Outcome};
use sdi::{PlainFile, Policy};

/// The machine that runs auto-install (RFC 8886, 4.3): it says what to do next and when, you do it
/// and say how it went. It has no clock, no network, no file and no key.
///
/// Times are milliseconds from any fixed moment, by a clock that does not jump; one that goes back
/// counts as no time passed. Defaults: attempts start at 0, 5, .., 60 minutes and then hourly, from
/// start to start, without end; a plain file is installed as it is; there is no jitter until a seed is
/// set, so set one. Setters after the first poll, a poke or a restore are SDI_ERR_STATE. A call with a
/// wrong event or argument is SDI_ERR_STATE or SDI_ERR_ARGUMENT and changes nothing.
pub struct sdi_install {
    _opaque: [u8; 0],
}

impl Handle for sdi_install {
    type Value = Install;
}

/// What a [`sdi_install`] holds.
pub(crate) struct Install {
    policy: Policy,
    machine: Autoinstall,
    start: Duration,
    is_begun: bool,
}

impl Install {
    /// Changes the policy, and begins again with it.
    fn set(&mut self, change: impl FnOnce(Policy) -> sdi::Result<Policy>) -> Result<(), Failure> {
        if self.is_begun {
            return Err(Failure::State("settings come before the first poll and before restore"));
        }
        self.policy = change(self.policy.clone())?;
        self.machine = Autoinstall::new(self.policy.clone(), self.start);
        Ok(())
    }
}

/// Bytes that sdi_install_save writes.
pub const SDI_INSTALL_STATE_LEN: usize = 64;

/// Makes a machine for a device without a configuration: its first boot, a later one, or the one
/// after a factory reset. You own *install_out: free it with sdi_install_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_new(
    now_ms: u64,
    install_out: *mut *mut sdi_install,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let install_out = c.out(install_out)?;
        let (policy, start) = (Policy::unseeded(), Duration::from_millis(now_ms));
        let machine = Autoinstall::new(policy.clone(), start);
        install_out.give(Install { policy, machine, start, is_begun: false })
    })
}

/// Takes encrypted files only: a plain one ends in SDI_ACT_ABORTED. 0 is off, the default.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_set_encrypted_only(
    install: *mut sdi_install,
    on: i32,
) -> sdi_result {
    boundary!(|c| {
        let plain = if on == 0 { PlainFile::Accept } else { PlainFile::Refuse };
        c.write(install, |install| install.set(|policy| Ok(policy.plain(plain))))
    })
}

/// The older order of RFC 8886, 2.1: a file that does not look encrypted is checked as it is, and
/// decrypted only if that check fails. 0 is off, the default. sdi_install_set_encrypted_only wins.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_set_parse_first(
    install: *mut sdi_install,
    on: i32,
) -> sdi_result {
    boundary!(|c| c.write(install, |install| install.set(|policy| Ok(policy.parse_first(on != 0)))))
}

/// Ends in SDI_ACT_ABORTED at the first attempt that fails. 0 is off, the default.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_set_abort_on_failure(
    install: *mut sdi_install,
    on: i32,
) -> sdi_result {
    boundary!(|c| {
        let then = if on == 0 { OnFailure::Retry } else { OnFailure::Abort };
        c.write(install, |install| install.set(|policy| Ok(policy.on_failure(then))))
    })
}

/// Sets the time from one attempt's start to the next one's: fast_ms while the earlier one starts
/// less than fast_for_ms after the first, then slow_ms. An interval of 0 is SDI_ERR_ARGUMENT.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_set_retry(
    install: *mut sdi_install,
    fast_ms: u64,
    fast_for_ms: u64,
    slow_ms: u64,
) -> sdi_result {
    boundary!(|c| {
        let ms = Duration::from_millis;
        c.write(install, |install| {
            install.set(|policy| policy.retry(ms(fast_ms), ms(fast_for_ms), ms(slow_ms)))
        })
    })
}

/// Ends in SDI_ACT_ABORTED when this many attempts have failed. 0 is no limit, the default.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_set_max_attempts(
    install: *mut sdi_install,
    max: u32,
) -> sdi_result {
    boundary!(|c| {
        let max = NonZeroU32::new(max);
        c.write(install, |install| install.set(|policy| Ok(policy.max_attempts(max))))
    })
}

/// Makes every wait longer or shorter by up to permille thousandths, at most 500, so that devices
/// that are switched on together do not come back together; 100 is a good value. seed is what makes
/// this device different from others: its serial number, or random bytes that it keeps. It is
/// borrowed for the call.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_set_jitter(
    install: *mut sdi_install,
    permille: u32,
    seed: *const u8,
    seed_len: usize,
) -> sdi_result {
    boundary!(|c| {
        let seed = c.bytes(seed, seed_len)?;
        c.write(install, |install| install.set(|policy| policy.jitter(permille, seed)))
    })
}

/// Delays the first attempt by a time from 0 to max_ms that follows from the seed of
/// sdi_install_set_jitter; without a seed there is no delay. For sites where a power cut ends for all
/// devices at once.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_set_start_spread(
    install: *mut sdi_install,
    max_ms: u64,
) -> sdi_result {
    boundary!(|c| {
        let max = Duration::from_millis(max_ms);
        c.write(install, |install| install.set(|policy| Ok(policy.start_spread(max))))
    })
}

/// Says what to do next. It gives the same order until sdi_install_handle answers it, and SDI_ACT_WAIT
/// until its time has come. until_ms_out may be NULL; it is written for SDI_ACT_WAIT only.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_poll(
    install: *mut sdi_install,
    now_ms: u64,
    act_out: *mut sdi_action,
    until_ms_out: *mut u64,
) -> sdi_result {
    boundary!(|c| {
        let act_out = c.place(act_out)?;
        let action = c.write(install, |install| {
            install.is_begun = true;
            Ok(install.machine.poll(Duration::from_millis(now_ms)))
        })?;
        act_out.set(match action {
            Action::WaitUntil(time) => {
                if let Ok(until_ms_out) = c.place(until_ms_out) {
                    until_ms_out.set(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
                }
                SDI_ACT_WAIT.number()
            }
            Action::Fetch { .. } => SDI_ACT_FETCH.number(),
            Action::Decrypt => SDI_ACT_DECRYPT.number(),
            Action::Check => SDI_ACT_CHECK.number(),
            Action::Install => SDI_ACT_INSTALL.number(),
            Action::CheckRaw => SDI_ACT_CHECK_RAW.number(),
            Action::InstallRaw => SDI_ACT_INSTALL_RAW.number(),
            Action::Finished(Outcome::Installed) => SDI_ACT_DONE.number(),
            Action::Finished(Outcome::Aborted) => SDI_ACT_ABORTED.number(),
        });
        Ok(())
    })
}

/// Takes the answer to the order that sdi_install_poll gave. arg belongs to SDI_EV_FETCHED and
/// SDI_EV_DECRYPT_FAILED, and is ignored otherwise.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_handle(
    install: *mut sdi_install,
    now_ms: u64,
    ev: sdi_event,
    arg: i32,
) -> sdi_result {
    boundary!(|c| {
        let event = match sdi_event_code::known(ev).ok_or(Failure::Argument("an unknown event"))? {
            SDI_EV_FETCHED => Event::Fetched(detection(arg)?),
            SDI_EV_FETCH_FAILED => Event::FetchFailed,
            SDI_EV_DECRYPTED => Event::Decrypted,
            SDI_EV_DECRYPT_FAILED => Event::DecryptFailed(arg),
            SDI_EV_CHECKED => Event::Checked,
            SDI_EV_CHECK_FAILED => Event::CheckFailed,
            SDI_EV_INSTALLED => Event::Installed,
            SDI_EV_INSTALL_FAILED => Event::InstallFailed,
            SDI_EV_CANCEL => Event::Cancel,
        };
        c.write(install, |install| {
            install.machine.handle(Duration::from_millis(now_ms), event)?;
            install.is_begun = true;
            Ok(())
        })
    })
}

/// Asks for one extra attempt now: a technician does not want to wait, or the device has just booted.
/// The schedule stays as it is. During an attempt and after the end, also one that was restored, it
/// is SDI_ERR_STATE.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_poke(install: *mut sdi_install, now_ms: u64) -> sdi_result {
    boundary!(|c| {
        c.write(install, |install| {
            install.machine.poke(Duration::from_millis(now_ms))?;
            install.is_begun = true;
            Ok(())
        })
    })
}

/// Writes SDI_INSTALL_STATE_LEN bytes to state_out, to be kept over a reboot: the schedule and the
/// last event, never the settings. An attempt in progress is saved as failed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_save(
    install: *const sdi_install,
    now_ms: u64,
    state_out: *mut u8,
) -> sdi_result {
    boundary!(|c| {
        let state_out = c.array::<SDI_INSTALL_STATE_LEN>(state_out)?;
        state_out.set(
            c.read(install, |install| Ok(install.machine.save(Duration::from_millis(now_ms))))?,
        );
        Ok(())
    })
}

/// Goes on exactly where sdi_install_save was called, as if no time had passed; sdi_install_poke asks
/// for an attempt after the reboot. Call every setter before it, and it before the first poll. Waits
/// longer than the settings allow are cut. Bytes that are no saved state are SDI_ERR_ARGUMENT: start
/// anew. The check value in them finds accidents, not attackers. state is borrowed for the call.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_restore(
    install: *mut sdi_install,
    now_ms: u64,
    state: *const u8,
    state_len: usize,
) -> sdi_result {
    boundary!(|c| {
        let state = c.bytes(state, state_len)?;
        c.write(install, |install| {
            if install.is_begun {
                return Err(Failure::State("restore comes once, before the first poll"));
            }
            let (policy, now) = (install.policy.clone(), Duration::from_millis(now_ms));
            install.machine = Autoinstall::restore(policy, now, state)
                .map_err(|_| Failure::Argument("bytes that are no saved state"))?;
            install.is_begun = true;
            Ok(())
        })
    })
}

/// Says which event led to SDI_ACT_DONE or SDI_ACT_ABORTED or, before that, to the last failure, with
/// its arg. Before there was any it is SDI_ERR_STATE.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_outcome(
    install: *const sdi_install,
    event_out: *mut sdi_event,
    arg_out: *mut i32,
) -> sdi_result {
    boundary!(|c| {
        let event_out = c.place(event_out)?;
        let arg_out = c.place(arg_out)?;
        let outcome = c.read(install, |install| Ok(install.machine.outcome()))?;
        let (event, arg) = match outcome.ok_or(Failure::State("no attempt has ended yet"))? {
            Event::Fetched(detection) => (SDI_EV_FETCHED, sdi_kind_code::of(detection).number()),
            Event::FetchFailed => (SDI_EV_FETCH_FAILED, 0),
            Event::Decrypted => (SDI_EV_DECRYPTED, 0),
            Event::DecryptFailed(code) => (SDI_EV_DECRYPT_FAILED, code),
            Event::Checked => (SDI_EV_CHECKED, 0),
            Event::CheckFailed => (SDI_EV_CHECK_FAILED, 0),
            Event::Installed => (SDI_EV_INSTALLED, 0),
            Event::InstallFailed => (SDI_EV_INSTALL_FAILED, 0),
            _ => (SDI_EV_CANCEL, 0),
        };
        event_out.set(event.number());
        arg_out.set(arg);
        Ok(())
    })
}

/// How many attempts have started; 0 for NULL. It stops at UINT32_MAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_attempts(install: *const sdi_install) -> u32 {
    boundary!(else 0, |c| {
        c.read(install, |install| Ok(install.machine.attempts())).unwrap_or(0)
    })
}

/// Frees the machine. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_install_free(install: *mut sdi_install) {
    boundary!(else (), |c| c.free(install));
}

/// The machine asks no more of a file than its kind.
fn detection(kind: sdi_kind) -> Result<Detection, Failure> {
    use sdi_kind_code::*;
    Ok(match sdi_kind_code::known(kind).ok_or(Failure::Argument("an unknown kind of file"))? {
        SDI_KIND_NEED_MORE => Detection::NeedMore,
        SDI_KIND_EMPTY => Detection::Empty,
        SDI_KIND_PLAIN => Detection::Plain,
        SDI_KIND_ENVELOPED => Detection::Enveloped(Encoding::Der),
        SDI_KIND_OTHER_CMS => Detection::OtherCms,
        SDI_KIND_DAMAGED => Detection::Damaged(Damage::NotAnEnvelope),
    })
}

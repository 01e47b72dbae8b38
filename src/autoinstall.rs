//! The machine that runs auto-install (RFC 8886, 4.3 and figure 3): facts in, orders out.
//!
//! It says what to do next and when; the host does it and says how it went. The machine has no
//! clock, no network, no file and no key: `now` is the time since any fixed moment, given by the
//! host, and file contents never pass through here. It allocates nothing.
//!
//! ```text
//!                          plain
//! WaitUntil --> Fetch ---------------------------------> InstallRaw --+
//!     ^          |  \                                        ^        |
//!     |          |   \  plain, parse_first     Checked       |        |
//!     |          |    +-------------------> CheckRaw ---------+        |
//!     |          |                             |                       v
//!     |          | encrypted                   | CheckFailed  Finished(Installed)
//!     |          v                             |                       ^
//!     |       Decrypt <------------------------+                       |
//!     |          |                                                     |
//!     |          +-----------> Check ------------------> Install ------+
//!     |
//!     +---- any failure, unless the policy says: Finished(Aborted)
//! ```
//!
//! `docs/autoinstall.md` holds the table of all transitions.

mod policy;
mod schedule;
mod state;

pub use policy::{OnFailure, PlainFile, Policy};
pub use state::BadState;

use crate::{Detection, Misuse};
use core::time::Duration;
use schedule::Schedule;

/// What the host has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a host must carry out every order there is")]
pub enum Action {
    /// Nothing before this time; then poll again.
    WaitUntil(Duration),
    /// Get the file, from the beginning: DHCP, then the configuration server. Answer
    /// [`Event::Fetched`] or [`Event::FetchFailed`].
    Fetch {
        /// The number of this attempt, from 1.
        attempt: u32,
    },
    /// Decrypt the file. Answer [`Event::Decrypted`] or [`Event::DecryptFailed`].
    Decrypt,
    /// See whether the plaintext is a sane configuration, for example with a
    /// [`ConfigCheck`](crate::ConfigCheck). Answer [`Event::Checked`] or [`Event::CheckFailed`].
    Check,
    /// Install the plaintext. Answer [`Event::Installed`] or [`Event::InstallFailed`].
    Install,
    /// As [`Action::Check`], for the file as it was fetched.
    CheckRaw,
    /// As [`Action::Install`], for the file as it was fetched.
    InstallRaw,
    /// Nothing any more.
    Finished(Outcome),
}

/// What the host has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The whole file is here, and this is what [`detect`](crate::detect()) says about it.
    Fetched(Detection),
    /// No address, no server, no file, or not all of it.
    FetchFailed,
    /// The plaintext is here and verified.
    Decrypted,
    /// The file did not open, for whatever reason: the number is
    /// [`Error::code`](crate::Error::code).
    DecryptFailed(i32),
    /// The configuration is sane.
    Checked,
    /// It is not.
    CheckFailed,
    /// The configuration is installed and in use.
    Installed,
    /// It could not be installed.
    InstallFailed,
    /// Stop: auto-install is not wanted any more.
    Cancel,
}

/// How auto-install ended; [`Autoinstall::outcome`] says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it went well or it did not")]
pub enum Outcome {
    /// A configuration is installed.
    Installed,
    /// It was cancelled, or the policy does not allow to go on.
    Aborted,
}

/// The auto-install machine of one device.
///
/// ```
/// use sdi::{Action, Autoinstall, ConfigCheck, Event, Hint, NoNul, NotEmpty, Policy, Secret, Utf8};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = sdi::KeyRing::new();
/// # let fetch = || Some(b"hostname r1\n".to_vec());
/// # let install = |config: &[u8]| config == b"hostname r1\n";
/// let check = |config: &[u8]| {
///     let sane: [&dyn ConfigCheck; 3] = [&NotEmpty, &NoNul, &Utf8];
///     if sane.check(config).is_ok() { Event::Checked } else { Event::CheckFailed }
/// };
/// let install =
///     |config: &[u8]| if install(config) { Event::Installed } else { Event::InstallFailed };
///
/// let policy = Policy::for_device(&sdi::DeviceId::new("SN19842256")?);
/// let clock = std::time::Instant::now();
/// let mut machine = Autoinstall::new(policy, clock.elapsed());
/// let (mut file, mut plaintext) = (Vec::new(), Secret::new());
/// let outcome = loop {
///     let event = match machine.poll(clock.elapsed()) {
///         Action::WaitUntil(time) => {
///             std::thread::sleep(time.saturating_sub(clock.elapsed()));
///             continue;
///         }
///         Action::Fetch { .. } => match fetch() {
///             Some(fetched) => {
///                 file = fetched;
///                 let hint = Hint { at_end: true, expect_encrypted: false };
///                 Event::Fetched(sdi::detect(Some(b"SN19842256.cfg"), &file, hint))
///             }
///             None => Event::FetchFailed,
///         },
///         Action::Decrypt => match sdi::open(&file, &keys) {
///             Ok(opened) => {
///                 plaintext = opened.into_plaintext();
///                 Event::Decrypted
///             }
///             Err(error) => Event::DecryptFailed(error.code()),
///         },
///         Action::Check => check(plaintext.as_bytes()),
///         Action::Install => install(plaintext.as_bytes()),
///         Action::CheckRaw => check(&file),
///         Action::InstallRaw => install(&file),
///         Action::Finished(outcome) => break outcome,
///     };
///     machine.handle(clock.elapsed(), event)?;
/// };
/// assert_eq!(outcome, sdi::Outcome::Installed);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Autoinstall {
    policy: Policy,
    schedule: Schedule,
    phase: Phase,
    attempts: u32,
    reason: Option<Event>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting {
        /// An extra attempt was asked for.
        poked: bool,
    },
    Fetching,
    CheckingRaw,
    InstallingRaw,
    Decrypting,
    Checking,
    Installing,
    Finished(Outcome),
}

impl Autoinstall {
    /// A device that has no configuration: its first boot, a later one, or the one after a factory
    /// reset. The first attempt is due now, or within the policy's spread.
    #[must_use]
    pub fn new(policy: Policy, now: Duration) -> Self {
        let schedule = Schedule::new(&policy, now);
        Self { policy, schedule, phase: Phase::Waiting { poked: false }, attempts: 0, reason: None }
    }

    /// What to do next. Polling again changes nothing: an order stands until [`Autoinstall::handle`]
    /// answers it, and a wait until its time has come.
    pub fn poll(&mut self, now: Duration) -> Action {
        self.schedule.advance(now);
        if let Phase::Waiting { poked } = self.phase {
            let due = self.schedule.is_due();
            if due {
                self.schedule.start(&self.policy);
            }
            if due || poked {
                self.attempts = self.attempts.saturating_add(1);
                self.phase = Phase::Fetching;
            }
        }
        match self.phase {
            Phase::Waiting { .. } => Action::WaitUntil(self.schedule.next_start()),
            Phase::Fetching => Action::Fetch { attempt: self.attempts },
            Phase::CheckingRaw => Action::CheckRaw,
            Phase::InstallingRaw => Action::InstallRaw,
            Phase::Decrypting => Action::Decrypt,
            Phase::Checking => Action::Check,
            Phase::Installing => Action::Install,
            Phase::Finished(outcome) => Action::Finished(outcome),
        }
    }

    /// Takes the answer to the order that `poll` gave, or [`Event::Cancel`] at any time.
    ///
    /// # Errors
    /// [`Misuse`] if the event does not answer that order; nothing has changed.
    pub fn handle(&mut self, now: Duration, event: Event) -> Result<(), Misuse> {
        let next = self.next(event)?;
        self.schedule.advance(now);
        self.enter(next, event);
        Ok(())
    }

    /// Asks for one extra attempt now, for a technician who does not want to wait or after a reboot.
    /// The schedule stays as it is. An attempt that is due anyway is that attempt.
    ///
    /// # Errors
    /// [`Misuse`] during an attempt and after the end; nothing has changed.
    pub fn poke(&mut self, now: Duration) -> Result<(), Misuse> {
        match self.phase {
            Phase::Waiting { .. } => {
                self.schedule.advance(now);
                self.phase = Phase::Waiting { poked: true };
                Ok(())
            }
            Phase::Finished(_) => Err(ENDED),
            _ => Err(Misuse("an attempt is in progress")),
        }
    }

    /// The event that led to the end or, before it, to the last failure: after
    /// [`Outcome::Aborted`], `Fetched(Plain)` is a file that the policy refuses. An attempt that was
    /// in progress when the state was saved counts as cancelled.
    #[must_use]
    pub const fn outcome(&self) -> Option<Event> {
        self.reason
    }

    /// How many attempts have started; it stops at [`u32::MAX`].
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The phase that an event leads to.
    fn next(&self, event: Event) -> Result<Phase, Misuse> {
        Ok(match (self.phase, event) {
            (Phase::Finished(_), _) => return Err(ENDED),
            (_, Event::Cancel) => Phase::Finished(Outcome::Aborted),
            (Phase::Fetching, Event::Fetched(detection)) => self.after_fetch(detection),
            (Phase::CheckingRaw, Event::Checked) => Phase::InstallingRaw,
            (Phase::CheckingRaw, Event::CheckFailed) => Phase::Decrypting,
            (Phase::Decrypting, Event::Decrypted) => Phase::Checking,
            (Phase::Checking, Event::Checked) => Phase::Installing,
            (Phase::Installing | Phase::InstallingRaw, Event::Installed) => {
                Phase::Finished(Outcome::Installed)
            }
            (Phase::Fetching, Event::FetchFailed)
            | (Phase::Decrypting, Event::DecryptFailed(_))
            | (Phase::Checking, Event::CheckFailed)
            | (Phase::Installing | Phase::InstallingRaw, Event::InstallFailed) => {
                self.after_failure()
            }
            _ => return Err(Misuse("the event does not answer the order that poll gave")),
        })
    }

    fn after_fetch(&self, detection: Detection) -> Phase {
        match (detection, self.policy.plain) {
            (Detection::Enveloped(_), _) => Phase::Decrypting,
            (Detection::Plain, PlainFile::Refuse) => Phase::Finished(Outcome::Aborted),
            (Detection::Plain, PlainFile::Accept) if self.policy.parse_first => Phase::CheckingRaw,
            (Detection::Plain, PlainFile::Accept) => Phase::InstallingRaw,
            // Damaged and other CMS look encrypted: they are never installed as plain files.
            (
                Detection::Damaged(_)
                | Detection::OtherCms
                | Detection::Empty
                | Detection::NeedMore,
                _,
            ) => self.after_failure(),
        }
    }

    fn after_failure(&self) -> Phase {
        if self.policy.ends_after(self.attempts) {
            Phase::Finished(Outcome::Aborted)
        } else {
            Phase::Waiting { poked: false }
        }
    }

    /// The only place where an event changes the machine.
    fn enter(&mut self, next: Phase, event: Event) {
        match next {
            Phase::Waiting { .. } => {
                self.schedule.pause_if_overrun(&self.policy);
                self.reason = Some(event);
            }
            Phase::Finished(_) => self.reason = Some(event),
            _ => {}
        }
        self.phase = next;
    }
}

const ENDED: Misuse = Misuse("auto-install has ended");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_small() {
        assert!(size_of::<Autoinstall>() <= 192, "{} bytes", size_of::<Autoinstall>());
    }
}

//! The machine on 64 bytes of flash.
//!
//! | bytes | content; numbers are big endian |
//! |---|---|
//! | 0..4 | `SDIa` |
//! | 4 | version, 1 |
//! | 5 | phase: 0 waiting, 1 waiting and poked, 2 installed, 3 aborted |
//! | 6..12 | last event: number, detail, code |
//! | 12..16 | attempts |
//! | 16..20 | waits drawn |
//! | 20..28 | milliseconds since the first scheduled start; all ones before it |
//! | 28..36 | milliseconds to the next one |
//! | 36..56 | 0 |
//! | 56..64 | check value: the first bytes of the SHA-256 of all before |
//!
//! The policy is not in there: it belongs to the firmware, and the next one may bring another.

use super::{Autoinstall, Event, Outcome, Phase, Policy, Schedule};
use crate::{Damage, Detection};
use core::fmt::{self, Display, Formatter};
use core::time::Duration;
use sha2::{Digest, Sha256};

/// Why a saved state is not taken back. The host starts anew with [`Autoinstall::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadState {
    /// It is not 64 bytes long.
    Length,
    /// Another version of this library has written it.
    Version(u8),
    /// The bytes are not those that were saved.
    Damaged,
}

impl Display for BadState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("the saved state is not 64 bytes long"),
            Self::Version(version) => {
                write!(f, "the saved state has version {version}, which is not known here")
            }
            Self::Damaged => f.write_str("the saved state is damaged"),
        }
    }
}

impl core::error::Error for BadState {}

impl Autoinstall {
    /// The schedule, the number of attempts and the last event, to be kept over a reboot. An attempt
    /// in progress is saved as one that failed: its file is lost with the memory that held it.
    #[must_use]
    pub fn save(&self, now: Duration) -> [u8; LEN] {
        let mut saved = self.clone();
        saved.schedule.advance(now);
        if !matches!(saved.phase, Phase::Waiting { .. } | Phase::Finished(_)) {
            saved.enter(saved.after_failure(), Event::Cancel);
        }
        let phase = match saved.phase {
            Phase::Waiting { poked: true } => POKED,
            Phase::Finished(Outcome::Installed) => INSTALLED,
            Phase::Finished(Outcome::Aborted) => ABORTED,
            _ => WAITING,
        };
        let (number, detail, code) = event_to_numbers(saved.reason);
        let fields: [&[u8]; 9] = [
            &MAGIC,
            &[VERSION, phase],
            &[number, detail],
            &code.to_be_bytes(),
            &saved.attempts.to_be_bytes(),
            &saved.schedule.drawn.to_be_bytes(),
            &saved.schedule.since_first.map_or(NONE, |since| since.min(NONE - 1)).to_be_bytes(),
            &saved.schedule.to_next.to_be_bytes(),
            &[0; UNUSED],
        ];
        let mut state = [0; LEN];
        let (body, check) = state.split_at_mut(BODY);
        for (to, from) in body.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        check.copy_from_slice(&check_value(body));
        state
    }

    /// Goes on where [`Autoinstall::save`] was called, as if no time had passed: the fast hour does
    /// not begin again. A wait that is longer than any of this policy is cut to the longest.
    ///
    /// # Errors
    /// [`BadState`] if these are not 64 bytes that this version has saved. The check value finds
    /// accidents. Somebody who may write to the device's storage can make a valid state, and gains no
    /// more by it than another time for the next attempt.
    pub fn restore(policy: Policy, now: Duration, state: &[u8]) -> Result<Self, BadState> {
        let state: &[u8; LEN] = state.try_into().map_err(|_| BadState::Length)?;
        let (body, check) = state.split_at(BODY);
        if check != check_value(body) {
            return Err(BadState::Damaged);
        }
        parse(policy, now, body)
    }
}

fn parse(policy: Policy, now: Duration, mut body: &[u8]) -> Result<Autoinstall, BadState> {
    let body = &mut body;
    if take(body)? != MAGIC {
        return Err(BadState::Damaged);
    }
    let [version, phase] = take(body)?;
    if version != VERSION {
        return Err(BadState::Version(version));
    }
    let [number, detail] = take(body)?;
    let reason = event_from_numbers(number, detail, i32::from_be_bytes(take(body)?))?;
    let attempts = u32::from_be_bytes(take(body)?);
    let drawn = u32::from_be_bytes(take(body)?);
    let since_first = Some(u64::from_be_bytes(take(body)?)).filter(|since| *since != NONE);
    let to_next = u64::from_be_bytes(take(body)?);
    if take(body)? != [0; UNUSED] {
        return Err(BadState::Damaged);
    }
    let phase = match (phase, reason) {
        (INSTALLED, Some(Event::Installed)) => Phase::Finished(Outcome::Installed),
        (_, Some(Event::Installed)) => return Err(BadState::Damaged),
        (WAITING, _) => Phase::Waiting { poked: false },
        (POKED, _) => Phase::Waiting { poked: true },
        (ABORTED, Some(_)) => Phase::Finished(Outcome::Aborted),
        _ => return Err(BadState::Damaged),
    };
    let schedule = Schedule::restored(&policy, now, since_first, to_next, drawn);
    Ok(Autoinstall { policy, schedule, phase, attempts, reason })
}

/// The next field of the body.
fn take<const N: usize>(body: &mut &[u8]) -> Result<[u8; N], BadState> {
    let (field, rest) = body.split_first_chunk().ok_or(BadState::Damaged)?;
    *body = rest;
    Ok(*field)
}

fn check_value(body: &[u8]) -> [u8; LEN - BODY] {
    let digest: [u8; 32] = Sha256::digest(body).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    [a, b, c, d, e, f, g, h]
}

/// Number, detail and code of the events that an attempt can end with.
const fn event_to_numbers(event: Option<Event>) -> (u8, u8, i32) {
    match event {
        Some(Event::Fetched(detection)) => (1, detection_to_number(detection), 0),
        Some(Event::FetchFailed) => (2, 0, 0),
        Some(Event::DecryptFailed(code)) => (4, 0, code),
        Some(Event::CheckFailed) => (6, 0, 0),
        Some(Event::Installed) => (7, 0, 0),
        Some(Event::InstallFailed) => (8, 0, 0),
        Some(Event::Cancel) => (9, 0, 0),
        // No attempt ends with the other two.
        None | Some(Event::Decrypted | Event::Checked) => (0, 0, 0),
    }
}

fn event_from_numbers(number: u8, detail: u8, code: i32) -> Result<Option<Event>, BadState> {
    Ok(Some(match (number, detail, code) {
        (0, 0, 0) => return Ok(None),
        (1, detail, 0) => Event::Fetched(detection_from_number(detail)?),
        (2, 0, 0) => Event::FetchFailed,
        (4, 0, code) => Event::DecryptFailed(code),
        (6, 0, 0) => Event::CheckFailed,
        (7, 0, 0) => Event::Installed,
        (8, 0, 0) => Event::InstallFailed,
        (9, 0, 0) => Event::Cancel,
        _ => return Err(BadState::Damaged),
    }))
}

const fn detection_to_number(detection: Detection) -> u8 {
    match detection {
        // No attempt ends with finding an envelope.
        Detection::NeedMore | Detection::Enveloped(_) => 0,
        Detection::Empty => 1,
        Detection::Plain => 2,
        Detection::OtherCms => 4,
        Detection::Damaged(Damage::Truncated) => 5,
        Detection::Damaged(Damage::TextMode) => 6,
        Detection::Damaged(Damage::NotAnEnvelope) => 7,
        Detection::Damaged(Damage::Armor) => 8,
    }
}

const fn detection_from_number(number: u8) -> Result<Detection, BadState> {
    Ok(match number {
        0 => Detection::NeedMore,
        1 => Detection::Empty,
        2 => Detection::Plain,
        4 => Detection::OtherCms,
        5 => Detection::Damaged(Damage::Truncated),
        6 => Detection::Damaged(Damage::TextMode),
        7 => Detection::Damaged(Damage::NotAnEnvelope),
        8 => Detection::Damaged(Damage::Armor),
        _ => return Err(BadState::Damaged),
    })
}

/// Bytes of a saved state.
const LEN: usize = 64;
/// What the check value covers.
const BODY: usize = LEN - 8;
const UNUSED: usize = 20;
const MAGIC: [u8; 4] = *b"SDIa";
const VERSION: u8 = 1;
/// In the place of the time since the first start, before it.
const NONE: u64 = u64::MAX;
const WAITING: u8 = 0;
const POKED: u8 = 1;
const INSTALLED: u8 = 2;
const ABORTED: u8 = 3;

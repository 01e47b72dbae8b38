//! The targets. Each begins with the choices that it takes from the front of its input.

pub mod armor;
pub mod autoinstall;
pub mod ber;
pub mod c_api;
pub mod certificate;
pub mod csr;
pub mod detect;
pub mod detect_vs_open;
pub mod open;
pub mod open_stream;
pub mod open_struct;
pub mod seal_then_open;

use crate::choices::Choices;
use crate::corpus::devices;
use sdi::{KeyRing, Limits, OpenPolicy, OperatorMode};

/// A target's name and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const ALL: [Target; 12] = [
    ("armor", armor::run),
    ("autoinstall", autoinstall::run),
    ("ber", ber::run),
    ("c_api", c_api::run),
    ("certificate", certificate::run),
    ("csr", csr::run),
    ("detect", detect::run),
    ("detect_vs_open", detect_vs_open::run),
    ("open", open::run),
    ("open_stream", open_stream::run),
    ("open_struct", open_struct::run),
    ("seal_then_open", seal_then_open::run),
];

/// A key ring in two bytes: which device, and the rules. `None` for a device that there is not.
pub(crate) fn ring(choices: &mut Choices<'_>) -> Option<KeyRing> {
    let (who, how) = (choices.byte(), choices.byte());
    let device = devices().get(usize::from(who))?;
    let mut ring = KeyRing::new();
    let vendor = if how & 1 != 0 { device.bare() } else { device.identity() };
    ring.set_vendor(vendor).expect("nothing replaced it");
    if how & 2 != 0 {
        // An operator's key beside it: the next device's.
        let operator = devices().get(usize::from(who) + 1)?.identity();
        let mode = if how & 4 != 0 { OperatorMode::Prefer } else { OperatorMode::Replace };
        ring.set_operator(Some(operator), mode).expect("it is the first");
    }
    let mut policy = OpenPolicy { require_authenticated: how & 8 != 0, ..OpenPolicy::default() };
    if how & 16 != 0 {
        policy.max_key_ops = 1;
    }
    if how & 32 != 0 {
        policy.limits = narrow();
    }
    ring.set_policy(policy);
    Some(ring)
}

/// Limits that a small file can reach.
pub(crate) fn narrow() -> Limits {
    Limits {
        file: 4096,
        header: 160,
        recipient: 400,
        recipients: 3,
        depth: 8,
        name: 100,
        line: 100,
        attributes: 64,
    }
}

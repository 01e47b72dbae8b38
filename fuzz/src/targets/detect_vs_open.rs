//! `detect`, `open` and `Envelope::parse` never disagree about what a file is.

use crate::corpus::{device_of, devices};
use crate::promises::{AT_END, agrees_with_detect, at_once};
use sdi::{Detection, Envelope, Error, KeyRing, Limits};
use std::sync::OnceLock;

/// Input: the file.
pub fn run(file: &[u8]) {
    static RING: OnceLock<KeyRing> = OnceLock::new();
    let ring = RING.get_or_init(|| devices()[device_of("openssl/cms-p256-aes-256-cbc")].ring());
    let verdict = at_once(file, ring);
    agrees_with_detect(file, &verdict);
    let envelope = Envelope::parse(file, &Limits::default());
    match (sdi::detect(None, file, AT_END), &envelope) {
        (Detection::Enveloped(encoding), Ok(envelope)) => {
            assert_eq!(encoding, envelope.encoding());
            assert!(envelope.trailing_len() < file.len() as u64);
            assert!(!envelope.has_crlf() || file.contains(&b'\r'));
        }
        (Detection::Enveloped(_), Err(error)) => assert_ne!(*error, Error::NotEncrypted),
        (Detection::Plain, envelope) => assert_eq!(*envelope, Err(Error::NotEncrypted)),
        (_, envelope) => assert!(envelope.as_ref().is_err_and(|e| *e != Error::NotEncrypted)),
    }
    if verdict.is_ok() {
        assert!(envelope.is_ok(), "it opens: {envelope:?}");
    }
}

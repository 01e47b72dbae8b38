//! What can be set before a stream begins, and what it shows of itself.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod support;

use sdi::{
    DeviceKey, Error, KeyError, KeyFault, Limit, Misuse, Opener, PeerPoint, PublicKey, Secret,
    SignatureScheme,
};
use std::sync::Arc;
use support::corpus::{Case, case};
use support::keys::Device;

fn cbc() -> Case {
    case("openssl/cms-p256-aes-256-cbc")
}

fn gcm() -> Case {
    case("openssl/gcm-rsa2048-aes256")
}

/// A case through an opener, as it is set by `set`, and the bytes that came out.
fn through(case: &Case, set: impl FnOnce(&mut Opener)) -> (sdi::Result<()>, Vec<u8>) {
    let mut opener = Opener::new(&case.ring()).unwrap();
    set(&mut opener);
    let mut out = Vec::new();
    let pushed = case.message().chunks(100).try_for_each(|piece| opener.push(piece, &mut out));
    (pushed.and_then(|()| opener.finish(&mut out).map(|_| ())), out)
}

#[test]
fn authentication_can_be_required_of_one_stream() {
    let set = |opener: &mut Opener| opener.require_authenticated().unwrap();
    let (refused, out) = through(&cbc(), set);
    assert!(matches!(refused, Err(Error::Policy(_))), "{refused:?}");
    assert!(out.is_empty());
    // The controls: without it, and with a file that is authenticated.
    assert_eq!(through(&cbc(), |_| ()), (Ok(()), cbc().plaintext()));
    assert_eq!(through(&gcm(), set), (Ok(()), gcm().plaintext()));
}

/// What is held back comes in one piece, at the end, or not at all.
#[test]
fn plaintext_is_held_up_to_a_limit() {
    for case in [cbc(), gcm()] {
        let plaintext = case.plaintext();
        let whole = through(&case, |opener| opener.hold(plaintext.len()).unwrap());
        assert_eq!(whole, (Ok(()), plaintext.clone()));
        let max = plaintext.len() - 1;
        let (refused, out) = through(&case, |opener| opener.hold(max).unwrap());
        let limit = Error::Limit { which: Limit::Held, max: u64::try_from(max).unwrap() };
        assert_eq!(refused, Err(limit));
        assert!(out.is_empty());
    }
}

#[test]
fn settings_come_before_the_file() {
    let case = cbc();
    let mut opener = Opener::new(&case.ring()).unwrap();
    let mut out = Vec::new();
    opener.set_max_file(u64::MAX).unwrap();
    opener.push(&case.message()[..10], &mut out).unwrap();
    let too_late = |result: Result<(), Misuse>| {
        let text = result.unwrap_err().to_string();
        assert_eq!(text, "wrong call: the file has begun; settings come before it");
    };
    too_late(opener.require_authenticated());
    too_late(opener.hold(1));
    too_late(opener.set_max_file(1));
    // They changed nothing.
    opener.push(&case.message()[10..], &mut out).unwrap();
    opener.finish(&mut out).unwrap();
    assert_eq!(out, case.plaintext());
}

/// A sink is any closure, a `Vec`, or a [`Secret`], which wipes what it holds.
#[test]
fn a_secret_is_a_sink() {
    let case = gcm();
    let mut out = Secret::new();
    let mut opener = Opener::new(&case.ring()).unwrap();
    opener.push(&case.message(), &mut out).unwrap();
    opener.finish(&mut out).unwrap();
    assert_eq!(out.as_bytes(), case.plaintext());
}

#[test]
fn a_stream_shows_how_far_it_came_and_nothing_else() {
    let case = cbc();
    let mut opener = Opener::new(&case.ring()).unwrap();
    opener.push(&case.message(), &mut Vec::new()).unwrap();
    assert_eq!(format!("{opener:?}"), format!("Opener({} bytes so far)", case.message().len()));
    let mut opener = Opener::new(&case.ring()).unwrap();
    opener.set_max_file(99).unwrap();
    let failed = opener.push(&case.message(), &mut Vec::new());
    assert_eq!(failed, Err(Error::Limit { which: Limit::File, max: 99 }));
    assert_eq!(format!("{opener:?}"), "Opener(used up)");
    assert!(matches!(opener.hold(1), Err(Misuse { .. })));
}

/// A module that does nothing but show its public key.
#[derive(Debug)]
struct Idle(PublicKey);

impl DeviceKey for Idle {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }
}

/// The files are fine, and the key is the right one: its module is to blame, and the answer says so.
#[test]
fn a_module_that_can_do_nothing_is_said_to_be_unable() {
    for case in [cbc(), gcm()] {
        let key = Arc::new(Idle(case.key().public_key().clone()));
        let device = Device { key, certificate: case.certificate() };
        let opened = sdi::open(&case.message(), &device.ring());
        let Err(error) = opened else { panic!("{}: it opens", case.id()) };
        let blamed = matches!(error, Error::Key(KeyFault::Unsupported) | Error::Unsupported(_));
        assert!(blamed, "{}: {error:?}", case.id());
        assert!(sdi::open(&case.message(), &case.ring()).is_ok());
        let signed = device.key.sign(SignatureScheme::EcdsaP256Sha256, b"text", &[1; 32]);
        assert_eq!(signed.unwrap_err(), KeyError::Unsupported);
        assert_eq!(device.key.decapsulate(&[1; 1088]).unwrap_err(), KeyError::Unsupported);
    }
}

/// A module that looks at the point that it is given.
#[derive(Debug)]
struct Curious(Arc<dyn DeviceKey>);

impl DeviceKey for Curious {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        // X9.62, uncompressed: what every module takes.
        let [0x04, ..] = peer.point() else { return Err(KeyError::Vendor(1)) };
        if peer.point().len() != 65 || peer.algorithm() != self.public_key().algorithm() {
            return Err(KeyError::Vendor(2));
        }
        self.0.agree(peer)
    }
}

#[test]
fn a_module_is_given_an_uncompressed_point_of_its_curve() {
    let case = cbc();
    let device = case.device();
    let key = Arc::new(Curious(Arc::clone(&device.key)));
    let opened = sdi::open(&case.message(), &Device { key, ..device }.ring()).unwrap();
    assert_eq!(opened.plaintext(), case.plaintext());
}

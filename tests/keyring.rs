//! Which key opens a file: the vendor's, the operator's, a key alone, and none.

mod support;

use sdi::{
    Certificate, DeviceId, Error, Form, Identity, IdentityBuilder, KeyAlgorithm, KeyRing,
    OpenPolicy, OperatorMode, Owner, Profile, SystemRandom, seal_as,
};
use std::sync::Arc;
use support::corpus::{case, ring_of};
use support::der::{Node, edited, path};
use support::keys::{Device, Log};
use support::opened_every_way;

const TEXT: &[u8] = b"hostname r1\n";

/// How the operator's key stands in a ring.
const MODES: [Option<OperatorMode>; 3] =
    [None, Some(OperatorMode::Prefer), Some(OperatorMode::Replace)];

fn sealed(to: &[&Device]) -> Vec<u8> {
    let to: Vec<Certificate> = to.iter().map(|device| device.certificate.clone()).collect();
    seal_as(TEXT, &to, Profile::Authenticated, Form::Der, &mut SystemRandom)
        .expect("there is a recipient")
}

fn ring(vendor: &Device, operator: &Device, mode: Option<OperatorMode>) -> KeyRing {
    let mut ring = vendor.ring();
    if let Some(mode) = mode {
        ring.set_operator(Some(operator.identity()), mode).expect("nothing is replaced yet");
    }
    ring
}

/// Whose key opened, or the code of the refusal.
fn owner(file: &[u8], ring: &KeyRing) -> Result<Owner, i32> {
    match opened_every_way(file, ring) {
        Ok((plaintext, summary)) => {
            assert_eq!(plaintext, TEXT);
            Ok(summary.owner())
        }
        Err(error) => Err(error.code()),
    }
}

fn two_devices() -> (Device, Device) {
    (Device::new(KeyAlgorithm::P256, "vendor"), Device::new(KeyAlgorithm::P256, "operator"))
}

#[test]
fn r41_nine_outcomes() {
    let (vendor, operator) = two_devices();
    let not_ours = Err(Error::NotForThisDevice(Box::default()).code());
    for (to, outcomes) in [
        (vec![&vendor], [Ok(Owner::Vendor), Ok(Owner::Vendor), not_ours]),
        (vec![&operator], [not_ours, Ok(Owner::Operator), Ok(Owner::Operator)]),
        (vec![&vendor, &operator], [Ok(Owner::Vendor), Ok(Owner::Operator), Ok(Owner::Operator)]),
    ] {
        let file = sealed(&to);
        for (mode, outcome) in MODES.into_iter().zip(outcomes) {
            assert_eq!(owner(&file, &ring(&vendor, &operator, mode)), outcome, "{mode:?}");
        }
    }
}

/// The paths to all wrapped keys of 32 bytes.
fn wrapped_keys(file: &[u8]) -> Vec<Vec<usize>> {
    let mut tree = Node::parse(file);
    let mut paths = tree.paths();
    paths.retain(|path| {
        let is_wrapped = |node: &Node| matches!(node, Node::Primitive(4, key) if key.len() == 40);
        path.starts_with(path::RECIPIENTS) && is_wrapped(tree.at(path))
    });
    paths
}

#[test]
fn r41_the_operators_key_is_asked_first() {
    let (vendor, operator) = two_devices();
    let log = Log::default();
    let (vendor, operator) = (vendor.watched("vendor", &log), operator.watched("operator", &log));
    let ring = ring(&vendor, &operator, Some(OperatorMode::Prefer));
    for (to, asked) in [
        (vec![&vendor, &operator], vec!["operator agree"]),
        (vec![&operator, &vendor], vec!["operator agree"]),
        (vec![&vendor], vec!["vendor agree"]),
    ] {
        assert_eq!(sdi::open(&sealed(&to), &ring).unwrap().plaintext(), TEXT);
        assert_eq!(log.take(), asked);
    }
    // The operator's entry is broken: the vendor's key opens, and is asked second.
    let both = sealed(&[&operator, &vendor]);
    let broken = wrapped_keys(&both)
        .into_iter()
        .map(|path| edited(&both, &path, |key| key.body()[0] ^= 1))
        .find(|file| sdi::open(file, &operator.ring()).is_err())
        .expect("one of the wrapped keys is the operator's");
    log.take();
    assert_eq!(sdi::open(&broken, &ring).unwrap().summary().owner(), Owner::Vendor);
    assert_eq!(log.take(), ["operator agree", "vendor agree"]);
}

#[test]
fn r41_removing_and_replacing() {
    let (vendor, operator) = two_devices();
    let (to_vendor, to_operator) = (sealed(&[&vendor]), sealed(&[&operator]));
    let mut preferred = ring(&vendor, &operator, Some(OperatorMode::Prefer));
    preferred.remove_operator().unwrap();
    assert_eq!(owner(&to_vendor, &preferred), Ok(Owner::Vendor));
    assert_eq!(owner(&to_operator, &preferred), Err(130));

    let mut replaced = vendor.ring();
    let back = replaced.set_operator(Some(operator.identity()), OperatorMode::Replace).unwrap();
    assert_eq!(back.unwrap().key().public_key(), vendor.key.public_key());
    assert!(replaced.remove_operator().is_err());
    assert!(replaced.set_vendor(vendor.identity()).is_err());
    assert_eq!(owner(&to_operator, &replaced), Ok(Owner::Operator));
    assert_eq!(owner(&to_vendor, &replaced), Err(130));

    // Replaced, and the operator's key is missing: nothing opens, and that is no misuse.
    let mut keyless = vendor.ring();
    keyless.set_operator(None, OperatorMode::Replace).unwrap();
    for file in [&to_vendor, &to_operator] {
        assert_eq!(owner(file, &keyless), Err(130));
    }
}

#[test]
fn a_refusal_names_both_sides() {
    let [ours, wanted, other] = ["router-7", "SN-WANTED-1", "SN-WANTED-2"]
        .map(|name| Device::new(KeyAlgorithm::P256, name));
    let log = Log::default();
    let ring = ours.watched("key", &log).ring();
    match opened_every_way(&sealed(&[&wanted, &other]), &ring) {
        Err(Error::NotForThisDevice(strangers)) => {
            assert_eq!(strangers.total(), 2);
            assert_eq!(strangers.wanted().count(), 2);
            let [have] = strangers.have().collect::<Vec<_>>()[..] else { panic!("one identity") };
            assert!(have.contains("router-7"), "{have}");
        }
        verdict => panic!("{verdict:?}"),
    }
    // By issuer and serial number, as RFC 8886 has it, the names are the certificates'.
    let to = [wanted.certificate.clone()];
    let file = seal_as(TEXT, &to, Profile::Rfc8886, Form::Der, &mut SystemRandom).unwrap();
    let text = opened_every_way(&file, &ring).unwrap_err().to_string();
    assert!(text.contains("SN-WANTED-1") && text.contains("router-7"), "{text}");
}

/// A device whose key was wrapped in another certificate than the one that it has.
#[test]
fn a_certificate_that_the_device_never_saw() {
    let device = Device::new(KeyAlgorithm::P256, "made in the factory");
    let wrapped = Device::with_key(Arc::clone(&device.key), "wrapped by the directory");
    for profile in [Profile::Rfc8886, Profile::Authenticated] {
        let to = [wrapped.certificate.clone()];
        let file = seal_as(TEXT, &to, profile, Form::Der, &mut SystemRandom).unwrap();
        for identity in [device.identity(), device.bare(), wrapped.identity()] {
            assert_eq!(owner(&file, &ring_of(identity)), Ok(Owner::Vendor), "{profile:?}");
        }
    }
}

/// AES key wrap tells whose a file is: what is wrong behind it is damage, whatever the certificate.
#[test]
fn damage_is_told_from_a_strangers_file_without_a_matching_certificate() {
    let device = Device::new(KeyAlgorithm::P256, "made in the factory");
    let wrapped = Device::with_key(Arc::clone(&device.key), "wrapped by the directory");
    let to = [wrapped.certificate.clone()];
    let mut file = seal_as(TEXT, &to, Profile::Rfc8886, Form::Der, &mut SystemRandom).unwrap();
    let ring = device.ring();
    assert_eq!(owner(&file, &ring), Ok(Owner::Vendor));
    // The last byte of an initialization vector or of the ciphertext decides about the padding.
    let last = file.len() - 1;
    file.truncate(last - 15);
    file.extend([0; 16]);
    assert_eq!(owner(&file, &ring), Err(140));
    let stranger = Device::new(KeyAlgorithm::P256, "another");
    assert_eq!(owner(&file, &stranger.ring()), Err(130));
}

/// Who has no certificate to compare with knows from the summary whether a name or only the attempt
/// says that the file is theirs.
#[test]
fn the_summary_says_whether_the_file_names_the_key() {
    for (algorithm, profile, alone) in [
        (KeyAlgorithm::P256, Profile::Rfc8886, false),
        (KeyAlgorithm::P256, Profile::Authenticated, true), // by key identifier
        (KeyAlgorithm::Rsa(2048), Profile::Rfc8886, false),
        (KeyAlgorithm::Rsa(2048), Profile::Authenticated, true),
    ] {
        let mut device = Device::new(algorithm, "SN1");
        let builder = IdentityBuilder::new(DeviceId::new("SN1").unwrap(), 0);
        device.certificate = builder.self_sign(&*device.key).unwrap();
        let to = [device.certificate.clone()];
        let file = seal_as(TEXT, &to, profile, Form::Der, &mut SystemRandom).unwrap();
        let is_named =
            |identity| sdi::open(&file, &ring_of(identity)).unwrap().summary().is_named();
        assert!(is_named(device.identity()), "{algorithm:?} {profile:?}");
        assert_eq!(is_named(device.bare()), alone, "{algorithm:?} {profile:?}");
    }
}

#[test]
fn a10_a_key_alone_among_fifty() {
    let others: Vec<Device> =
        (1..50).map(|n| Device::new(KeyAlgorithm::P256, &format!("other {n}"))).collect();
    let ours = Device::new(KeyAlgorithm::P256, "ours");
    let ring = ring_of(ours.bare());
    for place in [0, 1, 24, 48, 49] {
        let mut to: Vec<Certificate> = others.iter().map(|o| o.certificate.clone()).collect();
        to.insert(place, ours.certificate.clone());
        for profile in [Profile::Rfc8886, Profile::Authenticated] {
            let file = seal_as(TEXT, &to, profile, Form::Der, &mut SystemRandom).unwrap();
            assert_eq!(owner(&file, &ring), Ok(Owner::Vendor), "{profile:?} at {place}");
        }
    }
    // None of the entries is for us, or ours is damaged: without a certificate that is the same.
    let strangers: Vec<&Device> = others.iter().collect();
    assert_eq!(owner(&sealed(&strangers), &ring), Err(140));
}

/// Which of two RSA recipients is ours, a key alone cannot tell, and guessing would be an oracle.
#[test]
fn a10_a_bare_rsa_key_does_not_guess() {
    let case = case("openssl/enc-smime-rsa2048-der");
    let log = Log::default();
    let device = case.device().watched("key", &log);
    let bare = ring_of(device.bare());
    assert_eq!(opened_every_way(&case.message(), &bare).unwrap().0, case.plaintext());
    assert!(log.take().iter().all(|entry| entry == "key Raw"));

    let twice = edited(&case.message(), path::RECIPIENTS, |set| {
        let mut stranger = set.children()[0].clone();
        // Another serial number.
        stranger.at(&[1, 1]).body()[1] ^= 1;
        set.children().insert(0, stranger);
    });
    let verdict = opened_every_way(&twice, &bare);
    assert!(matches!(verdict, Err(Error::NotForThisDevice(_))), "{verdict:?}");
    assert_eq!(log.take(), [""; 0]);
    // With the certificate there is nothing to guess.
    let with_certificate = device.ring();
    assert_eq!(opened_every_way(&twice, &with_certificate).unwrap().0, case.plaintext());
}

/// The same identifier twice: every entry is tried.
#[test]
fn a10_a_broken_entry_does_not_hide_a_good_one() {
    for (id, encrypted_key) in [
        ("openssl/cms-p256-aes-256-cbc", [3, 0, 1].as_slice()),
        ("openssl/gcm-rsa2048-aes256", &[3]),
    ] {
        let case = case(id);
        let ring = case.ring();
        let good = Node::parse(&case.message()).at(path::RECIPIENT).clone();
        let mut bad = good.clone();
        bad.at(encrypted_key).body()[9] ^= 1;
        for entries in [vec![bad.clone(), good.clone()], vec![good.clone(), bad.clone()]] {
            let file = edited(&case.message(), path::RECIPIENTS, |set| *set.children() = entries);
            let verdict = opened_every_way(&file, &ring);
            match verdict {
                Ok((plaintext, _)) => assert_eq!(plaintext, case.plaintext(), "{id}"),
                // RSA does not tell good from bad; authenticated content does, once.
                Err(error) => {
                    assert_eq!(error, Error::Decrypt, "{id}");
                    assert!(id.contains("rsa"), "{id}");
                }
            }
        }
        let file = edited(&case.message(), path::RECIPIENTS, |set| {
            *set.children() = vec![bad.clone(), bad.clone()];
        });
        assert_eq!(opened_every_way(&file, &ring), Err(Error::Decrypt), "{id}");
    }
}

/// Key operations are counted, and the cap is a limit of its own.
#[test]
fn the_cap_on_key_operations_holds() {
    let others: Vec<Device> =
        (0..8).map(|n| Device::new(KeyAlgorithm::P256, &format!("other {n}"))).collect();
    let ours = Device::new(KeyAlgorithm::P256, "ours");
    let log = Log::default();
    let mut ring = ring_of(ours.watched("key", &log).bare());
    // Recipients of other files, each with an originator of its own, before ours.
    let recipient = |of: &Device| Node::parse(&sealed(&[of])).at(path::RECIPIENT).clone();
    let strangers: Vec<Node> = others.iter().map(recipient).collect();
    let file = edited(&sealed(&[&ours]), path::RECIPIENTS, |set| {
        set.children().splice(0..0, strangers);
    });
    for (max, opens) in [(9, true), (8, false), (1, false), (0, false)] {
        ring.set_policy(OpenPolicy { max_key_ops: max, ..OpenPolicy::default() });
        let verdict = sdi::open(&file, &ring);
        let asked = u32::try_from(log.take().len()).unwrap();
        if opens {
            assert_eq!(verdict.unwrap().plaintext(), TEXT);
        } else {
            let limit = Error::Limit { which: sdi::Limit::KeyOps, max: u64::from(max) };
            assert_eq!(verdict.unwrap_err(), limit);
        }
        assert!(asked <= max, "{asked} operations with a cap of {max}");
    }
}

/// The vendor's key is gone for good, so nobody can be preferred to it.
#[test]
fn after_replacing_there_is_no_preferring() {
    let (vendor, operator) = two_devices();
    let mut preferring = ring(&vendor, &operator, Some(OperatorMode::Prefer));
    assert!(preferring.set_operator(Some(operator.identity()), OperatorMode::Prefer).is_ok());
    let mut replaced = ring(&vendor, &operator, Some(OperatorMode::Replace));
    let misuse = replaced.set_operator(Some(operator.identity()), OperatorMode::Prefer);
    let text = misuse.unwrap_err().to_string();
    assert_eq!(text, "wrong call: the vendor's key was replaced by the operator's");
}

/// Nobody cannot be preferred either; whoever was keeps their place.
#[test]
fn a_key_that_is_missing_is_not_preferred() {
    let (vendor, operator) = two_devices();
    let mut ring = ring(&vendor, &operator, Some(OperatorMode::Prefer));
    let misuse = ring.set_operator(None, OperatorMode::Prefer);
    assert_eq!(
        misuse.unwrap_err().to_string(),
        "wrong call: an operator's key to prefer is missing"
    );
    assert_eq!(owner(&sealed(&[&operator]), &ring), Ok(Owner::Operator));
}

/// A ring without keys is a mistake of the program; one that is left without its key is a state.
#[test]
fn an_empty_ring_is_told_from_a_missing_key() {
    let (vendor, operator) = two_devices();
    let file = sealed(&[&vendor]);
    assert!(matches!(sdi::open(&file, &KeyRing::new()), Err(Error::Misuse(_))));
    let mut replaced = ring(&vendor, &operator, None);
    replaced.set_operator(None, OperatorMode::Replace).unwrap();
    assert!(matches!(sdi::open(&file, &replaced), Err(Error::NotForThisDevice(_))));
}

/// A file with `count` recipients that name the device, each with an originator of its own. Only the last
/// one opens.
fn sealed_many_times(device: &Device, count: usize) -> Vec<u8> {
    let broken = || {
        let mut recipient = Node::parse(&sealed(&[device])).at(path::RECIPIENT).clone();
        recipient.at(&[3, 0, 1]).body()[20] ^= 1;
        recipient
    };
    let broken: Vec<Node> = (1..count).map(|_| broken()).collect();
    edited(&sealed(&[device]), path::RECIPIENTS, |set| {
        set.children().splice(0..0, broken);
    })
}

/// Entries that name us count as any other does.
#[test]
fn the_cap_on_key_operations_holds_for_our_own_entries() {
    let device = Device::new(KeyAlgorithm::P256, "device");
    let file = sealed_many_times(&device, 3);
    let mut ring = device.ring();
    for (max, expected) in [(3, Ok(Owner::Vendor)), (2, Err(160)), (0, Err(160))] {
        ring.set_policy(OpenPolicy { max_key_ops: max, ..OpenPolicy::default() });
        assert_eq!(owner(&file, &ring), expected, "{max}");
    }
}

#[test]
fn sixteen_entries_of_our_own_are_tried_and_no_more() {
    let device = Device::new(KeyAlgorithm::P256, "device");
    let ring = device.ring();
    assert_eq!(owner(&sealed_many_times(&device, 16), &ring), Ok(Owner::Vendor));
    let limit = Error::Limit { which: sdi::Limit::OwnRecipients, max: 16 };
    assert_eq!(opened_every_way(&sealed_many_times(&device, 17), &ring).unwrap_err(), limit);
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let (one, other) = two_devices();
    let mismatch = Identity::new(Arc::clone(&one.key), Some(other.certificate));
    assert_eq!(mismatch.unwrap_err().code(), 150);
    assert!(Identity::new(one.key, Some(one.certificate)).is_ok());
}

#[test]
fn require_authenticated_refuses_cbc_unasked() {
    let device = Device::new(KeyAlgorithm::P256, "device");
    let log = Log::default();
    let mut ring = device.watched("key", &log).ring();
    let to = [device.certificate.clone()];
    let cbc = seal_as(TEXT, &to, Profile::Rfc8886, Form::Der, &mut SystemRandom).unwrap();
    assert_eq!(owner(&cbc, &ring), Ok(Owner::Vendor));
    ring.set_policy(OpenPolicy { require_authenticated: true, ..OpenPolicy::default() });
    log.take();
    assert_eq!(owner(&cbc, &ring), Err(190));
    assert_eq!(log.take(), [""; 0]);
    assert_eq!(owner(&sealed(&[&device]), &ring), Ok(Owner::Vendor));
}

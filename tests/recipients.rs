//! Which of a file's recipients are counted, told, kept and tried.

mod support;

use sdi::{
    Certificate, DeviceId, Error, Form, IdentityBuilder, KeyAlgorithm, KeyFault, KeyRing, Limit,
    Limits, OpenPolicy, OperatorMode, Owner, Profile, SystemRandom, seal_as,
};
use std::sync::Arc;
use support::corpus::{case, ring_of};
use support::der::{Node, edited, path};
use support::keys::{Device, Log};
use support::opened_every_way;

const TEXT: &[u8] = b"hostname r1\n";

fn sealed(to: &[&Device]) -> Vec<u8> {
    let to: Vec<Certificate> = to.iter().map(|device| device.certificate.clone()).collect();
    seal_as(TEXT, &to, Profile::Authenticated, Form::Der, &mut SystemRandom)
        .expect("there is a recipient")
}

fn owner(file: &[u8], ring: &KeyRing) -> Result<Owner, Error> {
    opened_every_way(file, ring).map(|(plaintext, summary)| {
        assert_eq!(plaintext, TEXT);
        summary.owner()
    })
}

fn refusal(file: &[u8], ring: &KeyRing) -> Error {
    opened_every_way(file, ring).expect_err("it is not for this ring")
}

/// Also those that nobody could open: they are in the sum, and have no name.
#[test]
fn every_recipient_is_counted_and_eight_are_named() {
    let ours = Device::new(KeyAlgorithm::P256, "ours");
    let strangers: Vec<Device> =
        (0..10).map(|n| Device::new(KeyAlgorithm::P256, &format!("stranger {n}"))).collect();
    let file = sealed(&strangers.iter().collect::<Vec<_>>());
    // A key-encryption key that was shared before, a password, and something new.
    let others = [0xa2, 0xa3, 0xa4].map(|tag| Node::Constructed(tag, vec![]));
    let count = |file: &[u8]| {
        let Error::NotForThisDevice(told) = refusal(file, &ours.ring()) else { panic!("ours") };
        (told.total(), told.wanted().count())
    };
    let more = edited(&file, path::RECIPIENTS, |set| set.children().extend(others));
    assert_eq!(count(&more), (13, 8));
    // An agreement with nobody counts as one of them, and may be the only one.
    let nobody = edited(&more, path::WRAPPED_KEYS, |keys| keys.children().clear());
    assert_eq!(count(&nobody), (13, 8));
    let nobody = edited(&nobody, path::RECIPIENTS, |set| set.children().truncate(1));
    assert_eq!(count(&nobody), (1, 0));
}

/// What names us and cannot be ours says what is wrong with it.
#[test]
fn a_wrapped_key_that_is_too_long_is_no_other_curve() {
    let device = Device::new(KeyAlgorithm::P256, "device");
    let file = sealed(&[&device]);
    for (len, refused) in [(128, Error::Decrypt), (129, Error::Decrypt), (136, Error::Decrypt)] {
        let file = edited(&file, path::WRAPPED_KEYS, |keys| {
            keys.at(&[0, 1]).body().resize(len, 0);
        });
        assert_eq!(refusal(&file, &device.ring()), refused, "{len}");
    }
}

/// An RSA recipient with another algorithm, and one whose key is too short by a byte.
fn unusable() -> (Vec<u8>, KeyRing, [Node; 2]) {
    let case = case("openssl/gcm-rsa2048-aes256");
    let good = Node::parse(&case.message()).at(path::RECIPIENT).clone();
    let (mut unsupported, mut short) = (good.clone(), good);
    *unsupported.at(&[2, 0]).body().last_mut().expect("an OID has bytes") ^= 0x40;
    short.at(&[3]).body().pop();
    (case.message(), case.ring(), [unsupported, short])
}

/// Of several reasons the one that says more is told, whichever comes first.
#[test]
fn the_most_useful_reason_is_told() {
    let (file, ring, [unsupported, short]) = unusable();
    let of = |recipients: &[&Node]| {
        let file = edited(&file, path::RECIPIENTS, |set| {
            *set.children() = recipients.iter().map(|&recipient| recipient.clone()).collect();
        });
        refusal(&file, &ring)
    };
    assert!(matches!(of(&[&unsupported]), Error::Unsupported(_)));
    for recipients in [[&unsupported, &short], [&short, &unsupported]] {
        assert!(matches!(of(&recipients), Error::Malformed(_)), "{recipients:?}");
    }
}

/// What a stranger's entry needs is no reason for us, unless a key alone cannot know whose it is.
#[test]
fn a_strangers_algorithm_is_not_told() {
    let (file, ring, [unsupported, _]) = unusable();
    let stranger = edited(&file, path::RECIPIENT, |recipient| {
        *recipient = unsupported;
        // Another serial number.
        recipient.at(&[1, 1]).body()[1] ^= 1;
    });
    assert!(matches!(refusal(&stranger, &ring), Error::NotForThisDevice(_)));
    let bare = ring_of(case("openssl/gcm-rsa2048-aes256").device().bare());
    assert!(matches!(refusal(&stranger, &bare), Error::Unsupported(_)));
}

/// What one key shares with the originator is nothing to the other.
#[test]
fn two_keys_alone_share_no_secret() {
    let [vendor, operator, stranger] =
        ["vendor", "operator", "stranger"].map(|name| Device::new(KeyAlgorithm::P256, name));
    let mut ring = ring_of(vendor.bare());
    ring.set_operator(Some(operator.bare()), OperatorMode::Prefer).unwrap();
    for (to, owner) in [
        (vec![&vendor], Owner::Vendor),
        (vec![&stranger, &vendor], Owner::Vendor),
        (vec![&operator], Owner::Operator),
        (vec![&vendor, &operator], Owner::Operator),
    ] {
        let (plaintext, summary) = opened_every_way(&sealed(&to), &ring).unwrap();
        assert_eq!((plaintext.as_slice(), summary.owner()), (TEXT, owner));
    }
}

/// The name of a key identifier in an agreement is as long as it may be, or too long.
#[test]
fn a_key_identifier_has_the_names_limit() {
    let mut device = Device::new(KeyAlgorithm::P256, "device");
    let builder = IdentityBuilder::new(DeviceId::new("device").unwrap(), 0);
    device.certificate = builder.self_sign(&*device.key).unwrap();
    let file = sealed(&[&device]);
    let name = Node::parse(&file).at(&[1, 0, 1, 0, 3, 0, 0, 0]).encode().len();
    let mut ring = device.ring();
    for (max, opens) in [(name + 1, true), (name, true), (name - 1, false), (0, false)] {
        let limits = Limits { name: max, ..Limits::default() };
        ring.set_policy(OpenPolicy { limits, ..OpenPolicy::default() });
        let max = u64::try_from(max).unwrap();
        match opened_every_way(&file, &ring) {
            Ok((plaintext, _)) => assert!(opens && plaintext == TEXT, "{max}"),
            Err(error) => {
                assert!(!opens, "{max}: {error:?}");
                assert_eq!(error, Error::Limit { which: Limit::Name, max });
            }
        }
    }
}

/// RSA does not tell a right key from a wrong one, so it is asked when no agreement was the right one.
#[test]
fn a10_a_guess_does_not_hide_a_key_that_certainly_opens() {
    let vendor = Device::new(KeyAlgorithm::P256, "vendor");
    let elsewhere = Device::with_key(Arc::clone(&vendor.key), "wrapped by the directory");
    let operator = Device::new(KeyAlgorithm::Rsa(2048), "operator");
    let stranger = Device::new(KeyAlgorithm::Rsa(2048), "stranger");
    let file = sealed(&[&elsewhere, &stranger]);
    for vendor in [vendor.bare(), vendor.identity()] {
        for operator in [operator.bare(), operator.identity()] {
            let mut ring = ring_of(vendor.clone());
            ring.set_operator(Some(operator), OperatorMode::Prefer).unwrap();
            assert_eq!(owner(&file, &ring), Ok(Owner::Vendor));
        }
    }
    // Of two RSA keys the one whose certificate we never saw is asked first.
    let vendor = Device::new(KeyAlgorithm::Rsa(2048), "vendor");
    let elsewhere = Device::with_key(Arc::clone(&vendor.key), "wrapped by the directory");
    let mut ring = ring_of(vendor.bare());
    ring.set_operator(Some(operator.identity()), OperatorMode::Prefer).unwrap();
    assert_eq!(owner(&sealed(&[&elsewhere]), &ring), Ok(Owner::Vendor));
}

/// Agreements on other curves cost a key nothing, and a fleet's file for others is not "too much".
#[test]
fn agreements_that_cannot_be_ours_are_not_counted() {
    let ours = Device::new(KeyAlgorithm::P256, "SN1");
    let strangers = |algorithm, count: u32| -> Vec<Device> {
        (0..count).map(|n| Device::new(algorithm, &format!("other{n}"))).collect()
    };
    let others = strangers(KeyAlgorithm::P384, 65);
    let mut to: Vec<&Device> = others.iter().collect();
    to.push(&ours);
    let file = edited(&sealed(&to), path::RECIPIENTS, |set| {
        set.children().sort_by_key(|one| std::cmp::Reverse(one.encode().len()));
    });
    assert_eq!(owner(&file, &ring_of(ours.bare())), Ok(Owner::Vendor));
    let others = strangers(KeyAlgorithm::P256, 65);
    let file = sealed(&others.iter().collect::<Vec<_>>());
    assert!(matches!(sdi::open(&file, &ours.ring()), Err(Error::NotForThisDevice(_))));
    let limit = Error::Limit { which: Limit::KeyOps, max: 64 };
    assert_eq!(sdi::open(&file, &ring_of(ours.bare())).map(drop), Err(limit));
    // A key alone of another kind could not be meant.
    let mut ring = ours.ring();
    let rsa = Device::new(KeyAlgorithm::Rsa(2048), "operator");
    ring.set_operator(Some(rsa.bare()), OperatorMode::Prefer).unwrap();
    assert!(matches!(sdi::open(&file, &ring), Err(Error::NotForThisDevice(_))));
}

/// A device, and a file for it, the last of this many on its curve, which does not name it.
fn last_of(count: u32) -> (Device, Vec<u8>) {
    let device = Device::new(KeyAlgorithm::P256, "device");
    let elsewhere = Device::with_key(Arc::clone(&device.key), "wrapped by the directory");
    let others: Vec<Device> = (1..count)
        .map(|n| Device::new(KeyAlgorithm::P256, &format!("a stranger with this name {n}")))
        .collect();
    let mut to: Vec<&Device> = others.iter().collect();
    to.push(&elsewhere);
    let file = edited(&sealed(&to), path::RECIPIENTS, |set| {
        set.children().sort_by_key(|one| std::cmp::Reverse(one.encode().len()));
    });
    (device, file)
}

/// What a file may cost is spent on a key that it cannot name before one that it could have named.
#[test]
fn an_operators_certificate_does_not_shut_the_vendors_key_out() {
    let operator = Device::new(KeyAlgorithm::P256, "operator");
    for count in [40, 64] {
        let (vendor, file) = last_of(count);
        assert_eq!(owner(&file, &ring_of(vendor.bare())), Ok(Owner::Vendor), "{count}");
        let mut ring = ring_of(vendor.bare());
        ring.set_operator(Some(operator.identity()), OperatorMode::Prefer).unwrap();
        assert_eq!(owner(&file, &ring), Ok(Owner::Vendor), "{count}");
    }
    let (vendor, file) = last_of(65);
    let limit = Error::Limit { which: Limit::KeyOps, max: 64 };
    assert_eq!(refusal(&file, &ring_of(vendor.bare())), limit);
}

/// A key can be named without its certificate. What went wrong with its entry is told, and no other
/// entry is tried.
#[test]
fn a_key_alone_that_is_named_is_tried_on_nothing_else() {
    let mut device = Device::new(KeyAlgorithm::P256, "device");
    let builder = IdentityBuilder::new(DeviceId::new("device").unwrap(), 0);
    device.certificate = builder.self_sign(&*device.key).unwrap();
    let others: Vec<Device> =
        (0..65).map(|n| Device::new(KeyAlgorithm::P256, &format!("other {n}"))).collect();
    let mut to: Vec<&Device> = others.iter().collect();
    to.push(&device);
    let file = sealed(&to);
    let log = Log::default();
    assert!(sdi::open(&file, &ring_of(device.watched("key", &log).bare())).is_ok());
    assert_eq!(log.take(), ["key agree"]);
    let failing = ring_of(device.failing("key", &log).bare());
    assert_eq!(sdi::open(&file, &failing).map(drop), Err(Error::Key(KeyFault::Vendor(7))));
    assert_eq!(log.take(), ["key agree"]);
}

/// What names one key and is damaged does not hide what another key alone opens, whichever comes first.
#[test]
fn a_damaged_entry_does_not_hide_another_keys() {
    let (operator, file) = last_of(1);
    let vendor = Device::new(KeyAlgorithm::P256, "vendor");
    let operators = Node::parse(&file).at(path::RECIPIENT).clone();
    let mut vendors = Node::parse(&sealed(&[&vendor])).at(path::RECIPIENT).clone();
    vendors.at(&path::WRAPPED_KEYS[path::RECIPIENT.len()..]).at(&[0, 1]).body()[0] ^= 1;
    let mut ring = vendor.ring();
    ring.set_operator(Some(operator.bare()), OperatorMode::Prefer).unwrap();
    for recipients in [[&operators, &vendors], [&vendors, &operators]] {
        let file = edited(&file, path::RECIPIENTS, |set| {
            *set.children() = recipients.map(Clone::clone).to_vec();
        });
        assert_eq!(owner(&file, &ring), Ok(Owner::Operator));
        assert_eq!(refusal(&file, &vendor.ring()), Error::Decrypt);
    }
}

/// A module that fails is not asked for the same point again.
#[test]
fn a_point_is_asked_for_once_whatever_the_answer() {
    let (device, file) = last_of(1);
    let log = Log::default();
    for (copies, ring) in [
        (1, ring_of(device.failing("key", &log).bare())),
        (100, ring_of(device.failing("key", &log).bare())),
        (100, ring_of(device.watched("key", &log).bare())),
    ] {
        let file = edited(&file, path::WRAPPED_KEYS, |keys| {
            let right = keys.children()[0].clone();
            let mut wrong = right.clone();
            wrong.at(&[1]).body()[0] ^= 1;
            *keys.children() = vec![wrong; copies];
            keys.children().push(right);
        });
        let opened = sdi::open(&file, &ring).map(drop);
        assert_eq!(log.take(), ["key agree"], "{copies}");
        assert!(matches!(opened, Ok(()) | Err(Error::Key(KeyFault::Vendor(7)))), "{opened:?}");
    }
}

/// An entry that names one of our keys is for no other one: RSA would make something of it.
#[test]
fn what_names_one_key_is_not_guessed_at_with_the_other() {
    let [vendor, operator] =
        ["vendor", "operator"].map(|name| Device::new(KeyAlgorithm::Rsa(2048), name));
    let log = Log::default();
    let mut ring = vendor.failing("vendor", &log).ring();
    ring.set_operator(Some(operator.watched("operator", &log).bare()), OperatorMode::Prefer)
        .unwrap();
    assert_eq!(refusal(&sealed(&[&vendor]), &ring), Error::Key(KeyFault::Vendor(7)));
    let mut asked = log.take();
    asked.dedup();
    assert!(asked.iter().all(|entry| entry.starts_with("vendor ")), "{asked:?}");
    assert!(!asked.is_empty());
    // What does not open with a guess leaves the named key's failure the one that is told.
    let stranger = Device::new(KeyAlgorithm::Rsa(2048), "stranger");
    assert_eq!(refusal(&sealed(&[&vendor, &stranger]), &ring), Error::Key(KeyFault::Vendor(7)));
    assert!(log.take().iter().any(|entry| entry.starts_with("operator ")));
}

//! What is not sealed, each beside what is.

use crate::support::keys::certificate;
use crate::support::openssl::{device, run};
use crate::{Fixed, PROFILES, capable};
use sdi::{Certificate, Error, Form, KeyAlgorithm, Limit, Profile, PublicKey, Sealer, seal};

fn attempt(to: &[Certificate], profile: Profile) -> Result<(), Error> {
    seal(b"x", to, profile, &mut Fixed::new(1)).map(drop)
}

#[test]
fn there_are_1_to_10_000_recipients() {
    let (_, certificate) = capable(KeyAlgorithm::P256);
    for profile in PROFILES {
        let times = |count| attempt(&vec![certificate.clone(); count], profile);
        assert!(matches!(times(0), Err(Error::Argument(_))));
        assert_eq!(times(1), Ok(()));
        assert_eq!(times(10_001), Err(Error::Limit { which: Limit::Recipients, max: 10_000 }));
    }
}

/// One certificate with a name that no device reads would close the file to all its recipients.
#[test]
fn a_name_is_no_longer_than_devices_read() {
    let (_, capable) = capable(KeyAlgorithm::P256);
    let named = |len| certificate(capable.public_key(), &"x".repeat(len));
    for profile in PROFILES {
        let outcome = |len| attempt(&[capable.clone(), named(len)], profile);
        assert_eq!(outcome(900), Ok(()));
        assert_eq!(outcome(1100), Err(Error::Limit { which: Limit::Name, max: 1024 }));
    }
}

/// What is sealed for as many as may be, a device opens without other limits. RSA seals sooner.
#[test]
fn ten_thousand_recipients_open_it() {
    let [device, other] = ["rsa2048", "rsa3072"].map(device);
    let mut to = vec![other.certificate.clone(); 9_999];
    to.push(device.certificate.clone());
    let file = seal(b"x", &to, Profile::Rfc8886, &mut Fixed::new(1)).unwrap();
    assert_eq!(sdi::open(&file, &device.ring).unwrap().plaintext(), b"x");
}

#[test]
fn post_quantum_is_not_built_yet() {
    let to = [device("p256").certificate.clone()];
    let error = attempt(&to, Profile::PostQuantum).unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
    assert_eq!(attempt(&to, Profile::Auto), Ok(()));
}

#[test]
fn short_rsa_keys_are_refused() {
    for (bits, expected) in [("1024", false), ("2040", false), ("2048", true)] {
        let option = format!("rsa_keygen_bits:{bits}");
        let key = run(&["genpkey", "-algorithm", "RSA", "-pkeyopt", &option], b"");
        let spki = PublicKey::parse(&run(&["pkey", "-pubout"], &key)).unwrap();
        for profile in PROFILES {
            let outcome = attempt(&[certificate(&spki, "short")], profile);
            let is_argument = matches!(outcome, Err(Error::Argument(_)));
            assert_eq!((outcome.is_ok(), is_argument), (expected, !expected), "{bits} {outcome:?}");
        }
    }
}

/// RFC 7748, 6.1: with these points everybody knows the shared secret.
#[test]
fn x25519_points_of_low_order_are_refused() {
    let spki = |point: &[u8; 32]| {
        let spki = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\0", &point[..]].concat();
        certificate(&PublicKey::parse(&spki).unwrap(), "low")
    };
    let mut one = [0; 32];
    one[0] = 1;
    let mut p_less_one = [0xff; 32];
    (p_less_one[0], p_less_one[31]) = (0xec, 0x7f);
    for point in [[0; 32], one, p_less_one] {
        let outcome = attempt(&[spki(&point)], Profile::Auto);
        assert!(matches!(outcome, Err(Error::Argument(_))), "{outcome:?}");
    }
    let mut base = [0; 32];
    base[0] = 9;
    assert_eq!(attempt(&[spki(&base)], Profile::Auto), Ok(()));
}

/// SP 800-38D allows 2^36 - 32 bytes under one key and nonce. Nothing is written before that shows.
#[test]
fn gcm_has_an_end() {
    const MAX: u64 = (1 << 36) - 32;
    let to = [device("p256").certificate.clone()];
    let begun = |profile, length| {
        let mut file = Vec::new();
        let mut sealer = Sealer::new(&to, profile, Form::Der, &mut Fixed::new(1)).unwrap();
        sealer.set_length(length).unwrap();
        let outcome = sealer.push(b"x", &mut file);
        assert_eq!(outcome.is_ok(), !file.is_empty());
        outcome
    };
    // A machine of 32 bits ends at half of what it can address.
    let most = |len: u64| if usize::BITS < 64 { len.min((1 << 31) - 32) } else { len };
    let too_long = Err(Error::Limit { which: Limit::Content, max: MAX });
    assert_eq!(begun(Profile::Authenticated, MAX + 1), too_long);
    assert_eq!(begun(Profile::Authenticated, u64::MAX), too_long);
    assert_eq!(begun(Profile::Authenticated, most(MAX)), Ok(()));
    assert_eq!(begun(Profile::Rfc8886, most(MAX + 1)), Ok(()));
    let error = begun(Profile::Rfc8886, u64::MAX).unwrap_err();
    assert!(matches!(error, Error::Limit { which: Limit::Content, .. }), "{error:?}");
}

/// Neither keys nor plaintext are printed.
#[test]
fn a24_debug_tells_nothing() {
    let to = [device("p256").certificate.clone()];
    let mut sealer = Sealer::new(&to, Profile::Auto, Form::Pem, &mut Fixed::new(1)).unwrap();
    sealer.push(b"secret", &mut Vec::new()).unwrap();
    assert_eq!(format!("{sealer:?}"), "Sealer(6 bytes so far)");
}

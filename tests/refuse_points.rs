//! The sender's public point: everything but a point of our curve is refused before the key is
//! asked.

mod support;

use sdi::Error;
use support::corpus::case;
use support::der::{Node, edited, integer, null, oid, path, sequence};
use support::watched::Watched;

const EC: &str = "openssl/cms-p256-aes-256-cbc";

const P256: &str = "1.2.840.10045.3.1.7";
const PRIME: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];

/// The BIT STRING of the first recipient's originator.
fn bits(file: &[u8]) -> Vec<u8> {
    let point = [path::ORIGINATOR_KEY, &[1]].concat();
    Node::parse(file).at(&point).body().clone()
}

fn with_bits(file: &[u8], bits: &[u8]) -> Vec<u8> {
    let point = [path::ORIGINATOR_KEY, &[1]].concat();
    edited(file, &point, |node| *node.body() = bits.to_vec())
}

/// The x and y of the originator's uncompressed point.
fn coordinates(file: &[u8]) -> ([u8; 32], [u8; 32]) {
    let bits = bits(file);
    assert_eq!(bits[..2], [0, 4]);
    let half = |bytes: &[u8]| bytes.try_into().expect("32 bytes");
    (half(&bits[2..34]), half(&bits[34..]))
}

fn point(form: u8, x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[0, form], x, y].concat()
}

/// p - y.
fn negated(y: [u8; 32]) -> [u8; 32] {
    let mut borrow = 0;
    let mut difference = [0; 32];
    for place in (0..32).rev() {
        let value = i16::from(PRIME[place]) - i16::from(y[place]) - borrow;
        borrow = i16::from(value < 0);
        difference[place] = u8::try_from(value.rem_euclid(256)).expect("it is below 256");
    }
    difference
}

/// An x for which the curve has no y.
fn x_of_no_point() -> [u8; 32] {
    let mut x = [0; 32];
    let is_point =
        |x: &[u8; 32]| p256::PublicKey::from_sec1_bytes(&[&[2], &x[..]].concat()).is_ok();
    while is_point(&x) {
        x[31] += 1;
    }
    x
}

#[test]
fn a14_forms_of_the_right_point_open() {
    let file = Watched::new(EC);
    let (x, y) = coordinates(&file.file);
    file.assert_opens(&with_bits(&file.file, &point(4, &x, &negated(y))));
    for sign in [2, 3] {
        file.assert_opens(&with_bits(&file.file, &point(sign, &x, b"")));
    }
}

#[test]
fn a14_other_points_are_refused_unasked() {
    let file = Watched::new(EC);
    let (x, y) = coordinates(&file.file);
    let mut off = y;
    off[31] ^= 1;
    let no_point = x_of_no_point();
    let larger_curve = bits(&case("openssl/cms-p384-aes-256-cbc").message());
    assert_eq!(larger_curve.len(), 98);
    for (what, bits) in [
        ("off the curve", point(4, &x, &off)),
        ("x and y exchanged", point(4, &y, &x)),
        ("on no curve", point(4, &no_point, &y)),
        ("infinity", vec![0, 0]),
        ("infinity, long", vec![0; 66]),
        ("zeros", point(4, &[0; 32], &[0; 32])),
        ("x = p", point(4, &PRIME, &y)),
        ("x > p", point(4, &[0xff; 32], &y)),
        ("y > p", point(4, &x, &[0xff; 32])),
        ("a point of P-384", larger_curve),
        ("too short", point(4, &x, &y[..31])),
        ("too long", point(4, &x, &[y.as_slice(), &[0]].concat())),
        ("half", point(4, &x, b"")),
        ("hybrid, even", point(6, &x, &y)),
        ("hybrid, odd", point(7, &x, &y)),
        ("an unknown form", point(5, &x, &y)),
        ("compressed, on no curve", point(2, &no_point, b"")),
        ("compressed, x = p", point(2, &PRIME, b"")),
        ("compressed, too long", point(2, &x, &[0])),
        ("unused bits", [vec![1], point(4, &x, &y)[1..].to_vec()].concat()),
        ("no bits", vec![0]),
        ("no octets at all", vec![]),
    ] {
        file.assert_malformed(&with_bits(&file.file, &bits), what);
    }
}

/// The originator's algorithm may be without parameters, with NULL, or with the curve.
#[test]
fn a14_parameters_of_the_originator() {
    let file = Watched::new(EC);
    let with = |parameters: &[Node]| {
        edited(&file.file, &[path::ORIGINATOR_KEY, &[0]].concat(), |algorithm| {
            *algorithm = sequence([&[oid("1.2.840.10045.2.1")], parameters].concat());
        })
    };
    for right in [[].as_slice(), &[null()], &[oid(P256)]] {
        file.assert_opens(&with(right));
    }
    for (what, other) in [
        ("P-384", oid("1.3.132.0.34")),
        ("secp256k1", oid("1.3.132.0.10")),
        ("an unknown curve", oid("1.3.132.0.99")),
        ("explicit parameters", sequence([integer(1), sequence([oid("1.2.840.10045.1.1")])])),
    ] {
        file.assert_unsupported(&with(&[other]), what);
    }
    let rsa = edited(&file.file, &[path::ORIGINATOR_KEY, &[0]].concat(), |algorithm| {
        *algorithm = sequence([oid("1.2.840.113549.1.1.1"), null()]);
    });
    let error = file.refuses_unasked(&rsa, "an RSA key");
    assert!(matches!(error, Error::Unsupported(_) | Error::Malformed(_)), "{error:?}");
}

#[test]
fn an_originator_is_alone() {
    let file = Watched::new(EC);
    let (_, originator) = path::ORIGINATOR_KEY.split_last().expect("it is below the root");
    let two = edited(&file.file, originator, |explicit| {
        let key = explicit.children()[0].clone();
        explicit.children().push(key);
    });
    file.assert_malformed(&two, "two originators");
}

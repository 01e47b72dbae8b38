//! A14: X25519, where every 32 bytes are a point, and some give everybody the same secret.

use super::support::corpus::cases;
use super::support::der::{Node, edited, path};
use super::support::opened_every_way;
use sdi::Error;

/// The points of small order (RFC 7748, 6.1; <https://cr.yp.to/ecdh.html>), with the top bit that is
/// ignored cleared.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[test]
fn a14_x25519_points_of_small_order() {
    let case =
        cases("corpus-modern").into_iter().find(|case| case.id().ends_with("x25519-wrap192"));
    let case = case.expect("the corpus has the file");
    let (file, ring) = (case.message(), case.ring());
    assert_eq!(opened_every_way(&file, &ring).map(|(text, _)| text), Ok(case.plaintext()));
    let bits = [path::ORIGINATOR_KEY, &[1]].concat();
    assert_eq!(Node::parse(&file).at(&bits).body().len(), 33);
    let with = |point: &[u8]| edited(&file, &bits, |node| *node.body() = [&[0], point].concat());
    for digits in SMALL_ORDER {
        let digits = digits.as_bytes().chunks(2);
        let mut point: Vec<u8> = digits
            .map(|pair| str::from_utf8(pair).expect("ASCII"))
            .map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal"))
            .collect();
        for top in [0, 0x80] {
            point[31] ^= top;
            let verdict = opened_every_way(&with(&point), &ring);
            assert!(matches!(verdict, Err(Error::Malformed(_))), "{point:02x?}: {verdict:?}");
        }
    }
    // Any other point is one of the curve or of its twist: another secret.
    assert_eq!(opened_every_way(&with(&[9; 32]), &ring), Err(Error::Decrypt));
    for len in [0, 31, 33, 65] {
        let verdict = opened_every_way(&with(&vec![9; len]), &ring);
        assert!(matches!(verdict, Err(Error::Malformed(_))), "{len}: {verdict:?}");
    }
}

//! Every limit: at it a file opens, one below it the limit is named.

mod support;

use sdi::{Error, KeyRing, Limit, Limits, OpenPolicy};
use support::corpus::{Case, case};
use support::der::{Node, edited, header, path};
use support::{at_once, opened_every_way, streamed};

fn ring(case: &Case, limits: Limits) -> KeyRing {
    let mut ring = case.ring();
    ring.set_policy(OpenPolicy { limits, ..OpenPolicy::default() });
    ring
}

/// The smallest value of a limit with which the file opens. Every smaller one is refused with the
/// limit's name and value, in every way of opening.
fn smallest(case: &Case, file: &[u8], which: Limit, set: impl Fn(&mut Limits, usize)) -> usize {
    let verdict = |value| {
        let mut limits = Limits::default();
        set(&mut limits, value);
        opened_every_way(file, &ring(case, limits))
    };
    let opens = |value: usize| match verdict(value) {
        Ok((plaintext, _)) => {
            assert_eq!(plaintext, case.plaintext());
            true
        }
        Err(error) => {
            let max = u64::try_from(value).expect("it fits");
            assert_eq!(error, Error::Limit { which, max }, "{which:?} {value}");
            false
        }
    };
    let (mut refused, mut opened) = (0, 70_000);
    assert!(!opens(refused) && opens(opened), "{which:?} does nothing");
    while opened - refused > 1 {
        let middle = refused.midpoint(opened);
        if opens(middle) { opened = middle } else { refused = middle }
    }
    opened
}

#[test]
fn a15_header_and_recipient() {
    let case = case("openssl/size-p256-gcm-p17");
    let file = case.message();
    let length = |path: &[usize]| Node::parse(&file).at(path).encode().len();
    // What the keys of an agreement have in common is one part, and each key is another.
    let common = length(&[1, 0, 1, 0, 1]) + length(path::AGREEMENT);
    let key = length(&[1, 0, 1, 0, 3, 0]);
    let found = smallest(&case, &file, Limit::Recipient, |limits, n| limits.recipient = n);
    assert_eq!(found, common.max(key));
    // Everything else that is read: two content types, the version, the algorithm, the tag.
    let version = length(&[1, 0, 0]);
    let types = length(&[0]) + length(&[1, 0, 2, 0]);
    let found = smallest(&case, &file, Limit::Header, |limits, n| limits.header = n);
    assert_eq!(found, types + version + length(path::CONTENT_ALGORITHM) + length(path::MAC));
}

#[test]
fn a15_name() {
    for id in ["openssl/size-p256-gcm-p17", "openssl/gcm-rsa2048-aes256"] {
        let case = case(id);
        let file = case.message();
        let is_rsa = id.contains("rsa");
        let name = if is_rsa { [1, 0, 1, 0, 1].as_slice() } else { &[1, 0, 1, 0, 3, 0, 0] };
        let name = Node::parse(&file).at(name).encode().len();
        let found = smallest(&case, &file, Limit::Name, |limits, n| limits.name = n);
        assert!((name - 4..=name).contains(&found), "{found} of {name}");
    }
}

#[test]
fn a15_recipients() {
    let five = case("openssl/recips-5-mixed-p256-last");
    let set = |limits: &mut Limits, n: usize| limits.recipients = u64::try_from(n).unwrap();
    assert_eq!(smallest(&five, &five.message(), Limit::Recipients, set), 5);
    // Each key of one key agreement counts.
    let one = case("bc/one-kari-several-keys-last");
    let file = one.message();
    let keys = Node::parse(&file).at(path::WRAPPED_KEYS).children().len();
    assert!(keys > 1);
    assert_eq!(smallest(&one, &file, Limit::Recipients, set), keys);
}

#[test]
fn a15_a_thousand_recipients_are_no_trouble() {
    let case = case("openssl/recips-5-mixed-p256-last");
    let many = |count: usize| {
        edited(&case.message(), path::RECIPIENTS, |set| {
            let strangers = set.children()[..4].to_vec();
            let ours = set.children()[4].clone();
            let strangers = strangers.into_iter().cycle().take(count - 1);
            *set.children() = strangers.chain([ours]).collect();
        })
    };
    let ring = case.ring();
    for count in [256, 257, 1000, 10_000] {
        let file = many(count);
        assert_eq!(at_once(&file, &ring).unwrap().0, case.plaintext(), "{count}");
        assert_eq!(streamed(&file, &ring, 4096).unwrap().0.unwrap().0, case.plaintext());
    }
    let limit = Error::Limit { which: Limit::Recipients, max: 10_000 };
    let file = many(10_001);
    assert_eq!(at_once(&file, &ring), Err(limit.clone()));
    assert_eq!(streamed(&file, &ring, 4096).unwrap().0, Err(limit));
}

#[test]
fn a15_line() {
    // PEM lines have 64 characters.
    let case = case("openssl/gcm-p256-pem");
    let file = case.message();
    assert_eq!(smallest(&case, &file, Limit::Line, |limits, n| limits.line = n), 64);
    let text = String::from_utf8(file).unwrap();
    let (begin, rest) = text.split_once('\n').unwrap();
    let (body, end) = rest.rsplit_once("-----END").unwrap();
    let one_line = format!("{begin}\n{}\n-----END{end}", body.replace('\n', ""));
    let found = smallest(&case, one_line.as_bytes(), Limit::Line, |limits, n| limits.line = n);
    assert_eq!(found, body.replace('\n', "").len());
}

#[test]
fn a15_attributes() {
    let case = case("bc/gcm-auth-and-unauth-attrs-p256");
    let file = case.message();
    let mut tree = Node::parse(&file);
    let attributes = tree.at(path::ENVELOPED).children().iter().find_map(|node| match node {
        Node::Constructed(0xa1, _) => Some(node.encode().len()),
        _ => None,
    });
    let attributes = attributes.expect("Bouncy Castle wrote authAttrs");
    let found = smallest(&case, &file, Limit::Attributes, |limits, n| limits.attributes = n);
    assert!((attributes - 4..=attributes).contains(&found), "{found} of {attributes}");
}

/// The whole file is limited where it is read at once; a stream is limited when asked.
#[test]
fn a15_file() {
    let case = case("openssl/size-p256-gcm-p17");
    let file = case.message();
    let length = file.len();
    let limits = |file| Limits { file, ..Limits::default() };
    let limit = Error::Limit { which: Limit::File, max: u64::try_from(length - 1).unwrap() };
    let (at, below) = (ring(&case, limits(length)), ring(&case, limits(length - 1)));
    assert_eq!(opened_every_way(&file, &at).unwrap().0, case.plaintext());
    assert_eq!(at_once(&file, &below), Err(limit.clone()));
    assert_eq!(sdi::open_in_place(&mut file.clone(), &below), Err(limit.clone()));
    assert_eq!(streamed(&file, &below, 64).unwrap().0.unwrap().0, case.plaintext());

    let stream = |max: usize| {
        let mut opener = sdi::Opener::new(&at).unwrap();
        opener.set_max_file(u64::try_from(max).unwrap()).unwrap();
        let mut plaintext = Vec::new();
        for piece in file.chunks(7) {
            opener.push(piece, &mut plaintext)?;
        }
        opener.finish(&mut plaintext).map(|_| plaintext)
    };
    assert_eq!(stream(length).unwrap(), case.plaintext());
    assert_eq!(stream(length - 1), Err(limit));
}

#[test]
fn a15_keying_material() {
    let case = case("bc/ukm-p256");
    let ring = case.ring();
    assert_eq!(opened_every_way(&case.message(), &ring).unwrap().0, case.plaintext());
    let with = |length: usize| {
        edited(&case.message(), &[1, 0, 1, 0, 2, 0], |ukm| *ukm.body() = vec![7; length])
    };
    // Other material is another key; it is judged only if it is not too long.
    assert_eq!(opened_every_way(&with(1024), &ring), Err(Error::Decrypt));
    let limit = Error::Limit { which: Limit::KeyingMaterial, max: 1024 };
    assert_eq!(opened_every_way(&with(1025), &ring), Err(limit));
}

/// Lengths that no file can have, at every header: refused, without arithmetic going wrong.
#[test]
fn a16_lengths_at_the_edges_of_integers() {
    let case = case("openssl/size-p256-gcm-p17");
    let (file, ring) = (case.message(), case.ring());
    assert_eq!(opened_every_way(&file, &ring).unwrap().0, case.plaintext());
    let lengths: [u64; 9] = [
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fff0,
        0xffff_ffff,
        0x1_0000_0000,
        0x1_0000_0001,
        0x7fff_ffff_ffff_ffff,
        0xffff_ffff_ffff_fff0,
        u64::MAX,
    ];
    for path in Node::parse(&file).paths() {
        for length in lengths {
            let damaged = edited(&file, &path, |node| {
                let whole = node.encode();
                let body = &whole[header(whole[0], body_len(node)).len()..];
                let octets = length.to_be_bytes();
                *node = Node::Raw([&[whole[0], 0x88], octets.as_slice(), body].concat());
            });
            let error = opened_every_way(&damaged, &ring).expect_err("the length is a lie");
            assert!([100, 110, 120, 160].contains(&error.code()), "{path:?}: {error:?}");
        }
    }
}

fn body_len(node: &Node) -> usize {
    match node {
        Node::Primitive(_, body) => body.len(),
        Node::Constructed(_, children) => children.iter().map(|child| child.encode().len()).sum(),
        other => panic!("{other:?} was not read from DER"),
    }
}

/// Parts that open nothing are counted and bounded as others are.
#[test]
fn a15_parts_for_nobody() {
    let case = case("openssl/size-p256-gcm-p17");
    let file = case.message();
    let opens = |file: &[u8], limits| sdi::open(file, &ring(&case, limits)).map(drop);
    let with_empty_agreements = |count: usize| {
        edited(&file, path::RECIPIENTS, |set| {
            let mut empty = set.children()[0].clone();
            empty.at(&[3]).children().clear();
            set.children().extend(vec![empty; count]);
        })
    };
    let limits = Limits { recipients: 4, ..Limits::default() };
    assert_eq!(opens(&with_empty_agreements(3), limits.clone()), Ok(()));
    let too_many = Error::Limit { which: Limit::Recipients, max: 4 };
    assert_eq!(opens(&with_empty_agreements(4), limits), Err(too_many));

    let info = Node::Indefinite(0xa0, vec![Node::Primitive(4, vec![0; 60_000])]);
    let with_infos = |count: usize| {
        edited(&file, path::ENVELOPED, |data| {
            drop(data.children().splice(1..1, vec![info.clone(); count]));
        })
    };
    assert_eq!(opens(&with_infos(1), Limits::default()), Ok(()));
    let twice = opens(&with_infos(2), Limits::default());
    assert!(matches!(twice, Err(Error::Malformed(_))), "{twice:?}");
}

//! How a file may be put together: lengths that are not told, how deep it goes, what is longer than its
//! place, what is missing and what is too much.

mod support;

use sdi::{Error, KeyRing, Limit, Limits, OpenPolicy};
use support::corpus::{Case, case};
use support::der::{Node, edited, header, octets, path};
use support::opened_every_way;

/// A key agreement, a key transport, and authenticated content with attributes at both places.
const FILES: [&str; 3] = [
    "openssl/cms-p256-aes-256-cbc",
    "openssl/gcm-rsa2048-aes256",
    "bc/gcm-auth-and-unauth-attrs-p256",
];

fn files() -> impl Iterator<Item = (Case, Vec<u8>, KeyRing)> {
    FILES.into_iter().map(|id| {
        let case = case(id);
        (case.clone(), Node::parse(&case.message()).encode(), case.ring())
    })
}

fn opens(file: &[u8], case: &Case, ring: &KeyRing) -> bool {
    match opened_every_way(file, ring) {
        Ok((plaintext, _)) => plaintext == case.plaintext(),
        Err(_) => false,
    }
}

fn malformed(file: &[u8], ring: &KeyRing) -> &'static str {
    match opened_every_way(file, ring) {
        Err(Error::Malformed(what)) => what,
        verdict => panic!("{verdict:?}"),
    }
}

fn is_constructed(node: &Node) -> bool {
    matches!(node, Node::Constructed(..) | Node::Indefinite(..))
}

/// A node and what is in it, without lengths.
fn without_lengths(node: &Node) -> Node {
    match node {
        Node::Constructed(tag, children) | Node::Indefinite(tag, children) => {
            Node::Indefinite(*tag, children.iter().map(without_lengths).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn every_length_may_be_left_out() {
    for (case, file, ring) in files() {
        let mut tree = Node::parse(&file);
        assert!(opens(&without_lengths(&tree).encode(), &case, &ring), "{} whole", case.id());
        let mut changed = 0;
        for path in tree.paths() {
            let node = tree.at(&path).clone();
            if !is_constructed(&node) {
                continue;
            }
            let Node::Constructed(tag, children) = node.clone() else { panic!("it is DER") };
            for other in [Node::Indefinite(tag, children), without_lengths(&node)] {
                let file = edited(&file, &path, |node| *node = other);
                assert!(opens(&file, &case, &ring), "{} {path:?}", case.id());
                changed += 1;
            }
        }
        assert!(changed > 20, "{changed}");
    }
}

/// The deepest element that is walked into, with those that are collected as long as their lengths are
/// not told.
#[test]
fn depth_is_counted_to_the_level() {
    for (case, file, _) in files() {
        let mut tree = without_lengths(&Node::parse(&file));
        let paths = tree.paths();
        let levels = paths.iter().filter(|path| is_constructed(tree.at(path)));
        let deepest = levels.map(|path| path.len() + 1).max().expect("there is a root");
        let file = tree.encode();
        for (depth, is_open) in [(deepest, true), (deepest - 1, false), (1, false)] {
            let limits = Limits { depth, ..Limits::default() };
            let mut ring = case.ring();
            ring.set_policy(OpenPolicy { limits, ..OpenPolicy::default() });
            match opened_every_way(&file, &ring) {
                Ok((plaintext, _)) => assert!(is_open && plaintext == case.plaintext()),
                Err(error) => {
                    assert!(!is_open, "{} {depth}: {error:?}", case.id());
                    let max = u64::try_from(depth).unwrap();
                    assert_eq!(error, Error::Limit { which: Limit::Depth, max });
                }
            }
        }
    }
}

/// A recipient whose length is not told is bounded as it comes.
#[test]
fn a_recipient_without_a_length_has_its_limit() {
    let case = case("openssl/gcm-rsa2048-aes256");
    let with_key = |len: usize| {
        edited(&case.message(), path::RECIPIENT, |recipient| {
            recipient.children()[3] = octets(vec![0x5a; len]);
            *recipient = without_lengths(recipient);
        })
    };
    let limit = Error::Limit { which: Limit::Recipient, max: 16 << 10 };
    assert_ne!(opened_every_way(&with_key(16_000), &case.ring()), Err(limit.clone()));
    for len in [16 << 10, 17_000, 1 << 20] {
        assert_eq!(opened_every_way(&with_key(len), &case.ring()), Err(limit.clone()), "{len}");
    }
}

/// An element that claims more than is left of what it stands in, be it a byte or all there could be.
#[test]
fn what_is_longer_than_its_place_is_refused_at_once() {
    const OVERRUN: &str = "an element is longer than what it stands in";
    for (case, file, ring) in files() {
        for inner in [path::RECIPIENTS, path::RECIPIENT, path::CONTENT_INFO, path::CONTENT] {
            let mut tree = Node::parse(&file);
            let node = tree.at(inner).encode();
            let body = match tree.at(inner) {
                Node::Primitive(_, body) => body.len(),
                other => other.children().iter().map(|child| child.encode().len()).sum(),
            };
            let all: usize = 1 << 40;
            for claimed in [file.len(), all, usize::MAX] {
                let longer = header(node[0], claimed);
                let replaced = [&longer, &node[node.len() - body..]].concat();
                let file = edited(&file, inner, |node| *node = Node::Raw(replaced));
                assert_eq!(malformed(&file, &ring), OVERRUN, "{} {inner:?} {claimed}", case.id());
            }
        }
        // The outermost one stands in nothing: what it claims is missing.
        let rest = &Node::parse(&file).children().iter().flat_map(Node::encode).collect::<Vec<_>>();
        let whole = |claimed| [&header(0x30, claimed), &rest[..]].concat();
        assert_eq!(malformed(&whole(file.len() + 9), &ring), "it ends too early");
        assert_eq!(malformed(&whole(usize::MAX), &ring), OVERRUN);
    }
}

#[test]
fn what_is_missing_or_too_much_is_named() {
    const OVERFULL: &str = "an element holds more than belongs there";
    const ABSENT: &str = "its content is not in it";
    for (case, file, ring) in files() {
        let shown =
            |path: &[usize], change: fn(&mut Node)| malformed(&edited(&file, path, change), &ring);
        let id = case.id();
        let more = |node: &mut Node| node.children().push(octets([1]));
        for place in [path::CONTENT_INFO, &[1], &[]] {
            assert_eq!(shown(place, more), OVERFULL, "{id} {place:?}");
        }
        assert_eq!(shown(path::RECIPIENTS, |set| set.children().clear()), "it has no recipients");
        assert_eq!(shown(path::CONTENT_INFO, |info| info.children().truncate(2)), ABSENT, "{id}");
        assert_eq!(shown(path::CONTENT, |content| *content = octets([1])), ABSENT, "{id}");
    }
}

/// Certificates of the originator stand before the recipients, and are passed over.
#[test]
fn originator_info_is_passed_over() {
    for (case, file, ring) in files() {
        let certificates =
            Node::Constructed(0xa0, vec![Node::Raw(case.certificate().der().to_vec())]);
        let info = Node::Constructed(0xa0, vec![certificates]);
        for info in [without_lengths(&info), info] {
            let file = edited(&file, path::ENVELOPED, |enveloped| {
                enveloped.children().insert(1, info);
            });
            assert!(opens(&file, &case, &ring), "{}", case.id());
        }
    }
}

/// Unprotected attributes are \[1\] and unauthenticated ones \[2\]: each in its own kind of file.
#[test]
fn attributes_stand_where_they_belong() {
    for (id, tag) in [("openssl/cms-p256-aes-256-cbc", 0xa1), ("openssl/gcm-rsa2048-aes256", 0xa2)]
    {
        let case = case(id);
        for other in [0xa0, 0xa1, 0xa2, 0xa3, 0x31] {
            let file = edited(&case.message(), path::ENVELOPED, |enveloped| {
                enveloped.children().push(Node::Constructed(other, vec![]));
            });
            assert_eq!(opens(&file, &case, &case.ring()), other == tag, "{id} {other:x}");
        }
    }
}

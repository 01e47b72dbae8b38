//! Real files, changed a little: bits, lengths, elements, object identifiers, encodings.

use super::support::der::{Node, element, oid};
use super::support::forge::Random;

/// Object identifiers to put in each other's places: ours, and what OpenSSL knows beside them.
const OIDS: [&str; 40] = [
    "1.2.840.113549.1.7.1",       // data
    "1.2.840.113549.1.7.2",       // signedData
    "1.2.840.113549.1.7.3",       // envelopedData
    "1.2.840.113549.1.9.16.1.23", // authEnvelopedData
    "1.2.840.113549.1.9.16.1.9",  // compressedData
    "1.2.840.113549.1.1.1",       // rsaEncryption
    "1.2.840.113549.1.1.7",       // RSAES-OAEP
    "1.2.840.113549.1.1.8",       // MGF1
    "1.2.840.113549.1.1.9",       // pSpecified
    "1.2.840.10045.2.1",          // ecPublicKey
    "1.2.840.10045.3.1.7",        // P-256
    "1.3.132.0.34",               // P-384
    "1.3.132.0.10",               // secp256k1
    "1.3.101.110",                // X25519
    "1.3.14.3.2.26",              // SHA-1
    "2.16.840.1.101.3.4.2.1",     // SHA-256
    "2.16.840.1.101.3.4.2.3",     // SHA-512
    "1.3.133.16.840.63.0.2",      // stdDH, SHA-1
    "1.3.132.1.11.1",             // stdDH, SHA-256
    "1.3.132.1.11.2",             // stdDH, SHA-384
    "1.3.133.16.840.63.0.3",      // cofactorDH, SHA-1
    "1.3.132.1.14.1",             // cofactorDH, SHA-256
    "1.3.132.1.15.1",             // mqv, SHA-256
    "2.16.840.1.101.3.4.1.5",     // AES-128 wrap
    "2.16.840.1.101.3.4.1.25",    // AES-192 wrap
    "2.16.840.1.101.3.4.1.45",    // AES-256 wrap
    "2.16.840.1.101.3.4.1.48",    // AES-256 wrap with padding
    "1.2.840.113549.1.9.16.3.6",  // triple DES wrap
    "2.16.840.1.101.3.4.1.2",     // AES-128-CBC
    "2.16.840.1.101.3.4.1.22",    // AES-192-CBC
    "2.16.840.1.101.3.4.1.42",    // AES-256-CBC
    "2.16.840.1.101.3.4.1.6",     // AES-128-GCM
    "2.16.840.1.101.3.4.1.46",    // AES-256-GCM
    "2.16.840.1.101.3.4.1.41",    // AES-256-ECB
    "2.16.840.1.101.3.4.1.43",    // AES-256-OFB
    "2.16.840.1.101.3.4.1.44",    // AES-256-CFB
    "2.16.840.1.101.3.4.1.47",    // AES-256-CCM
    "1.2.840.113549.3.7",         // triple DES, CBC
    "1.2.840.113549.3.2",         // RC2-CBC
    "1.2.840.113549.1.9.3",       // contentType
];

/// One or two changes, and their names.
pub(crate) fn mutated(file: &[u8], pool: &[Node], random: &mut Random) -> (Vec<u8>, String) {
    let mut tree = Node::parse(file);
    let mut names = Vec::new();
    for _ in 0..=random.below(2) {
        if random.below(10) < 7 {
            names.push(change_tree(&mut tree, pool, random));
        }
    }
    let mut bytes = tree.encode();
    if names.is_empty() || random.below(8) == 0 {
        names.push(change_bytes(&mut bytes, random));
    }
    (bytes, names.join(", "))
}

fn change_tree(tree: &mut Node, pool: &[Node], random: &mut Random) -> String {
    let paths = tree.paths();
    let path = &paths[random.below(paths.len())];
    let (name, is_done) = match random.below(12) {
        0 => ("removed", remove(tree, path)),
        1 => ("doubled", double(tree, path)),
        2 => ("exchanged", exchange(tree, path, random)),
        3 => ("from another file", replace(tree, path, pool[random.below(pool.len())].clone())),
        4 | 5 => ("another oid", another_oid(tree, &paths, random)),
        6 => ("indefinite", indefinite(tree.at(path))),
        7 => ("in pieces", in_pieces(tree.at(path), random)),
        8 => ("a long length", long_length(tree.at(path), random)),
        9 => ("another tag", another_tag(tree.at(path), random)),
        10 => ("another body", another_body(tree.at(path), random)),
        _ => ("inserted", insert(tree, path, pool[random.below(pool.len())].clone())),
    };
    format!("{name}{} at {path:?}", if is_done { "" } else { " (nothing)" })
}

fn children<'a>(tree: &'a mut Node, path: &[usize]) -> Option<(&'a mut Vec<Node>, usize)> {
    let (&place, parent) = path.split_last()?;
    Some((tree.at(parent).children(), place))
}

fn remove(tree: &mut Node, path: &[usize]) -> bool {
    children(tree, path).map(|(all, place)| all.remove(place)).is_some()
}

fn double(tree: &mut Node, path: &[usize]) -> bool {
    children(tree, path).map(|(all, place)| all.insert(place, all[place].clone())).is_some()
}

fn exchange(tree: &mut Node, path: &[usize], random: &mut Random) -> bool {
    let Some((all, place)) = children(tree, path) else { return false };
    let other = random.below(all.len());
    all.swap(place, other);
    true
}

fn replace(tree: &mut Node, path: &[usize], by: Node) -> bool {
    children(tree, path).map(|(all, place)| all[place] = by).is_some()
}

fn insert(tree: &mut Node, path: &[usize], new: Node) -> bool {
    children(tree, path).map(|(all, place)| all.insert(place, new)).is_some()
}

fn another_oid(tree: &mut Node, paths: &[Vec<usize>], random: &mut Random) -> bool {
    let is_oid = |path: &&Vec<usize>| matches!(tree.clone().at(path), Node::Primitive(6, _));
    let all: Vec<_> = paths.iter().filter(is_oid).collect();
    if all.is_empty() {
        return false;
    }
    *tree.at(all[random.below(all.len())]) = oid(OIDS[random.below(OIDS.len())]);
    true
}

fn indefinite(node: &mut Node) -> bool {
    let Node::Constructed(tag, children) = node else { return false };
    *node = Node::Indefinite(*tag, std::mem::take(children));
    true
}

/// A string as a constructed one. Implicitly tagged strings have pieces under the universal tag.
fn in_pieces(node: &mut Node, random: &mut Random) -> bool {
    let Node::Primitive(tag, body) = node else { return false };
    let len = 1 + random.below(body.len().max(1));
    let pieces = body.chunks(len).map(|piece| Node::Primitive(4, piece.to_vec())).collect();
    *node = match random.below(2) {
        0 => Node::Constructed(*tag | 0x20, pieces),
        _ => Node::Indefinite(*tag | 0x20, pieces),
    };
    true
}

/// A length in more octets than it needs.
fn long_length(node: &mut Node, random: &mut Random) -> bool {
    let (tag, body) = match node {
        Node::Primitive(tag, body) => (*tag, body.clone()),
        Node::Constructed(tag, children) => {
            (*tag, children.iter().flat_map(Node::encode).collect())
        }
        _ => return false,
    };
    let octets = body.len().to_be_bytes();
    let count = 3 + random.below(6);
    let first = 0x80 | u8::try_from(count).expect("it is small");
    *node = Node::Raw([&[tag, first], &octets[8 - count..], &body].concat());
    true
}

fn another_tag(node: &mut Node, random: &mut Random) -> bool {
    const TAGS: [u8; 14] =
        [0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x24, 0x30, 0x31, 0x80, 0xa0, 0xa1, 0xa2, 0xa3];
    let encoded = node.encode();
    let tag = TAGS[random.below(TAGS.len())];
    *node = Node::Raw([&[tag], &encoded[1..]].concat());
    encoded[0] != tag
}

fn another_body(node: &mut Node, random: &mut Random) -> bool {
    let Node::Primitive(tag, body) = node else { return false };
    match random.below(6) {
        0 => body.clear(),
        1 => drop(body.pop()),
        2 => body.push(random.next().to_be_bytes()[0]),
        3 => body.insert(0, 0),
        4 => *body = random.bytes(body.len()),
        _ => {
            let bytes = random.bytes(random.clone().below(40));
            *node = Node::Raw(element(*tag, &bytes));
        }
    }
    true
}

fn change_bytes(bytes: &mut Vec<u8>, random: &mut Random) -> String {
    // Most of what decides stands before and behind the content.
    let at = match random.below(4) {
        0 => bytes.len() - 1 - random.below(bytes.len().min(60)),
        1 => random.below(bytes.len()),
        _ => random.below(bytes.len().min(700)),
    };
    let name = match random.below(8) {
        0..=2 => {
            bytes[at] ^= 1 << random.below(8);
            "a bit"
        }
        3 => {
            bytes[at] = random.next().to_be_bytes()[0];
            "a byte"
        }
        4 => {
            bytes[at] = bytes[at].wrapping_add(if random.below(2) == 0 { 1 } else { 255 });
            "one more or less"
        }
        5 => {
            bytes.truncate(at);
            "cut"
        }
        6 => {
            bytes.extend(random.bytes(1 + random.clone().below(20)));
            "longer"
        }
        _ => {
            drop(bytes.drain(at..(at + 1 + random.below(20)).min(bytes.len())));
            "bytes removed"
        }
    };
    format!("{name} at {at}")
}

//! Changes of an envelope's tree, as the fuzzer chooses them; lengths follow by themselves, unless a
//! length is what is changed.

use crate::choices::Choices;
use crate::support::der::{Node, element, oid};

/// Object identifiers to put in each other's places.
const OIDS: [&str; 24] = [
    "1.2.840.113549.1.7.1",
    "1.2.840.113549.1.7.3",
    "1.2.840.113549.1.9.16.1.23",
    "1.2.840.113549.1.1.1",
    "1.2.840.113549.1.1.7",
    "1.2.840.113549.1.1.8",
    "1.2.840.10045.2.1",
    "1.2.840.10045.3.1.7",
    "1.3.132.0.34",
    "1.3.132.0.35",
    "1.3.101.110",
    "2.16.840.1.101.3.4.2.1",
    "2.16.840.1.101.3.4.2.3",
    "1.3.132.1.11.1",
    "1.3.132.1.14.3",
    "1.2.840.113549.1.9.16.3.19",
    "1.2.840.113549.1.9.16.3.31",
    "1.2.840.113549.1.9.16.3.6",
    "2.16.840.1.101.3.4.1.5",
    "2.16.840.1.101.3.4.1.45",
    "2.16.840.1.101.3.4.1.2",
    "2.16.840.1.101.3.4.1.42",
    "2.16.840.1.101.3.4.1.46",
    "1.2.840.113549.3.7",
];

/// Changes one node.
pub(crate) fn change(tree: &mut Node, choices: &mut Choices<'_>) {
    let paths = tree.paths();
    let path = choices.one_of(&paths);
    let what = choices.byte() % 12;
    let Some((&place, parent)) = path.split_last() else { return };
    match what {
        0 => drop(tree.at(parent).children().remove(place)),
        1 => {
            let twin = tree.at(path).clone();
            tree.at(parent).children().insert(place, twin);
        }
        2 => {
            let children = tree.at(parent).children();
            let other = choices.below(children.len());
            children.swap(place, other);
        }
        3 => {
            let other: &Vec<usize> = choices.one_of(&paths);
            let other = tree.at(other).clone();
            *tree.at(path) = other;
        }
        4 => {
            let is_oid =
                |path: &&Vec<usize>| matches!(tree.clone().at(path), Node::Primitive(6, _));
            let all: Vec<&Vec<usize>> = paths.iter().filter(is_oid).collect();
            if !all.is_empty() {
                let other: &&Vec<usize> = choices.one_of(&all);
                let new: &&str = choices.one_of(&OIDS);
                *tree.at(other) = oid(new);
            }
        }
        5 => {
            if let Node::Primitive(_, body) = tree.at(path) {
                *body = choices.few().to_vec();
            }
        }
        6 => {
            if let Node::Primitive(_, body) = tree.at(path)
                && !body.is_empty()
            {
                let at = choices.below(body.len());
                body[at] = choices.byte();
            }
        }
        7 => {
            if let Node::Constructed(tag, children) = tree.at(path) {
                *tree.at(path) = Node::Indefinite(*tag, children.clone());
            }
        }
        8 => in_pieces(tree.at(path), choices),
        9 => {
            let encoded = tree.at(path).encode();
            *tree.at(path) = Node::Raw([&[choices.byte()], &encoded[1..]].concat());
        }
        10 => another_length(tree.at(path), choices),
        _ => *tree.at(path) = Node::Raw(element(choices.byte(), choices.few())),
    }
}

/// A string, or what once was one, as a constructed string.
fn in_pieces(node: &mut Node, choices: &mut Choices<'_>) {
    let Node::Primitive(tag, body) = node else { return };
    let len = choices.below(64) + 1;
    let pieces: Vec<Node> = body.chunks(len).map(|p| Node::Primitive(4, p.to_vec())).collect();
    *node = match choices.flag() {
        true => Node::Constructed(*tag | 0x20, pieces),
        false => Node::Indefinite(*tag | 0x20, vec![Node::Constructed(0x24, pieces)]),
    };
}

/// A length in any number of octets, right or not.
fn another_length(node: &mut Node, choices: &mut Choices<'_>) {
    let (tag, body) = match node {
        Node::Primitive(tag, body) => (*tag, body.clone()),
        Node::Constructed(tag, children) => {
            (*tag, children.iter().flat_map(Node::encode).collect())
        }
        _ => return,
    };
    let octets = choices.byte() % 9;
    let mut length = body.len().to_be_bytes();
    if choices.flag() {
        length[choices.below(8)] ^= choices.byte();
    }
    let length = &length[8 - usize::from(octets)..];
    *node = Node::Raw([&[tag, 0x80 | octets], length, &body].concat());
}

//! A5: every node of an envelope deleted, emptied, doubled and exchanged.

use super::support::corpus::cases;
use super::support::der::Node;
use super::support::{at_once, every_way};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One file of each kind of recipient, curve, content and container.
const SEEDS: [(&str, &str); 14] = [
    ("corpus", "openssl/enc-smime-rsa2048-der"),
    ("corpus", "openssl/gcm-rsa2048-aes256"),
    ("corpus", "openssl/oaep-sha256-mgf-sha512"),
    ("corpus", "openssl/cms-p256-aes-256-cbc"),
    ("corpus", "openssl/size-p256-gcm-p17"),
    ("corpus", "openssl/cms-p384-aes-256-cbc"),
    ("corpus", "openssl/recips-5-mixed-p256-last"),
    ("corpus", "openssl/mixed-kek-pwri-p256"),
    ("corpus", "bc/ukm-p256"),
    ("corpus", "bc/ka-p256-3deswrap"),
    ("corpus", "bc/one-kari-several-keys-last"),
    ("corpus", "bc/gcm-auth-and-unauth-attrs-p256"),
    ("corpus-modern", "bc-1.86/x25519-mixed"),
    ("corpus-modern", "bc-1.86/cekhkdf-x25519-cbc"),
];

/// The damaged files of one seed, with what was done.
fn damaged(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let tree = Node::parse(file);
    let mut all = Vec::new();
    let mut add = |what: &str, path: &[usize], change: &dyn Fn(&mut Node)| {
        let mut tree = tree.clone();
        change(&mut tree);
        let encoded = tree.encode();
        if encoded != file {
            all.push((format!("{what} {path:?}"), encoded));
        }
    };
    for path in tree.paths() {
        add("emptied", &path, &|tree| match tree.at(&path) {
            Node::Primitive(_, body) => body.clear(),
            node => node.children().clear(),
        });
        let Some((&place, parent)) = path.split_last() else { continue };
        add("deleted", &path, &|tree| {
            tree.at(parent).children().remove(place);
        });
        add("doubled", &path, &|tree| {
            let node = tree.at(&path).clone();
            tree.at(parent).children().insert(place, node);
        });
        for other in 0..place {
            add("exchanged", &path, &|tree| tree.at(parent).children().swap(place, other));
        }
    }
    all
}

#[test]
fn a05_every_node_deleted_emptied_doubled_exchanged() {
    let (mut files, mut opened, mut panics) = (0, 0, 0);
    for (corpus, id) in SEEDS {
        let case = cases(corpus).into_iter().find(|case| case.id() == id).expect(id);
        let (file, ring) = (case.message(), case.ring());
        assert_eq!(at_once(&file, &ring).map(|(text, _)| text), Ok(case.plaintext()), "{id}");
        for (what, damaged) in damaged(&file) {
            files += 1;
            let verdict = catch_unwind(AssertUnwindSafe(|| match files % 8 {
                0 => every_way(&damaged, &ring),
                _ => Ok(at_once(&damaged, &ring)),
            }));
            match verdict {
                Ok(Ok(Ok((text, _)))) => {
                    assert_eq!(text, case.plaintext(), "{id}: {what}");
                    opened += 1;
                }
                Ok(Ok(Err(error))) => {
                    assert!((100..=160).contains(&error.code()), "{id}: {what}: {error:?}");
                }
                Ok(Err(disagreement)) => panic!("{id}: {what}: {disagreement}"),
                Err(_) => panics += 1,
            }
        }
    }
    println!("A5: {files} files, {opened} give the right plaintext, {panics} panics");
    assert!(files >= 2000, "{files}");
    assert!(opened > 0 && panics == 0, "{opened} {panics}");
}

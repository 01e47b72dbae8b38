//! Algorithms and their parameters: what is wrong in them is refused before a key is used.

mod support;

use sdi::Error;
use std::sync::Arc;
use support::corpus::{Case, case, ring_of};
use support::der::{Node, edited, element, integer, null, octets, oid, path, sequence};
use support::keys::{Device, Recording};
use support::watched::Watched;
use support::{gcm, opened_every_way};

const RSA_GCM: &str = "openssl/gcm-rsa2048-aes256";
const EC_GCM: &str = "openssl/size-p256-gcm-p17";
const RSA_CBC: &str = "openssl/enc-smime-rsa2048-der";
const EC_CBC: &str = "openssl/cms-p256-aes-256-cbc";
const OAEP: &str = "openssl/oaep-sha256-mgf-sha512";

#[test]
fn a01_nonce_length_sweep() {
    let file = Watched::new(RSA_GCM);
    let recording = Arc::new(Recording::new(file.case.key()));
    let device = Device { key: Arc::clone(&recording) as _, certificate: file.case.certificate() };
    assert!(sdi::open(&file.file, &device.ring()).is_ok());
    let (key, plaintext) = (recording.pkcs1_message(), file.case.plaintext());
    for length in 0..=4096 {
        let nonce = vec![0xa5; length];
        let (ciphertext, tag) = gcm::seal(&key, &nonce, &plaintext);
        let mut tree = Node::parse(&file.file);
        *tree.at(path::GCM_PARAMETERS) = sequence([octets(nonce), integer(16)]);
        *tree.at(path::CONTENT).body() = ciphertext;
        *tree.at(path::MAC).body() = tag.to_vec();
        match length {
            12 => file.assert_opens(&tree.encode()),
            // The ways agree at some lengths; they need not all be asked.
            0..=64 | 255..=257 | 4096 => {
                file.assert_unsupported(&tree.encode(), &format!("nonce of {length}"));
            }
            _ => {
                let error = sdi::open(&tree.encode(), &file.ring).unwrap_err();
                assert!(matches!(error, Error::Unsupported(_)), "nonce of {length}: {error:?}");
            }
        }
    }
    assert_eq!(file.log.take(), [""; 0]);
}

#[test]
fn a01_gcm_parameters_of_another_kind() {
    for id in [RSA_GCM, EC_GCM] {
        let file = Watched::new(id);
        let deep = (0..64).fold(null(), |inner, _| sequence([inner]));
        for parameters in
            [null(), integer(16), sequence([]), octets([0; 16]), octets([0; 12]), deep]
        {
            let what = format!("{parameters:?}");
            let damaged = edited(&file.file, path::GCM_PARAMETERS, |node| *node = parameters);
            file.assert_malformed(&damaged, &what);
        }
        let absent = edited(&file.file, path::CONTENT_ALGORITHM, |algorithm| {
            algorithm.children().truncate(1);
        });
        file.assert_malformed(&absent, "no parameters");
    }
}

#[test]
fn a02_tag_length_sweep() {
    let file = Watched::new(EC_GCM);
    let mut tree = Node::parse(&file.file);
    let nonce = tree.at(path::GCM_PARAMETERS).children()[0].clone();
    let tag = tree.at(path::MAC).body().clone();
    let (mut opened, mut files) = (Vec::new(), 0);
    for stated in [None].into_iter().chain((0..=17).map(Some)) {
        for length in 0..=32 {
            let parameters = [Some(nonce.clone()), stated.map(integer)].into_iter().flatten();
            *tree.at(path::GCM_PARAMETERS) = sequence(parameters.collect::<Vec<_>>());
            let true_tag = tag.iter().copied().chain([0; 16]).take(length);
            *tree.at(path::MAC).body() = true_tag.collect();
            let damaged = tree.encode();
            files += 1;
            if opened_every_way(&damaged, &file.ring).is_ok() {
                opened.push((stated, length));
                file.log.take();
            } else if stated.is_some_and(|stated| !(12..=16).contains(&stated)) {
                let error = file.refuses_unasked(&damaged, "a length that is none");
                assert!([110, 120].contains(&error.code()), "{stated:?} {length}: {error:?}");
            } else {
                // The tag comes last: a stream has used its key by then.
                let error = sdi::open(&damaged, &file.ring).unwrap_err();
                assert!(matches!(error, Error::Malformed(_)), "{stated:?} {length}: {error:?}");
                file.log.take();
            }
        }
    }
    assert_eq!(files, 627);
    let allowed = [(None, 12), (Some(12), 12), (Some(13), 13), (Some(14), 14), (Some(15), 15)];
    assert_eq!(opened, [allowed.as_slice(), &[(Some(16), 16)]].concat());
}

#[test]
fn a02_ciphers_in_the_wrong_container() {
    let iv = || octets([0; 16]);
    let not_authenticated = [
        ("2.16.840.1.101.3.4.1.2", iv()),       // AES-128-CBC
        ("2.16.840.1.101.3.4.1.42", iv()),      // AES-256-CBC
        ("2.16.840.1.101.3.4.1.43", iv()),      // AES-256-OFB
        ("2.16.840.1.101.3.4.1.44", iv()),      // AES-256-CFB
        ("1.2.840.113549.3.7", octets([0; 8])), // triple DES
    ];
    let aead = || sequence([octets([0; 12]), integer(16)]);
    let authenticated = [
        ("2.16.840.1.101.3.4.1.6", aead()),              // AES-128-GCM
        ("2.16.840.1.101.3.4.1.46", aead()),             // AES-256-GCM
        ("2.16.840.1.101.3.4.1.47", aead()),             // AES-256-CCM
        ("1.2.840.113549.1.9.16.3.18", octets([0; 12])), // ChaCha20-Poly1305
    ];
    for (id, wrong) in [
        (RSA_GCM, not_authenticated.as_slice()),
        (EC_GCM, &not_authenticated),
        (RSA_GCM, &authenticated[2..]),
        (RSA_CBC, &authenticated),
        (EC_CBC, &authenticated),
        (EC_CBC, &not_authenticated[2..4]),
    ] {
        let file = Watched::new(id);
        for (cipher, parameters) in wrong {
            let damaged = edited(&file.file, path::CONTENT_ALGORITHM, |algorithm| {
                *algorithm = sequence([oid(cipher), parameters.clone()]);
            });
            file.assert_unsupported(&damaged, &format!("{cipher} in {id}"));
        }
    }
}

/// OAEP never falls back to PKCS#1 v1.5; inside its parameters NULL and absent are the same.
#[test]
fn a05_oaep_parameters() {
    let file = Watched::new(OAEP);
    let with = |parameters: Vec<Node>| {
        edited(&file.file, path::TRANSPORT, |algorithm| {
            algorithm.children().truncate(1);
            algorithm.children().extend(parameters);
        })
    };
    let hash = |dotted: &str, parameters: &[Node]| {
        Node::Constructed(0xa0, vec![sequence([&[oid(dotted)], parameters].concat())])
    };
    let mask = |parameters: &[Node]| {
        let inner = sequence([&[oid("2.16.840.1.101.3.4.2.3")], parameters].concat());
        Node::Constructed(0xa1, vec![sequence([oid("1.2.840.113549.1.1.8"), inner])])
    };
    const SHA256: &str = "2.16.840.1.101.3.4.2.1";
    for in_hash in [vec![], vec![null()]] {
        for in_mask in [vec![], vec![null()]] {
            let parameters = sequence([hash(SHA256, &in_hash), mask(&in_mask)]);
            file.assert_opens(&with(vec![parameters]));
        }
    }
    for (what, parameters) in [
        ("absent", vec![]),
        ("NULL", vec![null()]),
        ("a string", vec![octets(*b"garbage")]),
        ("text inside", vec![sequence([octets(*b"garbage")])]),
        ("hash twice", vec![sequence([hash(SHA256, &[]), hash(SHA256, &[]), mask(&[])])]),
        ("wrong order", vec![sequence([mask(&[]), hash(SHA256, &[])])]),
        ("an INTEGER in the hash", vec![sequence([hash(SHA256, &[integer(1)]), mask(&[])])]),
        ("no hash in the hash", vec![sequence([Node::Constructed(0xa0, vec![]), mask(&[])])]),
    ] {
        file.assert_malformed(&with(parameters), what);
    }
    let unknown = sequence([hash("2.16.840.1.101.3.4.2.99", &[]), mask(&[])]);
    file.assert_unsupported(&with(vec![unknown]), "an unknown hash");
}

/// RFC 8017 has NULL there, others leave it out; what else stands there is no PKCS#1 v1.5.
#[test]
fn a05_pkcs1_has_no_parameters() {
    let file = Watched::new(RSA_CBC);
    let with = |parameters: &[Node]| {
        edited(&file.file, path::TRANSPORT, |algorithm| {
            algorithm.children().truncate(1);
            algorithm.children().extend_from_slice(parameters);
        })
    };
    for good in [&[][..], &[null()]] {
        file.assert_opens(&with(good));
    }
    for bad in [sequence([]), octets([]), integer(0), Node::Primitive(0x05, vec![0])] {
        file.assert_malformed(&with(&[bad]), "parameters");
    }
}

/// A label comes with the file, or not at all.
#[test]
fn a05_other_sources_of_a_label() {
    let file = Watched::new("openssl/oaep-label");
    let source = Node::parse(&file.file).at(path::TRANSPORT).at(&[1]).children().len() - 1;
    let place = [path::TRANSPORT, &[1, source, 0, 0]].concat();
    let other = edited(&file.file, &place, |source| *source = oid("1.2.840.113549.1.1.99"));
    file.assert_unsupported(&other, "another source");
}

#[test]
fn a06_padded_key_wrap_is_unsupported() {
    let file = Watched::new(EC_CBC);
    for padded in ["2.16.840.1.101.3.4.1.8", "2.16.840.1.101.3.4.1.28", "2.16.840.1.101.3.4.1.48"] {
        let wrap = [path::AGREEMENT, &[1, 0]].concat();
        let damaged = edited(&file.file, &wrap, |algorithm| *algorithm = oid(padded));
        file.assert_unsupported(&damaged, padded);
    }
    let wrapped = [path::WRAPPED_KEYS, &[0, 1]].concat();
    for length in [0, 8, 16, 24, 32, 39, 41, 48] {
        let damaged = edited(&file.file, &wrapped, |key| {
            *key.body() = key.body().iter().copied().cycle().take(length).collect();
        });
        let error = opened_every_way(&damaged, &file.ring).unwrap_err();
        assert!([110, 140].contains(&error.code()), "{length}: {error:?}");
    }
    let zero = edited(&file.file, &wrapped, |key| key.body().fill(0));
    assert_eq!(opened_every_way(&zero, &file.ring), Err(Error::Decrypt));
}

/// An OID that nobody knows, at every place where one stands.
#[test]
fn a17_unknown_oids() {
    const NOBODY: &str = "1.3.6.1.4.1.99999.1";
    let named = |file: &Watched, place: &[usize]| {
        let damaged = edited(&file.file, place, |node| {
            assert!(matches!(node, Node::Primitive(0x06, _)), "{place:?}");
            *node = oid(NOBODY);
        });
        let text = match file.refuses_unasked(&damaged, &format!("{place:?}")) {
            error @ Error::Unsupported(_) => error.to_string(),
            error => panic!("{place:?}: {error:?}"),
        };
        assert!(text.contains(NOBODY), "{place:?}: {text}");
    };
    let below = |path: &[usize], more: &[usize]| [path, more].concat();
    let rsa = Watched::new(RSA_CBC);
    named(&rsa, &below(path::CONTENT_INFO, &[0])); // inner content type
    named(&rsa, &below(path::CONTENT_ALGORITHM, &[0]));
    named(&rsa, &below(path::TRANSPORT, &[0]));
    let ec = Watched::new(EC_GCM);
    named(&ec, &below(path::CONTENT_ALGORITHM, &[0]));
    named(&ec, &below(path::AGREEMENT, &[0]));
    named(&ec, &below(path::AGREEMENT, &[1, 0])); // key wrap
    let oaep = Watched::new(OAEP);
    named(&oaep, &below(path::TRANSPORT, &[1, 0, 0, 0])); // hash
    named(&oaep, &below(path::TRANSPORT, &[1, 1, 0, 0])); // mask
    named(&oaep, &below(path::TRANSPORT, &[1, 1, 0, 1, 0])); // the mask's hash
    let other_type = edited(&rsa.file, &[0], |node| *node = oid(NOBODY));
    let error = rsa.refuses_unasked(&other_type, "outer content type");
    assert!([100, 120].contains(&error.code()), "{error:?}");
}

/// Other recipients are passed over by their length; their inside is never read.
#[test]
fn a07_other_recipients_are_passed_over() {
    let file = Watched::new(EC_GCM);
    let noise: Vec<u8> = (0..=255).rev().collect();
    let strangers = [0xa2, 0xa3, 0xa4].map(|tag| Node::Raw(element(tag, &noise)));
    let beside = edited(&file.file, path::RECIPIENTS, |set| {
        set.children().splice(0..0, strangers.clone());
        set.children().extend(strangers.clone());
    });
    file.assert_opens(&beside);
    let alone = edited(&file.file, path::RECIPIENTS, |set| *set.children() = strangers.to_vec());
    match file.refuses_unasked(&alone, "only others") {
        Error::NotForThisDevice(strangers) => assert_eq!(strangers.total(), 3),
        error => panic!("{error:?}"),
    }
}

#[test]
fn a13_every_bit_of_the_tag_counts() {
    let mut refused = 0;
    for size in ["p0", "p1", "p16", "p64k"] {
        let case = case(&format!("openssl/size-p256-gcm-{size}"));
        let (file, ring) = (case.message(), case.ring());
        assert_eq!(sdi::open(&file, &ring).unwrap().plaintext(), case.plaintext());
        for bit in 0..128 {
            let damaged = edited(&file, path::MAC, |tag| tag.body()[bit / 8] ^= 1 << (bit % 8));
            assert_eq!(sdi::open(&damaged, &ring).unwrap_err(), Error::Decrypt);
            let (streamed, _) = support::streamed(&damaged, &ring, 4096).unwrap();
            assert_eq!(streamed, Err(Error::Decrypt));
            refused += 1;
        }
    }
    assert_eq!(refused, 512);
}

/// The content may be cut into pieces in any way.
#[test]
fn a20_content_in_pieces() {
    for id in [EC_GCM, EC_CBC] {
        let file = Watched::new(id);
        let whole = Node::parse(&file.file).at(path::CONTENT).body().clone();
        for size in [1, 15, 16, 1000] {
            let pieces: Vec<Node> = whole.chunks(size).map(octets).collect();
            let with_empty = [&[octets([])], pieces.as_slice(), &[octets([]), octets([])]].concat();
            let inside = vec![Node::Constructed(0x24, pieces.clone()), octets([])];
            let inside_indefinite = vec![Node::Indefinite(0x24, pieces.clone())];
            for content in [
                Node::Constructed(0xa0, pieces.clone()),
                Node::Indefinite(0xa0, pieces),
                Node::Constructed(0xa0, with_empty),
                Node::Constructed(0xa0, inside),
                Node::Indefinite(0xa0, inside_indefinite),
            ] {
                file.assert_opens(&edited(&file.file, path::CONTENT, |node| *node = content));
            }
        }
        for wrong in [null(), Node::Primitive(0xa0, whole.clone()), sequence([octets(whole)])] {
            let damaged = edited(&file.file, path::CONTENT, |node| {
                *node = Node::Constructed(0xa0, vec![wrong]);
            });
            let error = opened_every_way(&damaged, &file.ring).unwrap_err();
            assert!(matches!(error, Error::Malformed(_)), "{error:?}");
        }
    }
}

/// The parameters of the key wrap enter the key derivation as they stand in the message.
#[test]
fn a20_key_wrap_parameters_are_part_of_the_key() {
    let file = Watched::new(EC_GCM);
    let wrap = [path::AGREEMENT, &[1]].concat();
    let added = edited(&file.file, &wrap, |algorithm| algorithm.children().push(null()));
    assert_eq!(opened_every_way(&added, &file.ring), Err(Error::Decrypt));
    let cases = support::corpus::cases("corpus");
    let has_null = |case: &&Case| {
        let file = case.message();
        let mut tree = Node::parse(&file);
        tree.at(&wrap).children().len() == 2
    };
    let with_null = cases
        .iter()
        .filter(|case| case.id().starts_with("bc/ka-p256") && case.text("encoding") == Some("DER"))
        .filter(|case| case.text("has_ukm").is_none() && case.text("expect") == Some("ok"))
        .find(has_null)
        .expect("Bouncy Castle writes NULL");
    let (file, ring) = (with_null.message(), ring_of(with_null.device().identity()));
    assert_eq!(opened_every_way(&file, &ring).unwrap().0, with_null.plaintext());
    let removed = edited(&file, &wrap, |algorithm| algorithm.children().truncate(1));
    assert_eq!(opened_every_way(&removed, &ring), Err(Error::Decrypt));
}

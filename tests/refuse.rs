//! Damaged files. Beside each stands its whole twin, which opens.

mod support;

use sdi::{Damage, Detection, Error, Hint, KeyRing, detect};
use std::panic::{AssertUnwindSafe, catch_unwind};
use support::corpus::{Case, case};
use support::der::{Node, edited, oid, path, sequence, set};
use support::{at_once, detected, every_way, opened_every_way, streamed};

/// One file of each form: DER for an RSA key, DER with AES-GCM, PEM with AES-GCM, S/MIME.
const DER_RSA: &str = "openssl/enc-smime-rsa2048-der";
const DER_GCM: &str = "openssl/size-p256-gcm-p17";
const PEM_GCM: &str = "openssl/gcm-p256-pem";
const SMIME: &str = "openssl/enc-cms-p256-smime";

const MAGIC: &[u8] = b"\x89SDI\r\n\x1a\n";

/// A case whose file opens: the control of its test.
fn control(id: &str) -> (Case, Vec<u8>, KeyRing) {
    let case = case(id);
    let (file, ring) = (case.message(), case.ring());
    assert_opens(&file, &case, &ring);
    (case, file, ring)
}

fn assert_opens(file: &[u8], case: &Case, ring: &KeyRing) {
    match opened_every_way(file, ring) {
        Ok((plaintext, _)) => assert_eq!(plaintext, case.plaintext(), "{}", case.id()),
        Err(error) => panic!("{}: {error:?}", case.id()),
    }
}

fn assert_malformed(file: &[u8], ring: &KeyRing, damage: &str) {
    let verdict = opened_every_way(file, ring);
    assert!(matches!(verdict, Err(Error::Malformed(_))), "{damage}: {verdict:?}");
}

/// Cuts at every byte. What is left is refused, and never looks plain while more may come.
fn truncate_everywhere(id: &str) {
    let (case, file, ring) = control(id);
    for cut in 0..file.len() {
        let (part, lost) = file.split_at(cut);
        if lost.trim_ascii().is_empty() {
            assert_opens(part, &case, &ring);
            continue;
        }
        let verdict = at_once(part, &ring);
        let (stream, _) = streamed(part, &ring, 64).expect("it stays in its error");
        assert_eq!(stream, verdict, "{id} cut to {cut}");
        assert!(matches!(verdict, Err(Error::Malformed(_))), "{id} cut to {cut}: {verdict:?}");
        let more_may_come = detect(None, part, Hint::default());
        let fits = matches!(more_may_come, Detection::NeedMore | Detection::Enveloped(_));
        assert!(fits, "{id} cut to {cut}: {more_may_come:?}");
        let named = detect(Some(b"router.enc"), part, Hint { at_end: true, ..Hint::default() });
        let fits = !matches!(named, Detection::NeedMore | Detection::Plain);
        assert!(fits, "{id} cut to {cut}, named .enc: {named:?}");
    }
}

#[test]
fn truncated_der_is_refused() {
    truncate_everywhere(DER_RSA);
    truncate_everywhere(DER_GCM);
}

#[test]
fn truncated_text_is_refused() {
    truncate_everywhere(PEM_GCM);
    truncate_everywhere(SMIME);
}

/// Flips bits everywhere. Nothing panics, all ways agree, and what is authenticated comes back as it
/// was or not at all.
fn flip_everywhere(id: &str, bits: usize) {
    let (case, mut file, ring) = control(id);
    let is_authenticated =
        at_once(&file, &ring).is_ok_and(|(_, summary)| summary.is_authenticated());
    let mut refused = 0;
    for place in 0..file.len() {
        for bit in 0..bits {
            let flip = 1 << ((place + bit) % 8);
            file[place] ^= flip;
            let opened = catch_unwind(AssertUnwindSafe(|| {
                if bit == 0 { every_way(&file, &ring) } else { Ok(at_once(&file, &ring)) }
            }));
            let where_ = format!("{id}: byte {place}, bit {flip:02x}");
            match opened.unwrap_or_else(|_| panic!("{where_}: panic")) {
                Ok(Ok((plaintext, _))) if is_authenticated => {
                    assert_eq!(plaintext, case.plaintext(), "{where_}");
                }
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    assert!((100..=160).contains(&error.code()), "{where_}: {error:?}");
                    refused += 1;
                }
                Err(disagreement) => panic!("{where_}: {disagreement}"),
            }
            file[place] ^= flip;
        }
    }
    assert!(refused > file.len() / 2, "{id}: {refused} refusals");
}

#[test]
fn flipped_bits_in_der() {
    flip_everywhere(DER_GCM, 8);
}

#[test]
fn flipped_bits_in_der_for_rsa() {
    flip_everywhere(DER_RSA, 1);
}

#[test]
fn flipped_bits_in_pem() {
    flip_everywhere(PEM_GCM, 8);
}

#[test]
fn flipped_bits_in_smime() {
    flip_everywhere(SMIME, 2);
}

/// The forms of one file.
fn forms() -> (Case, KeyRing, Vec<(&'static str, Vec<u8>)>) {
    let (case, der, ring) = control(DER_GCM);
    let base64 = support::base64(&der);
    let forms = vec![
        ("PEM", format!("-----BEGIN CMS-----\n{base64}-----END CMS-----\n").into_bytes()),
        ("base64", base64.clone().into_bytes()),
        (
            "S/MIME",
            format!(
                "Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data\n\
                 Content-Transfer-Encoding: base64\n\n{base64}"
            )
            .into_bytes(),
        ),
        ("magic", [MAGIC, &der].concat()),
        ("DER", der),
    ];
    (case, ring, forms)
}

/// Editors, TFTP and flash blocks add white space and runs of 00 or FF. Nothing else may follow.
#[test]
fn only_padding_may_follow_a_file() {
    let (case, ring, forms) = forms();
    for (form, file) in forms {
        for tail in
            [b"\n".to_vec(), b"\r\n\r\n \t\n".to_vec(), vec![0; 5000], vec![0xff; 5000], vec![0]]
        {
            assert_opens(&[file.as_slice(), &tail].concat(), &case, &ring);
        }
        for tail in [
            b"!".to_vec(),
            b"\n\nx".to_vec(),
            b"\x1a".to_vec(),
            [vec![0; 70], b"x".to_vec()].concat(),
            [vec![0xff; 70], b"x".to_vec()].concat(),
            file.clone(),
        ] {
            let tailed = [file.as_slice(), &tail].concat();
            assert_malformed(&tailed, &ring, &format!("{form} and {:?}", tail.first()));
        }
    }
}

#[test]
fn two_pem_blocks_are_refused() {
    let (_, first, ring) = control(PEM_GCM);
    let other = case("openssl/enc-cms-p256-pem-stream").message();
    for blocks in [[&first, &other], [&other, &first], [&first, &first]] {
        assert_malformed(&blocks.map(Vec::as_slice).concat(), &ring, "two blocks");
    }
}

/// What TFTP's netascii does to a file: LF becomes CR LF, CR becomes CR NUL.
fn netascii(file: &[u8]) -> Vec<u8> {
    let sent = |byte: &u8| match byte {
        b'\n' => b"\r\n".to_vec(),
        b'\r' => b"\r\0".to_vec(),
        other => vec![*other],
    };
    file.iter().flat_map(sent).collect()
}

#[test]
fn r44_text_mode_transfers_are_named() {
    let (case, ring, forms) = forms();
    for (form, file) in forms {
        let sent = netascii(&file);
        assert_ne!(sent, file, "{form}");
        match form {
            "magic" => {
                assert_eq!(detected(&sent), Detection::Damaged(Damage::TextMode));
                assert_malformed(&sent, &ring, form);
                let lf_only = [b"\x89SDI\n\x1a\n".as_slice(), &file[MAGIC.len()..]].concat();
                assert_eq!(detected(&lf_only), Detection::Damaged(Damage::TextMode));
                assert_malformed(&lf_only, &ring, "line ends made LF");
                let text = at_once(&sent, &ring).unwrap_err().to_string();
                assert!(text.contains("text-mode transfer"), "{text}");
            }
            "DER" => assert_malformed(&sent, &ring, form),
            _ => assert_opens(&sent, &case, &ring),
        }
    }
}

/// Content types that are no envelope, and what they are called.
const OTHER_TYPES: [&str; 7] = [
    "1.2.840.113549.1.7.1",        // data
    "1.2.840.113549.1.7.2",        // signed data
    "1.2.840.113549.1.7.5",        // digested data
    "1.2.840.113549.1.7.6",        // encrypted data
    "1.2.840.113549.1.9.16.1.2",   // authenticated data
    "1.2.840.113549.1.9.16.1.9",   // compressed data
    "1.2.840.113549.1.9.16.1.999", // nothing that anybody knows
];

#[test]
fn a26_other_cms_is_neither_plain_nor_opened() {
    let (_, file, ring) = control(DER_GCM);
    for other in &OTHER_TYPES[..6] {
        let der = edited(&file, &[0], |kind| *kind = oid(other));
        let base64 = support::base64(&der);
        let pem = |label: &str| format!("-----BEGIN {label}-----\n{base64}-----END {label}-----\n");
        let forms = [der.clone(), pem("CMS").into(), pem("PKCS7").into(), [MAGIC, &der].concat()];
        for file in forms {
            assert_eq!(detected(&file), Detection::OtherCms, "{other}");
            let verdict = opened_every_way(&file, &ring);
            assert!(matches!(verdict, Err(Error::Unsupported(_))), "{other}: {verdict:?}");
        }
    }
}

#[test]
fn a26_only_data_may_be_inside() {
    for id in [DER_GCM, DER_RSA] {
        let (_, file, ring) = control(id);
        let inner_type = [path::CONTENT_INFO, &[0]].concat();
        let envelopes = ["1.2.840.113549.1.7.3", "1.2.840.113549.1.9.16.1.23"];
        for other in OTHER_TYPES[1..].iter().chain(&envelopes) {
            let file = edited(&file, &inner_type, |kind| *kind = oid(other));
            match opened_every_way(&file, &ring) {
                Err(Error::Unsupported(what)) => assert_eq!(what.oid().as_deref(), Some(*other)),
                verdict => panic!("{id} with {other} inside: {verdict:?}"),
            }
        }
    }
}

#[test]
fn a17_content_that_is_not_there_is_refused() {
    for (id, empty) in [("openssl/size-p256-gcm-p0", true), (DER_RSA, false)] {
        let (case, file, ring) = control(id);
        let mut tree = Node::parse(&file);
        tree.children().truncate(1);
        assert_malformed(&tree.encode(), &ring, "no content");
        let no_octets = edited(&file, path::CONTENT_INFO, |info| info.children().truncate(2));
        assert_malformed(&no_octets, &ring, "detached content");
        let emptied = edited(&file, path::CONTENT, |content| content.body().clear());
        if empty {
            assert_opens(&emptied, &case, &ring);
        } else {
            assert_eq!(opened_every_way(&emptied, &ring), Err(Error::Decrypt));
        }
    }
}

#[test]
fn a_file_without_recipients_is_refused() {
    let (_, file, ring) = control(DER_GCM);
    let nobody = edited(&file, path::RECIPIENTS, |set| set.children().clear());
    assert_malformed(&nobody, &ring, "no recipients");
}

/// A ring that was never given a key is the program's mistake, whatever the file.
#[test]
fn an_empty_key_ring_is_misuse() {
    let (_, file, _) = control(DER_GCM);
    let empty = KeyRing::new();
    for file in [file.as_slice(), b"", b"hostname r1\n"] {
        assert_eq!(sdi::open(file, &empty).unwrap_err().code(), 5);
        assert_eq!(sdi::open_in_place(&mut file.to_vec(), &empty).unwrap_err().code(), 5);
        assert_eq!(sdi::Opener::new(&empty).unwrap_err().code(), 5);
    }
}

#[test]
fn deep_nesting_is_a_limit() {
    let (case, file, ring) = control("openssl/cms-p256-aes-256-cbc");
    let nested = |depth: usize, indefinite: bool| {
        edited(&file, path::CONTENT, |content| {
            let mut inner = Node::Primitive(0x04, content.body().clone());
            for level in (0..depth).rev() {
                let tag = if level == 0 { 0xa0 } else { 0x24 };
                inner = match indefinite {
                    true => Node::Indefinite(tag, vec![inner]),
                    false => Node::Constructed(tag, vec![inner]),
                };
            }
            *content = inner;
        })
    };
    for indefinite in [false, true] {
        let is_open = |depth| match opened_every_way(&nested(depth, indefinite), &ring) {
            Ok((plaintext, _)) => {
                assert_eq!(plaintext, case.plaintext());
                true
            }
            Err(error) => {
                let limit = Error::Limit { which: sdi::Limit::Depth, max: 32 };
                assert_eq!(error, limit, "depth {depth}");
                false
            }
        };
        let open: Vec<bool> = (1..64).map(is_open).collect();
        let levels = open.iter().take_while(|open| **open).count();
        // The content stands in the fourth level of the file.
        assert!((26..=32).contains(&levels), "{levels}");
        assert!(open[levels..].iter().all(|open| !open));
    }
    for bomb in [
        [0x24, 0x80].repeat(20_000),
        [&file[..4], &[0x30, 0x80].repeat(20_000)].concat(),
        edited(&file, path::RECIPIENT, |set| *set = Node::Raw([0xa1, 0x80].repeat(20_000))),
        edited(&file, path::CONTENT, |set| *set = Node::Raw([0xa0, 0x80].repeat(20_000))),
    ] {
        let error = opened_every_way(&bomb, &ring).unwrap_err();
        assert!([100, 110, 160].contains(&error.code()), "{error:?}");
    }
}

/// Base64 has one way to write a file, mail one header of each kind.
#[test]
fn a28_ambiguous_text_is_refused() {
    let (case, ring, forms) = forms();
    let smime = String::from_utf8(forms[2].1.clone()).unwrap();
    let control = smime.replacen("Content-", "X-Mailer: none\nContent-", 1);
    assert_opens(control.as_bytes(), &case, &ring);
    let kind = "Content-Type: text/plain\nContent-";
    assert_malformed(smime.replacen("Content-", kind, 1).as_bytes(), &ring, "two types");
    let coding = "Content-Transfer-Encoding: base64\nContent-";
    assert_malformed(smime.replacen("Content-", coding, 1).as_bytes(), &ring, "two codings");
    for (form, file) in &forms[..2] {
        let text = String::from_utf8(file.clone()).unwrap();
        let line = text.lines().find(|line| line.starts_with("MI")).unwrap();
        let padded = text.replacen(line, &format!("{line}="), 1);
        assert_malformed(padded.as_bytes(), &ring, &format!("{form}: = inside"));
        let inner = text.replacen("MI", "M=", 1);
        assert!(opened_every_way(inner.as_bytes(), &ring).is_err(), "{form}: = at the start");
    }
    let magic_pem = [MAGIC, &forms[0].1].concat();
    assert_malformed(&magic_pem, &ring, "magic before PEM");
}

#[test]
fn a28_hidden_bits_in_base64_are_refused() {
    let (case, file, ring) = control(DER_GCM);
    // A file whose base64 ends in one `=` has two spare bits in its last character. Unauthenticated
    // attributes are ignored, so they may fill up.
    let filled = (0..3).map(|fill| {
        edited(&file, path::ENVELOPED, |enveloped| {
            let value = Node::Primitive(0x0c, vec![b'a'; fill]);
            let attribute = sequence([oid("2.5.4.3"), set([value])]);
            enveloped.children().push(Node::Constructed(0xa2, vec![attribute]));
        })
    });
    let mut base64 = filled.map(|file| support::base64(&file));
    let is_one = |text: &String| text.ends_with("=\n") && !text.ends_with("==\n");
    let text = base64.find(is_one).expect("one of three lengths fits");
    assert_opens(text.as_bytes(), &case, &ring);
    let (start, last) = text.trim_end_matches("=\n").split_at(text.len() - 3);
    let last = last.as_bytes()[0];
    for spare in 1..4 {
        // The letters and digits are in the alphabet's own order.
        let changed = char::from(last + spare);
        assert!(changed.is_ascii_alphanumeric(), "{changed}");
        assert_malformed(format!("{start}{changed}=\n").as_bytes(), &ring, "spare bits are set");
    }
    assert_malformed(format!("{start}\n").as_bytes(), &ring, "a character is missing");
}

//! What a file says about itself, without a key.

mod support;

use sdi::{Encoding, Envelope, Error, Limits, PemLabel};
use support::corpus::{Expect, cases};

#[test]
fn every_good_file_of_the_corpus_is_described_as_its_index_says() {
    let mut described = 0;
    for case in cases("corpus") {
        if case.expect() != Expect::Plaintext || case.text("content_enc").is_none() {
            continue;
        }
        let envelope = Envelope::parse(&case.message(), &Limits::default()).unwrap();
        let id = case.id();
        let wanted = match case.text("content_enc").unwrap() {
            "des3" => "des-ede3-cbc".to_owned(),
            other => other.replace("aes", "aes-"),
        };
        assert_eq!(envelope.content(), wanted, "{id}");
        let is_authenticated = case.text("content_type") == Some("AuthEnvelopedData");
        assert_eq!(envelope.is_authenticated(), is_authenticated, "{id}");
        if let Some(recipients) = case.number("recipients") {
            assert_eq!(envelope.recipients().len() as u64, recipients, "{id}");
        }
        let algorithms = envelope.algorithms();
        assert_eq!(algorithms[0], wanted, "{id}");
        if let Some(kdf) = case.text("kdf") {
            let kdf = kdf.replace("sha", "sha-");
            assert!(algorithms.iter().any(|name| name.contains(&kdf)), "{id}: {algorithms:?}");
            let warned = envelope.warnings().iter().any(|warning| warning.contains("SHA-1"));
            assert_eq!(warned, algorithms.iter().any(|name| name.contains("sha-1 ")), "{id}");
        }
        let padding = (case.number("plaintext_len").unwrap()..).take(17);
        assert!(padding.into_iter().any(|len| len == envelope.content_len()), "{id}");
        described += 1;
    }
    assert_eq!(described, 436);
}

#[test]
fn key_transports_are_named_with_their_hashes() {
    for (id, name) in [
        ("openssl/enc-smime-rsa2048-der", "rsa-pkcs1-v1.5"),
        ("openssl/oaep-sha256-mgf-sha512", "rsa-oaep sha-256 mgf1-sha-512"),
    ] {
        let file = support::corpus::case(id).message();
        let envelope = Envelope::parse(&file, &Limits::default()).unwrap();
        assert_eq!(envelope.recipients()[0].algorithm(), name, "{id}");
    }
}

#[test]
fn names_are_given_and_stay_one_printable_line() {
    let file = support::corpus::case("openssl/only-pwri").message();
    let envelope = Envelope::parse(&file, &Limits::default()).unwrap();
    assert_eq!(envelope.recipients().len(), 1);
    assert_eq!(envelope.recipients()[0].name(), "");
    for case in cases("corpus") {
        let Ok(envelope) = Envelope::parse(&case.message(), &Limits::default()) else { continue };
        for recipient in envelope.recipients() {
            for text in [recipient.name(), recipient.algorithm()] {
                assert!(text.len() < 200, "{}: {text}", case.id());
                assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", case.id());
            }
        }
    }
}

#[test]
fn what_is_not_opened_is_named_by_its_identifier() {
    let file = support::corpus::case("openssl/alg-aes-128-cfb").message();
    let envelope = Envelope::parse(&file, &Limits::default()).unwrap();
    assert_eq!(envelope.content(), "2.16.840.1.101.3.4.1.4");
}

#[test]
fn damage_and_limits_are_errors() {
    let file = support::corpus::case("bc/pem-pkcs7").message();
    let envelope = Envelope::parse(&file, &Limits::default()).unwrap();
    assert_eq!(envelope.encoding(), Encoding::Pem(PemLabel::Pkcs7));
    for cut in 1..file.len() - 1 {
        let error = Envelope::parse(&file[..cut], &Limits::default()).unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{cut}: {error:?}");
    }
    let plain = Envelope::parse(b"hostname r1\n", &Limits::default());
    assert_eq!(plain, Err(Error::NotEncrypted));
    let small = Limits { file: file.len() - 1, ..Limits::default() };
    assert!(matches!(Envelope::parse(&file, &small), Err(Error::Limit { .. })));
}

/// The names are part of what the C interface and the command answer.
#[test]
fn encodings_have_names() {
    let labels = [PemLabel::Pkcs7, PemLabel::Cms, PemLabel::EncryptedMessage];
    for (encoding, name, label) in [
        (Encoding::Der, "der", None),
        (Encoding::Ber, "ber", None),
        (Encoding::Pem(labels[0]), "pem", Some("PKCS7")),
        (Encoding::Pem(labels[1]), "pem", Some("CMS")),
        (Encoding::Pem(labels[2]), "pem", Some("ENCRYPTED MESSAGE")),
        (Encoding::Smime, "smime", None),
        (Encoding::Base64, "base64", None),
        (Encoding::Magic, "magic-der", None),
    ] {
        assert_eq!((encoding.name(), encoding.label()), (name, label));
    }
}

#[test]
fn what_stands_behind_the_end_is_counted() {
    let describe = |file: &[u8]| Envelope::parse(file, &Limits::default()).unwrap();
    for id in ["bc/pem-pkcs7", "bc/cbc-raw-rsa2048"] {
        let file = support::corpus::case(id).message();
        let usual = describe(&file);
        assert_eq!(usual.trailing_len(), 0, "{id}");
        for (fill, text, binary) in [
            (&b"\n"[..], 0, 1),
            (b"\r\n\n", 0, 3),
            (b"\n \n", 2, 3),
            (b"  ", 2, 2),
            (b"\n\0\0\0\xff", 4, 5),
            (&[0xff; 600], 600, 600),
        ] {
            let filled = [&file[..], fill].concat();
            let found = describe(&filled).trailing_len();
            let is_text = matches!(usual.encoding(), Encoding::Pem(_));
            assert_eq!(found, if is_text { text } else { binary }, "{id} {fill:?}");
            assert_eq!(describe(&filled).warnings(), usual.warnings());
        }
    }
}

/// Only in text: in a binary file these are bytes like any other.
#[test]
fn changed_line_ends_show() {
    let describe = |file: &[u8]| Envelope::parse(file, &Limits::default()).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for case in cases("corpus") {
        let file = case.message();
        let Ok(envelope) = Envelope::parse(&file, &Limits::default()) else { continue };
        let is_binary =
            matches!(envelope.encoding(), Encoding::Der | Encoding::Ber | Encoding::Magic);
        if is_binary {
            assert!(!envelope.has_crlf(), "{}", case.id());
        } else if !file.contains(&b'\r') {
            assert!(!envelope.has_crlf(), "{}", case.id());
            let lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
            let changed = describe(&lines.join(&b"\r\n"[..]));
            assert_eq!(changed.has_crlf(), lines.len() > 1, "{}", case.id());
        }
        seen.insert((envelope.encoding().name(), file.contains(&b'\r')));
    }
    for expected in [("der", true), ("pem", false), ("smime", false)] {
        assert!(seen.contains(&expected), "{seen:?}");
    }
    // Of a mail with a binary body the headers are text, and the body is not.
    let der = support::corpus::case("bc/cbc-raw-rsa2048").message();
    assert!(der.contains(&b'\r'));
    for (end, expected) in [("\n", false), ("\r\n", true)] {
        let headers = format!("Content-Type: application/pkcs7-mime{end}{end}");
        let mail = [headers.as_bytes(), &der].concat();
        assert_eq!(describe(&mail).has_crlf(), expected, "{end:?}");
    }
}

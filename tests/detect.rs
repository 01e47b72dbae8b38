//! Is this file encrypted? Every form, every prefix, every hint.
#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use sdi::{Damage, Detection, Encoding, Hint, detect};
use support::forms::{MAGIC, forms};

const WHOLE: Hint = Hint { at_end: true, expect_encrypted: false };
const START: Hint = Hint { at_end: false, expect_encrypted: false };

fn corpus(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/corpus/messages/{name}")).unwrap()
}

fn whole(file: &[u8]) -> Detection {
    detect(None, file, WHOLE)
}

fn text_forms() -> Vec<(Vec<u8>, Encoding)> {
    let is_text = |encoding: &Encoding| !matches!(encoding, Encoding::Der | Encoding::Magic);
    let forms = forms().into_iter().filter(|(_, encoding)| is_text(encoding));
    forms.filter(|(file, _)| file.is_ascii()).collect()
}

#[test]
fn r27_every_form_is_found() {
    for (file, encoding) in forms() {
        assert_eq!(whole(&file), Detection::Enveloped(encoding));
        assert_eq!(detect(Some(b"r1.cfg"), &file, START), Detection::Enveloped(encoding));
        assert_eq!(detect(Some(b"r1.ENC"), &file, WHOLE), Detection::Enveloped(encoding));
    }
    let ber = corpus("bc/cbc-ber-buf32k-rsa2048.der");
    assert_eq!(whole(&ber), Detection::Enveloped(Encoding::Ber));
}

#[test]
fn text_may_begin_with_a_bom_and_blank_lines_and_end_its_lines_as_it_likes() {
    for (file, encoding) in text_forms() {
        let text = String::from_utf8(file).unwrap();
        let crlf = text.replace('\n', "\r\n");
        for start in ["\u{feff}", "\n", "\r\n \r\n", "\u{feff}\n\n"] {
            for text in [&text, &crlf] {
                let file = format!("{start}{text}");
                assert_eq!(whole(file.as_bytes()), Detection::Enveloped(encoding), "{file:?}");
            }
        }
        if matches!(encoding, Encoding::Pem(_)) {
            let netascii = crlf.replace('\r', "\r\0");
            assert_eq!(whole(netascii.as_bytes()), Detection::Enveloped(encoding));
            let old = text.replace('\n', "\r");
            assert_eq!(whole(old.as_bytes()), Detection::Enveloped(encoding));
        }
    }
}

#[test]
fn a_cut_envelope_is_never_plain() {
    for (file, encoding) in forms() {
        for cut in 1..file.len() {
            let head = &file[..cut];
            match detect(None, head, START) {
                Detection::Enveloped(found) => assert_eq!(found, encoding),
                other => assert_eq!(other, Detection::NeedMore, "{encoding:?} {cut}"),
            }
            match whole(head) {
                Detection::Enveloped(found) => assert_eq!(found, encoding),
                other => {
                    assert!(matches!(other, Detection::Damaged(_)), "{encoding:?} {cut} {other:?}");
                }
            }
        }
    }
}

#[test]
fn r2_configurations_are_plain_however_short() {
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let signed = corpus("reject/type--signeddata-der.der");
    let bundle = {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(&signed[..99]);
        format!("crypto pki\n-----BEGIN PKCS7-----\n{text}\n-----END PKCS7-----\n")
    };
    for text in [
        "hostname r1\n",
        "!\n! a banner\n!\nversion 15.1\n",
        "{\"hostname\": \"r1\"}",
        "<?xml version=\"1.0\"?>\n<config/>\n",
        "hostname: r1\ninterfaces:\n  - name: eth0\n",
        "end\n",
        "conf t\n",
        "Music on hold\n",
        "Subject: hello",
        "X-Y: z\n",
        "MIME-Version: 1.0\nContent-Type: text/plain\nX",
        "0\u{1}\n interface",
        "-- a comment\n",
        "-----BEGIN of the banner-----\n",
        "the words -----BEGIN CMS----- within a line\n",
        "From: me\nTo: you\n\nhello\n",
        "MIME-Version: 1.0\nContent-Type: text/plain\n\nhello\n",
        "hostname r1\n-----BEGIN CMS-----\nthis is no base64\n-----END CMS-----\n",
        "hostname \u{e9}\n",
        certificate,
        &bundle,
    ] {
        assert_eq!(whole(text.as_bytes()), Detection::Plain, "{text}");
        for end in ["\n", "\r\n"] {
            let text = text.replace('\n', end);
            assert_eq!(whole(text.as_bytes()), Detection::Plain, "{text}");
        }
        let named = detect(Some(b"tftp/SN1.enc"), text.as_bytes(), WHOLE);
        assert_eq!(named, Detection::Damaged(Damage::NotAnEnvelope), "{text}");
        let hint = Hint { expect_encrypted: true, ..WHOLE };
        assert_eq!(detect(Some(b"r1.cfg"), text.as_bytes(), hint), named);
    }
    for start in ["hostname", "!", "en", "conf", "Mu", "{", "<?x", "---!"] {
        assert_eq!(detect(None, start.as_bytes(), START), Detection::Plain, "{start}");
    }
}

#[test]
fn a_block_behind_text_counts_if_it_is_an_envelope() {
    for (pem, encoding) in forms() {
        let Encoding::Pem(_) = encoding else { continue };
        let text = b"Subject of this file:\r\nthe router in the hall\n\n";
        assert_eq!(whole(&[text, &pem[..]].concat()), Detection::Enveloped(encoding));
        // Beyond the first 4,096 bytes it is part of a configuration.
        let long = [b"! comment\n".repeat(500), pem].concat();
        assert_eq!(whole(&long), Detection::Plain);
        assert_eq!(detect(None, &long[..4096], START), Detection::Plain);
    }
}

/// What may become a block behind text waits for more; what did not become one is part of the text.
#[test]
fn a_block_behind_text_that_is_cut() {
    for cut in [
        "-----BEGIN CM",
        "-----BEGIN CMS-----",
        "-----BEGIN CMS-----\n",
        "-----BEGIN CMS-----\nMII",
        "-----BEGIN ENCRYPTED MESSAGE-----\r\nMIIB",
    ] {
        let text = format!("hostname r1\n{cut}");
        assert_eq!(detect(None, text.as_bytes(), START), Detection::NeedMore, "{cut:?}");
        assert_eq!(whole(text.as_bytes()), Detection::Plain, "{cut:?}");
    }
}

/// Blanks may end a line of PEM, whatever ends lines.
#[test]
fn blanks_may_follow_the_begin_line() {
    for (pem, encoding) in forms() {
        let Encoding::Pem(_) = encoding else { continue };
        let text = String::from_utf8(pem).unwrap();
        for blanks in [" ", "  \t", "\r", " \r\r"] {
            for end in ["\n", "\r"] {
                let begun = text.replacen("-----\n", &format!("-----{blanks}\n"), 1);
                let file = begun.replace('\n', end);
                let found = whole(file.as_bytes());
                assert_eq!(found, Detection::Enveloped(encoding), "{blanks:?} {end:?}");
            }
        }
    }
}

/// The line that ends the headers may end in another way than they do, and others may follow.
#[test]
fn a_mails_body_begins_behind_blank_lines() {
    let (der, base64) = (&forms()[0].0, &forms()[5].0);
    for headers in
        ["Content-Type: application/pkcs7-mime\n", "Content-Type: application/pkcs7-mime\r\n"]
    {
        for blank in ["\n", "\r\n", "\n\n", "\r\n\n\r\n"] {
            for body in [der, base64] {
                let mail = [headers.as_bytes(), blank.as_bytes(), body].concat();
                assert_eq!(whole(&mail), Detection::Enveloped(Encoding::Smime), "{blank:?}");
            }
        }
    }
    // Headers of other mail are over at the blank line.
    assert_eq!(detect(None, b"Subject: a\n", START), Detection::NeedMore);
    assert_eq!(detect(None, b"Subject: a\n\n", START), Detection::Plain);
}

/// A mail begins with a header that is usual there; any may follow, but only headers.
#[test]
fn a_mail_has_headers_and_nothing_else_before_its_body() {
    let type_line = "Content-Type: application/pkcs7-mime\n";
    let mail = |before: &str, behind: &str| {
        [before, type_line, behind, "\n"]
            .concat()
            .into_bytes()
            .into_iter()
            .chain(forms()[5].0.clone())
    };
    let found = |before, behind| whole(&mail(before, behind).collect::<Vec<u8>>());
    for before in
        ["", "X-Mailer: a\n", "x-mailer: a\n", "Subject: a\nList-Id: b\n", "Subject:\n \n"]
    {
        for behind in ["", "List-Id: b\n", "X-Mailer: a\n b\n"] {
            let mail = Detection::Enveloped(Encoding::Smime);
            assert_eq!(found(before, behind), mail, "{before:?} {behind:?}");
        }
    }
    // Other text, unless the envelope itself shows.
    for before in ["List-Id: b\n", "XMailer: a\n", "Subject: a\nlist id: b\n", "Subject: a\n: b\n"]
    {
        let text = [before, type_line, "\nhello\n"].concat();
        assert_eq!(whole(text.as_bytes()), Detection::Plain, "{before:?}");
        assert_eq!(found(before, ""), Detection::Damaged(Damage::Armor), "{before:?}");
    }
    // It said what it is, so what goes wrong afterwards makes no configuration of it.
    for behind in ["list id: b\n", ": b\n", "hello\n", "-----BEGIN CMS-----\n"] {
        assert_eq!(found("", behind), Detection::Damaged(Damage::Armor), "{behind:?}");
    }
    for end in ["list id", "?", "hello world"] {
        let cut = format!("{type_line}{end}");
        assert_eq!(whole(cut.as_bytes()), Detection::Damaged(Damage::Armor), "{end:?}");
    }
    for start in [
        "Subject: a\nList-I",
        "Subject: a\nList-Id:",
        "Subject: a\n ",
        "Subject: a\n\r",
        "MIME-Version: 1.0\nX",
    ] {
        assert_eq!(detect(None, start.as_bytes(), START), Detection::NeedMore, "{start:?}");
    }
    assert_eq!(whole(b"Subject: a\nList-Id:"), Detection::Plain);
    assert_eq!(whole(b"MIME-Version: 1.0\nX"), Detection::Damaged(Damage::Truncated));
}

#[test]
fn other_kinds_of_cms_are_told_apart() {
    for name in ["signeddata-der", "data", "encrypteddata", "signed-enveloped"] {
        let file = corpus(&format!("reject/type--{name}.der"));
        assert_eq!(whole(&file), Detection::OtherCms, "{name}");
        assert_eq!(detect(Some(b"a.enc"), &file, WHOLE), Detection::OtherCms, "{name}");
    }
    let mail = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nMIIB";
    assert_eq!(whole(mail), Detection::OtherCms);
}

#[test]
fn damage_says_what_happened() {
    let der = corpus("bc/gcm-auth-and-unauth-attrs-p256.der");
    let magic = [MAGIC, &der[..]].concat();
    let text_mode = Detection::Damaged(Damage::TextMode);
    // TFTP netascii and FTP ascii: CR and LF are rewritten; a seven-bit line; a recoded copy.
    let netascii = |file: &[u8]| -> Vec<u8> {
        let pieces = file.iter().map(|byte| match byte {
            b'\r' => b"\r\0".to_vec(),
            b'\n' => b"\r\n".to_vec(),
            other => vec![*other],
        });
        pieces.flatten().collect()
    };
    assert_eq!(whole(&netascii(&magic)), text_mode);
    assert_eq!(whole(&netascii(&der)), text_mode);
    let unix: Vec<u8> = magic.iter().copied().filter(|&byte| byte != b'\r').collect();
    assert_eq!(whole(&unix), text_mode);
    let seven_bit: Vec<u8> = magic.iter().map(|byte| byte & 0x7f).collect();
    assert_eq!(whole(&seven_bit), text_mode);
    assert_eq!(whole(&[b"\xc2", &magic[..]].concat()), text_mode);

    let none = Detection::Damaged(Damage::NotAnEnvelope);
    assert_eq!(whole(&[MAGIC, b"hostname r1\n"].concat()), none);
    assert_eq!(whole(&[MAGIC, &forms()[3].0[..]].concat()), none, "the magic before PEM");
    let armor = Detection::Damaged(Damage::Armor);
    assert_eq!(whole(b"-----BEGIN CMS-----\nhostname r1\n-----END CMS-----\n"), armor);
    assert_eq!(whole(b"-----BEGIN CMS-----MIIB\n"), armor);
    for end in ["-----END CMS-----\n", "==\n"] {
        assert_eq!(whole(format!("-----BEGIN CMS-----\nMIIB\n{end}").as_bytes()), none);
    }
    let type_line = "Content-Type: application/pkcs7-mime\n";
    assert_eq!(whole(format!("{type_line}{type_line}\nMIIB\n").as_bytes()), armor);
    let quoted = format!("{type_line}Content-Transfer-Encoding: quoted-printable\n\nMIIB\n");
    assert_eq!(whole(quoted.as_bytes()), armor);
}

/// What begins as CMS does, with an OID of the same length that is none of its content types.
#[test]
fn a_certificates_signature_algorithm_is_no_cms() {
    let pkcs1 = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
    assert_eq!(whole(pkcs1), Detection::Plain);
    for cut in 0..pkcs1.len() {
        assert_ne!(whole(&pkcs1[..cut]), Detection::OtherCms, "{cut}");
    }
}

#[test]
fn nothing_is_empty() {
    for blank in ["", "\n", "\r\n\r\n", "\u{feff}", "\u{feff} \t\n", "\0\0\0"] {
        assert_eq!(whole(blank.as_bytes()), Detection::Empty, "{blank:?}");
        assert_eq!(detect(None, blank.as_bytes(), START), Detection::NeedMore, "{blank:?}");
        assert_eq!(detect(Some(b"a.enc"), blank.as_bytes(), WHOLE), Detection::Empty);
    }
    assert_eq!(whole(&[0xff; 512]), Detection::Empty);
}

#[test]
fn with_4096_bytes_the_answer_is_final() {
    for (file, encoding) in forms() {
        let mut long = file;
        long.resize(9000, b'\n');
        for head in [&long[..4096], &long[..4097], &long[..]] {
            assert_eq!(detect(None, head, START), Detection::Enveloped(encoding));
        }
    }
    for start in ["Subject: a\n", " \n", "MIIB\n", "-----BEGIN CMS-----\n"] {
        let long = start.repeat(4096);
        let answer = detect(None, &long.as_bytes()[..4096], START);
        assert_ne!(answer, Detection::NeedMore, "{start:?}");
        assert_eq!(detect(None, long.as_bytes(), WHOLE), answer, "{start:?}");
    }
}

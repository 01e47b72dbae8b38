//! What may stand around an envelope: lines, labels, headers, filling. The text that this target writes
//! is always read; then it is damaged.

use super::ber::facts;
use crate::choices::Choices;
use crate::envelopes;
use crate::promises::describes;
use crate::support::forge::Random;
use base64::prelude::{BASE64_STANDARD, Engine};
use sdi::{Encoding, Envelope, Limits, PemLabel};

const ENDS: [&str; 4] = ["\n", "\r\n", "\r", "\r\0"];
const LABELS: [(&str, PemLabel); 3] = [
    ("PKCS7", PemLabel::Pkcs7),
    ("CMS", PemLabel::Cms),
    ("ENCRYPTED MESSAGE", PemLabel::EncryptedMessage),
];
const HEADERS: [&str; 5] = [
    "MIME-Version: 1.0",
    "Content-Disposition: attachment; filename=\"smime.p7m\"",
    "Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data;\n\tname=\"smime.p7m\"",
    "Content-Transfer-Encoding: base64",
    "X-Mailer: one",
];

/// Input: for text as it is, an odd byte and the text; otherwise which envelope, the form, and damage.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.flag() {
        drop(parse(choices.rest()));
        return;
    }
    let envelope = choices.one_of(envelopes::all());
    let (mut text, encoding) = armored(&envelope.file, &mut choices);
    let bare = Envelope::parse(&envelope.file, &Limits::default()).expect("it is an envelope");
    let found = parse(&text).unwrap_or_else(|error| {
        panic!("{error:?} of {:?}", String::from_utf8_lossy(&text));
    });
    assert_eq!(found.encoding(), encoding);
    assert_eq!(facts(&found), facts(&bare));

    let mut random = Random(choices.number());
    while !choices.is_empty() {
        let at = random.below(text.len().max(1));
        match (choices.byte(), text.get_mut(at)) {
            (0, _) => text.truncate(at),
            (1, Some(_)) => drop(text.remove(at)),
            (byte @ 2..128, Some(_)) => text.insert(at, byte),
            (byte, Some(place)) => *place = byte,
            _ => {}
        }
        drop(parse(&text));
    }
}

fn parse(text: &[u8]) -> sdi::Result<Envelope> {
    let parsed = Envelope::parse(text, &Limits::default());
    if let Err(error) = &parsed {
        describes(error);
    }
    parsed
}

/// Text that holds the envelope, and what it is.
fn armored(der: &[u8], choices: &mut Choices<'_>) -> (Vec<u8>, Encoding) {
    let end = *choices.one_of(&ENDS);
    let width = [64, 76, 1, 4, 60, 8000][choices.below(6)];
    let mut text = Vec::new();
    if choices.flag() {
        text.extend(b"\xef\xbb\xbf");
    }
    let blank = choices.below(3);
    text.extend(end.repeat(if end.contains('\0') { 0 } else { blank }).as_bytes());
    let (label, encoding) = match choices.byte() % 5 {
        kind @ 0..=2 => {
            let (name, label) = LABELS[usize::from(kind)];
            (Some(name), Encoding::Pem(label))
        }
        3 => (None, Encoding::Base64),
        _ => {
            // Headers in any order, then a blank line. The first has to be one of mail.
            let mut order: Vec<&str> = HEADERS.to_vec();
            order.rotate_left(choices.below(HEADERS.len()));
            let line = if end == "\r\n" { "\r\n" } else { "\n" };
            for header in order {
                text.extend(header.replace('\n', line).as_bytes());
                text.extend(line.as_bytes());
            }
            text.extend(line.as_bytes());
            (None, Encoding::Smime)
        }
    };
    if let Some(label) = label {
        text.extend(format!("-----BEGIN {label}-----{end}").as_bytes());
    }
    let base64 = BASE64_STANDARD.encode(der);
    for line in base64.as_bytes().chunks(width) {
        text.extend(line);
        text.extend(end.as_bytes());
    }
    if let Some(label) = label {
        text.extend(format!("-----END {label}-----{end}").as_bytes());
    }
    let filling = [b" ".as_slice(), b"\n", b"\0", b"\xff"][choices.below(4)];
    text.extend(filling.repeat(choices.below(20)));
    (text, encoding)
}

//! Why the two disagree. Each class is a predicate here and a row in `explained.md`.

use super::oracle::{Oracle, Verdict};
use super::{Device, normal};
use sdi::Error;

/// A file on which the two disagree.
pub(crate) struct Disagreement<'a> {
    pub(crate) file: &'a [u8],
    /// The device that it is for.
    pub(crate) device: &'a Device,
    /// The plaintext before the file was changed.
    pub(crate) original: &'a [u8],
    pub(crate) ours: &'a sdi::Result<Vec<u8>>,
    pub(crate) theirs: &'a Verdict,
}

/// The row that explains it.
pub(crate) fn class(case: &Disagreement<'_>, oracle: &mut Oracle) -> Option<&'static str> {
    match (case.ours, case.theirs) {
        (Ok(ours), Verdict::Opened { plaintext, by_key_alone: true, .. }) => {
            (ours == plaintext).then_some("named-otherwise")
        }
        (Ok(ours), Verdict::Unreadable(_) | Verdict::Refused(_)) => opens_here(case, ours, oracle),
        (Err(error), Verdict::Opened { plaintext, by_key_alone, used }) => {
            opens_there(case, error, plaintext, *by_key_alone, *used, oracle)
        }
        _ => None,
    }
}

fn opens_here(case: &Disagreement<'_>, ours: &[u8], oracle: &mut Oracle) -> Option<&'static str> {
    let mut both_open = |file: &[u8]| {
        let mut reduced = normal::reduced(file, &case.device.name).into_iter();
        reduced.any(|file| {
            case.theirs_of(&file, ours, oracle) && case.ours_of(&file) == Ok(ours.into())
        })
    };
    if both_open(case.file) {
        return Some("not-read");
    }
    if normal::with_der_attributes(case.file).is_some_and(|file| both_open(&file)) {
        return Some("attributes");
    }
    // Nothing of the text is left, so the content key is none that anybody encrypted.
    let is_noise = !ours.windows(8).any(|piece| case.original.windows(8).any(|of| of == piece));
    (case.device.is_rsa && is_noise && is_padded(case.file)).then_some("substitute-key")
}

/// EnvelopedData: CBC, which padding alone protects.
fn is_padded(file: &[u8]) -> bool {
    const ENVELOPED_DATA: [u8; 11] =
        [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
    file.windows(ENVELOPED_DATA.len()).take(12).any(|start| start == ENVELOPED_DATA)
}

fn opens_there(
    case: &Disagreement<'_>,
    error: &Error,
    plaintext: &[u8],
    by_key_alone: bool,
    used: usize,
    oracle: &mut Oracle,
) -> Option<&'static str> {
    let is_tail = *error == Error::Malformed("something stands after the end");
    if is_tail && used < case.file.len() {
        return Some("after-the-end");
    }
    // OpenSSL, asked with the key alone, tries each RSA recipient in turn.
    if by_key_alone && matches!(error, Error::NotForThisDevice(_)) {
        return Some("guessing");
    }
    if *error == Error::NotEncrypted && has_long_type_length(case.file) {
        return Some("long-type-length");
    }
    if let Some(class) = by_what_we_say(error) {
        return Some(class);
    }
    for reduced in normal::reduced(case.file, &case.device.name) {
        if !case.theirs_of(&reduced, plaintext, oracle) {
            continue;
        }
        match case.ours_of(&reduced) {
            Ok(ours) if ours == plaintext => {
                let number = Error::Malformed("a number is out of range");
                return Some(if *error == number { "version" } else { "name" });
            }
            // Two differences, and behind the first one stands another.
            Err(second) if second != *error => {
                if let Some(class) = by_what_we_say(&second) {
                    return Some(class);
                }
            }
            _ => {}
        }
    }
    let usual = normal::with_usual_tags(case.file)?;
    (case.ours_of(&usual).as_deref() == Ok(plaintext)).then_some("tags")
}

/// Our own words tell the one thing that is different.
fn by_what_we_say(error: &Error) -> Option<&'static str> {
    let what = match error {
        Error::Malformed(what) => what,
        Error::Unsupported(unsupported) => unsupported.what(),
        _ => return None,
    };
    Some(match what {
        "the key transport has parameters" => "transport-parameters",
        "the OAEP parameters are damaged" => "oaep-parameters",
        "the content encryption's parameters are damaged" => "content-parameters",
        "a bit string does not end at an octet" => "unused-bits",
        "content of the type" => "inner-type",
        "the key transport" => "transport-oid",
        "the content encryption" => "other-cipher",
        "a GCM nonce of another length" => "gcm-nonce",
        "a GCM tag of another length" | "the tag is not as long as the parameters say" => "gcm-tag",
        _ => return None,
    })
}

impl Disagreement<'_> {
    fn ours_of(&self, file: &[u8]) -> sdi::Result<Vec<u8>> {
        sdi::open(file, &self.device.ring).map(|opened| opened.into_plaintext().into_bytes())
    }

    /// Whether OpenSSL opens a file to this plaintext.
    fn theirs_of(&self, file: &[u8], expected: &[u8], oracle: &mut Oracle) -> bool {
        let verdict = oracle.judge(self.device.place, file);
        matches!(verdict, Verdict::Opened { plaintext, .. } if plaintext == expected)
    }
}

/// The length of the content type's object identifier is written in more than one octet.
fn has_long_type_length(file: &[u8]) -> bool {
    let header = match file.get(1) {
        Some(&octets @ 0x81..=0x88) => 2 + usize::from(octets & 0x7f),
        _ => 2,
    };
    matches!(file.get(header..), Some([0x06, 0x81..=0xff, ..]))
}

//! Every file of the corpus, through every way of opening a file. See `tests/corpus/README.md`.

mod support;

use sdi::{Detection, Encoding, Error, KeyFault, Owner, PemLabel};
use sha2::{Digest, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};
use support::corpus::{Case, Expect, cases};
use support::{Verdict, at_once, detected, every_way, streamed};

/// How many cases of a group there are of each expectation.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    ok: usize,
    reject: usize,
    any: usize,
    plain: usize,
}

#[test]
fn openssl() {
    run("corpus", |case| case.text("peer") == Some("openssl"), count(161, 9, 0, 0));
}

#[test]
fn bouncy_castle() {
    run("corpus", |case| case.text("peer") == Some("bc"), count(134, 2, 1, 0));
}

#[test]
fn pkijs() {
    run("corpus", |case| case.text("peer") == Some("pkijs"), count(55, 0, 2, 0));
}

#[test]
fn python_cryptography_gpgsm_and_forge() {
    let peers = ["pyca", "gpgsm", "forge"];
    let ours = |case: &Case| case.text("peer").is_some_and(|peer| peers.contains(&peer));
    run("corpus", ours, count(29 + 26 + 23, 0, 0, 0));
}

#[test]
fn truncated() {
    run("corpus", |case| case.text("group") == Some("truncated"), count(0, 189, 0, 0));
}

#[test]
fn flipped_bits() {
    run("corpus", |case| case.text("group") == Some("flip"), count(0, 86, 24, 0));
}

#[test]
fn edited_otherwise() {
    let other = |case: &Case| {
        case.text("group").is_some_and(|group| !matches!(group, "truncated" | "flip"))
    };
    run("corpus", other, count(9, 118, 32, 6));
}

#[test]
fn modern() {
    run("corpus-modern", |_| true, count(10, 6, 2, 0));
}

/// The groups above are the whole corpus.
#[test]
fn nothing_is_left_out() {
    let cases = cases("corpus");
    assert_eq!(cases.len(), 906);
    assert_eq!(counted(&cases), count(437, 404, 59, 6));
    let peers = ["openssl", "bc", "pkijs", "pyca", "gpgsm", "forge"];
    for case in &cases {
        let peer = case.text("peer").unwrap();
        assert!(peers.contains(&peer) != (peer == "reject" && case.text("group").is_some()));
    }
}

fn run(folder: &'static str, belongs: impl Fn(&Case) -> bool, expected: Count) {
    let cases: Vec<Case> = cases(folder).into_iter().filter(belongs).collect();
    assert_eq!(counted(&cases), expected);
    let failed = |case: &Case| {
        let outcome = catch_unwind(AssertUnwindSafe(|| check(case)));
        let failure = outcome.unwrap_or_else(|_| Err("it panics".to_owned())).err()?;
        Some(format!("{}: {failure}", case.id()))
    };
    let failures: Vec<String> = cases.iter().filter_map(failed).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

const fn count(ok: usize, reject: usize, any: usize, plain: usize) -> Count {
    Count { ok, reject, any, plain }
}

fn counted(cases: &[Case]) -> Count {
    let mut count = Count::default();
    for case in cases {
        *match case.expect() {
            Expect::Plaintext => &mut count.ok,
            Expect::Error => &mut count.reject,
            Expect::Anything => &mut count.any,
            Expect::NotEncrypted => &mut count.plain,
        } += 1;
    }
    count
}

fn check(case: &Case) -> Result<(), String> {
    let file = case.message();
    let identity = sdi::Identity::new(case.key(), Some(case.certificate()));
    let ring = match identity {
        Ok(identity) => support::corpus::ring_of(identity),
        // A certificate that fits the file, with another key: the key alone has to fail, too.
        Err(Error::Key(KeyFault::Mismatch)) if case.expect() == Expect::Error => case.bare_ring(),
        Err(error) => return Err(format!("the identity is refused: {error:?}")),
    };
    let verdict = every_way(&file, &ring)?;
    match (case.expect(), &verdict) {
        (Expect::Plaintext, verdict) => check_plaintext(case, verdict)?,
        (Expect::Error, Ok((plaintext, _))) => {
            return Err(format!("it opens to {} bytes", plaintext.len()));
        }
        (Expect::Error, Err(error)) => check_refusal(case, error)?,
        (Expect::Anything, Ok(_)) => {}
        (Expect::Anything, Err(error)) => check_blame(error)?,
        (Expect::NotEncrypted, Err(Error::NotEncrypted)) => {
            if detected(&file) != Detection::Plain {
                return Err(format!("detect says {:?}", detected(&file)));
            }
        }
        (Expect::NotEncrypted, verdict) => return Err(format!("{verdict:?}")),
    }
    if case.expect() == Expect::Plaintext && case.number("recipients") == Some(1) {
        let bare = case.bare_ring();
        check_plaintext(case, &at_once(&file, &bare)).map_err(|e| format!("key alone: {e}"))?;
        let (streamed, _) = streamed(&file, &bare, 64)?;
        check_plaintext(case, &streamed).map_err(|e| format!("key alone, streamed: {e}"))?;
    }
    Ok(())
}

fn check_plaintext(case: &Case, verdict: &Verdict) -> Result<(), String> {
    let (plaintext, summary) = match verdict {
        Ok(opened) => opened,
        Err(error) => return Err(format!("{error:?}")),
    };
    let length = u64::try_from(plaintext.len()).map_err(|error| error.to_string())?;
    let sha256: String = Sha256::digest(plaintext).iter().map(|b| format!("{b:02x}")).collect();
    if Some(length) != case.number("plaintext_len")
        || Some(sha256.as_str()) != case.text("plaintext_sha256")
    {
        return Err(format!("other plaintext: {length} bytes, {sha256}"));
    }
    let authenticated = case.text("content_type").map(|kind| kind == "AuthEnvelopedData");
    if summary.plaintext_len() != length
        || summary.owner() != Owner::Vendor
        || authenticated.is_some_and(|expected| summary.is_authenticated() != expected)
    {
        return Err(format!("{summary:?}"));
    }
    let file = case.message();
    match detected(&file) {
        Detection::Enveloped(encoding) if is_encoding(case, &file, encoding) => Ok(()),
        other => Err(format!("detect says {other:?}")),
    }
}

/// Binary and PEM files show it themselves; the index is named by what encoders call their output.
fn is_encoding(case: &Case, file: &[u8], found: Encoding) -> bool {
    let stated = case.text("encoding").unwrap_or_default();
    let begins = |label: &str| {
        let text = file.trim_ascii_start();
        text.starts_with(format!("-----BEGIN {label}-----").as_bytes())
    };
    match found {
        Encoding::Der => file.first() == Some(&0x30) && file.get(1) != Some(&0x80),
        Encoding::Ber => file.starts_with(&[0x30, 0x80]),
        Encoding::Pem(PemLabel::Pkcs7) => begins("PKCS7"),
        Encoding::Pem(PemLabel::Cms) => begins("CMS"),
        Encoding::Pem(PemLabel::EncryptedMessage) => begins("ENCRYPTED MESSAGE"),
        Encoding::Smime => stated.starts_with("SMIME"),
        Encoding::Base64 => stated.starts_with("bare base64"),
        _ => false,
    }
}

/// A file is to blame, never the caller, the randomness or the memory.
fn check_blame(error: &Error) -> Result<(), String> {
    match error {
        Error::NotEncrypted
        | Error::Malformed(_)
        | Error::Unsupported(_)
        | Error::NotForThisDevice(_)
        | Error::Decrypt
        | Error::Limit { .. } => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// A refusal is of the kind that fits the damage.
fn check_refusal(case: &Case, error: &Error) -> Result<(), String> {
    check_blame(error)?;
    let expected = refusals(case);
    if expected.contains(&error.code()) {
        Ok(())
    } else {
        Err(format!("{error:?} is not one of {expected:?}"))
    }
}

/// The codes that a file may be refused with.
fn refusals(case: &Case) -> &'static [i32] {
    const PLAIN: i32 = Error::NotEncrypted.code();
    const MALFORMED: i32 = Error::Malformed("").code();
    const DECRYPT: i32 = Error::Decrypt.code();
    const UNSUPPORTED: i32 = 120;
    const NOT_OURS: i32 = 130;
    const LIMIT: i32 = 160;

    let name = case.id().rsplit('/').next().unwrap_or_default();
    match name.split_once("--").unwrap_or((name, "")) {
        ("truncated", cut) if cut.contains("-0000-") => &[MALFORMED],
        ("truncated" | "cbciv" | "smime" | "ecpoint" | "struct" | "trailing", _) => &[MALFORMED],
        ("ecorig", "ski") => &[UNSUPPORTED],
        ("ecorig", _) => &[MALFORMED],
        // Without its beginning a file does not look like an envelope any more.
        ("hugelen", at) if at.starts_with("oid-") || at.starts_with("outer-") => {
            &[PLAIN, MALFORMED, LIMIT]
        }
        ("hugelen", _) => &[MALFORMED, LIMIT],
        ("nesting", kind) if kind.starts_with("octetstring") => &[LIMIT],
        ("nesting" | "notcms" | "netascii", _) => &[PLAIN, MALFORMED],
        ("pem", _) => &[MALFORMED],
        ("type", _) => &[UNSUPPORTED],
        ("cbcpad" | "rsa", kind) if kind.contains("kea-") => &[UNSUPPORTED],
        ("cbcpad" | "downgrade" | "ukm", _) => &[DECRYPT],
        ("rsa" | "wrapkey", _) => &[DECRYPT, MALFORMED],
        ("gcm", kind) if kind.starts_with("nonce-len") => &[UNSUPPORTED],
        ("gcm", "tag-cut-to-4") => &[MALFORMED, UNSUPPORTED],
        ("gcm", _) => &[DECRYPT],
        ("kea", "kdf-sha1") => &[DECRYPT],
        ("kea", _) => &[UNSUPPORTED],
        ("wrongkey", kind) if kind.ends_with("rid-matches-key-does-not") => &[DECRYPT],
        ("wrongkey", _) => &[NOT_OURS],
        ("flip", _) => &[PLAIN, MALFORMED, UNSUPPORTED, NOT_OURS, DECRYPT, LIMIT],
        ("only-pwri" | "x25519-not-for-me", _) => &[NOT_OURS],
        ("x25519-low-order-0" | "x25519-low-order-1" | "x25519-low-order-2", _) => {
            &[MALFORMED, DECRYPT]
        }
        ("x25519-ukm-nonconforming" | "x25519-wrapped-bit", _) => &[DECRYPT],
        (name, _) if name.starts_with("alg-") || name == "ka-p256-mqv" => &[UNSUPPORTED],
        _ => &[],
    }
}

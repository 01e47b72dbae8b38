//! `detect`: flags, a name, and the start of a file.

use crate::choices::Choices;
use sdi::{Detection, Encoding, Hint, detect};

/// Bytes that decide.
const HEAD: usize = 4096;

/// Input: a byte of flags, a short name, the head.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let flags = choices.byte();
    let name = choices.few();
    let head = choices.rest();
    let hint = Hint { at_end: flags & 1 != 0, expect_encrypted: flags & 2 != 0 };
    let found = detect(Some(name), head, hint);
    assert_eq!(detect(Some(name), head, hint), found);
    if hint.at_end || head.len() >= HEAD {
        assert_ne!(found, Detection::NeedMore, "the last word");
    }
    let is_named = name.to_ascii_lowercase().ends_with(b".enc");
    if is_named || hint.expect_encrypted {
        assert_ne!(found, Detection::Plain, "what should be encrypted is never plain");
    }

    // A name and a hint only turn Plain into Damaged.
    let blind = detect(None, head, Hint { at_end: hint.at_end, expect_encrypted: false });
    assert!(blind == found || blind == Detection::Plain && matches!(found, Detection::Damaged(_)));

    // What it is called stands in it.
    if let Detection::Enveloped(encoding) = found {
        let is_magic = head.starts_with(b"\x89SDI");
        assert_eq!(encoding.name() == "magic-der", is_magic, "{encoding:?}");
        assert_eq!(encoding.name() == "pem", encoding.label().is_some(), "{encoding:?}");
        if let Some(label) = encoding.label() {
            let begin = format!("-----BEGIN {label}-----");
            assert!(head.windows(begin.len()).any(|line| line == begin.as_bytes()), "{label}");
        }
    }

    // With the first bytes the answer is final, whatever follows.
    if let Some(first) = head.get(..HEAD) {
        let first = detect(Some(name), first, Hint { at_end: false, ..hint });
        assert_eq!(detect(Some(name), head, hint), first);
    }

    // A binary envelope once seen stays one, as more bytes come. (Text may yet turn out damaged.)
    let seen = detect(None, &head[..head.len() / 2], Hint::default());
    if let Detection::Enveloped(Encoding::Der | Encoding::Ber | Encoding::Magic) = seen {
        assert_eq!(found, seen);
    }
}

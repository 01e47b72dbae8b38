//! What holds for every file and every key ring.

use sdi::{Detection, Error, Hint, KeyRing, Opener, Summary};

/// The plaintext and the facts beside it, or the error.
pub(crate) type Verdict = sdi::Result<(Vec<u8>, Summary)>;

pub(crate) const AT_END: Hint = Hint { at_end: true, expect_encrypted: false };

/// Opens a file at once.
pub(crate) fn at_once(file: &[u8], ring: &KeyRing) -> Verdict {
    let verdict = sdi::open(file, ring).map(|opened| {
        let summary = opened.summary().clone();
        (opened.into_plaintext().into_bytes(), summary)
    });
    match &verdict {
        Ok((text, summary)) => assert_eq!(u64::try_from(text.len()), Ok(summary.plaintext_len())),
        Err(error) => describes(error),
    }
    verdict
}

/// An error is one line of printable ASCII under a number that is its own.
pub(crate) fn describes(error: &Error) {
    let text = error.to_string();
    assert!(text.len() <= 512 && text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
    assert!(error.code() > 0 && error.code() <= 190, "{error:?}");
}

/// Opens a file as a stream, in pieces of these lengths, over and over. A length of 0 counts as 1.
///
/// What the sink gets before the end is a prefix of the plaintext, if there is one; a sink that is to
/// get it at the end gets nothing before.
pub(crate) fn streamed(file: &[u8], ring: &KeyRing, lengths: &[u8], hold: bool) -> Verdict {
    let mut plaintext = Vec::new();
    let mut opener = Opener::new(ring)?;
    if hold {
        opener.hold(usize::MAX)?;
    }
    let mut rest = file;
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let len = usize::from(*lengths.next().unwrap_or(&255)).max(1);
        let (piece, later) = rest.split_at(len.min(rest.len()));
        rest = later;
        if let Err(error) = opener.push(piece, &mut plaintext) {
            assert!(!hold || plaintext.is_empty(), "held back, and given");
            let again = opener.push(piece, &mut plaintext);
            assert!(matches!(again, Err(Error::Misuse(_))), "{again:?} after {error:?}");
            return Err(error);
        }
    }
    assert!(!hold || plaintext.is_empty(), "held back, and given");
    let summary = opener.finish(&mut plaintext);
    assert!(!hold || summary.is_ok() || plaintext.is_empty(), "refused, and given");
    summary.map(|summary| (plaintext, summary))
}

/// Opens a file in its own buffer: that is the same, and what fails leaves no plaintext.
pub(crate) fn in_place(file: &[u8], ring: &KeyRing) -> Verdict {
    let mut buffer = file.to_vec();
    match sdi::open_in_place(&mut buffer, ring) {
        Ok(summary) => Ok((buffer, summary)),
        Err(error) => {
            assert!(buffer.is_empty() || buffer == file, "{} bytes are left", buffer.len());
            Err(error)
        }
    }
}

/// Open Ok means Enveloped, and Plain means NotEncrypted.
pub(crate) fn agrees_with_detect(file: &[u8], verdict: &Verdict) {
    let detection = sdi::detect(None, file, AT_END);
    let fits = match (&detection, verdict) {
        (Detection::Enveloped(_), verdict) => !matches!(verdict, Err(Error::NotEncrypted)),
        (Detection::Plain, verdict) => matches!(verdict, Err(Error::NotEncrypted)),
        (Detection::NeedMore, _) => false,
        (_, Err(error)) => *error != Error::NotEncrypted,
        (_, Ok(_)) => false,
    };
    assert!(fits, "detect says {detection:?}, open {:?}", verdict.as_ref().map(|_| ()));
}

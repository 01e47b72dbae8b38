//! What the integration tests share.

#![expect(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod corpus;
pub(crate) mod der;
#[cfg(all(feature = "rsa", feature = "legacy"))]
pub(crate) mod forge;
pub(crate) mod forms;
pub(crate) mod freed;
pub(crate) mod gcm;
#[cfg(target_os = "linux")]
pub(crate) mod image;
pub(crate) mod keys;
pub(crate) mod openssl;
pub(crate) mod watched;

use sdi::{Detection, Error, Hint, KeyRing, Opener, Summary};

/// The pieces in which files are pushed into an opener.
pub(crate) const CHUNKS: [usize; 4] = [1, 7, 64, 4096];

/// How much of a file detection looks at.
const HEAD: usize = 4096;

/// The plaintext and the facts beside it, or the error.
pub(crate) type Verdict = sdi::Result<(Vec<u8>, Summary)>;

/// Opens a file in every way that there is: at once, in its own buffer, as streams of several
/// chunk sizes.
///
/// # Errors
/// How the ways disagree, among themselves or with `detect`.
pub(crate) fn every_way(file: &[u8], ring: &KeyRing) -> Result<Verdict, String> {
    let verdict = at_once(file, ring);
    let mut buffer = file.to_vec();
    let in_place = sdi::open_in_place(&mut buffer, ring);
    if in_place.is_err() && !buffer.is_empty() && buffer != file {
        return Err(format!("{} other bytes are left after {in_place:?}", buffer.len()));
    }
    same(&verdict, &in_place.map(|summary| (buffer, summary)), "in place")?;
    for chunk in CHUNKS {
        let (streamed, _) = streamed(file, ring, chunk)?;
        same(&verdict, &streamed, &format!("in chunks of {chunk}"))?;
    }
    agrees_with_detect(file, &verdict)?;
    Ok(verdict)
}

/// [`every_way`] for a test of one file.
pub(crate) fn opened_every_way(file: &[u8], ring: &KeyRing) -> Verdict {
    every_way(file, ring).unwrap_or_else(|disagreement| panic!("{disagreement}"))
}

pub(crate) fn at_once(file: &[u8], ring: &KeyRing) -> Verdict {
    sdi::open(file, ring).map(|opened| {
        let summary = opened.summary().clone();
        (opened.into_plaintext().into_bytes(), summary)
    })
}

/// Opens a file in chunks. Also gives the bytes that came out, which are provisional where the
/// verdict is an error.
///
/// # Errors
/// The opener goes on after an error.
pub(crate) fn streamed(
    file: &[u8],
    ring: &KeyRing,
    chunk: usize,
) -> Result<(Verdict, usize), String> {
    let mut plaintext = Vec::new();
    let mut opener = match Opener::new(ring) {
        Ok(opener) => opener,
        Err(error) => return Ok((Err(error), 0)),
    };
    for piece in file.chunks(chunk) {
        let Err(error) = opener.push(piece, &mut plaintext) else { continue };
        let out = plaintext.len();
        for again in [opener.push(piece, &mut plaintext), opener.push(b"", &mut plaintext)] {
            if !matches!(again, Err(Error::Misuse(_))) {
                return Err(format!("a push after {error:?} gives {again:?}"));
            }
        }
        let end = opener.finish(&mut plaintext);
        if !matches!(end, Err(Error::Misuse(_))) || plaintext.len() != out {
            return Err(format!("finish after {error:?} gives {end:?}"));
        }
        return Ok((Err(error), out));
    }
    let summary = opener.finish(&mut plaintext);
    let out = plaintext.len();
    Ok((summary.map(|summary| (plaintext, summary)), out))
}

/// What detection says of a whole file.
pub(crate) fn detected(file: &[u8]) -> Detection {
    let hint = |at_end| Hint { at_end, ..Hint::default() };
    sdi::detect(None, file, hint(true))
}

/// Open Ok means Enveloped, Plain means NotEncrypted, and the first 4096 bytes are enough.
fn agrees_with_detect(file: &[u8], verdict: &Verdict) -> Result<(), String> {
    let detection = detected(file);
    let head = file.get(..HEAD).unwrap_or(file);
    let at_end = head.len() == file.len();
    let of_head = sdi::detect(None, head, Hint { at_end, ..Hint::default() });
    if of_head != detection {
        return Err(format!("detect says {detection:?}, and of the head {of_head:?}"));
    }
    let agree = match (detection, verdict) {
        (Detection::Enveloped(_), verdict) => !matches!(verdict, Err(Error::NotEncrypted)),
        (Detection::Plain, verdict) => matches!(verdict, Err(Error::NotEncrypted)),
        (Detection::NeedMore, _) => false,
        (_, verdict) => verdict.is_err(),
    };
    if agree { Ok(()) } else { Err(format!("detect says {detection:?}, open {verdict:?}")) }
}

fn same(expected: &Verdict, found: &Verdict, way: &str) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let short = |verdict: &Verdict| match verdict {
        Ok((plaintext, summary)) => format!("{} bytes, {summary:?}", plaintext.len()),
        Err(error) => format!("{error:?}"),
    };
    Err(format!("{way}: {}; at once: {}", short(found), short(expected)))
}

/// Base64 in lines of 64 characters, each with its line end.
pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let text = BASE64_STANDARD.encode(bytes);
    let lines = text.as_bytes().chunks(64).map(|line| [line, b"\n"].concat());
    String::from_utf8(lines.flatten().collect()).expect("base64 is ASCII")
}

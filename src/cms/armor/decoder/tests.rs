//! The armor's decoder beside a plain one, on text that was changed everywhere.

use super::*;
use ::base64::engine::general_purpose::STANDARD;
use alloc::vec;
use alloc::vec::Vec;

const LIMIT: usize = 100;

/// What comes out when the text comes in pieces of this length.
fn decoded(text: &[u8], label: Option<PemLabel>, piece: usize) -> (Vec<u8>, Result<()>) {
    let mut bytes = Vec::new();
    let mut keep = |more: &[u8]| {
        bytes.extend_from_slice(more);
        Ok(())
    };
    let mut decoder = Base64::new(label, LIMIT);
    let pushed = text.chunks(piece).try_for_each(|piece| decoder.push(piece, &mut keep));
    let result = pushed.and_then(|()| decoder.finish(&mut keep));
    (bytes, result)
}

/// The same in another way: the end is searched for, and what is before it decoded at once.
fn expected(text: &[u8], label: Option<PemLabel>) -> Option<Vec<u8>> {
    // The line before it may have ended in CR NUL.
    let mut after_cr = true;
    let mut at_line_start = true;
    let (mut quads, mut line) = (Vec::new(), 0);
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'-' if label.is_some() && at_line_start => break,
            0 if after_cr => {}
            0 | 0xff if label.is_none() => break,
            b'\r' | b'\n' => line = 0,
            _ => line += 1,
        }
        if line > LIMIT {
            return None;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            0 if after_cr => {}
            _ => quads.push(byte),
        }
        at_line_start = matches!(byte, b'\r' | b'\n') || byte == 0 && after_cr;
        after_cr = byte == b'\r';
        at += 1;
    }
    let mut rest = &text[at..];
    if let Some(label) = label {
        rest = rest.strip_prefix(end_line(label).collect::<Vec<_>>().as_slice())?;
    }
    let is_over = rest.iter().all(|&byte| is_fill(byte));
    STANDARD.decode(quads).ok().filter(|_| is_over)
}

fn check(text: &[u8], label: Option<PemLabel>) -> bool {
    let expected = expected(text, label);
    let whole = decoded(text, label, text.len().max(1));
    match (&whole.1, &expected) {
        (Ok(()), Some(bytes)) => assert_eq!(whole.0, *bytes),
        (Err(_), None) => {}
        _ => panic!("{whole:?}, but {expected:?}: {}", text.escape_ascii()),
    }
    for piece in [1, 7, 80] {
        assert_eq!(decoded(text, label, piece), whole, "{piece}: {}", text.escape_ascii());
    }
    expected.is_some()
}

/// Every byte changed, left out and doubled by one of another kind: the quick way for whole lines takes
/// nothing else than the slow one, and both what there is to take.
#[test]
fn changed_text_is_decoded_or_refused_however_it_comes() {
    let (mut taken, mut refused) = (0, 0);
    for (len, line, end) in [
        (47, 64, "\n"),
        (48, 64, "\n"),
        (49, 16, "\n"),
        (95, 64, "\r\n"),
        (61, 20, "\r\0\n"),
        (40, 17, "\r"),
    ] {
        let bytes: Vec<u8> = (0..len).map(|byte: u8| byte.wrapping_mul(91)).collect();
        let base64 = STANDARD.encode(&bytes);
        for label in [None, Some(PemLabel::Cms)] {
            let mut text: Vec<u8> = Vec::new();
            for line in base64.as_bytes().chunks(line) {
                text.extend_from_slice(line);
                text.extend_from_slice(end.as_bytes());
            }
            if let Some(label) = label {
                text.extend(end_line(label).chain(*b"\n"));
            }
            assert!(check(&text, label));
            for at in 0..text.len() {
                for byte in *b"Az09+/=- \t\r\n\0\xff\x80*:@[`{\x7f" {
                    for replaced in [0, 1, 2] {
                        let mut changed = text.clone();
                        let end = (at + replaced).min(text.len());
                        changed.splice(at..end, [byte]);
                        if check(&changed, label) { taken += 1 } else { refused += 1 }
                    }
                }
                let mut shorter = text.clone();
                shorter.remove(at);
                check(&shorter, label);
                check(&text[..at], label);
                check(&[&text[..at], &[0xff; 9]].concat(), label);
                // The same twice, a word apart: as many characters as four bytes less would have.
                if at + 10 <= text.len() {
                    let mut twice = text.clone();
                    for place in [at, at + 1, at + 8, at + 9] {
                        twice[place] = b' ';
                    }
                    check(&twice, label);
                }
            }
            for more in 0..80 {
                let followed = [&text[..], &vec![b'A'; more], b"\n"].concat();
                let is_more = label.is_none() && text.len() > 1;
                assert!(!check(&followed, label) || more == 0 || is_more, "{more}");
            }
        }
    }
    assert!(taken > 1000 && refused > 1000, "{taken} {refused}");
}

/// Beyond one load, and up to the longest line.
#[test]
fn long_text_and_long_lines() {
    let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let base64 = STANDARD.encode(&bytes);
    for line in [1, 64, 76, LIMIT, LIMIT + 1] {
        let mut text: Vec<u8> = Vec::new();
        for line in base64.as_bytes().chunks(line) {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        assert_eq!(check(&text, None), line <= LIMIT);
        // Padding where a load ends, and text behind it.
        for at in [2044, 2047, 2048, 2049] {
            let mut changed = text.clone();
            let place = at + at / line;
            changed.splice(place..place, vec![b'='; 4]);
            assert!(!check(&changed, None));
        }
    }
    // Padding ends the text, also before a line that is as long.
    assert!(check(b"QUJD\nQQ==\n", None));
    assert!(!check(b"QUJD\nQQ==\nQUJD\n", None));
    let limit = Err(Error::limit(Limit::Line, 100));
    let too_long = |text: &[u8], label| decoded(text, label, text.len()).1;
    assert_eq!(too_long(&[b'A'; 101], None), limit);
    assert_eq!(too_long(&[b' '; 101], None), limit);
    assert_eq!(too_long(&[&[b' '; 100], &b"\nAAAA"[..]].concat(), None), Ok(()));
    assert_eq!(too_long(&[&[b'A'; 60][..], b" \t", &[b'A'; 39]].concat(), None), limit);
    // What fills a file up is no line.
    assert_eq!(too_long(&[b"AAAA\n", &[0xff; 101][..]].concat(), None), Ok(()));
    let ended = [b"AAAA\n-----END CMS-----", &[b' '; 101][..]].concat();
    assert_eq!(too_long(&ended, Some(PemLabel::Cms)), Ok(()));
}

#[test]
fn eight_at_once_are_checked_as_one() {
    for byte in 0..=255 {
        for place in 0..8 {
            for other in [b'A', b'z', b'/', b'+', b'0'] {
                let mut word = [other; 8];
                word[place] = byte;
                let found = not_base64(word).to_ne_bytes().map(|byte| byte == 0);
                assert!(
                    found
                        .iter()
                        .enumerate()
                        .all(|(at, &is_good)| { is_good == (at != place || is_base64(byte)) }),
                    "{byte} at {place}"
                );
            }
        }
        assert_eq!(not_base64([byte; 8]) == 0, is_base64(byte));
    }
}

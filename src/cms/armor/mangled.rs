//! What transfers in text mode, editors and shells make of envelopes. None of it is opened; but it is no
//! configuration either, and must not be installed as one.

use super::{BOM, Match, content_info, is_fill};

/// Whether our magic stands there after a transfer changed line ends, cut the eighth bit or recoded it.
pub(super) fn is_magic(head: &[u8]) -> bool {
    // A code page makes up to three bytes of the first one, or another one, or none.
    let mut behind = (0..4).filter_map(|at| head.get(at..)?.strip_prefix(b"SDI"));
    head.starts_with(b"\x89SDI")
        || behind.any(|rest| rest.starts_with(b"\r\n\x1a") || rest.starts_with(b"\n\x1a"))
}

/// Whether these bytes, which are no ContentInfo, were one: the content type is not where its length
/// says, or is not what it was. The control characters in front of it stand in no text.
#[cold]
pub(super) fn is_binary(head: &[u8]) -> bool {
    /// As far as length and type can reach, with each byte as three.
    const START: usize = 40;
    let start = head.get(..START).unwrap_or(head);
    let is_changed = |at: usize| match start.get(at..) {
        // An octet of the length was left out.
        Some([0x06, 9 | 11, b'*', 0x86, b'H', 0x86, 0xf7, arcs @ ..]) => {
            let arcs = arcs.strip_prefix(b"\r").unwrap_or(arcs);
            matches!(arcs, [1, 7, 3, ..] | [1, 9, 16, 1, 23, ..])
        }
        // A code page made up to three bytes of the first 86, or another one, or none.
        Some([0x06, 9 | 11, b'*', arcs @ ..]) => {
            let len = arcs.iter().take(4).position(|&byte| byte == b'H');
            len.is_some_and(|len| arcs.get(..len) != Some(&[0x86]))
        }
        _ => false,
    };
    if start.first() != Some(&0x30) {
        return false;
    }
    // In the length, too, LF may have become CR LF, and CR may have become CR NUL.
    let mut undone = [0; START];
    let mut len = 0;
    let mut before = 0;
    let mut rest = start;
    while let Some((&byte, behind)) = rest.split_first() {
        let is_added =
            byte == b'\r' && behind.first() == Some(&b'\n') || before == b'\r' && byte == 0;
        if let Some(place) = undone.get_mut(len).filter(|_| !is_added) {
            *place = byte;
            len += 1;
        }
        before = byte;
        rest = behind;
    }
    let undone = content_info(undone.get(..len).unwrap_or_default());
    !matches!(undone, Match::NotCms | Match::Cut) || (1..start.len()).any(is_changed)
}

/// Room for as much of UTF-16 as a label, or base64 up to the content type, needs. (The headers of a mail
/// may be longer.)
pub(super) const PLACE: [u8; 256] = [0; 256];

/// The bytes without what stands in front of them, and UTF-16 without its zeros. `None` if there was
/// nothing to take away.
#[cold]
pub(super) fn uncovered<'a>(head: &'a [u8], place: &'a mut [u8; 256]) -> Option<&'a [u8]> {
    let is_wide = match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [a, b, c, d, ..] => ((*a, *c) == (0, 0)) != ((*b, *d) == (0, 0)),
        _ => false,
    };
    let mut rest = head;
    if is_wide {
        let mut len = 0;
        for &byte in head {
            if let Some(place) = place.get_mut(len).filter(|_| byte != 0) {
                *place = byte;
                len += 1;
            }
        }
        rest = place.get(..len)?;
    }
    let is_in_front = |byte: &u8| is_fill(*byte) || *byte == 0xfe || BOM.contains(byte);
    let front = rest.iter().take_while(|&byte| is_in_front(byte)).count();
    (is_wide || front > 0).then(|| rest.get(front..).unwrap_or_default())
}

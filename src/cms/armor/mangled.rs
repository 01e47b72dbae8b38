//! What transfers in text mode, editors and shells make of envelopes. None of it is opened; but it is no
//! configuration either, and must not be installed as one.

use super::{BOM, Match, content_info, is_fill};

/// Whether our magic stands there after a transfer changed line ends, cut the eighth bit or recoded it.
pub(super) fn is_magic(head: &[u8]) -> bool {
    const MANGLED: [&[u8]; 6] =
        [b"\x89SDI", b"\tSDI", b"\xc2\x89SDI", b"\xef\xbf\xbdSDI", b"SDI\r\n\x1a", b"SDI\n\x1a"];
    MANGLED.iter().any(|start| head.starts_with(start))
}

/// Whether these bytes, which are no ContentInfo, were one: the content type is not where its length
/// says, or is not what it was. The control characters in front of it stand in no text.
#[cold]
pub(super) fn is_binary(head: &[u8]) -> bool {
    /// As far as length and type can reach, with each byte as three.
    const START: usize = 40;
    let start = head.get(..START).unwrap_or(head);
    // 2a 86 48 86 f7 0d 01 after Latin-1 was made UTF-8; with bytes that are no UTF-8 replaced, or left
    // out; with seven bits.
    let is_recoded = |at: usize| match start.get(at..) {
        Some([0x06, 9 | 11, b'*', arcs @ ..]) => matches!(
            arcs,
            [0xc2, 0x86, b'H', ..]
                | [0xef, 0xbf, 0xbd, b'H', ..]
                | [b'H', b'\r', 0x01, ..]
                | [0x06, b'H', 0x06, ..]
        ),
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
    !matches!(undone, Match::NotCms | Match::Cut) || (1..start.len()).any(is_recoded)
}

/// Room for as much of UTF-16 as a label, or base64 up to the content type, needs.
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

//! A text-mode transfer (TFTP netascii, FTP ascii) that shows in a damaged binary file.

use crate::report::Failure;
use sdi::{Damage, Detection, Encoding, Hint};

/// Adds to a failure what the bytes of the file tell about its way here.
pub(crate) fn explain(failure: Failure, file: &[u8]) -> Failure {
    let failure = match sdi::detect(None, file, Hint { at_end: true, ..Hint::default() }) {
        Detection::Damaged(Damage::TextMode) => failure,
        Detection::Enveloped(Encoding::Der | Encoding::Ber | Encoding::Magic)
            if has_changed_line_ends(file) =>
        {
            failure.fact("reason", "a text-mode transfer has changed its line ends")
        }
        _ => return failure,
    };
    failure.help("copy it again in binary mode: TFTP octet, FTP binary")
}

/// Such a transfer makes CR LF of every LF, and CR NUL of every CR alone. In bytes that nobody has
/// changed, an LF has a CR before it once in 256 times.
fn has_changed_line_ends(file: &[u8]) -> bool {
    let pairs = || file.iter().zip(file.iter().skip(1));
    let bare = |wanted: u8| file.iter().filter(|byte| **byte == wanted).count();
    let changed_lf = pairs().filter(|(a, b)| (**a, **b) == (b'\r', b'\n')).count();
    let changed_cr = pairs().filter(|(a, b)| (**a, **b) == (b'\r', 0)).count();
    match bare(b'\n') {
        0 => changed_cr > 0 && changed_cr == bare(b'\r'),
        all => changed_lf == all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_line_ends_are_told_from_others() {
        for (file, is_changed) in [
            (&b"0\x82\r\n\x01"[..], true),
            (b"0\r\0\x01\r\0", true),
            (b"\r\n\r\0\r\n", true),
            (b"\r\n\r\r\n", true), // CR stays as it is where only LF is changed
            (b"0\x82\n\x01", false),
            (b"\r\n\n", false),
            (b"\r\0\r", false),
            (b"0\x82\x01", false),
            (b"", false),
        ] {
            assert_eq!(has_changed_line_ends(file), is_changed, "{file:?}");
        }
    }
}

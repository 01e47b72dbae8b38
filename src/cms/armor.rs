//! What stands around an envelope: PEM lines, mail headers, base64, our binary magic, a BOM, blank
//! lines. One scanner says where the envelope begins, for `detect` and for `open` alike; one decoder
//! then takes the armor off, piece by piece.

mod decoder;
mod mangled;
mod mime;

pub(crate) use decoder::Decoder;

use crate::error::Oid;
use crate::{Damage, Encoding, PemLabel, oid};
use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;

/// Bytes at the start of a file that decide what it is.
pub(crate) const HEAD: usize = 4096;

/// The eight bytes that mark our own binary files. Like PNG's they show a text-mode transfer.
pub(crate) const MAGIC: [u8; 8] = *b"\x89SDI\r\n\x1a\n";

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What the first bytes of a file show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Enveloped(Start),
    Plain,
    Damaged(Damage),
    /// Another content type, if the bytes tell which.
    OtherCms(Option<Oid>),
    Empty,
    NeedMore,
}

/// Where an envelope begins, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) encoding: Encoding,
    pub(crate) is_base64: bool,
    /// The offset of the first byte of BER or base64.
    pub(crate) at: usize,
}

/// Looks at the first bytes: all of the file if `at_end`, else as many as there are so far.
///
/// With [`HEAD`] bytes or at the end the answer is final. Before that `NeedMore` means that the bytes
/// may begin an envelope, or one in disguise, and `Plain` that they do not, but that there may be one
/// behind them.
pub(crate) fn classify(head: &[u8], at_end: bool) -> Found {
    let head = head.get(..HEAD).unwrap_or(head);
    let scan = Scan { head, more: !at_end && head.len() < HEAD };
    let text = head.strip_prefix(BOM).unwrap_or(head);
    if text.iter().all(|&byte| is_fill(byte)) {
        return if scan.more { Found::NeedMore } else { Found::Empty };
    }
    let mut cut = None;
    for form in [Scan::binary, Scan::pem_at_start, Scan::mail, Scan::base64, Scan::pem_after_text] {
        match form(&scan) {
            Found::Plain => {}
            // A later form may yet fit what this one takes for its own cut prefix.
            found @ (Found::NeedMore | Found::Damaged(Damage::Truncated)) => {
                cut = cut.or(Some(found));
            }
            found => return found,
        }
    }
    cut.unwrap_or_else(|| disguised(head, !scan.more))
}

/// An envelope behind bytes that none begins with, or in UTF-16. It is not opened, but neither is it a
/// configuration.
fn disguised(head: &[u8], is_final: bool) -> Found {
    let mut place = mangled::PLACE;
    // Each time there is less of it.
    let inside = mangled::uncovered(head, &mut place).map(|inside| classify(inside, is_final));
    match inside {
        None | Some(Found::Plain | Found::Empty) => Found::Plain,
        Some(Found::NeedMore) => Found::NeedMore,
        Some(_) => Found::Damaged(Damage::Armor),
    }
}

/// White space, line ends, and the 00 and FF that fill up flash blocks and TFTP buffers.
pub(crate) const fn is_fill(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0 | 0xff)
}

impl Start {
    /// What of the file is text, in which a transfer may change line ends unnoticed.
    pub(crate) fn text<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        match self.encoding {
            _ if self.is_base64 => file,
            Encoding::Smime => file.get(..self.at).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Bytes of fill behind base64, without the ends of its last line.
    pub(crate) fn text_fill(&self, file: &[u8]) -> usize {
        if !self.is_base64 {
            return 0;
        }
        let end = file.iter().rposition(|&byte| !is_fill(byte)).map_or(0, |last| last + 1);
        let fill = file.get(end..).unwrap_or_default();
        fill.iter().skip_while(|byte| matches!(byte, b'\r' | b'\n')).count()
    }
}

struct Scan<'a> {
    head: &'a [u8],
    /// More bytes may come that could change the answer.
    more: bool,
}

impl Scan<'_> {
    fn cut(&self) -> Found {
        if self.more { Found::NeedMore } else { Found::Damaged(Damage::Truncated) }
    }

    /// DER or BER from the first byte on, or behind our magic.
    fn binary(&self) -> Found {
        if let Some(body) = self.head.strip_prefix(&MAGIC) {
            return self.envelope(content_info(body), Encoding::Magic, MAGIC.len(), false);
        }
        if MAGIC.starts_with(self.head) {
            return self.cut();
        }
        if mangled::is_magic(self.head) {
            return Found::Damaged(Damage::TextMode);
        }
        let matched = content_info(self.head);
        match matched {
            Match::NotCms if mangled::is_binary(self.head) => Found::Damaged(Damage::TextMode),
            Match::NotCms => Found::Plain,
            Match::Enveloped { definite: true } => self.envelope(matched, Encoding::Der, 0, false),
            _ => self.envelope(matched, Encoding::Ber, 0, false),
        }
    }

    fn pem_at_start(&self) -> Found {
        let at = self.text_start();
        match self.label_at(at) {
            Label::Ours(label, body) => self.base64_envelope(Encoding::Pem(label), body),
            Label::Cut => self.cut(),
            Label::Damaged(_) => Found::Damaged(Damage::Armor),
            Label::None => Found::Plain,
        }
    }

    /// Configurations carry certificate bundles under the same labels, so behind other text only
    /// a block that really is an envelope counts.
    fn pem_after_text(&self) -> Found {
        let mut found = Found::Plain;
        let mut damaged = false;
        let is_envelope =
            |at| matches!(self.base64_envelope(Encoding::Base64, at), Found::Enveloped(_));
        let mut at = 0;
        while let Some(line_end) = find_line_end(self.head, at) {
            let line = self.head.get(at..line_end).unwrap_or_default();
            let is_return = self.head.get(line_end..).is_some_and(|end| end.starts_with(b"\r\n"));
            at = line_end + if is_return { 2 } else { 1 };
            // Behind a blank line a mail's body begins, and may be indented. Elsewhere what is indented
            // belongs to what stands before it.
            let is_body = line.iter().all(|&byte| is_space(byte));
            let rest = self.head.get(at..).unwrap_or_default();
            let indent = rest.iter().take_while(|byte| is_body && b" \t".contains(byte)).count();
            let start = at + indent;
            match self.label_at(at) {
                Label::Ours(label, body) => {
                    match self.base64_envelope(Encoding::Pem(label), body) {
                        enveloped @ Found::Enveloped(_) => return enveloped,
                        Found::NeedMore => found = Found::NeedMore,
                        _ => {}
                    }
                }
                Label::Cut if self.more => found = Found::NeedMore,
                Label::Damaged(body) => damaged |= is_envelope(body),
                // The line before it is no label, but the bytes are an envelope's. (What begins with
                // another letter is none; so empty lines are not passed over from each one anew.)
                _ if self.head.get(start) == Some(&b'M') => damaged |= is_envelope(start),
                _ => {}
            }
        }
        if damaged { Found::Damaged(Damage::Armor) } else { found }
    }

    fn mail(&self) -> Found {
        let start = self.text_start();
        match mime::headers(self.head.get(start..).unwrap_or_default()) {
            mime::Headers::None => Found::Plain,
            mime::Headers::Cut { certain } if certain || self.more => self.cut(),
            mime::Headers::Cut { .. } => Found::Plain,
            mime::Headers::Damaged => Found::Damaged(Damage::Armor),
            mime::Headers::OtherCms => Found::OtherCms(None),
            mime::Headers::Enveloped { body, transfer } => {
                let body = start + body;
                match transfer {
                    mime::Transfer::Base64 => self.base64_envelope(Encoding::Smime, body),
                    mime::Transfer::Binary => {
                        let bytes = self.head.get(body..).unwrap_or_default();
                        self.envelope(content_info(bytes), Encoding::Smime, body, false)
                    }
                }
            }
        }
    }

    /// Base64 with nothing around it: text like any other, unless it decodes to CMS.
    fn base64(&self) -> Found {
        let at = self.text_start();
        match self.base64_envelope(Encoding::Base64, at) {
            Found::Damaged(Damage::NotAnEnvelope | Damage::Armor) => Found::Plain,
            found => found,
        }
    }

    fn base64_envelope(&self, encoding: Encoding, at: usize) -> Found {
        // More than any form of tag, length and content type needs.
        let mut bytes = [0; 32];
        let mut len = 0;
        let mut ended = false;
        let mut quad = [0; 4];
        let mut filled = 0;
        for &byte in self.head.get(at..).unwrap_or_default() {
            if is_space(byte) || byte == 0 {
                continue;
            }
            if byte == b'-' || byte == b'=' {
                ended = true;
                break;
            }
            // A SEQUENCE begins with M in base64.
            let is_first = len == 0 && filled == 0;
            if !is_base64(byte) || is_first && byte != b'M' {
                return Found::Damaged(Damage::Armor);
            }
            let (Some(place), Some(room)) = (quad.get_mut(filled), bytes.get_mut(len..len + 3))
            else {
                break;
            };
            *place = byte;
            filled += 1;
            if filled == quad.len() {
                if STANDARD.decode_slice(quad, room).is_err() {
                    return Found::Damaged(Damage::Armor);
                }
                len += room.len();
                filled = 0;
            }
        }
        if let Some(room) = bytes.get_mut(len..len + 3) {
            quad.iter_mut().skip(filled).for_each(|place| *place = b'A');
            if filled > 0 && STANDARD.decode_slice(quad, room).is_ok() {
                len += filled - 1;
            }
        }
        match content_info(bytes.get(..len).unwrap_or_default()) {
            Match::Cut if ended => Found::Damaged(Damage::NotAnEnvelope),
            matched => self.envelope(matched, encoding, at, true),
        }
    }

    fn envelope(&self, matched: Match, encoding: Encoding, at: usize, is_base64: bool) -> Found {
        match matched {
            Match::Enveloped { .. } => Found::Enveloped(Start { encoding, is_base64, at }),
            Match::OtherCms(oid) => Found::OtherCms(Some(oid)),
            Match::TextMode => Found::Damaged(Damage::TextMode),
            Match::Cut => self.cut(),
            Match::NotCms => Found::Damaged(Damage::NotAnEnvelope),
        }
    }

    /// Behind a BOM and blank lines.
    fn text_start(&self) -> usize {
        let bom = if self.head.starts_with(BOM) { BOM.len() } else { 0 };
        let text = self.head.get(bom..).unwrap_or_default();
        bom + text.iter().take_while(|&&byte| is_space(byte)).count()
    }

    fn label_at(&self, at: usize) -> Label {
        let text = self.head.get(at..).unwrap_or_default();
        for label in LABELS {
            let whole = begin_line(label).count();
            let matching = begin_line(label).zip(text).take_while(|(a, b)| a == *b).count();
            if matching == whole {
                let rest = text.get(whole..).unwrap_or_default();
                let blank = rest.iter().take_while(|&&byte| is_space(byte) && byte != b'\n');
                let blank = blank.count();
                return match rest.get(blank) {
                    Some(b'\n') => Label::Ours(label, at + whole + blank),
                    // Only carriage returns end the lines.
                    Some(_) if rest.get(..blank).is_some_and(|blank| blank.contains(&b'\r')) => {
                        Label::Ours(label, at + whole + blank)
                    }
                    Some(_) => Label::Damaged(at + whole + blank),
                    None => Label::Cut,
                };
            }
            if matching == text.len() {
                return if text.is_empty() { Label::None } else { Label::Cut };
            }
        }
        Label::None
    }
}

enum Label {
    /// One of ours, and where its body begins.
    Ours(PemLabel, usize),
    /// The bytes end within a line that may become one of ours.
    Cut,
    /// One of ours with more behind it in its line, and where that begins.
    Damaged(usize),
    None,
}

const LABELS: [PemLabel; 3] = [PemLabel::Pkcs7, PemLabel::Cms, PemLabel::EncryptedMessage];

fn begin_line(label: PemLabel) -> impl Iterator<Item = u8> {
    [b"-----BEGIN ".as_slice(), label.name().as_bytes(), b"-----"].into_iter().flatten().copied()
}

fn find_line_end(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).map(|at| from + at)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// How bytes compare with the start of a ContentInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Enveloped {
        definite: bool,
    },
    OtherCms(Oid),
    /// It would be CMS, had not CR become CR NUL, CR LF, CR CR or LF, or got lost.
    TextMode,
    /// It agrees as far as it goes.
    Cut,
    NotCms,
}

fn content_info(bytes: &[u8]) -> Match {
    /// id-pkcs7 and id-smime ct, without their last arc.
    const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
    const SMIME_CT: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01];
    /// What both begin with.
    const RSADSI: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7];

    let Some(rest) = bytes.strip_prefix(b"\x30") else {
        return if bytes.is_empty() { Match::Cut } else { Match::NotCms };
    };
    let Some((&length, rest)) = rest.split_first() else { return Match::Cut };
    let octets = match length {
        0..=0x80 => 0,
        0x81..=0x88 => usize::from(length & 0x7f),
        _ => return Match::NotCms,
    };
    let Some(rest) = rest.get(octets..) else { return Match::Cut };
    for (place, byte) in rest.iter().take(2).enumerate() {
        let fits = match place {
            0 => *byte == 0x06,
            _ => matches!(byte, 9 | 11),
        };
        if !fits {
            return Match::NotCms;
        }
    }
    let Some((&[_, len], rest)) = rest.split_first_chunk::<2>() else { return Match::Cut };
    // CR NUL, CR LF, CR CR; CR as LF; no CR.
    let changed = rest.strip_prefix(RSADSI).is_some_and(|rest| {
        matches!(rest, [0x0d, 0x00 | 0x0a | 0x0d, ..] | [0x0a, 0x01, ..] | [0x01, 0x07 | 0x09, ..])
    });
    if changed {
        return Match::TextMode;
    }
    let arc = if len == 9 { PKCS7 } else { SMIME_CT };
    if rest.len() <= arc.len() {
        return if arc.starts_with(rest) { Match::Cut } else { Match::NotCms };
    }
    match rest.get(..usize::from(len)) {
        Some(oid::ENVELOPED_DATA | oid::AUTH_ENVELOPED_DATA) => {
            Match::Enveloped { definite: length != 0x80 }
        }
        Some(other) if other.starts_with(arc) => Match::OtherCms(Oid::new(other)),
        _ => Match::NotCms,
    }
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

//! The headers of an S/MIME message (RFC 8551), as far as they tell what its body is.

/// What the headers say.
pub(super) enum Headers {
    /// These are no mail headers, or those of other mail.
    None,
    /// The bytes end within headers that may become ours, or within those that are.
    Cut {
        certain: bool,
    },
    Damaged,
    /// A signed, compressed or certificates-only message.
    OtherCms,
    Enveloped {
        body: usize,
        transfer: Transfer,
    },
}

/// How the body is encoded.
#[derive(Clone, Copy)]
pub(super) enum Transfer {
    Base64,
    Binary,
}

/// Headers with which a mail begins. Lines of this shape also stand in YAML, so another first name
/// means that this is no mail.
const FIRST: [&[u8]; 21] = [
    b"MIME-Version",
    b"Content-Type",
    b"Content-Transfer-Encoding",
    b"Content-Disposition",
    b"Content-Description",
    b"Content-ID",
    b"From",
    b"To",
    b"Cc",
    b"Bcc",
    b"Subject",
    b"Date",
    b"Message-ID",
    b"Received",
    b"Delivered-To",
    b"DKIM-Signature",
    b"Return-Path",
    b"Reply-To",
    b"Sender",
    b"User-Agent",
    b"X-",
];

/// The headers that make a mail an S/MIME message.
const MIME: &[&[u8]] = &[b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding"];

/// Reads the headers at the start of `text`.
pub(super) fn headers(text: &[u8]) -> Headers {
    let mut kind = None;
    let mut transfer = None;
    let mut is_mime = false;
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let end = header_end(rest);
        let line = rest.get(..end).unwrap_or(rest);
        if end <= rest.len() && line.iter().all(u8::is_ascii_whitespace) {
            let body = at + end;
            let skip = text.get(body..).unwrap_or_default();
            let blank = skip.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            return match kind {
                Some(Kind::Enveloped) => Headers::Enveloped {
                    body: body + blank,
                    transfer: transfer.unwrap_or_else(|| match skip.get(blank) {
                        Some(0x30) => Transfer::Binary,
                        _ => Transfer::Base64,
                    }),
                },
                Some(Kind::OtherCms) => Headers::OtherCms,
                Some(Kind::OtherMail) | None => Headers::None,
            };
        }
        // What has said that it is ours stays ours.
        let other = match kind {
            Some(Kind::Enveloped) => Headers::Damaged,
            _ => Headers::None,
        };
        let colon = line.iter().position(|&byte| byte == b':');
        let name = line.get(..colon.unwrap_or(line.len())).unwrap_or_default();
        if end >= rest.len() {
            // The last line so far; it may go on, be folded, or be followed by the body.
            let whole = colon.is_some();
            return if !is_name(name) && !name.trim_ascii().is_empty() {
                other
            } else if is_mime || begins_with(name, whole, MIME) {
                Headers::Cut { certain: !matches!(kind, Some(Kind::OtherMail)) }
            } else if at > 0 || begins_with(name, whole, &FIRST) {
                Headers::Cut { certain: false }
            } else {
                Headers::None
            };
        }
        let Some(colon) = colon.filter(|_| is_name(name)) else { return other };
        if at == 0 && !begins_with(name, true, &FIRST) {
            return Headers::None;
        }
        is_mime |= same(name, b"MIME-Version");
        let value = line.get(colon + 1..).unwrap_or_default();
        if same(name, b"Content-Type") {
            is_mime = true;
            if kind.replace(Kind::of(value)).is_some() {
                return Headers::Damaged;
            }
        } else if same(name, b"Content-Transfer-Encoding") {
            is_mime = true;
            let Some(encoding) = encoding(value) else { return Headers::Damaged };
            if transfer.replace(encoding).is_some() {
                return Headers::Damaged;
            }
        }
        at += end;
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Enveloped,
    OtherCms,
    OtherMail,
}

impl Kind {
    fn of(value: &[u8]) -> Self {
        let mut parts = value.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let media_type = parts.next().unwrap_or_default();
        let is = |name: &[u8]| same(media_type, name);
        if !is(b"application/pkcs7-mime") && !is(b"application/x-pkcs7-mime") {
            return Self::OtherMail;
        }
        for part in parts {
            let mut sides = part.splitn(2, |&byte| byte == b'=').map(<[u8]>::trim_ascii);
            if !sides.next().is_some_and(|name| same(name, b"smime-type")) {
                continue;
            }
            let wanted = sides.next().unwrap_or_default();
            let wanted = wanted.strip_prefix(b"\"").unwrap_or(wanted);
            let wanted = wanted.strip_suffix(b"\"").unwrap_or(wanted);
            let ours: [&[u8]; 2] = [b"enveloped-data", b"authEnveloped-data"];
            if !ours.iter().any(|name| same(wanted, name)) {
                return Self::OtherCms;
            }
        }
        Self::Enveloped
    }
}

/// Content-Transfer-Encoding (RFC 2045); `None` for one that CMS does not come in.
fn encoding(value: &[u8]) -> Option<Transfer> {
    let value = value.trim_ascii();
    if same(value, b"base64") {
        return Some(Transfer::Base64);
    }
    let binary: [&[u8]; 3] = [b"binary", b"8bit", b"7bit"];
    binary.iter().any(|name| same(value, name)).then_some(Transfer::Binary)
}

/// Where a header ends, its folded lines included: at the start of the next one.
fn header_end(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(line_end) = text.get(at..).and_then(|rest| rest.iter().position(is_line_feed)) {
        at += line_end + 1;
        // A blank line is a header of its own, and is never folded into one.
        let blank = text.get(..at).unwrap_or_default().iter().all(u8::is_ascii_whitespace);
        if blank || !matches!(text.get(at), Some(b' ' | b'\t')) {
            // Until the next byte is seen the header may go on.
            return if !blank && at == text.len() { text.len() + 1 } else { at };
        }
    }
    text.len() + 1
}

const fn is_line_feed(byte: &u8) -> bool {
    *byte == b'\n'
}

/// Letters in either case.
// A call is shorter than the loop, in a dozen places, and the loop than the library's, which is made for
// long texts.
#[inline(never)]
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

fn is_first(name: &[u8], first: &[u8]) -> bool {
    match first {
        b"X-" => name.get(..2).is_some_and(|start| same(start, first)),
        _ => same(name, first),
    }
}

/// Whether a name, or the part of it that is there, is one of these.
fn begins_with(name: &[u8], is_whole: bool, names: &[&[u8]]) -> bool {
    names.iter().any(|&candidate| {
        let start = candidate.get(..name.len());
        let prefix = start.is_some_and(|start| same(start, name));
        if is_whole { is_first(name, candidate) } else { prefix && !name.is_empty() }
    })
}

//! What a file says about itself, as JSON.

use crate::boundary::boundary;
use crate::bytes::sdi_bytes;
use crate::error::{Failure, sdi_error, sdi_result};
use crate::memory;
use alloc::vec::Vec;
use core::fmt::{self, Write};
use sdi::{Envelope, Limits, Secret};

/// Says whom a file is for and how it is encrypted, without any key. The answer is one JSON object in
/// ASCII, without a NUL at its end:
///
/// {"encoding":"pem","label":"CMS","authenticated":true,"content":"aes-256-gcm","content_bytes":80,
/// "recipients":[{"name":"CN=SN19842256 serial 5f3a","algorithm":"ecdh x963-sha-256 aes-256-wrap"}],
/// "warnings":[]}
///
/// encoding is der, ber, pem (then there is a label), smime, base64 or magic-der. Members may be
/// added. A file of more than 64 MiB is SDI_ERR_LIMIT. You own *json_out: free it with sdi_bytes_free.
/// May run at once with anything.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdi_inspect(
    file: *const u8,
    file_len: usize,
    json_out: *mut *mut sdi_bytes,
    err: *mut *mut sdi_error,
) -> sdi_result {
    boundary!(err, |c| {
        let json_out = c.out(json_out)?;
        let file = c.bytes(file, file_len)?;
        // A recipient of a few bytes in the file is some hundred in words.
        memory::check(file_len.saturating_mul(16).min(4 << 20))?;
        let envelope = Envelope::parse(file, &Limits::default())?;
        json_out.give(json(&envelope)?)
    })
}

fn json(envelope: &Envelope) -> Result<Secret, Failure> {
    let mut text = Text(Vec::new());
    // Only memory can fail.
    write(&mut text, envelope).map_err(|_| sdi::Error::OutOfMemory)?;
    Ok(text.0.into())
}

fn write(text: &mut Text, envelope: &Envelope) -> fmt::Result {
    let encoding = envelope.encoding();
    write!(text, "{{\"encoding\":{}", Quoted(encoding.name()))?;
    if let Some(label) = encoding.label() {
        write!(text, ",\"label\":{}", Quoted(label))?;
    }
    write!(text, ",\"authenticated\":{}", envelope.is_authenticated())?;
    write!(text, ",\"content\":{}", Quoted(envelope.content()))?;
    write!(text, ",\"content_bytes\":{},\"recipients\":[", envelope.content_len())?;
    for (i, recipient) in envelope.recipients().iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let (name, algorithm) = (Quoted(recipient.name()), Quoted(recipient.algorithm()));
        write!(text, "{comma}{{\"name\":{name},\"algorithm\":{algorithm}}}")?;
    }
    text.write_str("],\"warnings\":[")?;
    for (i, warning) in envelope.warnings().iter().enumerate() {
        write!(text, "{}{}", if i == 0 { "" } else { "," }, Quoted(warning))?;
    }
    text.write_str("]}")
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        // All of it is printable ASCII.
        for letter in self.0.chars() {
            if matches!(letter, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(letter)?;
        }
        f.write_char('"')
    }
}

/// Text that grows, or says that it cannot.
struct Text(Vec<u8>);

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.0.try_reserve(more.len()).map_err(|_| fmt::Error)?;
        self.0.extend_from_slice(more.as_bytes());
        Ok(())
    }
}

//! `sdi inspect`: whom a file is for and how it is encrypted, without any key.

use super::detect::form;
use crate::addressee::is_for;
use crate::code::Code;
use crate::console::Console;
use crate::input::{certificate, check_stdin_once, read_file};
use crate::report::{Answer, Failure, Outcome, shown};
use crate::text_mode;
use crate::warning::Warning;
use sdi::{Encoding, Envelope, Limits};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Shows whom a file is for and how it is encrypted.
///
/// No key is needed and nothing is decrypted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi inspect SN19842256.enc
  sdi inspect --json --match-cert SN19842256.crt SN19842256.enc")]
pub(crate) struct Args {
    /// Says too whether the file is for the device with this certificate; if not, the exit status is 4.
    #[arg(long, value_name = "CRT")]
    match_cert: Option<PathBuf>,
    /// The encrypted file.
    file: PathBuf,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    let inputs = args.match_cert.iter().chain([&args.file]);
    check_stdin_once(inputs.map(PathBuf::as_path))?;
    let certificate =
        args.match_cert.as_deref().map(|path| certificate(path, console)).transpose()?;
    let limits = Limits::default();
    let file = read_file(&args.file, limits.file)?;
    console.detail(&format!("read {}: {} bytes", shown(&args.file), file.len()));
    let refused = |error: sdi::Error| Failure::from(error).file(&args.file);
    let envelope = Envelope::parse(&file, &limits)
        .map_err(|error| text_mode::explain(refused(error), &file))?;
    console.step(&format!("walked over {} recipients", envelope.recipients().len()));
    let matches = certificate.map(|certificate| is_for(&file, &certificate)).transpose();
    let matches = matches.map_err(refused)?;

    let mut fields = facts(&envelope);
    fields["file"] = json!(shown(&args.file));
    fields["file_bytes"] = json!(file.len());
    fields["match"] = json!(matches);
    let mut text = words(&envelope, &args.file);
    if let Some(matches) = matches {
        let is_not = if matches { "" } else { "not " };
        // Writing to a String cannot fail.
        let _ = write!(text, "\nmatch       {is_not}for the certificate that you gave");
    }
    let mut answer = Answer::new(text, fields);
    if matches == Some(false) {
        answer.exit = Code::NOT_FOR_KEY.exit();
    }
    Ok(answer)
}

fn words(envelope: &Envelope, path: &Path) -> String {
    let mut text = format!(
        "file        {} ({})\ncontent     {}, {}, {} bytes",
        shown(path),
        form(envelope.encoding()),
        content_type(envelope),
        envelope.content(),
        envelope.content_len(),
    );
    for recipient in envelope.recipients() {
        let name = Some(recipient.name()).filter(|name| !name.is_empty());
        let name = name.unwrap_or("(without a name)");
        // Writing to a String cannot fail.
        let _ = write!(text, "\nrecipient   {name}, {}", recipient.algorithm());
    }
    for warning in warnings(envelope) {
        let _ = write!(text, "\nwarning     {}", warning.text);
    }
    text
}

fn content_type(envelope: &Envelope) -> &'static str {
    if envelope.is_authenticated() { "auth-enveloped-data" } else { "enveloped-data" }
}

fn facts(envelope: &Envelope) -> Value {
    let encoding = envelope.encoding();
    json!({
        "kind": "enveloped",
        "encoding": encoding.name(),
        "label": encoding.label(),
        "content_type": content_type(envelope),
        "profile": if envelope.is_authenticated() { "authenticated" } else { "rfc8886" },
        "content_encryption": envelope.content(),
        "content_bytes": envelope.content_len(),
        "recipients": envelope.recipients().iter().map(recipient).collect::<Vec<Value>>(),
        "warnings": Warning::list(&warnings(envelope)),
    })
}

fn recipient(recipient: &sdi::Recipient) -> Value {
    let name = recipient.name();
    // A serial number has no space in it, whatever the issuer has.
    let named = name.rsplit_once(" serial ");
    let algorithm = recipient.algorithm();
    let kind = match algorithm.split(['-', ' ']).next() {
        Some("rsa") => "ktri",
        Some("ecdh") => "kari",
        _ => "other",
    };
    let (encryption, wrap) = match algorithm.rsplit_once(' ') {
        Some((encryption, wrap)) if kind == "kari" => (encryption, Some(wrap)),
        _ => (algorithm, None),
    };
    json!({
        "type": kind,
        "issuer": named.map(|(issuer, _)| issuer),
        "serial": named.map(|(_, serial)| serial),
        "ski": name.strip_prefix("key ").filter(|_| named.is_none()),
        "key_encryption": encryption,
        "key_wrap": wrap,
    })
}

/// One of the library's.
fn of_library(text: &str) -> Warning {
    let code = match text.split([' ', ':']).next() {
        Some("not") => "unauthenticated",
        Some("RSA") => "rsa-pkcs1v15",
        Some("key") => "sha1-kdf",
        Some("triple") => "weak-cipher",
        _ => "other",
    };
    Warning::new(code, text)
}

/// Of the algorithms, and of what stands around the envelope.
fn warnings(envelope: &Envelope) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = envelope.warnings().iter().copied().map(of_library).collect();
    if envelope.trailing_len() > 0 {
        let bytes = envelope.trailing_len();
        let text = format!("trailing data: {bytes} bytes of fill stand behind the end");
        warnings.push(Warning { bytes: Some(bytes), ..Warning::new("trailing-data", text) });
    }
    warnings.extend(crlf(envelope));
    warnings
}

/// Of a transfer that did no harm to this text.
pub(super) fn crlf(envelope: &Envelope) -> Option<Warning> {
    let text = match envelope.encoding() {
        Encoding::Smime => "text-mode S/MIME: line ends were changed",
        _ => "line ends were changed: a binary file would be damaged on this way",
    };
    envelope.has_crlf().then(|| Warning::new("crlf", text))
}

//! `sdi verify-deploy`: what a server really serves, looked at with the eyes of the device.

use super::inspect::crlf;
use crate::addressee::is_for;
use crate::code::Code;
use crate::console::Console;
use crate::fingerprint::Fingerprint;
use crate::http;
use crate::input::{certificate, check_stdin_once, read_file};
use crate::report::{Answer, Failure, Outcome, printable, shown};
use crate::text_mode;
use sdi::{Envelope, Limits};
use serde_json::json;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Fetches a file from where a device would, and says whether the device can open it.
///
/// It notices a plain or damaged file, one that a text-mode transfer has changed, and one for another
/// device. The file comes from an http URL or from a folder; there is no TFTP and no HTTPS yet.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi verify-deploy --cert SN19842256.crt SN19842256.enc
  sdi verify-deploy --json --cert SN19842256.crt ./SN19842256.enc")]
pub(crate) struct Args {
    /// An http URL, or a path.
    url: OsString,
    /// The certificate of the device.
    #[arg(long, value_name = "CRT")]
    cert: PathBuf,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    let path = Path::new(&args.url);
    check_stdin_once([path, &args.cert])?;
    let certificate = certificate(&args.cert, console)?;
    let limits = Limits::default();
    let file = match args.url.to_str().filter(|url| url.contains("://")) {
        Some(url) => http::get(url, limits.file)?,
        None => std::mem::take(&mut *read_file(path, limits.file)?),
    };
    console.detail(&format!("fetched {}: {} bytes", shown(path), file.len()));
    let served = |failure: Failure| failure.fact("served", shown(path));
    let envelope = Envelope::parse(&file, &limits).map_err(|error| {
        let failure = served(Failure::from(error));
        text_mode::explain(failure.help("encrypt it again, and copy it whole: sdi push"), &file)
    })?;
    console.step(&format!("it is an envelope for {} recipients", envelope.recipients().len()));
    crlf(&envelope).into_iter().for_each(|warning| console.warn(warning));
    let is_for = is_for(&file, &certificate).map_err(|error| served(error.into()))?;
    let id = certificate.device_id().unwrap_or_else(|| certificate.subject());
    let fingerprint = Fingerprint::of(certificate.public_key())?;
    if !is_for {
        let mut failure =
            served(Failure::new(Code::NOT_FOR_KEY, "this file is for another device"));
        for recipient in envelope.recipients().iter().take(8) {
            failure = failure.fact("recipient", recipient.name());
        }
        return Err(failure
            .fact("certificate", format!("{} {fingerprint}", printable(&id)))
            .help("encrypt the configuration to this certificate: sdi encrypt -r"));
    }
    Ok(Answer::new(
        format!("{} bytes for {} {fingerprint}", file.len(), printable(&id)),
        json!({
            "file": shown(path),
            "file_bytes": file.len(),
            "id": id,
            "fingerprint": fingerprint.to_string(),
            "authenticated": envelope.is_authenticated(),
        }),
    ))
}

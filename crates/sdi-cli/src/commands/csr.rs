//! `sdi csr`: a request for a certificate (RFC 2986).

use super::cert::{Named, cannot_sign};
use super::{TextForm, put};
use crate::code::Code;
use crate::console::Console;
use crate::fingerprint::Fingerprint;
use crate::input::{is_stream, private_key};
use crate::output::{Readers, check_not_an_input};
use crate::report::{Answer, Failure, Outcome, shown};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sdi::{DeviceKey, KeyAlgorithm};
use serde_json::json;
use std::path::PathBuf;

/// Makes a request for a certificate.
///
/// It asks for what `sdi cert self-signed` would have written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi csr --id SN19842256 -k device.key -o SN19842256.csr
  sdi csr --id SN19842256 -k device.key --form der -o SN19842256.der")]
pub(crate) struct Args {
    #[command(flatten)]
    named: Named,
    /// The device's private key.
    #[arg(short, long)]
    key: PathBuf,
    /// Where the request goes.
    #[arg(short, long, value_name = "CSR")]
    output: PathBuf,
    /// How it is written.
    #[arg(long, default_value = "pem")]
    form: TextForm,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    check_not_an_input(&args.output, [&args.key], console.force)?;
    let key = private_key(&args.key)?;
    if key.public_key().algorithm() == KeyAlgorithm::X25519 {
        return Err(cannot_sign(&args.named.id));
    }
    let pem = args.named.builder()?.request(&key)?;
    console.step("signed the request");
    let bytes = match args.form {
        TextForm::Pem => pem.into_bytes(),
        TextForm::Der => der(&pem)?,
    };
    put(&bytes, &args.output, Readers::All, console)?;
    let fingerprint = Fingerprint::of(key.public_key())?.to_string();
    if is_stream(&args.output) {
        console.detail(&fingerprint);
        return Ok(Answer::default());
    }
    let fields = json!({
        "output": shown(&args.output),
        "id": args.named.id.as_str(),
        "fingerprint": fingerprint,
    });
    Ok(Answer::new(fingerprint, fields))
}

fn der(pem: &str) -> Result<Vec<u8>, Failure> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(text).map_err(|error| Failure::new(Code::OTHER, error.to_string()))
}

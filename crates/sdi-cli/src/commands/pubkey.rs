//! `sdi pubkey`: the public key of a private key or a certificate, or its fingerprint.

use super::{TextForm, pem, put};
use crate::console::Console;
use crate::fingerprint::Fingerprint;
use crate::input::{certificate, is_stream, private_key};
use crate::output::{Readers, check_not_an_input};
use crate::report::{Answer, Failure, Outcome, shown};
use sdi::DeviceKey;
use serde_json::json;
use std::path::PathBuf;

/// Shows the public key of a private key or of a certificate.
///
/// With --fingerprint it prints the SHA-256 of the SubjectPublicKeyInfo: compare it with the device's
/// label before you encrypt.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi pubkey -k device.key -o device.pub
  sdi pubkey --cert SN19842256.crt --fingerprint")]
pub(crate) struct Args {
    /// The private key.
    #[arg(short, long, required_unless_present = "cert")]
    key: Option<PathBuf>,
    /// A certificate instead of a private key.
    #[arg(long, value_name = "CRT", conflicts_with = "key")]
    cert: Option<PathBuf>,
    /// Prints the fingerprint alone.
    #[arg(long, conflicts_with = "output")]
    fingerprint: bool,
    /// Where the public key goes.
    #[arg(short, long, value_name = "SPKI", default_value = "-")]
    output: PathBuf,
    /// How it is written.
    #[arg(long, default_value = "pem")]
    form: TextForm,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    check_not_an_input(&args.output, args.key.iter().chain(&args.cert), console.force)?;
    let public = match (&args.key, &args.cert) {
        (Some(key), _) => private_key(key)?.public_key().clone(),
        (None, Some(cert)) => certificate(cert, console)?.public_key().clone(),
        (None, None) => return Err(Failure::usage("there is neither a key nor a certificate")),
    };
    let fingerprint = Fingerprint::of(&public)?.to_string();
    if args.fingerprint {
        return Ok(Answer::new(fingerprint.clone(), json!({ "fingerprint": fingerprint })));
    }
    let bytes = match args.form {
        TextForm::Pem => pem("PUBLIC KEY", public.spki_der()).into_bytes(),
        TextForm::Der => public.spki_der().to_vec(),
    };
    put(&bytes, &args.output, Readers::All, console)?;
    if is_stream(&args.output) {
        console.detail(&fingerprint);
        return Ok(Answer::default());
    }
    let fields = json!({ "output": shown(&args.output), "fingerprint": fingerprint });
    Ok(Answer::new(fingerprint, fields))
}

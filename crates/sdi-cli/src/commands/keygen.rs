//! `sdi keygen`: a new private key in a file for its owner alone.

use super::put;
use crate::console::Console;
use crate::fingerprint::Fingerprint;
use crate::input::{forbid_core_files, is_stream};
use crate::output::Readers;
use crate::report::{Answer, Outcome, shown};
use clap::ValueEnum;
use sdi::{DeviceKey, KeyAlgorithm, SoftwareKey, SystemRandom};
use serde_json::json;
use std::path::PathBuf;

/// Makes a private key.
///
/// The key is PKCS#8 in PEM, in a file of mode 0600. The fingerprint of its public key is printed: it
/// belongs on the device's label.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi keygen -o device.key
  sdi keygen -a rsa3072 -o old-device.key")]
pub(crate) struct Args {
    /// The kind of key.
    #[arg(short, long, value_name = "ALG", default_value = "p256")]
    algorithm: Algorithm,
    /// Where the key goes.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Algorithm {
    P256,
    P384,
    P521,
    Rsa2048,
    Rsa3072,
    Rsa4096,
    /// Cannot sign: use `sdi cert wrap` for its certificate.
    X25519,
}

impl From<Algorithm> for KeyAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::P256 => Self::P256,
            Algorithm::P384 => Self::P384,
            Algorithm::P521 => Self::P521,
            Algorithm::Rsa2048 => Self::Rsa(2048),
            Algorithm::Rsa3072 => Self::Rsa(3072),
            Algorithm::Rsa4096 => Self::Rsa(4096),
            Algorithm::X25519 => Self::X25519,
        }
    }
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    forbid_core_files()?;
    let key = SoftwareKey::generate(args.algorithm.into(), &mut SystemRandom)?;
    console.step(&format!("made a key: {:?}", key.public_key().algorithm()));
    put(key.to_pem()?.as_bytes(), &args.output, Readers::Owner, console)?;
    let fingerprint = Fingerprint::of(key.public_key())?.to_string();
    if is_stream(&args.output) {
        console.note(&fingerprint);
        return Ok(Answer::default());
    }
    let fields = json!({ "output": shown(&args.output), "fingerprint": fingerprint });
    Ok(Answer::new(fingerprint, fields))
}

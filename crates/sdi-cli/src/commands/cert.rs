//! `sdi cert`: certificates of devices.

use super::{TextForm, device_id, put, unix_time};
use crate::console::Console;
use crate::fingerprint::Fingerprint;
use crate::input::{is_stream, private_key, public_key};
use crate::output::Readers;
use crate::report::{Answer, Failure, Outcome, shown};
use sdi::{
    Certificate, DeviceId, DeviceKey, IdentityBuilder, KeyAlgorithm, SystemRandom, Validity,
};
use serde_json::json;
use std::path::PathBuf;

/// Makes the certificate of a device.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Makes a certificate that the device's own key signs.
    #[command(after_help = "\
Examples:
  sdi cert self-signed --id SN19842256 -k device.key -o SN19842256.crt
  sdi cert self-signed --id SN19842256 -k device.key --days 36500 -o long.crt")]
    SelfSigned(SelfSigned),
    /// Wraps a bare public key, also one that cannot sign.
    ///
    /// A key that is made for this one signature, and forgotten, signs it. The signature has no value
    /// (RFC 8886, section 3.1): what counts is the fingerprint of the key.
    #[command(after_help = "\
Examples:
  sdi cert wrap --id SN19842256 --public-key device.pub -o SN19842256.crt
  sdi pubkey -k device.key | sdi cert wrap --id SN19842256 --public-key - -o wrapped.crt")]
    Wrap(Wrap),
}

#[derive(Debug, clap::Args)]
struct SelfSigned {
    /// The device's private key.
    #[arg(short, long)]
    key: PathBuf,
    #[command(flatten)]
    made: Made,
}

#[derive(Debug, clap::Args)]
struct Wrap {
    /// The device's public key.
    #[arg(long, value_name = "SPKI")]
    public_key: PathBuf,
    #[command(flatten)]
    made: Made,
}

/// What both kinds of certificates are made of.
#[derive(Debug, clap::Args)]
struct Made {
    /// The device's identifier, such as its serial number.
    #[arg(long, value_parser = device_id)]
    id: DeviceId,
    /// Where the certificate goes.
    #[arg(short, long, value_name = "CRT")]
    output: PathBuf,
    /// How long it says that it is valid: a number of days, or never an end.
    #[arg(long, value_name = "N|never", default_value = "never", value_parser = validity)]
    days: Validity,
    /// Does not say that the device opens AES-GCM: for devices whose own software does not.
    #[arg(long)]
    no_gcm_capability: bool,
    /// How it is written.
    #[arg(long, default_value = "pem")]
    form: TextForm,
}

impl Args {
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Command::SelfSigned(_) => "cert self-signed",
            Command::Wrap(_) => "cert wrap",
        }
    }
}

fn validity(text: &str) -> Result<Validity, String> {
    match text {
        "never" => Ok(Validity::Forever),
        days => days.parse().map(Validity::Days).map_err(|_| "a number of days, or never".into()),
    }
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    match &args.command {
        Command::SelfSigned(args) => {
            let key = private_key(&args.key)?;
            if key.public_key().algorithm() == KeyAlgorithm::X25519 {
                return Err(cannot_sign(&args.made.id));
            }
            args.made.put(&args.made.builder().self_sign(&key)?, console)
        }
        Command::Wrap(args) => {
            let key = public_key(&args.public_key)?;
            args.made.put(&args.made.builder().wrap(&key, &mut SystemRandom)?, console)
        }
    }
}

/// For keys that agree and do nothing else.
pub(super) fn cannot_sign(id: &DeviceId) -> Failure {
    Failure::usage("this kind of key cannot sign").help(format!(
        "wrap its public key:\nsdi pubkey -k KEY | sdi cert wrap --id {id} --public-key - -o {id}.crt"
    ))
}

impl Made {
    fn builder(&self) -> IdentityBuilder {
        let builder = IdentityBuilder::new(self.id.clone(), unix_time()).validity(self.days);
        if self.no_gcm_capability { builder.without_capabilities() } else { builder }
    }

    fn put(&self, certificate: &Certificate, console: &Console) -> Outcome {
        let bytes = match self.form {
            TextForm::Pem => certificate.to_pem().into_bytes(),
            TextForm::Der => certificate.der().to_vec(),
        };
        put(&bytes, &self.output, Readers::All, console)?;
        let fingerprint = Fingerprint::of(certificate.public_key())?.to_string();
        if is_stream(&self.output) {
            console.detail(&fingerprint);
            return Ok(Answer::default());
        }
        let fields = json!({
            "output": shown(&self.output),
            "id": self.id.as_str(),
            "fingerprint": fingerprint,
        });
        Ok(Answer::new(fingerprint, fields))
    }
}

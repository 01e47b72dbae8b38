//! `sdi cert`: certificates of devices.

use super::{TextForm, device_id, put, unix_time};
use crate::authority;
use crate::console::Console;
use crate::fingerprint::Fingerprint;
use crate::input::{certificate, check_stdin_once, is_stream, private_key, public_key};
use crate::output::{Readers, check_not_an_input};
use crate::report::{Answer, Failure, Outcome, printable, shown};
use crate::warning::Warning;
use sdi::{
    Certificate, DeviceId, DeviceKey, Identity, IdentityBuilder, KeyAlgorithm, SystemRandom,
    Validity,
};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
  sdi cert self-signed --id SN19842256 -k device.key --days 36500 -o long.crt
  sdi cert self-signed --id SN19842256 -k device.key --serial-attr --eku 1.3.6.1.5.5.7.3.4 -o mail.crt")]
    SelfSigned(SelfSigned),
    /// Wraps a bare public key, also one that cannot sign.
    ///
    /// A key that is made for this one signature, and forgotten, signs it, unless a vendor's key does.
    /// Either signature has no value here (RFC 8886, section 3.1): what counts is the fingerprint of
    /// the device's key.
    #[command(after_help = "\
Examples:
  sdi cert wrap --id SN19842256 --public-key device.pub -o SN19842256.crt
  sdi pubkey -k device.key | sdi cert wrap --id SN19842256 --public-key - -o wrapped.crt
  sdi cert wrap --id SN19842256 --public-key device.pub --issuer-key vendor.key --issuer-cert vendor.crt -o issued.crt")]
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
    /// The vendor's private key, which signs instead of one that is forgotten.
    #[arg(long, value_name = "KEY")]
    issuer_key: Option<PathBuf>,
    /// The vendor's certificate: its subject becomes the issuer, so that programs that verify chains
    /// find it. They ask that it is that of an authority, which `sdi cert self-signed` does not make but
    /// `openssl req -x509` does. Without it the issuer is named by the identifier of its key alone.
    #[arg(long, value_name = "CRT", requires = "issuer_key")]
    issuer_cert: Option<PathBuf>,
    #[command(flatten)]
    made: Made,
}

/// What certificates and requests say of a device.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// The device's identifier, such as its serial number: the common name.
    #[arg(long, value_parser = device_id)]
    pub(super) id: DeviceId,
    /// Writes the identifier as serialNumber, too, as IEEE 802.1AR does.
    #[arg(long)]
    serial_attr: bool,
    /// Adds a purpose to the extended key usage, by its object identifier; may be repeated. Nothing
    /// here looks at it.
    #[arg(long, value_name = "OID")]
    eku: Vec<String>,
    /// Does not say that the device opens AES-GCM: for devices whose own software does not.
    #[arg(long)]
    no_gcm_capability: bool,
}

impl Named {
    pub(super) fn builder(&self) -> Result<IdentityBuilder, Failure> {
        let mut builder = IdentityBuilder::new(self.id.clone(), unix_time());
        if self.no_gcm_capability {
            builder = builder.without_capabilities();
        }
        if !self.serial_attr {
            builder = builder.without_serial_number();
        } else if self.id.as_str().contains('_') {
            return Err(Failure::usage("the attribute serialNumber has no letter for _")
                .fact("id", self.id.as_str())
                .help("leave out --serial-attr"));
        }
        for oid in &self.eku {
            let failed = |error| Failure::from(error).fact("eku", printable(oid));
            builder = builder.key_purpose(oid).map_err(failed)?;
        }
        Ok(builder)
    }
}

/// What both kinds of certificates are made of.
#[derive(Debug, clap::Args)]
struct Made {
    #[command(flatten)]
    named: Named,
    /// Where the certificate goes.
    #[arg(short, long, value_name = "CRT")]
    output: PathBuf,
    /// How long it says that it is valid: a number of days, or never an end.
    #[arg(long, value_name = "N|never", default_value = "never", value_parser = validity)]
    days: Validity,
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
            check_not_an_input(&args.made.output, [&args.key], console.force)?;
            let key = private_key(&args.key)?;
            if key.public_key().algorithm() == KeyAlgorithm::X25519 {
                return Err(cannot_sign(&args.made.named.id));
            }
            args.made.put(&args.made.builder()?.self_sign(&key)?, console)
        }
        Command::Wrap(args) => {
            let inputs =
                [Some(&args.public_key), args.issuer_key.as_ref(), args.issuer_cert.as_ref()];
            check_stdin_once(inputs.into_iter().flatten().map(PathBuf::as_path))?;
            check_not_an_input(&args.made.output, inputs.into_iter().flatten(), console.force)?;
            let key = public_key(&args.public_key)?;
            let builder = args.made.builder()?;
            let certificate = match &args.issuer_key {
                Some(path) => {
                    let vendor = vendor(path, args.issuer_cert.as_deref(), console)?;
                    builder.issue(&key, &vendor)?
                }
                None => builder.wrap(&key, &mut SystemRandom)?,
            };
            let signer = if args.issuer_key.is_some() { "the issuer's" } else { "a throw-away" };
            console.step(&format!("signed with {signer} key"));
            args.made.put(&certificate, console)
        }
    }
}

/// Who signs for a device.
fn vendor(key: &Path, cert: Option<&Path>, console: &Console) -> Result<Identity, Failure> {
    let key = private_key(key)?;
    if key.public_key().algorithm() == KeyAlgorithm::X25519 {
        return Err(Failure::usage("the issuer's kind of key cannot sign")
            .help("make one that can: sdi keygen -a p256 -o vendor.key"));
    }
    let certificate = cert.map(|path| certificate(path, console)).transpose()?;
    let may_sign = certificate.as_ref().and_then(|own| authority::may_sign(own.der()));
    let vendor = Identity::new(Arc::new(key), certificate).map_err(|error| match cert {
        Some(path) => Failure::from(error).fact("certificate", shown(path)),
        None => error.into(),
    })?;
    if let (Some(false), Some(path)) = (may_sign, cert) {
        let text = format!(
            "{} does not say that it may sign certificates: programs that verify chains refuse \
             what it issues",
            shown(path)
        );
        console.warn(Warning::new("issuer-no-ca", text));
    }
    Ok(vendor)
}

/// For keys that agree and do nothing else.
pub(super) fn cannot_sign(id: &DeviceId) -> Failure {
    Failure::usage("this kind of key cannot sign").help(format!(
        "wrap its public key:\nsdi pubkey -k KEY | sdi cert wrap --id {id} --public-key - -o {id}.crt"
    ))
}

impl Made {
    fn builder(&self) -> Result<IdentityBuilder, Failure> {
        Ok(self.named.builder()?.validity(self.days))
    }

    fn put(&self, certificate: &Certificate, console: &Console) -> Outcome {
        console.step(&format!("made a certificate for {}", printable(&certificate.subject())));
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
            "id": self.named.id.as_str(),
            "fingerprint": fingerprint,
        });
        Ok(Answer::new(fingerprint, fields))
    }
}

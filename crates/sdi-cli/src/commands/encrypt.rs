//! `sdi encrypt`: one file to one or many certificates.

use super::wrote;
use crate::code::Code;
use crate::console::Console;
use crate::fingerprint::Fingerprint;
use crate::input::{certificate_of, check_stdin_once, forbid_core_files, is_stream, open};
use crate::output::{NewFile, Readers, check_not_an_input};
use crate::report::{Answer, Failure, Outcome, printable, shown};
use crate::settings::Settings;
use crate::stream::{Sealed, SinkTo, blank, seal, stdout};
use crate::warning::Warning;
use clap::ValueEnum;
use sdi::{Certificate, KeyAlgorithm, Sealer, SystemRandom};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Encrypts a configuration to the certificates of one or more devices.
///
/// The output is IN with the ending .enc, or stdout if IN is stdin. Bytes in are bytes out: line ends
/// are never changed. Nothing but the key in a certificate counts; compare its fingerprint with the
/// device's label, or give it as --pin.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi encrypt -r SN19842256.crt -o SN19842256.enc router.cfg
  sdi encrypt -r SN19842256.crt --profile rfc8886 - < router.cfg > old.enc")]
pub(crate) struct Args {
    /// The certificate of a device; may be repeated.
    #[arg(short, long, value_name = "CRT", required = true)]
    recipient: Vec<PathBuf>,
    /// How to encrypt; auto, if the configuration file does not say otherwise.
    #[arg(long, value_name = "P", env = "SDI_PROFILE", hide_env_values = true)]
    profile: Option<Profile>,
    /// How the file is written.
    #[arg(long, default_value = "pem")]
    form: Form,
    /// Refuses certificates with another key than this; may be repeated, one for each certificate, and
    /// each has to be the key of one of them.
    #[arg(long, value_name = "sha256:HEX")]
    pin: Vec<Fingerprint>,
    /// Warns if the file is longer than the 4 MiB that many devices fetch over TFTP.
    #[arg(long)]
    check_size: bool,
    /// Where the encrypted file goes.
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// The configuration.
    #[arg(value_name = "IN")]
    input: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// AES-256-GCM if every certificate says that its device opens it, else AES-256-CBC.
    Auto,
    /// What the appendix of RFC 8886 shows: AES-256-CBC, RSA with PKCS#1 v1.5.
    Rfc8886,
    /// Always AES-256-GCM: a file that was changed on the way is noticed.
    Authenticated,
}

impl Profile {
    /// The option, also from the environment, comes before the configuration file.
    pub(crate) fn chosen(option: Option<Self>, console: &Console) -> Result<Self, Failure> {
        let settings = Settings::read(console)?;
        let (profile, whose) = match (option, settings.profile) {
            (Some(profile), _) => (profile, "as was asked for"),
            (None, Some(profile)) => (profile, "of the configuration file"),
            (None, None) => (Self::Auto, "which is the default"),
        };
        console.detail(&format!("the profile is {}, {whose}", profile.name()));
        Ok(profile)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Rfc8886 => "rfc8886",
            Self::Authenticated => "authenticated",
        }
    }

    pub(crate) fn library(self) -> sdi::Profile {
        match self {
            Self::Auto => sdi::Profile::Auto,
            Self::Rfc8886 => sdi::Profile::Rfc8886,
            Self::Authenticated => sdi::Profile::Authenticated,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Text: label PKCS7 for the profile rfc8886, CMS otherwise.
    Pem,
    /// Binary.
    Der,
    /// A mail message, as `openssl smime` writes it.
    Smime,
    /// Binary behind eight bytes that show a text-mode transfer.
    MagicDer,
}

impl Form {
    fn library(self) -> sdi::Form {
        match self {
            Self::Pem => sdi::Form::Pem,
            Self::Der => sdi::Form::Der,
            Self::Smime => sdi::Form::Smime,
            Self::MagicDer => sdi::Form::MagicDer,
        }
    }
}

/// What many devices fetch over TFTP at most.
const TFTP_LIMIT: u64 = 4 << 20;

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    let inputs = args.recipient.iter().chain([&args.input]);
    check_stdin_once(inputs.map(PathBuf::as_path))?;
    forbid_core_files()?;
    let profile = Profile::chosen(args.profile, console)?;
    let output = args.output.clone().map_or_else(|| beside(&args.input), Ok)?;
    let inputs = args.recipient.iter().chain([&args.input]);
    check_not_an_input(&output, inputs, console.force)?;
    let recipients = recipients(&args.recipient, &args.pin, console)?;
    for (recipient, path) in recipients.iter().zip(&args.recipient) {
        console.step(&format!("read {}: {recipient}", shown(path)));
    }
    let certificates: Vec<Certificate> = recipients.iter().map(|r| r.certificate.clone()).collect();
    let input = open(&args.input)?;
    let (profile, form) = (profile.library(), args.form.library());
    let sealer = Sealer::new(&certificates, profile, form, &mut SystemRandom)?;

    let (read, encrypted) = if is_stream(&output) {
        console.check_stdout_is_free()?;
        let stdout = stdout()?;
        let is_binary = matches!(args.form, Form::Der | Form::MagicDer);
        if args.output.is_none() && is_binary && stdout.is_terminal() {
            return Err(Failure::usage("binary output would go to the terminal")
                .help("name a file with -o FILE, or say -o -"));
        }
        let (_, read, len) = write(input, &args.input, sealer, BufWriter::new(stdout), &output)?;
        (read, len)
    } else {
        let file = NewFile::create(&output, Readers::All, console.force)?;
        let writer = BufWriter::with_capacity(1 << 16, file);
        let (file, read, len) = write(input, &args.input, sealer, writer, &output)?;
        file.publish()?;
        (read, len)
    };
    console.step(&format!("read {}: {} bytes", shown(&args.input), read.len));
    if read.is_blank {
        console.warn(blank(&args.input));
    }
    if args.check_size && encrypted > TFTP_LIMIT {
        console.warn(Warning::new(
            "size",
            format!("{encrypted} bytes are more than the 4 MiB of TFTP"),
        ));
    }
    if is_stream(&output) {
        return Ok(Answer::default());
    }
    console.detail(&wrote(&output, encrypted, Readers::All));
    for recipient in &recipients {
        console.note(&format!("encrypted to {recipient}"));
    }
    Ok(Answer::new(
        "",
        json!({
            "file": shown(&args.input),
            "output": shown(&output),
            "bytes": encrypted,
            "recipients": recipients.iter().map(Recipient::json).collect::<Vec<Value>>(),
        }),
    ))
}

/// Encrypts into the writer, and gives back what is below its buffer, and the lengths of the two.
fn write<W: Write>(
    input: File,
    path: &Path,
    sealer: Sealer,
    writer: BufWriter<W>,
    output: &Path,
) -> Result<(W, Sealed, u64), Failure> {
    let mut sink = SinkTo::new(writer);
    let read = seal(input, path, sealer, &mut sink, output)?;
    let len = sink.len;
    let below = sink.writer.into_inner();
    let below = below.map_err(|error| Failure::io("write", output, error.error()))?;
    Ok((below, read, len))
}

/// Shorter keys can be broken, and the library does not encrypt to them.
const LEAST_RSA: u32 = 2048;

/// A certificate with what people know it by.
pub(crate) struct Recipient {
    pub(crate) certificate: Certificate,
    pub(crate) fingerprint: Fingerprint,
    /// Of its file.
    pub(crate) warning: Option<Warning>,
}

impl Recipient {
    /// Reads a certificate and compares its key with the pins.
    pub(crate) fn read(path: &Path, pins: &[Fingerprint]) -> Result<Self, Failure> {
        let (certificate, warning) = certificate_of(path)?;
        let fingerprint = Fingerprint::of(certificate.public_key())?;
        fingerprint.check(pins).map_err(|failure| failure.fact("certificate", shown(path)))?;
        if let KeyAlgorithm::Rsa(bits) = certificate.public_key().algorithm()
            && bits < LEAST_RSA
        {
            return Err(Failure::new(Code::UNSUPPORTED, "an RSA key is too short to encrypt to")
                .fact("certificate", shown(path))
                .fact("bits", format!("{bits}, and {LEAST_RSA} are the least"))
                .help("ask the vendor for a certificate with a longer key, or with an EC key"));
        }
        Ok(Self { certificate, fingerprint, warning })
    }

    fn json(&self) -> Value {
        json!({
            "id": self.certificate.device_id(),
            "fingerprint": self.fingerprint.to_string(),
        })
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.certificate.device_id().unwrap_or_else(|| self.certificate.subject());
        write!(f, "{} {}", printable(&id), self.fingerprint)
    }
}

fn recipients(
    paths: &[PathBuf],
    pins: &[Fingerprint],
    console: &Console,
) -> Result<Vec<Recipient>, Failure> {
    let read = |path: &PathBuf| {
        let mut recipient = Recipient::read(path, pins)?;
        recipient.warning.take().into_iter().for_each(|warning| console.warn(warning));
        Ok(recipient)
    };
    let recipients = paths.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    let is_unmet = |pin: &&Fingerprint| recipients.iter().all(|r| r.fingerprint != **pin);
    let unmet: Vec<&Fingerprint> = pins.iter().filter(is_unmet).collect();
    if unmet.is_empty() {
        return Ok(recipients);
    }
    let mut failure = Failure::new(Code::PIN, "no certificate holds the key of a pin");
    for pin in unmet {
        failure = failure.fact("pin", pin.to_string());
    }
    Err(failure
        .help("give the certificate of each device that is pinned, with -r, or leave out its pin"))
}

/// `<stem>.enc` beside the input.
fn beside(input: &Path) -> Result<PathBuf, Failure> {
    if is_stream(input) {
        return Ok("-".into());
    }
    if input.extension().is_some_and(|end| end.eq_ignore_ascii_case("enc")) {
        return Err(Failure::usage(format!("{} has the ending .enc already", shown(input)))
            .help("name the output with -o FILE"));
    }
    Ok(input.with_extension("enc"))
}

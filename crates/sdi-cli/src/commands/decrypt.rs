//! `sdi decrypt`: what a device does. Nothing is written unless the whole file is verified.

use super::wrote;
use crate::code::Code;
use crate::console::Console;
use crate::fingerprint::Fingerprint;
use crate::input::{certificate, check_stdin_once, fill, is_stream, open, private_key};
use crate::output::{NewFile, Readers, check_not_an_input};
use crate::report::{Answer, Failure, Outcome, printable, shown};
use crate::sanity::{Check, Insane, Sanity, ask, search};
use crate::stage::{Plaintext, Stage};
use crate::stream::{PIECE, SinkTo, stdout};
use crate::text_mode;
use clap::ValueEnum;
use sdi::{
    Certificate, DeviceId, DeviceKey, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, Opener,
    PublicKey, Summary, SystemRandom,
};
use serde_json::json;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Decrypts a file.
///
/// Nothing is written before all of it is verified, and nothing at all if it is not. Give the
/// certificate with the key where there is one: a wrong key is then told from a damaged file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi decrypt -k device.key --cert SN19842256.crt -o running.cfg SN19842256.enc
  sdi decrypt -k device.key SN19842256.enc | wc -c
  sdi decrypt -k device.key --sanity 'regex:^hostname ' -o r1.cfg SN19842256.enc")]
pub(crate) struct Args {
    /// A private key; may be repeated, and the first one that opens the file does.
    #[arg(short, long, required = true)]
    key: Vec<PathBuf>,
    /// The certificate of one of the keys.
    #[arg(long, value_name = "CRT")]
    cert: Option<PathBuf>,
    /// Refuses files that are not authenticated encryption.
    #[arg(long, value_name = "P")]
    min_profile: Option<MinProfile>,
    /// Refuses what is no configuration: text is UTF-8 without NUL and not blank; junos is text with
    /// braces that balance, or with a command such as `set` on every line, or with the XML element
    /// configuration; ios is text that ends with the line `end`; regex:RE is what the expression is
    /// found in, where ^ and $ are the ends of a line; and cmd:PROG asks a program, which gets the
    /// plaintext on its stdin and accepts it with status 0. With auto it must be text where nothing but
    /// padding says that the key was right: RSA and AES-CBC without --cert, or with one that the file
    /// does not name.
    #[arg(long, value_name = "auto|none|text|junos|ios|regex:RE|cmd:PROG", default_value = "auto",
          value_parser = Sanity::parser())]
    sanity: Sanity,
    /// The folder in which plaintext of more than 4 MiB waits for its verification on the way to
    /// stdout, or `off`: it is passed on as it comes, for readers that check the exit status.
    #[arg(long, value_name = "DIR|off")]
    stage: Option<PathBuf>,
    /// Where the plaintext goes.
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// The encrypted file.
    #[arg(value_name = "IN")]
    input: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MinProfile {
    /// AES-GCM.
    Authenticated,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    let inputs = args.key.iter().chain(&args.cert).chain([&args.input]);
    check_stdin_once(inputs.map(PathBuf::as_path))?;
    if let Some(output) = &args.output {
        let inputs = args.key.iter().chain(&args.cert).chain([&args.input]);
        check_not_an_input(output, inputs, console.force)?;
    }
    let target = Target::of(args, console)?;
    let keys = keys(args, console)?;
    for (key, path) in keys.iter().zip(&args.key) {
        console.step(&format!("read {}: {}", shown(path), key.name));
    }
    let input = open(&args.input)?;
    let attempts: Vec<Attempt> = keys
        .into_iter()
        .map(|key| Attempt::new(key, target.begin()?, args))
        .collect::<Result<_, Failure>>()?;
    let opened = open_with_any(input, attempts, args, console)?;

    let Opened { plaintext, summary, path, name } = opened;
    let is = |is: bool| if is { "is" } else { "is not" };
    console.detail(&format!("opened with the key {name}"));
    console.detail(&format!("the file {} authenticated", is(summary.is_authenticated())));
    console.detail(&format!("the key {} named in the file", is(summary.is_named())));
    plaintext.release(&path)?;
    let len = summary.plaintext_len();
    if is_stream(&path) {
        console.step(&format!("wrote {len} bytes to stdout"));
        return Ok(Answer::default());
    }
    console.detail(&wrote(&path, len, Readers::Owner));
    Ok(Answer::new(
        "",
        json!({
            "file": shown(&args.input),
            "output": shown(&path),
            "bytes": len,
            "authenticated": summary.is_authenticated(),
        }),
    ))
}

/// A key with what is known about it.
struct Key {
    /// Holds this key alone.
    ring: KeyRing,
    is_rsa: bool,
    /// What the person knows it by.
    name: String,
}

fn keys(args: &Args, console: &Console) -> Result<Vec<Key>, Failure> {
    let mut certificate =
        args.cert.as_deref().map(|path| certificate(path, console)).transpose()?;
    let mut keys = Vec::new();
    for path in &args.key {
        let key = private_key(path)?;
        let public = key.public_key();
        let is_rsa = matches!(public.algorithm(), KeyAlgorithm::Rsa(_));
        let fingerprint = Fingerprint::of(public)?;
        let own = certificate.take_if(|certificate| certificate.public_key() == public);
        let (own, name) = match own {
            Some(own) => {
                let id = own.device_id().unwrap_or_else(|| own.subject());
                (own, format!("{} {fingerprint}", printable(&id)))
            }
            // A certificate that no file names. Without any the library cannot tell a stranger's
            // file from a damaged one, and calls both a failed decryption.
            None => (nameless(public)?, fingerprint.to_string()),
        };
        let mut ring = KeyRing::new();
        let identity = Identity::new(Arc::new(key), Some(own))?;
        ring.set_vendor(identity).map_err(sdi::Error::from)?;
        keys.push(Key { ring, is_rsa, name });
    }
    if let (Some(_), Some(path)) = (certificate, &args.cert) {
        let error = sdi::Error::Key(sdi::KeyFault::Mismatch);
        return Err(Failure::from(error).fact("certificate", shown(path)));
    }
    Ok(keys)
}

fn nameless(key: &PublicKey) -> sdi::Result<Certificate> {
    IdentityBuilder::new(DeviceId::new("nameless")?, 0).wrap(key, &mut SystemRandom)
}

/// Where plaintext ends up.
enum Target<'a> {
    File { path: &'a Path, force: bool },
    Staged { folder: PathBuf },
    PassedOn,
}

impl<'a> Target<'a> {
    fn of(args: &'a Args, console: &Console) -> Result<Self, Failure> {
        if let Some(path) = args.output.as_deref().filter(|path| !is_stream(path)) {
            return Ok(Self::File { path, force: console.force });
        }
        console.check_stdout_is_free()?;
        let is_off = args.stage.as_deref().is_some_and(|stage| stage.as_os_str() == "off");
        if io::stdout().is_terminal() && (is_off || args.output.is_none()) {
            return Err(Failure::usage("the plaintext would go to the terminal")
                .help("name a file with -o FILE, or say -o - without --stage off"));
        }
        if is_off && args.key.len() > 1 {
            return Err(Failure::usage("--stage off cannot go with several keys"));
        }
        if is_off && args.sanity.needs_all() {
            return Err(Failure::usage("--stage off leaves nothing to look at as a whole")
                .help("choose --sanity text, junos or ios, or leave out --stage off"));
        }
        if is_off {
            return Ok(Self::PassedOn);
        }
        let folder = args.stage.clone().unwrap_or_else(std::env::temp_dir);
        Ok(Self::Staged { folder })
    }

    fn begin(&self) -> Result<Plaintext, Failure> {
        Ok(match self {
            Self::File { path, force } => {
                Plaintext::File(NewFile::create(path, Readers::Owner, *force)?)
            }
            Self::Staged { folder } => Plaintext::Staged(Stage::new(folder.clone())),
            Self::PassedOn => Plaintext::PassedOn(stdout()?),
        })
    }

    fn path(args: &Args) -> PathBuf {
        args.output.clone().unwrap_or_else(|| "-".into())
    }
}

/// What a key makes of the file, and what is seen of it on the way.
struct Checked {
    plaintext: Plaintext,
    check: Option<Check>,
}

impl Write for Checked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.plaintext.write(bytes)?;
        if let Some(check) = &mut self.check {
            check.push(bytes.get(..len).unwrap_or_default());
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One key at work on the file. All keys see the same stream, which cannot be read twice.
struct Attempt {
    opener: Opener,
    sink: SinkTo<Checked>,
    is_rsa: bool,
    name: String,
}

impl Attempt {
    fn new(key: Key, plaintext: Plaintext, args: &Args) -> Result<Self, Failure> {
        let Key { ring, is_rsa, name } = key;
        let mut opener = Opener::new(&ring)?;
        if args.min_profile == Some(MinProfile::Authenticated) {
            opener.require_authenticated().map_err(sdi::Error::from)?;
        }
        // Other kinds of keys are vouched for by their key wrap.
        let is_needless = matches!(args.sanity, Sanity::Auto) && !is_rsa;
        let check = Check::of(&args.sanity).filter(|_| !is_needless);
        Ok(Self { opener, sink: SinkTo::new(Checked { plaintext, check }), is_rsa, name })
    }

    fn push(&mut self, piece: &[u8], path: &Path) -> Result<(), Failure> {
        let pushed = self.opener.push(piece, &mut self.sink);
        pushed.map_err(|error| self.sink.failure(&error, path).fact("your key", &self.name))
    }

    fn finish(
        mut self,
        sanity: &Sanity,
        path: &Path,
        console: &Console,
    ) -> Result<Opened, Failure> {
        let summary = self.opener.finish(&mut self.sink);
        let summary = summary
            .map_err(|error| self.sink.failure(&error, path).fact("your key", &self.name))?;
        console.step("verified the whole file");
        let Checked { plaintext, check } = self.sink.writer;
        // Any wrong RSA key passes the padding of CBC once in 255 times.
        let is_vouched_for = !self.is_rsa || summary.is_authenticated() || summary.is_named();
        match (sanity, check) {
            (Sanity::Auto, _) if is_vouched_for => {}
            (_, Some(check)) => check.finish().map_err(Insane::failure)?,
            (Sanity::Regex(expression), None) => {
                search(expression, &plaintext.whole(summary.plaintext_len(), path)?)?;
            }
            (Sanity::Program(program), None) => ask(program, |stdin| plaintext.copy_to(stdin))?,
            (_, None) => {}
        }
        if !matches!(sanity, Sanity::None | Sanity::Auto) {
            console.step("the plaintext passed the check");
        }
        Ok(Opened { plaintext, summary, path: path.to_owned(), name: self.name })
    }
}

struct Opened {
    plaintext: Plaintext,
    summary: Summary,
    path: PathBuf,
    /// Of the key.
    name: String,
}

/// Gives the file to every key. The first one that opens it wins; if none does, the most useful
/// failure is reported.
fn open_with_any(
    mut input: File,
    attempts: Vec<Attempt>,
    args: &Args,
    console: &Console,
) -> Result<Opened, Failure> {
    let path = Target::path(args);
    let mut failures = Vec::new();
    let mut fail = |name: &str, failure: Failure| {
        console.step(&format!("{name}: {}", failure.message()));
        failures.push(failure);
    };
    let mut alive = attempts;
    // Whole pieces: what the file is must be decided before its end is known.
    let mut piece = vec![0; PIECE];
    let mut head = None;
    while !alive.is_empty() {
        let len = fill(&mut input, &mut piece);
        let len = len.map_err(|error| Failure::io("read", &args.input, &error))?;
        let bytes = piece.get(..len).unwrap_or_default();
        head.get_or_insert_with(|| bytes.to_vec());
        alive.retain_mut(|attempt| match attempt.push(bytes, &path) {
            Ok(()) => true,
            Err(failure) => {
                fail(&attempt.name, failure);
                false
            }
        });
        if len < PIECE {
            break;
        }
    }
    for attempt in alive {
        let name = attempt.name.clone();
        match attempt.finish(&args.sanity, &path, console) {
            Ok(opened) => return Ok(opened),
            Err(failure) => fail(&name, failure),
        }
    }
    let worst = failures.into_iter().max_by_key(|failure| failure.code().severity());
    Err(match worst {
        Some(failure) if failure.exit() == Code::MALFORMED.exit() => {
            text_mode::explain(failure.file(&args.input), &head.unwrap_or_default())
        }
        Some(failure) => explain(failure.file(&args.input), args),
        None => Failure::usage("there is no key"),
    })
}

/// Adds what the person can do.
fn explain(failure: Failure, args: &Args) -> Failure {
    let file = crate::input::quoted(&args.input);
    match failure.exit() {
        4 => failure.help(format!(
            "see whom it is for, and encrypt again to this device's certificate:\nsdi inspect {file}"
        )),
        5 => failure.help("the file was changed or cut on the way: fetch it again, in binary mode"),
        10 => failure.help("a plain file is used as it is"),
        _ => failure,
    }
}

//! `sdi doctor`: is this machine fit for the work?

use crate::code::Code;
use crate::console::Console;
use crate::input::{certificate, private_key};
use crate::output::{Readers, unlinked_file};
use crate::report::{Answer, Failure, Outcome, printable, shown};
use sdi::{
    Certificate, DeviceId, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, Profile, SoftwareKey,
    SystemRandom,
};
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Looks whether this machine is fit for the work.
///
/// It looks at the clock, the source of randomness, the folder for staged plaintext, and exchanges
/// files with openssl if that is installed. It writes nothing that stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi doctor
  sdi doctor -k device.key --cert SN19842256.crt")]
pub(crate) struct Args {
    /// Looks at this private key, too.
    #[arg(short, long)]
    key: Option<PathBuf>,
    /// And whether this is its certificate.
    #[arg(long, value_name = "CRT", requires = "key")]
    cert: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    let mut checks = vec![("clock", clock()), ("encryption", round_trip()), ("staging", staging())];
    if let Some(key) = &args.key {
        checks.push(("key", pair(key, args.cert.as_deref(), console)));
    }
    checks.push(("openssl", openssl()));

    let mut answer = Answer::default();
    let mut found = Vec::<Value>::new();
    let mut lines = Vec::new();
    let failures = checks.iter().filter_map(|(_, result)| result.as_ref().err());
    let worst = failures.max_by_key(|failure| failure.code().severity());
    answer.exit = worst.map_or(0, Failure::exit);
    for (name, result) in &checks {
        let (is_ok, text) = match result {
            Ok(text) => (true, text.clone()),
            Err(failure) => (false, failure.to_string()),
        };
        lines.push(format!("{:4} {name:10} {text}", if is_ok { "ok" } else { "BAD" }));
        found.push(json!({ "check": name, "ok": is_ok, "text": text }));
    }
    answer.text = lines.join("\n");
    answer.fields.insert("checks".into(), json!(found));
    Ok(answer)
}

/// The clock stands in certificates, and nowhere else.
fn clock() -> Result<String, Failure> {
    /// The year 2024: before this program.
    const EARLIEST: u64 = 1_704_067_200;
    match super::unix_time() {
        now if now < EARLIEST => Err(Failure::new(Code::OTHER, "the clock is wrong")
            .fact("seconds since 1970", now.to_string())),
        _ => Ok("later than this program".into()),
    }
}

fn staging() -> Result<String, Failure> {
    let folder = std::env::temp_dir();
    let mut file = unlinked_file(&folder)?;
    file.write_all(b"x").map_err(|error| Failure::io("write in", &folder, &error))?;
    Ok(shown(&folder))
}

fn pair(key: &Path, cert: Option<&Path>, console: &Console) -> Result<String, Failure> {
    let key = private_key(key)?;
    let certificate = cert.map(|path| certificate(path, console)).transpose()?;
    let name = certificate.as_ref().and_then(Certificate::device_id);
    Identity::new(Arc::new(key), certificate)?;
    Ok(match name {
        Some(id) => format!("its owner's alone, and {}'s", printable(&id)),
        None => "its owner's alone".into(),
    })
}

/// A device that is made for a moment.
struct Device {
    pem: sdi::Secret,
    certificate: Certificate,
    keys: KeyRing,
}

impl Device {
    fn new() -> sdi::Result<Self> {
        let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom)?;
        // OpenSSL has no key derivation of RFC 9709.
        let builder = IdentityBuilder::new(DeviceId::new("doctor")?, 0).without_capabilities();
        let certificate = builder.self_sign(&key)?;
        let pem = key.to_pem()?;
        let mut keys = KeyRing::new();
        keys.set_vendor(Identity::new(Arc::new(key), Some(certificate.clone()))?)?;
        Ok(Self { pem, certificate, keys })
    }

    fn seal(&self) -> sdi::Result<Vec<u8>> {
        let to = [self.certificate.clone()];
        sdi::seal(TEXT, &to, Profile::Rfc8886, &mut SystemRandom)
    }

    fn opens(&self, file: &[u8]) -> Result<(), Failure> {
        let opened = sdi::open(file, &self.keys)?;
        same(opened.plaintext())
    }
}

const TEXT: &[u8] = b"hostname r1\r\nend\n";

fn same(text: &[u8]) -> Result<(), Failure> {
    let wrong = || Failure::new(Code::OTHER, "what comes out is not what went in");
    if text == TEXT { Ok(()) } else { Err(wrong()) }
}

fn round_trip() -> Result<String, Failure> {
    let device = Device::new()?;
    device.opens(&device.seal()?)?;
    Ok("a file that is encrypted opens again".into())
}

/// Both ways. Without openssl there is nothing to compare with, and nothing is wrong.
fn openssl() -> Result<String, Failure> {
    let mut command = Command::new("openssl");
    let Ok(child) = command.arg("version").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()
    else {
        return Ok("not installed; it is not needed".into());
    };
    let version = output_of(child)?;
    let version = printable(String::from_utf8_lossy(&version.stdout).trim());
    let device = Device::new()?;
    let folder = Scratch::new()?;
    let (crt, enc) = (folder.0.join("crt"), folder.0.join("enc"));
    put(&crt, device.certificate.to_pem().as_bytes())?;
    put(&enc, &device.seal()?)?;

    let encrypt = ["-encrypt", "-binary", "-aes-256-cbc", "-outform", "DER"];
    let theirs = cms(Command::new("openssl").arg("cms").args(encrypt).arg(&crt), TEXT)?;
    device.opens(&theirs)?;
    // The key goes through a pipe, not through a file.
    let mut decrypt = Command::new("openssl");
    decrypt.args(["cms", "-decrypt", "-binary", "-inform", "PEM", "-inkey", "/dev/stdin", "-in"]);
    same(&cms(decrypt.arg(&enc).arg("-recip").arg(&crt), device.pem.as_bytes())?)?;
    Ok(format!("files of --profile rfc8886 go both ways: {version}"))
}

fn cms(command: &mut Command, stdin: &[u8]) -> Result<Vec<u8>, Failure> {
    let failed = |reason: String| {
        Failure::new(Code::OTHER, "openssl cms failed").fact("reason", printable(reason.trim()))
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    if let Some(mut pipe) = child.stdin.take() {
        // If openssl does not read, its status says so.
        let _ = pipe.write_all(stdin);
    }
    let output = output_of(child)?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(output.stdout)
}

/// How long openssl may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a program says that ends in time. It is little enough for a pipe to hold it.
fn output_of(mut child: Child) -> Result<Output, Failure> {
    let failed = |error: io::Error| {
        Failure::new(Code::OTHER, "openssl failed").fact("reason", error.to_string())
    };
    let begun = Instant::now();
    while child.try_wait().map_err(failed)?.is_none() {
        if begun.elapsed() > PATIENCE {
            // It may have ended just now.
            let _ = child.kill();
            let _ = child.wait();
            return Err(Failure::new(Code::OTHER, "openssl does not answer")
                .fact("waited", format!("{} seconds", PATIENCE.as_secs()))
                .help("see which program it is: type -a openssl"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().map_err(failed)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = crate::output::NewFile::create(path, Readers::All, false)?;
    file.write_all(bytes).map_err(|error| Failure::io("write", path, &error))?;
    file.publish()
}

/// A folder that goes away.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let mut random = [0; 8];
        sdi::RandomSource::fill(&mut SystemRandom, &mut random)?;
        let name = format!("sdi-doctor-{:016x}", u64::from_be_bytes(random));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).map_err(|error| Failure::io("create", &path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing secret is in it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

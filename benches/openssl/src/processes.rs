//! Whole commands, from their start to their end: ours, OpenSSL's, gpgsm, and a script around Python's
//! cryptography.

use crate::case::{Operation, configuration};
use crate::cipher::Cipher;
use crate::device::{Device, Stored};
use crate::measure::{Effort, bytes, median, shown};
use openssl::hash::MessageDigest;
use sdi::{Form, KeyAlgorithm, KeyRing, SystemRandom};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const KEYS: [KeyAlgorithm; 2] = [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048)];
const SIZES: [usize; 3] = [1 << 10, 1 << 20, 16 << 20];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    Sdi,
    Openssl,
    Gpgsm,
    Python,
}

impl Tool {
    const ALL: [Self; 4] = [Self::Sdi, Self::Openssl, Self::Gpgsm, Self::Python];

    /// The last two know RSA with AES-CBC alone.
    fn can(self, algorithm: KeyAlgorithm, cipher: Cipher) -> bool {
        let is_simple = algorithm == KeyAlgorithm::Rsa(2048) && cipher == Cipher::Cbc;
        is_simple || matches!(self, Self::Sdi | Self::Openssl)
    }
}

/// One device, and how the commands get at its key.
struct Setting<'a> {
    sdi: &'a Path,
    python: &'a Path,
    algorithm: KeyAlgorithm,
    ring: KeyRing,
    stored: Stored,
    /// gpgsm's keys; for RSA alone.
    store: PathBuf,
    /// What gpgsm calls the certificate.
    fingerprint: String,
}

/// Prints the table. The folder is empty.
pub(crate) fn table(folder: &Path, sdi: &Path, python: &Path, effort: Effort) {
    println!(
        "| | key | content | size | `sdi` | `openssl cms` | `gpgsm` | Python's cryptography |"
    );
    println!("|---|---|---|---:|---:|---:|---:|---:|");
    let devices = KEYS.map(|algorithm| (algorithm, Device::new(algorithm)));
    let settings: Vec<Setting<'_>> = devices
        .iter()
        .map(|(key, device)| Setting::new(folder, sdi, python, *key, device))
        .collect();
    for operation in [Operation::Open, Operation::Seal] {
        for (setting, (_, device)) in settings.iter().zip(&devices) {
            for cipher in Cipher::BOTH {
                for size in SIZES {
                    let plaintext = configuration(size);
                    let cells = setting.row(folder, device, operation, cipher, &plaintext, effort);
                    println!(
                        "| {} | {:?} | {cipher} | {} |{cells}",
                        word(operation),
                        setting.algorithm,
                        bytes(size.try_into().unwrap()),
                    );
                }
            }
        }
    }
    for setting in settings {
        setting.close();
    }
}

fn word(operation: Operation) -> &'static str {
    match operation {
        Operation::Open => "decrypt",
        Operation::Seal => "encrypt",
    }
}

impl<'a> Setting<'a> {
    fn new(
        folder: &Path,
        sdi: &'a Path,
        python: &'a Path,
        algorithm: KeyAlgorithm,
        device: &Device,
    ) -> Self {
        let folder = folder.join(format!("{algorithm:?}"));
        let stored = device.write(&folder);
        let digest = device.openssl().1.digest(MessageDigest::sha1()).unwrap();
        let fingerprint = digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02X}");
            text
        });
        let store = folder.join("gnupg");
        let ring = device.ring();
        let setting = Self { sdi, python, algorithm, ring, stored, store, fingerprint };
        if Tool::Gpgsm.can(algorithm, Cipher::Cbc) {
            setting.shell(IMPORT);
        }
        setting
    }

    fn close(self) {
        if Tool::Gpgsm.can(self.algorithm, Cipher::Cbc) {
            self.shell("gpgconf --kill all");
        }
    }

    fn shell(&self, script: &str) {
        let mut command = Command::new("sh");
        command.args(["-e", "-c", script]).env("GNUPGHOME", &self.store);
        command.env("KEY", &self.stored.key).env("CERT", &self.stored.certificate);
        command.env("FINGERPRINT", &self.fingerprint);
        run(&mut command);
    }

    /// Each command in turn until there is enough: a cell with the ratio to ours and the time.
    fn row(
        &self,
        folder: &Path,
        device: &Device,
        operation: Operation,
        cipher: Cipher,
        plaintext: &[u8],
        effort: Effort,
    ) -> String {
        let (plain, sealed, out) =
            (folder.join("plain"), folder.join("sealed"), folder.join("out"));
        let to = [device.certificate.clone()];
        let file =
            sdi::seal_as(plaintext, &to, cipher.profile(), Form::Pem, &mut SystemRandom).unwrap();
        fs::write(&plain, plaintext).unwrap();
        fs::write(&sealed, file).unwrap();
        let tools: Vec<Tool> =
            Tool::ALL.into_iter().filter(|tool| tool.can(self.algorithm, cipher)).collect();
        let timed = |tool| {
            let mut command = match operation {
                Operation::Open => self.decrypt(tool, &sealed, &out),
                Operation::Seal => self.encrypt(tool, cipher, &plain, &out),
            };
            // Ours overwrites nothing.
            let _ = fs::remove_file(&out);
            let start = Instant::now();
            run(&mut command);
            start.elapsed()
        };
        for &tool in &tools {
            timed(tool);
            let found = fs::read(&out).unwrap();
            let right = match operation {
                Operation::Open => found == plaintext,
                Operation::Seal => sdi::open(&found, &self.ring).unwrap().plaintext() == plaintext,
            };
            assert!(right, "another plaintext");
        }
        let mut times = vec![Vec::new(); tools.len()];
        let start = Instant::now();
        while times[0].len() < effort.fewest || start.elapsed() < effort.enough * 2 {
            for (tool, times) in tools.iter().zip(&mut times) {
                times.push(timed(*tool));
            }
        }
        let medians: Vec<Duration> = times.into_iter().map(median).collect();
        let cell = |tool: Tool| match tools.iter().position(|it| *it == tool) {
            None => " - |".into(),
            Some(0) => format!(" {} |", shown(medians[0])),
            Some(at) => {
                let ratio = medians[at].as_secs_f64() / medians[0].as_secs_f64();
                format!(" **{ratio:.1}** {} |", shown(medians[at]))
            }
        };
        Tool::ALL.into_iter().map(cell).collect()
    }

    fn decrypt(&self, tool: Tool, file: &Path, out: &Path) -> Command {
        let Stored { key, certificate } = &self.stored;
        let mut command = self.command(tool);
        match tool {
            Tool::Sdi => command.arg("decrypt").arg("-k").arg(key).arg("--cert").arg(certificate),
            Tool::Openssl => command
                .args(["cms", "-decrypt", "-binary", "-inform", "PEM", "-inkey"])
                .arg(key)
                .arg("-recip")
                .arg(certificate),
            Tool::Gpgsm => command.arg("--decrypt"),
            Tool::Python => command.args(["-c", PYTHON_DECRYPTS]).arg(key).arg(certificate),
        };
        with_files(tool, command, file, out)
    }

    fn encrypt(&self, tool: Tool, cipher: Cipher, file: &Path, out: &Path) -> Command {
        let certificate = &self.stored.certificate;
        let mut command = self.command(tool);
        match tool {
            Tool::Sdi => {
                command.args(["encrypt", "--profile", cipher.profile_name(), "-r"]).arg(certificate)
            }
            Tool::Openssl => command
                .args(["cms", "-encrypt", "-binary", cipher.openssl_option(), "-outform", "PEM"])
                .arg("-recip")
                .arg(certificate),
            Tool::Gpgsm => command
                .args(["--armor", "--cipher-algo", "AES256", "--encrypt", "-r"])
                .arg(format!("0x{}", self.fingerprint)),
            Tool::Python => command.args(["-c", PYTHON_ENCRYPTS]).arg(certificate),
        };
        with_files(tool, command, file, out)
    }

    fn command(&self, tool: Tool) -> Command {
        let mut command = Command::new(match tool {
            Tool::Sdi => self.sdi,
            Tool::Openssl => Path::new("openssl"),
            Tool::Gpgsm => Path::new("gpgsm"),
            Tool::Python => self.python,
        });
        if tool == Tool::Gpgsm {
            command.env("GNUPGHOME", &self.store).args(["--batch", "--yes"]);
        }
        command
    }
}

/// The names of the files, input and output.
fn with_files(tool: Tool, mut command: Command, file: &Path, out: &Path) -> Command {
    match tool {
        Tool::Sdi | Tool::Gpgsm => command.arg("-o").arg(out).arg(file),
        Tool::Openssl => command.arg("-in").arg(file).arg("-out").arg(out),
        Tool::Python => command.arg(file).arg(out),
    };
    command
}

/// Waits for the end, which has to be a good one.
fn run(command: &mut Command) {
    let output =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Puts key and certificate where gpgsm finds them. Without a passphrase, as the other programs have
/// the key: to try one takes a second.
const IMPORT: &str = r#"
mkdir -m 700 "$GNUPGHOME"
echo allow-loopback-pinentry >"$GNUPGHOME/gpg-agent.conf"
printf "disable-crl-checks\ndisable-dirmngr\n" >"$GNUPGHOME/gpgsm.conf"
echo "$FINGERPRINT S relax" >"$GNUPGHOME/trustlist.txt"
openssl pkcs12 -export -legacy -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1 \
    -passout pass: -inkey "$KEY" -in "$CERT" -out "$GNUPGHOME/identity.p12"
echo | gpgsm --batch --pinentry-mode loopback --passphrase-fd 0 --import "$GNUPGHOME/identity.p12"
gpgsm --list-secret-keys "0x$FINGERPRINT"
"#;

const PYTHON_DECRYPTS: &str = "
import pathlib, sys
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs7
from cryptography.x509 import load_pem_x509_certificate
key, certificate, file, out = map(pathlib.Path, sys.argv[1:])
key = load_pem_private_key(key.read_bytes(), None)
certificate = load_pem_x509_certificate(certificate.read_bytes())
out.write_bytes(pkcs7.pkcs7_decrypt_pem(file.read_bytes(), certificate, key, []))
";

const PYTHON_ENCRYPTS: &str = "
import pathlib, sys
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import load_pem_x509_certificate
certificate, file, out = map(pathlib.Path, sys.argv[1:])
certificate = load_pem_x509_certificate(certificate.read_bytes())
builder = pkcs7.PKCS7EnvelopeBuilder().set_data(file.read_bytes())
builder = builder.set_content_encryption_algorithm(AES256).add_recipient(certificate)
out.write_bytes(builder.encrypt(Encoding.PEM, [pkcs7.PKCS7Options.Binary]))
";

//! OpenSSL in a process of its own: `oracle.c`, compiled here. A crash of its code is a verdict.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// What OpenSSL did with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is no CMS at all, for these reasons.
    Unreadable(String),
    /// It does not decrypt, for these reasons.
    Refused(String),
    /// It decrypts.
    Opened {
        plaintext: Vec<u8>,
        /// Not with the certificate, which names a recipient: with the key alone.
        by_key_alone: bool,
        /// How much of the file was read.
        used: usize,
    },
    /// The process died.
    Crashed,
}

/// What stands around a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Armor {
    Pem,
    Smime,
}

impl Armor {
    /// That of a file of the corpus.
    pub(crate) fn of(file: &[u8]) -> Option<Self> {
        let has = |text: &[u8]| file.windows(text.len()).take(300).any(|start| start == text);
        if has(b"-----BEGIN ") {
            Some(Self::Pem)
        } else {
            has(b"Content-Type: ").then_some(Self::Smime)
        }
    }
}

/// The process, and the files of the devices that it knows.
pub(crate) struct Oracle {
    devices: Vec<PathBuf>,
    child: Option<Child>,
}

impl Oracle {
    /// `devices` are pairs of files, key and certificate.
    pub(crate) fn new(devices: Vec<PathBuf>) -> Self {
        Self { devices, child: None }
    }

    /// Judges a file for a device, by its place.
    pub(crate) fn judge(&mut self, device: usize, file: &[u8]) -> Verdict {
        let Some((verdict, used, text)) = self.ask(device, file) else { return Verdict::Crashed };
        let reasons = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        match verdict {
            0 => Verdict::Unreadable(reasons(&text)),
            1 => Verdict::Refused(reasons(&text)),
            way => Verdict::Opened { plaintext: text, by_key_alone: way == 3, used },
        }
    }

    /// What stands in the armor, if OpenSSL can take it off.
    pub(crate) fn bare(&mut self, armor: Armor, file: &[u8]) -> Option<Vec<u8>> {
        let place = match armor {
            Armor::Pem => 1_000_000,
            Armor::Smime => 1_000_001,
        };
        let answer = self.ask(place, file);
        assert!(answer.is_some(), "OpenSSL died of an armor");
        answer.and_then(|(verdict, _, text)| (verdict == 4).then_some(text))
    }

    /// Verdict, bytes read, text. `None` if the process died.
    fn ask(&mut self, place: usize, file: &[u8]) -> Option<(usize, usize, Vec<u8>)> {
        let answer = self.try_ask(place, file).ok();
        if answer.is_none()
            && let Some(mut child) = self.child.take()
        {
            child.wait().expect("the process can be waited for");
        }
        answer
    }

    fn try_ask(&mut self, place: usize, file: &[u8]) -> io::Result<(usize, usize, Vec<u8>)> {
        let child = self.child.get_or_insert_with(|| {
            Command::new(program())
                .args(&self.devices)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("the oracle can be started")
        });
        let number = |value: usize| u32::try_from(value).expect("it is small").to_be_bytes();
        let stdin = child.stdin.as_mut().expect("it is piped");
        let case = [number(place).as_slice(), &number(file.len()), file].concat();
        stdin.write_all(&case)?;
        stdin.flush()?;
        let stdout = child.stdout.as_mut().expect("it is piped");
        let mut numbers = [0; 12];
        stdout.read_exact(&mut numbers)?;
        let numbers: [usize; 3] = std::array::from_fn(|at| {
            let bytes = numbers[4 * at..][..4].try_into().expect("there are four");
            usize::try_from(u32::from_be_bytes(bytes)).expect("it fits")
        });
        let [verdict, used, len] = numbers;
        let mut text = vec![0; len];
        stdout.read_exact(&mut text)?;
        Ok((verdict, used, text))
    }
}

/// Compiled once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/oracle.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openssl-oracle");
        let compiled = Command::new("gcc")
            .args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-o"])
            .arg(&program)
            .arg(source)
            .arg("-lcrypto")
            .status()
            .expect("gcc is installed");
        assert!(compiled.success(), "the oracle does not compile: it needs libssl-dev");
        program
    })
}

impl Drop for Oracle {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            // It ends with its input; whether it ended well no longer matters.
            drop(child.wait());
        }
    }
}

//! The device: what its firmware does in the factory, and at a boot without a configuration.

use crate::{Result, files, tftp};
use sdi::{
    Action, Autoinstall, Certificate, ConfigCheck, Detection, DeviceId, Event, Hint, Identity,
    IdentityBuilder, KeyAlgorithm, KeyRing, LastLine, NoNul, NotEmpty, Policy, Secret, SoftwareKey,
    Summary, SystemRandom, Utf8,
};
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

/// A real device keeps its key in a TPM (RFC 8886, 5.1).
const KEY: &str = "key.pem";
const CERTIFICATE: &str = "certificate.pem";
/// The name that RFC 8886, A.3, gives to the plaintext.
const CONFIG: &str = "config.cfg";

const CLIENT: tftp::Client =
    tftp::Client { max: 1 << 20, patience: Duration::from_secs(1), tries: 5 };

/// A device with its flash memory.
pub(crate) struct Device {
    id: DeviceId,
    flash: PathBuf,
    keys: KeyRing,
}

/// One attempt to get a configuration: when it started, and what was installed, or why not.
pub(crate) struct Attempt {
    pub(crate) start: Duration,
    pub(crate) result: std::result::Result<Installed, Failure>,
}

/// An installed configuration.
pub(crate) struct Installed {
    /// How it was decrypted; none for a plain file.
    pub(crate) opened: Option<Summary>,
}

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Fetch(tftp::Failure),
    /// It looks encrypted, and is no file that could be opened. It is never installed as it is.
    Unusable(Detection),
    Open(sdi::Error),
    Check(sdi::Error),
    Install(io::Error),
}

impl Device {
    /// The first boot, in the factory: makes the key and the certificate, and gives the certificate
    /// to the vendor. Only the device has the private key.
    pub(crate) fn make(
        id: &DeviceId,
        algorithm: KeyAlgorithm,
        flash: &Path,
    ) -> Result<Certificate> {
        let key = SoftwareKey::generate(algorithm, &mut SystemRandom)?;
        // A device without a clock says 0: dates in this certificate mean nothing (3.1).
        let certificate = IdentityBuilder::new(id.clone(), 0).self_sign(&key)?;
        fs::create_dir(flash)?;
        files::create(&flash.join(KEY), key.to_pem()?.as_bytes())?;
        files::create(&flash.join(CERTIFICATE), certificate.to_pem().as_bytes())?;
        Ok(certificate)
    }

    /// Any later boot: key and certificate come from the flash memory.
    pub(crate) fn boot(id: &DeviceId, flash: &Path) -> Result<Self> {
        let key = Secret::from(fs::read(flash.join(KEY))?);
        let key = SoftwareKey::parse(key.as_bytes())?;
        let certificate = Certificate::parse(&fs::read(flash.join(CERTIFICATE))?)?;
        let mut keys = KeyRing::new();
        keys.set_vendor(Identity::new(Arc::new(key), Some(certificate))?)?;
        Ok(Self { id: id.clone(), flash: flash.into(), keys })
    }

    /// Where the configuration stands once it is installed.
    pub(crate) fn config(&self) -> PathBuf {
        self.flash.join(CONFIG)
    }

    /// Gets, opens, checks and installs the configuration, however many attempts it takes; a device
    /// that has one makes none. The clock is virtual: it jumps over every wait. `world` is told each
    /// attempt's number and time before it starts.
    pub(crate) fn auto_install(
        &self,
        server: SocketAddr,
        mut world: impl FnMut(u32, Duration) -> Result<()>,
    ) -> Result<Vec<Attempt>> {
        let mut attempts = Vec::new();
        if self.config().exists() {
            return Ok(attempts);
        }
        let mut now = Duration::ZERO;
        // A real device never gives up (4.3), but a story has to end.
        let policy = Policy::for_device(&self.id).max_attempts(NonZeroU32::new(50));
        let mut machine = Autoinstall::new(policy, now);
        // The file as it was fetched, then its plaintext.
        let mut file = Secret::new();
        let mut opened = None;
        loop {
            let mut ended = None;
            let event = match machine.poll(now) {
                Action::WaitUntil(time) => {
                    now = time;
                    continue;
                }
                Action::Fetch { attempt } => {
                    world(attempt, now)?;
                    opened = None;
                    match self.fetch(server) {
                        Ok((name, fetched)) => {
                            file = fetched;
                            let hint = Hint { at_end: true, ..Hint::default() };
                            let found = sdi::detect(Some(name.as_bytes()), file.as_bytes(), hint);
                            if !matches!(found, Detection::Enveloped(_) | Detection::Plain) {
                                ended = Some(Err(Failure::Unusable(found)));
                            }
                            Event::Fetched(found)
                        }
                        Err(failure) => {
                            ended = Some(Err(Failure::Fetch(failure)));
                            Event::FetchFailed
                        }
                    }
                }
                Action::Decrypt => match sdi::open(file.as_bytes(), &self.keys) {
                    Ok(plain) => {
                        opened = Some(plain.summary().clone());
                        file = plain.into_plaintext();
                        Event::Decrypted
                    }
                    Err(error) => {
                        let code = error.code();
                        ended = Some(Err(Failure::Open(error)));
                        Event::DecryptFailed(code)
                    }
                },
                Action::Check | Action::CheckRaw => match sane(file.as_bytes()) {
                    Ok(()) => Event::Checked,
                    Err(error) => {
                        ended = Some(Err(Failure::Check(error)));
                        Event::CheckFailed
                    }
                },
                Action::Install | Action::InstallRaw => {
                    match files::replace(&self.flash, CONFIG, file.as_bytes()) {
                        Ok(()) => {
                            ended = Some(Ok(Installed { opened: opened.take() }));
                            Event::Installed
                        }
                        Err(error) => {
                            ended = Some(Err(Failure::Install(error)));
                            Event::InstallFailed
                        }
                    }
                }
                Action::Finished(_) => return Ok(attempts),
            };
            machine.handle(now, event)?;
            // The clock moves between attempts only.
            attempts.extend(ended.map(|result| Attempt { start: now, result }));
        }
    }

    /// The file for this device and its name: the encrypted one, or else the plain one.
    fn fetch(&self, server: SocketAddr) -> std::result::Result<(String, Secret), tftp::Failure> {
        let encrypted = format!("{}.enc", self.id);
        let plain = format!("{}.cfg", self.id);
        match CLIENT.read(server, &encrypted) {
            Err(tftp::Failure::NotFound) => {
                CLIENT.read(server, &plain).map(|file| (plain, file.into()))
            }
            read => read.map(|file| (encrypted, file.into())),
        }
    }
}

/// The box "Sane?" of RFC 8886, figure 3. A router would ask its own parser.
fn sane(config: &[u8]) -> sdi::Result<()> {
    let checks: [&dyn ConfigCheck; 4] = [&NotEmpty, &NoNul, &Utf8, &LastLine("end")];
    checks.check(config)
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(failure) => write!(f, "not fetched: {failure}"),
            Self::Unusable(found) => write!(f, "not usable: {found:?}"),
            Self::Open(error) => write!(f, "not opened: error {}, {error}", error.code()),
            Self::Check(error) => write!(f, "not installed: error {}, {error}", error.code()),
            Self::Install(error) => write!(f, "not installed: {error}"),
        }
    }
}

//! The whole of RFC 8886 on one machine: `cargo run --release --example first_boot`.
//!
//! A device makes its key in the factory, the vendor publishes its certificate, the operator encrypts
//! a configuration to it and puts the file on a TFTP server, and the device fetches, opens, checks
//! and installs it: once as the RFC's appendix does it, with an RSA key, and once as it is best done
//! today. Then things go wrong. Every step is checked, and the program fails with the first that is
//! not as it should be. It needs no configuration, uses the loopback interface alone and leaves
//! nothing behind.

#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "an example is an ordinary program"
)]

mod device;
mod files;
mod server;
mod tftp;

use device::{Attempt, Device, Failure};
use sdi::{
    Certificate, DeviceId, Encoding, Envelope, Form, KeyAlgorithm, Limits, PemLabel, Profile,
    SystemRandom,
};
use std::error::Error;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A router's configuration, with made-up secrets.
const CONFIG: &[u8] = include_bytes!("router.cfg");
const MINUTE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    match Story::new().and_then(Story::tell) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("first_boot failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The scene: the vendor's directory, the operator's server, and the devices' flash memories.
struct Story {
    steps: u32,
    folder: tempfile::TempDir,
    directory: PathBuf,
    published: PathBuf,
    server: SocketAddr,
}

impl Story {
    fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("sdi-first-boot-").tempdir()?;
        let directory = folder.path().join("directory");
        let published = folder.path().join("tftp");
        fs::create_dir(&directory)?;
        fs::create_dir(&published)?;
        let server = server::serve(&published)?;
        Ok(Self { steps: 0, folder, directory, published, server })
    }

    fn tell(mut self) -> Result<()> {
        println!("Secure Device Install (RFC 8886), the whole story on this machine.");
        println!("Folder: {}. TFTP server: {}.", self.folder.path().display(), self.server);

        println!("\nAs the RFC's appendix: RSA-2048, CBC, profile rfc8886");
        self.first_boot("SN19842256", KeyAlgorithm::Rsa(2048), Profile::Rfc8886)?;
        println!("\nAs it is best done today: P-256, AES-256-GCM, profile auto");
        self.first_boot("SN20260001", KeyAlgorithm::P256, Profile::Auto)?;

        println!("\nWhen things go wrong (the clock is virtual: minutes and seconds)");
        self.wrong_device()?;
        self.damaged_file()?;
        self.late_file()?;
        println!("\nAnd without encryption");
        self.plain_file()?;

        let folder = self.folder.path().to_path_buf();
        self.folder.close()?;
        ensure(!folder.exists(), "the folder is gone")?;
        println!("\nAll {} steps are as they should be.", self.steps);
        Ok(())
    }

    /// From the factory to the installed configuration.
    fn first_boot(&mut self, id: &str, algorithm: KeyAlgorithm, profile: Profile) -> Result<()> {
        let id = DeviceId::new(id)?;

        let (device, pin) = self.make(&id, algorithm)?;
        self.step("2.1, 3.1", format!("factory: {id} made its {algorithm:?} key and certificate"));

        let published = fs::read(self.directory.join(format!("{id}.crt")))?;
        ensure(Certificate::parse(&published)?.spki_sha256()? == pin, "the directory's key")?;
        self.step("3.2", format!("directory: {id}.crt is published, key SHA-256 {}", hex(&pin)));

        let certificate = self.certificate(&id, &pin)?;
        self.step(
            "4.2",
            "operator: fetched the certificate; its key is the one on the shipping list",
        );

        let sealed = sdi::seal(CONFIG, &[certificate], profile, &mut SystemRandom)?;
        let envelope = Envelope::parse(&sealed, &Limits::default())?;
        let recipient = envelope.recipients().first().ok_or("the file has no recipient")?;
        match profile {
            Profile::Rfc8886 => {
                ensure(envelope.encoding() == Encoding::Pem(PemLabel::Pkcs7), "label PKCS7")?;
                ensure(envelope.content() == "aes-256-cbc", "AES-256-CBC")?;
            }
            _ => ensure(envelope.is_authenticated(), "authenticated encryption")?,
        }
        self.step("4.2, A.2.2", format!("operator: encrypted {} bytes", CONFIG.len()));
        println!("       for {}", recipient.name());
        println!("       with {}, {}", recipient.algorithm(), envelope.content());

        self.publish(&format!("{id}.enc"), &sealed)?;
        self.step("2.1, A.3", format!("server: {id}.enc has {} bytes", sealed.len()));

        let attempts = device.auto_install(self.server, |_, _| Ok(()))?;
        self.step("4.3", "device: no configuration, so auto-install starts");
        show(&attempts);
        let [Attempt { result: Ok(installed), start: Duration::ZERO }] = &attempts[..] else {
            return Err("the first attempt should have installed the configuration".into());
        };
        let summary = installed.opened.as_ref().ok_or("the file should have been encrypted")?;
        ensure(summary.is_authenticated() == (profile == Profile::Auto), "authenticated or not")?;
        check_installed(&device)?;
        self.step("A.3, fig. 3", "device: config.cfg is the operator's file, mode 0600, by rename");

        let again = self.boot(&id)?.auto_install(self.server, |_, _| Ok(()))?;
        ensure(again.is_empty(), "a device with a configuration fetches nothing")?;
        self.step("4.3", "device: the next boot finds its configuration and fetches nothing");
        Ok(())
    }

    /// The operator mixes up two devices, and notices.
    fn wrong_device(&mut self) -> Result<()> {
        let (ours, theirs) = (DeviceId::new("SN20260002")?, DeviceId::new("SN20260003")?);
        let (device, our_pin) = self.make(&ours, KeyAlgorithm::P256)?;
        let (_, their_pin) = self.make(&theirs, KeyAlgorithm::P256)?;
        let for_theirs = self.seal(&theirs, &their_pin)?;
        let for_ours = self.seal(&ours, &our_pin)?;

        let name = format!("{ours}.enc");
        let attempts = device.auto_install(self.server, |attempt, _| {
            self.publish(&name, if attempt == 1 { &for_theirs } else { &for_ours })
        })?;
        self.step("4.3, A.3.2", format!("{ours} gets the file of {theirs}; then its own"));
        show(&attempts);
        check_refusals(&attempts, &[130])?;
        check_installed(&device)
    }

    /// One bit is changed on the way, then the second half is missing.
    fn damaged_file(&mut self) -> Result<()> {
        let id = DeviceId::new("SN20260004")?;
        let (device, pin) = self.make(&id, KeyAlgorithm::P256)?;
        let whole = self.seal(&id, &pin)?;
        let half = &whole[..whole.len() / 2];
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;

        let name = format!("{id}.enc");
        let attempts = device.auto_install(self.server, |attempt, _| match attempt {
            1 => self.publish(&name, &changed),
            2 => self.publish(&name, half),
            _ => self.publish(&name, &whole),
        })?;
        self.step("4.3", format!("{id} gets a changed file, then half a file, then the whole one"));
        show(&attempts);
        check_refusals(&attempts, &[140, 110])?;
        check_installed(&device)
    }

    /// The device is switched on an hour and a half before its configuration is ready.
    fn late_file(&mut self) -> Result<()> {
        let id = DeviceId::new("SN20260005")?;
        let (device, pin) = self.make(&id, KeyAlgorithm::P256)?;
        let file = self.seal(&id, &pin)?;
        let name = format!("{id}.enc");
        let attempts = device.auto_install(self.server, |_, now| {
            if now < 90 * MINUTE { Ok(()) } else { self.publish(&name, &file) }
        })?;
        self.step("4.3", format!("{id} waits: its file is ready after an hour and a half"));
        show(&attempts);
        let (last, failed) = attempts.split_last().ok_or("there was no attempt")?;
        let missing =
            |a: &Attempt| matches!(a.result, Err(Failure::Fetch(tftp::Failure::NotFound)));
        ensure(failed.iter().all(missing), "no file before it is ready")?;
        ensure(last.start >= 90 * MINUTE && last.result.is_ok(), "the file when it is ready")?;
        check_schedule(&attempts)?;
        check_installed(&device)
    }

    /// Encryption is the operator's choice, file by file.
    fn plain_file(&mut self) -> Result<()> {
        let id = DeviceId::new("SN20260006")?;
        let (device, _) = self.make(&id, KeyAlgorithm::P256)?;
        self.publish(&format!("{id}.cfg"), CONFIG)?;
        let attempts = device.auto_install(self.server, |_, _| Ok(()))?;
        self.step("1, 4.3", format!("{id} gets a plain file, and installs it as it always did"));
        show(&attempts);
        let [Attempt { result: Ok(installed), .. }] = &attempts[..] else {
            return Err("a plain file should have been installed at once".into());
        };
        ensure(installed.opened.is_none(), "nothing to decrypt")?;
        check_installed(&device)
    }

    /// The factory: a new device, its certificate in the directory, and the pin of its key, which
    /// the operator learns with the serial number.
    fn make(&self, id: &DeviceId, algorithm: KeyAlgorithm) -> Result<(Device, [u8; 32])> {
        let flash = self.flash(id);
        let certificate = Device::make(id, algorithm, &flash)?;
        let mode = fs::metadata(flash.join("key.pem"))?.permissions().mode();
        ensure(mode & 0o777 == 0o600, "nobody else can read the key")?;
        files::replace(&self.directory, &format!("{id}.crt"), certificate.to_pem().as_bytes())?;
        Ok((self.boot(id)?, certificate.spki_sha256()?))
    }

    fn boot(&self, id: &DeviceId) -> Result<Device> {
        Device::boot(id, &self.flash(id))
    }

    fn flash(&self, id: &DeviceId) -> PathBuf {
        self.folder.path().join(id.as_str())
    }

    /// The operator: a certificate from the directory is believed because its key is the pinned one.
    fn certificate(&self, id: &DeviceId, pin: &[u8; 32]) -> Result<Certificate> {
        let file = fs::read(self.directory.join(format!("{id}.crt")))?;
        let certificate = Certificate::parse(&file)?;
        ensure(certificate.spki_sha256()? == *pin, "the certificate's key is the pinned one")?;
        ensure(certificate.device_id().as_deref() == Some(id.as_str()), "the certificate's name")?;
        Ok(certificate)
    }

    /// The operator: the configuration for a device, in binary.
    fn seal(&self, id: &DeviceId, pin: &[u8; 32]) -> Result<Vec<u8>> {
        let to = [self.certificate(id, pin)?];
        Ok(sdi::seal_as(CONFIG, &to, Profile::Auto, Form::Der, &mut SystemRandom)?)
    }

    /// The operator: a file on the server, complete or not at all.
    fn publish(&self, name: &str, file: &[u8]) -> Result<()> {
        Ok(files::replace(&self.published, name, file)?)
    }

    fn step(&mut self, section: &str, text: impl AsRef<str>) {
        self.steps += 1;
        println!("{:>4}. [RFC 8886, {section}] {}", self.steps, text.as_ref());
    }
}

/// Prints when each attempt started and how it ended.
fn show(attempts: &[Attempt]) {
    for Attempt { start, result } in attempts {
        let seconds = start.as_secs();
        let time = format!("{:02}:{:02}", seconds / 60, seconds % 60);
        match result {
            Ok(installed) if installed.opened.is_some() => {
                println!("       {time:>6}  fetched, opened, sane, installed");
            }
            Ok(_) => println!("       {time:>6}  fetched, installed"),
            Err(failure) => println!("       {time:>6}  {failure}"),
        }
    }
}

/// All attempts but the last ended with these errors, and the last one well.
fn check_refusals(attempts: &[Attempt], codes: &[i32]) -> Result<()> {
    let (last, failed) = attempts.split_last().ok_or("there was no attempt")?;
    let found: Vec<_> = failed.iter().map(|attempt| &attempt.result).collect();
    let same = found.len() == codes.len()
        && found.iter().zip(codes).all(
            |(result, code)| matches!(result, Err(Failure::Open(error)) if error.code() == *code),
        );
    ensure(same, "the errors of the failed attempts")?;
    ensure(last.result.is_ok(), "the last attempt")?;
    check_schedule(attempts)
}

/// RFC 8886, 4.3: every 5 minutes for an hour, then every hour; each wait up to a tenth off.
fn check_schedule(attempts: &[Attempt]) -> Result<()> {
    for pair in attempts.windows(2) {
        let usual = if pair[0].start < 60 * MINUTE { 5 * MINUTE } else { 60 * MINUTE };
        let wait = pair[1].start - pair[0].start;
        ensure(wait.abs_diff(usual) <= usual / 10, "the waits between attempts")?;
    }
    Ok(())
}

/// `config.cfg` is the operator's file, only its owner can read it, and nothing is left beside it.
fn check_installed(device: &Device) -> Result<()> {
    let config = device.config();
    ensure(fs::read(&config)? == CONFIG, "the configuration is the operator's, byte for byte")?;
    let mode = fs::metadata(&config)?.permissions().mode();
    ensure(mode & 0o777 == 0o600, "nobody else can read the configuration")?;
    let flash = config.parent().ok_or("the configuration has no folder")?;
    let files = fs::read_dir(flash)?.collect::<io::Result<Vec<_>>>()?;
    ensure(files.len() == 3, "key, certificate and configuration, and no staging file")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn ensure(is_so: bool, what: &str) -> Result<()> {
    if is_so { Ok(()) } else { Err(format!("not as it should be: {what}").into()) }
}

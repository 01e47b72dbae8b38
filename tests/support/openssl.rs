//! The installed `openssl`, and devices whose keys and certificates it made.

use sdi::{Certificate, Identity, KeyRing, SoftwareKey};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread;

/// A device whose key and certificate are files made by `openssl`.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) name: &'static str,
    folder: PathBuf,
    pub(crate) certificate: Certificate,
    pub(crate) ring: KeyRing,
}

/// How the key of a device is made. `ecparam` writes `EC PARAMETERS` before an `EC PRIVATE KEY`, as
/// in RFC 8886, A.1; `genpkey` writes PKCS#8.
const KEYS: [(&str, &str); 8] = [
    ("rsa2048", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
    ("rsa2048b", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
    ("rsa3072", "genrsa -traditional 3072"),
    ("rsa4096", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096"),
    ("p256", "ecparam -name prime256v1 -genkey"),
    ("p256b", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
    ("p384", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
    ("p521", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521"),
];

/// Only a subjectKeyIdentifier, whatever the system's configuration says.
const CONFIGURATION: &str = "[req]\ndistinguished_name = dn\nx509_extensions = ext\n[dn]\n[ext]\n\
    subjectKeyIdentifier = hash\n";

impl Device {
    pub(crate) fn key_file(&self) -> String {
        self.file("key.pem")
    }

    pub(crate) fn certificate_file(&self) -> String {
        self.file("cert.pem")
    }

    fn file(&self, what: &str) -> String {
        let path = self.folder.join(format!("{}.{what}", self.name));
        path.into_os_string().into_string().expect("the path is UTF-8")
    }
}

/// The device of a name. All are made on first use and kept for later runs.
pub(crate) fn device(name: &str) -> &'static Device {
    static DEVICES: OnceLock<Vec<Device>> = OnceLock::new();
    let devices = DEVICES.get_or_init(|| {
        let folder = make_files();
        KEYS.iter().map(|(name, _)| read(&folder, name)).collect()
    });
    devices.iter().find(|device| device.name == name).expect("the name is in KEYS")
}

/// Makes the folder with all keys and certificates. Its last step is a rename, so that a folder of
/// that name is complete, also when two test processes race.
fn make_files() -> PathBuf {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = parent.join("openssl-devices");
    if folder.exists() {
        return folder;
    }
    let unfinished = parent.join(format!("openssl-devices-{}", std::process::id()));
    fs::create_dir_all(&unfinished).expect("the temporary folder can be made");
    let file = |name: String| {
        let path = unfinished.join(name).into_os_string();
        path.into_string().expect("the path is UTF-8")
    };
    let configuration = file("req.cnf".to_owned());
    fs::write(&configuration, CONFIGURATION).expect("the folder can be written to");
    for (name, command) in KEYS {
        let (key, subject) = (file(format!("{name}.key.pem")), format!("/CN={name}"));
        let pem = run(&command.split(' ').collect::<Vec<_>>(), b"");
        fs::write(&key, pem).expect("the folder can be written to");
        let certificate = file(format!("{name}.cert.pem"));
        let request = ["req", "-x509", "-new", "-days", "36500", "-subj", &subject];
        let files = ["-config", &configuration, "-key", &key, "-out", &certificate];
        run(&[request.as_slice(), &files].concat(), b"");
    }
    if fs::rename(&unfinished, &folder).is_err() {
        assert!(folder.exists(), "another process made it first");
        fs::remove_dir_all(&unfinished).expect("the folder is ours");
    }
    folder
}

fn read(folder: &Path, name: &'static str) -> Device {
    let file = |what| fs::read(folder.join(format!("{name}.{what}"))).expect("it was made");
    let certificate = Certificate::parse(&file("cert.pem")).expect("openssl made a certificate");
    let key = SoftwareKey::parse(&file("key.pem")).expect("openssl made a key");
    let identity = Identity::new(Arc::new(key), Some(certificate.clone()));
    let ring = super::corpus::ring_of(identity.expect("they belong together"));
    Device { name, folder: folder.to_owned(), certificate, ring }
}

/// Runs `openssl`, which has to succeed.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    match try_run(arguments, input) {
        Ok(output) => output,
        Err(message) => panic!("openssl {}: {message}", arguments.join(" ")),
    }
}

/// Runs `openssl`.
///
/// # Errors
/// What it prints when it fails.
pub(crate) fn try_run(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let mut stdin = child.stdin.take();
    // A second thread, so that neither side waits for the other with a full pipe.
    let output = thread::scope(|scope| {
        scope.spawn(move || stdin.as_mut().map(|pipe| pipe.write_all(input)));
        child.wait_with_output()
    });
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

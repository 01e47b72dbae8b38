//! A device of both libraries: one key, one certificate.

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use sdi::{
    Certificate, DeviceId, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, Limits, OpenPolicy,
    SoftwareKey, SystemRandom,
};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) struct Device {
    key: Arc<SoftwareKey>,
    pub(crate) certificate: Certificate,
}

impl Device {
    pub(crate) fn new(algorithm: KeyAlgorithm) -> Self {
        let key = SoftwareKey::generate(algorithm, &mut SystemRandom).unwrap();
        let certificate = certificate("SN19842256", &key);
        Self { key: Arc::new(key), certificate }
    }

    /// Writes the key and the certificate into a folder, where commands find them.
    pub(crate) fn write(&self, folder: &Path) -> Stored {
        let stored = Stored { key: folder.join("key.pem"), certificate: folder.join("cert.pem") };
        fs::create_dir_all(folder).unwrap();
        // The command takes no key that others may read.
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&stored.key).unwrap();
        file.write_all(self.key.to_pem().unwrap().as_bytes()).unwrap();
        fs::write(&stored.certificate, self.certificate.to_pem()).unwrap();
        stored
    }

    /// Reads what was written into a folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let read = |name| fs::read(folder.join(name)).unwrap();
        Self {
            key: Arc::new(SoftwareKey::parse(&read("key.pem")).unwrap()),
            certificate: Certificate::parse(&read("cert.pem")).unwrap(),
        }
    }

    pub(crate) fn key(&self) -> Arc<SoftwareKey> {
        self.key.clone()
    }

    /// Opens files of any length.
    pub(crate) fn ring(&self) -> KeyRing {
        let mut ring = KeyRing::new();
        let certificate = Some(self.certificate.clone());
        ring.set_vendor(Identity::new(self.key.clone(), certificate).unwrap()).unwrap();
        let limits = Limits { file: usize::MAX, ..Limits::default() };
        ring.set_policy(OpenPolicy { limits, ..OpenPolicy::default() });
        ring
    }

    /// For libcrypto.
    pub(crate) fn openssl(&self) -> (PKey<Private>, X509) {
        let pem = self.key.to_pem().unwrap();
        let key = PKey::private_key_from_pem(pem.as_bytes()).unwrap();
        (key, X509::from_der(self.certificate.der()).unwrap())
    }
}

/// Where key and certificate are.
pub(crate) struct Stored {
    pub(crate) key: PathBuf,
    pub(crate) certificate: PathBuf,
}

/// As many certificates of other devices. They share a key, which no measurement uses.
pub(crate) fn strangers(number: usize) -> Vec<Certificate> {
    let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom).unwrap();
    (0..number).map(|number| certificate(&format!("SN{number:08}"), &key)).collect()
}

/// Without capabilities: OpenSSL 3.0 does not know the key derivation of RFC 9709.
fn certificate(id: &str, key: &SoftwareKey) -> Certificate {
    let builder = IdentityBuilder::new(DeviceId::new(id).unwrap(), 1_700_000_000);
    builder.without_capabilities().self_sign(key).unwrap()
}

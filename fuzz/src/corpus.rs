//! The files of `tests/corpus` and `tests/corpus-modern`, and the devices that they are for.

use crate::module;
use sdi::{Certificate, DeviceKey, Identity, KeyRing, SoftwareKey};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// A device of the corpus, or one whose key is in a module.
#[derive(Debug, Clone)]
pub struct Device {
    pub(crate) key: Arc<dyn DeviceKey>,
    pub(crate) certificate: Option<Certificate>,
}

impl Device {
    /// The certificate around its key.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        self.certificate.as_ref().expect("each device has one")
    }

    pub(crate) fn identity(&self) -> Identity {
        let certificate = self.certificate.clone();
        Identity::new(Arc::clone(&self.key), certificate).expect("they belong together")
    }

    /// The key without its certificate.
    pub(crate) fn bare(&self) -> Identity {
        Identity::new(Arc::clone(&self.key), None).expect("a key needs nothing else")
    }

    /// A ring with this device as the vendor's identity.
    pub(crate) fn ring(&self) -> KeyRing {
        let mut ring = KeyRing::new();
        ring.set_vendor(self.identity()).expect("nothing replaced it");
        ring
    }
}

/// One file.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name in the corpus.
    pub id: String,
    /// The file's bytes.
    pub message: Vec<u8>,
    pub(crate) plaintext: Option<Vec<u8>>,
    /// The file of its key, below the corpus.
    pub(crate) key_file: String,
    /// The place among [`devices`] of the one that it is for.
    pub device: Option<usize>,
}

struct Loaded {
    cases: Vec<Case>,
    devices: Vec<Device>,
}

/// All files.
pub fn cases() -> &'static [Case] {
    &loaded().cases
}

/// All devices, each once: those of the corpus in its order, then modules. New ones go to the end of
/// the corpus's index, for seeds name them by their places.
pub fn devices() -> &'static [Device] {
    &loaded().devices
}

/// The place of the first device that a file of this id is for.
#[must_use]
pub(crate) fn device_of(id: &str) -> usize {
    let case = cases().iter().find(|case| case.id == id);
    case.and_then(|case| case.device).expect("the corpus has the file, with a key")
}

fn loaded() -> &'static Loaded {
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    LOADED.get_or_init(load)
}

fn load() -> Loaded {
    let mut devices: Vec<Device> = Vec::new();
    let mut cases = Vec::new();
    for folder in ["corpus", "corpus-modern"] {
        let index: Vec<Value> =
            serde_json::from_slice(&read(&format!("{folder}/index.json"))).expect("it is JSON");
        for facts in index {
            let text = |name: &str| facts.get(name).and_then(Value::as_str);
            let file = |name: &str| text(name).map(|path| read(&format!("{folder}/{path}")));
            let device = file("key").map(|key| {
                let key = SoftwareKey::parse(&key).expect("the corpus has readable keys");
                let certificate = file("cert").expect("each key has a certificate");
                let certificate = Certificate::parse(&certificate).expect("it is readable");
                let known = devices.iter().position(|known| {
                    known.certificate.as_ref().is_some_and(|c| c.der() == certificate.der())
                });
                known.unwrap_or_else(|| {
                    devices.push(Device { key: Arc::new(key), certificate: Some(certificate) });
                    devices.len() - 1
                })
            });
            cases.push(Case {
                id: text("id").expect("each case has an id").to_owned(),
                message: file("message").expect("each case has a message"),
                plaintext: file("plain"),
                key_file: text("key").unwrap_or_default().to_owned(),
                device,
            });
        }
    }
    let modules = module::devices(&devices);
    devices.extend(modules);
    Loaded { cases, devices }
}

fn read(below_tests: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests").join(below_tests);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

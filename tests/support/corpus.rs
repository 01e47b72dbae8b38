//! The files in `tests/corpus` and `tests/corpus-modern`.

use super::keys::Device;
use sdi::{Certificate, Identity, KeyRing, SoftwareKey};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// What must happen with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// The plaintext comes back exactly.
    Plaintext,
    /// An error.
    Error,
    /// The plaintext, an error, or damaged text. Never a panic.
    Anything,
    /// It is no envelope.
    NotEncrypted,
}

/// One file, with the key that it is for.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    folder: &'static str,
    facts: Value,
}

/// All cases of a corpus, a folder below `tests`.
pub(crate) fn cases(folder: &'static str) -> Vec<Case> {
    let index = read(&format!("{folder}/index.json"));
    let index: Vec<Value> = serde_json::from_slice(&index).expect("the index is a JSON array");
    index.into_iter().map(|facts| Case { folder, facts }).collect()
}

/// One case of `tests/corpus` by its id.
pub(crate) fn case(id: &str) -> Case {
    let found = cases("corpus").into_iter().find(|case| case.id() == id);
    found.unwrap_or_else(|| panic!("{id} is not in the corpus"))
}

impl Case {
    pub(crate) fn id(&self) -> &str {
        self.text("id").expect("every case has an id")
    }

    /// A fact of the index.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.facts.get(name)?.as_str()
    }

    /// A number of the index.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.facts.get(name)?.as_u64()
    }

    pub(crate) fn expect(&self) -> Expect {
        match self.text("expect") {
            Some("ok") => Expect::Plaintext,
            Some("reject") => Expect::Error,
            Some("any") => Expect::Anything,
            Some("plain") => Expect::NotEncrypted,
            other => panic!("{}: unknown expectation {other:?}", self.id()),
        }
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        self.file("message")
    }

    pub(crate) fn plaintext(&self) -> Vec<u8> {
        self.file("plain")
    }

    pub(crate) fn key(&self) -> Arc<SoftwareKey> {
        Arc::new(SoftwareKey::parse(&self.file("key")).expect("the corpus has readable keys"))
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::parse(&self.file("cert")).expect("the corpus has readable certificates")
    }

    /// The device that the file is for.
    pub(crate) fn device(&self) -> Device {
        Device { key: self.key(), certificate: self.certificate() }
    }

    /// A ring with key and certificate as the vendor's.
    pub(crate) fn ring(&self) -> KeyRing {
        self.device().ring()
    }

    /// A ring with the key alone.
    pub(crate) fn bare_ring(&self) -> KeyRing {
        ring_of(self.device().bare())
    }

    fn file(&self, what: &str) -> Vec<u8> {
        let name = self.text(what).unwrap_or_else(|| panic!("{} has no {what}", self.id()));
        read(&format!("{}/{name}", self.folder))
    }
}

/// A ring with this vendor identity.
pub(crate) fn ring_of(vendor: Identity) -> KeyRing {
    let mut ring = KeyRing::new();
    ring.set_vendor(vendor).expect("nothing replaced it");
    ring
}

fn read(below_tests: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(below_tests);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

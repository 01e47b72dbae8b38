//! A fleet of devices, and a run of `encrypt-dir` over it.

use super::{Done, Folder};
use sdi::{Identity, KeyRing, SoftwareKey};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::sync::Arc;

pub(crate) const RUN: [&str; 6] = ["encrypt-dir", "configs", "--store", "certs", "-o", "tftp"];

/// Devices `SN000` and up, which share a key, each with a configuration of its own.
pub(crate) fn fleet(devices: usize) -> Folder {
    let folder = Folder::empty();
    folder.device("SN000", "p256");
    for name in ["configs", "certs", "tftp"] {
        fs::create_dir(folder.path(name)).expect("a folder");
    }
    for n in 0..devices {
        fs::copy(folder.path("SN000.crt"), folder.path(format!("certs/SN{n:03}.crt")))
            .expect("a certificate");
        configure(&folder, n, "first");
    }
    folder
}

pub(crate) fn configure(folder: &Folder, n: usize, what: &str) {
    folder.write(&format!("configs/SN{n:03}.cfg"), config(n, what).as_bytes());
}

pub(crate) fn config(n: usize, what: &str) -> String {
    format!("hostname r{n}\nkey CANARY-{what}\nend\n")
}

pub(crate) fn run(folder: &Folder, more: &[&str]) -> Done {
    folder.sdi([&RUN[..], more].concat())
}

/// The lines of a run.
pub(crate) fn lines(done: &Done) -> Vec<Value> {
    done.stdout().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

pub(crate) fn count(done: &Done, action: &str) -> usize {
    lines(done).iter().filter(|line| line["action"] == action).count()
}

pub(crate) fn keys(folder: &Folder) -> KeyRing {
    let key = SoftwareKey::parse(&folder.read("device.key")).expect("a key");
    let mut ring = KeyRing::new();
    ring.set_vendor(Identity::new(Arc::new(key), None).expect("an identity")).expect("a place");
    ring
}

pub(crate) fn opened(folder: &Folder, keys: &KeyRing, n: usize) -> String {
    let file = folder.read(&format!("tftp/SN{n:03}.enc"));
    let opened = sdi::open(&file, keys).unwrap_or_else(|error| panic!("SN{n:03}: {error}"));
    String::from_utf8(opened.plaintext().to_vec()).expect("text")
}

pub(crate) fn outputs(folder: &Folder) -> HashSet<String> {
    let entries = fs::read_dir(folder.path("tftp")).expect("the folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
}

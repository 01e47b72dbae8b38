//! Opens one file: `decrypt KEY CERTIFICATE FILE OUT`. `OUT` must not exist; it is written when all of
//! the file is verified. `tests/conformance` runs it beside the programs of others.

use sdi::{Certificate, Identity, KeyRing, SoftwareKey};
use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("decrypt: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [key, certificate, file, out] = &arguments[..] else {
        return Err("usage: decrypt KEY CERTIFICATE FILE OUT".into());
    };
    let key = SoftwareKey::parse(&fs::read(key)?)?;
    let certificate = Certificate::parse(&fs::read(certificate)?)?;
    let mut keys = KeyRing::new();
    keys.set_vendor(Identity::new(Arc::new(key), Some(certificate))?)?;

    let opened = sdi::open(&fs::read(file)?, &keys)?;
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(out)?;
    out.write_all(opened.plaintext())?;
    Ok(())
}

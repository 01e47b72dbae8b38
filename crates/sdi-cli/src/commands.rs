//! One file for each command.

pub(crate) mod autoinstall;
pub(crate) mod cert;
pub(crate) mod completions;
pub(crate) mod csr;
pub(crate) mod decrypt;
pub(crate) mod detect;
pub(crate) mod doctor;
pub(crate) mod encrypt;
pub(crate) mod encrypt_dir;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod man;
pub(crate) mod pubkey;
pub(crate) mod push;
pub(crate) mod verify_deploy;
pub(crate) mod version;

use crate::console::Console;
use crate::input::is_stream;
use crate::output::{NewFile, Readers};
use crate::report::{Failure, shown};
use crate::stream::stdout;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use sdi::DeviceId;
use std::fmt::Display;
use std::io::Write;
use std::path::Path;

/// How keys, certificates and requests are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextForm {
    /// Text between BEGIN and END lines.
    Pem,
    /// Binary.
    Der,
}

/// Writes a small file, or to stdout.
fn put(bytes: &[u8], to: &Path, readers: Readers, console: &Console) -> Result<(), Failure> {
    let failed = |error| Failure::io("write", to, &error);
    if is_stream(to) {
        console.check_stdout_is_free()?;
        stdout()?.write_all(bytes).map_err(failed)?;
        console.step(&format!("wrote {} bytes to stdout", bytes.len()));
        return Ok(());
    }
    let mut file = NewFile::create(to, readers, console.force)?;
    file.write_all(bytes).map_err(failed)?;
    file.publish()?;
    console.detail(&wrote(to, bytes.len(), readers));
    Ok(())
}

/// What `-v` says of a file that is there now.
fn wrote(path: &Path, len: impl Display, readers: Readers) -> String {
    format!("wrote {}: {len} bytes, mode {readers}", shown(path))
}

/// A PEM block of public bytes (RFC 7468).
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, later) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = later;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// The grammar of identifiers is the library's.
pub(crate) fn device_id(text: &str) -> Result<DeviceId, String> {
    DeviceId::new(text).map_err(|error| error.to_string())
}

/// Seconds since 1970, for the dates in certificates. A clock before that says 0.
fn unix_time() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

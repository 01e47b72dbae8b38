//! What commands read: files, or stdin where `-` is named. Keys and certificates are recognised by
//! their content, and a key that others can read is refused.

use crate::code::Code;
use crate::console::Console;
use crate::report::{Failure, printable, shown};
use crate::warning::Warning;
use rustix::process::{DumpableBehavior, geteuid, set_dumpable_behavior};
use sdi::{Certificate, PublicKey, SoftwareKey};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Whether the path is stdin or stdout. A file of that name is `./-`.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses stdin for two things.
pub(crate) fn check_stdin_once<'a>(
    paths: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    if paths.into_iter().filter(|path| is_stream(path)).count() > 1 {
        return Err(Failure::usage("stdin is named twice")
            .help("name - once; a file that is really called so is ./-"));
    }
    Ok(())
}

/// Opens a file, or stdin without the buffer of the standard library, which would keep secrets.
pub(crate) fn open(path: &Path) -> Result<File, Failure> {
    let opened = if is_stream(path) {
        io::stdin().as_fd().try_clone_to_owned().map(File::from)
    } else {
        File::open(path)
    };
    opened.map_err(|error| Failure::io("read", path, &error))
}

/// Reads at most `limit` bytes; more are an error.
pub(crate) fn read_up_to(
    mut file: impl Read,
    path: &Path,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // Of full size from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(vec![0; limit + 1]);
    let len = fill(&mut file, &mut bytes).map_err(|error| Failure::io("read", path, &error))?;
    if len > limit {
        return Err(Failure::new(Code::LIMIT, format!("{} is too long", shown(path)))
            .fact("limit", format!("{limit} bytes")));
    }
    bytes.truncate(len);
    Ok(bytes)
}

/// Reads a whole file, with no more memory than it needs. One that grows meanwhile is an error.
pub(crate) fn read_file(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let file = open(path)?;
    let found = file.metadata().map_err(|error| Failure::io("read", path, &error))?;
    let len = usize::try_from(found.len()).unwrap_or(usize::MAX);
    // Some files of the kernel say that they are empty.
    let len = if found.is_file() && len > 0 { len } else { limit };
    read_up_to(file, path, len.min(limit))
}

/// Fills the buffer as far as the input goes.
pub(crate) fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while let Some(rest) = buffer.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

/// Longer than any key or certificate.
const SMALL: usize = 64 << 10;

/// Reads a private key. From here on no core file can be made of this process.
pub(crate) fn private_key(path: &Path) -> Result<SoftwareKey, Failure> {
    forbid_core_files()?;
    let file = open(path)?;
    if !is_stream(path) {
        check_key_file(&file, path)?;
    }
    let bytes = read_up_to(file, path, SMALL)?;
    SoftwareKey::parse(&bytes).map_err(|error| Failure::from(error).fact("key", shown(path)))
}

/// For commands that hold a private key or plaintext.
pub(crate) fn forbid_core_files() -> Result<(), Failure> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| Failure::new(Code::OTHER, format!("cannot forbid core files: {error}")))
}

/// A key file is its owner's alone, and the owner is who runs this. Pipes are not looked at.
pub(crate) fn check_key_file(file: &File, path: &Path) -> Result<(), Failure> {
    let found = file.metadata().map_err(|error| Failure::io("read", path, &error))?;
    if !found.is_file() {
        return Ok(());
    }
    if found.uid() != geteuid().as_raw() {
        return Err(Failure::new(Code::PERMISSIONS, "a file with a key belongs to another user")
            .file(path)
            .fact("owner", format!("uid {}", found.uid()))
            .help(format!("chown {} {}", geteuid().as_raw(), quoted(path))));
    }
    if found.mode() & 0o177 != 0 {
        return Err(Failure::new(Code::PERMISSIONS, "others may read or change a file with a key")
            .file(path)
            .fact("mode", format!("{:04o}", found.mode() & 0o7777))
            .help(format!("chmod 600 {}", quoted(path))));
    }
    Ok(())
}

/// Reads a certificate, and warns if there are more in the file.
pub(crate) fn certificate(path: &Path, console: &Console) -> Result<Certificate, Failure> {
    let (certificate, warning) = certificate_of(path)?;
    warning.into_iter().for_each(|warning| console.warn(warning));
    Ok(certificate)
}

/// Reads the first certificate of a file. A chain is common, and begins with the device's own; but a file
/// may hold anything.
pub(crate) fn certificate_of(path: &Path) -> Result<(Certificate, Option<Warning>), Failure> {
    let bytes = read_file(path, SMALL)?;
    let certificate = Certificate::parse(&bytes)
        .map_err(|error| Failure::from(error).fact("certificate", shown(path)))?;
    let count = certificates_in(&bytes);
    let warning = (count > 1).then(|| {
        let subject = printable(&certificate.subject());
        let text = format!(
            "{} holds {count} certificates; only the first one is used: {subject}",
            shown(path)
        );
        Warning::new("several-certificates", text)
    });
    Ok((certificate, warning))
}

/// How many blocks of PEM are certificates. DER holds one.
fn certificates_in(bytes: &[u8]) -> usize {
    const LABELS: [&[u8]; 3] = [b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"];
    let is_begin = |line: &&[u8]| {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_end();
        let label = line.strip_prefix(b"-----BEGIN ").and_then(|rest| rest.strip_suffix(b"-----"));
        label.is_some_and(|label| LABELS.contains(&label))
    };
    bytes.split(|byte| matches!(byte, b'\n' | b'\r')).filter(is_begin).count()
}

/// Reads a public key.
pub(crate) fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let bytes = read_file(path, SMALL)?;
    PublicKey::parse(&bytes).map_err(|error| Failure::from(error).fact("key", shown(path)))
}

/// A path that a shell reads as one word.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "/._-+:@%,".contains(char);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into_owned();
    }
    format!("'{}'", printable(&text).replace('\'', "'\\''"))
}

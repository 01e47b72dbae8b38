//! Files that are never seen half written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a new file that its owner alone can read, and waits until it is on the disk. A file of
/// this name that exists already is an error.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts a file in the place of the one with this name, if there is one: whoever looks, and after a
/// power cut at any moment, finds the old one or the new one.
pub(crate) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let staging = folder.join(format!(".{name}.staging"));
    match fs::remove_file(&staging) {
        // Nothing was left by a power cut.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        removed => removed?,
    }
    create(&staging, bytes)?;
    fs::rename(&staging, folder.join(name))?;
    // The new name too must be on the disk.
    File::open(folder)?.sync_all()
}

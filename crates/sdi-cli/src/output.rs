//! Files that are there as a whole or not at all.
//!
//! A new file has no name while it is written, where the file system can do that (O_TMPFILE):
//! whatever ends the process, nothing is left. It gets its name when its bytes are on the disk, and
//! never takes the name of another file, unless it was asked to. A kill in the moment of replacing
//! can leave the old file and a second name of the new one, `.sdi-` and digits. Symbolic links are
//! not followed.

use crate::code::Code;
use crate::input::is_stream;
use crate::report::{Failure, shown};
use rustix::fs::{self, AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::ffi::{OsStr, OsString};
use std::fmt::{Display, Formatter};
use std::fs::{File, Metadata};
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// The owner: keys and plaintext.
    Owner,
    /// Everybody: a TFTP server runs as another user.
    All,
}

impl Readers {
    fn mode(self) -> Mode {
        match self {
            Self::Owner => Mode::RUSR | Mode::WUSR,
            Self::All => Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH,
        }
    }
}

impl Display for Readers {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04o}", self.mode().bits())
    }
}

/// A file that has not got its name yet.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: File,
    folder: Folder,
    name: OsString,
    force: bool,
    /// Its name for the time being, where the file system needs one.
    temporary: Option<OsString>,
}

impl NewFile {
    /// Begins a file. An existing one is refused now, and once more at the end.
    pub(crate) fn create(path: &Path, readers: Readers, force: bool) -> Result<Self, Failure> {
        let Some(name) = path.file_name() else {
            return Err(Failure::usage(format!("{} names no file", shown(path))));
        };
        Folder::of(path)?.create(name, readers, force)
    }

    /// The file again, from its start.
    pub(crate) fn again(&self) -> io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(file)
    }

    /// Gives the file its name. Only then does it exist.
    pub(crate) fn publish(mut self) -> Result<(), Failure> {
        self.file.sync_all().map_err(|error| self.failed("write", &error))?;
        self.name()?;
        self.folder.sync()
    }

    /// Gives the file its name; the caller syncs it before, and the folder afterwards.
    pub(crate) fn name(&mut self) -> Result<(), Failure> {
        let named = match (self.temporary.take(), self.force) {
            (None, false) => self.link(&self.name),
            (None, true) => self.second_name().and_then(|temporary| self.rename(temporary)),
            (Some(temporary), _) => self.rename(temporary),
        };
        named.map_err(|error| match error {
            Errno::EXIST => exists(&self.folder.path_of(&self.name)),
            error => self.failed("create", &error.into()),
        })
    }

    /// Takes a name that is free.
    fn link(&self, name: &OsStr) -> Result<(), Errno> {
        let unnamed = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        fs::linkat(CWD, unnamed, &self.folder.handle, name, AtFlags::SYMLINK_FOLLOW)
    }

    /// Only a name can replace a name. It is always the same one, so that what a kill leaves of it is
    /// taken away by the next attempt.
    fn second_name(&self) -> Result<OsString, Errno> {
        let hash: [u8; 32] = Sha256::digest(self.name.as_bytes()).into();
        let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let name = OsString::from(format!("{TEMPORARY}{digits}"));
        match self.link(&name) {
            Err(Errno::EXIST) => {
                fs::unlinkat(&self.folder.handle, &name, AtFlags::empty())?;
                self.link(&name)?;
            }
            linked => linked?,
        }
        Ok(name)
    }

    fn rename(&mut self, temporary: OsString) -> Result<(), Errno> {
        let folder = self.folder.handle.as_fd();
        // Kept, so that it is removed if the renaming fails.
        let temporary = &*self.temporary.insert(temporary);
        if self.force {
            fs::renameat(folder, temporary, folder, &self.name)?;
        } else {
            let done =
                fs::renameat_with(folder, temporary, folder, &self.name, RenameFlags::NOREPLACE);
            match done {
                // NFS renames only over what is there; but it links to free names only.
                Err(Errno::INVAL | Errno::NOSYS) => {
                    return fs::linkat(folder, temporary, folder, &self.name, AtFlags::empty());
                }
                done => done?,
            }
        }
        self.temporary = None;
        Ok(())
    }

    fn failed(&self, what: &str, error: &io::Error) -> Failure {
        Failure::io(what, &self.folder.path_of(&self.name), error)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // There is nothing else to be done about a failure.
            let _ = fs::unlinkat(&self.folder.handle, temporary, AtFlags::empty());
        }
    }
}

/// An open folder. Its files share the handle.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    handle: Arc<OwnedFd>,
    path: Arc<Path>,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|error| Failure::io("open the folder", path, &error.into()))?;
        Ok(Self { handle: Arc::new(handle), path: path.into() })
    }

    /// The folder that a file is in.
    pub(crate) fn of(path: &Path) -> Result<Self, Failure> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self::open(parent.unwrap_or_else(|| Path::new(".")))
    }

    /// Begins a file in this folder.
    pub(crate) fn create(
        self,
        name: &OsStr,
        readers: Readers,
        force: bool,
    ) -> Result<NewFile, Failure> {
        self.check_free(name, force)?;
        let failed = |error: Errno| Failure::io("create a file in", &self.path, &error.into());
        let (file, temporary) = temporary_file(&self.handle).map_err(failed)?;
        // Whatever the umask says.
        fs::fchmod(&file, readers.mode()).map_err(failed)?;
        let file = File::from(file);
        Ok(NewFile { file, folder: self, name: name.to_owned(), force, temporary })
    }

    /// Refuses what must not be replaced: with `force` still what is no file, such as `/dev/null`.
    pub(crate) fn check_free(&self, name: &OsStr, force: bool) -> Result<(), Failure> {
        let path = self.path_of(name);
        match fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(Failure::io("look at", &path, &error.into())),
            Ok(found) => match FileType::from_raw_mode(found.st_mode) {
                FileType::RegularFile | FileType::Symlink if force => Ok(()),
                FileType::RegularFile | FileType::Symlink => Err(exists(&path)),
                _ => Err(Failure::new(
                    Code::EXISTS,
                    format!("{} is there and is no file", shown(&path)),
                )),
            },
        }
    }

    /// As a person names it.
    fn path_of(&self, name: &OsStr) -> PathBuf {
        if *self.path == *Path::new(".") { name.into() } else { self.path.join(name) }
    }

    /// Whether this process alone works here, until the folder and its copies are dropped. Where the file
    /// system knows no locks, nobody is kept out.
    pub(crate) fn lock(&self) -> bool {
        fs::flock(&self.handle, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK)
    }

    /// Brings everything that was written to this file system to the disk.
    pub(crate) fn sync_all(&self) -> Result<(), Failure> {
        fs::syncfs(&self.handle).map_err(|error| Failure::io("sync", &self.path, &error.into()))
    }

    /// Brings the names in this folder to the disk.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        match fs::fsync(&self.handle) {
            // Some network file systems have no such thing.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(error) => Err(Failure::io("sync", &self.path, &error.into())),
        }
    }
}

/// Refuses to replace what is read: a key, a certificate or a configuration would be lost. Without
/// `--force` nothing is replaced.
pub(crate) fn check_not_an_input<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a PathBuf>,
    force: bool,
) -> Result<(), Failure> {
    if !force || is_stream(output) {
        return Ok(());
    }
    // A symbolic link is replaced itself.
    let Ok(output_is) = output.symlink_metadata() else { return Ok(()) };
    let is_it = |found: &Metadata| (found.dev(), found.ino()) == (output_is.dev(), output_is.ino());
    for input in inputs.into_iter().filter(|input| !is_stream(input)) {
        let found = [input.symlink_metadata(), input.metadata()];
        if found.into_iter().flatten().any(|found| is_it(&found)) {
            return Err(Failure::usage("the output is one of the inputs, which would be lost")
                .fact("input", shown(input))
                .fact("output", shown(output))
                .help("name another output with -o"));
        }
    }
    Ok(())
}

/// A file for its owner alone that goes away with the process.
pub(crate) fn unlinked_file(folder: &Path) -> Result<File, Failure> {
    let failed = |error: Errno| Failure::io("create a file in", folder, &error.into());
    let folder = Folder::open(folder)?;
    let (file, temporary) = temporary_file(&folder.handle).map_err(failed)?;
    if let Some(temporary) = temporary {
        fs::unlinkat(&folder.handle, temporary, AtFlags::empty()).map_err(failed)?;
    }
    Ok(file.into())
}

/// A file in this folder that its owner alone can read, and its name if it has to have one.
fn temporary_file(folder: &OwnedFd) -> Result<(OwnedFd, Option<OsString>), Errno> {
    // Without /proc it could never get a name.
    if fs::access("/proc/self/fd", fs::Access::EXISTS).is_ok() {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::TMPFILE;
        match fs::openat(folder, ".", flags, Readers::Owner.mode()) {
            Ok(file) => return Ok((file, None)),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {}
            Err(error) => return Err(error),
        }
    }
    let (file, name) = named_file(folder)?;
    Ok((file, Some(name)))
}

/// The same for file systems where a file has to have a name, such as NFS.
fn named_file(folder: &OwnedFd) -> Result<(OwnedFd, OsString), Errno> {
    let name = temporary_name()?;
    let create = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    let flags = OFlags::RDWR | OFlags::CLOEXEC | create;
    Ok((fs::openat(folder, &name, flags, Readers::Owner.mode())?, name))
}

fn temporary_name() -> Result<OsString, Errno> {
    let mut random = [0; 8];
    sdi::RandomSource::fill(&mut sdi::SystemRandom, &mut random).map_err(|_| Errno::IO)?;
    Ok(format!("{TEMPORARY}{:016x}", u64::from_be_bytes(random)).into())
}

/// How names that are not final begin.
const TEMPORARY: &str = ".sdi-";

fn exists(path: &Path) -> Failure {
    Failure::new(Code::EXISTS, format!("{} is there already", shown(path)))
        .help("choose another name, or replace it with --force")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As on a file system that has no unnamed files.
    fn named(folder: &Path, force: bool) -> NewFile {
        let folder = Folder::open(folder).unwrap();
        let (file, temporary) = named_file(&folder.handle).unwrap();
        let mut file = NewFile {
            file: file.into(),
            folder,
            name: "out".into(),
            force,
            temporary: Some(temporary),
        };
        file.write_all(b"new").unwrap();
        file
    }

    fn names(folder: &Path) -> Vec<OsString> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_with_a_name_for_the_time_being_is_whole_or_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let begun = named(path, false);
        assert!(names(path)[0].as_bytes().starts_with(TEMPORARY.as_bytes()));
        drop(begun);
        assert!(names(path).is_empty());

        named(path, false).publish().unwrap();
        assert_eq!(names(path), ["out"]);
        std::fs::write(path.join("out"), b"live").unwrap();
        let failure = named(path, false).publish().unwrap_err();
        assert_eq!(failure.code(), Code::EXISTS);
        assert_eq!(
            (names(path), std::fs::read(path.join("out")).unwrap()),
            (vec!["out".into()], b"live".to_vec())
        );
        named(path, true).publish().unwrap();
        assert_eq!(
            (names(path), std::fs::read(path.join("out")).unwrap()),
            (vec!["out".into()], b"new".to_vec())
        );
    }
}

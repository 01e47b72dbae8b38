//! Where plaintext waits until all of it is verified: the file that it is for, which has no name yet;
//! on the way to stdout memory, and beyond 4 MiB a file that never has a name.

use crate::code::Code;
use crate::output::{NewFile, unlinked_file};
use crate::report::Failure;
use crate::stream::{copy, stdout};
use sdi::Limits;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Plaintext that is not verified yet.
#[derive(Debug)]
pub(crate) enum Plaintext {
    File(NewFile),
    Staged(Stage),
    /// To stdout as it comes, because a person has asked for that.
    PassedOn(File),
}

impl Plaintext {
    /// Gives a copy to the writer; there is none of what was passed on.
    pub(crate) fn copy_to(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::File(file) => copy(file.again()?, to),
            Self::Staged(stage) => stage.copy_to(to),
            Self::PassedOn(_) => Ok(()),
        }
    }

    /// A copy of so many bytes in memory.
    pub(crate) fn whole(&self, len: u64, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let most = Limits::default().file;
        let len = usize::try_from(len).ok().filter(|len| *len <= most).ok_or_else(|| {
            Failure::new(Code::LIMIT, "the plaintext is too long to be searched")
                .fact("limit", format!("{most} bytes"))
        })?;
        // All at once: a buffer that grows leaves copies behind.
        let mut all = Zeroizing::new(Vec::with_capacity(len));
        self.copy_to(&mut *all).map_err(|error| Failure::io("read", path, &error))?;
        Ok(all)
    }

    /// It is verified.
    pub(crate) fn release(self, path: &Path) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.publish(),
            Self::Staged(stage) => {
                let released = stage.copy_to(&mut stdout()?);
                released.map_err(|error| Failure::io("write", path, &error))
            }
            Self::PassedOn(_) => Ok(()),
        }
    }
}

impl Write for Plaintext {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Staged(stage) => stage.write(bytes),
            Self::PassedOn(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is held in memory.
const MEMORY: usize = 4 << 20;

#[derive(Debug)]
pub(crate) struct Stage {
    memory: Zeroizing<Vec<u8>>,
    file: Option<File>,
    folder: PathBuf,
}

impl Stage {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { memory: Zeroizing::new(Vec::new()), file: None, folder }
    }

    fn copy_to(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.memory)?;
        match &self.file {
            Some(file) => {
                let mut file = file.try_clone()?;
                file.rewind()?;
                copy(file, to)
            }
            None => Ok(()),
        }
    }
}

impl Write for Stage {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(file) = &mut self.file {
            return file.write(bytes);
        }
        let room = MEMORY - self.memory.len();
        if bytes.len() > room {
            let file = unlinked_file(&self.folder)
                .map_err(|failure: Failure| io::Error::other(failure.to_string()))?;
            return self.file.insert(file).write(bytes);
        }
        // All at once: a buffer that grows leaves copies behind.
        self.memory.reserve_exact(room);
        self.memory.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

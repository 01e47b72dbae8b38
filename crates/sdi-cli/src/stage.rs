//! Where plaintext waits until all of it is verified: memory, and beyond 4 MiB a file that has no
//! name and that its owner alone can read.

use crate::output::unlinked_file;
use crate::report::Failure;
use crate::stream::copy;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use zeroize::Zeroizing;

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

    /// Gives everything to the writer.
    pub(crate) fn release(mut self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.memory)?;
        match self.file.take() {
            Some(mut file) => {
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

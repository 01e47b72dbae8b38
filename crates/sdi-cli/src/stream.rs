//! Bytes on their way: from a reader through the library to a writer, in constant memory.

use crate::code::Code;
use crate::input::fill;
use crate::report::{Failure, named};
use crate::warning::Warning;
use sdi::{Sealer, Sink};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use zeroize::Zeroizing;

/// How much is read at once.
pub(crate) const PIECE: usize = 64 << 10;

/// A sink of the library that writes. It keeps the system's error, which the library has no room for.
#[derive(Debug)]
pub(crate) struct SinkTo<W> {
    pub(crate) writer: W,
    failed: Option<io::Error>,
    /// Bytes that were written.
    pub(crate) len: u64,
}

impl<W: Write> SinkTo<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { writer, failed: None, len: 0 }
    }

    /// What went wrong, in the system's words if it was the writing.
    pub(crate) fn failure(&mut self, error: &sdi::Error, path: &Path) -> Failure {
        match self.failed.take() {
            Some(failed) => Failure::io("write", path, &failed),
            None => error.into(),
        }
    }
}

impl<W: Write> Sink for SinkTo<W> {
    fn write(&mut self, bytes: &[u8]) -> sdi::Result<()> {
        self.len = self.len.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.writer.write_all(bytes).map_err(|error| {
            self.failed = Some(error);
            sdi::Error::Sink(1)
        })
    }
}

/// stdout without the buffer of the standard library, which would keep secrets.
pub(crate) fn stdout() -> Result<File, Failure> {
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    Ok(stdout.map_err(|error| Failure::io("write", Path::new("-"), &error))?.into())
}

/// Encrypts everything that can be read. The length is told beforehand where it is known: then the
/// file is DER.
pub(crate) fn seal<W: Write>(
    mut input: File,
    path: &Path,
    mut sealer: Sealer,
    sink: &mut SinkTo<W>,
    output: &Path,
) -> Result<Sealed, Failure> {
    let read = |input: &mut File, buffer: &mut [u8]| {
        fill(input, buffer).map_err(|error| Failure::io("read", path, &error))
    };
    let mut buffer = Zeroizing::new(vec![0; PIECE]);
    let mut len = read(&mut input, &mut buffer)?;
    let known = if len < PIECE { u64::try_from(len).ok() } else { rest_of(&input, len) };
    if let Some(known) = known {
        sealer.set_length(known).map_err(sdi::Error::from)?;
    }
    let mut sealed = Sealed { len: 0, is_blank: true };
    while len > 0 {
        sealed.len = sealed.len.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        let piece = buffer.get(..len).unwrap_or_default();
        sealed.is_blank = sealed.is_blank && is_blank(piece);
        sealer.push(piece, sink).map_err(|error| match error {
            sdi::Error::Misuse(_) => changed(path),
            error => sink.failure(&error, output),
        })?;
        len = if len < PIECE { 0 } else { read(&mut input, &mut buffer)? };
    }
    sealer.finish(sink).map_err(|error| match error {
        sdi::Error::Misuse(_) => changed(path),
        error => sink.failure(&error, output),
    })?;
    Ok(sealed)
}

/// What was encrypted.
pub(crate) struct Sealed {
    pub(crate) len: u64,
    /// It is empty, or white space alone.
    pub(crate) is_blank: bool,
}

/// Whether nothing is in it that could configure a device.
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    bytes.trim_ascii().is_empty()
}

/// What is said of such a configuration: a device would install it.
pub(crate) fn blank(path: &Path) -> Warning {
    Warning::new("empty", format!("{} is empty, or white space alone", named(path, "read")))
}

/// The length of a regular file of which `read` bytes were read from where it stood.
fn rest_of(input: &File, read: usize) -> Option<u64> {
    let found = input.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let at = io::Seek::stream_position(&mut &*input).ok()?;
    let start = at.checked_sub(u64::try_from(read).ok()?)?;
    found.len().checked_sub(start)
}

fn changed(path: &Path) -> Failure {
    Failure::new(Code::OTHER, "the input changed its length while it was read")
        .file(path)
        .help("try again when nobody writes to it")
}

/// Copies a staged plaintext out of a file.
pub(crate) fn copy(mut from: File, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = Zeroizing::new(vec![0; PIECE]);
    loop {
        match fill(&mut from, &mut buffer)? {
            0 => return Ok(()),
            len => to.write_all(buffer.get(..len).unwrap_or_default())?,
        }
    }
}

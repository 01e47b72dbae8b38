//! Streams through sdi, from a file or from memory.

use sdi::{Certificate, Form, KeyRing, Opener, Profile, Sealer, Sink, SystemRandom};
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;

/// What a stream comes in.
pub(crate) const PIECE: usize = 64 << 10;

/// Pieces of what is read.
pub(crate) struct Pieces<R> {
    source: R,
    piece: Vec<u8>,
}

impl Pieces<File> {
    pub(crate) fn of(path: &Path) -> Self {
        Self::from(File::open(path).unwrap())
    }
}

impl<R: Read> Pieces<R> {
    pub(crate) fn from(source: R) -> Self {
        Self { source, piece: vec![0; PIECE] }
    }

    /// Without bytes at the end.
    fn next(&mut self) -> &[u8] {
        let len = self.source.read(&mut self.piece).unwrap();
        &self.piece[..len]
    }
}

/// Opens a stream and returns the plaintext's length.
pub(crate) fn open(pieces: &mut Pieces<impl Read>, ring: &KeyRing) -> u64 {
    let mut sink = |bytes: &[u8]| {
        black_box(bytes);
        Ok(())
    };
    let mut opener = Opener::new(ring).unwrap();
    loop {
        match pieces.next() {
            [] => break,
            piece => opener.push(piece, &mut sink).unwrap(),
        }
    }
    opener.finish(&mut sink).unwrap().plaintext_len()
}

/// Seals a stream of this length, in DER.
pub(crate) fn seal(
    pieces: &mut Pieces<impl Read>,
    length: u64,
    to: &[Certificate],
    profile: Profile,
    sink: &mut dyn Sink,
) {
    let mut sealer = Sealer::new(to, profile, Form::Der, &mut SystemRandom).unwrap();
    sealer.set_length(length).unwrap();
    loop {
        match pieces.next() {
            [] => break,
            piece => sealer.push(piece, sink).unwrap(),
        }
    }
    sealer.finish(sink).unwrap();
}

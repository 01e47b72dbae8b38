//! What an earlier run has encrypted, so that the next one need not.
//!
//! Ciphertext is random: outputs cannot be compared with what would be written now. So a file keeps,
//! for each device, a keyed hash of all that went into the output. A bare hash would let anyone who
//! reads it test guesses of a configuration; the key stands in the same file, which its owner alone
//! can read. It also keeps the hash of the output itself, and an entry counts only while the output
//! is still what it says. So a run may be killed between the two at any moment.

use crate::code::Code;
use crate::input::{check_key_file, open, read_file};
use crate::output::{Folder, NewFile, Readers};
use crate::report::{Failure, shown};
use hmac::{Hmac, KeyInit, Mac};
use sdi::{RandomSource, SystemRandom};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// One line: identifier, hash of the input, hash of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) input: String,
    pub(crate) output: String,
}

#[derive(Debug)]
pub(crate) struct State {
    path: PathBuf,
    key: Zeroizing<[u8; 32]>,
    entries: HashMap<String, Entry>,
    /// To append to, and the folder that is locked meanwhile; none for a dry run.
    file: Option<(File, Folder)>,
}

/// The longest state: a million lines.
const LIMIT: usize = 256 << 20;

impl State {
    /// Reads the state and, unless the run is dry, writes it anew: a line that a kill has cut goes.
    pub(crate) fn open(path: &Path, is_dry: bool) -> Result<Self, Failure> {
        let mut state = Self {
            path: path.to_owned(),
            key: Zeroizing::new([0; 32]),
            entries: HashMap::new(),
            file: None,
        };
        let folder = if is_dry { None } else { Some(lock(path)?) };
        if path.exists() {
            check_key_file(&open(path)?, path)?;
            let bytes = read_file(path, LIMIT)?;
            state.read(&String::from_utf8_lossy(&bytes)).ok_or_else(|| state.damaged())?;
        } else {
            SystemRandom.fill(&mut *state.key)?;
        }
        if let Some(folder) = folder {
            let failed = |error| Failure::io("write", path, &error);
            let mut file = NewFile::create(path, Readers::Owner, true)?;
            file.write_all(&state.all_lines()).map_err(failed)?;
            file.publish()?;
            let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
            state.file = Some((file, folder));
        }
        Ok(state)
    }

    /// What an earlier run has written for this device.
    pub(crate) fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// The devices for which earlier runs have written, in no order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The keyed hash of everything that an output is made of.
    pub(crate) fn hash_of<'a>(
        &self,
        profile: u8,
        certificates: impl IntoIterator<Item = &'a [u8]>,
        plaintext: &[u8],
    ) -> String {
        // A key of any length is taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&*self.key) else { return String::new() };
        mac.update(&[profile]);
        for certificate in certificates {
            mac.update(&[1]);
            mac.update(&u64::try_from(certificate.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(certificate);
        }
        mac.update(&[0]);
        mac.update(plaintext);
        hex(&mac.finalize().into_bytes())
    }

    /// Keeps what is about to be written. It is on the disk before any output has its name.
    pub(crate) fn add(&mut self, entries: Vec<(String, Entry)>) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for (id, entry) in &entries {
            line(&mut lines, id, entry);
        }
        if let Some((file, _)) = &mut self.file {
            let written = file.write_all(&lines).and_then(|()| file.sync_data());
            written.map_err(|error| Failure::io("write", &self.path, &error))?;
        }
        self.entries.extend(entries);
        Ok(())
    }

    fn read(&mut self, text: &str) -> Option<()> {
        let mut lines = text.lines();
        let first: Value = serde_json::from_str(lines.next()?).ok()?;
        if first["v"] != 1 {
            return None;
        }
        unhex(first["key"].as_str()?, &mut self.key)?;
        for line in lines {
            // The last one may be cut; its output is made again.
            let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
            let field = |name: &str| entry[name].as_str().map(str::to_owned);
            let (id, input, output) = (field("id")?, field("input")?, field("output")?);
            self.entries.insert(id, Entry { input, output });
        }
        Some(())
    }

    fn all_lines(&self) -> Zeroizing<Vec<u8>> {
        let head = json!({ "v": 1, "key": hex(&*self.key) }).to_string();
        let mut lines = Zeroizing::new(Vec::from(head));
        lines.push(b'\n');
        let mut ids: Vec<&String> = self.entries.keys().collect();
        ids.sort();
        for (id, entry) in ids.into_iter().filter_map(|id| self.entries.get_key_value(id)) {
            line(&mut lines, id, entry);
        }
        lines
    }

    fn damaged(&self) -> Failure {
        Failure::new(Code::MALFORMED, format!("{} is no state of encrypt-dir", shown(&self.path)))
            .help("remove it, and run again with --force: everything is encrypted anew")
    }
}

/// Of two runs with the same state each would forget what the other has written.
fn lock(path: &Path) -> Result<Folder, Failure> {
    let folder = Folder::of(path)?;
    if folder.lock() {
        return Ok(folder);
    }
    Err(Failure::new(Code::EXISTS, format!("another run uses {}", shown(path)))
        .help("wait until it has ended"))
}

fn line(lines: &mut Vec<u8>, id: &str, entry: &Entry) {
    let value = json!({ "id": id, "input": entry.input, "output": entry.output });
    lines.extend_from_slice(value.to_string().as_bytes());
    lines.push(b'\n');
}

/// The hash of an output.
pub(crate) fn output_hash(mut file: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match crate::input::fill(&mut file, &mut piece)? {
            0 => return Ok(hex(&hash.finalize())),
            len => hash.update(piece.get(..len).unwrap_or_default()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str, bytes: &mut [u8; 32]) -> Option<()> {
    if text.len() != 64 {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(())
}

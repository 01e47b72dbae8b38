//! The memory of another process, and secrets that are looked for in it. Also used by the tests of the
//! C interface.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// How many bytes of a secret in a row are a find.
const WINDOW: usize = 16;

/// All that a process may write to, as a core dump would hold it: its heap, its stacks, its static
/// data.
pub(crate) fn image(pid: u32) -> Vec<Vec<u8>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process is there");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("the process is a child of ours");
    let regions = maps.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next()?, words.next()?);
        let (from, to) = range.split_once('-')?;
        let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).expect("an address"));
        let mut bytes = vec![0; usize::try_from(to - from).expect("it fits in memory")];
        let is_writable = rights.starts_with("rw");
        is_writable.then(|| {
            memory.read_exact_at(&mut bytes, from).expect("it can be read");
            bytes
        })
    });
    regions.collect()
}

/// Names of secrets by the windows of bytes that give them away: forwards, and backwards, as numbers
/// stand in memory.
#[derive(Debug, Default, Clone)]
pub(crate) struct Wanted(HashMap<[u8; WINDOW], String>);

impl Wanted {
    pub(crate) fn add(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= WINDOW, "{name} is too short to be told from chance");
        for window in windows(secret) {
            let mut turned = window;
            turned.reverse();
            for bytes in [window, turned] {
                self.0.insert(bytes, name.to_owned());
            }
        }
    }

    /// The names of those that are there.
    pub(crate) fn found_in(&self, regions: &[Vec<u8>]) -> BTreeSet<String> {
        let windows = regions.iter().flat_map(|region| windows(region));
        windows.filter_map(|window| self.0.get(&window)).cloned().collect()
    }
}

fn windows(bytes: &[u8]) -> impl Iterator<Item = [u8; WINDOW]> {
    bytes.windows(WINDOW).filter_map(|window| window.first_chunk().copied())
}

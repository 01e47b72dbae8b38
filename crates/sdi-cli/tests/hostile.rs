//! Damaged and hostile files: an exit status that means something and a few printable lines, always.

mod support;

use sdi::{Detection, Envelope, Error, Hint, Limits};
use std::fs;
use std::path::{Path, PathBuf};
use support::{Done, Folder};

/// All that can be said of a file.
const STATUSES: [i32; 7] = [0, 3, 4, 5, 10, 11, 13];

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/messages/reject");
    let entries = fs::read_dir(folder).expect("the corpus");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn check(done: &Done, command: &str, file: &Path) -> i32 {
    let status = done.status().expect("no signal");
    let (out, err) = (done.stdout(), done.stderr());
    assert!(STATUSES.contains(&status), "{command} {file:?}: {status}\n{err}");
    let is_printable = |char: char| char == '\n' || matches!(char, ' '..='~');
    assert!(out.chars().all(is_printable) && err.chars().all(is_printable), "{file:?}: {out}{err}");
    assert!(err.lines().count() < 20 && err.lines().all(|line| line.len() < 400), "{err}");
    status
}

#[test]
fn every_damaged_file_of_the_corpus_has_a_status_that_means_something() {
    let folder = Folder::empty();
    folder.device("SN1", "p256");
    let files = corpus();
    assert!(files.len() > 100, "{} files", files.len());
    for file in files {
        let bytes = fs::read(&file).expect("a file");
        let path = file.as_os_str();
        let detect = check(&folder.sdi(["detect".as_ref(), path]), "detect", &file);
        let hint = Hint { at_end: true, ..Hint::default() };
        let expected =
            match sdi::detect(file.file_name().map(|n| n.as_encoded_bytes()), &bytes, hint) {
                Detection::Enveloped(_) => match Envelope::parse(&bytes, &Limits::default()) {
                    Err(Error::Malformed(_)) => 11,
                    _ => 0,
                },
                Detection::Plain => 10,
                _ => 11,
            };
        assert_eq!(detect, expected, "{file:?}");
        let inspect = check(&folder.sdi(["inspect".as_ref(), path]), "inspect", &file);
        // None of them is for this key.
        let done = folder.sdi(["decrypt".as_ref(), "-k".as_ref(), "SN1.key".as_ref(), path]);
        let decrypt = check(&done, "decrypt", &file);
        assert!(decrypt != 0 && done.0.stdout.is_empty(), "{file:?}");
        let is_plain = detect == 10;
        assert_eq!((inspect == 10, decrypt == 10), (is_plain, is_plain), "{file:?}");
    }
}

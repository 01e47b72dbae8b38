//! Runs a target over files, without libFuzzer: `replay TARGET FILE-OR-FOLDER..`. For coverage, and to
//! look at a crash in a debugger.

use std::fs;
use std::path::PathBuf;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().expect("the name of a target");
    let target = sdi_fuzz::targets::ALL.iter().find(|(known, _)| *known == name);
    let (_, run) = target.unwrap_or_else(|| panic!("{name} is no target"));
    let mut waiting: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let mut files = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("the folder can be read");
            waiting.extend(entries.map(|entry| entry.expect("it can be read").path()));
        } else {
            run(&fs::read(&path).expect("the file can be read"));
            files += 1;
        }
    }
    println!("{name}: {files} files");
}

//! Writes each target's first seeds, `FOLDER/TARGET/NUMBER`: the files of the corpus behind the choices
//! that each target begins with. `run.sh minimise` keeps the fewest that reach the same code.

use sdi_fuzz::{Case, cases};
use std::fs;
use std::path::Path;

/// Larger files take long and show nothing new.
const LARGEST: usize = 8000;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder to write to");
    for (target, _) in sdi_fuzz::targets::ALL {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder).expect("it can be made");
        let mut number = 0;
        let mut write = |seed: &[u8]| {
            number += 1;
            fs::write(folder.join(number.to_string()), seed).expect("it can be written");
        };
        for case in cases().iter().filter(|case| case.message.len() < LARGEST) {
            seeds_of(target, case, &mut write);
        }
    }
}

fn seeds_of(target: &str, case: &Case, write: &mut dyn FnMut(&[u8])) {
    let message = &case.message;
    let device = u8::try_from(case.device.unwrap_or(0)).expect("there are few");
    let mut with = |choices: &[u8]| write(&[choices, message].concat());
    match target {
        "detect" => {
            with(&[1, 6, b'r', b'1', b'.', b'e', b'n', b'c']);
            with(&[0, 0]);
        }
        // The key with its certificate, without, as the operator's, and under narrow limits.
        "open" => [0, 1, 6, 40].iter().for_each(|how| with(&[device, *how])),
        "open_stream" => [0, 1].iter().for_each(|hold| with(&[device, 0, *hold, 1, 7, 64, 255])),
        _ => with(&[]),
    }
}

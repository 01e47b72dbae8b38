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
        if !choices_alone(target, &mut write) {
            for case in cases().iter().filter(|case| case.message.len() < LARGEST) {
                files_of(target, case, &mut write);
            }
        }
    }
}

/// The targets that take a file.
fn files_of(target: &str, case: &Case, write: &mut dyn FnMut(&[u8])) {
    let message = &case.message;
    let device = u8::try_from(case.device.unwrap_or(0)).expect("there are few");
    let mut with = |choices: &[u8]| write(&[choices, message].concat());
    match target {
        "detect" => {
            with(&[1, 6, b'r', b'1', b'.', b'e', b'n', b'c']);
            with(&[0, 0]);
        }
        // The key with its certificate, without, as the operator's, and under narrow limits.
        "open" => {
            [0, 1, 6, 40].iter().for_each(|how| with(&[device, *how]));
            modules_of(case)
                .for_each(|module| [0, 1, 16].iter().for_each(|how| with(&[module, *how])));
        }
        "open_stream" => [0, 3].iter().for_each(|hold| with(&[device, 0, *hold, 1, 7, 64, 255])),
        "ber" if message.first() == Some(&0x30) => [0, 1].iter().for_each(|how| with(&[*how])),
        "ber" => {}
        "armor" => with(&[1]),
        _ => with(&[]),
    }
    if target == "armor" {
        // And one that this target writes itself, in a form that depends on the file.
        let form = message.iter().rev().take(9).copied();
        write(&[0].into_iter().chain(form).collect::<Vec<u8>>());
    }
}

/// The places of the other devices with the same certificate: their keys are in modules.
fn modules_of(case: &Case) -> impl Iterator<Item = u8> {
    let own = case.device.map(|place| (place, sdi_fuzz::devices()[place].certificate()));
    (0..).zip(sdi_fuzz::devices()).filter_map(move |(place, device)| {
        let is_twin =
            own.is_some_and(|(of, own)| usize::from(place) != of && own == device.certificate());
        is_twin.then_some(place)
    })
}

/// The targets that need no file, or one of another kind. Whether it is one of these.
fn choices_alone(target: &str, write: &mut dyn FnMut(&[u8])) -> bool {
    match target {
        "certificate" => {
            for (folder, kind) in [("certs", 2), ("keys", 0)] {
                let folder =
                    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus").join(folder);
                for entry in fs::read_dir(folder).expect("the corpus has it") {
                    let file =
                        fs::read(entry.expect("it can be read").path()).expect("it is a file");
                    write(&[&[kind], file.as_slice()].concat());
                }
            }
            for device in sdi_fuzz::devices() {
                let certificate = device.certificate();
                write(&[&[2], certificate.der()].concat());
                write(&[&[1], certificate.public_key().spki_der()].concat());
            }
        }
        "csr" => {
            for flags in 0..16 {
                for (key, id) in (0..3).zip(["SN19842256", "a:b-c_d.e", "../x"]) {
                    let choices = [key, 0, 0, 0, 0, 0x5f, 0, 0, 0, 40, flags];
                    write(&[&choices, id.as_bytes()].concat());
                }
            }
        }
        "seal_then_open" => {
            for (profile, form) in (0..4).flat_map(|p| (0..4).map(move |form| (p, form))) {
                for recipients in [[1, form, 0, 0], [2, 4, 5, 9], [3, 1, 6, 12]] {
                    let (count, to) = (recipients[0], &recipients[1..=usize::from(recipients[0])]);
                    let way = [7, profile, form, 100];
                    write(&[&[profile, form, count], to, &way, b"hostname r1\n"].concat());
                }
            }
        }
        // Key, certificate, ring and identity; then each way to use them.
        "c_api" => {
            const READY: &[u8] = &[0, 0, 1, 0, 2, 3, 0];
            write(&[READY, &[8, 0, 9, 1, 13, 0, 15, 16, 17, 0, 18, 0, 0, 1, 23]].concat());
            write(&[READY, &[9, 1, 10, 0, 0, 0, 0, 0, 0, 1, 0, 14, 0, 15, 16]].concat());
            write(
                &[READY, &[6, 1, 7, 0, 0, 0, 0, 0, 0, 4, 0, 8, 0, 4, 2, 5, 4, 1, 5, 8, 0]].concat(),
            );
            for (profile, form) in (0..4).flat_map(|p| (0..4).map(move |form| (p, form))) {
                write(&[READY, &[19, 1, profile, form, 20, 5, 21, 5, 1, 2, 3, 4, 5, 22]].concat());
            }
        }
        "autoinstall" | "open_struct" => {
            // Anything will do; the same in every run.
            let mut state = 1_u64;
            for _ in 0..400 {
                let mut byte = || {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    state.to_be_bytes()[0]
                };
                write(&(0..60).map(|_| byte()).collect::<Vec<u8>>());
            }
        }
        _ => return false,
    }
    true
}

//! How fast sdi opens and seals, and what it takes, beside OpenSSL and others. `benches/run.sh` calls
//! this; each part prints Markdown.

mod case;
mod cipher;
mod device;
mod fleet;
mod growth;
mod heap;
mod measure;
mod memory;
mod parts;
mod plot;
mod processes;
mod streams;
mod theirs;

use case::{Case, KEYS, Operation, SIZES, Way};
use cipher::Cipher;
use device::Device;
use measure::{Effort, shown};
use sdi::KeyAlgorithm;
use std::fs;
use std::path::Path;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (effort, words) = match words.as_slice() {
        ["quick", words @ ..] => (Effort::QUICK, words),
        words => (Effort::FULL, words),
    };
    match words {
        ["fleet", devices] => fleet::measure(devices.parse().unwrap()),
        ["processes", folder, sdi, python] => {
            processes::table(Path::new(folder), Path::new(sdi), Path::new(python), effort);
        }
        ["memory", folder] => memory::table(Path::new(folder), effort),
        ["peak", words @ ..] => memory::child(words),
        ["growth", name] => growth::measure(name, effort),
        ["plot", figures, svg] => {
            let figures = fs::read_to_string(figures).unwrap();
            let points: Vec<_> = figures.lines().map(|line| line.parse().unwrap()).collect();
            fs::write(svg, plot::svg(&points)).unwrap();
            print!("{}", plot::tables(&points));
        }
        ["pairs", wanted @ ..] => pairs(wanted, effort),
        ["parts"] => parts::tables(&devices(), effort),
        words => panic!("{words:?}"),
    }
}

fn devices() -> [(KeyAlgorithm, Device); 3] {
    KEYS.map(|key| (key, Device::new(key)))
}

/// Both libraries in this process, in turn, on the same file or plaintext, with keys and certificates
/// that are loaded already. What counts is the CPU time of the thread; each figure is the median of
/// the ratios of pairs.
fn pairs(wanted: &[&str], effort: Effort) {
    let devices = devices();
    for operation in [Operation::Open, Operation::Seal] {
        let mut rows = Vec::new();
        for (key, device) in &devices {
            for cipher in Cipher::BOTH {
                for way in Way::of(operation) {
                    let name = format!("{operation} {key:?} {cipher} {way}");
                    if !wanted.iter().all(|word| name.contains(word)) {
                        continue;
                    }
                    let figures = SIZES.map(|size| {
                        let case = Case::new(device, cipher, way.form(), size);
                        let found = case.measure(operation, way, effort);
                        format!("**{:.2}** {}", found.ratio, shown(found.ours))
                    });
                    rows.push(format!("| {key:?} | {cipher} | {way} | {} |", figures.join(" | ")));
                }
            }
        }
        if !rows.is_empty() {
            println!("\n#### {operation}\n");
            println!("| key | content | form | 1 KiB | 64 KiB | 1 MiB | 16 MiB |");
            println!("|---|---|---|---:|---:|---:|---:|\n{}", rows.join("\n"));
        }
    }
}

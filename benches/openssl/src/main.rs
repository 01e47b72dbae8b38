//! How fast sdi opens and seals whole files, beside libcrypto's CMS_decrypt and CMS_encrypt.
//!
//! Both run in this process, in turn, on the same file or plaintext, with keys and certificates that
//! are loaded already. What counts is the CPU time of the thread; each figure is the median of the
//! ratios of pairs. Prints Markdown.

mod case;
mod fleet;
mod pairs;

use case::{Case, Cipher, FORMS, KEYS, Operation, SIZES};
use pairs::Paired;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let [word, devices] = wanted.as_slice()
        && word == "fleet"
    {
        return fleet::measure(devices.parse().unwrap());
    }
    for operation in [Operation::Open, Operation::Seal] {
        println!("\n### {operation}\n");
        println!("| key | content | form | 1 KiB | 64 KiB | 1 MiB | 16 MiB |");
        println!("|---|---|---|---:|---:|---:|---:|");
        for key in KEYS {
            for cipher in [Cipher::Cbc, Cipher::Gcm] {
                for form in FORMS {
                    let name = format!("{operation} {key:?} {cipher} {form:?}");
                    if !wanted.iter().all(|word| name.contains(word)) {
                        continue;
                    }
                    let figures = SIZES.map(|size| {
                        let case = Case::new(key, cipher, form, size);
                        let found = case.measure(operation);
                        format!("**{:.2}** {}", found.ratio, time(&found))
                    });
                    println!("| {key:?} | {cipher} | {form:?} | {} |", figures.join(" | "));
                }
            }
        }
    }
}

/// The median time of one call of ours.
fn time(found: &Paired) -> String {
    match found.ours.as_secs_f64() * 1e6 {
        micros if micros < 1000.0 => format!("{micros:.0} us"),
        micros => format!("{:.1} ms", micros / 1000.0),
    }
}

//! Little memory: a stream of any length needs a constant amount, and too little is an answer.

mod support;

use std::path::Path;
use std::process::Command;
use support::corpus::case;
use support::{library, package, program, run, scratch};

#[test]
fn a_stream_of_256_mib_needs_less_than_8_mib() {
    let source = package().join("tests/programs/stream.c");
    let program = program(&source, &scratch("stream"), &library());
    let most: u64 = run(&mut Command::new(program)).trim().parse().expect("a number of KiB");
    assert!((1..8 << 10).contains(&most), "{most} KiB");
}

/// The budget: the file's length and 64 KiB for a whole file, and 64 KiB for a stream.
#[test]
fn a_file_of_64_kib_is_opened_within_the_budget() {
    const KIB: usize = 1 << 10;
    let place = scratch("heap");
    let program = program(&package().join("tests/programs/heap.c"), &place, &library());
    let plain = place.join("plain");
    std::fs::write(&plain, [b'a'; 64 * KIB]).expect("the plaintext is written");
    for id in [
        "openssl/cms-p256-aes-256-cbc",
        "openssl/cms-p521-aes-256-cbc",
        "openssl/gcm-rsa2048-aes256",
        "bc/gcm-rsa4096-aes256-gcm",
    ] {
        let [key, cert] = ["key", "cert"].map(|name| case(id).path(name));
        for (cipher, form) in [("-aes-256-gcm", "PEM"), ("-aes-256-cbc", "DER")] {
            let file = place.join("file");
            let mut openssl = Command::new("openssl");
            openssl.args(["cms", "-encrypt", "-binary", cipher, "-outform", form, "-in"]);
            run(openssl.arg(&plain).arg("-out").arg(&file).arg(&cert));
            let len = usize::try_from(file.metadata().expect("the file is there").len()).unwrap();
            let answer = run(Command::new(&program).args([&key, &cert, &file]));
            eprintln!("{id} {form} of {len} bytes: {answer}");
            let peaks: Vec<usize> = answer.lines().map(|line| line.parse().unwrap()).collect();
            assert_eq!(peaks.len(), 2, "{answer}");
            assert!(peaks[0] <= len + 64 * KIB, "{id} {form}: {} for {len}", peaks[0]);
            assert!(peaks[1] <= 64 * KIB, "{id} {form}: {}", peaks[1]);
        }
    }
}

/// From nothing on in steps of 64 KiB: `SDI_ERR_MEMORY`, and from some amount on success. The floor is
/// what an open needs at all with this C library, beside the file's own length.
fn opens_or_says_so(name: &str, key: &Path, certificate: &Path, file: &Path, plaintext: &Path) {
    let source = package().join("tests/programs/short_memory.c");
    let program = program(&source, &scratch(name), &library());
    let mut command = Command::new(program);
    let answer = run(command.args([key, certificate, file, plaintext]));
    eprintln!("{name}: {answer}");
    assert_eq!(answer.lines().count(), 3, "{answer}");
}

#[test]
fn a18_short_memory_is_an_answer() {
    for id in [
        "openssl/cms-p256-aes-256-cbc",
        "openssl/cms-p384-aes-256-cbc",
        "openssl/cms-p521-aes-256-cbc",
        "openssl/gcm-rsa2048-aes256",
        "bc/cbc-ber-buf32k-rsa2048",
    ] {
        let case = case(id);
        let name = id.replace('/', "-");
        let [key, cert, message, plain] =
            ["key", "cert", "message", "plain"].map(|name| case.path(name));
        opens_or_says_so(&name, &key, &cert, &message, &plain);
    }
}

#[test]
fn a18_short_memory_for_a_long_file_is_an_answer() {
    let place = scratch("long-file");
    let [key, cert] = ["key", "cert"].map(|name| case("openssl/cms-p256-aes-256-cbc").path(name));
    let plain = place.join("plain");
    let text: Vec<u8> =
        (0..6 << 20).map(|at: u32| b"0123456789abcde\n"[at as usize % 16]).collect();
    std::fs::write(&plain, text).expect("the plaintext is written");
    for form in ["DER", "PEM"] {
        let file = place.join(form);
        let mut openssl = Command::new("openssl");
        openssl.args(["cms", "-encrypt", "-binary", "-aes-256-gcm", "-outform", form, "-in"]);
        run(openssl.arg(&plain).arg("-out").arg(&file).arg(&cert));
        opens_or_says_so(&format!("long-{form}"), &key, &cert, &file, &plain);
    }
}

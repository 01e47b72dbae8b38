//! The whole memory of a C program that made and read keys, sealed, opened and failed through handles
//! holds no private key and no plaintext. What the library does inside is looked at more closely in
//! `tests/core_image` of the core.

#![cfg(target_os = "linux")]

#[path = "../../tests/support/image.rs"]
mod image;
mod support;

use image::{Wanted, image};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use support::corpus::case;
use support::{library, package, program, run, scratch};

/// Bytes that look random and are the same in every run.
fn bytes(mut state: u64, len: usize) -> Vec<u8> {
    let step = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[1]
    };
    (0..len).map(step).collect()
}

fn openssl(place: &Path, arguments: &str) -> String {
    run(Command::new("openssl").current_dir(place).args(arguments.split_whitespace()))
}

/// The numbers of a dump by openssl below a title, as bytes.
fn number_below(dump: &str, title: &str) -> Vec<u8> {
    let lines = dump.lines().skip_while(|line| !line.starts_with(title)).skip(1);
    let digits: String = lines.take_while(|line| line.starts_with(' ')).collect();
    let digits = digits.split(|c: char| !c.is_ascii_hexdigit()).filter(|two| !two.is_empty());
    digits.map(|two| u8::from_str_radix(two, 16).expect("two digits")).collect()
}

#[test]
fn a24_a_c_program_holds_no_secret_after_its_handles_are_freed() {
    let place = scratch("core-image");
    let source = package().join("tests/programs/core_image.c");
    let program = program(&source, &scratch("core-image-program"), &library());
    let case = case("openssl/cms-p256-aes-256-cbc");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(place.join(name), bytes).expect("it is written");
    };
    std::fs::copy(case.path("key"), place.join("key")).expect("a key");
    std::fs::copy(case.path("cert"), place.join("certificate")).expect("a certificate");
    let plaintext: Vec<u8> = bytes(1, 6000).iter().map(|byte| b' ' + byte % 95).collect();
    write("plaintext", &plaintext);
    openssl(
        &place,
        "cms -encrypt -binary -aes-256-gcm -in plaintext -outform DER -out file certificate",
    );
    let (planted, random) = (bytes(2, 64), bytes(3, 1000));
    write("planted", &planted);
    write("random", &random);

    let mut wanted = Wanted::default();
    wanted.add("plaintext", &plaintext);
    let scalar = number_below(&openssl(&place, "pkey -in key -noout -text"), "priv:");
    assert!((32..=33).contains(&scalar.len()), "{} bytes", scalar.len());
    wanted.add("private key", &scalar);
    let text = std::fs::read_to_string(place.join("key")).expect("a key in PEM");
    let second = text.lines().nth(2).expect("a second line of base64");
    wanted.add("base64 of the key", &second.as_bytes()[..16]);
    wanted.add("private key that was made", &random[..32]);
    wanted.add("planted", &planted);
    wanted.add("planted and freed", &planted.iter().map(|byte| !byte).collect::<Vec<u8>>());

    for job in ["make", "open", "stream", "give up", "seal"] {
        let mut child = Command::new(&program)
            .arg(job)
            .current_dir(&place)
            // As `-z now`: the dynamic linker, when it looks up a function at its first call, saves
            // the vector registers on the stack, and nothing clears these.
            .env("LD_BIND_NOW", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut answer = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("it has an output"));
        lines.read_line(&mut answer).expect("it answers");
        assert_eq!(answer, "ready\n", "{job}");
        let found = wanted.found_in(&image(child.id()));
        // It ends when its input does.
        drop(child.stdin.take());
        assert!(child.wait().expect("it ends").success(), "{job}");
        let planted = ["planted", "planted and freed"].map(str::to_owned);
        assert_eq!(found, planted.into(), "{job}");
    }
}

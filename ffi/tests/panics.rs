//! What a panic comes to, in the profiles that are shipped: `cargo test` itself always unwinds.

mod support;

use std::process::Command;
use support::{build, output, package, program, run, scratch};

#[test]
fn a_panic_is_a_number_and_shuts_one_handle() {
    let library = build("c-suite", &["--profile", "release", "--features", "panic-test"]);
    let place = scratch("panics");
    let program = program(&package().join("tests/programs/panic.c"), &place, &library);
    let output = output(Command::new(&program).env_remove("RUST_BACKTRACE"));
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {shown}", output.status);
    assert_eq!(output.stdout, b"a defect of the library was caught: please report it\n");
    // The panic hook of Rust prints where it was; what the process works on is not in there.
    assert!(shown.contains("a panic for a test"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    // Nor is anything left behind, or used that is no longer there.
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
    run(valgrind.arg(program));
}

#[test]
fn a_panic_in_firmware_ends_the_process() {
    let library = build("firmware", &["--profile", "firmware", "--features", "panic-test"]);
    let place = scratch("aborts");
    let program = program(&package().join("tests/programs/abort.c"), &place, &library);
    let output = output(&mut Command::new(program));
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {shown}", output.status);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}

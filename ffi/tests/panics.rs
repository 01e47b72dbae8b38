//! A panic ends at the border, in the profile that devices get: `cargo test` itself always unwinds.

mod support;

use std::process::Command;
use support::{build, output, package, program, run, scratch};

#[test]
fn a_panic_is_a_number_and_shuts_one_handle() {
    let library = build("panic-test", &["--profile", "firmware", "--features", "panic-test"]);
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

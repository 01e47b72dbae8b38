//! Callbacks, under a tool that sees a use of what is no longer there.

mod support;

use std::process::Command;
use support::{library, package, program, run, scratch};

#[test]
fn a18_callbacks_are_judged_and_do_no_harm() {
    let source = package().join("tests/programs/callbacks.c");
    let program = program(&source, &scratch("callbacks"), &library());
    run(&mut Command::new(&program));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
    run(valgrind.arg(program));
}

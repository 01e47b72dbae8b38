//! What the tests share: places, tools that have to work, and libraries that are built for them.

pub(crate) mod c;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folder of this package.
pub(crate) fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the repository.
pub(crate) fn repository() -> PathBuf {
    package().parent().expect("the package is in the repository").to_path_buf()
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A folder for one test, empty.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).expect("a folder for the test");
    place
}

/// Runs a command to its end, whatever that is.
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a command that has to succeed, and gives what it prints.
pub(crate) fn run(command: &mut Command) -> String {
    let output = output(command);
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// Builds the library with these arguments and gives the folder that libsdi.so and libsdi.a are in.
/// Every set of arguments has a folder of its own, so that features do not mix.
pub(crate) fn build(name: &str, arguments: &[&str]) -> PathBuf {
    let target = repository().join("target/ffi").join(name);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--package", "sdi-ffi"]).args(arguments);
    run(cargo.arg("--target-dir").arg(&target).current_dir(repository()));
    let profile = arguments.iter().skip_while(|argument| **argument != "--profile").nth(1);
    target.join(profile.unwrap_or(&"debug"))
}

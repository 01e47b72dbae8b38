//! What the tests share: places, tools that have to work, libraries and programs that are built.

#![expect(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod c;
pub(crate) mod c_text;
pub(crate) mod corpus;

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

/// Every file below a folder whose name ends like this.
pub(crate) fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("a folder can be read").path()) {
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    found
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

/// The folder with libsdi.so and libsdi.a of these sources, with the default features.
pub(crate) fn library() -> PathBuf {
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target folder");
    build_in(target, &[])
}

/// The same, built with these arguments. Every name is a folder of its own, so that features and
/// profiles do not mix; size.sh uses the same ones.
pub(crate) fn build(name: &str, arguments: &[&str]) -> PathBuf {
    build_in(&repository().join("target/ffi").join(name), arguments)
}

fn build_in(target: &Path, arguments: &[&str]) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--package", "sdi-ffi"]).args(arguments);
    run(cargo.arg("--target-dir").arg(target).current_dir(repository()));
    let profile = arguments.iter().skip_while(|argument| **argument != "--profile").nth(1);
    target.join(profile.unwrap_or(&"debug"))
}

/// Compiles a C program of these tests into `place` and links it with the shared library.
pub(crate) fn program(source: &Path, place: &Path, library: &Path) -> PathBuf {
    let program = place.join(source.file_stem().expect("a source has a name"));
    let mut gcc = Command::new("gcc");
    gcc.args(["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    gcc.arg("-I").arg(repository().join("include")).arg(source).arg("-o").arg(&program);
    gcc.arg("-L").arg(library).args(["-lsdi", "-lpthread"]);
    // In the build's folder the file has no number; the program asks for the one with it. This kind
    // of path goes before the LD_LIBRARY_PATH that cargo sets.
    let (library, link) =
        (library.join("libsdi.so"), place.join(soname(&library.join("libsdi.so"))));
    std::os::unix::fs::symlink(library, link).expect("a link to the library");
    gcc.arg(format!("-Wl,--disable-new-dtags,-rpath,{}", place.display()));
    run(&mut gcc);
    program
}

/// The name that a shared library gives itself.
pub(crate) fn soname(library: &Path) -> String {
    let dynamic = run(Command::new("readelf").arg("--dynamic").arg(library));
    let line = dynamic.lines().find(|line| line.contains("(SONAME)"));
    let name =
        line.and_then(|line| line.split_once('[')).and_then(|(_, rest)| rest.split_once(']'));
    name.expect("the library has a soname").0.to_owned()
}

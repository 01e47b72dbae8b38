//! C programs against the library: `c/*.c`, and the examples in `examples/c`.
//!
//! They are compiled as C99 and C++11 by each compiler that is here (gcc has to be), warnings are
//! errors, and they know `include/sdi.h` only. `ffi/sanitize.sh` runs the same programs under
//! sanitizers.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use support::{build, output, package, read, repository, run, scratch};

const WARNINGS: [&str; 5] =
    ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-D_POSIX_C_SOURCE=200809L"];

/// The library that was built with this test.
fn library() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let test = std::env::current_exe().expect("a test has a path");
        installed("c-suite", test.parent().expect("a test is in a folder"))
    })
}

/// The library as it is shipped, with one function more that panics.
fn optimised() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let arguments = ["--profile", "release", "--features", "panic-test"];
        installed("c-suite-optimised", &build("c-suite", &arguments))
    })
}

/// A folder where the library has the name that programs look for, and pkg-config finds it.
fn installed(name: &str, built: &Path) -> PathBuf {
    let place = scratch(name);
    let library = std::fs::canonicalize(built.join("libsdi.so")).expect("the library is built");
    for name in ["libsdi.so", "libsdi.so.0"] {
        std::os::unix::fs::symlink(&library, place.join(name)).expect("a link to the library");
    }
    let include = repository().join("include");
    let text = format!(
        "Name: sdi\nDescription: for tests\nVersion: 0\nCflags: -I{}\nLibs: -L{place} -lsdi \
         -Wl,-rpath,{place}\n",
        include.display(),
        place = place.display()
    );
    std::fs::write(place.join("sdi.pc"), text).expect("sdi.pc is written");
    place
}

/// The compilers that are here, with the language each one is for.
fn compilers() -> Vec<(&'static str, &'static [&'static str])> {
    const C: &[&str] = &["-std=c99"];
    const CPP: &[&str] = &["-x", "c++", "-std=c++11"];
    let mut found = vec![("gcc", C), ("g++", CPP)];
    let is_here = |name| Command::new(name).arg("--version").output().is_ok();
    found.extend([("clang", C), ("clang++", CPP)].into_iter().filter(|(name, _)| is_here(*name)));
    found
}

fn compile(compiler: &str, language: &[&str], sources: &[PathBuf], library: &Path) -> PathBuf {
    let stem = sources[0].file_stem().expect("a source has a name").to_string_lossy();
    let program = scratch(&format!("c-{stem}-{compiler}")).join(&*stem);
    let mut command = Command::new(compiler);
    command.args(WARNINGS).args(language).arg("-g").arg("-I").arg(repository().join("include"));
    command.args(sources).args(["-x", "none", "-L"]).arg(library).args(["-lsdi", "-lpthread"]);
    command.arg(format!("-Wl,-rpath,{}", library.display())).arg("-o").arg(&program);
    run(&mut command);
    program
}

fn source(name: &str) -> PathBuf {
    package().join("tests/c").join(name).with_extension("c")
}

/// Compiles a program with every compiler and runs each.
fn everywhere(name: &str) {
    for (compiler, language) in compilers() {
        run(&mut Command::new(compile(compiler, language, &[source(name)], library())));
    }
}

/// A program with one compiler.
fn program(name: &str, library: &Path) -> Command {
    Command::new(compile("gcc", &["-std=c99"], &[source(name)], library))
}

#[test]
fn null_in_every_argument() {
    everywhere("nulls");
}

/// The list in `nulls.c` is complete.
#[test]
fn every_function_of_the_header_is_tried_with_null() {
    let calls = read(source("nulls"));
    let header = read(repository().join("include/sdi.h"));
    let functions = functions_of(&header);
    assert!(functions.len() >= 74, "{} functions", functions.len());
    let missing = functions.iter().filter(|name| !calls.contains(&format!("{name}(")));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&&str>::new());
}

/// Names that are followed by their arguments, outside comments.
fn functions_of(header: &str) -> Vec<&str> {
    let code = header.lines().filter(|line| !line.trim_start().starts_with(['/', '*', '#']));
    let named = code.filter_map(|line| {
        let (before, _) = line.split_once('(')?;
        let name = before.rsplit([' ', '*']).next()?;
        (name.starts_with("sdi_") && !line.starts_with("typedef")).then_some(name)
    });
    named.collect()
}

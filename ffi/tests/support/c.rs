//! C programs: the libraries that they are linked with, and how they are compiled.

use super::{build, repository, run, scratch};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

pub(crate) const WARNINGS: [&str; 5] =
    ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-D_POSIX_C_SOURCE=200809L"];

/// The library as a developer builds it, with checks for overflow.
pub(crate) fn library() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| installed("c-suite", &super::library()))
}

/// The library as it is shipped, with one function more that panics.
pub(crate) fn optimised() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let arguments = ["--profile", "release", "--features", "panic-test"];
        installed("c-suite-optimised", &build("c-suite", &arguments))
    })
}

/// The library of firmware, without the standard library.
pub(crate) fn firmware() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let arguments = ["--profile", "firmware", "--features", "panic-test"];
        installed("c-suite-firmware", &build("firmware", &arguments))
    })
}

/// A folder where the library has the name that programs look for, and pkg-config finds it. Several
/// tests may make the same one at once. The old kind of path goes before the LD_LIBRARY_PATH that
/// cargo sets.
fn installed(name: &str, built: &Path) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&place).expect("a folder for the library");
    let library = built.join("libsdi.so").canonicalize().expect("the library is built");
    for name in ["libsdi.so", "libsdi.so.0"] {
        // Renamed into its place: there may be one that another test uses, or that leads nowhere since the
        // checkout was moved.
        let new =
            place.join(format!("{name}.{}.{:?}", std::process::id(), std::thread::current().id()));
        let _ = std::fs::remove_file(&new);
        std::os::unix::fs::symlink(&library, &new).expect("a link to the library");
        std::fs::rename(new, place.join(name)).expect("the link has its name");
    }
    let text = format!(
        "Name: sdi\nDescription: for tests\nVersion: 0\nCflags: -I{}\nLibs: -L{place} -lsdi \
         -Wl,--disable-new-dtags,-rpath,{place}\n",
        repository().join("include").display(),
        place = place.display()
    );
    std::fs::write(place.join("sdi.pc"), text).expect("sdi.pc is written");
    place
}

/// The compilers, with the language that each one is for.
pub(crate) const COMPILERS: [(&str, &[&str]); 4] = {
    const C: &[&str] = &["-std=c99"];
    const CPP: &[&str] = &["-x", "c++", "-std=c++11"];
    [("gcc", C), ("g++", CPP), ("clang", C), ("clang++", CPP)]
};

/// Compiles a program of `c/`, or of another folder, and links it with the library.
pub(crate) fn compile(compiler: &str, language: &[&str], source: &Path, library: &Path) -> PathBuf {
    let stem = source.file_stem().expect("a source has a name");
    let program = scratch(&format!("c-{}-{compiler}", stem.display())).join(stem);
    let mut command = Command::new(compiler);
    command.args(WARNINGS).args(language).arg("-g").arg(source).args(["-x", "none"]);
    command.args(flags(library)).args(["-lpthread", "-o"]).arg(&program);
    run(&mut command);
    program
}

/// What pkg-config says of the library, and of OpenSSL's, which plays the hardware.
pub(crate) fn flags(library: &Path) -> Vec<String> {
    let mut pkg_config = Command::new("pkg-config");
    pkg_config.args(["--cflags", "--libs", "sdi", "libcrypto"]);
    let flags = run(pkg_config.env("PKG_CONFIG_PATH", library));
    flags.split_whitespace().map(str::to_owned).collect()
}

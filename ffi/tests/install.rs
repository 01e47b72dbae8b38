//! What `make install` puts in place is enough: a C program is built with pkg-config alone, and with
//! CMake alone, shared and static, and runs. So does a C++ program with CMake alone.

mod support;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{build, output, package, repository, run, scratch, soname};

/// Installs this into `PREFIX` below the place and gives the prefix. The libraries are those that the
/// firmware profile makes.
fn installed(place: &Path, target: &str, more: &[&str]) -> PathBuf {
    // Built beforehand, so that several tests do not wait for each other in `make`.
    build("default", &["--profile", "firmware"]);
    let prefix = place.join("prefix");
    let mut make = Command::new("make");
    make.arg("-C").arg(package()).arg(target).arg(format!("PREFIX={}", prefix.display()));
    make.arg(format!("CARGO={}", env!("CARGO"))).arg("PROFILE=firmware").args(more);
    run(make.arg(format!("BUILDDIR={}", repository().join("target/ffi/default").display())));
    prefix
}

/// A program of a user, who has nothing of this repository but what was installed.
fn source(place: &Path) -> PathBuf {
    let source = place.join("use.c");
    fs::copy(package().join("tests/programs/use.c"), &source).expect("the program is copied");
    source
}

fn source_cpp(place: &Path) -> PathBuf {
    let source = place.join("use.cpp");
    fs::copy(package().join("tests/programs/use.cpp"), &source).expect("the program is copied");
    source
}

fn pkg_config(prefix: &Path, arguments: &[&str]) -> Vec<String> {
    let mut pkg_config = Command::new("pkg-config");
    pkg_config.env("PKG_CONFIG_LIBDIR", prefix.join("lib/pkgconfig")).args(arguments).arg("sdi");
    run(&mut pkg_config).split_whitespace().map(String::from).collect()
}

/// Runs the program with the libraries of the prefix, and no others.
fn works(program: &Path, prefix: &Path) {
    let mut command = Command::new(program);
    let said = run(command.env("LD_LIBRARY_PATH", prefix.join("lib")));
    assert_eq!(said, concat!(env!("CARGO_PKG_VERSION"), ": hostname r1\n"));
}

/// The libraries that the program asks the loader for.
fn needs(program: &Path) -> Vec<String> {
    let dynamic = run(Command::new("readelf").arg("--dynamic").arg(program));
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    needed.filter_map(|line| Some(line.split_once('[')?.1.trim_end_matches(']').into())).collect()
}

#[test]
fn the_installed_files_are_where_they_belong() {
    let place = scratch("installed");
    let prefix = installed(&place, "install", &[]);
    let version = env!("CARGO_PKG_VERSION");
    let lib = prefix.join("lib");
    let versioned = lib.join(format!("libsdi.so.{version}"));
    let soname = soname(&versioned);
    assert_eq!(fs::read_link(lib.join("libsdi.so")).unwrap(), Path::new(&soname));
    assert_eq!(fs::read_link(lib.join(&soname)).unwrap(), versioned.file_name().unwrap());
    let header = fs::read(prefix.join("include/sdi.h")).unwrap();
    assert_eq!(header, fs::read(repository().join("include/sdi.h")).unwrap());
    let header = fs::read(prefix.join("include/sdi.hpp")).unwrap();
    assert_eq!(header, fs::read(repository().join("bindings/cpp/sdi.hpp")).unwrap());
    assert_eq!(pkg_config(&prefix, &["--modversion"]), [version]);

    // The same below DESTDIR, with nothing of DESTDIR in it.
    let image = place.join("image");
    let destdir = format!("DESTDIR={}", image.display());
    installed(&place, "install", &[&destdir, "LIBDIR=/usr/lib/x", "INCLUDEDIR=/usr/include"]);
    let pc = fs::read_to_string(image.join("usr/lib/x/pkgconfig/sdi.pc")).unwrap();
    assert!(pc.contains("libdir=/usr/lib/x\n") && !pc.contains("image"), "{pc}");
    let cmake = fs::read_to_string(image.join("usr/lib/x/cmake/sdi/sdiConfig.cmake")).unwrap();
    assert!(cmake.contains("/../../../../include\"") && !cmake.contains('@'), "{cmake}");
    assert!(image.join("usr/lib/x/libsdi.a").exists() && image.join("usr/include/sdi.h").exists());
}

#[test]
fn pkg_config_is_enough_for_the_shared_library() {
    let place = scratch("pkg-config-shared");
    let prefix = installed(&place, "install-shared", &[]);
    assert!(!prefix.join("lib/libsdi.a").exists());
    let program = place.join("use");
    let mut gcc = Command::new("gcc");
    gcc.arg(source(&place)).arg("-o").arg(&program);
    run(gcc.args(pkg_config(&prefix, &["--cflags", "--libs"])));
    works(&program, &prefix);
    assert_eq!(needs(&program)[0], soname(&prefix.join("lib/libsdi.so")));
    let program = place.join("use-cpp");
    let mut cpp = Command::new("g++");
    cpp.arg("-std=c++17").arg(source_cpp(&place)).arg("-o").arg(&program);
    run(cpp.args(pkg_config(&prefix, &["--cflags", "--libs"])));
    works(&program, &prefix);
}

#[test]
fn pkg_config_is_enough_for_the_static_library() {
    let place = scratch("pkg-config-static");
    let prefix = installed(&place, "install-static", &[]);
    assert!(!prefix.join("lib/libsdi.so").exists());
    let program = place.join("use");
    let mut gcc = Command::new("gcc");
    gcc.arg(source(&place)).arg("-o").arg(&program).args(["-Wl,--gc-sections", "-s"]);
    run(gcc.args(pkg_config(&prefix, &["--cflags", "--static", "--libs"])));
    works(&program, Path::new("/nowhere"));
    assert!(!needs(&program).iter().any(|name| name.contains("sdi")));
}

#[test]
fn cmake_is_enough_for_both() {
    let place = scratch("cmake");
    let prefix = installed(&place, "install", &[]);
    source(&place);
    source_cpp(&place);
    // C++11, so that the C++ programs have C++17 from the package.
    let mut lists = String::from("cmake_minimum_required(VERSION 3.13)\nproject(use C CXX)\n");
    lists.push_str("set(CMAKE_CXX_STANDARD 11)\n");
    writeln!(lists, "find_package(sdi {} REQUIRED)", env!("CARGO_PKG_VERSION")).unwrap();
    for (program, source, library) in [
        ("shared", "use.c", "sdi::sdi"),
        ("static", "use.c", "sdi::static"),
        ("shared-cpp", "use.cpp", "sdi::cpp"),
        ("static-cpp", "use.cpp", "sdi::cpp-static"),
    ] {
        writeln!(lists, "add_executable({program} {source})").unwrap();
        writeln!(lists, "target_link_libraries({program} PRIVATE {library})").unwrap();
    }
    fs::write(place.join("CMakeLists.txt"), &lists).unwrap();
    let configure = |folder: &str| {
        let mut cmake = Command::new("cmake");
        cmake.arg("-S").arg(&place).arg("-B").arg(place.join(folder));
        cmake.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
        output(&mut cmake)
    };
    let configured = configure("build");
    assert!(configured.status.success(), "{configured:?}");
    run(Command::new("cmake").arg("--build").arg(place.join("build")));
    for (shared, alone) in [("shared", "static"), ("shared-cpp", "static-cpp")] {
        let (shared, alone) = (place.join("build").join(shared), place.join("build").join(alone));
        works(&shared, &prefix);
        works(&alone, Path::new("/nowhere"));
        assert!(needs(&shared).iter().any(|name| name.contains("sdi")));
        assert!(!needs(&alone).iter().any(|name| name.contains("sdi")));
    }

    // A later version than this one is not there.
    let later = lists.replace(concat!("sdi ", env!("CARGO_PKG_VERSION")), "sdi 999.0");
    fs::write(place.join("CMakeLists.txt"), later).unwrap();
    assert!(!configure("later").status.success());
}

#[test]
fn cmake_builds_the_examples_in_cpp() {
    let place = scratch("cmake-examples");
    let prefix = installed(&place, "install-shared", &[]);
    let mut cmake = Command::new("cmake");
    cmake.arg("-S").arg(repository().join("bindings/cpp/examples")).arg("-B").arg(&place);
    run(cmake.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
    run(Command::new("cmake").arg("--build").arg(&place));
    let usage = output(&mut Command::new(place.join("open_file")));
    assert!(String::from_utf8_lossy(&usage.stderr).starts_with("usage"), "{usage:?}");
}

/// What a static program has to link besides is what the compiler says, in every place that says it.
#[test]
fn the_private_libraries_are_those_of_the_compiler() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["rustc", "--locked", "--package", "sdi-ffi", "--crate-type", "staticlib"]);
    let target = repository().join("target/ffi/native-libs");
    cargo.arg("--target-dir").arg(&target);
    // Beside what was built: cargo does not run the compiler again when nothing has changed.
    let printed = target.join("list");
    fs::create_dir_all(&target).unwrap();
    let list = format!("native-static-libs={}", printed.display());
    run(cargo.args(["--", "--print", &list]).current_dir(repository()));
    let said = fs::read_to_string(&printed).unwrap();
    let prefix = installed(&scratch("private"), "install-static", &[]);
    let pc = fs::read_to_string(prefix.join("lib/pkgconfig/sdi.pc")).unwrap();
    let private = pc.lines().find_map(|line| line.strip_prefix("Libs.private: "));
    assert_eq!(private, Some(said.trim()));
    let cmake = fs::read_to_string(prefix.join("lib/cmake/sdi/sdiConfig.cmake")).unwrap();
    assert!(cmake.contains(&format!("\"{}\"", said.trim())), "{cmake}");
}

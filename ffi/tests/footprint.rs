//! What the library asks of a system, in the builds that are shipped: nothing of the network, of clocks
//! and of files, and every build is one ABI.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::c_text::functions;
use support::corpus::case;
use support::{build, output, package, program, read, repository, run, scratch};

/// As it is shipped, with one function more that panics.
fn release() -> PathBuf {
    build("c-suite", &["--profile", "release", "--features", "panic-test"])
}

/// For firmware, with the same function.
fn firmware() -> PathBuf {
    build("firmware", &["--profile", "firmware", "--features", "panic-test"])
}

/// For firmware that only opens, with P-256 keys.
fn smallest() -> PathBuf {
    build("open-only-p256", &["--profile", "firmware", "--no-default-features"])
}

/// The dynamic symbols, without versions and weak ones, and without the 64 of large files.
fn symbols(library: &Path, which: &str) -> BTreeSet<String> {
    let table = run(Command::new("nm").args(["--dynamic", which]).arg(library));
    let lines = table.lines().filter_map(|line| line.trim_start().rsplit_once(' '));
    let names = lines.filter(|(kind, _)| !kind.ends_with('w')).map(|(_, name)| name);
    let plain = names.map(|name| name.split('@').next().unwrap_or_default().trim_end_matches("64"));
    plain.map(String::from).collect()
}

fn imports(library: &Path) -> BTreeSet<String> {
    symbols(library, "--undefined-only")
}

/// An empty library of the same toolchain: what the standard library brings.
fn empty() -> BTreeSet<String> {
    let place = scratch("empty");
    let source = place.join("empty.rs");
    let text = "#[unsafe(no_mangle)]\npub extern \"C\" fn f() { let _ = std::panic::catch_unwind(|| panic!()); }";
    std::fs::write(&source, text).expect("the source is written");
    let mut rustc = Command::new("rustc");
    rustc.args([
        "--edition",
        "2024",
        "--crate-type",
        "cdylib",
        "-C",
        "opt-level=s",
        "-C",
        "lto=fat",
    ]);
    run(rustc.arg(&source).arg("-o").arg(place.join("empty.so")));
    imports(&place.join("empty.so"))
}

#[test]
fn no_network_and_no_clock() {
    const NETWORK: &str = "socket socketpair connect bind listen accept accept4 send sendto sendmsg sendmmsg recv \
        recvfrom recvmsg recvmmsg shutdown getsockopt setsockopt getpeername getsockname getaddrinfo \
        freeaddrinfo getnameinfo gethostbyname gethostbyaddr res_init __res_init if_nametoindex";
    const CLOCK: &str = "time times clock clock_gettime clock_nanosleep clock_getres gettimeofday ftime nanosleep \
        usleep sleep alarm setitimer timer_create timerfd_create localtime localtime_r gmtime_r";
    for library in [release(), firmware(), smallest()] {
        let imports = imports(&library.join("libsdi.so"));
        assert!(imports.contains("malloc"), "{imports:?}");
        for name in [NETWORK, CLOCK].iter().flat_map(|names| names.split_whitespace()) {
            assert!(!imports.contains(name), "{}: {name}", library.display());
        }
    }
}

/// The standard library touches files when it prints where a panic was, and getrandom opens
/// /dev/urandom where the system call is missing. There is no more.
#[test]
fn no_files_of_its_own() {
    const FILES: &str = "open openat creat fopen fdopen freopen read pread readv fread write pwrite writev fwrite \
        stat fstat lstat fstatat statx lseek mmap rename renameat unlink unlinkat remove mkdir mkdirat rmdir opendir \
        fdopendir readdir readlink readlinkat link symlink truncate ftruncate chmod fchmod chown access fsync \
        fdatasync sync flock fcntl ioctl getcwd realpath mkstemp tmpfile execve posix_spawn fork popen system";
    let files = |imports: BTreeSet<String>| -> BTreeSet<String> {
        imports
            .into_iter()
            .filter(|name| FILES.split_whitespace().any(|file| file == name))
            .collect()
    };
    let std = files(empty());
    assert!(std.contains("open") && std.contains("read"), "{std:?}");
    let own = files(imports(&release().join("libsdi.so")));
    assert!(own.is_subset(&std), "{own:?} and {std:?}");
    let random = BTreeSet::from(["open", "read"].map(String::from));
    assert_eq!(files(imports(&firmware().join("libsdi.so"))), random);
    assert_eq!(files(imports(&smallest().join("libsdi.so"))), BTreeSet::new());
}

/// Firmware gets along with a C library alone, and without the unwinder of gcc.
#[test]
fn firmware_needs_the_c_library_alone() {
    for library in [firmware(), smallest()].map(|folder| folder.join("libsdi.so")) {
        let dynamic = run(Command::new("readelf").arg("--dynamic").arg(&library));
        let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
        let needed: Vec<&str> = needed.filter_map(|line| line.split(['[', ']']).nth(1)).collect();
        assert_eq!(needed, ["libc.so.6"], "{}", library.display());
        // A name that nobody has would only be missed when a program starts.
        for name in imports(&library) {
            assert!(
                !name.contains("rust") && !name.contains("Unwind"),
                "{}: {name}",
                library.display()
            );
        }
    }
}

/// A program that was linked with one build starts with every other.
#[test]
fn every_build_exports_every_function() {
    let declared = functions(&read(repository().join("include/sdi.h")));
    let exports = |folder: PathBuf| symbols(&folder.join("libsdi.so"), "--defined-only");
    assert_eq!(exports(smallest()), declared);
    let mut with_panic = declared;
    assert!(with_panic.insert("sdi_panic_test".into()));
    assert_eq!(exports(release()), with_panic);
    assert_eq!(exports(firmware()), with_panic);
}

#[test]
fn what_is_left_out_says_so() {
    let source = package().join("tests/programs/smallest.c");
    let program = program(&source, &scratch("smallest"), &smallest());
    let (ec, rsa) = (case("openssl/cms-p256-aes-256-cbc"), case("openssl/gcm-rsa2048-aes256"));
    let mut command = Command::new(program);
    command.args(["key", "cert", "message", "plain"].map(|field| ec.path(field)));
    command.args(["key", "cert"].map(|field| rsa.path(field)));
    command.arg(case("openssl/cms-p384-aes-256-cbc").path("key"));
    let output = output(&mut command);
    assert!(output.status.success(), "{output:?}");
}

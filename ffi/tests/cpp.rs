//! C++ programs against the library: `cpp/*.cpp`, and the examples in `bindings/cpp/examples`.
//!
//! They know `bindings/cpp/sdi.hpp` and `include/sdi.h` only, and warnings are errors. `ffi/sanitize.sh`
//! runs the same programs under sanitizers.

mod support;

use serde_json::Value;
use std::fmt::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::c::{flags, library};
use support::c_text::{functions, names, without_comments};
use support::{output, package, read, repository, run, scratch};

const WARNINGS: [&str; 6] =
    ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"];
const WITHOUT: [&str; 2] = ["-fno-exceptions", "-fno-rtti"];
const CORPUS: &str = "tests/corpus";

fn source(name: &str) -> PathBuf {
    package().join("tests/cpp").join(name).with_extension("cpp")
}

fn example(name: &str) -> PathBuf {
    repository().join("bindings/cpp/examples").join(name).with_extension("cpp")
}

fn compiler(name: &str, standard: &str, more: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(WARNINGS).arg(format!("-std={standard}")).args(more);
    command.arg("-I").arg(repository().join("bindings/cpp"));
    command.args(flags(library()).iter().filter(|flag| flag.starts_with("-I")));
    command
}

/// Compiles a program and links it with the library, and with OpenSSL's, which plays the hardware.
fn program(mut command: Command, source: &Path) -> PathBuf {
    let stem = source.file_stem().expect("a source has a name");
    let name = format!("cpp-{}-{}", stem.display(), command.get_program().display());
    let program = scratch(&name).join(stem);
    command.arg("-g").arg(source).args(flags(library())).args(["-lpthread", "-o"]).arg(&program);
    run(&mut command);
    program
}

/// Compiles a program with both compilers and runs each.
fn everywhere(name: &str, more: &[&str]) -> [PathBuf; 2] {
    [("g++", "c++17"), ("clang++", "c++20")].map(|(name_of_compiler, standard)| {
        let program = program(compiler(name_of_compiler, standard, more), &source(name));
        run(&mut Command::new(&program));
        program
    })
}

#[test]
fn values_move_and_say_what_went_wrong() {
    for program in everywhere("values", &WITHOUT) {
        // A value that is not there ends the program.
        let ended = output(Command::new(program).arg("no-value")).status;
        assert_eq!(ended.signal(), Some(6), "{ended}");
    }
}

#[test]
fn callbacks_throw_and_refuse_at_every_call() {
    everywhere("callbacks", &[]);
}

#[test]
fn auto_install_goes_its_way() {
    everywhere("install", &WITHOUT);
}

/// Every compiler takes the header in every standard, with exceptions and RTTI and without.
#[test]
fn the_header_compiles_without_a_warning() {
    for name in ["g++", "clang++"] {
        for standard in ["c++17", "c++20"] {
            for (more, source) in [(&WITHOUT[..], source("values")), (&[], source("callbacks"))] {
                run(compiler(name, standard, more).arg("-fsyntax-only").arg(source));
            }
        }
    }
    // What they would not take.
    let place = scratch("cpp-refused");
    for (number, (body, refused)) in (0..).zip([
        ("sdi::key a; sdi::key b = std::move(a); (void)b;", false),
        ("sdi::key a; sdi::key b = a; (void)b;", true),
        ("(void)sdi::opener::create(ring, [](sdi::bytes_view) { return 0; });", false),
        ("(void)sdi::opener::create(ring, [](sdi::bytes_view) { return true; });", true),
        ("sdi::keyring::create();", true),
        ("const sdi::install machine; (void)machine.attempts();", false),
        ("const sdi::install machine; (void)machine.poll(0);", true),
    ]) {
        let source = place.join(format!("{number}.cpp"));
        let function = format!("void f([[maybe_unused]] const sdi::keyring &ring) {{ {body} }}");
        std::fs::write(&source, format!("#include <sdi.hpp>\n{function}\n")).expect("a source");
        let tried = output(compiler("g++", "c++17", &["-fsyntax-only"]).arg(source));
        assert_eq!(tried.status.success(), !refused, "{body}: {tried:?}");
    }
}

/// The header twice in one file, and in two files of one program.
#[test]
fn the_header_is_included_twice() {
    let place = scratch("cpp-twice");
    let header = "#include <sdi.hpp>\n#include <sdi.hpp>\n";
    let other = "int other() { return sdi::version_number() == SDI_VERSION_NUMBER ? 0 : 1; }\n";
    let sources = [("main", "int other();\nint main() { return other(); }\n"), ("other", other)];
    let mut command = compiler("g++", "c++17", &[]);
    for (name, text) in sources {
        let source = place.join(name).with_extension("cpp");
        std::fs::write(&source, format!("{header}{text}")).expect("a source is written");
        command.arg(source);
    }
    let program = place.join("twice");
    run(command.args(flags(library())).arg("-o").arg(&program));
    run(&mut Command::new(program));
}

/// Everything that `sdi.h` has is in the header for C++: functions, and the constants.
#[test]
fn nothing_of_the_c_header_is_missing() {
    let c = read(repository().join("include/sdi.h"));
    let cpp = without_comments(&read(repository().join("bindings/cpp/sdi.hpp")));
    let used: Vec<&str> = names(&cpp).collect();
    let functions = functions(&c);
    assert!(functions.len() >= 74, "{}", functions.len());
    for function in &functions {
        assert!(used.contains(&function.as_str()), "{function} is missing");
    }
    let constants = c.lines().filter_map(|line| line.strip_prefix("  SDI_")?.split_once(" = "));
    let mut count = 0;
    for (name, _) in constants {
        assert!(used.contains(&format!("SDI_{name}").as_str()), "SDI_{name} is missing");
        count += 1;
    }
    assert!(count >= 70, "{count}");
}

/// Every file that opens, and every one that must not.
#[test]
fn the_corpus() {
    let folder = repository().join(CORPUS);
    let index: Vec<Value> =
        serde_json::from_str(&read(folder.join("index.json"))).expect("the index is JSON");
    let (mut list, mut count) = (String::new(), 0);
    for case in
        index.iter().filter(|case| ["ok", "reject"].map(Value::from).contains(&case["expect"]))
    {
        let text = |what| case[what].as_str().unwrap_or("none");
        list.push_str(text("expect"));
        for what in ["key", "cert", "message", "plain"] {
            write!(list, "\t{}", folder.join(text(what)).display()).expect("a line");
        }
        list.push('\n');
        count += 1;
    }
    assert!(count >= 800, "{count}");
    let place = scratch("cpp-corpus-list");
    std::fs::write(place.join("list"), list).expect("the list is written");
    let list = std::fs::File::open(place.join("list")).expect("the list is there");
    let program = program(compiler("g++", "c++17", &WITHOUT), &source("corpus"));
    assert_eq!(run(Command::new(program).stdin(list)), format!("{count}\n"));
}

/// An example, with a device's key and a file for it.
struct Bench(PathBuf, PathBuf);

impl Bench {
    fn new(name: &str) -> Self {
        let program = program(compiler("g++", "c++17", &WITHOUT), &example(name));
        let place = program.parent().expect("a program is in a folder").to_path_buf();
        for device in ["SN1", "SN2"] {
            let new_key = format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={device} \
                 -keyout {device}.key -out {device}.crt"
            );
            openssl(&place, &new_key);
        }
        std::fs::write(place.join("plain.cfg"), "hostname r1\n").expect("a configuration");
        openssl(
            &place,
            "cms -encrypt -binary -in plain.cfg -aes256 -outform PEM -out r1.enc SN1.crt",
        );
        Self(place, program)
    }

    fn try_(&self, words: &[&str]) -> Output {
        output(Command::new(&self.1).args(words).current_dir(&self.0))
    }

    /// A call that succeeds, and what it prints.
    fn ok(&self, words: &[&str]) -> String {
        let output = self.try_(words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// A call that fails without a signal, prints no plaintext, and says why.
    fn fails(&self, words: &[&str], why: &str) {
        let output = self.try_(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{words:?}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(why), "{words:?}: {said}");
    }
}

fn openssl(place: &Path, arguments: &str) {
    run(Command::new("openssl").args(arguments.split_whitespace()).current_dir(place));
}

#[test]
fn the_example_opens_a_file() {
    let bench = Bench::new("open_file");
    assert_eq!(bench.ok(&["SN1.key", "SN1.crt", "r1.enc"]), "hostname r1\n");
    bench.fails(&["SN2.key", "SN2.crt", "r1.enc"], "SDI_ERR_NOT_FOR_THIS_DEVICE");
    bench.fails(&["SN2.key", "SN1.crt", "r1.enc"], "SDI_ERR_KEY");
    bench.fails(&["SN1.crt", "SN1.crt", "r1.enc"], "SDI_ERR_KEY");
    bench.fails(&["SN1.key", "SN1.crt", "plain.cfg"], "SDI_ERR_NOT_ENCRYPTED");
    bench.fails(&["SN1.key", "SN1.crt", "nowhere"], "usage");
}

#[test]
fn the_example_uses_a_key_in_a_module() {
    let bench = Bench::new("callback_key");
    assert_eq!(bench.ok(&["SN1.key", "r1.enc"]), "hostname r1\n");
    bench.fails(&["SN2.key", "r1.enc"], "SDI_ERR_");
    bench.fails(&["SN1.key", "plain.cfg"], "SDI_ERR_NOT_ENCRYPTED");
    bench.fails(&["SN1.key"], "usage");
}

#[test]
fn the_example_installs() {
    let bench = Bench::new("autoinstall_loop");
    let installed = || read(bench.0.join("SN1.conf"));
    bench.ok(&["SN1.key", "SN1.crt", "SN1", "r1.enc"]);
    assert_eq!(installed(), "hostname r1\n");
    // A plain file is what a device without this feature installs, and so does this one.
    std::fs::write(bench.0.join("old.cfg"), "hostname r2\n").expect("a configuration");
    bench.ok(&["SN1.key", "SN1.crt", "SN1", "old.cfg"]);
    assert_eq!(installed(), "hostname r2\n");
    bench.fails(&["SN2.key", "SN1.crt", "SN1", "r1.enc"], "SDI_ERR_KEY");
    assert_eq!(installed(), "hostname r2\n");
}

/// The loop of the example, through what goes wrong on a site.
#[test]
fn the_example_of_auto_install_goes_its_way() {
    let program = program(compiler("g++", "c++17", &WITHOUT), &source("timeline"));
    run(&mut Command::new(program));
}

/// Each block of C++ in the manual compiles: it is a file of its own.
#[test]
fn what_the_manual_shows_compiles() {
    let place = scratch("cpp-manual");
    let text = read(repository().join("bindings/cpp/README.md"));
    let blocks = text.split("\n```cpp\n").skip(1);
    let mut count = 0;
    for block in blocks.map(|rest| rest.split("\n```").next().expect("a block has an end")) {
        let source = place.join(format!("{count}.cpp"));
        std::fs::write(&source, format!("{block}\n")).expect("a block is written");
        run(compiler("g++", "c++17", &["-fsyntax-only"]).arg(source));
        count += 1;
    }
    assert!(count >= 5, "{count} blocks");
}

/// Every example is in the manual, and is built by CMake.
#[test]
fn the_manual_names_every_example() {
    let folder = repository().join("bindings/cpp/examples");
    let (manual, cmake) =
        (read(repository().join("bindings/cpp/README.md")), read(folder.join("CMakeLists.txt")));
    let mut count = 0;
    for source in support::files(&folder, ".cpp") {
        let stem = source.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        assert!(manual.contains(&format!("(examples/{stem}.cpp)")), "{stem} is not in the manual");
        assert!(cmake.contains(stem), "{stem} is not in CMakeLists.txt");
        count += 1;
    }
    assert!(count >= 2);
}

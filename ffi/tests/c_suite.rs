//! C programs against the library: `c/*.c`, and the examples in `examples/c`.
//!
//! They are compiled as C99 and C++11 by gcc and clang, warnings are errors, and they know `include/sdi.h` only. `ffi/sanitize.sh` runs the same programs under
//! sanitizers.

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::c::{COMPILERS, WARNINGS, compile, firmware, flags, library, optimised};
use support::{package, read, repository, run, scratch};

fn source(name: &str) -> PathBuf {
    package().join("tests/c").join(name).with_extension("c")
}

/// Compiles a program with every compiler and runs each; as C also with the library of firmware.
fn everywhere(name: &str) {
    with(firmware(), name);
    for (compiler, language) in COMPILERS {
        run(&mut Command::new(compile(compiler, language, &source(name), library())));
    }
}

/// Compiles a program as C and runs it with this library.
fn with(library: &Path, name: &str) -> String {
    run(&mut Command::new(compile("gcc", &["-std=c99"], &source(name), library)))
}

#[test]
fn null_in_every_argument() {
    everywhere("nulls");
}

/// The lists in `nulls.c` and `stacks.c` are complete.
#[test]
fn every_function_of_the_header_is_tried_with_null_and_on_a_small_stack() {
    let header = read(repository().join("include/sdi.h"));
    let functions = functions_of(&header);
    assert!(functions.len() >= 74, "{} functions", functions.len());
    for program in ["nulls", "stacks"] {
        let calls = read(source(program));
        let missing = functions.iter().filter(|name| !calls.contains(&format!("{name}(")));
        assert_eq!(missing.collect::<Vec<_>>(), Vec::<&&str>::new(), "{program}");
    }
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

#[test]
fn lengths_numbers_and_text_that_nobody_means() {
    everywhere("arguments");
}

#[test]
fn calls_in_the_wrong_order_and_after_errors() {
    everywhere("order");
}

#[test]
fn handles_are_freed_in_every_order() {
    everywhere("ownership");
}

#[test]
fn callbacks_fail_at_every_call() {
    everywhere("callbacks");
}

#[test]
fn a08_modules_sign_and_decrypt_and_repeat_themselves() {
    everywhere("modules");
}

#[test]
fn calls_from_inside_callbacks() {
    everywhere("reentry");
}

#[test]
fn threads_share_const_handles() {
    everywhere("threads");
}

#[test]
fn a_panic_ends_in_its_call() {
    with(optimised(), "panic");
}

#[test]
fn short_memory_is_an_answer() {
    with(library(), "memory");
    with(optimised(), "memory");
    with(firmware(), "memory");
}

#[test]
fn small_stacks_are_enough() {
    with(optimised(), "stacks");
    with(firmware(), "stacks");
}

#[test]
fn a_long_file_takes_little_memory() {
    with(optimised(), "bulk");
}

/// The loop of the examples, through everything that goes wrong on a site.
#[test]
fn the_example_of_autoinstall_goes_its_way() {
    with(library(), "timeline");
}

/// The header twice in one file, and in two files of one program.
#[test]
fn the_header_is_included_twice() {
    for (compiler, language) in COMPILERS {
        let place = scratch(&format!("c-twice-{compiler}"));
        let mut second = Command::new(compiler);
        second.args(WARNINGS).args(language).args(["-DSECOND", "-c"]).arg(source("twice"));
        second.arg("-I").arg(repository().join("include")).arg("-o").arg(place.join("second.o"));
        run(&mut second);
        let mut program = Command::new(compiler);
        program.args(WARNINGS).args(language).arg(source("twice")).args(["-x", "none"]);
        program.arg(place.join("second.o")).args(flags(library()));
        run(program.arg("-o").arg(place.join("twice")));
        run(&mut Command::new(place.join("twice")));
    }
}

/// Every file of the corpus, in every way that C can open it; see `corpus.c`.
#[test]
fn the_corpus() {
    let folder = repository().join("tests/corpus");
    let index: Vec<Value> =
        serde_json::from_str(&read(folder.join("index.json"))).expect("the index is JSON");
    assert_eq!(index.len(), 906);
    let path = |case: &Value, what: &str| folder.join(text(case, what)).display().to_string();
    let place = scratch("c-corpus-list");
    let list: String = (0..)
        .zip(&index)
        .map(|(number, case)| {
            let (key, cert, file) = (path(case, "key"), path(case, "cert"), path(case, "message"));
            format!("{number}\t{key}\t{cert}\t{file}\n")
        })
        .collect();
    std::fs::write(place.join("list"), list).expect("the list is written");
    let list = std::fs::File::open(place.join("list")).expect("the list is there");
    let program = compile("gcc", &["-std=c99"], &source("corpus"), library());
    let answers = run(Command::new(program).stdin(list));
    assert_eq!(answers.lines().count(), index.len());
    for (number, (case, answer)) in (0..).zip(index.iter().zip(answers.lines())) {
        check_case(case, number, answer, &folder);
    }
}

fn text<'a>(case: &'a Value, what: &str) -> &'a str {
    case[what].as_str().unwrap_or_else(|| panic!("{}: no {what}", case["id"]))
}

fn check_case(case: &Value, number: usize, answer: &str, folder: &Path) {
    let id = text(case, "id");
    let answer: Vec<&str> = answer.split(' ').collect();
    let [line, result, len, hash, identity, authenticated, kind] = answer[..] else {
        panic!("{id}: {answer:?}")
    };
    assert_eq!(line, number.to_string(), "{id}");
    let result: i32 = result.parse().expect("a result is a number");
    // A file is to blame, never the caller.
    assert!(matches!(result, 0 | 100 | 110 | 120 | 130 | 140 | 160), "{id}: {result}");
    match text(case, "expect") {
        "ok" => {
            let plain = std::fs::read(folder.join(text(case, "plain"))).expect("a plaintext");
            let fnv = plain.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
            });
            assert_eq!((result, len), (0, &*plain.len().to_string()), "{id}");
            assert_eq!(hash, format!("{fnv:016x}"), "{id}");
            let is_authenticated = match case["content_type"].as_str() {
                Some(kind) => u8::from(kind == "AuthEnvelopedData").to_string(),
                None => authenticated.to_owned(),
            };
            // The vendor's key, and an envelope.
            assert_eq!((identity, authenticated, kind), ("1", &*is_authenticated, "3"), "{id}");
        }
        "reject" => assert_ne!(result, 0, "{id} opens"),
        "plain" => assert_eq!((result, kind), (100, "2"), "{id}"),
        "any" => {}
        other => panic!("{id}: unknown expectation {other}"),
    }
}

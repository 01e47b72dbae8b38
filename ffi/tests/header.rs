//! `include/sdi.h` is what the sources say, and what the library exports and answers.
//!
//! After a change of an exported function, `SDI_WRITE_HEADER=1 cargo test -p sdi-ffi --test header`
//! writes the header anew.

mod support;

use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use support::c_text::{functions, names};
use support::{files, library, package, program, read, repository, run, scratch, soname};

fn committed() -> PathBuf {
    repository().join("include/sdi.h")
}

/// The part of the header that one source file makes.
fn part(room: &str) -> String {
    let source = package().join("src").join(room).with_extension("rs");
    let mut config = Config {
        language: Language::C,
        // The struct that C fills in needs its name; elsewhere `struct` would only be noise.
        style: if room == "key_ops" { Style::Both } else { Style::Type },
        usize_is_size_t: true,
        no_includes: true,
        documentation_style: DocumentationStyle::C99,
        line_length: 100,
        ..Config::default()
    };
    config.function.must_use = Some("SDI_MUST_CHECK".into());
    // No signature mentions the enums: they only name the numbers.
    let text = read(&source);
    let enums = text.lines().filter_map(|line| line.strip_prefix("pub enum "));
    config.export.include = enums.map(|line| line.trim_end_matches(" {").into()).collect();
    let mut part = Vec::new();
    let bindings = Builder::new().with_config(config).with_src(source).generate();
    bindings.unwrap_or_else(|error| panic!("{room}: {error}")).write(&mut part);
    String::from_utf8(part).expect("a header is text").trim().to_owned()
}

/// The header that the sources say.
fn fresh() -> String {
    let mut header = String::new();
    for line in read(package().join("sdi.h.in")).lines() {
        match line.strip_prefix('@').and_then(|line| line.strip_suffix('@')) {
            Some(room) => header.push_str(&part(room)),
            None => header.push_str(line),
        }
        header.push('\n');
    }
    header
        .replace("@MAJOR@", env!("CARGO_PKG_VERSION_MAJOR"))
        .replace("@MINOR@", env!("CARGO_PKG_VERSION_MINOR"))
        .replace("@PATCH@", env!("CARGO_PKG_VERSION_PATCH"))
}

#[test]
fn the_committed_header_is_what_the_sources_say() {
    let fresh = fresh();
    if std::env::var_os("SDI_WRITE_HEADER").is_some() {
        std::fs::write(committed(), &fresh).expect("the header is written");
    }
    assert!(
        read(committed()) == fresh,
        "include/sdi.h is old: set SDI_WRITE_HEADER=1 and run again"
    );
}

/// Not one function more, and not one less.
#[test]
fn the_library_exports_what_the_header_declares() {
    let library = library().join("libsdi.so");
    let symbols = run(Command::new("nm").args(["--dynamic", "--defined-only"]).arg(&library));
    let exported: BTreeSet<String> =
        symbols.lines().filter_map(|line| line.split(' ').nth(2)).map(String::from).collect();
    let declared = functions(&read(committed()));
    assert!(declared.len() > 70, "{}", declared.len());
    assert_eq!(exported, declared);
}

#[test]
fn a_name_in_the_documents_is_in_the_header() {
    /// The proof that the core needs no operating system, and the panic of the tests.
    const OTHERS: [&str; 2] = ["sdi_proof", "sdi_panic_test"];
    let header = read(committed());
    let known: BTreeSet<&str> = names(&header).collect();
    // `sdi_opener_*` stands for several.
    let is_known = |name: &str| match name.ends_with('_') {
        true => known.iter().any(|known| known.starts_with(name)),
        false => known.contains(name),
    };
    let mut documents = files(&repository().join("docs"), ".md");
    documents
        .extend(["README.md", "SECURITY.md", "CHANGELOG.md"].map(|name| repository().join(name)));
    for document in documents {
        let text = read(&document);
        for name in names(&text).filter(|name| name.starts_with("sdi_") && !OTHERS.contains(name)) {
            assert!(is_known(name), "{} says {name}", document.display());
        }
    }
    assert!(!is_known("sdi_nothing") && !is_known("sdi_nothing_") && is_known("sdi_opener_"));
}

#[test]
fn every_function_says_what_it_does_with_what_it_takes_and_gives() {
    let mut words = 0;
    for room in files(&package().join("src"), ".rs") {
        let text = read(&room);
        for (at, _) in text.match_indices("extern \"C\" fn sdi_") {
            let before = &text[..at];
            let start = before.rfind("\n\n").expect("a function begins a paragraph");
            let docs = before[start..].lines().filter_map(|line| line.strip_prefix("///"));
            let docs = docs.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
            let function = text[at..].split(" {").next().unwrap_or_default();
            assert!(!docs.is_empty(), "{function} has no documentation");
            let owned = function.matches("_out: *mut *mut ").count();
            assert_eq!(docs.matches("You own *").count(), owned, "{function}");
            assert_eq!(docs.matches("free it with sdi_").count(), owned, "{function}");
            words += owned;
        }
    }
    assert!(words > 15, "{words}");
}

/// Macros are compared by their values: a macro that is put together of the wrong parts has the
/// right parts.
#[test]
fn the_macros_have_the_values_of_the_package_and_of_the_library() {
    let place = scratch("macros");
    let library = library();
    let program = program(&package().join("tests/programs/macros.c"), &place, &library);
    let [major, minor, patch] = [
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    ]
    .map(|part| part.parse::<u32>().expect("a number"));
    let number = major << 16 | minor << 8 | patch;
    let abi = soname(&library.join("libsdi.so"));
    let abi = abi.strip_prefix("libsdi.so.").expect("the soname is libsdi.so.N");
    assert_eq!(
        run(&mut Command::new(program)),
        format!(
            "{major} {minor} {patch}\n{number} {number}\n{}\n{abi} {abi}\n64 {}\n",
            env!("CARGO_PKG_VERSION"),
            i32::MIN
        )
    );
}

//! `include/sdi.h` is what the sources say, what the library exports, and what the contract wants.
//!
//! After a change of an exported function, `SDI_WRITE_HEADER=1 cargo test -p sdi-ffi --test header`
//! writes the header anew.

#[expect(dead_code, reason = "it needs little of it")]
mod support;

use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};
use std::path::PathBuf;
use support::{package, read, repository};

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

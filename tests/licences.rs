//! `deny.toml` fits the dependencies, as far as that can be told without cargo-deny.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Name, licence and source of a package.
struct Package {
    name: String,
    licence: String,
    source: Option<String>,
}

/// All packages of the workspace and below it, for every platform.
fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |package: &Value, field: &str| package[field].as_str().map(str::to_owned);
    let package = |package: &Value| Package {
        name: text(package, "name").unwrap(),
        licence: text(package, "license").unwrap_or_default(),
        source: text(package, "source"),
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

/// The strings between quotes behind a word of deny.toml, up to the next `]`.
fn list(of: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(&format!("\n{of} = [")).unwrap();
    let (inside, _) = rest.split_once("]\n").unwrap();
    inside.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression can be met with these licences. A slash is an old way to write OR.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let spaced = spaced.replace(" WITH ", "-WITH-");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (met, rest) = any_of(&words, allowed);
    assert!(rest.is_empty(), "{expression}");
    met
}

fn any_of<'a>(words: &'a [&'a str], allowed: &[String]) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = all_of(words, allowed);
    while let ["OR", later @ ..] = rest {
        let (other, after) = all_of(later, allowed);
        (met, rest) = (met | other, after);
    }
    (met, rest)
}

fn all_of<'a>(words: &'a [&'a str], allowed: &[String]) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = one(words, allowed);
    while let ["AND", later @ ..] = rest {
        let (other, after) = one(later, allowed);
        (met, rest) = (met & other, after);
    }
    (met, rest)
}

fn one<'a>(words: &'a [&'a str], allowed: &[String]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inside @ ..] => {
            let (met, rest) = any_of(inside, allowed);
            assert_eq!(rest.first(), Some(&")"));
            (met, &rest[1..])
        }
        [licence, rest @ ..] => (allowed.iter().any(|one| one == licence), rest),
        [] => (false, words),
    }
}

/// Names of the packages that none of these licences allow.
fn refused(packages: &[Package], allowed: &[String]) -> Vec<String> {
    let bad = packages.iter().filter(|package| !is_met(&package.licence, allowed));
    bad.map(|package| format!("{} ({})", package.name, package.licence)).collect()
}

#[test]
fn the_list_of_licences_is_complete_and_needed() {
    let packages = packages();
    assert!(packages.len() > 100, "{}", packages.len());
    let allowed = list("allow");
    assert_eq!(refused(&packages, &allowed), ["cbindgen (MPL-2.0)"]);
    assert_eq!(list("exceptions"), ["cbindgen", "MPL-2.0"]);
    for licence in &allowed {
        let others: Vec<String> = allowed.iter().filter(|one| *one != licence).cloned().collect();
        assert!(refused(&packages, &others).len() > 1, "{licence} is not needed");
    }
}

#[test]
fn packages_come_from_one_place_and_in_one_version() {
    let packages = packages();
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for package in &packages {
        *versions.entry(&package.name).or_default() += 1;
        match package.source.as_deref() {
            None => {
                assert!(
                    ["secure-device-install", "sdi-aws-lc", "sdi-cli", "sdi-ffi"]
                        .contains(&&*package.name)
                )
            }
            Some(source) => {
                assert!(source.ends_with("/crates.io-index"), "{source}");
            }
        }
        assert_ne!(package.name, "openssl-sys");
    }
    versions.retain(|_, count| *count > 1);
    assert_eq!(versions.into_keys().collect::<Vec<_>>(), list("skip"));
}

/// The control: expressions are read as SPDX has them.
#[test]
fn expressions_are_understood() {
    let allowed = ["MIT", "Unicode-3.0"].map(str::to_owned);
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("", false),
        ("Apache-2.0 OR MIT", true),
        ("Apache-2.0/MIT", true),
        ("Apache-2.0 AND MIT", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("Apache-2.0 OR MIT AND GPL-3.0", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ("MIT WITH odd-exception", false),
    ] {
        assert_eq!(is_met(expression, &allowed), met, "{expression}");
    }
}

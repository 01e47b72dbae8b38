//! `docs/attacks-map.md` is whole: every row stands there, every test exists and is there, and what
//! waits does not grow.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const MAP: &str = "docs/attacks-map.md";

/// How many rows have no test yet. It may only fall.
const WITHOUT_A_TEST: usize = 1;
/// How many rows wait for something, with or without tests. It may only fall.
const WAITING: usize = 4;

struct Row {
    id: String,
    /// File and name of each test.
    tests: Vec<(String, String)>,
    result: String,
    waits: String,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let line = line.strip_prefix("| A")?.strip_suffix('|')?;
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [id, _, tests, result, waits] = cells[..] else {
            panic!("{} cells in the row A{line}", cells.len());
        };
        let tests = tests.split(';').map(str::trim).filter(|test| !test.is_empty());
        let tests = tests.map(|test| {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("A{id}: {test}"));
            (file.to_owned(), name.to_owned())
        });
        Some(Self {
            id: format!("A{id}"),
            tests: tests.collect(),
            result: result.to_owned(),
            waits: waits.to_owned(),
        })
    }

    /// What the names of its tests begin with, or hold between two underscores.
    fn prefix(&self) -> String {
        let number: usize = self.id[1..].parse().expect("a number behind the A");
        format!("a{number:02}")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rows() -> Vec<Row> {
    read(&root().join(MAP)).lines().filter_map(Row::read).collect()
}

/// The names of the tests in a source file.
fn tests_in(source: &str) -> Vec<&str> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_test = |at: &usize| {
        let above = lines[..*at].iter().rev();
        above.take_while(|line| line.starts_with("#[")).any(|line| *line == "#[test]")
    };
    (0..lines.len())
        .filter(is_test)
        .filter_map(|at| lines[at].strip_prefix("fn ")?.split('(').next())
        .collect()
}

/// The Rust files below a folder.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                // What is built there is not ours.
                folders.extend(Some(path).filter(|path| !path.ends_with("target")));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_row_stands_there_once() {
    let ids: Vec<String> = rows().into_iter().map(|row| row.id).collect();
    let expected: Vec<String> = (1..=28).map(|number| format!("A{number}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn every_test_of_the_map_exists_and_bears_its_row() {
    let mut wrong = Vec::new();
    for row in rows() {
        if row.tests.is_empty() && row.waits.is_empty() {
            wrong.push(format!("{} has no test and waits for nothing", row.id));
        }
        if !row.tests.is_empty() && row.result.is_empty() {
            wrong.push(format!("{} has no result", row.id));
        }
        for (file, name) in &row.tests {
            let path = root().join(file);
            if !path.is_file() || !tests_in(&read(&path)).contains(&name.as_str()) {
                wrong.push(format!("{}: {file} has no test {name}", row.id));
            }
            if !name.split('_').any(|part| part == row.prefix()) {
                wrong.push(format!("{}: {name} does not bear the row", row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A test that answers a row is found through the map.
#[test]
fn every_test_of_a_row_is_in_the_map() {
    let mapped: BTreeSet<(String, String)> = rows().into_iter().flat_map(|row| row.tests).collect();
    let mut missing = Vec::new();
    let mut seen = 0;
    for path in ["src", "tests", "ffi", "crates"].into_iter().flat_map(sources) {
        let file = path.strip_prefix(root()).expect("it is below the root");
        let file = file.to_str().expect("the names are ASCII").replace('\\', "/");
        for name in tests_in(&read(&path)) {
            let is_of_a_row = name
                .strip_prefix('a')
                .and_then(|rest| rest.split_once('_'))
                .is_some_and(|(number, _)| number.len() == 2 && number.parse::<u8>().is_ok());
            if is_of_a_row {
                seen += 1;
                if !mapped.contains(&(file.clone(), name.to_owned())) {
                    missing.push(format!("{file}::{name}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(seen > 60, "{seen}");
}

#[test]
fn what_waits_does_not_grow() {
    let ids = |of: &dyn Fn(&Row) -> bool| -> Vec<String> {
        rows().into_iter().filter(|row| of(row)).map(|row| row.id).collect()
    };
    let untested = ids(&|row| row.tests.is_empty());
    assert!(untested.len() <= WITHOUT_A_TEST, "{untested:?} have no test");
    let waiting = ids(&|row| !row.waits.is_empty());
    assert!(waiting.len() <= WAITING, "{} rows wait: {waiting:?}", waiting.len());
}

/// The control: rows and tests are told from what looks like them.
#[test]
fn rows_and_tests_are_recognised() {
    assert!(Row::read("| row | lesson | test | result | waits for |").is_none());
    let row = Row::read("| A7 | x | tests/a.rs::a07_b; tests/c.rs::a07_d | 2 | |");
    let row = row.expect("it is a row");
    assert_eq!((row.id.as_str(), row.prefix().as_str()), ("A7", "a07"));
    assert_eq!(row.tests[1], ("tests/c.rs".to_owned(), "a07_d".to_owned()));
    assert!(row.waits.is_empty());
    let source =
        "#[test]\nfn a07_a() {}\n\n#[test]\n#[ignore = \"long\"]\nfn a08_b() {}\n\nfn a09_c() {}\n";
    assert_eq!(tests_in(source), ["a07_a", "a08_b"]);
}

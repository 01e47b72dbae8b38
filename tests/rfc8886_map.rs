//! `docs/rfc8886-map.md` is complete and points at what exists.

use std::fs;
use std::path::Path;

const MAP: &str = "docs/rfc8886-map.md";

/// How many requirements wait for a part that does not exist yet. It may only fall.
const NOT_YET: usize = 22;

/// A row of the map: a requirement, the places of its code, its tests, and a note.
struct Row {
    id: String,
    code: Vec<(String, String)>,
    tests: Vec<(String, String)>,
    note: String,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let line = line.strip_prefix("| R")?.strip_suffix('|')?;
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [id, code, tests, note] = cells[..] else {
            panic!("{} cells in the row R{line}", cells.len());
        };
        let pairs = |cell: &str, between: &str| {
            let parts = cell.split(';').map(str::trim).filter(|part| !part.is_empty());
            parts
                .map(|part| part.split_once(between).unwrap_or_else(|| panic!("R{id}: {part}")))
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .collect()
        };
        Some(Self {
            id: format!("R{id}"),
            code: pairs(code, ", "),
            tests: pairs(tests, "::"),
            note: note.to_owned(),
        })
    }
}

#[test]
fn every_id_stands_there_once() {
    let ids: Vec<String> = rows().into_iter().map(|row| row.id).collect();
    let expected: Vec<String> = (1..=55).map(|number| format!("R{number}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn every_place_in_the_code_exists() {
    let mut wrong = Vec::new();
    for Row { id, code, note, .. } in rows() {
        if code.is_empty() && !waits(&note) {
            wrong.push(format!("{id} has no code"));
        }
        for (file, item) in code {
            let source = read(&file).unwrap_or_default();
            let named = source.split(|c: char| c != '_' && !c.is_alphanumeric()).any(|w| w == item);
            // The documentation of a crate has no name.
            let is_docs = item == "crate documentation" && source.starts_with("//!");
            if !named && !is_docs {
                wrong.push(format!("{id}: {file} has no {item}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The name of a test has its id, or its comment has.
#[test]
fn every_test_exists_and_is_of_its_requirement() {
    let mut wrong = Vec::new();
    for Row { id, tests, note, .. } in rows() {
        if tests.is_empty() && !waits(&note) {
            wrong.push(format!("{id} has no test"));
        }
        for (file, name) in tests {
            match read(&file).and_then(|source| comment_of_test(&source, &name)) {
                None => wrong.push(format!("{id}: {file} has no {name}")),
                Some(comment) => {
                    let by_name = name.split('_').any(|part| part == id.to_lowercase());
                    let by_comment = comment.split(|c: char| !c.is_alphanumeric()).any(|w| w == id);
                    if !by_name && !by_comment {
                        wrong.push(format!("{file}::{name} does not say that it is of {id}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_waits_does_not_grow() {
    let waiting: Vec<String> =
        rows().into_iter().filter(|row| waits(&row.note)).map(|row| row.id).collect();
    assert!(waiting.len() <= NOT_YET, "{} wait: {waiting:?}", waiting.len());
}

/// The control: damaged rows and tests that are none are noticed.
#[test]
fn rows_and_tests_are_told_from_what_looks_like_them() {
    assert!(Row::read("| id | code | test | note |").is_none());
    let row = Row::read("| R7 | src/a.rs, b; src/c.rs, d | | S. not yet: x |");
    let row = row.expect("it is a row");
    assert_eq!(row.id, "R7");
    assert_eq!(row.code[1], ("src/c.rs".into(), "d".into()));
    assert!(row.tests.is_empty() && waits(&row.note));

    let source = "/// Of R7.\n/// And R8.\n#[test]\nfn r7_a() {}\n\nfn r7_b() {}\n";
    assert_eq!(comment_of_test(source, "r7_a").as_deref(), Some("Of R7. And R8."));
    assert_eq!(comment_of_test(source, "r7_b"), None);
    assert_eq!(comment_of_test(source, "r7_"), None);
}

fn rows() -> Vec<Row> {
    let map = read(MAP).unwrap_or_else(|| panic!("{MAP} cannot be read"));
    map.lines().filter_map(Row::read).collect()
}

fn waits(note: &str) -> bool {
    note.contains("not yet: ")
}

/// The comment above a test; none if there is no such test.
fn comment_of_test(source: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.starts_with(&format!("fn {name}(")))?;
    let above = lines[..at].iter().rev();
    let attributes: Vec<&&str> = above.clone().take_while(|line| line.starts_with("#[")).collect();
    if !attributes.iter().any(|attribute| ***attribute == *"#[test]") {
        return None;
    }
    let comment = above.skip(attributes.len()).map_while(|line| line.strip_prefix("/// "));
    let mut comment: Vec<&str> = comment.collect();
    comment.reverse();
    Some(comment.join(" "))
}

fn read(name: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).ok()
}

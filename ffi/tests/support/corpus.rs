//! Files by other programs, with the keys that open them.

use super::{read, repository};
use std::path::PathBuf;

/// One case of an `index.json`, which has a line for each.
#[derive(Debug)]
pub(crate) struct Case {
    folder: PathBuf,
    line: String,
}

/// All cases of `tests/corpus` that are to be opened.
pub(crate) fn cases() -> Vec<Case> {
    cases_in("corpus")
}

/// All cases of `tests/corpus-modern` that are to be opened.
pub(crate) fn modern_cases() -> Vec<Case> {
    cases_in("corpus-modern")
}

fn cases_in(folder: &str) -> Vec<Case> {
    let folder = repository().join("tests").join(folder);
    let index = read(folder.join("index.json"));
    let lines = index.lines().filter(|line| line.contains("\"expect\": \"ok\""));
    lines.map(|line| Case { folder: folder.clone(), line: line.to_owned() }).collect()
}

/// The case with this id.
pub(crate) fn case(id: &str) -> Case {
    let found = cases().into_iter().find(|case| case.field("id") == Some(id));
    found.unwrap_or_else(|| panic!("{id} is not in the corpus"))
}

impl Case {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.line.split_once(&format!("\"{name}\": \""))?;
        value.split('"').next()
    }

    /// The place of a file that the case names.
    pub(crate) fn path(&self, field: &str) -> PathBuf {
        let name = self.field(field).unwrap_or_else(|| panic!("{self:?} has no {field}"));
        self.folder.join(name)
    }
}

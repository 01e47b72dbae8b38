//! What a run finds, file by file, and its verdict in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;

/// How many files the run makes, and from where on.
pub(crate) struct Tally {
    files: u64,
    is_usual: bool,
    /// Where its random numbers begin.
    pub(crate) start: u64,
    /// The rows that may explain a disagreement.
    rows: BTreeSet<&'static str>,
    both: u64,
    neither: u64,
    unexplained: u64,
    counts: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// A run of so many files from this seed, unless the environment says otherwise, with the rows of one
    /// table of `explained.md`, which their prefix tells.
    pub(crate) fn new(files: u64, seed: u64, is_row: fn(&str) -> bool) -> Self {
        let table = include_str!("explained.md").lines();
        let names = table.filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let start = number("SDI_DIFFERENTIAL_SEED", seed);
        Self {
            files: number("SDI_DIFFERENTIAL", files),
            is_usual: start == seed,
            start,
            rows: names.filter(|name| is_row(name)).collect(),
            both: 0,
            neither: 0,
            unexplained: 0,
            counts: BTreeMap::new(),
        }
    }

    pub(crate) const fn numbers(&self) -> Range<u64> {
        0..self.files
    }

    /// Both open it, to the same plaintext.
    pub(crate) const fn both(&mut self) {
        self.both += 1;
    }

    /// Both refuse it.
    pub(crate) const fn neither(&mut self) {
        self.neither += 1;
    }

    /// They disagree, as this row says; or for no known reason, and then the file is kept.
    pub(crate) fn disagreement(
        &mut self,
        row: Option<&'static str>,
        number: u64,
        file: &[u8],
        said: impl FnOnce() -> String,
    ) {
        if let Some(row) = row {
            assert!(self.rows.contains(row), "{row} is not in explained.md");
            *self.counts.entry(row).or_insert(0) += 1;
            return;
        }
        self.unexplained += 1;
        let path = format!("{}/unexplained-{}-{number}", env!("CARGO_TARGET_TMPDIR"), self.start);
        fs::write(&path, file).expect("the folder can be written to");
        println!("{path}: {}", said());
    }

    pub(crate) fn end(self) {
        let Self { files, both, neither, unexplained, counts, .. } = self;
        println!(
            "{files} files: {both} open, {neither} refused on both sides; disagreements: {counts:?}"
        );
        assert_eq!(unexplained, 0, "see above");
        assert!(
            both * 10 > files && neither * 10 > files,
            "the changes are too small or too large"
        );
        // In the long run every row has its example, so that none outlives its reason.
        if files >= 100_000 && self.is_usual {
            assert_eq!(counts.keys().copied().collect::<BTreeSet<_>>(), self.rows);
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

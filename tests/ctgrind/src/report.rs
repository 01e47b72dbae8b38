//! Valgrind's reports, and which of them are right.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

/// A line of the library may use a secret to decide only where it says so: where a constant-time
/// truth becomes a plain one, where that verdict is then acted upon, and where a shared secret is
/// found to be zero, which is the sender's doing.
const VERDICTS: [&str; 3] = ["bool::from(", "match verdict", "if shared.ct_eq("];

/// Judges the reports of a case: those of the library have to stand at verdicts, of which there has
/// to be one; those of careless code have to be found.
pub fn judge(name: &str, has_to_be_found: bool, xml: &str, source: &Path) -> ExitCode {
    let mut places = BTreeSet::new();
    for error in elements(xml, "error") {
        let kind = elements(error, "kind").next().unwrap_or("no kind");
        let place = elements(error, "frame").find_map(|frame| {
            let part = |name| elements(frame, name).next();
            let path = Path::new(part("dir")?).join(part("file")?);
            let path = path.canonicalize().ok()?;
            let below = path.strip_prefix(source).ok()?.display().to_string();
            Some((below, part("line")?.parse::<usize>().ok()?))
        });
        let place = place.unwrap_or_else(|| ("outside of the library".to_owned(), 0));
        places.insert((place, kind));
    }
    let mut wrong = 0;
    for ((file, line), kind) in &places {
        let text = std::fs::read_to_string(source.join(file)).unwrap_or_default();
        let text = text.lines().nth(line.wrapping_sub(1)).unwrap_or_default().trim();
        let is_verdict = VERDICTS.iter().any(|verdict| text.contains(verdict));
        wrong += usize::from(!is_verdict);
        if !is_verdict && !has_to_be_found {
            println!("{name}: {kind} at {file}:{line}: {text}");
        }
    }
    let verdicts = places.len() - wrong;
    let is_right = if has_to_be_found { wrong > 0 } else { wrong == 0 && verdicts > 0 };
    let how = match (has_to_be_found, is_right) {
        (true, true) => "found, as it has to be",
        (true, false) => "NOT FOUND: the instrument does not bite",
        (false, true) => "secrets show in the verdict alone",
        (false, false) => "FAILED",
    };
    println!("{name}: {wrong} places, {verdicts} verdicts: {how}");
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The contents of the elements of a name.
fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&begin)?;
        let (content, later) = after.split_once(&end)?;
        rest = later;
        Some(content)
    })
}

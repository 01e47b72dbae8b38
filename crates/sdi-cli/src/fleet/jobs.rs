//! Which configuration is for which device.

use super::csv::records;
use crate::code::Code;
use crate::input::read_file;
use crate::report::{Failure, printable, shown};
use sdi::DeviceId;
use serde_core::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::{self, Formatter};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// One configuration for one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) id: DeviceId,
    pub(crate) config: PathBuf,
}

/// The longest map: a million lines.
const MAP: usize = 256 << 20;

/// What is to be done in a folder, in the order of the map; without one, in the order of the names.
#[derive(Debug)]
pub(crate) struct Jobs {
    pub(crate) jobs: Vec<Job>,
    pub(crate) misnamed: Vec<Misnamed>,
}

/// A configuration whose name is no identifier.
#[derive(Debug)]
pub(crate) struct Misnamed {
    pub(crate) config: PathBuf,
    reason: String,
}

impl Misnamed {
    /// Its name without the ending, which cannot be an identifier.
    pub(crate) fn stem(&self) -> String {
        printable(&self.config.file_stem().unwrap_or_default().to_string_lossy())
    }

    pub(crate) fn failure(&self) -> Failure {
        Failure::usage(format!("{} is not named by a device", shown(&self.config)))
            .fact("reason", &self.reason)
            .help(MISNAMED)
    }

    /// One failure for all of them.
    pub(crate) fn all(misnamed: &[Self]) -> Option<Failure> {
        match misnamed {
            [] => None,
            [one] => Some(one.failure()),
            many => {
                let message = format!("{} files are not named by a device", many.len());
                let mut failure = Failure::usage(message);
                for one in many {
                    failure = failure.fact("misnamed", shown(&one.config));
                }
                Some(failure.help(MISNAMED))
            }
        }
    }
}

const MISNAMED: &str =
    "move it elsewhere, or say with --map FILE.csv which file is for which device";

/// The jobs of a folder.
pub(crate) fn jobs(folder: &Path, map: &Path) -> Result<Jobs, Failure> {
    let found = if map.as_os_str() == "id=stem" {
        by_stem(folder)?
    } else {
        Jobs { jobs: by_map(folder, map)?, misnamed: Vec::new() }
    };
    let jobs = &found.jobs;
    let mut seen: HashMap<String, &Job> = HashMap::new();
    for job in jobs {
        // File systems exist that do not tell small letters from capitals.
        if let Some(first) = seen.insert(job.id.as_str().to_ascii_lowercase(), job) {
            return Err(Failure::usage(format!("two configurations are for {}", job.id))
                .fact("first", shown(&first.config))
                .fact("second", shown(&job.config)));
        }
    }
    Ok(found)
}

/// The identifier is the file's name without its ending. Hidden files and folders are left out. What is
/// neither a file nor a folder stays in: a symbolic link that leads nowhere is a device without its
/// configuration.
fn by_stem(folder: &Path) -> Result<Jobs, Failure> {
    let failed = |error| Failure::io("read the folder", folder, &error);
    let (mut jobs, mut misnamed) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let config = entry.map_err(failed)?.path();
        let is_hidden = config.file_name().is_some_and(|name| name.as_bytes().starts_with(b"."));
        if is_hidden || config.is_dir() {
            continue;
        }
        let stem = config.file_stem().unwrap_or_default().to_string_lossy();
        match DeviceId::new(&stem) {
            Ok(id) => jobs.push(Job { id, config }),
            Err(error) => misnamed.push(Misnamed { config, reason: error.to_string() }),
        }
    }
    jobs.sort_by(|a, b| a.config.cmp(&b.config));
    misnamed.sort_by(|a, b| a.config.cmp(&b.config));
    Ok(Jobs { jobs, misnamed })
}

fn by_map(folder: &Path, map: &Path) -> Result<Vec<Job>, Failure> {
    let bytes = read_file(map, MAP)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| bad(map, "it is no UTF-8 text"))?;
    let pairs = if map.extension().is_some_and(|end| end.eq_ignore_ascii_case("json")) {
        from_json(text, map)?
    } else {
        from_csv(text, map, folder)?
    };
    pairs
        .into_iter()
        .map(|(place, id, file)| {
            let id = DeviceId::new(&id).map_err(|error| {
                bad(map, &error.to_string()).fact("entry", place).fact("id", printable(&id))
            })?;
            Ok(Job { id, config: folder.join(file) })
        })
        .collect()
}

type Pairs = Vec<(String, String, String)>;

/// An object of identifiers and files.
fn from_json(text: &str, map: &Path) -> Result<Pairs, Failure> {
    let Members(members) =
        serde_json::from_str(text).map_err(|error| bad(map, &error.to_string()))?;
    members
        .into_iter()
        .map(|(id, file)| match file.as_str() {
            Some(file) => Ok((printable(&id), id, file.to_owned())),
            None => Err(bad(map, "a file is no text").fact("entry", printable(&id))),
        })
        .collect()
}

/// The members of an object as they stand there: `Value` would keep the last one of two with the same
/// name, and the other's device would get no configuration, or another one.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Members;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("an object of identifiers and files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// The columns are `id` and `file` where a first line says so, otherwise the first two.
fn from_csv(text: &str, map: &Path, folder: &Path) -> Result<Pairs, Failure> {
    let records = records(text).ok_or_else(|| bad(map, "a quote does not end"))?;
    let place = |name: &str| {
        let (_, first) = records.first()?;
        first.iter().position(|field| field.eq_ignore_ascii_case(name))
    };
    let (columns, heads) = match (place("id"), place("file")) {
        (Some(id), Some(file)) => ((id, file), 1),
        _ => ((0, 1), 0),
    };
    if let (0, Some((_, first))) = (heads, records.first())
        && names_other_columns(first, folder)
    {
        let names: Vec<&str> = first.iter().map(String::as_str).collect();
        return Err(bad(map, "its first line does not name the columns id and file")
            .fact("first line", printable(&names.join(", "))));
    }
    records
        .iter()
        .skip(heads)
        .map(|(line, fields)| {
            let field = |at: usize| fields.get(at).filter(|field| !field.is_empty()).cloned();
            match (field(columns.0), field(columns.1)) {
                (Some(id), Some(file)) => Ok((format!("line {line}"), id, file)),
                _ => Err(bad(map, "an identifier or a file is missing")
                    .fact("entry", format!("line {line}"))),
            }
        })
        .collect()
}

/// Whether a first line holds names of columns, as `serial,config`, and no device: words alone, and no
/// such file.
fn names_other_columns(first: &[String], folder: &Path) -> bool {
    let is_word = |field: &String| {
        let is_part = |char: char| char.is_alphabetic() || " _-".contains(char);
        field.chars().all(is_part)
    };
    let is_file = first.get(1).is_some_and(|file| folder.join(file).exists());
    let is_half = ["id", "file"]
        .iter()
        .any(|name| first.iter().any(|field| field.eq_ignore_ascii_case(name)));
    !is_file && first.len() > 1 && (is_half || first.iter().all(is_word))
}

fn bad(map: &Path, reason: &str) -> Failure {
    Failure::new(Code::MALFORMED, format!("{} does not map identifiers to files", shown(map)))
        .fact("reason", printable(reason))
        .help(
            "a map is a CSV file with the columns id and file, or a JSON object {\"ID\": \"FILE\"}",
        )
}

//! `sdi detect`: is this file encrypted? The answer is the exit status.

use crate::code::Code;
use crate::console::Console;
use crate::input::{fill, is_stream, open};
use crate::report::{Answer, Failure, Outcome, shown};
use sdi::{Damage, Detection, Encoding, Hint};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Says whether a file is encrypted.
///
/// The exit status is 0 if it is, 10 for a plain file, and 11 for one that is neither: damaged, cut
/// short, empty, or CMS of another kind. No key is needed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi detect SN19842256.enc
  sdi detect --json --name SN19842256.enc - < SN19842256.enc")]
pub(crate) struct Args {
    /// The file; its name counts too, since .enc promises an encrypted one.
    file: PathBuf,
    /// The name of the file on stdin, or of one that is called otherwise here.
    #[arg(long)]
    name: Option<OsString>,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    // What the library looks at, and one byte more to know the end.
    let mut head = vec![0; 4097];
    let mut file = open(&args.file)?;
    let len = fill(&mut file, &mut head).map_err(|e| Failure::io("read", &args.file, &e))?;
    let name = match &args.name {
        Some(name) => Some(name.as_os_str()),
        None if is_stream(&args.file) => None,
        None => args.file.file_name(),
    };
    let hint = Hint { at_end: len < head.len(), ..Hint::default() };
    let all = if hint.at_end { ", all of it" } else { "" };
    console.detail(&format!("looked at the first {len} bytes{all}"));
    if let Some(name) = name {
        console.step(&format!("its name is {}", shown(Path::new(name))));
    }
    let head = head.get(..len).unwrap_or_default();
    let found = sdi::detect(name.map(OsStrExt::as_bytes), head, hint);

    let mut answer = Answer::new(words(found), kind(found));
    answer.fields.insert("file".into(), json!(shown(&args.file)));
    answer.exit = match found {
        Detection::Enveloped(_) => 0,
        Detection::Plain => Code::PLAIN.exit(),
        _ => Code::NEITHER.exit(),
    };
    Ok(answer)
}

fn words(found: Detection) -> String {
    match found {
        Detection::Enveloped(encoding) => format!("encrypted ({})", form(encoding)),
        Detection::Plain => "plain".into(),
        Detection::Damaged(damage) => format!("damaged: {}", why(damage)),
        Detection::OtherCms => "CMS, but not encrypted".into(),
        Detection::Empty => "empty".into(),
        _ => "cut short".into(),
    }
}

/// The encoding, and the label of PEM.
pub(crate) fn form(encoding: Encoding) -> String {
    match encoding.label() {
        Some(label) => format!("{}, label {label}", encoding.name()),
        None => encoding.name().into(),
    }
}

fn why(damage: Damage) -> &'static str {
    match damage {
        Damage::Truncated => "it ends too early",
        Damage::TextMode => "a text-mode transfer has changed its line ends",
        Damage::NotAnEnvelope => "it should be encrypted and is not",
        _ => "the text around the envelope is damaged",
    }
}

fn kind(found: Detection) -> Value {
    match found {
        Detection::Enveloped(encoding) => {
            json!({ "kind": "enveloped", "encoding": encoding.name(), "label": encoding.label() })
        }
        Detection::Plain => json!({ "kind": "plain" }),
        Detection::Damaged(damage) => json!({ "kind": "damaged", "reason": why(damage) }),
        Detection::OtherCms => json!({ "kind": "other-cms" }),
        Detection::Empty => json!({ "kind": "empty" }),
        _ => json!({ "kind": "need-more" }),
    }
}

//! `sdi detect`: is this file encrypted? The answer is the exit status.

use crate::code::Code;
use crate::console::Console;
use crate::input::{is_stream, open};
use crate::look::Look;
use crate::report::{Answer, Outcome, shown};
use sdi::{Detection, Encoding};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Says whether a file is encrypted.
///
/// The exit status is 0 if it is, 10 for a plain file, and 11 for one that is neither: damaged, cut
/// short, empty, or CMS of another kind. No key is needed. An encrypted file is walked to its end, up
/// to 64 MiB; of a longer one only the start is looked at.
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
    let mut file = open(&args.file)?;
    let name = match &args.name {
        Some(name) => Some(name.as_os_str()),
        None if is_stream(&args.file) => None,
        None => args.file.file_name(),
    };
    let look = Look::at(&mut file, &args.file, name.map(OsStrExt::as_bytes))?;
    let all = if look.is_all { ", all of it" } else { "" };
    console.detail(&format!("looked at the first {} bytes{all}", look.bytes.len()));
    if let Some(name) = name {
        console.step(&format!("its name is {}", shown(Path::new(name))));
    }

    let mut answer = Answer::new(words(&look), kind(&look));
    answer.fields.insert("file".into(), json!(shown(&args.file)));
    answer.exit = match look.found {
        Detection::Enveloped(_) => 0,
        Detection::Plain => Code::PLAIN.exit(),
        _ => Code::NEITHER.exit(),
    };
    Ok(answer)
}

fn words(look: &Look) -> String {
    match look.found {
        Detection::Enveloped(encoding) => format!("encrypted ({})", form(encoding)),
        Detection::Plain => "plain".into(),
        Detection::Damaged(_) => format!("damaged: {}", look.reason.unwrap_or_default()),
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

fn kind(look: &Look) -> Value {
    match look.found {
        Detection::Enveloped(encoding) => {
            json!({ "kind": "enveloped", "encoding": encoding.name(), "label": encoding.label() })
        }
        Detection::Plain => json!({ "kind": "plain" }),
        Detection::Damaged(_) => json!({ "kind": "damaged", "reason": look.reason }),
        Detection::OtherCms => json!({ "kind": "other-cms" }),
        Detection::Empty => json!({ "kind": "empty" }),
        _ => json!({ "kind": "need-more" }),
    }
}

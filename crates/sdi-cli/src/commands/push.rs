//! `sdi push`: a file to a server's folder, whole, and read back.

use super::wrote;
use crate::code::Code;
use crate::console::Console;
use crate::input::{fill, is_stream, open, quoted};
use crate::look::Look;
use crate::output::{NewFile, Readers, check_not_an_input};
use crate::private;
use crate::report::{Answer, Failure, Outcome, shown};
use crate::stream::PIECE;
use crate::warning::Warning;
use sdi::Detection;
use serde_json::json;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Copies a file into the folder of a configuration server.
///
/// The server sees all of it or nothing, and everybody may read it. It is read back and compared. A
/// file that looks encrypted and is damaged or cut short is refused, and so is a private key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi push SN19842256.enc --to tftp
  sdi push --force SN19842256.enc --to tftp")]
pub(crate) struct Args {
    /// The file.
    file: PathBuf,
    /// The folder.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    let name = args.file.file_name().filter(|_| !is_stream(&args.file));
    let Some(name) = name else {
        return Err(Failure::usage(format!("{} names no file", shown(&args.file))));
    };
    let output = args.to.join(name);
    if !args.to.exists() {
        return Err(Failure::new(
            Code::OTHER,
            format!("the folder {} is not there", shown(&args.to)),
        )
        .help(format!("mkdir -p {}", quoted(&args.to))));
    }
    check_not_an_input(&output, [&args.file], console.force)?;
    let mut input = open(&args.file)?;
    let mut look = Look::at(&mut input, &args.file, Some(name.as_bytes()))?;
    look.read_on(&mut input, &args.file)?;
    check(&look, args, console)?;
    let failed = |error| Failure::io("write", &output, &error);
    let mut file = NewFile::create(&output, Readers::All, console.force)?;
    file.write_all(&look.bytes).map_err(failed)?;
    let mut total = look.bytes.len();
    let mut piece = vec![0; PIECE];
    let mut is_over = look.is_all;
    while !is_over {
        let len = fill(&mut input, &mut piece);
        let len = len.map_err(|error| Failure::io("read", &args.file, &error))?;
        file.write_all(piece.get(..len).unwrap_or_default()).map_err(failed)?;
        total += len;
        is_over = len < PIECE;
    }
    file.publish()?;
    console.detail(&wrote(&output, total, Readers::All));
    compare(&args.file, &output)?;
    console.step("read it back: the same bytes");
    let kind = if look.found == Detection::Plain { "plain" } else { "enveloped" };
    let fields = json!({ "file": shown(&args.file), "output": shown(&output), "bytes": total, "kind": kind });
    Ok(Answer::new("", fields))
}

/// Refuses what no device installs.
fn check(look: &Look, args: &Args, console: &Console) -> Result<(), Failure> {
    if private::is_in(&look.bytes) {
        return Err(Failure::new(Code::PRIVATE_KEY, "this file holds a private key")
            .file(&args.file)
            .help("push the encrypted configuration; a private key stays on its device"));
    }
    match look.found {
        Detection::Enveloped(_) => {
            if !look.is_all {
                let text =
                    format!("{} is so long that only its start was looked at", shown(&args.file));
                console.warn(Warning::new("long", text));
            }
            return Ok(());
        }
        Detection::Plain => {
            let text = format!("{} is not encrypted", shown(&args.file));
            console.warn(Warning::new("plain", text));
            return Ok(());
        }
        _ => {}
    }
    let mut failure =
        Failure::new(Code::NEITHER, "no device would install this file").file(&args.file);
    if let Some(reason) = look.reason {
        failure = failure.fact("reason", reason);
    }
    Err(failure.help(format!("sdi detect {}", quoted(&args.file))))
}

fn compare(one: &Path, other: &Path) -> Result<(), Failure> {
    let (mut a, mut b) = (vec![0; PIECE], vec![0; PIECE]);
    let (mut first, mut second) = (open(one)?, open(other)?);
    loop {
        let len = fill(&mut first, &mut a).map_err(|error| Failure::io("read", one, &error))?;
        let again =
            fill(&mut second, &mut b).map_err(|error| Failure::io("read", other, &error))?;
        if a.get(..len) != b.get(..again) {
            return Err(Failure::new(Code::OTHER, "what was written reads differently")
                .file(other)
                .help("the disk is broken, or somebody else writes to this file"));
        }
        if len == 0 {
            return Ok(());
        }
    }
}

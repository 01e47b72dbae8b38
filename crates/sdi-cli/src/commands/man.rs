//! `sdi man`: the manual pages, from the same definition as `--help`.

use super::put;
use crate::cli::Cli;
use crate::console::Console;
use crate::output::Readers;
use crate::report::{Answer, Failure, Outcome, shown};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};

/// Writes the manual pages into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi man .
  sdi man --force . && man ./sdi-encrypt.1 | head -3")]
pub(crate) struct Args {
    /// The folder.
    folder: PathBuf,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    let mut root = Cli::command();
    root.build();
    let mut names = Vec::new();
    write(&root, &args.folder, console, &mut names)?;
    let text = names.join("\n");
    Ok(Answer::new(text, json!({ "folder": shown(&args.folder), "pages": names })))
}

/// One command, and those below it.
fn write(
    command: &Command,
    folder: &Path,
    console: &Console,
    names: &mut Vec<String>,
) -> Result<(), Failure> {
    let name = format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name()));
    let path = folder.join(&name);
    let page = page(command).map_err(|error| Failure::io("write", &path, &error))?;
    put(&page, &path, Readers::All, console)?;
    names.push(name);
    command.get_subcommands().try_for_each(|below| write(below, folder, console, names))
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(command.clone()).manual("Secure Device Install");
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    examples(command).to_writer(&mut page)?;
    exit_status().to_writer(&mut page)?;
    section("ENVIRONMENT", ENVIRONMENT).to_writer(&mut page)?;
    section("FILES", FILES).to_writer(&mut page)?;
    Ok(page)
}

fn examples(command: &Command) -> Roff {
    let mut roff = Roff::new();
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("  ")).peekable();
    if lines.peek().is_some() {
        roff.control("SH", ["EXAMPLES"]);
        for line in lines {
            roff.control("PP", []).text([bold(line)]);
        }
    }
    roff
}

fn exit_status() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in STATUS {
        roff.control("TP", ["5"]).text([bold(*status)]).text([roman(*meaning)]);
    }
    roff
}

const STATUS: &[(&str, &str)] = &[
    ("0", "Done; of detect: the file is encrypted."),
    ("1", "The system refused something: input, output, memory, randomness; a file is not there."),
    ("2", "The command was not understood."),
    ("3", "The input is damaged, of a kind that is not read, or beyond a limit."),
    ("4", "The file is whole, but not for this key, or not for the certificate of --match-cert."),
    ("5", "Decryption failed."),
    ("6", "Another key than the one that was pinned, or another device's certificate."),
    ("7", "There is no certificate of that name in the store, or no such file on a server."),
    ("9", "The network or a server failed; a later attempt may work."),
    ("10", "The file is plain."),
    ("11", "The file is neither encrypted nor plain."),
    ("12", "The file is weaker than --min-profile allows, or push was given a private key."),
    ("13", "What was decrypted is no configuration."),
    ("14", "The output is there already."),
    ("15", "Others may read or change the private key."),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("SDI_PROFILE", "The --profile of encrypt and encrypt-dir, where the option is not given."),
    ("XDG_CONFIG_HOME", "Where the configuration file is; ~/.config if it is not set."),
    ("TMPDIR", "Where plaintext of more than 4 MiB waits for its verification, without --stage."),
    ("NO_COLOR", "If it is not empty, errors are not coloured, unless --color says so."),
];

const FILES: &[(&str, &str)] = &[
    (
        "*.key",
        "Private keys: PKCS#8, SEC 1 or PKCS#1, PEM or DER. They are written with mode 0600, and refused with more.",
    ),
    ("*.crt", "Certificates, PEM or DER, with mode 0644. Only the key in them counts."),
    ("*.enc", "Encrypted configurations: CMS as PEM, S/MIME, base64, DER or BER, with mode 0644."),
    (
        "$XDG_CONFIG_HOME/sdi/config.toml",
        "What options are where neither the command line nor the environment says, in TOML. It has one key: profile.",
    ),
    ("-", "Standard input or output. A file of that name is ./-"),
];

fn section(name: &str, entries: &[(&str, &str)]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [name]);
    for (name, meaning) in entries {
        roff.control("TP", []).text([bold(*name)]).text([roman(*meaning)]);
    }
    roff
}

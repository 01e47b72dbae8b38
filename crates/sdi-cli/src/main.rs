//! The command `sdi`: keys, certificates and encrypted configurations of RFC 8886, for vendors,
//! operators and devices. A thin user of the library.
//!
//! In one line: explicit files and keys, `-` is stdin or stdout, nothing is overwritten, nothing
//! half-written is left, every exit status means one thing.

#![forbid(unsafe_code)]
#![deny(clippy::as_conversions)]

mod addressee;
mod authority;
mod cli;
mod code;
mod commands;
mod console;
mod fingerprint;
mod fleet;
mod http;
mod input;
mod look;
mod output;
mod plot;
mod private;
mod report;
mod sanity;
mod settings;
mod stage;
mod stream;
mod text_mode;
mod warning;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use cli::Cli;
use code::Code;
use report::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => {
            let outcome = cli.command.run(&cli.console);
            cli.console.finish(&cli.command.name(), &outcome)
        }
        Err(error) => usage(&error),
    }
}

/// A value that the command line does not hold: its error would blame an option that nobody gave.
fn of_environment(error: &clap::Error) -> Option<Failure> {
    const OPTION: &str = "--profile";
    const VARIABLE: &str = "SDI_PROFILE";
    let said = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let is_given = std::env::args_os().any(|argument| {
        let text = argument.to_string_lossy();
        text.strip_prefix(OPTION).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    let value = std::env::var(VARIABLE).ok()?;
    let is_it = error.kind() == ErrorKind::InvalidValue
        && said(ContextKind::InvalidArg)?.starts_with(OPTION)
        && said(ContextKind::InvalidValue)? == value;
    (is_it && !is_given).then(|| {
        let valid = match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(values)) => values.join(", "),
            _ => String::new(),
        };
        Failure::usage(format!("the variable {VARIABLE} has a value that is unknown"))
            .fact("value", report::printable(&value))
            .help(format!("set it to one of {valid}, or unset it"))
    })
}

/// Help goes to stdout, what cannot be understood to stderr; in JSON if that was asked for.
fn usage(error: &clap::Error) -> ExitCode {
    if let Some(failure) = of_environment(error) {
        if std::env::args_os().any(|argument| argument == "--json") {
            // Nowhere is left to say that this failed.
            let _ = console::Console::line(&failure.json("sdi"));
        } else {
            console::to_stderr(&failure.text(false));
        }
        return ExitCode::from(failure.exit());
    }
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !is_help && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let what = text.split("\n\n").next().unwrap_or_default();
        let words: Vec<&str> =
            what.split_whitespace().skip_while(|word| *word == "error:").collect();
        let message = words.join(" ");
        let failure = Failure::usage(report::printable(&message));
        // Nowhere is left to say that this failed.
        let _ = console::Console::line(&failure.json("sdi"));
    } else {
        let _ = error.print();
    }
    ExitCode::from(if is_help { 0 } else { Code::USAGE.exit() })
}

//! What the global options say, and the only place that writes to stdout and stderr as text.

use crate::report::{Failure, Outcome};
use crate::warning::Warning;
use clap::{ArgAction, Args, ValueEnum};
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// The options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Console {
    /// Says on stderr what was done; -vv each step, too.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Says nothing but errors on stderr.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Prints one JSON object on stdout, also on failure.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When errors are coloured; NO_COLOR is heeded.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Replaces an output that is there already.
    #[arg(long, global = true)]
    pub(crate) force: bool,
    /// The configuration file for encrypt and encrypt-dir; without it $XDG_CONFIG_HOME/sdi/config.toml,
    /// if that is there.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What was warned of, for `--json`.
    #[arg(skip)]
    warnings: Mutex<Vec<Warning>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Console {
    /// Says what a person may want to know.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet && (!self.json || self.verbose > 0) {
            to_stderr(text);
        }
    }

    /// Says what a person should look at, and keeps it for `--json`.
    pub(crate) fn warn(&self, warning: Warning) {
        self.note(&format!("warning: {}", warning.text));
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// With what was warned of: behind what the command itself has found.
    fn with_warnings(&self, mut object: Value) -> Value {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let is_failure = object.get("error").is_some();
        if is_failure && warnings.is_empty() {
            return object;
        }
        if object.get("warnings").is_none() {
            object["warnings"] = json!([]);
        }
        if let Some(list) = object["warnings"].as_array_mut() {
            list.extend(warnings.iter().map(Warning::json));
        }
        object
    }

    /// Says what was done to those who ask: `-v`.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose > 0 {
            to_stderr(text);
        }
    }

    /// Says each step on the way to those who ask twice: `-vv`.
    pub(crate) fn step(&self, text: &str) {
        if self.verbose > 1 {
            to_stderr(text);
        }
    }

    /// Whether a progress line may be drawn.
    pub(crate) fn draws_progress(&self) -> bool {
        !self.quiet && !self.json && io::stderr().is_terminal()
    }

    /// `--json` and data cannot both have stdout.
    pub(crate) fn check_stdout_is_free(&self) -> Result<(), Failure> {
        if self.json {
            return Err(Failure::usage("--json needs stdout, where the data goes")
                .help("write the data to a file with -o FILE"));
        }
        Ok(())
    }

    /// Prints how a command went, and ends the process with its status.
    pub(crate) fn finish(&self, command: &str, outcome: &Outcome) -> ExitCode {
        let status = match outcome {
            Ok(answer) => answer.exit,
            Err(failure) => failure.exit(),
        };
        let printed = match outcome {
            Ok(answer) if answer.is_said => Ok(()),
            Ok(answer) if self.json => print(&self.with_warnings(answer.json(command)).to_string()),
            Ok(answer) if answer.text.is_empty() => Ok(()),
            Ok(answer) => print(&answer.text),
            Err(failure) if failure.is_quiet() => Ok(()),
            Err(failure) if self.json => {
                print(&self.with_warnings(failure.json(command)).to_string())
            }
            Err(failure) => {
                to_stderr(&failure.text(self.has_color()));
                Ok(())
            }
        };
        match printed {
            Ok(()) => ExitCode::from(status),
            // The answer did not arrive.
            Err(_) => ExitCode::from(status.max(1)),
        }
    }

    /// Prints one line of a batch.
    pub(crate) fn line(object: &Value) -> io::Result<()> {
        print(&object.to_string())
    }

    fn has_color(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let is_wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
                is_wanted && io::stderr().is_terminal()
            }
        }
    }
}

/// `println!` panics when nobody reads.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

pub(crate) fn to_stderr(text: &str) {
    // In one call, so that another program writes before or after. Nowhere is left to say that this failed.
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

//! `sdi completions`: what a shell needs to complete commands.

use super::put;
use crate::cli::Cli;
use crate::console::Console;
use crate::output::Readers;
use crate::report::{Answer, Outcome};
use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;
use std::path::Path;

/// Prints the completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi completions bash > sdi.bash
  sdi completions fish > sdi.fish")]
pub(crate) struct Args {
    /// The shell.
    shell: Which,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    Bash,
    Zsh,
    Fish,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    let shell = match args.shell {
        Which::Bash => Shell::Bash,
        Which::Zsh => Shell::Zsh,
        Which::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sdi", &mut script);
    put(&script, Path::new("-"), Readers::All, console)?;
    Ok(Answer::default())
}

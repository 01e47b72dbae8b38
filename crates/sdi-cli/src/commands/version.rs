//! `sdi version`.

use crate::report::Answer;
use serde_json::json;

/// Shows the version.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi version
  sdi version --json")]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Answer {
    let version = env!("CARGO_PKG_VERSION");
    Answer::new(format!("sdi {version}"), json!({ "version": version }))
}

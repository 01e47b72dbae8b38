//! `sdi encrypt-dir`: from a folder of configurations to a folder of a TFTP server.

use super::encrypt::{Profile, Recipient};
use crate::console::{Console, to_stderr};
use crate::fleet::jobs::{Job, Jobs, Misnamed, jobs};
use crate::fleet::seal::{Action, Fleet, Report, group_size};
use crate::fleet::state::State;
use crate::input::forbid_core_files;
use crate::output::Folder;
use crate::report::{Answer, Failure, Outcome, shown};
use crate::warning::Warning;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// Encrypts a folder of configurations, one file for each device.
///
/// CONFIGS/SN1.cfg is encrypted to STORE/SN1.crt, as OUT/SN1.enc. A run that was interrupted leaves
/// whole files only. One that was started with --changed-only, which leaves alone what has not changed,
/// is finished by running it again; any other is repeated with --force. On a terminal it ends with a
/// table, otherwise it prints a JSON object on a line for each file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi encrypt-dir configs --store certs -o tftp
  sdi encrypt-dir configs --store certs -o tftp --changed-only --keep-going")]
pub(crate) struct Args {
    /// The folder with the configurations.
    #[arg(value_name = "CONFIGS")]
    input: PathBuf,
    /// The folder with the certificates, each named by its device: ID.crt.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The folder for the encrypted files, such as the TFTP server's.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Which file is for which device: the name without its ending is the identifier, or a CSV file
    /// with the columns id and file, or a JSON object of identifiers and files.
    #[arg(long, value_name = "id=stem|FILE", default_value = "id=stem")]
    map: PathBuf,
    /// How many files are encrypted at once; all cores if it is not given.
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// One more certificate for every file, such as that of a second routing engine; may be repeated.
    #[arg(short, long, value_name = "CRT")]
    recipient: Vec<PathBuf>,
    /// How to encrypt; auto, if the configuration file does not say otherwise.
    #[arg(long, value_name = "P", env = "SDI_PROFILE", hide_env_values = true)]
    profile: Option<Profile>,
    /// Writes only what has changed since the last run with this option.
    #[arg(long)]
    changed_only: bool,
    /// Where --changed-only keeps what it knows. Keep it out of the server's folder: it holds a key
    /// with which guesses of a configuration can be tested.
    #[arg(long, value_name = "FILE", requires = "changed_only")]
    state: Option<PathBuf>,
    /// Goes on after a failure, and exits with the worst one.
    #[arg(long)]
    keep_going: bool,
    /// Shows what would be written.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    forbid_core_files()?;
    if is_same(&args.input, &args.output) {
        return Err(Failure::usage(
            "the folder for the encrypted files is that of the configurations",
        )
        .fact("folder", shown(&args.output))
        .help("the next run would encrypt them again: name another folder with -o"));
    }
    let Jobs { jobs, misnamed } = jobs(&args.input, &args.map)?;
    if let (false, Some(failure)) = (args.keep_going, Misnamed::all(&misnamed)) {
        return Err(failure);
    }
    if jobs.is_empty() && misnamed.is_empty() {
        let from = if args.map.as_os_str() == "id=stem" { &args.input } else { &args.map };
        let text = format!("{} holds no configuration: there is nothing to encrypt", shown(from));
        console.warn(Warning::new("nothing", text));
    }
    let state_path = args.state.clone().unwrap_or_else(|| args.input.join(".sdi-state"));
    let mut fleet = Fleet {
        store: &args.store,
        output: &args.output,
        folder: Folder::open(&args.output)?,
        extra: extra(&args.recipient, console)?,
        profile: Profile::chosen(args.profile, console)?,
        workers: args.jobs.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get),
        force: console.force,
        is_dry: args.dry_run,
        keep_going: args.keep_going,
        state: args.changed_only.then(|| State::open(&state_path, args.dry_run)).transpose()?,
    };
    if let Some(warning) = left_over(&fleet, &jobs) {
        console.warn(warning);
    }
    let mut tally = Tally::new(jobs.len() + misnamed.len(), args.dry_run, console);
    let mut misnamed = misnamed.into_iter().peekable();
    for group in jobs.chunks(group_size(fleet.workers)) {
        for report in fleet.group(group)? {
            while let Some(one) = misnamed.next_if(|one| one.config < report.config) {
                tally.add(&failed(&one, &fleet));
            }
            tally.add(&report);
        }
        tally.draw();
        if tally.worst.is_some() && !args.keep_going {
            break;
        }
    }
    for one in misnamed {
        tally.add(&failed(&one, &fleet));
    }
    Ok(tally.end())
}

/// Outputs of earlier runs that no configuration stands for any more. Devices still fetch them; whether
/// they should is not for us to say.
fn left_over(fleet: &Fleet<'_>, jobs: &[Job]) -> Option<Warning> {
    /// How many are named.
    const NAMED: usize = 5;
    let wanted: HashSet<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    let ids = fleet.state.iter().flat_map(State::ids).filter(|id| !wanted.contains(id));
    let mut outputs: Vec<PathBuf> = ids.map(|id| fleet.output_of(id)).collect();
    outputs.retain(|output| output.exists());
    outputs.sort();
    if outputs.is_empty() {
        return None;
    }
    let mut named: Vec<String> = outputs.iter().take(NAMED).map(|path| shown(path)).collect();
    if let Some(more @ 1..) = outputs.len().checked_sub(NAMED) {
        named.push(format!("and {more} more"));
    }
    let named = named.join(", ");
    let text = format!(
        "earlier runs wrote what has no configuration any more: {named}; \
         remove what devices shall not fetch"
    );
    Some(Warning::new("left-over", text))
}

/// What is said of a file whose name is no identifier.
fn failed(one: &Misnamed, fleet: &Fleet<'_>) -> Report {
    Report {
        id: one.stem(),
        config: one.config.clone(),
        output: fleet.output_of(&one.stem()),
        result: Err(one.failure()),
        other_name: None,
        warnings: Vec::new(),
    }
}

/// Whether both are the same folder, by whatever names.
fn is_same(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| path.metadata().ok().map(|found| (found.dev(), found.ino()));
    id(one).is_some_and(|one| id(other) == Some(one))
}

fn extra(paths: &[PathBuf], console: &Console) -> Result<Vec<Recipient>, Failure> {
    let read = |path: &PathBuf| {
        let mut recipient = Recipient::read(path, &[])?;
        recipient.warning.take().into_iter().for_each(|warning| console.warn(warning));
        Ok(recipient)
    };
    paths.iter().map(read).collect()
}

/// How many files went how, and what is said of it.
struct Tally<'a> {
    console: &'a Console,
    /// A line for each file; a table for people.
    is_lines: bool,
    /// Why no more lines are written.
    lost: Option<io::Error>,
    total: usize,
    is_dry: bool,
    begun: Instant,
    written: usize,
    unchanged: usize,
    empty: usize,
    failed: Vec<(String, Failure)>,
    worst: Option<Failure>,
    is_drawn: bool,
}

impl<'a> Tally<'a> {
    fn new(total: usize, is_dry: bool, console: &'a Console) -> Self {
        Self {
            console,
            is_lines: console.json || !io::stdout().is_terminal(),
            lost: None,
            total,
            is_dry,
            begun: Instant::now(),
            written: 0,
            unchanged: 0,
            empty: 0,
            failed: Vec::new(),
            worst: None,
            is_drawn: false,
        }
    }

    fn add(&mut self, report: &Report) {
        let id = report.id.as_str();
        if let Some(name) = &report.other_name {
            self.clear();
            self.console.note(&format!("warning: the certificate of {id} is for \"{name}\""));
        }
        for warning in &report.warnings {
            self.clear();
            self.console.note(&format!("warning: {}", warning.text));
            self.empty += usize::from(warning.code == "empty");
        }
        match &report.result {
            Ok(Action::Unchanged) => self.unchanged += 1,
            Ok(Action::Written | Action::WouldWrite) => self.written += 1,
            Err(failure) => {
                if !self.console.json {
                    self.clear();
                    // Not every failure says which device it is about.
                    to_stderr(&failure.clone().fact("device", id).text(false));
                }
                let is_worse =
                    |worst: &Failure| failure.code().severity() > worst.code().severity();
                if self.worst.as_ref().is_none_or(is_worse) {
                    self.worst = Some(failure.clone());
                }
                self.failed.push((id.to_owned(), failure.clone()));
            }
        }
        if self.is_lines
            && let Err(error) = Console::line(&line(report))
        {
            // The files are what counts: that nobody reads of them is told at the end.
            self.is_lines = false;
            self.lost = Some(error);
        }
    }

    fn done(&self) -> usize {
        self.written + self.unchanged + self.failed.len()
    }

    /// The progress, on one line that is drawn again; not for what is over at once.
    fn draw(&mut self) {
        let since = self.begun.elapsed();
        if since < Duration::from_millis(500) || !self.console.draws_progress() {
            return;
        }
        let done = u32::try_from(self.done()).unwrap_or(u32::MAX).max(1);
        let left = u32::try_from(self.total - self.done()).unwrap_or(u32::MAX);
        let rate = f64::from(done) / since.as_secs_f64();
        let seconds = f64::from(left) / rate;
        self.clear();
        self.is_drawn = true;
        let failed = self.failed.len();
        let total = self.total;
        let line = format!("{done} of {total}, {failed} failed, {rate:.0}/s, {seconds:.0} s left");
        // A progress that cannot be drawn is no failure.
        let _ = write!(io::stderr(), "{line}");
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn end(mut self) -> Answer {
        self.clear();
        let untried = self.total - self.done();
        let mut summary = format!(
            "{} {}, unchanged {}, failed {}",
            if self.is_dry { "would write" } else { "written" },
            self.written,
            self.unchanged,
            self.failed.len()
        );
        if self.empty > 0 {
            summary.push_str(&format!(", empty {}", self.empty));
        }
        if untried > 0 {
            summary.push_str(&format!(", not tried {untried}"));
        }
        let mut answer = Answer {
            exit: self.worst.as_ref().map_or(0, Failure::exit),
            is_said: self.is_lines || self.lost.is_some(),
            ..Answer::default()
        };
        if let Some(error) = &self.lost {
            let what = match error.kind() {
                io::ErrorKind::BrokenPipe => "nobody reads standard output any more".to_owned(),
                _ => format!("cannot write standard output: {error}"),
            };
            to_stderr(&format!("warning: {what}; the run went on"));
            answer.exit = answer.exit.max(1);
        }
        if answer.is_said {
            self.console.note(&summary);
            return answer;
        }
        let rows = self.failed.iter().map(|(id, failure)| format!("{id}  {}\n", failure.code()));
        answer.text = rows.collect::<String>() + &summary;
        answer
    }
}

fn line(report: &Report) -> Value {
    let Report { id, config, output, result, other_name, warnings } = report;
    let mut line = match result {
        Ok(action) => json!({
            "v": 1,
            "ok": true,
            "exit": 0,
            "command": "encrypt-dir",
            "action": match action {
                Action::Written => "written",
                Action::WouldWrite => "would-write",
                Action::Unchanged => "unchanged",
            },
        }),
        Err(failure) => {
            let mut line = failure.json("encrypt-dir");
            line["action"] = json!("failed");
            line
        }
    };
    line["id"] = json!(id);
    line["file"] = json!(shown(config));
    line["output"] = json!(shown(output));
    line["certificate_id"] = json!(other_name);
    line["warnings"] = Warning::list(warnings);
    line
}

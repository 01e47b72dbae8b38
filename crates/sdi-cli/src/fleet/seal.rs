//! The work: every core encrypts, and the files of a group get their names together.

use super::jobs::Job;
use super::state::{Entry, State, output_hash};
use crate::code::Code;
use crate::commands::encrypt::{Profile, Recipient};
use crate::input::{quoted, read_file};
use crate::output::{Folder, NewFile, Readers, check_not_an_input};
use crate::report::{Failure, printable, shown};
use crate::stream::{blank, is_blank};
use crate::warning::Warning;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sdi::{Certificate, SystemRandom};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Files that are synced at once: one sync for each would take longer than its encryption.
const GROUP: usize = 1024;

/// As many files as may be open at once, up to `GROUP`: each has no name and is open until all of its
/// group are on the disk. Most systems allow 1,024 at first, and more to who asks.
pub(crate) fn group_size(workers: usize) -> usize {
    // What else is open: the folder, the state, what each worker reads.
    let others = workers.saturating_mul(2).saturating_add(32);
    let wanted = u64::try_from(others.saturating_add(GROUP)).unwrap_or(u64::MAX);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let current = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        // If it is refused, groups are smaller.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limit });
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
    allowed.saturating_sub(others).clamp(1, GROUP)
}

/// The longest configuration, as the library's own limit for a file.
const CONFIG: usize = 64 << 20;

/// What is the same for every file.
pub(crate) struct Fleet<'a> {
    pub(crate) store: &'a Path,
    pub(crate) output: &'a Path,
    pub(crate) folder: Folder,
    /// Beside the device's own.
    pub(crate) extra: Vec<Recipient>,
    pub(crate) profile: Profile,
    pub(crate) workers: usize,
    pub(crate) force: bool,
    pub(crate) is_dry: bool,
    pub(crate) keep_going: bool,
    pub(crate) state: Option<State>,
}

/// What was done for one device.
pub(crate) struct Report {
    pub(crate) id: String,
    pub(crate) config: PathBuf,
    pub(crate) output: PathBuf,
    pub(crate) result: Result<Action, Failure>,
    /// The certificate's own identifier, where it is another one.
    pub(crate) other_name: Option<String>,
    pub(crate) warnings: Vec<Warning>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Written,
    WouldWrite,
    Unchanged,
}

/// What is said of a file, whatever becomes of it.
#[derive(Default)]
struct Notes {
    other_name: Option<String>,
    warnings: Vec<Warning>,
}

/// What a worker gives back.
enum Made {
    File { file: NewFile, entry: Option<Entry> },
    Done(Action),
}

impl Fleet<'_> {
    pub(crate) fn output_of(&self, id: &str) -> PathBuf {
        self.output.join(format!("{id}.enc"))
    }

    /// Encrypts a group of jobs; those that were not begun, after a failure, are left out.
    ///
    /// In this order: all files are written, brought to the disk, noted in the state, and named. A
    /// kill at any moment leaves whole files only.
    pub(crate) fn group(&mut self, jobs: &[Job]) -> Result<Vec<Report>, Failure> {
        let mut made = self.make(jobs);
        let is_file =
            |(_, _, made): &(_, _, Result<Made, Failure>)| matches!(made, Ok(Made::File { .. }));
        if made.iter().any(is_file) {
            self.folder.sync_all()?;
            if let Some(state) = &mut self.state {
                let entries = made.iter_mut().filter_map(|(job, _, made)| match made {
                    Ok(Made::File { entry, .. }) => Some((job.id.to_string(), entry.take()?)),
                    _ => None,
                });
                state.add(entries.collect())?;
            }
        }
        let reports = made.into_iter().map(|(job, notes, made)| {
            let result = made.and_then(|made| match made {
                Made::File { mut file, .. } => file.name().map(|()| Action::Written),
                Made::Done(action) => Ok(action),
            });
            let (id, output) = (job.id.to_string(), self.output_of(job.id.as_str()));
            let Notes { other_name, warnings } = notes;
            Report { id, config: job.config, output, result, other_name, warnings }
        });
        let reports = reports.collect();
        self.folder.sync()?;
        Ok(reports)
    }

    fn make(&self, jobs: &[Job]) -> Vec<(Job, Notes, Result<Made, Failure>)> {
        let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let done = Mutex::new(Vec::with_capacity(jobs.len()));
        let work = || {
            while !is_over.load(Ordering::Relaxed) {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(place) else { break };
                let mut notes = Notes::default();
                let made = self.one(job, &mut notes);
                if made.is_err() && !self.keep_going {
                    is_over.store(true, Ordering::Relaxed);
                }
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.push((place, (job.clone(), notes, made)));
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.workers.min(jobs.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(place, _)| *place);
        done.into_iter().map(|(_, made)| made).collect()
    }

    fn one(&self, job: &Job, notes: &mut Notes) -> Result<Made, Failure> {
        check_kind(&job.config)?;
        let mut own = self.certificate(job)?;
        notes.warnings.extend(own.warning.take());
        let name = own.certificate.device_id().unwrap_or_default();
        if !name.eq_ignore_ascii_case(job.id.as_str()) {
            notes.other_name = Some(printable(&name));
        }
        let recipients = std::iter::once(&own).chain(&self.extra);
        let certificates: Vec<Certificate> = recipients.map(|r| r.certificate.clone()).collect();
        check_not_an_input(&self.output_of(job.id.as_str()), [&job.config], self.force)?;
        let plaintext = read_file(&job.config, CONFIG)?;
        if is_blank(&plaintext) {
            notes.warnings.push(blank(&job.config));
        }

        let output = self.output_of(job.id.as_str());
        let input = self.state.as_ref().map(|state| {
            let profile = match self.profile {
                Profile::Auto => 0,
                Profile::Rfc8886 => 1,
                Profile::Authenticated => 2,
            };
            state.hash_of(profile, certificates.iter().map(Certificate::der), &plaintext)
        });
        let known = self.state.as_ref().and_then(|state| state.entry(job.id.as_str()));
        if let (Some(known), Some(input)) = (known, &input)
            && known.input == *input
            && File::open(&output).and_then(output_hash).is_ok_and(|hash| hash == known.output)
        {
            return Ok(Made::Done(Action::Unchanged));
        }
        // What an earlier run has written may be replaced.
        let force = self.force || known.is_some();
        let name = output.file_name().unwrap_or_default();
        if self.is_dry {
            self.folder.check_free(name, force)?;
            return Ok(Made::Done(Action::WouldWrite));
        }
        let mut file = self.folder.clone().create(name, Readers::All, force)?;
        let sealed =
            sdi::seal(&plaintext, &certificates, self.profile.library(), &mut SystemRandom)?;
        let written = file.write_all(&sealed);
        written.map_err(|error| Failure::io("write", &output, &error))?;
        let hash = output_hash(&sealed[..]).unwrap_or_default();
        let entry = input.map(|input| Entry { input, output: hash });
        Ok(Made::File { file, entry })
    }

    fn certificate(&self, job: &Job) -> Result<Recipient, Failure> {
        let path = self.store.join(format!("{}.crt", job.id));
        if !path.exists() {
            let message = format!("there is no certificate for {}", job.id);
            return Err(Failure::new(Code::NOT_FOUND, message)
                .fact("looked for", shown(&path))
                .help(format!(
                    "get it from the vendor, compare its fingerprint, and put it there:\n\
                     sdi pubkey --cert {} --fingerprint",
                    quoted(&path)
                )));
        }
        Recipient::read(&path, &[])
    }
}

/// What is no file would be waited for, or never end. A missing one is told when it is read.
fn check_kind(config: &Path) -> Result<(), Failure> {
    match (fs::metadata(config), fs::read_link(config)) {
        (Ok(found), _) if found.is_file() => Ok(()),
        (Ok(_), _) => Err(Failure::new(Code::OTHER, "a configuration is no file")
            .file(config)
            .help("a pipe, a socket and a device hold no configuration: put a file in its place")),
        (Err(error), Ok(target)) => {
            Err(Failure::io("read", config, &error).fact("symbolic link to", shown(&target)))
        }
        (Err(_), Err(_)) => Ok(()),
    }
}

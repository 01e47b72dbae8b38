//! `sdi autoinstall simulate`: when a device asks for its configuration, on a clock that is only
//! counted. The machine is the library's, so this is what a device does.

use super::{device_id, wrote};
use crate::console::Console;
use crate::output::{NewFile, Readers};
use crate::plot::{self, Attempt, Ending};
use crate::report::{Answer, Failure, Outcome, shown};
use sdi::{Action, Autoinstall, Detection, DeviceId, Encoding, Event, Policy};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// Auto-install, the device's side of RFC 8886.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows when a device asks for its configuration, and draws it.
    ///
    /// The clock is only counted: hours take no time. The same options give the same attempts.
    #[command(after_help = "\
Examples:
  sdi autoinstall simulate --server-appears-at 2h17m --loss 5%
  sdi autoinstall simulate --server-appears-at 40m --jitter 0 --plot attempts.svg")]
    Simulate(Simulate),
}

#[derive(Debug, clap::Args)]
struct Simulate {
    /// The device; its waits follow from its identifier.
    #[arg(long, default_value = "SN19842256", value_parser = device_id)]
    id: DeviceId,
    /// When the server is ready, counted from when the device is switched on, such as 2h17m.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    server_appears_at: Duration,
    /// How many fetches of a hundred fail though the server is ready.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    loss: u32,
    /// How much longer or shorter each wait may be, in per cent of it; 50 at most.
    #[arg(long, value_name = "PERCENT", default_value = "10", value_parser = jitter)]
    jitter: u32,
    /// The waits: the first one, for how long, and the later one.
    #[arg(long, value_name = "FAST,FOR,SLOW", default_value = "5m,1h,1h", value_parser = retry)]
    retry: (Duration, Duration, Duration),
    /// Gives up after so many attempts.
    #[arg(long, value_name = "N")]
    max_attempts: Option<NonZeroU32>,
    /// Draws it into a file, too.
    #[arg(long, value_name = "OUT.svg")]
    plot: Option<PathBuf>,
}

/// Nobody looks at a drawing of more.
const END: Duration = Duration::from_secs(7 * 86_400);

impl Args {
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Command::Simulate(_) => "autoinstall simulate",
        }
    }
}

pub(crate) fn run(args: &Args, console: &Console) -> Outcome {
    let Command::Simulate(args) = &args.command;
    let attempts = simulate(args)?;
    let installed = attempts.iter().any(|attempt| attempt.ending == Ending::Installed);
    let end = if installed { "installed" } else { "not installed" };
    console.detail(&format!("{}: {} attempts, {end}", args.id, attempts.len()));
    if let Some(path) = &args.plot {
        let failed = |error| Failure::io("write", path, &error);
        let svg = plot::svg(args.id.as_str(), args.server_appears_at, &attempts);
        let mut file = NewFile::create(path, Readers::All, console.force)?;
        file.write_all(svg.as_bytes()).map_err(failed)?;
        file.publish()?;
        console.detail(&wrote(path, svg.len(), Readers::All));
    }
    let json: Vec<Value> = attempts
        .iter()
        .map(|attempt| json!({ "seconds": attempt.at.as_secs(), "ending": attempt.ending.word() }))
        .collect();
    let fields = json!({
        "id": args.id.as_str(),
        "server_appears_at": args.server_appears_at.as_secs(),
        "attempts": json,
        "plot": args.plot.as_deref().map(shown),
    });
    Ok(Answer::new(plot::text(&attempts), fields))
}

fn simulate(args: &Simulate) -> Result<Vec<Attempt>, Failure> {
    let (fast, fast_for, slow) = args.retry;
    let policy = Policy::unseeded()
        .max_attempts(args.max_attempts)
        .retry(fast, fast_for, slow)?
        .jitter(10 * args.jitter, args.id.as_str().as_bytes())?;
    let mut now = Duration::ZERO;
    let mut machine = Autoinstall::new(policy, now);
    let mut attempts = Vec::new();
    loop {
        let event = match machine.poll(now) {
            Action::WaitUntil(time) if time > END => return Ok(attempts),
            Action::WaitUntil(time) => {
                now = time;
                continue;
            }
            Action::Fetch { attempt } => {
                let ending = ending(args, now, attempt);
                attempts.push(Attempt { at: now, ending });
                match ending {
                    Ending::Installed => Event::Fetched(Detection::Enveloped(Encoding::Der)),
                    _ => Event::FetchFailed,
                }
            }
            Action::Decrypt => Event::Decrypted,
            Action::Check | Action::CheckRaw => Event::Checked,
            Action::Install | Action::InstallRaw => Event::Installed,
            Action::Finished(_) => return Ok(attempts),
        };
        machine.handle(now, event).map_err(sdi::Error::from)?;
    }
}

/// Which attempts are lost follows from the device and the number of the attempt.
fn ending(args: &Simulate, now: Duration, attempt: u32) -> Ending {
    if now < args.server_appears_at {
        return Ending::NoServer;
    }
    let hash = Sha256::new().chain_update(args.id.as_str()).chain_update(attempt.to_be_bytes());
    let [a, b, c, d, ..]: [u8; 32] = hash.finalize().into();
    let draw = u32::from_be_bytes([a, b, c, d]) % 100;
    if draw < args.loss { Ending::Lost } else { Ending::Installed }
}

/// A time as `2h17m`, `90s` or `1d`.
fn time(text: &str) -> Result<Duration, String> {
    const WRONG: &str = "a time is a number with d, h, m or s behind it, such as 2h17m";
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit()).ok_or(WRONG)?;
        let (number, unit) = rest.split_at(digits);
        let number: u32 = number.parse().map_err(|_| WRONG)?;
        let seconds = match unit.chars().next() {
            Some('d') => 86_400,
            Some('h') => 3_600,
            Some('m') => 60,
            Some('s') => 1,
            _ => return Err(WRONG.into()),
        };
        total = total.saturating_add(Duration::from_secs(seconds).saturating_mul(number));
        rest = unit.get(1..).unwrap_or_default();
    }
    if text.is_empty() || total > END { Err(format!("{WRONG}, up to 7d")) } else { Ok(total) }
}

fn percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse();
    number.ok().filter(|number| *number <= 100).ok_or_else(|| "a number up to 100".into())
}

/// A device must not ask all the time, nor never.
fn jitter(text: &str) -> Result<u32, String> {
    percent(text).ok().filter(|number| *number <= 50).ok_or_else(|| "a number up to 50".into())
}

fn retry(text: &str) -> Result<(Duration, Duration, Duration), String> {
    let times: Vec<Duration> = text.split(',').map(time).collect::<Result<_, _>>()?;
    match times[..] {
        [fast, fast_for, slow] => Ok((fast, fast_for, slow)),
        _ => Err("three times with commas between them, such as 5m,1h,1h".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_percents_are_read() {
        assert_eq!(time("2h17m"), Ok(Duration::from_secs(8220)));
        assert_eq!(time("1d1s"), Ok(Duration::from_secs(86_401)));
        assert_eq!(time("0s"), Ok(Duration::ZERO));
        for wrong in ["", "5", "m", "5x", "-5m", "8d", "99999999999s", "5\u{fc}"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert_eq!((percent("5%"), percent("100")), (Ok(5), Ok(100)));
        assert_eq!((jitter("50%"), jitter("51")), (Ok(50), Err("a number up to 50".into())));
        assert!(percent("101").is_err() && percent("-1").is_err() && percent("%").is_err());
        assert!(retry("5m,1h").is_err() && retry("5m,1h,1h").is_ok());
    }
}

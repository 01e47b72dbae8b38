//! The configuration file: what options are where neither the command line nor the environment says.
//! No secret belongs in it.

use crate::commands::encrypt::Profile;
use crate::console::Console;
use crate::input::read_up_to;
use crate::report::{Failure, printable, shown};
use crate::warning::Warning;
use clap::ValueEnum;
use std::env;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// What the configuration file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    pub(crate) profile: Option<Profile>,
}

/// Keys of the commands that speak to a directory. They are not there yet, and a file may be shared
/// with a version that has them.
const LATER: [&str; 3] = ["directory", "ca_bundle", "pin_file"];

/// Longer than any configuration file.
const LIMIT: usize = 64 << 10;

impl Settings {
    /// Reads the file that was named, which has to be there, or else the user's own, if there is one.
    pub(crate) fn read(console: &Console) -> Result<Self, Failure> {
        let Some(path) = console.config.clone().or_else(usual) else { return Ok(Self::default()) };
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound && console.config.is_none() => {
                return Ok(Self::default());
            }
            file => file.map_err(|error| Failure::io("read", &path, &error))?,
        };
        let bytes = read_up_to(file, &path, LIMIT)?;
        console.step(&format!("read the configuration file {}", shown(&path)));
        let (settings, unused) = Self::parse(&bytes).map_err(|failure| failure.file(&path))?;
        for key in unused {
            let file = shown(&path);
            console.warn(Warning::new(
                "unused-key",
                format!("{file}: {key} is not used by this version"),
            ));
        }
        Ok(settings)
    }

    /// The settings, and the keys that are for later versions.
    fn parse(bytes: &[u8]) -> Result<(Self, Vec<String>), Failure> {
        let text = std::str::from_utf8(bytes);
        let text = text.map_err(|_| Failure::usage("the configuration file is no UTF-8 text"))?;
        let table = DeTable::parse(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            Failure::usage("the configuration file is no TOML")
                .fact("reason", printable(error.message()))
                .fact("line", (before.matches('\n').count() + 1).to_string())
        })?;
        let mut settings = Self::default();
        let mut unused = Vec::new();
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                "profile" => settings.profile = Some(profile(value.get_ref())?),
                key if LATER.contains(&key) => unused.push(key.to_owned()),
                key => {
                    return Err(Failure::usage("the configuration file has an unknown key")
                        .fact("key", printable(key))
                        .help("the key of this version is: profile"));
                }
            }
        }
        Ok((settings, unused))
    }
}

fn profile(value: &DeValue<'_>) -> Result<Profile, Failure> {
    let found = value.as_str().and_then(|text| Profile::from_str(text, false).ok());
    found.ok_or_else(|| {
        let values = Profile::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let values: Vec<String> = values.map(|value| format!("\"{}\"", value.get_name())).collect();
        Failure::usage("the configuration file has a value that is unknown")
            .fact("key", "profile")
            .help(format!("one of {}", values.join(", ")))
    })
}

/// `$XDG_CONFIG_HOME/sdi/config.toml`; that folder is `~/.config` where the variable names none.
fn usual() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(folder.join(Path::new("sdi/config.toml")))
}

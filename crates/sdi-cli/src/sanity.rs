//! Is this a configuration? For plaintext that nothing but its padding vouches for, and for those who
//! ask. It looks at a stream piece by piece.

mod junos;
mod text;

use crate::code::Code;
use crate::report::{Failure, printable, shown};
use clap::builder::{OsStringValueParser, TypedValueParser};
use junos::JunosCheck;
use regex::bytes::{Regex, RegexBuilder};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use text::TextCheck;

/// Which check.
#[derive(Debug, Clone)]
pub(crate) enum Sanity {
    /// Text, where nothing but the padding says that the key was right.
    Auto,
    /// No check.
    None,
    /// UTF-8 text without NUL, and not blank.
    Text,
    /// What Junos writes: statements in braces, commands such as `set`, or XML.
    Junos,
    /// Text that ends with the line `end`.
    Ios,
    /// What this expression finds something in.
    Regex(Regex),
    /// What this program accepts.
    Program(OsString),
}

impl Sanity {
    /// Of the option's value.
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        OsStringValueParser::new().try_map(|value| match value.as_bytes() {
            b"auto" => Ok(Self::Auto),
            b"none" => Ok(Self::None),
            b"text" => Ok(Self::Text),
            b"junos" => Ok(Self::Junos),
            b"ios" => Ok(Self::Ios),
            [b'r', b'e', b'g', b'e', b'x', b':', expression @ ..] => {
                self::expression(expression).map(Self::Regex)
            }
            [b'c', b'm', b'd', b':', program @ ..] if !program.is_empty() => {
                Ok(Self::Program(OsStr::from_bytes(program).to_owned()))
            }
            _ => Err("one of auto, none, text, junos, ios, regex:RE, cmd:PROG".into()),
        })
    }

    /// Whether it looks at the plaintext as a whole, which therefore has to be kept.
    pub(crate) fn needs_all(&self) -> bool {
        matches!(self, Self::Regex(_) | Self::Program(_))
    }
}

/// As grep has it: `^` and `$` are the ends of a line. Configurations are bytes: a letter outside
/// ASCII stands for its UTF-8.
fn expression(text: &[u8]) -> Result<Regex, String> {
    let text = std::str::from_utf8(text).map_err(|_| "the expression is no UTF-8")?;
    let built = RegexBuilder::new(text).unicode(false).multi_line(true).crlf(true).build();
    built.map_err(|error| error.to_string())
}

/// Looks for the expression in the whole plaintext.
pub(crate) fn search(expression: &Regex, plaintext: &[u8]) -> Result<(), Failure> {
    if expression.is_match(plaintext) {
        return Ok(());
    }
    Err(Failure::new(Code::NOT_SANE, "the expression is not found in what was decrypted")
        .fact("expression", printable(expression.as_str()))
        .help("ask for another expression, or say --sanity none"))
}

/// Shows the plaintext to a program, which says by its status whether it is a configuration.
pub(crate) fn ask(
    program: &OsStr,
    show: impl FnOnce(&mut ChildStdin) -> io::Result<()>,
) -> Result<(), Failure> {
    let path = Path::new(program);
    let failed = |error: io::Error| Failure::io("run", path, &error);
    // What it says goes to stderr; stdout is the plaintext's.
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| show(&mut stdin));
    let status = child.wait().map_err(failed)?;
    match written {
        // It knows before it has read all.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(failed(error)),
        _ => {}
    }
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(Code::NOT_SANE, "the program that was asked does not accept it")
        .fact("program", shown(path))
        .fact("status", status.to_string()))
}

/// Why a plaintext is no configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Insane {
    what: &'static str,
    line: u64,
}

impl Insane {
    pub(crate) fn failure(self) -> Failure {
        let failure = Failure::new(Code::NOT_SANE, "what was decrypted is no configuration")
            .fact("reason", self.what);
        let failure = match self.line {
            0 => failure,
            line => failure.fact("line", line.to_string()),
        };
        failure.help(
            "give the certificate with --cert, so that a wrong key is noticed;\n\
             if the file is meant to be binary, say --sanity none",
        )
    }
}

/// A check that sees the plaintext piece by piece.
#[derive(Debug)]
pub(crate) struct Check {
    text: TextCheck,
    junos: Option<JunosCheck>,
    needs_end: bool,
}

impl Check {
    /// The check that is asked for; with `auto` the one that may turn out to be needed.
    pub(crate) fn of(sanity: &Sanity) -> Option<Self> {
        let junos = matches!(sanity, Sanity::Junos).then(JunosCheck::default);
        match sanity {
            Sanity::None | Sanity::Regex(_) | Sanity::Program(_) => None,
            Sanity::Auto | Sanity::Text | Sanity::Junos | Sanity::Ios => Some(Self {
                text: TextCheck::default(),
                junos,
                needs_end: matches!(sanity, Sanity::Ios),
            }),
        }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.text.push(piece);
        if let Some(junos) = &mut self.junos {
            junos.push(piece);
        }
    }

    /// The verdict on the whole.
    pub(crate) fn finish(self) -> Result<(), Insane> {
        self.text.finish(self.needs_end)?;
        self.junos.map_or(Ok(()), JunosCheck::finish)
    }
}

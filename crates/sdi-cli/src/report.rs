//! What a command has to say: an answer on stdout, or an error with a code, facts and help.

use crate::code::Code;
use crate::input::is_stream;
use serde_json::{Map, Value, json};
use std::fmt::{self, Display, Formatter, Write};
use std::io;
use std::path::Path;

/// What a command found or did.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// `detect` answers with 10 and 11, and a batch with its worst failure.
    pub(crate) exit: u8,
    /// For people, without the last line end.
    pub(crate) text: String,
    /// For `--json`.
    pub(crate) fields: Map<String, Value>,
    /// Everything is said already, line by line.
    pub(crate) is_said: bool,
}

impl Answer {
    pub(crate) fn new(text: impl Into<String>, fields: Value) -> Self {
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self { text: text.into(), fields, ..Self::default() }
    }

    /// The one object of `--json`.
    pub(crate) fn json(&self, command: &str) -> Value {
        let mut object = self.fields.clone();
        object.insert("v".into(), json!(1));
        object.insert("ok".into(), json!(self.exit == 0));
        object.insert("exit".into(), json!(self.exit));
        object.insert("command".into(), json!(command));
        Value::Object(object)
    }
}

pub(crate) type Outcome = Result<Answer, Failure>;

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    code: Code,
    message: String,
    facts: Vec<(&'static str, String)>,
    help: Option<String>,
    /// The library's own number.
    library: Option<i32>,
    /// Nobody reads what we would say.
    is_quiet: bool,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            message: message.into(),
            facts: Vec::new(),
            help: None,
            library: None,
            is_quiet: false,
        }))
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::USAGE, message)
    }

    /// An input or output that the system refused.
    pub(crate) fn io(what: &str, path: &Path, error: &io::Error) -> Self {
        let mut failure = Self::new(Code::OTHER, format!("cannot {what} {}", named(path, what)))
            .fact("reason", error.to_string());
        failure.0.is_quiet = error.kind() == io::ErrorKind::BrokenPipe;
        failure
    }

    /// Adds what a person needs to know.
    pub(crate) fn fact(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.0.facts.push((label, value.into()));
        self
    }

    /// The file in question comes before the other facts.
    pub(crate) fn file(mut self, path: &Path) -> Self {
        self.0.facts.insert(0, ("file", shown(path)));
        self
    }

    /// Says what to do; the last line should be a command that can be pasted.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// The first line.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    pub(crate) fn exit(&self) -> u8 {
        self.0.code.exit()
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.0.is_quiet
    }

    /// The one object of `--json`.
    pub(crate) fn json(&self, command: &str) -> Value {
        let mut fields = Map::new();
        for (label, value) in &self.0.facts {
            let value = Value::from(value.as_str());
            match *label {
                // There may be several of these.
                "recipient" => push(&mut fields, "wanted", value),
                "pin" => push(&mut fields, "pins", value),
                "misnamed" => push(&mut fields, "misnamed", value),
                "your key" => drop(fields.insert("have".into(), value)),
                label => drop(fields.insert(label.replace(' ', "_"), value)),
            }
        }
        json!({
            "v": 1,
            "ok": false,
            "exit": self.exit(),
            "command": command,
            "error": {
                "code": self.0.code.to_string(),
                "library": self.0.library,
                "message": self.0.message,
                "fields": fields,
                "help": self.0.help,
            },
        })
    }

    /// The lines for a person, with the first word in red if `color`.
    pub(crate) fn text(&self, color: bool) -> String {
        let (on, off) = if color { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        format!("{on}error[sdi::{}]{off}: {self}", self.0.code)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Parts { message, facts, help, .. } = &*self.0;
        f.write_str(message)?;
        let width = facts.iter().map(|(label, _)| label.len()).max().unwrap_or(0) + 2;
        for (label, value) in facts {
            write!(f, "\n  {label:width$}{value}")?;
        }
        for (i, line) in help.iter().flat_map(|help| help.lines()).enumerate() {
            write!(f, "\n  {}{line}", if i == 0 { "help: " } else { "      " })?;
        }
        Ok(())
    }
}

fn push(fields: &mut Map<String, Value>, list: &str, value: Value) {
    if let Value::Array(values) = fields.entry(list).or_insert_with(|| json!([])) {
        values.push(value);
    }
}

/// What the library says, under the code that fits.
impl From<&sdi::Error> for Failure {
    fn from(error: &sdi::Error) -> Self {
        let mut failure = match error {
            sdi::Error::NotForThisDevice(strangers) => {
                let mut failure =
                    Self::new(Code::NOT_FOR_KEY, "this file is not encrypted to the key you gave");
                for wanted in strangers.wanted() {
                    failure = failure.fact("recipient", wanted);
                }
                failure
            }
            sdi::Error::NotEncrypted => Self::new(Code::PLAIN, "the file is not encrypted"),
            error => Self::new(code_of(error), error.to_string()),
        };
        failure.0.library = Some(error.code());
        failure
    }
}

impl From<sdi::Error> for Failure {
    fn from(error: sdi::Error) -> Self {
        Self::from(&error)
    }
}

fn code_of(error: &sdi::Error) -> Code {
    use sdi::{Error, KeyFault};
    match error {
        Error::Argument(_) | Error::Key(KeyFault::Unsupported) => Code::USAGE,
        Error::NotEncrypted => Code::PLAIN,
        Error::Malformed(_) | Error::Key(KeyFault::Unreadable(_)) => Code::MALFORMED,
        Error::Unsupported(_) => Code::UNSUPPORTED,
        Error::NotForThisDevice(_) => Code::NOT_FOR_KEY,
        Error::Decrypt => Code::DECRYPT,
        Error::Key(KeyFault::Mismatch) => Code::OTHER_DEVICE,
        Error::Limit { .. } => Code::LIMIT,
        Error::Rejected { .. } => Code::NOT_SANE,
        Error::Policy(_) => Code::TOO_WEAK,
        _ => Code::OTHER,
    }
}

/// What `-` stands for, or the path.
pub(crate) fn named(path: &Path, what: &str) -> String {
    match (is_stream(path), what) {
        (true, "write") => "standard output".into(),
        (true, _) => "standard input".into(),
        (false, _) => shown(path),
    }
}

/// A path as one line of text.
pub(crate) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

/// Text from outside as one line: nothing that moves a terminal's cursor, and not too long.
pub(crate) fn printable(text: &str) -> String {
    const MAX: usize = 120;
    let mut line = String::new();
    for (i, char) in text.chars().enumerate() {
        if i == MAX {
            line.push_str("..");
            break;
        }
        if char.is_control() || is_invisible(char) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{}", char.escape_default());
        } else {
            line.push(char);
        }
    }
    line
}

/// Characters that change the direction of text, or have no width.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_one_short_line() {
        assert_eq!(printable("a\x1b[31m\n\u{202e}b"), "a\\u{1b}[31m\\n\\u{202e}b");
        assert_eq!(printable(&"x".repeat(121)), "x".repeat(120) + "..");
        assert_eq!(printable("r\u{e9}seau.cfg"), "r\u{e9}seau.cfg");
    }

    #[test]
    fn a_failure_is_a_line_facts_and_help() {
        let failure = Failure::new(Code::NOT_FOR_KEY, "this is it")
            .fact("file", "SN1.enc")
            .fact("your key", "SN1")
            .help("do this:\nsdi version");
        assert_eq!(
            failure.text(false),
            "error[sdi::E0004]: this is it\n  file      SN1.enc\n  your key  SN1\n  \
             help: do this:\n        sdi version"
        );
        let json = failure.fact("recipient", "a").fact("recipient", "b").json("decrypt");
        assert_eq!(
            json["error"]["fields"],
            json!({ "file": "SN1.enc", "have": "SN1", "wanted": ["a", "b"] })
        );
        assert_eq!(json["exit"], 4);
    }
}

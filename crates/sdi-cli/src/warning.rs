//! What a person may want to know though nothing failed: a line on stderr, and in `--json` an object.

use serde_json::{Value, json};

/// A warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) code: &'static str,
    pub(crate) text: String,
    /// How many, if it speaks of bytes.
    pub(crate) bytes: Option<u64>,
}

impl Warning {
    pub(crate) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), bytes: None }
    }

    pub(crate) fn json(&self) -> Value {
        let mut json = json!({ "code": self.code, "text": self.text });
        if let Some(bytes) = self.bytes {
            json["bytes"] = json!(bytes);
        }
        json
    }

    pub(crate) fn list(warnings: &[Self]) -> Value {
        warnings.iter().map(Self::json).collect()
    }
}

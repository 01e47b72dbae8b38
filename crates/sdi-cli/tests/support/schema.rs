//! The part of JSON Schema (draft 2020-12) that the schemas of the command use. Another keyword is a
//! panic, so that none is silently not heeded.

use regex::Regex;
use serde_json::{Map, Value};

/// A schema; references are to its own `$defs`.
pub(crate) struct Schema(Value);

/// What is asked beyond the standard.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Members {
    /// Nothing: members may be added.
    Open,
    /// A schema names every member that it sees.
    Named,
}

impl Schema {
    pub(crate) fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).expect("a schema is JSON"))
    }

    /// Where and why the value is refused; nothing if it is valid.
    pub(crate) fn errors(&self, value: &Value, members: Members) -> Vec<String> {
        let mut errors = Vec::new();
        self.check(&self.0, value, "", members, &mut errors);
        errors
    }

    fn check(
        &self,
        schema: &Value,
        value: &Value,
        at: &str,
        members: Members,
        errors: &mut Vec<String>,
    ) {
        let schema = schema.as_object().expect("a schema is an object");
        let mut refuse = |is_met: bool, keyword: &str| {
            if !is_met {
                errors.push(format!("{at}: {keyword}: {value}"));
            }
        };
        // The standard lets each keyword pass what is not of its type.
        for (keyword, wanted) in schema {
            match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" => {}
                "properties" | "additionalProperties" | "items" | "$ref" => {}
                "type" => refuse(has_type(value, wanted), keyword),
                "const" => refuse(value == wanted, keyword),
                "enum" => refuse(list(wanted).contains(value), keyword),
                "minimum" => {
                    refuse(!value.is_number() || value.as_f64() >= wanted.as_f64(), keyword)
                }
                "maximum" => refuse(value.as_f64() <= wanted.as_f64(), keyword),
                "minItems" => {
                    let least = wanted.as_u64().and_then(|least| usize::try_from(least).ok());
                    let len = value.as_array().map(Vec::len);
                    refuse(len.is_none() || len >= least, keyword);
                }
                "pattern" => {
                    let pattern = Regex::new(wanted.as_str().expect("a text")).expect("a pattern");
                    refuse(value.as_str().is_none_or(|text| pattern.is_match(text)), keyword);
                }
                "required" => {
                    for name in list(wanted) {
                        let name = name.as_str().expect("a name");
                        let is_there =
                            value.as_object().is_none_or(|object| object.contains_key(name));
                        refuse(is_there, &format!("{keyword} {name}"));
                    }
                }
                "anyOf" => {
                    let is_valid = |branch: &Value| {
                        let mut inner = Vec::new();
                        self.check(branch, value, at, Members::Open, &mut inner);
                        inner.is_empty()
                    };
                    refuse(list(wanted).iter().any(is_valid), keyword);
                }
                other => panic!("the keyword {other} is not known here"),
            }
        }
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.strip_prefix("#/$defs/").expect("a reference to a definition");
            self.check(&self.0["$defs"][name], value, at, members, errors);
        }
        if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
            for (i, value) in values.iter().enumerate() {
                self.check(items, value, &format!("{at}/{i}"), members, errors);
            }
        }
        if let (Some(named), Some(object)) = (schema.get("properties"), value.as_object()) {
            let others = schema.get("additionalProperties");
            self.check_members(named, others, object, at, members, errors);
        }
    }

    fn check_members(
        &self,
        named: &Value,
        others: Option<&Value>,
        object: &Map<String, Value>,
        at: &str,
        members: Members,
        errors: &mut Vec<String>,
    ) {
        for (name, value) in object {
            let at = format!("{at}/{name}");
            match named.get(name).or(others) {
                Some(schema) => self.check(schema, value, &at, members, errors),
                None if members == Members::Named => {
                    errors.push(format!("{at}: not in the schema"))
                }
                None => {}
            }
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

/// One type, or one of a list.
fn has_type(value: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Array(types) => types.iter().any(|wanted| has_type(value, wanted)),
        wanted => match wanted.as_str().expect("a type") {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("the type {other} is not known here"),
        },
    }
}

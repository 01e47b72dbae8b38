//! What `--json` prints fits the files in `schemas`, and these refuse what does not fit.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

#[path = "support/schema.rs"]
mod schema;
mod support;

use schema::{Members, Schema};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use support::help::{commands, examples, help, prepared, prepared_for};
use support::{CONFIG, Done, Folder};

/// The name of the schema that an object says it fits.
fn name_of(object: &Value) -> String {
    let command = object["command"].as_str().unwrap_or_else(|| panic!("{object}"));
    match object.get("error") {
        // A line of it says more than an error.
        Some(_) if object.get("action").is_none() => "error".into(),
        _ => command.replace(' ', "-"),
    }
}

fn schema(name: &str) -> Schema {
    let path = format!("{}/schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Schema::parse(&fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// Checks every line of stdout; each is an object, and the status is that of the only one.
#[track_caller]
fn fits(done: &Done) -> Vec<Value> {
    let text = done.stdout();
    let objects: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(!objects.is_empty(), "nothing was said: {}", done.stderr());
    for object in &objects {
        let errors = schema(&name_of(object)).errors(object, Members::Named);
        assert!(errors.is_empty(), "{}: {errors:#?}\n{object}", name_of(object));
    }
    if let [object] = &objects[..] {
        assert_eq!(object["exit"], done.status().unwrap(), "{object}");
    }
    assert!(!text.contains("CANARY"), "{text}");
    objects
}

/// The examples of the help, with `--json`: the answers of every command.
fn answers() -> Vec<Value> {
    let commands = commands(&prepared());
    let mut answers = Vec::new();
    for command in &commands {
        let words = format!("sdi {}", command.join(" "));
        for example in examples(&help(&prepared(), command)) {
            let folder = prepared_for(&example);
            // The other commands in a line, and where stdout goes, say nothing of this one.
            let part = example.split(" | ").find(|part| part.contains(&words)).unwrap();
            let alone = part.split([';', '&', '>']).next().unwrap().replace("--json", "");
            let before = if part == example { "" } else { "sdi pubkey -k device.key | " };
            let command =
                format!("{before}{}", alone.replacen(&words, &format!("{words} --json"), 1));
            answers.extend(fits(&folder.bash(&command)));
        }
    }
    answers
}

#[test]
fn answers_fit_their_schemas_and_nothing_else_does() {
    let mut answers = answers();
    let folder = Folder::with_device("rsa2048");
    folder.device("SN2", "p256");
    folder.device("SN3", "p256");
    folder.write("empty", b"");
    folder.write("plain.enc", CONFIG);
    folder.write("signed", b"0\x0b\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02");
    folder
        .bash(
            "sdi encrypt -q --profile rfc8886 -r SN1.crt -r SN2.crt -o both.enc router.cfg
             mkdir configs certs tftp
             for id in SN1 SN2 SN3; do cp router.cfg configs/$id.cfg; done
             cp SN1.crt certs; cp SN1.crt certs/SN2.crt",
        )
        .succeeds();
    let fleet = "--json encrypt-dir configs --store certs -o tftp --changed-only --keep-going";
    folder.bash("head -c 5M /dev/zero > big.cfg").succeeds();
    for command in [
        "--json push router.cfg --to tftp",
        "--json encrypt --check-size -r SN1.crt big.cfg",
        "--json pubkey -k device.key --fingerprint",
        "--json pubkey -k device.key -o device.pub",
        "--json inspect --match-cert SN1.crt both.enc",
        "--json inspect --match-cert SN3.crt both.enc",
        "--json detect router.cfg",
        "--json detect empty",
        "--json detect plain.enc",
        "--json detect signed",
        "--json doctor -k device.key --cert SN2.crt",
        "--json autoinstall simulate --server-appears-at 20m --loss 50 --plot x.svg",
        &format!("{fleet} --dry-run"),
        fleet,
        fleet,
    ] {
        answers.extend(fits(&folder.sdi(command.split(' '))));
    }
    let actions: BTreeSet<&str> = answers.iter().filter_map(|one| one["action"].as_str()).collect();
    assert_eq!(
        actions.into_iter().collect::<Vec<_>>(),
        ["failed", "unchanged", "would-write", "written"]
    );

    let warned = answers.iter().filter_map(|one| one["warnings"].as_array()).flatten();
    let warned: BTreeSet<&str> = warned.map(|one| one["code"].as_str().unwrap()).collect();
    for code in ["plain", "size", "unauthenticated"] {
        assert!(warned.contains(code), "{warned:?}");
    }

    // Every schema was needed.
    let needed: BTreeSet<String> = answers.iter().map(name_of).collect();
    assert_eq!(needed, files());
    for answer in &answers {
        refuses_changes(answer);
    }
}

fn files() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn errors_fit_their_schema() {
    let folder = Folder::with_device("p256");
    folder.device("SN2", "p256");
    folder
        .bash("sdi encrypt -q -r SN1.crt router.cfg; mkdir empty; cp router.cfg bad.key; chmod 600 bad.key")
        .succeeds();
    let pin = format!("--json encrypt -r SN1.crt --pin sha256:{} -o x router.cfg", "0".repeat(64));
    let mut failed = BTreeSet::new();
    for (code, command) in [
        ("E0014", "--json keygen -o device.key"),
        ("E0003", "--json pubkey -k bad.key"),
        ("E0014", "--json cert self-signed --id SN1 -k device.key -o SN1.crt"),
        ("E0003", "--json cert wrap --id SN1 --public-key router.cfg -o x"),
        ("E0015", "--json csr --id SN1 -k router.cfg -o x"),
        ("E0006", &pin),
        ("E0004", "--json decrypt -k SN2.key --cert SN2.crt -o x router.enc"),
        ("E0001", "--json detect missing"),
        ("E0010", "--json inspect router.cfg"),
        ("E0014", "--json push router.enc --to ."),
        ("E0212", "--json push device.key --to empty"),
        ("E0004", "--json verify-deploy router.enc --cert SN2.crt"),
        ("E0009", "--json verify-deploy http://127.0.0.1:1/x --cert SN2.crt"),
        ("E0014", "--json autoinstall simulate --plot router.cfg"),
        ("E0001", "--json man missing"),
        ("E0002", "--json completions bash"),
        ("E0001", "--json encrypt-dir missing --store . -o ."),
        ("E0002", "--json explain E9999"),
        ("E0002", "--json doctor --nonsense"),
        ("E0002", "--json version nonsense"),
    ] {
        let done = folder.sdi(command.split(' '));
        let objects = fits(&done);
        assert_eq!((objects.len(), &objects[0]["error"]["code"]), (1, &code.into()), "{command}");
        assert!(done.0.stderr.is_empty(), "{command}: {}", done.stderr());
        refuses_changes(&objects[0]);
        failed.insert(command.split(' ').nth(1).unwrap().to_owned());
    }
    let all: BTreeSet<String> = commands(&folder).iter().map(|words| words[0].clone()).collect();
    assert_eq!(failed, all);
}

/// What is said of the machine in the operators' page.
#[test]
fn the_pages_examples_fit() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating.md");
    let page = fs::read_to_string(path).unwrap();
    let blocks = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
    assert_eq!(lines.len(), 3);
    for line in lines {
        let object: Value = serde_json::from_str(line).unwrap();
        assert!(schema(&name_of(&object)).errors(&object, Members::Named).is_empty(), "{line}");
        refuses_changes(&object);
    }
}

/// The control: without one of its members, or with one of another type, no object fits; with one more
/// it does, and that one is missing in the schema.
#[track_caller]
fn refuses_changes(object: &Value) {
    let schema = schema(&name_of(object));
    assert_eq!(schema.errors(object, Members::Open), [""; 0]);
    let mut places = Vec::new();
    pointers(object, "", &mut places);
    let is_optional = |place: &str| match name_of(object).as_str() {
        "pubkey" => place == "/output",
        "explain" => false,
        _ => place.contains("/fields/") || place.ends_with("/text") && place.contains("warnings"),
    };
    for place in &places {
        let (parent, member) = place.rsplit_once('/').unwrap();
        let mut wrong = object.clone();
        let old = wrong.pointer(place).unwrap();
        let other = if old.is_object() { json!(1) } else { json!({}) };
        *wrong.pointer_mut(place).unwrap() = other;
        assert!(!schema.errors(&wrong, Members::Open).is_empty(), "{place}: {wrong}");
        if let Some(parent) = wrong.pointer_mut(parent).unwrap().as_object_mut() {
            parent.remove(member);
            let is_refused = !schema.errors(&wrong, Members::Open).is_empty();
            assert_eq!(is_refused, !is_optional(place), "{place}: {wrong}");
        }
    }
    let mut more = object.clone();
    more["more"] = json!(1);
    assert!(schema.errors(&more, Members::Open).is_empty());
    assert!(!schema.errors(&more, Members::Named).is_empty());
}

/// The places of all members and items, as JSON pointers.
fn pointers(value: &Value, at: &str, places: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in below {
        assert!(!name.contains(['/', '~']), "{name}");
        let place = format!("{at}/{name}");
        pointers(value, &place, places);
        places.push(place);
    }
}

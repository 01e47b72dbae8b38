//! The sessions in `docs/sessions` are what a person sees on a terminal. Each is its own script: the
//! lines that begin with `$ ` are typed, in this order, on a real terminal of 100 columns, and the rest
//! is what came. `SDI_WRITE_SESSIONS=1` records them anew.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod support;

use regex::{Captures, Regex};
use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use support::Folder;

/// What stands in the folder of the operator and of the device, as the vendor's station made it.
const FOLDER: &str = "
    for n in 1 2 3; do
        sdi keygen -q -o SN2026000$n.key >log
        sdi cert self-signed -q --id SN2026000$n -k SN2026000$n.key -o SN2026000$n.crt >log
    done
    rm log
    printf 'hostname ams-edge-01\\nntp server 192.0.2.1\\nend\\n' > router.cfg
    mkdir configs certs tftp
    for n in 1 2 3 4; do cp router.cfg configs/SN2026000$n.cfg; done
    cp *.crt certs";

fn recorded(name: &str) -> (PathBuf, String) {
    let path = format!("{}/../../docs/sessions/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    (path.into(), text)
}

/// Types the commands of a session.
fn record(session: &str, prepare: &str) -> String {
    let folder = Folder::empty();
    folder.bash(prepare).succeeds();
    let mut typed = String::from("stty cols 100 rows 40 -echo\nstatus=0\n");
    for command in session.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let quoted = command.replace('\'', "'\\''");
        // `$?` is that of the command before.
        writeln!(typed, "printf '%s\\n' '$ {quoted}'\n(exit $status)\n{command}\nstatus=$?")
            .unwrap();
    }
    let elsewhere = Folder::empty();
    elsewhere.write("typed", typed.as_bytes());
    let script = elsewhere.path("typed");
    let command = format!(
        "export TMPDIR=/var/tmp; script -qec 'bash --norc {} || true' /dev/null",
        script.display()
    );
    let seen = folder.bash(&command).succeeds().stdout().replace("\r\n", "\n");
    // A line of progress that was drawn over.
    Regex::new("[^\n]*\r\x1b\\[K").unwrap().replace_all(&seen, "").into_owned()
}

/// Without what is another one each time: keys, their fingerprints, serial numbers, and which openssl it
/// was. The same one twice stays the same one twice.
fn lasting(text: &str) -> String {
    let text = Regex::new("OpenSSL [0-9].*").unwrap().replace_all(text, "OpenSSL").into_owned();
    let mut seen = HashMap::new();
    let number = |found: &Captures<'_>| {
        let next = seen.len() + 1;
        format!("<{}>", seen.entry(found[0].to_owned()).or_insert(next))
    };
    Regex::new(r"\b[0-9a-f]{24,64}\b").unwrap().replace_all(&text, number).into_owned()
}

fn check(name: &str, prepare: &str) {
    let (path, session) = recorded(name);
    let seen = record(&session, prepare);
    assert!(!seen.contains('\x1b') && !seen.contains('\r'), "{seen:?}");
    assert!(seen.lines().all(|line| line.chars().count() <= 200), "{seen}");
    if std::env::var_os("SDI_WRITE_SESSIONS").is_some() {
        fs::write(path, &seen).unwrap();
    } else {
        assert_eq!(lasting(&seen), lasting(&session), "SDI_WRITE_SESSIONS=1 records it anew");
    }
}

#[test]
fn the_vendor_makes_an_identity() {
    check("vendor", "true");
}

#[test]
fn the_operator_encrypts_a_fleet() {
    check("fleet", FOLDER);
}

#[test]
fn a_wrong_key_is_found_out() {
    check("wrong-key", FOLDER);
}

#[test]
fn a_file_is_inspected() {
    check("inspect", FOLDER);
}

#[test]
fn a_device_is_simulated() {
    check("autoinstall", FOLDER);
}

#[test]
fn the_doctor_is_asked() {
    check("doctor", FOLDER);
}

#[test]
fn every_session_is_checked_and_the_page_names_it() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let page = fs::read_to_string(format!("{folder}/operating.md")).unwrap();
    let names = fs::read_dir(format!("{folder}/sessions")).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let checked = ["autoinstall", "doctor", "fleet", "inspect", "vendor", "wrong-key"];
    assert_eq!(names, checked.map(|name| format!("{name}.txt")));
    for name in names {
        assert!(page.contains(&format!("(sessions/{name})")), "{name}");
    }
}

/// The control: what lasts is compared.
#[test]
fn what_varies_is_told_from_what_lasts() {
    let (one, other) = ("a".repeat(64), "b".repeat(64));
    assert_eq!(
        lasting(&format!("sha256:{one} {one}")),
        lasting(&format!("sha256:{other} {other}"))
    );
    assert_ne!(lasting(&format!("{one} {one}")), lasting(&format!("{one} {other}")));
    assert_ne!(lasting("written 3, failed 1"), lasting("written 4, failed 0"));
}

//! Walks the real machine: every state, every event, several policies. What it finds is the table
//! in `docs/autoinstall.md`, and no path installs what must not be installed.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod timeline;

use sdi::Event::{
    Cancel, CheckFailed, Checked, DecryptFailed, Decrypted, FetchFailed, Fetched, InstallFailed,
    Installed,
};
use sdi::{Action, Autoinstall, Damage, Detection, Event, OnFailure, PlainFile, Policy};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;
use timeline::{ABORTED, ENVELOPED, INSTALLED, PLAIN, YEARS, boot, min};

const EVENTS: [(&str, Event); 14] = [
    ("Fetched(Enveloped)", ENVELOPED),
    ("Fetched(Plain)", PLAIN),
    ("Fetched(Damaged)", Fetched(Detection::Damaged(Damage::Truncated))),
    ("Fetched(OtherCms)", Fetched(Detection::OtherCms)),
    ("Fetched(Empty)", Fetched(Detection::Empty)),
    ("Fetched(NeedMore)", Fetched(Detection::NeedMore)),
    ("FetchFailed", FetchFailed),
    ("Decrypted", Decrypted),
    ("DecryptFailed", DecryptFailed(140)),
    ("Checked", Checked),
    ("CheckFailed", CheckFailed),
    ("Installed", Installed),
    ("InstallFailed", InstallFailed),
    ("Cancel", Cancel),
];

/// The states, by the order that they give.
const STATES: [&str; 9] = [
    "WaitUntil",
    "Fetch",
    "CheckRaw",
    "InstallRaw",
    "Decrypt",
    "Check",
    "Install",
    "Finished(Installed)",
    "Finished(Aborted)",
];

/// From a state, by an event, to a state.
type Step = (&'static str, &'static str, &'static str);

fn state(machine: &Autoinstall) -> &'static str {
    match machine.clone().poll(Duration::ZERO) {
        Action::WaitUntil(_) => "WaitUntil",
        Action::Fetch { .. } => "Fetch",
        Action::CheckRaw => "CheckRaw",
        Action::InstallRaw => "InstallRaw",
        Action::Decrypt => "Decrypt",
        Action::Check => "Check",
        Action::Install => "Install",
        INSTALLED => "Finished(Installed)",
        ABORTED => "Finished(Aborted)",
    }
}

/// Shows every path of accepted events, long enough for the longest attempt and the
/// beginning of another one. A refused
/// event must leave the machine as it was.
fn walk(machine: &Autoinstall, path: &mut Vec<Step>, visit: &mut impl FnMut(&[Step])) {
    if path.len() == 10 {
        return;
    }
    let here = state(machine);
    let mut go = |name, next: &Autoinstall| {
        path.push((here, name, state(next)));
        visit(path);
        walk(next, path, visit);
        path.pop();
    };
    for (name, event) in EVENTS {
        let mut next = machine.clone();
        match next.handle(Duration::ZERO, event) {
            Ok(()) => go(name, &next),
            Err(_) => assert_eq!(next, *machine, "{here}, {name}"),
        }
    }
    let mut next = machine.clone();
    match next.poke(Duration::ZERO) {
        Ok(()) => {
            next.poll(Duration::ZERO);
            go("poke", &next);
        }
        Err(_) => assert_eq!(next, *machine, "{here}, poke"),
    }
    // The next start comes; the clock is back at 0 afterwards, which is no time passed.
    let mut next = machine.clone();
    next.poll(YEARS);
    if here == "WaitUntil" {
        go("time", &next);
    } else {
        assert_eq!(state(&next), here, "time moves nothing but a wait");
    }
}

fn paths(policy: Policy, mut visit: impl FnMut(&[Step])) {
    // Spread, so that the walk begins with a wait.
    let policy = policy.jitter(0, b"seed").unwrap().start_spread(min(5));
    walk(&boot(policy), &mut Vec::new(), &mut visit);
}

/// Where each event leads from each state, which must be the same on every path.
fn transitions(policy: Policy) -> BTreeMap<(&'static str, &'static str), &'static str> {
    let mut transitions = BTreeMap::new();
    paths(policy, |path| {
        let (from, event, to) = path[path.len() - 1];
        let known = *transitions.entry((from, event)).or_insert(to);
        assert_eq!(known, to, "{path:?}");
    });
    transitions
}

#[test]
fn the_table_in_the_docs_is_the_machine() {
    let policies = [
        ("default", Policy::unseeded()),
        ("parse first", Policy::unseeded().parse_first(true)),
        ("encrypted only", Policy::unseeded().plain(PlainFile::Refuse)),
        ("abort on failure", Policy::unseeded().on_failure(OnFailure::Abort)),
    ];
    let mut table = String::from("| order | event |");
    for (name, _) in &policies {
        table += &format!(" {name} |");
    }
    table += "\n|---|---|---|---|---|---|\n";
    let found = policies.map(|(_, policy)| transitions(policy));
    let events = ["time", "poke"].into_iter().chain(EVENTS.map(|(name, _)| name));
    for (state, event) in STATES.iter().flat_map(|state| events.clone().map(move |e| (*state, e))) {
        let cells = found.each_ref().map(|found| found.get(&(state, event)).copied());
        if cells.iter().any(Option::is_some) {
            let cells = cells.map(Option::unwrap_or_default).join(" | ");
            table += &format!("| {state} | {event} | {cells} |\n").replace("  ", " ");
        }
    }

    let docs = include_str!("../docs/autoinstall.md");
    let (_, rest) = docs.split_once("<!-- transitions -->\n").unwrap();
    let (kept, _) = rest.split_once("<!-- end of transitions -->").unwrap();
    assert!(kept == table, "docs/autoinstall.md needs this table:\n{table}");
}

#[test]
fn r38_no_path_installs_what_was_not_checked() {
    let (mut installs, mut raw_installs) = (0, 0);
    for bits in 0..16 {
        let refuse = bits & 1 != 0;
        let parse_first = bits & 2 != 0;
        let policy = Policy::unseeded()
            .plain(if refuse { PlainFile::Refuse } else { PlainFile::Accept })
            .parse_first(parse_first)
            .on_failure(if bits & 4 != 0 { OnFailure::Abort } else { OnFailure::Retry })
            .max_attempts(NonZeroU32::new(if bits & 8 != 0 { 1 } else { 0 }));
        paths(policy, |path| match path {
            [.., ("Decrypt", "Decrypted", "Check"), ("Check", "Checked", "Install")] => {
                installs += 1;
            }
            [.., ("Fetch", "Fetched(Plain)", "InstallRaw")] => {
                raw_installs += 1;
                assert!(!refuse && !parse_first, "{path:?}");
            }
            [
                ..,
                ("Fetch", "Fetched(Plain)", "CheckRaw"),
                ("CheckRaw", "Checked", "InstallRaw"),
            ] => {
                raw_installs += 1;
                assert!(!refuse && parse_first, "{path:?}");
            }
            [.., (_, _, "Install" | "InstallRaw")] => panic!("{path:?}"),
            [.., (from, _, "Finished(Installed)")] => {
                assert!(matches!(*from, "Install" | "InstallRaw"), "{path:?}");
            }
            _ => {}
        });
    }
    assert!(installs > 100 && raw_installs > 100, "{installs}, {raw_installs}");
}

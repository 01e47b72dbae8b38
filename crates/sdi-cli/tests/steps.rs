//! Killed before each of its steps, a command leaves the old file or the new one, and never a part.
//! `strace` kills it where it is about to call the system.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod support;

use sdi::{Identity, KeyRing, SoftwareKey};
use std::collections::HashMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use support::{CONFIG, Folder, SDI};

/// All that changes a file, a folder or what is on the disk, and the end.
const STEPS: &str =
    "fchmod,write,ftruncate,fsync,fdatasync,syncfs,linkat,renameat,renameat2,unlinkat,exit_group";

/// The steps that a command takes, each with its number among those of its name.
fn steps(folder: &Folder, command: &str) -> Vec<(String, usize)> {
    let elsewhere = Folder::empty();
    let trace = elsewhere.path("trace");
    let mut strace = folder.command("strace");
    strace.args(["-f", "-qq", "-e", &format!("trace={STEPS}"), "-o"]).arg(&trace);
    let done = strace.arg(SDI).args(command.split(' ')).output().expect("strace runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = fs::read_to_string(&trace).unwrap();
    let mut seen = HashMap::new();
    let names = text.lines().filter_map(|line| {
        let (before, _) = line.split_once('(')?;
        before.split_whitespace().last().map(str::to_owned)
    });
    names
        .map(|name| {
            let number = seen.entry(name.clone()).or_insert(0);
            *number += 1;
            (name, *number)
        })
        .collect()
}

/// Runs the command and kills it before that step.
fn kill(folder: &Folder, command: &str, (step, number): &(String, usize)) {
    let inject = format!("inject={step}:signal=KILL:when={number}");
    let mut strace = folder.command("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={STEPS}"), "-e", &inject]);
    let done = strace.arg(SDI).args(command.split(' ')).output().expect("strace runs");
    assert_eq!(done.status.signal(), Some(9), "{command}: {step} {number}: {done:?}");
}

fn ring(folder: &Folder) -> KeyRing {
    let key = SoftwareKey::parse(&folder.read("device.key")).unwrap();
    let mut ring = KeyRing::new();
    ring.set_vendor(Identity::new(Arc::new(key), None).unwrap()).unwrap();
    ring
}

/// Whether the file is there as a whole.
fn is_whole(folder: &Folder, keys: &KeyRing, name: &str, is_plain: bool) -> bool {
    let file = folder.read(name);
    if is_plain {
        file == CONFIG
    } else {
        sdi::open(&file, keys).is_ok_and(|o| o.plaintext() == CONFIG)
    }
}

#[test]
fn a12_killed_at_each_step_it_leaves_the_old_file_or_the_new_one() {
    for (base, is_plain) in [
        ("encrypt -r SN1.crt -o out router.cfg", false),
        ("push good.enc --to tftp", false),
        ("decrypt -k device.key -o out good.enc", true),
    ] {
        for force in [false, true] {
            let prepared = || {
                let folder = Folder::with_device("p256");
                folder
                    .sdi(["encrypt", "-q", "-r", "SN1.crt", "-o", "good.enc", "router.cfg"])
                    .succeeds();
                fs::create_dir(folder.path("tftp")).unwrap();
                if force {
                    folder.write("out", b"live");
                    folder.write("tftp/good.enc", b"live");
                }
                folder
            };
            let command = &format!("{base}{}", if force { " --force" } else { "" });
            let (place, out) =
                if command.starts_with("push") { ("tftp", "tftp/good.enc") } else { (".", "out") };
            let steps = steps(&prepared(), command);
            let named = if force { "renameat" } else { "linkat" };
            for needed in ["fchmod", "write", "fsync", named, "exit_group"] {
                assert!(
                    steps.iter().any(|(name, _)| name == needed),
                    "{command}: {needed}: {steps:?}"
                );
            }
            let (mut old, mut new) = (0, 0);
            for step in &steps {
                let folder = prepared();
                let keys = ring(&folder);
                let before = names(&folder, place);
                kill(&folder, command, step);
                let is_new = folder.path(out).exists() && folder.read(out) != b"live";
                assert!(!is_new || is_whole(&folder, &keys, out, is_plain), "{command}: {step:?}");
                old += usize::from(!is_new);
                new += usize::from(is_new);
                for name in names(&folder, place).into_iter().filter(|name| !before.contains(name))
                {
                    // A second name, from the moment of replacing.
                    let is_second = force && name.starts_with(".sdi-") && !is_new;
                    let path = format!("{place}/{name}");
                    assert!(out.ends_with(&name) || is_second, "{command}: {step:?}: {name}");
                    assert!(
                        is_whole(&folder, &keys, &path, is_plain),
                        "{command}: {step:?}: {name}"
                    );
                }
                // The next attempt ends well, and takes away what was left.
                folder.sdi(format!("{base} --force").split(' ')).succeeds();
                assert!(is_whole(&folder, &keys, out, is_plain));
                assert!(
                    !names(&folder, place).iter().any(|name| name.starts_with(".sdi-")),
                    "{step:?}"
                );
            }
            assert!(old >= 4 && new >= 2, "{command}: {old} {new} {steps:?}");
        }
    }
}

fn names(folder: &Folder, place: &str) -> Vec<String> {
    let entries = fs::read_dir(folder.path(place)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The same for a group of files; and no file has its name before all of the group are on the disk.
#[test]
fn a12_killed_at_each_step_a_fleet_is_whole_and_the_next_run_finishes_it() {
    const RUN: &str = "encrypt-dir configs --store certs -o tftp --changed-only -q -j 1";
    let prepared = |is_second: bool| {
        let folder = Folder::with_device("p256");
        folder
            .bash("mkdir configs certs tftp; for n in 1 2 3; do echo old > configs/SN$n.cfg; cp SN1.crt certs/SN$n.crt; done")
            .succeeds();
        if is_second {
            folder.sdi(RUN.split(' ')).succeeds();
        }
        folder.bash("for n in 1 2 3; do cp router.cfg configs/SN$n.cfg; done").succeeds();
        folder
    };
    for is_second in [false, true] {
        let steps = steps(&prepared(is_second), RUN);
        let place = |wanted: &str| steps.iter().position(|(name, _)| name == wanted);
        let named = if is_second { "renameat" } else { "linkat" };
        assert!(place("syncfs").unwrap() < place("fdatasync").unwrap(), "{steps:?}");
        let first =
            steps[place("fdatasync").unwrap()..].iter().position(|(name, _)| name == "linkat");
        assert_eq!(first, Some(1), "files have names only then: {steps:?}");
        assert!(steps.iter().filter(|(name, _)| name == named).count() >= 3, "{steps:?}");
        assert_eq!(steps.iter().filter(|(name, _)| name == "syncfs").count(), 1);
        let mut parts = 0;
        for step in &steps {
            let folder = prepared(is_second);
            let keys = ring(&folder);
            kill(&folder, RUN, step);
            let mut done = 0;
            for name in names(&folder, "tftp") {
                let opened = sdi::open(&folder.read(&format!("tftp/{name}")), &keys).unwrap();
                let is_new = opened.plaintext() == CONFIG;
                assert!(is_new || is_second && opened.plaintext() == b"old\n", "{step:?}: {name}");
                done += usize::from(is_new && !name.starts_with('.'));
            }
            parts += usize::from(done == 1 || done == 2);
            folder.sdi(RUN.split(' ')).succeeds();
            let mut left = names(&folder, "tftp");
            left.sort();
            assert_eq!(left, ["SN1.enc", "SN2.enc", "SN3.enc"], "{step:?}");
            assert!(left.iter().all(|name| is_whole(
                &folder,
                &keys,
                &format!("tftp/{name}"),
                false
            )));
        }
        assert!(parts >= 2, "no kill came between two names: {steps:?}");
    }
}

//! `encrypt-dir`: from a list of devices and a folder of configurations to a server's folder.

mod support;

use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;
use support::fleet::{RUN, config, configure, count, fleet, keys, lines, opened, outputs, run};
use support::{Done, Folder, SDI};

#[test]
fn a_folder_becomes_a_servers_folder() {
    let folder = fleet(300);
    folder.device("SN1-RE1", "rsa2048");
    let done = run(&folder, &["-r", "SN1-RE1.crt"]).succeeds();
    let lines = lines(&done);
    assert_eq!(lines.len(), 300);
    for (n, line) in lines.iter().enumerate() {
        assert_eq!(line["id"], format!("SN{n:03}"), "in order");
        assert_eq!((&line["ok"], &line["action"]), (&true.into(), &"written".into()));
        assert_eq!(line["output"], format!("tftp/SN{n:03}.enc"));
    }
    assert!(done.stderr().ends_with("written 300, unchanged 0, failed 0\n"), "{}", done.stderr());
    // All share one certificate: 299 have another name than it says.
    assert_eq!(done.stderr().matches("is for \"SN000\"").count(), 299);
    assert_eq!(lines[1]["certificate_id"], "SN000");

    let keys = keys(&folder);
    assert_eq!(outputs(&folder).len(), 300);
    for n in 0..300 {
        assert_eq!(opened(&folder, &keys, n), config(n, "first"));
    }
    assert_eq!(fs::metadata(folder.path("tftp/SN007.enc")).unwrap().mode() & 0o7777, 0o644);
    let other = folder.sdi(["decrypt", "-k", "SN1-RE1.key", "tftp/SN007.enc"]).succeeds();
    assert_eq!(other.stdout(), config(7, "first"));
}

#[test]
fn nothing_is_replaced_unless_it_is_asked_for() {
    let folder = fleet(3);
    folder.write("tftp/SN001.enc", b"live");
    let done = run(&folder, &["--keep-going"]);
    assert_eq!(done.status(), Some(14));
    assert_eq!((count(&done, "written"), count(&done, "failed")), (2, 1));
    assert_eq!(lines(&done)[1]["error"]["code"], "E0014");
    assert_eq!(folder.read("tftp/SN001.enc"), b"live");
    // Without --keep-going the first failure is the end.
    let done = run(&folder, &["-j", "1"]);
    assert_eq!((done.status(), lines(&done).len()), (Some(14), 1));
    assert!(done.stderr().contains("not tried 2"), "{}", done.stderr());
    let done = run(&folder, &["--changed-only", "-j", "1"]);
    assert_eq!(done.status(), Some(14));
    run(&folder, &["--force"]).succeeds();
    assert_eq!(opened(&folder, &keys(&folder), 1), config(1, "first"));
}

#[test]
fn only_what_has_changed_is_written() {
    let folder = fleet(4);
    let changed = ["--changed-only"];
    assert_eq!(count(&run(&folder, &changed).succeeds(), "written"), 4);
    assert_eq!(count(&run(&folder, &changed).succeeds(), "unchanged"), 4);
    assert_eq!(fs::metadata(folder.path("configs/.sdi-state")).unwrap().mode() & 0o7777, 0o600);

    // A configuration, a certificate, a missing output, and one that somebody has changed.
    configure(&folder, 0, "second");
    let again = ["cert", "self-signed", "--id", "SN001", "-k", "device.key", "--days", "9"];
    folder.sdi([&again[..], &["--force", "-o", "certs/SN001.crt"]].concat()).succeeds();
    fs::remove_file(folder.path("tftp/SN002.enc")).unwrap();
    let done = run(&folder, &changed).succeeds();
    let written: Vec<bool> = lines(&done).iter().map(|line| line["action"] == "written").collect();
    assert_eq!(written, [true, true, true, false]);
    folder.write("tftp/SN003.enc", b"damaged");
    assert_eq!(count(&run(&folder, &changed).succeeds(), "written"), 1);
    let keys = keys(&folder);
    assert_eq!(opened(&folder, &keys, 0), config(0, "second"));
    assert_eq!(opened(&folder, &keys, 3), config(3, "first"));

    // Another profile, another recipient.
    let done = run(&folder, &["--changed-only", "--profile", "rfc8886"]).succeeds();
    assert_eq!(count(&done, "written"), 4);
    let done = run(&folder, &["--changed-only", "-r", "SN000.crt"]).succeeds();
    assert_eq!(count(&done, "written"), 4);
    assert_eq!(count(&run(&folder, &["--changed-only", "-r", "SN000.crt"]), "unchanged"), 4);
}

/// Whoever takes a configuration away may believe that its device gets none any more.
#[test]
fn outputs_whose_configurations_are_gone_are_named() {
    let folder = fleet(9);
    let said = |folder: &Folder, more: &[&str]| {
        let done = run(folder, &[&["--changed-only"], more].concat()).succeeds();
        let text = done.stderr();
        text.lines().find(|line| line.contains("earlier runs")).map(str::to_owned)
    };
    assert_eq!(said(&folder, &[]), None);
    assert_eq!(said(&folder, &[]), None);
    fs::remove_file(folder.path("configs/SN004.cfg")).unwrap();
    let one = "warning: earlier runs wrote what has no configuration any more: tftp/SN004.enc; \
               remove what devices shall not fetch";
    for more in [&[][..], &["--dry-run"], &[]] {
        assert_eq!(said(&folder, more).as_deref(), Some(one), "until it is gone");
    }
    assert!(folder.path("tftp/SN004.enc").exists(), "it is not ours to remove");
    fs::remove_file(folder.path("tftp/SN004.enc")).unwrap();
    assert_eq!(said(&folder, &[]), None);
    // The first five are named.
    folder.bash("rm configs/SN00[0-35-6].cfg").succeeds();
    let many = said(&folder, &[]).unwrap();
    assert!(many.contains("more: tftp/SN000.enc, tftp/SN001.enc,"), "{many}");
    assert!(many.contains("tftp/SN005.enc, and 1 more;") && !many.contains("SN006"), "{many}");
}

/// The state is no help to who wants to test a guess, and is not taken from where others can write.
#[test]
fn the_state_is_its_owners_alone() {
    let folder = fleet(2);
    let run = |folder: &Folder| run(folder, &["--changed-only", "--state", "state"]);
    run(&folder).succeeds();
    let state = String::from_utf8(folder.read("state")).unwrap();
    assert_eq!(state.lines().count(), 3);
    let bare = folder.bash("cat configs/SN000.cfg | sha256sum | cut -c1-64").stdout();
    assert!(!state.contains(bare.trim()) && !state.contains("CANARY"));
    // The same configuration has another hash in another state.
    let other = fleet(2);
    run(&other).succeeds();
    let input = |state: &str| -> String {
        let line: Value = serde_json::from_str(state.lines().nth(1).unwrap()).unwrap();
        line["input"].as_str().unwrap().to_owned()
    };
    assert_ne!(input(&state), input(&String::from_utf8(other.read("state")).unwrap()));

    folder.bash("chmod 644 state").succeeds();
    run(&folder).fails("E0015");
    folder.bash("chmod 600 state; echo hello > state").succeeds();
    run(&folder).fails("E0003");
}

#[test]
fn a_dry_run_changes_nothing() {
    let folder = fleet(3);
    let done = run(&folder, &["--dry-run", "--changed-only"]).succeeds();
    assert_eq!(count(&done, "would-write"), 3);
    assert!(
        done.stderr().ends_with("\nwould write 3, unchanged 0, failed 0\n"),
        "{}",
        done.stderr()
    );
    assert!(outputs(&folder).is_empty());
    assert!(!folder.path("configs/.sdi-state").exists());
    run(&folder, &["--changed-only"]).succeeds();
    configure(&folder, 1, "second");
    let done = run(&folder, &["--dry-run", "--changed-only"]).succeeds();
    assert_eq!((count(&done, "would-write"), count(&done, "unchanged")), (1, 2));
}

#[test]
fn a_missing_certificate_is_named_and_the_worst_failure_is_the_status() {
    let folder = fleet(4);
    fs::remove_file(folder.path("certs/SN001.crt")).unwrap();
    let done = run(&folder, &["--keep-going"]);
    assert_eq!(done.status(), Some(7));
    assert!(done.stderr().contains("there is no certificate for SN001"), "{}", done.stderr());
    assert_eq!(outputs(&folder).len(), 3);
    folder.write("certs/SN002.crt", b"no certificate");
    let done = run(&folder, &["--keep-going", "--force"]);
    assert_eq!(done.status(), Some(3));
    assert_eq!((count(&done, "written"), count(&done, "failed")), (2, 2));
}

/// A device whose configuration is missing is not passed over.
/// The files are what counts, not what is said of them.
#[test]
fn a_run_that_nobody_listens_to_encrypts_all() {
    let folder = fleet(100);
    let run = |to: &str| {
        // The reader is gone before the first line comes.
        let command = format!("{{ sleep 0.5; sdi {} --force; }} {to}", RUN.join(" "));
        (folder.bash(&command), outputs(&folder).len())
    };
    for (to, told) in [
        (">/dev/full", "warning: cannot write standard output: "),
        ("| true", "warning: nobody reads standard output any more; the run went on"),
    ] {
        drop(fs::remove_dir_all(folder.path("tftp")));
        fs::create_dir(folder.path("tftp")).unwrap();
        let (done, count) = run(to);
        assert_eq!(count, 100, "{to}");
        let text = done.stderr();
        assert!(text.contains(told), "{text}");
        assert!(text.ends_with("written 100, unchanged 0, failed 0\n"), "{text}");
        assert_eq!(done.status(), Some(1), "{to}");
    }
}

/// Every file of a group is open. Where few may be, groups are small.
#[test]
fn it_takes_as_many_files_as_may_be_open() {
    for limit in ["-Sn 64", "-n 64"] {
        let folder = fleet(100);
        let command = format!("ulimit {limit}; sdi {} --changed-only -j 2", RUN.join(" "));
        let done = folder.bash(&command).succeeds();
        assert_eq!(count(&done, "written"), 100, "{limit}");
        assert_eq!(outputs(&folder).len(), 100);
    }
}

#[test]
fn on_a_terminal_it_ends_with_a_table() {
    let folder = fleet(3);
    fs::remove_file(folder.path("certs/SN001.crt")).unwrap();
    let command = format!("sdi {} --keep-going 2>err; echo status $?", RUN.join(" "));
    let done = folder.bash(&format!("script -qec '{command}' /dev/null")).succeeds().stdout();
    let text = done.replace('\r', "");
    assert_eq!(text, "SN001  E0007\nwritten 2, unchanged 0, failed 1\nstatus 7\n");
}

/// Each file is written by one of them, and a state is used by one of them.
#[test]
fn of_two_runs_at_once_one_wins() {
    let folder = fleet(400);
    let both = |more: &[&str]| {
        let start = || {
            let mut command = folder.command(SDI);
            command.args(RUN).args(["-q", "--keep-going"]).args(more).stdout(Stdio::piped());
            command.stderr(Stdio::null()).spawn().unwrap()
        };
        let ends = [start(), start()].map(|run| Done(run.wait_with_output().unwrap()));
        let written: usize = ends.iter().map(|done| count(done, "written")).sum();
        (written, ends.map(|done| done.status()))
    };
    let (written, ends) = both(&[]);
    assert_eq!(written, 400, "{ends:?}");
    assert!(
        ends.iter().all(|end| matches!(end, Some(0 | 14))) && ends.contains(&Some(14)),
        "{ends:?}"
    );
    assert_eq!(outputs(&folder).len(), 400);

    fs::remove_dir_all(folder.path("tftp")).unwrap();
    fs::create_dir(folder.path("tftp")).unwrap();
    let (written, ends) = both(&["--changed-only"]);
    assert_eq!(written, 400, "{ends:?}");
    assert!(ends.contains(&Some(0)), "{ends:?}");
    assert_eq!(count(&run(&folder, &["--changed-only"]).succeeds(), "unchanged"), 400);
    // Surely at once: somebody else has it.
    let taken = format!("flock configs sdi {} --changed-only", RUN.join(" "));
    folder.bash(&taken).fails("E0014");
}

/// Killed at any moment, a run leaves whole files only, and the next one makes all of them current.
#[test]
fn a12_a_killed_run_is_finished_by_the_next_one() {
    /// More than a group, so that a kill comes while some files have their names, too.
    const DEVICES: usize = 1_100;
    let folder = fleet(DEVICES);
    let keys = keys(&folder);
    let names: HashSet<String> = (0..DEVICES).map(|n| format!("SN{n:03}.enc")).collect();
    let mut killed = 0;
    for round in 0..2_u64 {
        let what = format!("round {round}");
        for n in 0..DEVICES {
            configure(&folder, n, &what);
        }
        // Later and later, until a run comes to its end.
        for attempt in 0..20 {
            let mut child = folder
                .command(SDI)
                .args(RUN)
                .args(["--changed-only", "-q"])
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            let wait = (20 + 13 * round) << attempt;
            std::thread::sleep(std::time::Duration::from_millis(wait));
            drop(child.kill());
            let is_done = child.wait().unwrap().success();
            killed += usize::from(!is_done);
            for name in outputs(&folder) {
                // A second name, from the moment of replacing; the next run takes it away.
                assert!(names.contains(&name) || name.starts_with(".sdi-"), "{name} is left");
                let file = folder.read(&format!("tftp/{name}"));
                assert!(sdi::open(&file, &keys).is_ok(), "{name} is not whole");
            }
            if is_done {
                break;
            }
        }
        assert_eq!(outputs(&folder), names);
        for n in 0..DEVICES {
            assert_eq!(opened(&folder, &keys, n), config(n, &what));
        }
        assert_eq!(count(&run(&folder, &["--changed-only"]).succeeds(), "unchanged"), DEVICES);
    }
    assert!(killed > 0, "no run was killed: it proves nothing");
}

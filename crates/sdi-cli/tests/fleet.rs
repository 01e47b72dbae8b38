//! `encrypt-dir`: from a list of devices and a folder of configurations to a server's folder.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod support;

use sdi::{Identity, KeyRing, SoftwareKey};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;
use std::sync::Arc;
use support::{Done, Folder, SDI};

const RUN: [&str; 6] = ["encrypt-dir", "configs", "--store", "certs", "-o", "tftp"];

/// Devices `SN000` and up, which share a key, each with a configuration of its own.
fn fleet(devices: usize) -> Folder {
    let folder = Folder::empty();
    folder.device("SN000", "p256");
    for name in ["configs", "certs", "tftp"] {
        fs::create_dir(folder.path(name)).unwrap();
    }
    for n in 0..devices {
        fs::copy(folder.path("SN000.crt"), folder.path(format!("certs/SN{n:03}.crt"))).unwrap();
        configure(&folder, n, "first");
    }
    folder
}

fn configure(folder: &Folder, n: usize, what: &str) {
    folder.write(&format!("configs/SN{n:03}.cfg"), config(n, what).as_bytes());
}

fn config(n: usize, what: &str) -> String {
    format!("hostname r{n}\nkey CANARY-{what}\nend\n")
}

fn run(folder: &Folder, more: &[&str]) -> Done {
    folder.sdi([&RUN[..], more].concat())
}

/// The lines of a run.
fn lines(done: &Done) -> Vec<Value> {
    done.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn count(done: &Done, action: &str) -> usize {
    lines(done).iter().filter(|line| line["action"] == action).count()
}

fn keys(folder: &Folder) -> KeyRing {
    let key = SoftwareKey::parse(&folder.read("device.key")).unwrap();
    let mut ring = KeyRing::new();
    ring.set_vendor(Identity::new(Arc::new(key), None).unwrap()).unwrap();
    ring
}

fn opened(folder: &Folder, keys: &KeyRing, n: usize) -> String {
    let file = folder.read(&format!("tftp/SN{n:03}.enc"));
    let opened = sdi::open(&file, keys).unwrap_or_else(|error| panic!("SN{n:03}: {error}"));
    String::from_utf8(opened.plaintext().to_vec()).unwrap()
}

fn outputs(folder: &Folder) -> HashSet<String> {
    let entries = fs::read_dir(folder.path("tftp")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

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

#[test]
fn maps_say_which_file_is_for_which_device() {
    let folder = fleet(3);
    folder.write("configs/edge, \"two\".txt", b"hostname two\n");
    let csv =
        "\u{feff}Name;ID;File\r\n\r\nx;SN002;\"edge, \"\"two\"\".txt\"\r\ny;SN001;SN000.cfg\r\n";
    folder.write("map.csv", csv.as_bytes());
    folder.write("map.json", br#"{"SN002": "edge, \"two\".txt", "SN001": "SN000.cfg"}"#);
    let keys = keys(&folder);
    for map in ["map.csv", "map.json"] {
        let done = run(&folder, &["--map", map, "--force"]).succeeds();
        assert_eq!(lines(&done).len(), 2, "{map}");
        assert_eq!(opened(&folder, &keys, 2), "hostname two\n");
        assert_eq!(opened(&folder, &keys, 1), config(0, "first"));
    }
    assert_eq!(outputs(&folder).len(), 2);
    folder.write("bad.csv", b"SN001,a.cfg\nSN/2,b.cfg\n");
    let text = run(&folder, &["--map", "bad.csv"]).fails("E0003").stderr();
    assert!(text.contains("line 2") && text.contains("SN/2"), "{text}");
    folder.write("bad.json", b"{\"SN1\": 1}");
    run(&folder, &["--map", "bad.json"]).fails("E0003");
    folder.write("twice.csv", b"SN001,a.cfg\nsn001,b.cfg\n");
    run(&folder, &["--map", "twice.csv"]).fails("E0002");
    for ids in [["SN001", "SN001"], ["SN001", "sn001"]] {
        let [one, other] = ids;
        let json = format!("{{\"{one}\": \"SN000.cfg\", \"{other}\": \"SN002.cfg\"}}");
        folder.write("twice.json", json.as_bytes());
        let text = run(&folder, &["--force", "--map", "twice.json"]).fails("E0002").stderr();
        assert!(text.contains("SN000.cfg") && text.contains("SN002.cfg"), "{text}");
    }
    folder.write("list.json", b"[\"SN001\"]");
    run(&folder, &["--map", "list.json"]).fails("E0003");
}

#[test]
fn names_that_are_no_identifiers_are_refused_before_any_work() {
    let folder = fleet(2);
    folder.write("configs/.hidden", b"x");
    fs::create_dir(folder.path("configs/below")).unwrap();
    run(&folder, &[]).succeeds();
    folder.write("configs/read me.txt", b"x");
    run(&folder, &["--force"]).fails("E0002");
    // All of them are told at once, or are failures among others.
    folder.write("configs/a b.cfg", b"x");
    let text = run(&folder, &["--force"]).fails("E0002").stderr();
    assert!(text.contains("configs/a b.cfg") && text.contains("configs/read me.txt"), "{text}");
    let json = run(&folder, &["--force", "--json"]).json();
    assert_eq!(json["error"]["fields"]["misnamed"].as_array().unwrap().len(), 2, "{json}");
    let done = run(&folder, &["--force", "--keep-going"]);
    assert_eq!((done.status(), count(&done, "written"), count(&done, "failed")), (Some(2), 2, 2));
    let ids: Vec<String> =
        lines(&done).iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["SN000", "SN001", "a b", "read me"], "in order");
    fs::remove_file(folder.path("configs/a b.cfg")).unwrap();
    fs::rename(folder.path("configs/read me.txt"), folder.path("configs/SN001.txt")).unwrap();
    let text = run(&folder, &["--force"]).fails("E0002").stderr();
    assert!(text.contains("SN001.cfg") && text.contains("SN001.txt"), "{text}");
}

/// A device whose configuration is missing is not passed over.
#[test]
fn what_is_no_file_is_a_failure_with_a_name() {
    let folder = fleet(6);
    folder
        .bash(
            "cd configs; rm SN001.cfg SN002.cfg SN003.cfg SN004.cfg
             ln -s nowhere SN001.cfg; mkfifo SN002.cfg; ln -s /dev/null SN003.cfg
             mv SN005.cfg ../elsewhere; ln -s ../elsewhere SN005.cfg; mkdir below
             python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"SN004.cfg\")'",
        )
        .succeeds();
    let done = run(&folder, &["--keep-going"]);
    assert_eq!((done.status(), count(&done, "written"), count(&done, "failed")), (Some(1), 2, 4));
    let failed: Vec<Value> =
        lines(&done).into_iter().filter(|line| line["action"] == "failed").collect();
    for (line, id) in failed.iter().zip(["SN001", "SN002", "SN003", "SN004"]) {
        assert_eq!((&line["id"], &line["error"]["code"]), (&id.into(), &"E0001".into()), "{line}");
        assert!(done.stderr().contains(&format!("configs/{id}.cfg")), "{}", done.stderr());
    }
    assert_eq!(run(&folder, &["--force"]).status(), Some(1));
    folder.write("map.json", br#"{"SN000": "SN002.cfg"}"#);
    assert_eq!(run(&folder, &["--map", "map.json"]).status(), Some(1));
}

/// The files are what counts, not what is said of them.
#[test]
fn a_run_that_nobody_listens_to_encrypts_all() {
    let folder = fleet(100);
    let run = |to: &str| {
        // The reader is gone before the first line comes.
        let command = format!("{{ sleep 0.5; sdi {} --force; }} {to}", RUN.join(" "));
        (folder.bash(&command), outputs(&folder).len())
    };
    for to in [">/dev/full", "| true"] {
        drop(fs::remove_dir_all(folder.path("tftp")));
        fs::create_dir(folder.path("tftp")).unwrap();
        let (done, count) = run(to);
        assert_eq!(count, 100, "{to}");
        let text = done.stderr();
        assert!(text.contains("warning: cannot write standard output: "), "{text}");
        assert!(text.ends_with("written 100, unchanged 0, failed 0\n"), "{text}");
        assert_eq!(done.status(), Some(1), "{to}");
    }
}

#[test]
fn nothing_to_do_is_told_and_is_no_failure() {
    let folder = fleet(0);
    let text = run(&folder, &[]).succeeds().stderr();
    assert!(text.starts_with("warning: configs holds no configuration"), "{text}");
    folder.write("empty.json", b"{}");
    folder.write("empty.csv", b"id,file\n");
    for map in ["empty.json", "empty.csv"] {
        let text = run(&folder, &["--map", map]).succeeds().stderr();
        assert!(text.starts_with(&format!("warning: {map} holds no configuration")), "{text}");
    }
    configure(&folder, 0, "first");
    fs::copy(folder.path("SN000.crt"), folder.path("certs/SN000.crt")).unwrap();
    assert!(!run(&folder, &[]).succeeds().stderr().contains("warning"));
}

#[test]
fn a_map_with_other_columns_says_which_are_expected() {
    let folder = fleet(2);
    for head in ["serial,config", "ID,config", "serial number;file"] {
        folder.write("map.csv", format!("{head}\nSN000,SN000.cfg\n").as_bytes());
        let text = run(&folder, &["--map", "map.csv", "--keep-going"]).fails("E0003").stderr();
        assert!(text.contains("the columns id and file"), "{head}: {text}");
        assert!(text.contains(head.split([',', ';']).next().unwrap()), "{head}: {text}");
        assert!(outputs(&folder).is_empty());
    }
    // No names of columns are needed, and a missing file is no name of one.
    folder.write("map.csv", b"SN001,missing.cfg\nSN000,SN000.cfg\n");
    let done = run(&folder, &["--map", "map.csv", "--keep-going"]);
    assert_eq!((done.status(), count(&done, "written")), (Some(1), 1));
    folder.bash("cp configs/SN000.cfg configs/config; cp SN000.crt certs/serial.crt").succeeds();
    folder.write("map.csv", b"serial,config\n");
    run(&folder, &["--map", "map.csv"]).succeeds();
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

//! `encrypt-dir`: which file is for which device, and what is no configuration.

mod support;

use serde_json::Value;
use std::fs;
use support::fleet::{config, configure, count, fleet, keys, lines, opened, outputs, run};

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

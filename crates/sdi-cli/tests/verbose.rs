//! What is said on stderr: little, with `-v` what was done, with `-vv` each step, with `--json` nothing.

mod support;

use std::fs;
use support::{CONFIG, Folder};

fn workplace() -> Folder {
    let folder = Folder::with_device("p256");
    folder.device("SN2", "p256");
    folder.sdi(["pubkey", "-k", "device.key", "-o", "device.pub"]).succeeds();
    folder.sdi(["encrypt", "-r", "SN1.crt", "-o", "SN1.enc", "router.cfg"]).succeeds();
    fs::create_dir(folder.path("tftp")).expect("a folder");
    folder
}

/// Commands, what they say without being asked, a fact of `-v`, and a step of `-vv`.
const COMMANDS: [(&[&str], &str, &str, &str); 12] = [
    (&["keygen", "-o", "new.key"], "", "wrote new.key: 241 bytes, mode 0600", "made a key: P256"),
    (&["pubkey", "-k", "SN1.key", "-o", "out"], "", "wrote out: 178 bytes, mode 0644", ""),
    (
        &["cert", "self-signed", "--id", "SN1", "-k", "SN1.key", "-o", "out"],
        "",
        "wrote out: ",
        "made a certificate for CN=SN1",
    ),
    (
        &["cert", "wrap", "--id", "SN1", "--public-key", "device.pub", "-o", "out"],
        "",
        "wrote out: ",
        "signed with a throw-away key",
    ),
    (
        &["csr", "--id", "SN1", "-k", "SN1.key", "-o", "out"],
        "",
        "wrote out: ",
        "signed the request",
    ),
    (
        &["encrypt", "-r", "SN1.crt", "-o", "out", "router.cfg"],
        "encrypted to SN1 sha256:",
        "the profile is auto, which is the default",
        "read router.cfg: 56 bytes",
    ),
    (
        &["decrypt", "-k", "SN2.key", "-k", "SN1.key", "--sanity", "ios", "-o", "out", "SN1.enc"],
        "",
        "wrote out: 56 bytes, mode 0600",
        "this file is not encrypted to the key you gave",
    ),
    (&["detect", "SN1.enc"], "", ", all of it", "its name is SN1.enc"),
    (&["inspect", "SN1.enc"], "", "read SN1.enc: ", "walked over 1 recipients"),
    (
        &["push", "SN1.enc", "--to", "tftp"],
        "",
        "wrote tftp/SN1.enc: ",
        "read it back: the same bytes",
    ),
    (
        &["verify-deploy", "SN1.enc", "--cert", "SN1.crt"],
        "",
        "fetched SN1.enc: ",
        "it is an envelope for 1 recipients",
    ),
    (&["autoinstall", "simulate", "--plot", "out"], "", ": 1 attempts, installed", ""),
];

#[test]
fn each_command_says_what_was_asked_for() {
    let folder = workplace();
    for (command, unasked, fact, step) in COMMANDS {
        let run = |more: &[&str]| {
            let done = folder.sdi([command, &["--force"], more].concat()).succeeds();
            let (out, err) = (done.stdout(), done.stderr());
            assert!(!out.contains("CANARY") && !err.contains("CANARY"), "{command:?}: {err}");
            (out, err)
        };
        let (answer, usual) = run(&[]);
        assert_eq!(usual.is_empty(), unasked.is_empty(), "{command:?}: {usual}");
        assert!(usual.contains(unasked), "{command:?}: {usual}");
        let (same, verbose) = run(&["-v"]);
        assert!(verbose.contains(fact), "{command:?}: {verbose}");
        assert!(!usual.contains(fact) && (step.is_empty() || !verbose.contains(step)), "{verbose}");
        let (_, steps) = run(&["-vv"]);
        assert!(steps.contains(fact) && steps.contains(step), "{command:?}: {steps}");
        assert!(verbose.lines().count() <= steps.lines().count(), "{command:?}: {steps}");
        let (_, quiet) = run(&["-q"]);
        assert!(quiet.is_empty(), "{command:?}: {quiet}");
        // A fingerprint of a new key is a new one.
        assert!(same == answer || command[0] == "keygen", "{command:?}: {same}");

        let (object, nothing) = run(&["--json"]);
        assert!(nothing.is_empty(), "{command:?}: {nothing}");
        assert_eq!(object.lines().count(), 1, "{command:?}: {object}");
        let (object, verbose) = run(&["--json", "-v"]);
        assert!(verbose.contains(fact), "{command:?}: {verbose}");
        assert_eq!(object.lines().count(), 1, "{command:?}: {object}");
    }
}

/// Data on stdout and words on stderr do not mix.
#[test]
fn what_goes_to_stdout_is_data_alone() {
    let folder = workplace();
    let done = folder.sdi(["decrypt", "-vv", "-k", "SN1.key", "-o", "-", "SN1.enc"]).succeeds();
    assert_eq!(done.0.stdout, CONFIG);
    let said = done.stderr();
    let key = folder.sdi(["pubkey", "-k", "SN1.key", "--fingerprint"]).succeeds().stdout();
    for line in [
        format!("read SN1.key: {}", key.trim()),
        format!("opened with the key {}", key.trim()),
        "the file is authenticated".into(),
        "the key is named in the file".into(),
        "verified the whole file".into(),
        format!("wrote {} bytes to stdout", CONFIG.len()),
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
}

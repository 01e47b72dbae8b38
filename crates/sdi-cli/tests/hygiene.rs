//! What the system refuses leaves nothing behind, and what is secret is never said: for every command.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod support;

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use support::help::commands;
use support::{CONFIG, Folder, SDI};

/// Every command that writes a file, with its output in the folder `out`.
const WRITERS: [&str; 11] = [
    "keygen -o out/x",
    "pubkey -k device.key -o out/x",
    "cert self-signed --id SN1 -k device.key -o out/x",
    "cert wrap --id SN1 --public-key device.pub -o out/x",
    "csr --id SN1 -k device.key -o out/x",
    "encrypt -r SN1.crt -o out/x router.cfg",
    "decrypt -k device.key -o out/x SN1.enc",
    "push SN1.enc --to out",
    "encrypt-dir configs --store certs -o out",
    "autoinstall simulate --plot out/x",
    "man out",
];

/// Every command that writes none.
const READERS: [&str; 6] = [
    "detect SN1.enc",
    "inspect SN1.enc",
    "verify-deploy --cert SN1.crt SN1.enc",
    "explain",
    "completions bash",
    "version",
];

fn prepared() -> Folder {
    let folder = Folder::with_device("p256");
    folder
        .bash(
            "sdi encrypt -q -r SN1.crt -o SN1.enc router.cfg
             sdi pubkey -k device.key -o device.pub
             mkdir configs certs out
             cp router.cfg configs/SN1.cfg
             cp SN1.crt certs",
        )
        .succeeds();
    folder
}

fn is_empty(folder: &Folder) -> bool {
    fs::read_dir(folder.path("out")).unwrap().count() == 0
}

#[test]
fn every_command_is_looked_at() {
    let folder = prepared();
    for command in commands(&folder) {
        let words = command.join(" ");
        let all = WRITERS.iter().chain(&READERS).chain(&["doctor"]);
        assert!(all.into_iter().any(|one| one.starts_with(&words)), "{words}");
    }
    for command in READERS {
        folder.sdi(command.split(' ')).succeeds();
    }
}

#[test]
fn a_disk_that_is_full_is_said_and_leaves_nothing() {
    for command in WRITERS {
        let folder = prepared();
        let full = folder.bash(&format!("ulimit -f 0; trap '' XFSZ; sdi {command}"));
        full.fails("E0001");
        assert!(is_empty(&folder), "{command}");
        folder.sdi(command.split(' ')).succeeds();
        assert!(!is_empty(&folder), "{command}");
    }
}

/// Nor does plaintext leave that could not be kept until it was verified.
#[test]
fn a_full_staging_folder_lets_nothing_out() {
    let folder = prepared();
    folder.write("big", &vec![b'x'; 9 << 20]);
    folder.sdi(["encrypt", "-q", "-r", "SN1.crt", "big"]).succeeds();
    let run = "decrypt -k device.key --stage out big.enc";
    let full = folder.bash(&format!("ulimit -f 1024; trap '' XFSZ; sdi {run}")).fails("E0001");
    assert!(full.0.stdout.is_empty() && is_empty(&folder));
    assert_eq!(folder.sdi(run.split(' ')).succeeds().0.stdout, folder.read("big"));
}

/// It is not followed, and only replaced where it is asked for.
#[test]
fn a_symbolic_link_in_place_of_an_output_is_refused() {
    for command in WRITERS {
        let folder = prepared();
        folder.sdi(command.split(' ')).succeeds();
        let outputs: Vec<_> =
            fs::read_dir(folder.path("out")).unwrap().map(Result::unwrap).collect();
        for output in &outputs {
            fs::remove_file(output.path()).unwrap();
            symlink("../router.cfg", output.path()).unwrap();
        }
        folder.sdi(command.split(' ')).fails("E0014");
        assert!(outputs.iter().all(|output| output.path().is_symlink()), "{command}");
        folder.sdi([command, " --force"].concat().split(' ')).succeeds();
        assert!(!outputs.iter().any(|output| output.path().is_symlink()), "{command}");
        assert_eq!(folder.read("router.cfg"), CONFIG, "{command}");
    }
}

/// Root may write everywhere, so another user runs it.
#[test]
fn a_folder_that_may_not_be_written_is_said() {
    for command in WRITERS {
        let folder = prepared();
        fs::copy(SDI, folder.path("sdi")).unwrap();
        fs::set_permissions(folder.path("."), Permissions::from_mode(0o755)).unwrap();
        let run = |mode: &str| {
            folder.bash(&format!(
                "as=()
                 if [ $(id -u) = 0 ]; then
                     as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
                     chown -R 65534 .
                 fi
                 chmod {mode} out; \"${{as[@]}}\" ./sdi {command}"
            ))
        };
        run("555").fails("E0001");
        assert!(is_empty(&folder), "{command}");
        run("755").succeeds();
        assert!(!is_empty(&folder), "{command}");
    }
}

/// Who runs a command without stdin gives it an empty one.
#[test]
fn a_closed_stdin_is_an_empty_one() {
    let folder = prepared();
    folder.bash("sdi decrypt -k device.key - <&-").fails("E0003");
    folder.bash("sdi decrypt -k - SN1.enc <&-").fails("E0003");
    folder.bash("sdi encrypt -r - -o out/x router.cfg <&-").fails("E0003");
    assert_eq!(folder.bash("sdi detect - <&-").status(), Some(11));
    assert!(is_empty(&folder));
    // What is opened must not become stdin, stdout or stderr.
    folder.bash("sdi encrypt -r SN1.crt -o out/x router.cfg <&- >&- 2>&-").succeeds();
    let opened = folder.sdi(["decrypt", "-k", "device.key", "out/x"]).succeeds();
    assert_eq!(opened.0.stdout, CONFIG);
}

#[test]
fn a_reader_that_goes_away_is_no_reason_to_complain() {
    let folder = prepared();
    for command in WRITERS.iter().chain(&READERS) {
        let run = format!("set +o pipefail; rm -rf out/*; sdi {command} 2>err | true; cat err");
        let said = folder.bash(&run).succeeds().stdout();
        assert!(!said.contains("error") && !said.contains("panic"), "{command}: {said}");
    }
    // The control: another reason is told.
    folder.bash("sdi encrypt -r SN1.crt -o - router.cfg >/dev/full").fails("E0001");
}

#[test]
fn a_fleet_has_no_names_that_are_not_utf_8() {
    let folder = prepared();
    let name = OsStr::from_bytes(b"configs/SN\xff\x1b[31m.cfg");
    fs::write(folder.path(name), CONFIG).unwrap();
    let args = ["encrypt-dir", "configs", "--store", "certs", "-o", "out"];
    let text = folder.sdi(args).fails("E0002").stderr();
    assert!(text.contains("SN\u{fffd}\\u{1b}[31m.cfg"), "{text}");
    assert!(is_empty(&folder));
    fs::remove_file(folder.path(name)).unwrap();
    folder.sdi(args).succeeds();
}

/// Keys and plaintext that would be seen at once; what is asked for goes into files.
#[test]
fn no_command_says_a_secret() {
    let folder = prepared();
    let key = String::from_utf8(folder.read("device.key")).unwrap();
    let secrets: Vec<&str> = key.lines().filter(|line| !line.starts_with('-')).collect();
    assert!(secrets.len() >= 2);
    for command in WRITERS.iter().chain(&READERS).chain(&["doctor -k device.key"]) {
        for more in ["", " -v", " --json", " --nonsense", " --force --json -v"] {
            // The second time the output is there already.
            for _ in 0..2 {
                let done = folder.bash(&format!("sdi {command}{more}"));
                let said = done.stdout() + &done.stderr();
                assert!(!said.contains("CANARY"), "{command}{more}: {said}");
                assert!(!secrets.iter().any(|line| said.contains(line)), "{command}{more}: {said}");
            }
        }
        // With a key in place of every other file.
        let swapped = command.replace("SN1.crt", "device.key").replace("SN1.enc", "device.key");
        let swapped = swapped.replace("device.pub", "device.key");
        let done = folder.bash(&format!("sdi --force -v {swapped}"));
        let said = done.stdout() + &done.stderr();
        assert!(!secrets.iter().any(|line| said.contains(line)), "{swapped}: {said}");
    }
    // The control: where it is asked for, it is found.
    let asked = folder.sdi(["decrypt", "-k", "device.key", "SN1.enc"]).succeeds().stdout();
    assert!(asked.contains("CANARY"));
    let asked = folder.sdi(["keygen", "-o", "-"]).succeeds().stdout();
    assert!(asked.contains("PRIVATE KEY"));
}

/// Each code is what some test expects.
#[test]
fn every_code_has_a_case() {
    let folder = Folder::with_device("p256");
    folder.write("long.crt", &vec![b'x'; 70_000]);
    folder.sdi(["encrypt", "-r", "long.crt", "router.cfg"]).fails("E0203");
    folder.sdi(["encrypt", "-r", "SN1.crt", "router.cfg"]).succeeds();

    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let files = fs::read_dir(tests).unwrap().map(|entry| entry.unwrap().path());
    let text: String =
        files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap()).collect();
    let list = folder.sdi(["explain"]).succeeds().stdout();
    assert!(list.lines().count() >= 17);
    for code in list.lines().map(|line| &line[..5]) {
        assert!(text.contains(&format!("\"{code}\"")), "{code}");
    }
}

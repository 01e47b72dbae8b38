//! After the encryption: to the server, a look at what it serves, the device's attempts, the doctor.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod support;

use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::thread;
use support::{CONFIG, Folder};

fn with_file() -> Folder {
    let folder = Folder::with_device("p256");
    folder.sdi(["encrypt", "-r", "SN1.crt", "-o", "SN1.enc", "router.cfg"]).succeeds();
    fs::create_dir(folder.path("tftp")).unwrap();
    folder
}

#[test]
fn push_brings_a_whole_file_that_everybody_may_read() {
    let folder = with_file();
    folder.bash("chmod 600 SN1.enc").succeeds();
    folder.sdi(["push", "SN1.enc", "--to", "tftp"]).succeeds();
    assert_eq!(folder.read("tftp/SN1.enc"), folder.read("SN1.enc"));
    assert_eq!(fs::metadata(folder.path("tftp/SN1.enc")).unwrap().mode() & 0o7777, 0o644);
    folder.sdi(["push", "SN1.enc", "--to", "tftp"]).fails("E0014");
    let json = folder.sdi(["push", "--json", "--force", "SN1.enc", "--to", "tftp"]).succeeds();
    assert_eq!(json.json()["output"], "tftp/SN1.enc");
    let text = folder.sdi(["push", "SN1.enc", "--to", "a b/c"]).fails("E0001").stderr();
    assert!(text.contains("the folder a b/c is not there"), "{text}");
    let (_, line) = text.split_once("help: ").unwrap();
    folder.bash(line).succeeds();
    folder.sdi(["push", "SN1.enc", "--to", "a b/c"]).succeeds();
}

#[test]
fn push_refuses_what_no_device_installs() {
    let folder = with_file();
    folder.write("plain.enc", CONFIG);
    folder.write("empty.cfg", b"");
    for name in ["plain.enc", "empty.cfg"] {
        folder.sdi(["push", name, "--to", "tftp"]).fails("E0011");
        assert!(!folder.path(format!("tftp/{name}")).exists());
    }
    let done = folder.sdi(["push", "router.cfg", "--to", "tftp"]).succeeds();
    assert!(done.stderr().contains("router.cfg is not encrypted"), "{}", done.stderr());
}

/// Damage behind the first bytes is noticed, too, and what is whole passes.
#[test]
fn damage_anywhere_is_noticed_by_detect_and_push() {
    let folder = Folder::with_device("p256");
    fs::create_dir(folder.path("tftp")).unwrap();
    folder.write("router.cfg", &CONFIG.repeat(1000));
    for form in ["pem", "der", "smime", "magic-der"] {
        for profile in ["rfc8886", "authenticated"] {
            let args = ["encrypt", "-q", "--force", "-r", "SN1.crt", "--form", form, "--profile"];
            folder.sdi([&args[..], &[profile, "-o", "SN1.enc", "router.cfg"]].concat()).succeeds();
            let whole = folder.read("SN1.enc");
            let mut changed = whole.clone();
            // No character of base64, and no length of DER.
            let half = whole.len() / 2;
            changed[half..half + 4].copy_from_slice(b"!!!!");
            let is_text = matches!(form, "pem" | "smime");
            for (bytes, is_whole) in [
                (whole.clone(), true),
                ([&whole[..], b"\n\0\xff"].concat(), true),
                (whole[..whole.len() - 40].to_vec(), false),
                (whole[..whole.len() / 2].to_vec(), false),
                (whole[..5000].to_vec(), false),
                ([&whole[..], b"garbage"].concat(), false),
                (changed, !is_text),
            ] {
                let what = format!("{form} {profile} {} of {}", bytes.len(), whole.len());
                folder.write("SN1.enc", &bytes);
                drop(fs::remove_file(folder.path("tftp/SN1.enc")));
                let found = folder.sdi(["detect", "SN1.enc"]);
                let pushed = folder.sdi(["push", "SN1.enc", "--to", "tftp"]);
                if is_whole {
                    assert!(found.stdout().starts_with("encrypted"), "{what}: {}", found.stdout());
                    pushed.succeeds();
                    assert!(folder.read("tftp/SN1.enc") == bytes, "{what}");
                } else {
                    assert_eq!(found.status(), Some(11), "{what}: {}", found.stdout());
                    assert!(found.stdout().starts_with("damaged: "), "{what}: {}", found.stdout());
                    assert!(pushed.fails("E0011").stderr().contains("  reason "), "{what}");
                    assert!(!folder.path("tftp/SN1.enc").exists());
                }
            }
        }
    }
    // What is longer than is held in memory is copied, and that is told.
    folder
        .bash("head -c 65M /dev/zero | sdi encrypt -q -r SN1.crt --form der - > long.enc")
        .succeeds();
    folder.sdi(["detect", "long.enc"]).succeeds();
    let json = folder.sdi(["push", "--json", "long.enc", "--to", "tftp"]).succeeds().json();
    assert_eq!(json["warnings"][0]["code"], "long");
    folder.bash("cmp long.enc tftp/long.enc").succeeds();
    // Others may open what is not opened here.
    let other =
        "openssl cms -encrypt -camellia128 -in router.cfg -outform PEM -out other.enc SN1.crt";
    folder.bash(other).succeeds();
    folder.sdi(["push", "other.enc", "--to", "tftp"]).succeeds();
}

#[test]
fn push_publishes_no_private_key() {
    let folder = with_file();
    folder
        .bash(
            "umask 077
             sdi keygen -a rsa2048 -o rsa.key; sdi keygen -a x25519 -o x.key
             for kind in device rsa x; do
                 openssl pkey -in $kind.key -outform DER -out $kind.der
                 openssl pkcs8 -topk8 -in $kind.key -passout pass:x -out $kind.pem
                 openssl pkcs8 -topk8 -in $kind.key -passout pass:x -outform DER -out $kind.p8
             done
             openssl ec -in device.key -out sec1.key 2>/dev/null
             openssl pkcs12 -export -inkey device.key -in SN1.crt -passout pass:x -out device.p12
             openssl genpkey -algorithm ed25519 -out ed.key
             openssl genpkey -algorithm ed25519 -outform DER -out ed.der
             (cat router.cfg; sed 's/^/  /' rsa.key) > with-key.cfg
             (printf '\\357\\273\\277'; cat device.key) > bom.cfg
             printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n' > ssh.cfg
             cat SN1.enc device.key > both.enc
             (for n in {1..2000}; do cat router.cfg; done; cat ssh.cfg) > long.cfg
             ",
        )
        .succeeds();
    for name in folder.names() {
        if matches!(&*name, "SN1.crt" | "SN1.enc" | "router.cfg" | "tftp") {
            continue;
        }
        let text = folder.sdi(["push", &name, "--to", "tftp"]).fails("E0212").stderr();
        assert!(text.contains("this file holds a private key") && text.contains(&name), "{text}");
        assert!(!folder.path(format!("tftp/{name}")).exists(), "{name}");
    }
    // The control: a certificate and an encrypted file are none.
    folder
        .bash(
            "openssl x509 -in SN1.crt -outform DER -out crt
             openssl pkey -in device.key -pubout -out pub
             sdi encrypt -q -r SN1.crt --form der -o der.enc router.cfg",
        )
        .succeeds();
    for name in ["SN1.crt", "SN1.enc", "router.cfg", "crt", "pub", "der.enc"] {
        folder.sdi(["push", "-q", name, "--to", "tftp"]).succeeds();
    }
}

#[test]
fn push_says_what_it_has_pushed() {
    let folder = with_file();
    let push = |name: &str| folder.sdi(["push", "--json", name, "--to", "tftp"]).succeeds().json();
    let json = push("SN1.enc");
    assert_eq!((&json["kind"], &json["warnings"]), (&"enveloped".into(), &Value::Array(vec![])));
    let json = push("router.cfg");
    assert_eq!((&json["kind"], &json["warnings"][0]["code"]), (&"plain".into(), &"plain".into()));
    folder.bash("head -c 5M /dev/zero > big.cfg").succeeds();
    let done = folder.sdi(["encrypt", "--json", "--check-size", "-r", "SN1.crt", "big.cfg"]);
    assert_eq!(done.succeeds().json()["warnings"][0]["code"], "size");
}

/// Answers one request with these bytes, and gives back what was asked.
fn serve(answer: Vec<u8>) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/SN1.enc", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        stream.write_all(&answer).unwrap();
        String::from_utf8(request).unwrap()
    });
    (url, server)
}

fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[test]
fn verify_deploy_looks_with_the_eyes_of_the_device() {
    let folder = with_file();
    folder.device("SN2", "p256");
    let file = folder.read("SN1.enc");
    // Every line end becomes two bytes, as TFTP's netascii does it.
    let args = ["encrypt", "-r", "SN1.crt", "--form", "magic-der", "-o", "magic.enc", "router.cfg"];
    folder.sdi(args).succeeds();
    let netascii: Vec<u8> = folder
        .read("magic.enc")
        .iter()
        .flat_map(|byte| match byte {
            b'\n' => vec![b'\r', b'\n'],
            b'\r' => vec![b'\r', 0],
            byte => vec![*byte],
        })
        .collect();
    for (answer, cert, code) in [
        (ok(&file), "SN1.crt", None),
        (ok(&file), "SN2.crt", Some("E0004")),
        (ok(CONFIG), "SN1.crt", Some("E0010")),
        (ok(&file[..file.len() / 2]), "SN1.crt", Some("E0003")),
        (ok(&netascii), "SN1.crt", Some("E0003")),
        (ok(&file)[..300].to_vec(), "SN1.crt", Some("E0009")),
        (b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec(), "SN1.crt", Some("E0007")),
        (b"HTTP/1.1 503 Busy\r\n\r\n".to_vec(), "SN1.crt", Some("E0009")),
    ] {
        let (url, server) = serve(answer);
        let done = folder.sdi(["verify-deploy", &url, "--cert", cert]);
        assert!(server.join().unwrap().starts_with("GET /SN1.enc HTTP/1.0\r\nHost: 127.0.0.1:"));
        match code {
            None => assert!(done.succeeds().stdout().contains(" bytes for SN1 sha256:")),
            Some(code) => drop(done.fails(code)),
        }
    }
    let json = folder.sdi(["verify-deploy", "--json", "SN1.enc", "--cert", "SN1.crt"]).succeeds();
    assert_eq!(json.json()["id"], "SN1");
    folder.sdi(["verify-deploy", "http://127.0.0.1:1/x", "--cert", "SN1.crt"]).fails("E0009");
    folder.sdi(["verify-deploy", "https://127.0.0.1/x", "--cert", "SN1.crt"]).fails("E0002");
}

/// What a transfer has done shows where it did no harm, and explains where it did.
#[test]
fn a_text_mode_transfer_is_told_by_verify_deploy_and_decrypt() {
    let folder = with_file();
    folder
        .bash(
            "sdi encrypt -q -r SN1.crt --form der -o der.enc router.cfg
             sed 's/$/\\r/' SN1.enc > crlf.enc",
        )
        .succeeds();
    let der = folder.read("der.enc");
    // A line end has to be in it; with one at the end of the tag there always is.
    let der = [&der[..der.len() - 3], b"\x01\n\x02"].concat();
    let changed: Vec<u8> = der
        .iter()
        .flat_map(|byte| match byte {
            b'\n' => vec![b'\r', b'\n'],
            b'\r' => vec![b'\r', 0],
            byte => vec![*byte],
        })
        .collect();
    folder.write("netascii.enc", &changed);
    let verify = |more: &[&str]| {
        folder.sdi([&["verify-deploy", "--cert", "SN1.crt"], more].concat()).succeeds()
    };
    assert!(verify(&["crlf.enc"]).stderr().contains("warning: line ends were changed"));
    assert_eq!(verify(&["--json", "crlf.enc"]).json()["warnings"][0]["code"], "crlf");
    assert!(!verify(&["SN1.enc"]).stderr().contains("warning"));
    for input in ["netascii.enc", "-"] {
        let args = ["decrypt", "-k", "SN1.key", input];
        let text = folder.sdi_with(args, &changed).fails("E0003").stderr();
        assert!(text.contains("a text-mode transfer has changed it"), "{text}");
        assert!(text.contains("TFTP octet"), "{text}");
    }
    // The control: cut short is something else.
    let text = folder.sdi_with(["decrypt", "-k", "SN1.key", "-"], &der[..200]).fails("E0003");
    assert!(!text.stderr().contains("text-mode"), "{}", text.stderr());
}

#[test]
fn inspect_says_by_its_status_whether_it_matches() {
    let folder = with_file();
    folder.device("SN2", "p256");
    let inspect = |more: &[&str]| folder.sdi([&["inspect", "SN1.enc"], more].concat());
    inspect(&["--match-cert", "SN1.crt"]).succeeds();
    let done = inspect(&["--match-cert", "SN2.crt"]);
    assert_eq!(done.status(), Some(4));
    assert!(done.stdout().ends_with("match       not for the certificate that you gave\n"));
    assert!(done.stdout().starts_with("file        SN1.enc") && done.stderr().is_empty());
    let json = inspect(&["--json", "--match-cert", "SN2.crt"]).json();
    assert_eq!(
        (&json["ok"], &json["exit"], &json["match"]),
        (&false.into(), &4.into(), &false.into())
    );
    assert_eq!(json["kind"], "enveloped");
}

#[test]
fn the_jitter_is_in_per_cent() {
    let folder = Folder::empty();
    let done = folder.sdi(["autoinstall", "simulate", "--jitter", "60"]);
    assert_eq!(done.status(), Some(2));
    assert!(done.stderr().contains("a number up to 50"), "{}", done.stderr());
    folder.sdi(["autoinstall", "simulate", "--jitter", "50%"]).succeeds();
}

#[test]
fn the_doctor_does_not_wait_for_ever() {
    let folder = Folder::empty();
    folder.write("openssl", b"#!/bin/sh\nexec sleep 100\n");
    let begun = std::time::Instant::now();
    let done = folder.bash("chmod 755 openssl; PATH=$PWD:$PATH; sdi doctor");
    assert_eq!(done.status(), Some(1));
    assert!(done.stdout().contains("BAD  openssl    openssl does not answer"), "{}", done.stdout());
    assert!(begun.elapsed().as_secs() < 30);
}

fn attempts(folder: &Folder, more: &[&str]) -> Vec<(u64, String)> {
    let args = [&["autoinstall", "simulate", "--json"], more].concat();
    let json = folder.sdi(args).succeeds().json();
    let attempt = |attempt: &Value| {
        let ending = attempt["ending"].as_str().unwrap().to_owned();
        (attempt["seconds"].as_u64().unwrap(), ending)
    };
    json["attempts"].as_array().unwrap().iter().map(attempt).collect()
}

#[test]
fn the_simulation_follows_the_schedule() {
    let folder = Folder::empty();
    let found = attempts(&folder, &["--server-appears-at", "2h17m", "--jitter", "0"]);
    let minutes: Vec<u64> = found.iter().map(|(seconds, _)| seconds / 60).collect();
    assert_eq!(minutes, [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 120, 180]);
    let endings: Vec<&str> = found.iter().map(|(_, ending)| ending.as_str()).collect();
    assert!(endings[..14].iter().all(|ending| *ending == "no server"));
    assert_eq!(endings[14], "installed");

    // Two devices come at different times, and each at the same again.
    let one = attempts(&folder, &["--server-appears-at", "1h"]);
    assert_eq!(one, attempts(&folder, &["--server-appears-at", "1h"]));
    assert_ne!(one, attempts(&folder, &["--server-appears-at", "1h", "--id", "SN2"]));
    let few = attempts(&folder, &["--loss", "100%", "--max-attempts", "3", "--retry", "1m,1h,1h"]);
    assert_eq!(few.len(), 3);
    assert!(few.iter().all(|(_, ending)| ending == "lost on the way"));
    let jitter = folder.sdi(["autoinstall", "simulate", "--jitter", "60"]);
    assert_eq!(jitter.status(), Some(2));
}

#[test]
fn the_drawing_is_the_same_bytes_for_the_same_attempts() {
    let folder = Folder::empty();
    let draw = |name: &str| {
        let args = ["autoinstall", "simulate", "--server-appears-at", "2h17m", "--loss", "5%"];
        folder.sdi([&args[..], &["--plot", name]].concat()).succeeds().stdout()
    };
    let text = draw("a.svg");
    assert!(text.lines().count() > 14 && text.ends_with("installed\n"), "{text}");
    assert_eq!(text, draw("b.svg"));
    let svg = String::from_utf8(folder.read("a.svg")).unwrap();
    assert_eq!(svg.as_bytes(), folder.read("b.svg"));
    assert_eq!(svg.matches("<circle").count(), text.lines().count() - 1 + 3);
    folder.sdi(["autoinstall", "simulate", "--plot", "a.svg"]).fails("E0014");
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let folder = Folder::with_device("p256");
    folder.device("SN2", "p256");
    let done = folder.sdi(["doctor", "-k", "device.key", "--cert", "SN1.crt"]).succeeds();
    let text = done.stdout();
    assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), 5, "{text}");
    assert!(text.contains("files of --profile rfc8886 go both ways"), "{text}");

    let done = folder.sdi(["doctor", "--json", "-k", "device.key", "--cert", "SN2.crt"]);
    assert_eq!(done.status(), Some(6));
    assert_eq!(done.json()["ok"], false);
    folder.bash("chmod 644 device.key").succeeds();
    assert_eq!(folder.sdi(["doctor", "-k", "device.key"]).status(), Some(15));
    let mut command = folder.command(support::SDI);
    let nowhere = command.arg("doctor").env("TMPDIR", folder.path("missing")).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(1));
}

//! The commands that scripts call: names, options, outputs and exit status never change.

mod support;

use std::fs;
use support::{CONFIG, Folder};

const ALGORITHMS: [&str; 6] = ["p256", "p384", "p521", "rsa2048", "rsa3072", "x25519"];

#[test]
fn keys_of_every_kind_make_certificates_that_are_encrypted_to() {
    for algorithm in ALGORITHMS {
        let folder = Folder::empty();
        let made = folder.sdi(["keygen", "-a", algorithm, "-o", "device.key"]).succeeds();
        let fingerprint = made.stdout();
        assert!(fingerprint.starts_with("sha256:") && fingerprint.len() == 7 + 64 + 1);
        if algorithm == "x25519" {
            let args = ["cert", "self-signed", "--id", "SN1", "-k", "device.key", "-o", "SN1.crt"];
            let refused = folder.sdi(args).fails("E0002");
            assert!(refused.stderr().contains("sdi cert wrap --id SN1"), "{}", refused.stderr());
            folder.sdi(["pubkey", "-k", "device.key", "-o", "device.pub"]).succeeds();
            let args =
                ["cert", "wrap", "--id", "SN1", "--public-key", "device.pub", "-o", "SN1.crt"];
            assert_eq!(folder.sdi(args).succeeds().stdout(), fingerprint);
        } else {
            let args = ["cert", "self-signed", "--id", "SN1", "-k", "device.key", "-o", "SN1.crt"];
            assert_eq!(folder.sdi(args).succeeds().stdout(), fingerprint);
        }
        let shown = folder.sdi(["pubkey", "--cert", "SN1.crt", "--fingerprint"]).succeeds();
        assert_eq!(shown.stdout(), fingerprint);

        folder.write("SN1.cfg", CONFIG);
        folder.sdi(["encrypt", "-r", "SN1.crt", "SN1.cfg"]).succeeds();
        let opened = folder.sdi(["decrypt", "-k", "device.key", "SN1.enc"]).succeeds();
        assert_eq!(opened.0.stdout, CONFIG, "{algorithm}");
    }
}

#[test]
fn every_profile_and_form_comes_back() {
    let folder = Folder::with_device("rsa2048");
    for (profile, form, start) in [
        ("auto", "pem", "-----BEGIN CMS-----\n"),
        ("rfc8886", "pem", "-----BEGIN PKCS7-----\n"),
        ("authenticated", "pem", "-----BEGIN CMS-----\n"),
        ("rfc8886", "smime", "MIME-Version: 1.0\n"),
        ("authenticated", "smime", "MIME-Version: 1.0\n"),
        ("rfc8886", "der", "0\u{82}"),
        ("auto", "magic-der", "\u{89}SDI\r\n\u{1a}\n"),
    ] {
        let args = ["encrypt", "-r", "SN1.crt", "--profile", profile, "--form", form];
        folder.sdi([&args[..], &["-o", "out.enc", "--force", "router.cfg"]].concat()).succeeds();
        let file = folder.read("out.enc");
        let start: Vec<u8> = start.chars().map(|char| u8::try_from(char).unwrap()).collect();
        assert!(file.starts_with(&start), "{profile} {form}");
        folder.sdi(["detect", "out.enc"]).succeeds();
        let opened = folder.sdi_with(["decrypt", "-k", "device.key", "-"], &file).succeeds();
        assert_eq!(opened.0.stdout, CONFIG, "{profile} {form}");
    }
}

#[test]
fn many_recipients_open_the_same_file_and_a_stranger_does_not() {
    let folder = Folder::with_device("p256");
    folder.device("SN2", "rsa2048");
    folder.device("SN3", "p256");
    for profile in ["rfc8886", "authenticated"] {
        let args = ["encrypt", "-r", "SN1.crt", "-r", "SN2.crt", "--profile", profile, "--force"];
        folder.sdi([&args[..], &["-o", "both.enc", "router.cfg"]].concat()).succeeds();
        for id in ["SN1", "SN2"] {
            let (key, crt) = (format!("{id}.key"), format!("{id}.crt"));
            for args in [&["-k", &key][..], &["-k", &key, "--cert", &crt]] {
                let args = [&["decrypt"], args, &["both.enc"]].concat();
                assert_eq!(folder.sdi(args).succeeds().0.stdout, CONFIG);
            }
        }
        for args in [&["-k", "SN3.key"][..], &["-k", "SN3.key", "--cert", "SN3.crt"]] {
            let args = [&["decrypt"], args, &["both.enc"]].concat();
            let refused = folder.sdi(args).fails("E0004");
            assert!(refused.stderr().contains("your key"), "{}", refused.stderr());
            assert!(refused.0.stdout.is_empty());
        }
        // Several keys: the first one that opens it does.
        let args = ["decrypt", "-k", "SN3.key", "-k", "SN2.key", "-o", "-", "both.enc"];
        assert_eq!(folder.sdi(args).succeeds().0.stdout, CONFIG);
    }
}

#[test]
fn the_error_of_a_wrong_key_names_both_sides() {
    let folder = Folder::with_device("p256");
    folder.device("SN2", "p256");
    folder.sdi(["encrypt", "-r", "SN1.crt", "--profile", "rfc8886", "router.cfg"]).succeeds();
    let args = ["decrypt", "-k", "SN2.key", "--cert", "SN2.crt", "router.enc"];
    let text = folder.sdi(args).fails("E0004").stderr();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "error[sdi::E0004]: this file is not encrypted to the key you gave");
    assert!(lines[1].contains("file       router.enc"), "{text}");
    assert!(lines[2].contains("recipient  CN=SN1"), "{text}");
    assert!(lines[3].contains("your key   SN2 sha256:"), "{text}");
    assert!(text.ends_with("sdi inspect router.enc\n"), "{text}");
}

#[test]
fn exit_statuses_of_decrypt() {
    let folder = Folder::with_device("p256");
    folder.sdi(["encrypt", "-r", "SN1.crt", "--form", "der", "router.cfg"]).succeeds();
    let file = folder.read("router.enc");
    let decrypt = |bytes: &[u8]| folder.sdi_with(["decrypt", "-k", "device.key", "-"], bytes);
    assert_eq!(decrypt(&file).succeeds().0.stdout, CONFIG);

    let mut changed = file.clone();
    *changed.last_mut().unwrap() ^= 1;
    decrypt(&changed).fails("E0005");
    decrypt(CONFIG).fails("E0010");
    decrypt(&file[..file.len() - 1]).fails("E0003");
    decrypt(&[&file[..], b"more"].concat()).fails("E0003");
    decrypt(b"").fails("E0003");
    let signed = b"0\x0b\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02";
    decrypt(signed).fails("E0103");
    folder.sdi(["decrypt", "-k", "device.key", "missing.enc"]).fails("E0001");
    folder.sdi(["decrypt", "-k", "router.cfg", "router.enc"]).fails("E0015");
    folder.write("no.key", b"hello");
    folder.bash("chmod 600 no.key").succeeds();
    folder.sdi(["decrypt", "-k", "no.key", "router.enc"]).fails("E0003");
    folder.device("SN2", "p256");
    folder.sdi(["decrypt", "-k", "SN1.key", "--cert", "SN2.crt", "router.enc"]).fails("E0206");
}

#[test]
fn damage_is_told_from_a_strangers_file() {
    for (algorithm, profile) in [("p256", "rfc8886"), ("p256", "auto"), ("rsa2048", "auto")] {
        let folder = Folder::with_device(algorithm);
        folder.device("SN2", algorithm);
        let args =
            ["encrypt", "-r", "SN1.crt", "--form", "der", "--profile", profile, "router.cfg"];
        folder.sdi(args).succeeds();
        let mut file = folder.read("router.enc");
        folder.sdi(["decrypt", "-k", "SN2.key", "router.enc"]).fails("E0004");
        let end = file.len();
        file[end - 16..].fill(0);
        folder.write("damaged.enc", &file);
        folder.sdi(["decrypt", "-k", "SN1.key", "damaged.enc"]).fails("E0005");
    }
}

#[test]
fn min_profile_refuses_what_can_be_changed() {
    let folder = Folder::with_device("p256");
    for (profile, opens) in [("rfc8886", false), ("authenticated", true)] {
        let args = ["encrypt", "-r", "SN1.crt", "--profile", profile, "--force", "router.cfg"];
        folder.sdi(args).succeeds();
        let args = ["decrypt", "-k", "device.key", "--min-profile", "authenticated", "router.enc"];
        let done = folder.sdi(args);
        if opens {
            done.succeeds()
        } else {
            done.fails("E0112")
        };
    }
}

/// Where nothing but padding vouches for it, plaintext has to be text.
#[test]
fn sanity_is_asked_for_where_only_padding_vouches() {
    let binary = b"\x00\x01\xff\xfe binary";
    let open = |folder: &Folder, more: &[&str]| {
        let args = [&["decrypt", "-k", "device.key"], more, &["b.enc"]].concat();
        folder.sdi(args)
    };
    for (algorithm, profile, is_asked) in
        [("rsa2048", "rfc8886", true), ("rsa2048", "auto", false), ("p256", "rfc8886", false)]
    {
        let folder = Folder::with_device(algorithm);
        folder.write("b.bin", binary);
        folder.sdi(["encrypt", "-r", "SN1.crt", "--profile", profile, "b.bin"]).succeeds();
        if is_asked {
            open(&folder, &[]).fails("E0013");
        } else {
            assert_eq!(open(&folder, &[]).succeeds().0.stdout, binary);
        }
        // With the certificate the name vouches, and a person may say so, too.
        assert_eq!(open(&folder, &["--cert", "SN1.crt"]).succeeds().0.stdout, binary);
        assert_eq!(open(&folder, &["--sanity", "none"]).succeeds().0.stdout, binary);
        open(&folder, &["--sanity", "text", "-o", "b.out"]).fails("E0013");
        assert!(!folder.path("b.out").exists());
        let args = ["encrypt", "-r", "SN1.crt", "--profile", profile, "-o", "t.enc", "router.cfg"];
        folder.sdi(args).succeeds();
        folder.sdi(["decrypt", "-k", "device.key", "--sanity", "ios", "t.enc"]).succeeds();
    }
}

#[test]
fn a_program_is_asked_whether_it_is_a_configuration() {
    let folder = Folder::with_device("p256");
    folder.write("check", b"#!/bin/sh\ngrep -q ^hostname && echo no data\n");
    folder.write("lazy", b"#!/bin/sh\nexit 0\n");
    folder
        .bash("chmod 755 check lazy; (cat router.cfg; head -c 9M /dev/zero) > big.cfg")
        .succeeds();
    folder.write("other.cfg", b"CANARY\n");
    for (name, program, is_sane) in [
        ("router", "./check", true),
        ("big", "./check", true),
        ("big", "./lazy", true),
        ("other", "./check", false),
    ] {
        let (cfg, enc) = (format!("{name}.cfg"), format!("{name}.enc"));
        folder.sdi(["encrypt", "--force", "-r", "SN1.crt", &cfg]).succeeds();
        let program = format!("cmd:{program}");
        for output in ["-", "out"] {
            let args = ["decrypt", "--force", "-k", "device.key", "--sanity", &program];
            let done = folder.sdi([&args[..], &["-o", output, &enc]].concat());
            if is_sane {
                let done = done.succeeds();
                let found = if output == "-" { done.0.stdout } else { folder.read("out") };
                assert!(found == folder.read(&cfg), "{name} {output}");
            } else {
                assert!(done.fails("E0013").0.stdout.is_empty());
            }
        }
    }
    let args = ["decrypt", "-k", "device.key", "--sanity", "cmd:./missing", "router.enc"];
    folder.sdi(args).fails("E0001");
    let args = ["decrypt", "-k", "device.key", "--sanity", "cmd:", "router.enc"];
    assert_eq!(folder.sdi(args).status(), Some(2));
    let args = ["decrypt", "-k", "device.key", "--sanity", "cmd:./lazy", "--stage", "off"];
    folder.sdi([&args[..], &["router.enc"]].concat()).fails("E0002");
}

#[test]
fn a_pin_refuses_another_key() {
    let folder = Folder::with_device("p256");
    let shown = folder.sdi(["pubkey", "--cert", "SN1.crt", "--fingerprint"]).succeeds().stdout();
    let right = shown.trim().to_uppercase();
    let wrong = format!("sha256:{}", "0".repeat(64));
    let encrypt = |pin: &str| folder.sdi(["encrypt", "-r", "SN1.crt", "--pin", pin, "router.cfg"]);
    let refused = encrypt(&wrong).fails("E0006");
    assert!(refused.stderr().contains(shown.trim()) && refused.stderr().contains(&wrong));
    assert!(!folder.path("router.enc").exists());
    encrypt(&right).succeeds();
    assert_eq!(encrypt("sha256:12").status(), Some(2));
}

/// A pin that nobody meets is a device that would be left out.
/// A chain is common, and its first certificate is the device's.
/// A device would install it and be without a configuration.
#[test]
fn usage_errors_are_two() {
    let folder = Folder::with_device("p256");
    for args in [
        &["encrypt", "router.cfg"][..],
        &["decrypt", "router.enc"],
        &["keygen", "-a", "dsa", "-o", "x"],
        &["nonsense"],
        &[],
        &["encrypt", "-r", "SN1.crt", "--profile", "best", "router.cfg"],
        &["cert", "self-signed", "--id", "../x", "-k", "device.key", "-o", "x"],
        &["encrypt", "-r", "-", "-"],
        &["decrypt", "-k", "-", "-"],
        &["decrypt", "--json", "-k", "device.key", "router.cfg"],
        &["encrypt", "--json", "-r", "SN1.crt", "-o", "-", "router.cfg"],
        &["encrypt", "-r", "SN1.crt", "SN1.enc"],
        &["keygen", "-q", "-v", "-o", "x"],
    ] {
        let done = folder.sdi(args);
        assert_eq!(done.status(), Some(2), "{args:?}: {}", done.stderr());
        let is_said = match args.contains(&"--json") {
            true => done.json()["error"]["code"] == "E0002",
            false => done.stderr().starts_with("error") || args.is_empty(),
        };
        assert!(is_said, "{args:?}: {}{}", done.stdout(), done.stderr());
    }
    assert!(!folder.path("x").exists());
    let json = folder.sdi(["encrypt", "--json", "--nonsense"]);
    assert_eq!((json.status(), &json.json()["error"]["code"]), (Some(2), &"E0002".into()));
    assert!(json.0.stderr.is_empty());
    let json = folder.sdi(["encrypt", "--json", "router.cfg"]).json();
    assert!(json["error"]["message"].as_str().unwrap().contains("--recipient"), "{json}");
}

#[test]
fn json_is_one_object_and_stderr_is_quiet() {
    let folder = Folder::with_device("p256");
    let done = folder.sdi(["encrypt", "--json", "-r", "SN1.crt", "router.cfg"]).succeeds();
    let json = done.json();
    assert_eq!(
        (&json["v"], &json["command"], &json["exit"]),
        (&1.into(), &"encrypt".into(), &0.into())
    );
    assert_eq!(json["recipients"][0]["id"], "SN1");
    assert_eq!(json["bytes"], folder.read("router.enc").len());
    assert!(done.0.stderr.is_empty());

    let again = folder.sdi(["encrypt", "--json", "-r", "SN1.crt", "router.cfg"]);
    assert_eq!(again.status(), Some(14));
    let json = again.json();
    assert_eq!((&json["ok"], &json["exit"]), (&false.into(), &14.into()));
    assert_eq!(json["error"]["code"], "E0014");
    assert!(again.0.stderr.is_empty());

    folder.device("SN2", "p256");
    let args = ["decrypt", "--json", "-k", "SN2.key", "-o", "x", "router.enc"];
    let json = folder.sdi(args).json();
    assert_eq!(json["error"]["library"], 130);
    assert!(json["error"]["fields"]["have"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(json["error"]["fields"]["wanted"].as_array().unwrap().len(), 1);
}

#[test]
fn errors_are_coloured_where_it_is_asked_for() {
    let folder = Folder::empty();
    let error = |color: &str| folder.sdi(["inspect", "--color", color, "missing"]).stderr();
    assert!(error("always").starts_with("\x1b[1;31merror[sdi::E0001]\x1b[0m: "));
    assert!(error("never").starts_with("error[sdi::E0001]: "));
    assert!(error("auto").starts_with("error[sdi::E0001]: "));
}

#[test]
fn keys_and_certificates_are_recognised_by_content() {
    let folder = Folder::with_device("p256");
    let id = ["--id", "SN1", "-k", "device.key"];
    let args = [&["cert", "self-signed", "--form", "der", "-o", "der.crt"][..], &id].concat();
    folder.sdi(args).succeeds();
    folder.sdi(["encrypt", "-r", "der.crt", "router.cfg"]).succeeds();
    folder
        .bash(
            "umask 077
             openssl ec -in device.key -out sec1.key 2>/dev/null
             openssl ec -in device.key -outform DER -out der.key 2>/dev/null",
        )
        .succeeds();
    for key in ["sec1.key", "der.key"] {
        let opened = folder.sdi(["decrypt", "-k", key, "router.enc"]).succeeds();
        assert_eq!(opened.0.stdout, CONFIG, "{key}");
    }
    let args = ["decrypt", "-k", "-", "router.enc"];
    assert_eq!(folder.sdi_with(args, &folder.read("device.key")).succeeds().0.stdout, CONFIG);
    assert!(fs::metadata(folder.path("der.crt")).unwrap().len() > 100);
}

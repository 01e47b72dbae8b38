//! What needs no key: `sdi detect` and `sdi inspect`.

mod support;

use support::{CONFIG, Folder};

#[test]
fn detect_answers_with_its_status() {
    let folder = Folder::with_device("p256");
    folder.sdi(["encrypt", "-r", "SN1.crt", "-o", "SN1.enc", "router.cfg"]).succeeds();
    folder.write("plain.enc", CONFIG);
    folder.write("empty", b"");
    folder.write("signed", b"0\x0b\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02");
    for (file, status, kind) in [
        ("SN1.enc", 0, "enveloped"),
        ("router.cfg", 10, "plain"),
        ("plain.enc", 11, "damaged"),
        ("empty", 11, "empty"),
        ("signed", 11, "other-cms"),
    ] {
        let plain = folder.sdi(["detect", file]);
        assert_eq!(plain.status(), Some(status), "{file}: {}", plain.stdout());
        let json = folder.sdi(["detect", "--json", file]);
        assert_eq!(json.status(), Some(status));
        let json = json.json();
        assert_eq!((&json["kind"], &json["file"]), (&kind.into(), &file.into()), "{json}");
        assert_eq!(json["ok"], status == 0);
        assert_eq!(json["exit"], status);
    }
    let file = folder.read("SN1.enc");
    assert_eq!(folder.sdi_with(["detect", "-"], &file).status(), Some(0));
    assert_eq!(folder.sdi_with(["detect", "-"], CONFIG).status(), Some(10));
    let named = folder.sdi_with(["detect", "--name", "SN1.ENC", "-"], CONFIG);
    assert_eq!(named.status(), Some(11));
    folder.sdi(["detect", "missing"]).fails("E0001");
}

#[test]
fn inspect_shows_whom_a_file_is_for() {
    let folder = Folder::with_device("rsa2048");
    folder.device("SN2", "p256");
    for (profile, type_, encryption, warnings) in [
        ("rfc8886", "ktri", "rsa-pkcs1-v1.5", vec!["unauthenticated", "rsa-pkcs1v15"]),
        ("authenticated", "ktri", "rsa-oaep sha-256 mgf1-sha-256", vec![]),
    ] {
        let args = ["encrypt", "-r", "SN1.crt", "--profile", profile, "--force", "router.cfg"];
        folder.sdi(args).succeeds();
        let args = ["inspect", "--json", "--match-cert", "SN1.crt", "router.enc"];
        let json = folder.sdi(args).succeeds().json();
        assert_eq!(json["kind"], "enveloped");
        assert_eq!(json["match"], true, "{json}");
        assert_eq!(json["profile"], profile);
        let recipient = &json["recipients"][0];
        assert_eq!(recipient["type"], type_);
        assert_eq!(recipient["key_encryption"], encryption);
        if profile == "rfc8886" {
            assert_eq!(recipient["issuer"], "CN=SN1");
            assert!(recipient["serial"].is_string() && recipient["ski"].is_null());
        } else {
            assert!(recipient["issuer"].is_null() && recipient["ski"].is_string());
        }
        let found: Vec<&str> = json["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| w["code"].as_str().unwrap())
            .collect();
        assert_eq!(found, warnings);
        let other = ["inspect", "--json", "--match-cert", "SN2.crt", "router.enc"];
        let done = folder.sdi(other);
        assert_eq!((done.status(), &done.json()["match"]), (Some(4), &false.into()));
        let text = folder.sdi(["inspect", "router.enc"]).succeeds().stdout();
        assert!(text.contains("recipient") && text.contains("SN1") == (profile == "rfc8886"));
    }
    let pairs = ["encrypt", "-r", "SN2.crt", "--force", "router.cfg"];
    folder.sdi(pairs).succeeds();
    let json = folder.sdi(["inspect", "--json", "router.enc"]).succeeds().json();
    assert_eq!(json["recipients"][0]["type"], "kari");
    assert_eq!(json["recipients"][0]["key_wrap"], "aes-256-wrap");
    assert!(json["match"].is_null());
    folder.sdi(["inspect", "router.cfg"]).fails("E0010");
}

/// The codes of the warnings of a file, and the bytes that the first one of a code speaks of.
fn warnings(folder: &Folder, file: &[u8]) -> Vec<(String, Option<u64>)> {
    folder.write("x", file);
    let json = folder.sdi(["inspect", "--json", "x"]).succeeds().json();
    let warnings = json["warnings"].as_array().expect("a list").iter();
    let warning = |warning: &serde_json::Value| {
        (warning["code"].as_str().expect("a code").to_owned(), warning["bytes"].as_u64())
    };
    warnings.map(warning).collect()
}

#[test]
fn inspect_warns_of_what_editors_and_transfers_have_added() {
    let folder = Folder::with_device("p256");
    let crlf = || ("crlf".to_owned(), None);
    let trailing = |bytes| ("trailing-data".to_owned(), Some(bytes));
    for form in ["pem", "smime", "der", "magic-der"] {
        let args = ["encrypt", "-r", "SN1.crt", "--force", "--form", form, "-o", "SN1.enc"];
        folder.sdi([&args[..], &["router.cfg"]].concat()).succeeds();
        let file = folder.read("SN1.enc");
        assert_eq!(warnings(&folder, &file), [], "{form}");
        let filled = [&file[..], &[0, 0]].concat();
        assert_eq!(warnings(&folder, &filled), [trailing(2)], "{form}");
        let text = folder.sdi(["inspect", "x"]).succeeds().stdout();
        assert!(text.contains("\nwarning     trailing data: 2 bytes"), "{text}");
        folder.sdi(["decrypt", "-k", "device.key", "x"]).succeeds();
        if matches!(form, "pem" | "smime") {
            let text = String::from_utf8(file).expect("text").replace('\n', "\r\n");
            assert_eq!(warnings(&folder, text.as_bytes()), [crlf()], "{form}");
            let both = text + "\r\n \r\n";
            assert_eq!(warnings(&folder, both.as_bytes()), [trailing(3), crlf()], "{form}");
            let text = folder.sdi(["inspect", "x"]).succeeds().stdout();
            assert!(text.contains("line ends were changed"), "{text}");
            assert_eq!(text.contains("text-mode S/MIME: "), form == "smime", "{text}");
        }
    }
}

/// As TFTP's netascii writes it.
fn netascii(file: &[u8]) -> Vec<u8> {
    let change = |byte: &u8| match byte {
        b'\n' => vec![b'\r', b'\n'],
        b'\r' => vec![b'\r', 0],
        byte => vec![*byte],
    };
    file.iter().flat_map(change).collect()
}

#[test]
fn inspect_sees_a_text_mode_transfer_in_a_damaged_file() {
    let mut folder = Folder::with_device("p256");
    for form in ["der", "magic-der"] {
        let file = loop {
            // A new device each time: its key's identifier may hold a line end, too.
            folder = Folder::with_device("p256");
            // Long enough for its ciphertext to hold line ends.
            folder.write("long.cfg", &b"! a line\n".repeat(3000));
            let args = ["encrypt", "-r", "SN1.crt", "--form", form, "-o", "SN1.enc"];
            folder.sdi([&args[..], &["long.cfg"]].concat()).succeeds();
            let file = folder.read("SN1.enc");
            // What becomes of a header with a line end in it is another matter, but for the magic.
            let header = file.len() - 3000 * 9 - 100;
            if form == "magic-der" || !file[..header].contains(&b'\n') {
                break file;
            }
        };
        folder.sdi(["inspect", "SN1.enc"]).succeeds();
        let crlf: Vec<u8> = file
            .iter()
            .flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] })
            .collect();
        for changed in [netascii(&file), crlf] {
            folder.write("x", &changed);
            for command in [&["inspect", "x"][..], &["verify-deploy", "x", "--cert", "SN1.crt"]] {
                let said = folder.sdi(command).fails("E0003").stderr();
                assert!(said.contains("a text-mode transfer has changed"), "{form}: {said}");
                assert!(
                    said.ends_with("help: copy it again in binary mode: TFTP octet, FTP binary\n")
                );
            }
        }
        // The control: other damage.
        folder.write("x", &file[..file.len() - 1]);
        let said = folder.sdi(["inspect", "x"]).fails("E0003").stderr();
        assert!(!said.contains("text-mode"), "{form}: {said}");
    }
    // Text survives it, and says so.
    folder.sdi(["encrypt", "-r", "SN1.crt", "--force", "-o", "SN1.enc", "long.cfg"]).succeeds();
    let changed = netascii(&folder.read("SN1.enc"));
    assert_eq!(warnings(&folder, &changed), [("crlf".to_owned(), None)]);
    folder.sdi(["decrypt", "-k", "device.key", "-o", "out", "x"]).succeeds();
    assert_eq!(folder.read("out"), folder.read("long.cfg"));
}

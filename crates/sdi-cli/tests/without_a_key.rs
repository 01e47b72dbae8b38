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
        assert_eq!(folder.sdi(other).succeeds().json()["match"], false);
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

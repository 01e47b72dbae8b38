//! To whom and what is encrypted: what is refused, and what a person is warned of.

mod support;

use support::Folder;

#[test]
fn every_pin_is_met_by_a_certificate() {
    let folder = Folder::with_device("p256");
    folder.device("SN2", "p256");
    let pin = |id: &str| {
        let args = ["pubkey", "--cert", &format!("{id}.crt"), "--fingerprint"];
        folder.sdi(args).succeeds().stdout().trim().to_owned()
    };
    let (one, two) = (pin("SN1"), pin("SN2"));
    let encrypt = |recipients: &[&str], pins: &[&str]| {
        let mut args = vec!["encrypt", "--force", "router.cfg"];
        args.extend(recipients.iter().flat_map(|crt| ["-r", crt]));
        args.extend(pins.iter().flat_map(|pin| ["--pin", pin]));
        folder.sdi(args)
    };
    let text = encrypt(&["SN1.crt"], &[&one, &two]).fails("E0006").stderr();
    assert!(text.contains(&two) && !text.contains(&one), "{text}");
    encrypt(&["SN1.crt", "SN1.crt"], &[&one, &two]).fails("E0006");
    encrypt(&["SN1.crt", "SN2.crt"], &[&one]).fails("E0006");
    assert!(!folder.path("router.enc").exists());
    encrypt(&["SN1.crt", "SN2.crt"], &[&two, &one]).succeeds();
    encrypt(&["SN1.crt", "SN1.crt"], &[&one, &one]).succeeds();
}

#[test]
fn of_several_certificates_the_first_one_is_used_and_told() {
    let folder = Folder::with_device("p256");
    folder.device("SN2", "p256");
    folder
        .bash(
            "cat SN1.crt SN2.crt SN2.crt > chain.crt
             mkdir configs certs tftp; cp router.cfg configs/SN1.cfg; cp chain.crt certs/SN1.crt",
        )
        .succeeds();
    let told = "chain.crt holds 3 certificates; only the first one is used: CN=SN1";
    let encrypt = |more: &[&str]| {
        folder.sdi([&["encrypt", "--force", "router.cfg", "-r"], more].concat()).succeeds()
    };
    let text = encrypt(&["chain.crt"]).stderr();
    assert!(text.contains(&format!("warning: {told}")), "{text}");
    let json = encrypt(&["chain.crt", "--json"]).json();
    assert_eq!(json["warnings"][0]["code"], "several-certificates");
    assert_eq!(json["warnings"][0]["text"], told);
    assert!(!encrypt(&["SN1.crt"]).stderr().contains("warning"));
    for args in [
        &["verify-deploy", "router.enc", "--cert", "chain.crt"][..],
        &["inspect", "router.enc", "--match-cert", "chain.crt"],
        &["decrypt", "-k", "SN1.key", "--cert", "chain.crt", "router.enc"],
        &["pubkey", "--cert", "chain.crt"],
        &["doctor", "-k", "SN1.key", "--cert", "chain.crt"],
    ] {
        let text = folder.sdi(args).succeeds().stderr();
        assert!(text.contains(told), "{args:?}: {text}");
    }
    let args = ["encrypt-dir", "configs", "--store", "certs", "-o", "tftp"];
    let done = folder.sdi(args).succeeds();
    assert!(done.stderr().contains("warning: certs/SN1.crt holds 3 cert"), "{}", done.stderr());
    assert_eq!(done.json()["warnings"][0]["code"], "several-certificates");
    // Where it fails, too.
    folder.bash("cat SN2.crt SN1.crt > other.crt").succeeds();
    let args = ["decrypt", "--json", "-k", "SN1.key", "--cert", "other.crt", "-o", "x"];
    let json = folder.sdi([&args[..], &["router.enc"]].concat()).json();
    assert_eq!(json["warnings"][0]["code"], "several-certificates", "{json}");
}

#[test]
fn an_empty_configuration_is_warned_of() {
    let folder = Folder::with_device("p256");
    folder.bash("mkdir configs certs tftp; cp SN1.crt certs").succeeds();
    let many = b"\n".repeat(200_000);
    for (bytes, is_empty) in [
        (&b""[..], true),
        (b" \r\n\t\n", true),
        (&many, true),
        (b"!\n", false),
        (&[&many[..], b"end"].concat(), false),
    ] {
        folder.write("a.cfg", bytes);
        folder.write("configs/SN1.cfg", bytes);
        let encrypt = |more: &[&str]| {
            folder.sdi([&["encrypt", "--force", "-r", "SN1.crt"], more].concat()).succeeds()
        };
        let text = encrypt(&["a.cfg"]).stderr();
        assert_eq!(text.contains("warning: a.cfg is empty"), is_empty, "{text}");
        let json = encrypt(&["--json", "a.cfg"]).json();
        assert_eq!(json["warnings"][0]["code"] == "empty", is_empty, "{json}");
        let piped = ["encrypt", "-r", "SN1.crt", "-"];
        let text = folder.sdi_with(piped, bytes).succeeds().stderr();
        assert_eq!(text.contains("warning: standard input is empty"), is_empty, "{text}");
        let args = ["encrypt-dir", "configs", "--store", "certs", "-o", "tftp", "--force"];
        let done = folder.sdi(args).succeeds();
        let text = done.stderr();
        assert_eq!(text.contains("warning: configs/SN1.cfg is empty"), is_empty, "{text}");
        assert_eq!(text.ends_with("failed 0, empty 1\n"), is_empty, "{text}");
        assert_eq!(done.json()["warnings"][0]["code"] == "empty", is_empty);
    }
}

#[test]
fn a_short_rsa_key_is_refused_by_name() {
    let folder = Folder::with_device("p256");
    folder
        .bash(
            "umask 077
             openssl genrsa -out short.key 1024 2>/dev/null
             openssl req -x509 -key short.key -subj /CN=SN3 -out SN3.crt
             mkdir configs certs tftp
             cp router.cfg configs/SN1.cfg; cp router.cfg configs/SN3.cfg; cp SN*.crt certs",
        )
        .succeeds();
    let text = folder.sdi(["encrypt", "-r", "SN3.crt", "router.cfg"]).fails("E0103").stderr();
    assert!(text.contains("SN3.crt") && text.contains("1024"), "{text}");
    let args = ["encrypt-dir", "configs", "--store", "certs", "-o", "tftp", "--keep-going"];
    let done = folder.sdi(args);
    assert_eq!(done.status(), Some(3));
    let text = done.stderr();
    assert!(text.contains("E0103") && text.contains("certs/SN3.crt"), "{text}");
    assert!(text.contains("device       SN3\n"), "{text}");
    assert!(folder.path("tftp/SN1.enc").exists());
}

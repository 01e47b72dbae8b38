//! Files and certificates go both ways between this command and OpenSSL's.

mod support;

use support::{CONFIG, Folder};

#[test]
fn requests_and_certificates_are_openssls() {
    let folder = Folder::with_device("p256");
    folder.sdi(["csr", "--id", "SN1", "-k", "device.key", "-o", "SN1.csr"]).succeeds();
    let args = ["csr", "--id", "SN1", "-k", "device.key", "--form", "der", "-o", "der.csr"];
    folder.sdi(args).succeeds();
    let shown = folder
        .bash(
            "openssl req -in SN1.csr -noout -verify -subject 2>&1
             openssl req -inform DER -in der.csr -noout -verify 2>&1
             openssl verify -CAfile SN1.crt SN1.crt
             openssl x509 -in SN1.crt -noout -enddate
             openssl pkey -in device.key -pubout -outform DER | sha256sum",
        )
        .succeeds()
        .stdout();
    assert_eq!(shown.matches("verify OK").count(), 2, "{shown}");
    assert!(shown.contains("CN = SN1") && shown.contains("SN1.crt: OK"), "{shown}");
    assert!(shown.contains("notAfter=Dec 31 23:59:59 9999 GMT"), "{shown}");
    let pin = folder.sdi(["pubkey", "-k", "device.key", "--fingerprint"]).succeeds().stdout();
    assert!(shown.contains(pin.trim().trim_start_matches("sha256:")), "{shown}");
}

#[test]
fn the_subject_and_the_purposes_are_what_was_asked_for() {
    let folder = Folder::with_device("p256");
    folder.sdi(["pubkey", "-k", "device.key", "-o", "device.pub"]).succeeds();
    let of_key = ["-k", "device.key"];
    for (command, more, openssl) in [
        (&["cert", "self-signed"][..], &of_key[..], "x509"),
        (&["cert", "wrap"], &["--public-key", "device.pub"], "x509"),
        (&["csr"], &of_key, "req"),
    ] {
        let make = |options: &[&str]| {
            let common = ["--id", "SN1", "--force", "-o", "made"];
            folder.sdi([command, more, &common, options].concat())
        };
        let text = |options: &[&str]| {
            make(options).succeeds();
            folder.bash(&format!("openssl {openssl} -in made -noout -text")).succeeds().stdout()
        };
        let plain = text(&[]);
        assert!(plain.contains("Subject: CN = SN1\n"), "{plain}");
        assert!(!plain.contains("Extended Key Usage"), "{plain}");
        let both = text(&["--serial-attr"]);
        assert!(both.contains("Subject: CN = SN1, serialNumber = SN1\n"), "{both}");
        let purposes = text(&["--eku", "1.3.6.1.5.5.7.3.4", "--eku", "1.3.6.1.4.1.55555.1"]);
        let expected = "E-mail Protection, 1.3.6.1.4.1.55555.1\n";
        assert!(purposes.contains("X509v3 Extended Key Usage: \n"), "{purposes}");
        assert!(purposes.contains(expected), "{purposes}");
        assert!(plain.contains("S/MIME Capabilities"), "{plain}");
        assert!(!text(&["--no-gcm-capability"]).contains("S/MIME Capabilities"));

        for wrong in [&["--eku", "mail"][..], &["--id", "SN_1", "--serial-attr"]] {
            let common = ["--force", "-o", "refused"];
            let id = if wrong.contains(&"--id") { &[][..] } else { &["--id", "SN1"] };
            folder.sdi([command, more, &common, id, wrong].concat()).fails("E0002");
            assert!(!folder.path("refused").exists());
        }
    }
}

#[test]
fn a_vendors_signature_is_one_that_openssl_verifies() {
    let folder = Folder::with_device("p256");
    folder
        .bash(
            "umask 077
         openssl ecparam -genkey -name prime256v1 -noout -out vendor.key
         openssl req -x509 -key vendor.key -subj /O=Acme -out vendor.crt
         sdi keygen -a x25519 -o bare.key
         sdi pubkey -k bare.key -o bare.pub",
        )
        .succeeds();
    let wrap = |more: &[&str], name: &str| {
        let args = ["cert", "wrap", "--id", "SN2", "--public-key", "bare.pub", "-o", name];
        folder.sdi([&args[..], more].concat())
    };
    let signed = ["--issuer-key", "vendor.key", "--issuer-cert", "vendor.crt"];
    wrap(&signed, "chain.crt").succeeds();
    wrap(&signed[..2], "alone.crt").succeeds();
    wrap(&[], "nobody.crt").succeeds();
    folder.bash("openssl verify -CAfile vendor.crt chain.crt").succeeds();
    for name in ["alone.crt", "nobody.crt"] {
        let verified = folder.bash(&format!("openssl verify -CAfile vendor.crt {name}"));
        assert!(!verified.0.status.success(), "{name}");
    }
    let shown = folder
        .bash(
            "openssl x509 -in chain.crt -noout -issuer
             openssl x509 -in alone.crt -noout -issuer
             key_id() { grep -A1 \"$1\" | tail -1 | tr -d ' ' | sed s/keyid://; }
             openssl x509 -in vendor.crt -noout -text | key_id 'Subject Key Identifier'
             openssl x509 -in alone.crt -noout -text | key_id 'Authority Key Identifier'",
        )
        .succeeds()
        .stdout();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[..2], ["issuer=O = Acme", "issuer=CN = SN2"]);
    assert_eq!(lines[2], lines[3]);
    // Whoever signed, the device opens what is encrypted to it.
    for name in ["chain.crt", "alone.crt", "nobody.crt"] {
        for profile in ["rfc8886", "authenticated"] {
            let args = ["encrypt", "--force", "--profile", profile, "-r", name, "router.cfg"];
            folder.sdi(args).succeeds();
            let args = ["decrypt", "-k", "bare.key", "--cert", name, "router.enc"];
            assert_eq!(folder.sdi(args).succeeds().0.stdout, CONFIG, "{name} {profile}");
        }
    }

    wrap(&["--issuer-key", "bare.key"], "x.crt").fails("E0002");
    wrap(&["--issuer-key", "vendor.key", "--issuer-cert", "SN1.crt"], "x.crt").fails("E0206");
    assert_eq!(wrap(&["--issuer-cert", "vendor.crt"], "x.crt").status(), Some(2));
    let twice = ["cert", "wrap", "--id", "SN2", "--public-key", "-", "--issuer-key", "-"];
    folder.sdi([&twice[..], &["-o", "x.crt"]].concat()).fails("E0002");
    folder.bash("chmod 644 vendor.key").succeeds();
    wrap(&signed, "x.crt").fails("E0015");
    assert!(!folder.path("x.crt").exists());
}

#[test]
fn openssl_opens_what_is_encrypted_here() {
    for algorithm in ["p256", "rsa2048"] {
        let folder = Folder::with_device(algorithm);
        let mut tools = vec!["cms"];
        if algorithm == "rsa2048" {
            tools.push("smime"); // it knows no key agreement
        }
        for (form, openssl) in [("pem", "PEM"), ("der", "DER"), ("smime", "SMIME")] {
            let args = ["encrypt", "-r", "SN1.crt", "--profile", "rfc8886", "--form", form];
            let args = [&args[..], &["--force", "-o", "SN1.enc", "router.cfg"]].concat();
            folder.sdi(args).succeeds();
            for tool in &tools {
                let opened = folder.bash(&format!(
                    "openssl {tool} -decrypt -binary -inform {openssl} -in SN1.enc \
                     -inkey device.key -recip SN1.crt"
                ));
                assert_eq!(opened.succeeds().0.stdout, CONFIG, "{algorithm} {form} {tool}");
            }
        }
        // OpenSSL 3.0 has GCM, but not the key derivation of RFC 9709: a device that says so.
        let args = ["cert", "self-signed", "--id", "SN1", "-k", "device.key", "-o", "old.crt"];
        folder.sdi([&args[..], &["--no-gcm-capability"]].concat()).succeeds();
        let args = ["encrypt", "-r", "old.crt", "--profile", "authenticated", "-o", "gcm.enc"];
        folder.sdi([&args[..], &["router.cfg"]].concat()).succeeds();
        let opened = folder.bash(
            "openssl cms -decrypt -binary -inform PEM -in gcm.enc -inkey device.key -recip old.crt",
        );
        assert_eq!(opened.succeeds().0.stdout, CONFIG, "{algorithm} gcm");
    }
}

/// What the operators' page says of a device that opens its files with OpenSSL 3.0.
#[test]
fn openssl_needs_another_certificate_or_profile() {
    for algorithm in ["p256", "rsa2048"] {
        let folder = Folder::with_device(algorithm);
        let args = ["cert", "self-signed", "--id", "SN1", "-k", "device.key", "-o", "old.crt"];
        folder.sdi([&args[..], &["--no-gcm-capability"]].concat()).succeeds();
        for (crt, more, opens) in [
            ("SN1.crt", &[][..], false),
            ("SN1.crt", &["--profile", "rfc8886"], true),
            ("old.crt", &[], true),
        ] {
            let args = ["encrypt", "--force", "-r", crt, "-o", "SN1.enc", "router.cfg"];
            folder.sdi([&args[..], more].concat()).succeeds();
            let opened = folder.bash(&format!(
                "openssl cms -decrypt -binary -inform PEM -in SN1.enc -inkey device.key -recip {crt}"
            ));
            let is_open = opened.0.status.success() && opened.0.stdout == CONFIG;
            assert_eq!(is_open, opens, "{algorithm} {crt} {more:?}: {}", opened.stderr());
        }
    }
}

/// Programs that verify chains refuse an issuer that is no authority.
#[test]
fn an_issuer_that_is_no_authority_is_warned_of() {
    let folder = Folder::with_device("p256");
    folder
        .bash(
            "sdi pubkey -k device.key -o device.pub
             umask 077
             req() { openssl req -x509 -key device.key -subj /CN=Acme -config <(printf '[req]\ndistinguished_name=d\n[d]\n') \"$@\"; }
             req -out none.crt -addext subjectKeyIdentifier=hash
             req -out ca.crt -addext basicConstraints=critical,CA:TRUE
             req -out ca-signs.crt -addext basicConstraints=CA:TRUE -addext keyUsage=keyCertSign
             req -out signs.crt -addext keyUsage=critical,keyCertSign,cRLSign
             req -out no-ca.crt -addext basicConstraints=CA:FALSE
             req -out no-sign.crt -addext basicConstraints=CA:TRUE -addext keyUsage=digitalSignature
             openssl x509 -in ca.crt -outform DER -out ca.der",
        )
        .succeeds();
    for (name, is_authority) in [
        ("ca.crt", true),
        ("ca.der", true),
        ("ca-signs.crt", true),
        ("signs.crt", true),
        ("none.crt", false),
        ("no-ca.crt", false),
        ("no-sign.crt", false),
        ("SN1.crt", false),
    ] {
        let args = ["cert", "wrap", "--force", "--id", "SN2", "--public-key", "device.pub"];
        let signed = ["--issuer-key", "device.key", "--issuer-cert", name, "-o", "issued.crt"];
        let done = folder.sdi([&args[..], &signed].concat()).succeeds();
        let is_told = done.stderr().contains(&format!("warning: {name} does not say"));
        assert_eq!(is_told, !is_authority, "{name}: {}", done.stderr());
        let json = folder.sdi([&args[..], &signed, &["--json"]].concat()).succeeds().json();
        assert_eq!(json["warnings"][0]["code"] == "issuer-no-ca", !is_authority, "{json}");
        // OpenSSL is of the same opinion.
        let verified = folder.bash(&format!(
            "openssl x509 -in {name} -out issuer.crt; openssl verify -CAfile issuer.crt issued.crt"
        ));
        assert_eq!(verified.0.status.success(), is_authority, "{name}: {}", verified.stderr());
    }
}

#[test]
fn what_openssl_encrypts_is_opened_here() {
    for (algorithm, commands) in [
        ("p256", &["cms -aes-256-cbc", "cms -aes-256-gcm"][..]),
        ("rsa2048", &["cms -aes-256-cbc", "cms -aes-256-gcm", "smime -aes-256-cbc"]),
    ] {
        let folder = Folder::with_device(algorithm);
        for command in commands {
            for form in ["PEM", "DER", "SMIME"] {
                folder
                    .bash(&format!(
                        "openssl {command} -encrypt -binary -in router.cfg -outform {form} \
                         -out SN1.enc SN1.crt"
                    ))
                    .succeeds();
                folder.sdi(["detect", "SN1.enc"]).succeeds();
                for args in [&["-k", "device.key"][..], &["-k", "device.key", "--cert", "SN1.crt"]]
                {
                    let args = [&["decrypt"], args, &["SN1.enc"]].concat();
                    let opened = folder.sdi(args).succeeds();
                    assert_eq!(opened.0.stdout, CONFIG, "{algorithm} {command} {form}");
                }
            }
        }
    }
}

/// Certificates and keys as the appendix of RFC 8886 makes them.
#[test]
fn the_appendix_is_understood() {
    let folder = Folder::empty();
    folder.write("router.cfg", CONFIG);
    folder
        .bash(
            "umask 077
             openssl req -new -nodes -newkey rsa:2048 -keyout key.pem -out SN19842256.csr \
               -subj /CN=SN19842256 2>/dev/null
             openssl req -x509 -days 36500 -key key.pem -in SN19842256.csr -out SN19842256.crt",
        )
        .succeeds();
    let args = ["encrypt", "-r", "SN19842256.crt", "-o", "SN19842256.enc", "router.cfg"];
    folder.sdi(args).succeeds();
    let opened = folder.bash(
        "openssl smime -decrypt -in SN19842256.enc -inform pem -inkey key.pem -binary || \
         openssl cms -decrypt -in SN19842256.enc -inform pem -inkey key.pem -binary",
    );
    assert_eq!(opened.succeeds().0.stdout, CONFIG);
    assert_eq!(
        folder.sdi(["decrypt", "-k", "key.pem", "SN19842256.enc"]).succeeds().0.stdout,
        CONFIG
    );
}

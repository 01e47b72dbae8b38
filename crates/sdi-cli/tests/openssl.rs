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

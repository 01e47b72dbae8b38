//! What the installed openssl makes of our files.

use crate::support::opened_every_way;
use crate::support::openssl::{Device, device, run, try_run};
use crate::{FORMS, MAGIC, PROFILES, capable, plaintext, streamed};
use sdi::{Form, KeyAlgorithm, Profile, SystemRandom, seal, seal_as};

const KINDS: [&str; 5] = ["p256", "p384", "p521", "rsa2048", "rsa3072"];

fn decrypted(command: &str, form: Form, device: &Device, file: &[u8]) -> Vec<u8> {
    let (inform, file) = match form {
        Form::Pem => ("PEM", file),
        Form::Smime => ("SMIME", file),
        Form::MagicDer => ("DER", file.strip_prefix(MAGIC).expect("the magic comes first")),
        _ => ("DER", file),
    };
    let (key, certificate) = (device.key_file(), device.certificate_file());
    let keys = ["-inkey", &key, "-recip", &certificate];
    run(&[&[command, "-decrypt", "-binary", "-inform", inform], &keys[..]].concat(), file)
}

#[test]
fn r24_every_profile_form_and_key_opens() {
    let plaintext = plaintext(1000);
    for name in KINDS {
        let device = device(name);
        let to = [device.certificate.clone()];
        for profile in PROFILES {
            for form in FORMS {
                let case = format!("{name} {profile:?} {form:?}");
                let file = seal_as(&plaintext, &to, profile, form, &mut SystemRandom).unwrap();
                assert!(decrypted("cms", form, device, &file) == plaintext, "{case}");
                let (opened, summary) = opened_every_way(&file, &device.ring).unwrap();
                assert!(opened == plaintext, "{case}");
                assert_eq!(summary.is_authenticated(), profile == Profile::Authenticated, "{case}");
            }
        }
    }
}

/// PKCS#7's own command, whose RSA and labels are those of RFC 8886's appendix.
#[test]
fn r24_rfc_8886_to_rsa_opens_with_smime() {
    let (plaintext, device) = (plaintext(1000), device("rsa2048"));
    let to = [device.certificate.clone()];
    for form in FORMS {
        let file = seal_as(&plaintext, &to, Profile::Rfc8886, form, &mut SystemRandom).unwrap();
        assert!(decrypted("smime", form, device, &file) == plaintext, "{form:?}");
    }
}

#[test]
fn a21_bytes_come_back_verbatim() {
    let device = device("p256");
    let to = [device.certificate.clone()];
    let texts =
        ["a\nb\n", "a\r\nb\r\n", "a\rb\r", "a\r\nb\nc\r\r\n", "\0\n\0", "-----END CMS-----\n"];
    let texts = texts.map(Vec::from).into_iter().chain([(0..=255).collect()]);
    let sizes = [0, 1, 15, 16, 17, 4095, 4096, 4097, 8191, 8192, 8193, 1 << 20].map(plaintext);
    for plaintext in texts.chain(sizes) {
        for profile in [Profile::Rfc8886, Profile::Authenticated] {
            let case = format!("{} bytes, {profile:?}", plaintext.len());
            let file = seal_as(&plaintext, &to, profile, Form::Der, &mut SystemRandom).unwrap();
            assert!(decrypted("cms", Form::Der, device, &file) == plaintext, "{case}");
            assert!(sdi::open(&file, &device.ring).unwrap().plaintext() == plaintext, "{case}");
        }
    }
}

#[test]
fn streams_of_unknown_length_open() {
    let device = device("p256");
    let to = [device.certificate.clone()];
    for size in [0, 1, 16, 8191, 8192, 8193, 16_384, 20_000] {
        let plaintext = plaintext(size);
        for profile in [Profile::Rfc8886, Profile::Authenticated] {
            for form in FORMS {
                let case = format!("{size} {profile:?} {form:?}");
                let file = streamed(&plaintext, &to, profile, form, 999, false);
                assert!(decrypted("cms", form, device, &file) == plaintext, "{case}");
                assert!(opened_every_way(&file, &device.ring).unwrap().0 == plaintext, "{case}");
            }
        }
    }
}

/// BER: everything that can be long is indefinite, the content comes in pieces of 8 KiB.
#[test]
fn an_unknown_length_is_ber_in_full_pieces() {
    let device = device("p256");
    let to = [device.certificate.clone()];
    for (profile, size, pieces) in [
        (Profile::Rfc8886, 20_000, &["8192", "8192", "3632"][..]),
        (Profile::Rfc8886, 8192, &["8192", "16"]),
        (Profile::Authenticated, 20_000, &["8192", "8192", "3616"]),
        (Profile::Authenticated, 8192, &["8192"]),
        (Profile::Authenticated, 0, &[]),
    ] {
        let file = streamed(&plaintext(size), &to, profile, Form::Der, 5000, false);
        let listing = String::from_utf8(run(&["asn1parse", "-inform", "DER"], &file)).unwrap();
        // `offset:d=depth hl=.. l=.. prim: OCTET STRING`, the content's are below the last [0].
        let (_, content) = listing.rsplit_once("cont [ 0 ]").unwrap();
        let found: Vec<_> = content
            .lines()
            .filter(|line| line.contains(":d=5 ") && line.contains("prim: OCTET STRING"))
            .map(|line| line.split(" l=").nth(1).unwrap().split_whitespace().next().unwrap())
            .collect();
        assert_eq!(found, pieces, "{profile:?} {size}");
        assert_eq!(listing.matches("l=inf").count(), 5, "{listing}");
    }
}

#[test]
fn five_hundred_devices_open_one_file() {
    let plaintext = plaintext(1000);
    let known = ["p256", "rsa2048", "p521"].map(device);
    let (key, others) = capable(KeyAlgorithm::P256);
    let mut to = vec![others; 497];
    for (place, device) in [0, 250, 497].into_iter().zip(known) {
        to.insert(place, device.certificate.clone());
    }
    for profile in PROFILES {
        let file = seal(&plaintext, &to, profile, &mut SystemRandom).unwrap();
        for device in known {
            assert!(decrypted("cms", Form::Pem, device, &file) == plaintext, "{}", device.name);
            assert!(sdi::open(&file, &device.ring).unwrap().plaintext() == plaintext);
        }
        let stranger = device("rsa3072");
        let error = sdi::open(&file, &stranger.ring).unwrap_err();
        assert!(matches!(&error, sdi::Error::NotForThisDevice(s) if s.total() == 500), "{error}");
    }
    drop(key);
}

#[test]
fn a_stranger_of_openssl_does_not_open() {
    let (plaintext, ours, stranger) = (plaintext(100), device("p256"), device("p256b"));
    let to = [ours.certificate.clone()];
    let file = seal(&plaintext, &to, Profile::Authenticated, &mut SystemRandom).unwrap();
    let attempt = |device: &Device| {
        let key = device.key_file();
        try_run(&["cms", "-decrypt", "-binary", "-inform", "PEM", "-inkey", &key], &file)
    };
    assert_eq!(attempt(ours).as_ref(), Ok(&plaintext));
    assert!(attempt(stranger).is_err());
}

//! Every error has its number and its line of text, and both are pinned: programs compare the one,
//! people search for the other.

use sdi::{
    DeviceKey, Error, KeyAlgorithm, KeyError, KeyFault, KeyRing, Limit, OperatorMode, SoftwareKey,
    SystemRandom,
};

/// An error, its code, the code of the callback behind it, and its text.
type Row = (Error, i32, i64, &'static str);

fn rows() -> Vec<Row> {
    let mut rows = vec![
        (Error::OutOfMemory, 3, 0, "out of memory: free some and try again"),
        (Error::Argument("a length of 0"), 4, 0, "invalid argument: a length of 0"),
        (Error::Sink(-5), 6, -5, "the receiver of the output failed with code -5"),
        (Error::NotEncrypted, 100, 0, "the file is not encrypted"),
        (
            Error::Malformed("its end is missing"),
            110,
            0,
            "the file is damaged: its end is missing; fetch it again or have it encrypted again",
        ),
        (
            Error::Decrypt,
            140,
            0,
            "decryption failed: the file is for another key or was changed on the way",
        ),
        (
            Error::Rejected { check: "utf-8", line: 0 },
            170,
            0,
            "the decrypted configuration failed the check `utf-8`",
        ),
        (
            Error::Rejected { check: "utf-8", line: 7 },
            170,
            0,
            "the decrypted configuration failed the check `utf-8` in line 7",
        ),
        (
            Error::Random(0),
            180,
            0,
            "the source of randomness gives nothing usable: see whether it works at all",
        ),
        (
            Error::Random(0x922),
            180,
            0x922,
            "the source of randomness failed with code 2338: try again later",
        ),
        (
            Error::Policy("its content is not authenticated"),
            190,
            0,
            "this device's policy refuses the file: its content is not authenticated",
        ),
    ];
    let faults = [
        (KeyFault::Vendor(395), 395, "the device key's module failed with code 395"),
        (
            KeyFault::Unsupported,
            0,
            "the device key cannot do the needed operation; wrap the public key of one that cannot \
             sign",
        ),
        (KeyFault::Answer, 0, "the device key's module gave an answer of impossible length"),
        (KeyFault::Unreadable("it is cut"), 0, "the key cannot be read: it is cut"),
        (KeyFault::Mismatch, 0, "certificate and key do not belong together"),
    ];
    rows.extend(faults.map(|(fault, vendor, text)| (Error::Key(fault), 150, vendor, text)));
    let limits = [
        (Limit::File, "the file exceeds the limit of 9 bytes in a file"),
        (Limit::Header, "the file exceeds the limit of 9 header bytes"),
        (Limit::Recipient, "the file exceeds the limit of 9 bytes for one recipient"),
        (Limit::Recipients, "the file exceeds the limit of 9 recipients"),
        (Limit::Depth, "the file exceeds the limit of 9 levels of nesting"),
        (Limit::Name, "the file exceeds the limit of 9 bytes in a name"),
        (Limit::Line, "the file exceeds the limit of 9 bytes in a line"),
        (Limit::Attributes, "the file exceeds the limit of 9 bytes of authenticated attributes"),
        (Limit::KeyOps, "the file exceeds the limit of 9 key operations for one file"),
        (Limit::Content, "the file exceeds the limit of 9 bytes of content under one key"),
        (Limit::KeyingMaterial, "the file exceeds the limit of 9 bytes of user keying material"),
        (
            Limit::OwnRecipients,
            "the file exceeds the limit of 9 recipients with this device's identifier",
        ),
        (Limit::Held, "the file exceeds the limit of 9 bytes of plaintext to hold back"),
    ];
    rows.extend(limits.map(|(which, text)| (Error::Limit { which, max: 9 }, 160, 0, text)));
    rows
}

#[test]
fn codes_and_texts_are_pinned() {
    for (error, code, vendor, text) in rows() {
        assert_eq!(error.code(), code, "{error:?}");
        assert_eq!(error.vendor_code(), vendor, "{error:?}");
        assert_eq!(error.to_string(), text);
        // One lower-case line of printable ASCII, without a full stop.
        assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
        assert!(text.starts_with(|first: char| first.is_ascii_lowercase()), "{text}");
        assert!(!text.ends_with('.'), "{text}");
    }
}

/// The three that only the library can make.
#[test]
fn errors_with_closed_contents_say_what_they_are() {
    let misuse = KeyRing::new().set_operator(None, OperatorMode::Prefer).unwrap_err();
    let error = Error::from(misuse);
    assert_eq!((error.code(), error.vendor_code()), (5, 0));
    assert_eq!(error.to_string(), misuse.to_string());
    assert!(misuse.to_string().starts_with("wrong call: "), "{misuse}");

    // An Ed25519 key (RFC 8410).
    let foreign =
        [&[0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34, 4, 32][..], &[7; 32][..]];
    let error = SoftwareKey::parse(&foreign.concat()).unwrap_err();
    let Error::Unsupported(unsupported) = &error else { panic!("{error:?}") };
    assert_eq!(unsupported.oid().unwrap(), "1.3.101.112");
    assert_eq!(unsupported.what(), "a key of the kind");
    assert_eq!(error.code(), 120);
    assert_eq!(
        error.to_string(),
        "not supported: a key of the kind 1.3.101.112; use another algorithm, or a build that has it"
    );
}

/// What a module says becomes an error of the file, of the key, or of the machine.
#[test]
fn a_modules_answers_become_errors() {
    for (answer, error) in [
        (KeyError::Unsupported, Error::Key(KeyFault::Unsupported)),
        (KeyError::Refused, Error::Decrypt),
        (KeyError::Vendor(7), Error::Key(KeyFault::Vendor(7))),
        (KeyError::Answer, Error::Key(KeyFault::Answer)),
        (KeyError::OutOfMemory, Error::OutOfMemory),
    ] {
        assert_eq!(Error::from(answer), error);
    }
    // A software key on a curve does no RSA and no ML-KEM, and says so.
    let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom).unwrap();
    let rsa = key.rsa_decrypt(sdi::RsaScheme::Raw, &[1; 256]).unwrap_err();
    assert_eq!(rsa, KeyError::Unsupported);
    assert_eq!(key.decapsulate(&[1; 1088]).unwrap_err(), KeyError::Unsupported);
}

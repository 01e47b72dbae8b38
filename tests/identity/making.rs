//! Certificates and requests that are made here, as openssl sees them.

use crate::support::*;
use sdi::{
    Certificate, DeviceKey, Error, KeyAlgorithm, KeyError, KeyFault, PublicKey, RandomSource,
    SignatureScheme, SoftwareKey, SystemRandom, Validity,
};

const SIGNING: [KeyAlgorithm; 4] =
    [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521, KeyAlgorithm::Rsa(2048)];

/// The SMIMECapabilities that every certificate of ours has: AES-256-GCM, AES-128-GCM, RFC 9709's
/// key derivation (as printed there), AES-256-CBC and AES-128-CBC (as printed in RFC 3565).
const CAPABILITIES: &str = "3043300b060960864801650304012e300b0609608648016503040106\
     300d060b2a864886f70d010910031f300b060960864801650304012a300b0609608648016503040102";

fn x509(certificate: &Certificate, args: &[&str]) -> String {
    let args = [&["x509", "-noout"], args].concat();
    openssl_text(&args, certificate.to_pem().as_bytes())
}

/// Whether openssl finds the self-signature of a certificate right.
fn verifies(test: &str, der: &[u8]) -> bool {
    let file = folder(test).join("certificate.pem");
    std::fs::write(&file, openssl(&["x509", "-inform", "DER"], der)).expect("a file");
    let file = file.to_str().expect("a plain path");
    let output = run_openssl(&["verify", "-check_ss_sig", "-CAfile", file, file], b"");
    output.status.success()
}

/// R15, R51: CN is the identifier, and the signature is the key's own.
#[test]
fn r51_self_signed_certificates_verify_with_openssl() {
    for algorithm in SIGNING {
        let key = generate(algorithm);
        let certificate = builder("SN19842256").self_sign(&key).unwrap();
        assert_eq!(certificate.public_key(), key.public_key());
        assert_eq!(certificate.device_id().as_deref(), Some("SN19842256"));
        assert_eq!(certificate.subject(), "CN=SN19842256, serialNumber=SN19842256");
        let names = x509(&certificate, &["-subject", "-issuer"]);
        assert_eq!(
            names,
            "subject=CN = SN19842256, serialNumber = SN19842256\n\
             issuer=CN = SN19842256, serialNumber = SN19842256\n"
        );
        let test = format!("self-signed-{algorithm:?}");
        assert!(verifies(&test, certificate.der()), "{algorithm:?}");
        let mut damaged = certificate.der().to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(!verifies(&test, &damaged), "{algorithm:?}");
    }
}

#[test]
fn extensions_are_what_openssl_and_the_rfcs_expect() {
    let folder = folder("extensions");
    for algorithm in SIGNING {
        let key = generate(algorithm);
        let certificate = builder("SN1").self_sign(&key).unwrap();
        let usage = match algorithm {
            KeyAlgorithm::Rsa(_) => "Digital Signature, Key Encipherment",
            _ => "Digital Signature, Key Agreement",
        };
        let text = x509(&certificate, &["-text"]);
        assert!(text.contains("Version: 3 (0x2)"), "{text}");
        assert!(text.contains(&format!("X509v3 Key Usage: critical\n                {usage}\n")));
        assert!(!text.contains("CA:TRUE"), "{text}");
        assert!(hex(certificate.der()).contains(CAPABILITIES));

        let file = folder.join("key.pem");
        std::fs::write(&file, key.to_pem().unwrap()).unwrap();
        let file = file.to_str().unwrap();
        let theirs = openssl(&["req", "-x509", "-key", file, "-subj", "/CN=x"], b"");
        let key_id = ["-ext", "subjectKeyIdentifier"];
        let theirs = Certificate::parse(&theirs).unwrap();
        assert_eq!(x509(&certificate, &key_id), x509(&theirs, &key_id));

        let bare = builder("SN1").without_capabilities().self_sign(&key).unwrap();
        assert!(!hex(bare.der()).contains("300b060960864801650304012e"));
        assert_eq!(x509(&bare, &key_id), x509(&theirs, &key_id));
    }
}

/// R19: the serial number is positive, at most 20 octets, and depends on key and identifier alone.
#[test]
fn r19_same_key_and_id_give_the_same_serial() {
    let (key, other) = (generate(KeyAlgorithm::P256), generate(KeyAlgorithm::P256));
    let serial = |certificate: &Certificate| x509(certificate, &["-serial"]);
    let first = serial(&builder("SN1").self_sign(&key).unwrap());
    let short = builder("SN1").validity(Validity::Days(1));
    assert_eq!(serial(&short.self_sign(&key).unwrap()), first);
    assert_eq!(serial(&short.wrap(key.public_key(), &mut SystemRandom).unwrap()), first);
    assert_ne!(serial(&builder("SN2").self_sign(&key).unwrap()), first);
    assert_ne!(serial(&builder("SN1").self_sign(&other).unwrap()), first);
    for number in 0..40 {
        let certificate = builder(&format!("SN{number}")).self_sign(&key).unwrap();
        let serial = serial(&certificate);
        let digits = serial.trim().strip_prefix("serial=").unwrap();
        assert!(!digits.starts_with('-') && digits.len() <= 40, "{digits}");
    }
}

/// R50: our certificates end with the calendar; RFC 8886, A.1, counts 36,500 days.
#[test]
fn r50_validity_is_forever_or_counted_in_days() {
    let key = generate(KeyAlgorithm::P256);
    let dates = |builder: &sdi::IdentityBuilder| {
        let certificate = builder.self_sign(&key).unwrap();
        (x509(&certificate, &["-startdate", "-enddate"]), certificate)
    };
    let (forever, certificate) = dates(&builder("SN1"));
    assert_eq!(forever, "notBefore=Nov 25 00:00:00 2026 GMT\nnotAfter=Dec 31 23:59:59 9999 GMT\n");
    assert!(position(certificate.der(), b"\x17\x0d261125000000Z\x18\x0f99991231235959Z").is_some());
    let (days, certificate) = dates(&builder("SN1").validity(Validity::Days(36_500)));
    assert!(days.ends_with("notAfter=Nov  1 00:00:00 2126 GMT\n"), "{days}");
    assert!(position(certificate.der(), b"\x18\x0f21261101000000Z").is_some());
    let (days, certificate) = dates(&builder("SN1").validity(Validity::Days(365)));
    assert!(days.ends_with("notAfter=Nov 25 00:00:00 2027 GMT\n"), "{days}");
    assert!(position(certificate.der(), b"\x17\x0d271125000000Z").is_some());

    let id = sdi::DeviceId::new("SN1").unwrap();
    let no_clock = sdi::IdentityBuilder::new(id.clone(), 0).self_sign(&key).unwrap();
    assert!(x509(&no_clock, &["-startdate"]).contains("Jan  1 00:00:00 1970 GMT"));
    let too_late = sdi::IdentityBuilder::new(id, u64::MAX).self_sign(&key);
    assert!(matches!(too_late, Err(Error::Argument(_))));
}

/// R15: a request proves that its sender has the key, and asks for the same extensions.
#[test]
fn r15_requests_verify_with_openssl() {
    for algorithm in SIGNING {
        let key = generate(algorithm);
        let request = builder("SN19842256").request(&key).unwrap();
        let verify = |request: &str| {
            let output = run_openssl(&["req", "-verify", "-noout"], request.as_bytes());
            String::from_utf8_lossy(&output.stderr).contains("verify OK")
        };
        assert!(verify(&request));
        let mut changed = openssl(&["req", "-outform", "DER"], request.as_bytes());
        let at = position(&changed, b"SN19842256").unwrap();
        changed[at + 9] = b'7';
        let changed = openssl_text(&["req", "-inform", "DER"], &changed);
        assert!(!verify(&changed), "a changed identifier breaks the signature");

        let text = openssl_text(&["req", "-noout", "-text"], request.as_bytes());
        assert!(text.contains("Subject: CN = SN19842256, serialNumber = SN19842256"), "{text}");
        assert!(text.contains("Version: 1 (0x0)"), "{text}");
        assert!(text.contains("X509v3 Key Usage: critical"), "{text}");
        let spki = openssl(&["req", "-noout", "-pubkey"], request.as_bytes());
        let spki = PublicKey::parse(&spki).unwrap();
        assert_eq!(spki.spki_der(), key.public_key().spki_der());

        // A certification authority that copies extensions gives what we would have made.
        let folder = folder(&format!("request-{algorithm:?}"));
        let file = folder.join("key.pem");
        std::fs::write(&file, key.to_pem().unwrap()).unwrap();
        let file = file.to_str().unwrap();
        let args = ["x509", "-req", "-signkey", file, "-copy_extensions", "copyall"];
        let signed = Certificate::parse(&openssl(&args, request.as_bytes())).unwrap();
        let ours = builder("SN19842256").self_sign(&key).unwrap();
        let extensions = ["-ext", "subjectKeyIdentifier,keyUsage"];
        assert_eq!(x509(&signed, &extensions), x509(&ours, &extensions));
        assert!(hex(signed.der()).contains(CAPABILITIES));
    }
}

/// R19: keys that cannot sign, and bare public keys, get a certificate too.
#[test]
fn r19_bare_public_keys_are_wrapped() {
    let kinds = [KeyAlgorithm::X25519, KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048)];
    for algorithm in kinds {
        let key = generate(algorithm);
        let public = PublicKey::parse(key.public_key().spki_der()).unwrap();
        let wrapped = builder("SN1").wrap(&public, &mut SystemRandom).unwrap();
        assert_eq!(wrapped.public_key(), key.public_key());
        assert_eq!(wrapped.device_id().as_deref(), Some("SN1"));
        assert_eq!(wrapped.spki_sha256().unwrap(), public.spki_sha256().unwrap());
        let usage = match algorithm {
            KeyAlgorithm::Rsa(_) => "Key Encipherment\n",
            _ => "Key Agreement\n",
        };
        let usages = x509(&wrapped, &["-ext", "keyUsage"]);
        assert_eq!(usages, format!("X509v3 Key Usage: critical\n    {usage}"));
        let spki = openssl(&["x509", "-noout", "-pubkey"], wrapped.to_pem().as_bytes());
        assert_eq!(PublicKey::parse(&spki).unwrap().spki_der(), public.spki_der());
        // The signature is nobody's: made by a new key each time, and none of ours.
        let again = builder("SN1").wrap(&public, &mut SystemRandom).unwrap();
        assert_ne!(wrapped.der(), again.der());
        assert!(!verifies(&format!("wrapped-{algorithm:?}"), wrapped.der()));
    }
}

/// R24: senders who know nothing of us encrypt to our certificates, whoever signed them.
#[test]
fn r24_openssl_encrypts_to_our_certificates() {
    for algorithm in SIGNING {
        let key = generate(algorithm);
        let folder = folder(&format!("encrypt-{algorithm:?}"));
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let (key_file, certificate_file) = (path("key.pem"), path("certificate.pem"));
        std::fs::write(&key_file, key.to_pem().unwrap()).unwrap();
        for certificate in [
            builder("SN1").self_sign(&key).unwrap(),
            builder("SN1").wrap(key.public_key(), &mut SystemRandom).unwrap(),
        ] {
            std::fs::write(&certificate_file, certificate.to_pem()).unwrap();
            let encrypt = ["cms", "-encrypt", "-binary", "-aes256", "-outform", "DER"];
            let encrypt = [&encrypt[..], &[&certificate_file]].concat();
            let sealed = openssl(&encrypt, b"hostname lab-42\n");
            let decrypt = ["cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", &key_file];
            let named = [&decrypt[..], &["-recip", &certificate_file]].concat();
            assert_eq!(openssl(&named, &sealed), b"hostname lab-42\n");
        }
    }
}

#[test]
fn r19_a_key_that_cannot_sign_is_told_to_be_wrapped() {
    let key = generate(KeyAlgorithm::X25519);
    for error in
        [builder("SN1").self_sign(&key).unwrap_err(), builder("SN1").request(&key).unwrap_err()]
    {
        assert_eq!(error, Error::Key(KeyFault::Unsupported));
        assert!(error.to_string().contains("wrap"), "{error}");
    }
    assert!(builder("SN1").wrap(key.public_key(), &mut SystemRandom).is_ok());
}

/// A key in a module that signs what it is given and does nothing else.
#[derive(Debug)]
struct InModule {
    key: SoftwareKey,
    answer: Answer,
}

/// What becomes of a right signature.
type Answer = fn(Vec<u8>) -> Result<Vec<u8>, KeyError>;

impl DeviceKey for InModule {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
        digest: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let hash = match scheme {
            SignatureScheme::EcdsaP384Sha384 => "-sha384",
            SignatureScheme::EcdsaP521Sha512 => "-sha512",
            _ => "-sha256",
        };
        assert_eq!(openssl(&["dgst", "-binary", hash], message), digest);
        (self.answer)(self.key.sign(scheme, message, digest)?)
    }
}

/// R11, R39: a certificate needs no more of a key than `sign`.
#[test]
fn r11_a_key_in_a_module_signs_for_itself() {
    for algorithm in SIGNING {
        let mut module = InModule { key: generate(algorithm), answer: Ok };
        let builder = builder("SN1");
        let certificate = builder.self_sign(&module).unwrap();
        // Both kinds of signatures are deterministic in memory.
        assert_eq!(certificate, builder.self_sign(&module.key).unwrap());
        assert_eq!(builder.request(&module), builder.request(&module.key));

        let answers: [(Answer, KeyFault); 6] = [
            (|_| Ok(Vec::new()), KeyFault::Answer),
            (|signature| Ok(signature[1..].to_vec()), KeyFault::Answer),
            (|signature| Ok([&[0], &signature[..]].concat()), KeyFault::Answer),
            (|_| Err(KeyError::Vendor(0x922)), KeyFault::Vendor(0x922)),
            (|_| Err(KeyError::Refused), KeyFault::Unsupported),
            (|_| Err(KeyError::Unsupported), KeyFault::Unsupported),
        ];
        for (answer, fault) in answers {
            module.answer = answer;
            assert_eq!(builder.self_sign(&module), Err(Error::Key(fault)));
            assert_eq!(builder.request(&module), Err(Error::Key(fault)));
        }
    }
}

#[test]
fn a_failing_source_of_randomness_fails_the_wrapping() {
    struct Broken;
    impl RandomSource for Broken {
        fn fill(&mut self, _: &mut [u8]) -> sdi::Result<()> {
            Err(Error::Random(7))
        }
    }
    let key = generate(KeyAlgorithm::P256);
    assert_eq!(builder("SN1").wrap(key.public_key(), &mut Broken), Err(Error::Random(7)));
    assert!(builder("SN1").wrap(key.public_key(), &mut SystemRandom).is_ok());
    for algorithm in SIGNING.into_iter().chain([KeyAlgorithm::X25519]) {
        let failed = SoftwareKey::generate(algorithm, &mut Broken);
        assert_eq!(failed.err(), Some(Error::Random(7)), "{algorithm:?}");
    }
}

/// R5: every identifier of the grammar comes back, under string types that may hold it.
#[test]
fn r5_every_identifier_comes_back() {
    let key = generate(KeyAlgorithm::P256);
    let longest = "x".repeat(64);
    let uuid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    for id in ["0", "a.b-c:D", "00:1b:54:0a:9f:e1", uuid, &longest, "with_underscore"] {
        let certificate = builder(id).self_sign(&key).unwrap();
        assert_eq!(certificate.device_id().as_deref(), Some(id));
        let subject = x509(&certificate, &["-subject", "-nameopt", "show_type,sep_comma_plus"]);
        // PrintableString has no underscore, so such an identifier stands in the CN alone.
        let serial_number = match id.contains('_') {
            true => String::new(),
            false => format!(",serialNumber=PRINTABLESTRING:{id}"),
        };
        assert_eq!(subject, format!("subject=CN=UTF8STRING:{id}{serial_number}\n"));
    }
}

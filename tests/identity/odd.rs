//! Certificates that others made, and odd ones: the key is what counts.

use crate::support::*;
use alloc::sync::Arc;
use sdi::{
    Certificate, DeviceKey, Error, Identity, KeyAlgorithm, KeyFault, PublicKey, SoftwareKey,
};

/// One RSA key, and openssl as a maker of certificates for it.
struct Maker {
    key: SoftwareKey,
    file: String,
    folder: std::path::PathBuf,
}

impl Maker {
    fn new(test: &str, algorithm: KeyAlgorithm) -> Self {
        let folder = folder(test);
        let (key, file) = (generate(algorithm), folder.join("key.pem"));
        std::fs::write(&file, key.to_pem().expect("PEM")).expect("a file");
        Self { key, file: file.to_str().expect("a plain path").into(), folder }
    }

    /// A self-signed certificate, DER.
    fn make(&self, args: &[&str]) -> Vec<u8> {
        let fixed = ["req", "-x509", "-key", &self.file, "-subj", "/CN=SN1", "-outform", "DER"];
        openssl(&[&fixed, args].concat(), b"")
    }

    /// The same without openssl's default extensions, and so of version 1.
    fn make_version_1(&self) -> Vec<u8> {
        let request = openssl(&["req", "-new", "-key", &self.file, "-subj", "/CN=SN1"], b"");
        openssl(&["x509", "-req", "-signkey", &self.file, "-outform", "DER"], &request)
    }

    #[track_caller]
    fn check(&self, certificate: &[u8]) -> Certificate {
        let certificate = Certificate::parse(certificate).expect("a certificate that is read");
        assert_eq!(certificate.public_key().spki_der(), self.key.public_key().spki_der());
        certificate
    }
}

/// Puts other bytes of the same length everywhere.
fn replace(certificate: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut out = certificate.to_vec();
    let mut found = 0;
    while let Some(at) = position(&out, old) {
        out[at..at + new.len()].copy_from_slice(new);
        found += 1;
    }
    assert!(found > 0, "there is nothing to replace");
    out
}

/// R17: the metadata mean nothing. 14 of 14 give their key.
#[test]
fn r17_odd_certificates_are_read() {
    let maker = Maker::new("odd", KeyAlgorithm::Rsa(2048));
    let usual = maker.make(&[]);
    let no_usage = maker.make(&["-addext", "basicConstraints=CA:FALSE"]);
    let builder = |now| {
        let id = sdi::DeviceId::new("SN1").unwrap();
        let builder = sdi::IdentityBuilder::new(id, now).validity(sdi::Validity::Days(1));
        builder.self_sign(&maker.key).unwrap().der().to_vec()
    };
    let pointers = [
        "-addext",
        "crlDistributionPoints=URI:http://crl.example/x.crl",
        "-addext",
        "authorityInfoAccess=OCSP;URI:http://ocsp.example/",
    ];
    let sha256_with_rsa = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
    let unknown = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 99];
    let mut broken = usual.clone();
    *broken.last_mut().unwrap() ^= 1;
    let serial_of_21 = format!("0x61{}", "a5".repeat(20));
    let odd = [
        ("expired", builder(0)),
        ("not yet valid", builder(7_000_000_000)),
        ("CA:TRUE", maker.make(&["-addext", "basicConstraints=critical,CA:TRUE"])),
        ("without key usage", no_usage),
        ("with the wrong key usage", maker.make(&["-addext", "keyUsage=critical,cRLSign"])),
        ("with CRL and OCSP pointers", maker.make(&pointers)),
        ("version 1", maker.make_version_1()),
        ("serial 0", maker.make(&["-set_serial", "0"])),
        ("serial -5", maker.make(&["-set_serial", "-5"])),
        ("serial of 21 bytes", maker.make(&["-set_serial", &serial_of_21])),
        ("the same serial as another", maker.make(&["-set_serial", "0"])),
        ("MD5", maker.make(&["-md5"])),
        ("unknown algorithm", replace(&usual, sha256_with_rsa, unknown)),
        ("broken signature", broken),
    ];
    assert_eq!(odd.len(), 14);
    maker.check(&usual);
    for (what, certificate) in odd {
        println!("{what}");
        let read = maker.check(&certificate);
        assert_eq!(read.device_id().as_deref(), Some("SN1"));
        assert_eq!(read.der(), certificate);
        let pem = openssl(&["x509", "-inform", "DER"], &certificate);
        assert_eq!(maker.check(&pem), read);
        assert!(Identity::new(Arc::new(generate(KeyAlgorithm::P256)), Some(read)).is_err());
    }
}

/// R17: damage behind the key does not take the key away.
#[test]
fn r17_broken_extensions_are_passed_over() {
    let maker = Maker::new("broken-extensions", KeyAlgorithm::P256);
    let usual = builder("SN1").self_sign(&maker.key).unwrap().der().to_vec();
    maker.check(&usual);
    let key_id = &[0x06, 3, 0x55, 0x1d, 0x0e, 4, 22, 4, 20];
    let capabilities = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 15, 4];
    for (old, at, new) in [
        (&key_id[..], 5, 0x0c),     // no OCTET STRING outside
        (&key_id[..], 7, 0x03),     // none inside
        (&key_id[..], 8, 21),       // a length that reaches too far
        (&key_id[..], 6, 23),       // one that cuts into the next extension
        (&key_id[..], 0, 0x05),     // no object identifier
        (&key_id[..], 0, 0x1f),     // no tag that is read at all
        (&capabilities[..], 11, 1), // no OCTET STRING
    ] {
        let mut changed = old.to_vec();
        changed[at] = new;
        maker.check(&replace(&usual, old, &changed));
    }
    // Not even a list, a version 1 certificate with extensions, and fields that nobody knows.
    let fields = tbs(&usual);
    let (version, rest) = fields.split_at(5);
    let extensions = position(rest, &[0xa3, 0x81]).unwrap();
    let without = &rest[..extensions];
    let certificate = |fields: &[&[u8]]| der(0x30, &[&der(0x30, fields)]);
    maker.check(&certificate(&[rest]));
    maker.check(&certificate(&[version, without]));
    maker.check(&certificate(&[version, without, &der(0xa3, &[b"garbage"])]));
    maker.check(&certificate(&[version, without, &der(0xa3, &[&der(0x30, &[&[0x30, 9]])])]));
    maker.check(&certificate(&[version, without, &[0x81, 2, 0, 1], &rest[extensions..]]));
    maker.check(&certificate(&[version, without, &[0xff]]));
    // The control: damage before the key is no certificate.
    assert!(Certificate::parse(&certificate(&[&version[..3], rest])).is_err());
    assert!(Certificate::parse(&certificate(&[version, &rest[..40]])).is_err());
}

/// The content of a certificate's TBSCertificate.
fn tbs(certificate: &[u8]) -> &[u8] {
    assert_eq!([certificate[..2].to_vec(), certificate[4..6].to_vec()], [[0x30, 0x82]; 2]);
    let length = usize::from(certificate[6]) << 8 | usize::from(certificate[7]);
    &certificate[8..8 + length]
}

/// R50: the commands of RFC 8886, A.1, as printed but for the file name that A.1.2 gets wrong.
#[test]
fn r50_the_appendix_commands_are_read() {
    let folder = folder("appendix");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (key, csr, crt) = (path("key.pem"), path("SN19842256.csr"), path("SN19842256.crt"));
    openssl(&["ecparam", "-out", &key, "-name", "prime256v1", "-genkey"], b"");
    openssl(&["req", "-new", "-key", &key, "-out", &csr, "-subj", "/CN=SN19842256"], b"");
    let days = ["-days", "36500"];
    openssl(
        &[&["req", "-x509"], &days[..], &["-key", &key, "-in", &csr, "-out", &crt]].concat(),
        b"",
    );

    let key = SoftwareKey::parse(&std::fs::read(&key).unwrap()).unwrap();
    let pem = std::fs::read(&crt).unwrap();
    let certificate = Certificate::parse(&pem).unwrap();
    assert_eq!(certificate.public_key(), key.public_key());
    assert_eq!(certificate.device_id().as_deref(), Some("SN19842256"));
    assert_eq!(certificate.subject(), "CN=SN19842256");
    // A hundred years on, the end is a GeneralizedTime.
    assert!(position(certificate.der(), &[0x18, 15, b'2', b'1']).is_some());
    assert!(Identity::new(Arc::new(key), Some(certificate)).is_ok());
}

/// R40: an IDevID names the device in the subject's serialNumber; its key exists already.
#[test]
fn r40_an_idevid_gives_its_serial_number() {
    let maker = Maker::new("idevid", KeyAlgorithm::P256);
    let idevid = maker.make(&["-subj", "/O=Acme/CN=Model 1/serialNumber=SN19842256"]);
    let certificate = maker.check(&idevid);
    assert_eq!(certificate.device_id().as_deref(), Some("SN19842256"));
    assert_eq!(certificate.subject(), "O=Acme, CN=Model 1, serialNumber=SN19842256");
    let other = generate(KeyAlgorithm::P256);
    let mismatch = Identity::new(Arc::new(other), Some(certificate.clone())).unwrap_err();
    assert_eq!(mismatch, Error::Key(KeyFault::Mismatch));
    let identity = Identity::new(Arc::new(maker.key), Some(certificate)).unwrap();
    assert_eq!(identity.certificate().unwrap().der(), idevid);
}

/// R51: without a serialNumber the CN is the identifier; without both there is none.
#[test]
fn r51_the_common_name_is_the_identifier() {
    let maker = Maker::new("common-name", KeyAlgorithm::P256);
    for (subject, id, text) in [
        ("/CN=SN1", Some("SN1"), "CN=SN1"),
        ("/C=DE/O=Acme/OU=Lab/CN=SN1", Some("SN1"), "C=DE, O=Acme, OU=Lab, CN=SN1"),
        ("/CN=first/CN=second", Some("first"), "CN=first, CN=second"),
        ("/O=Acme", None, "O=Acme"),
        ("/", None, "(an empty name)"),
        ("/CN=a\nb", Some("a\nb"), "CN=a\\x0ab"),
    ] {
        let certificate = maker.check(&maker.make(&["-subj", subject]));
        assert_eq!(certificate.device_id().as_deref(), id);
        assert_eq!(certificate.subject(), text);
    }
}

#[test]
fn certificates_come_in_many_wrappings() {
    let maker = Maker::new("wrappings", KeyAlgorithm::P256);
    let usual = maker.make(&["-addext", "nsComment=-----BEGIN CERTIFICATE-----"]);
    let pem = openssl_text(&["x509", "-inform", "DER"], &usual);
    let other = builder("SN2").self_sign(&generate(KeyAlgorithm::P256)).unwrap().to_pem();
    let trusted = ["x509", "-inform", "DER", "-trustout", "-addtrust", "emailProtection"];
    let with_text = ["x509", "-inform", "DER", "-text"];
    let old_label = pem.replace("CERTIFICATE", "X509 CERTIFICATE");
    for wrapped in [
        usual.clone(),
        pem.clone().into_bytes(),
        pem.replace('\n', "\r\n").into_bytes(),
        format!("\u{feff}\r\n{pem}").into_bytes(),
        format!("{pem}{other}").into_bytes(),
        format!("{}{pem}", String::from_utf8_lossy(maker.key.to_pem().unwrap().as_bytes()))
            .into_bytes(),
        openssl(&with_text, &usual),
        openssl(&trusted, &usual),
        old_label.into_bytes(),
    ] {
        assert_eq!(maker.check(&wrapped).der(), usual);
    }
    assert_ne!(Certificate::parse(format!("{other}{pem}").as_bytes()).unwrap().der(), usual);

    let request = builder("SN1").request(&maker.key).unwrap();
    let spki = maker.key.public_key().spki_der();
    let damaged = pem.replacen('M', "*", 1);
    let folder = maker.folder.to_str().unwrap();
    for none in [b"", request.as_bytes(), spki, damaged.as_bytes(), folder.as_bytes()] {
        assert!(matches!(Certificate::parse(none), Err(Error::Key(KeyFault::Unreadable(_)))));
    }
    // An Ed25519 key signs, and nothing can be encrypted to it.
    let args = ["req", "-x509", "-newkey", "ED25519", "-nodes", "-keyout", "/dev/null"];
    let ed25519 = openssl(&[&args[..], &["-subj", "/CN=SN1"]].concat(), b"");
    assert!(matches!(Certificate::parse(&ed25519), Err(Error::Unsupported(_))));
    assert!(PublicKey::parse(spki).is_ok());
}

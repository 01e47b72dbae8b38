//! What a vendor may ask of a certificate: its signature, key purposes, the common name alone.

use crate::support::*;
use sdi::{
    Certificate, DeviceKey, Error, Identity, IdentityBuilder, KeyAlgorithm, KeyFault, SoftwareKey,
    SystemRandom, Validity,
};
use std::sync::Arc;

fn text(certificate: &Certificate) -> String {
    openssl_text(&["x509", "-noout", "-text"], certificate.to_pem().as_bytes())
}

/// A key with a certificate that openssl has made for it, as vendors have them.
fn vendor(test: &str) -> (SoftwareKey, Certificate) {
    let key = generate(KeyAlgorithm::P256);
    let file = folder(test).join("vendor.key");
    std::fs::write(&file, key.to_pem().expect("it is made")).expect("a file");
    let file = file.to_str().expect("a plain path");
    let args = ["req", "-x509", "-subj", "/O=Acme/CN=Factory 1", "-key", file];
    (key, Certificate::parse(&openssl(&args, b"")).expect("it is made"))
}

#[test]
fn a_vendor_without_a_name_issues_nothing() {
    let key = generate(KeyAlgorithm::P256);
    let file = folder("nameless").join("vendor.key");
    std::fs::write(&file, key.to_pem().expect("it is made")).expect("a file");
    let args = ["req", "-x509", "-subj", "/", "-key", file.to_str().expect("a plain path")];
    let root = Certificate::parse(&openssl(&args, b"")).unwrap();
    let nameless = Identity::new(Arc::new(key), Some(root)).unwrap();
    let device = generate(KeyAlgorithm::P256);
    let refused = builder("SN1").issue(device.public_key(), &nameless);
    assert!(matches!(refused, Err(Error::Argument(_))), "{refused:?}");
}

/// Whether openssl finds that the certificate is the vendor's.
fn is_issued(test: &str, certificate: &Certificate, vendor: &Certificate) -> bool {
    let path = |name: &str| folder(&format!("{test}-{name}")).join("pem");
    let (device, authority) = (path("device"), path("authority"));
    std::fs::write(&device, certificate.to_pem()).expect("it is made");
    std::fs::write(&authority, vendor.to_pem()).expect("it is made");
    let args = [
        "verify",
        "-CAfile",
        authority.to_str().expect("a plain path"),
        device.to_str().expect("a plain path"),
    ];
    run_openssl(&args, b"").status.success()
}

#[test]
fn a_vendors_certificate_makes_a_chain() {
    let (key, root) = vendor("issue");
    let issuer = Identity::new(Arc::new(key), Some(root.clone())).unwrap();
    let kinds = [KeyAlgorithm::X25519, KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048)];
    for algorithm in kinds {
        let device = generate(algorithm);
        let certificate = builder("SN1").issue(device.public_key(), &issuer).unwrap();
        assert_eq!(certificate.public_key(), device.public_key());
        let text = text(&certificate);
        assert!(text.contains("Issuer: O = Acme, CN = Factory 1\n"), "{text}");
        assert!(text.contains("Subject: CN = SN1, serialNumber = SN1\n"), "{text}");
        let test = format!("issued-{algorithm:?}");
        assert!(is_issued(&test, &certificate, &root));
        let wrapped = builder("SN1").wrap(device.public_key(), &mut SystemRandom).unwrap();
        assert!(!is_issued(&test, &wrapped, &root));
        // One issuer, one number for one certificate (RFC 5280, 4.1.2.2); and the same everywhere.
        let serial =
            |it: &Certificate| openssl_text(&["x509", "-noout", "-serial"], it.to_pem().as_bytes());
        let issue = |builder: IdentityBuilder| builder.issue(device.public_key(), &issuer).unwrap();
        let others = [
            builder("SN2"),
            builder("SN1").without_serial_number(),
            builder("SN1").without_capabilities(),
            builder("SN1").validity(Validity::Days(1)),
            builder("SN1").key_purpose("1.2.3").unwrap(),
        ];
        for other in others {
            assert_ne!(serial(&issue(other)), serial(&certificate));
        }
        assert_eq!(serial(&issue(builder("SN1"))), serial(&certificate));
    }
}

#[test]
fn a_vendors_key_alone_is_named_by_its_identifier() {
    let (key, root) = vendor("key-alone");
    let alone = Identity::new(Arc::new(key), None).unwrap();
    let device = generate(KeyAlgorithm::X25519);
    let certificate = builder("SN1").issue(device.public_key(), &alone).unwrap();
    let names = ["x509", "-noout", "-subject", "-issuer"];
    assert_eq!(
        openssl_text(&names, certificate.to_pem().as_bytes()),
        "subject=CN = SN1, serialNumber = SN1\nissuer=CN = SN1, serialNumber = SN1\n"
    );
    // The same identifier as in the vendor's certificate, so its key can be found, and verifies.
    let id = |certificate: &Certificate, extension| {
        let args = ["x509", "-noout", "-ext", extension];
        let text = openssl_text(&args, certificate.to_pem().as_bytes());
        text.lines().nth(1).unwrap().trim().trim_start_matches("keyid:").to_owned()
    };
    assert_eq!(id(&certificate, "authorityKeyIdentifier"), id(&root, "subjectKeyIdentifier"));
    assert!(signed_by("key-alone", &certificate, &root));
    let wrapped = builder("SN1").wrap(device.public_key(), &mut SystemRandom).unwrap();
    assert!(!signed_by("key-alone", &wrapped, &root));
    assert!(!text(&wrapped).contains("Authority Key Identifier"));
}

/// Whether the signature alone is by this key, whatever the names say.
fn signed_by(test: &str, certificate: &Certificate, signer: &Certificate) -> bool {
    let folder = folder(&format!("{test}-signature"));
    let path = |name: &str| folder.join(name).to_str().expect("a plain path").to_owned();
    let der = certificate.der();
    // TBSCertificate is the first element of the certificate, the signature its last one.
    let tbs = openssl(
        &["asn1parse", "-inform", "DER", "-strparse", "4", "-noout", "-out", "/dev/stdout"],
        der,
    );
    let at = position(der, &tbs).expect("it is a part") + tbs.len();
    let rest = der.split_at(at).1;
    let signature = &rest[usize::from(rest[1]) + 2 + 3..];
    let public = openssl(&["x509", "-noout", "-pubkey"], signer.to_pem().as_bytes());
    std::fs::write(path("tbs"), tbs).expect("it is made");
    std::fs::write(path("signature"), signature).expect("it is made");
    std::fs::write(path("public"), public).expect("it is made");
    let args = ["dgst", "-sha256", "-verify", &path("public"), "-signature", &path("signature")];
    run_openssl(&[&args[..], &[&path("tbs")]].concat(), b"").status.success()
}

#[test]
fn a_vendors_key_that_cannot_sign_says_so() {
    let device = generate(KeyAlgorithm::P256);
    for (algorithm, signs) in [(KeyAlgorithm::X25519, false), (KeyAlgorithm::P384, true)] {
        let issuer = Identity::new(Arc::new(generate(algorithm)), None).unwrap();
        let made = builder("SN1").issue(device.public_key(), &issuer);
        assert_eq!(made.as_ref().err(), (!signs).then_some(&Error::Key(KeyFault::Unsupported)));
    }
}

#[test]
fn key_purposes_are_listed_in_their_order() {
    let key = generate(KeyAlgorithm::P256);
    let asked = builder("SN1").key_purpose("1.3.6.1.5.5.7.3.4").unwrap();
    let asked = asked.key_purpose("1.3.6.1.4.1.55555.1").unwrap();
    let expected =
        "X509v3 Extended Key Usage: \n                E-mail Protection, 1.3.6.1.4.1.55555.1\n";
    assert!(text(&asked.self_sign(&key).unwrap()).contains(expected));
    assert!(text(&asked.wrap(key.public_key(), &mut SystemRandom).unwrap()).contains(expected));
    let request = asked.request(&key).unwrap();
    let request = openssl_text(&["req", "-noout", "-text"], request.as_bytes());
    assert!(request.contains("X509v3 Extended Key Usage: \n"), "{request}");
    assert!(request.contains("E-mail Protection, 1.3.6.1.4.1.55555.1\n"), "{request}");
    assert!(!text(&builder("SN1").self_sign(&key).unwrap()).contains("Extended Key Usage"));
    for wrong in ["emailProtection", "", "1.3.", "9.1"] {
        let error = builder("SN1").key_purpose(wrong).unwrap_err();
        assert!(matches!(error, Error::Argument(_)), "{wrong}: {error}");
    }
}

#[test]
fn the_common_name_can_stand_alone() {
    let key = generate(KeyAlgorithm::P256);
    let bare = builder("SN1").without_serial_number();
    let certificate = bare.self_sign(&key).unwrap();
    assert_eq!(certificate.subject(), "CN=SN1");
    assert_eq!(certificate.device_id().as_deref(), Some("SN1"));
    let subject = ["req", "-noout", "-subject"];
    let subject = |request: &str| openssl_text(&subject, request.as_bytes());
    assert_eq!(subject(&bare.request(&key).unwrap()), "subject=CN = SN1\n");
    let both = builder("SN1").request(&key).unwrap();
    assert_eq!(subject(&both), "subject=CN = SN1, serialNumber = SN1\n");
}

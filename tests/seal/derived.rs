//! X25519 (RFC 8418) and derived content keys (RFC 9709), which OpenSSL 3.0 does not know in CMS. It
//! knows their parts: with them the file is rewritten to plain RSA and AES-GCM, and so opened.

use crate::support::der::{Node, edited, integer, null, octets, oid, path, sequence, set};
use crate::support::opened_every_way;
use crate::support::openssl::{device, run};
use crate::{capable, plaintext};
use sdi::{Certificate, DeviceKey, Form, Identity, KeyAlgorithm, KeyRing, Profile, SystemRandom};
use sdi::{SoftwareKey, seal_as};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// A file that is gone after the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, bytes).expect("the folder can be written to");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("the path is UTF-8")
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn ring(key: SoftwareKey, certificate: Certificate) -> KeyRing {
    let identity = Identity::new(Arc::new(key), Some(certificate)).expect("they belong together");
    crate::support::corpus::ring_of(identity)
}

fn hkdf(ikm: &[u8], salt: Option<&[u8]>, info: &[u8]) -> Vec<u8> {
    let salt = salt.map(|salt| format!("hexsalt:{}", hex(salt)));
    let (ikm, info) = (format!("hexkey:{}", hex(ikm)), format!("hexinfo:{}", hex(info)));
    let mut arguments = vec!["kdf", "-binary", "-keylen", "32", "-kdfopt", "digest:SHA256"];
    for option in [Some(&ikm), salt.as_ref(), Some(&info)].into_iter().flatten() {
        arguments.extend(["-kdfopt", option]);
    }
    arguments.push("HKDF");
    run(&arguments, b"")
}

/// Takes the derivation off, and gives the content key to an RSA device of openssl, by PKCS#1 v1.5.
fn rewritten(file: &[u8], content_key: &[u8]) -> Vec<u8> {
    let algorithm = Node::parse(file).at(path::CONTENT_ALGORITHM).clone();
    let inner = algorithm.clone().children()[1].clone();
    let salt = b"The Cryptographic Message Syntax";
    let derived = hkdf(content_key, Some(salt), &inner.encode());
    let certificate = device("rsa2048").certificate_file();
    let encrypted = run(&["pkeyutl", "-encrypt", "-certin", "-inkey", &certificate], &derived);
    let recipient = sequence([
        integer(2),
        Node::Primitive(0x80, b"anybody".to_vec()),
        sequence([oid("1.2.840.113549.1.1.1"), null()]),
        octets(encrypted),
    ]);
    let file = edited(file, path::CONTENT_ALGORITHM, |node| *node = inner);
    edited(&file, path::RECIPIENTS, |node| *node = set([recipient]))
}

fn decrypted(file: &[u8]) -> Vec<u8> {
    let key = device("rsa2048").key_file();
    run(&["cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", &key], file)
}

#[test]
fn a_derived_content_key_is_rfc_9709() {
    let plaintext = plaintext(1000);
    let (key, certificate) = capable(KeyAlgorithm::Rsa(2048));
    let to = [certificate.clone()];
    let file = seal_as(&plaintext, &to, Profile::Auto, Form::Der, &mut SystemRandom).unwrap();
    let encrypted = Node::parse(&file).at(path::RECIPIENT).children()[3].body().clone();
    let pem = Temporary::new("derived", key.to_pem().unwrap().as_bytes());
    let mut arguments = vec!["pkeyutl", "-decrypt", "-inkey", pem.path()];
    for option in ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"] {
        arguments.extend(["-pkeyopt", option]);
    }
    let content_key = run(&arguments, &encrypted);
    assert_eq!(content_key.len(), 32);
    assert!(decrypted(&rewritten(&file, &content_key)) == plaintext);
    assert!(opened_every_way(&file, &ring(key, certificate)).unwrap().0 == plaintext);
}

#[test]
fn x25519_is_rfc_8418() {
    let plaintext = plaintext(1000);
    let (key, certificate) = capable(KeyAlgorithm::X25519);
    let to = [certificate.clone()];
    let file = seal_as(&plaintext, &to, Profile::Auto, Form::Der, &mut SystemRandom).unwrap();

    let mut tree = Node::parse(&file);
    let originator = tree.at(path::ORIGINATOR_KEY);
    let spki = Temporary::new("ephemeral", &sequence(originator.children().clone()).encode());
    let wrapped = tree.at(path::WRAPPED_KEYS).at(&[0, 1]).body().clone();
    let pem = Temporary::new("x25519", key.to_pem().unwrap().as_bytes());
    let peer = ["-peerform", "DER", "-peerkey", spki.path()];
    let derive = ["pkeyutl", "-derive", "-inkey", pem.path()];
    let shared = run(&[&derive[..], &peer].concat(), b"");

    // ECC-CMS-SharedInfo { { id-aes256-wrap }, [2] 256 bits }
    let info = b"\x30\x15\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2d\
                 \xa2\x06\x04\x04\x00\x00\x01\x00";
    let kek = hex(&hkdf(&shared, None, info));
    let unwrap = ["enc", "-d", "-id-aes256-wrap", "-iv", "a6a6a6a6a6a6a6a6", "-K", &kek];
    let content_key = run(&unwrap, &wrapped);
    assert_eq!(content_key.len(), 32);
    assert!(decrypted(&rewritten(&file, &content_key)) == plaintext);
    assert!(opened_every_way(&file, &ring(key, certificate)).unwrap().0 == plaintext);
}

/// Every kind of key and profile, through our own opening.
#[test]
fn capable_devices_open_every_profile() {
    let plaintext = plaintext(1000);
    let kinds = [
        KeyAlgorithm::P256,
        KeyAlgorithm::P384,
        KeyAlgorithm::P521,
        KeyAlgorithm::X25519,
        KeyAlgorithm::Rsa(2048),
    ];
    for kind in kinds {
        let (key, certificate) = capable(kind);
        assert_eq!(key.public_key().algorithm(), kind);
        let to = [certificate.clone()];
        let ring = ring(key, certificate);
        for profile in crate::PROFILES {
            for form in crate::FORMS {
                let file = seal_as(&plaintext, &to, profile, form, &mut SystemRandom).unwrap();
                let (opened, summary) = opened_every_way(&file, &ring).unwrap();
                assert!(opened == plaintext, "{kind:?} {profile:?} {form:?}");
                assert_eq!(summary.is_authenticated(), profile != Profile::Rfc8886);
            }
        }
    }
}

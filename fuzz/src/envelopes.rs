//! Envelopes that open, of every kind there is: to take apart.

use crate::corpus::{Device, cases, devices};
use crate::support::forge::{AEADS, Random, Suite, modulus_len, pkcs1_block, transport_recipient};
use crate::support::{der, forge};
use sdi::{Form, KeyRing, Profile, PublicKey, seal_as};
use std::sync::OnceLock;

/// An envelope and whoever it is for.
pub(crate) struct Envelope {
    pub(crate) file: Vec<u8>,
    pub(crate) plaintext: Vec<u8>,
    pub(crate) ring: KeyRing,
}

/// A file of each kind of recipient, curve, content and container that other programs write.
const IDS: [&str; 14] = [
    "openssl/enc-smime-rsa2048-der",
    "openssl/gcm-rsa2048-aes256",
    "openssl/oaep-sha256-mgf-sha512",
    "openssl/cms-p256-aes-256-cbc",
    "openssl/size-p256-gcm-p17",
    "openssl/cms-p384-aes-256-cbc",
    "openssl/recips-5-mixed-p256-last",
    "openssl/mixed-kek-pwri-p256",
    "bc/ukm-p256",
    "bc/ka-p256-3deswrap",
    "bc/one-kari-several-keys-last",
    "bc/gcm-auth-and-unauth-attrs-p256",
    "bc-1.86/x25519-mixed",
    "bc-1.86/cekhkdf-x25519-cbc",
];

const TEXT: &[u8] = b"hostname r1\ninterface ge-0/0/0 unit 0\nend\n";
const CONTENT_KEY: [u8; 32] = *b"the content key of these files..";
const SUITES: [Suite; 7] = [
    Suite::Aes128Cbc,
    Suite::Aes192Cbc,
    Suite::Aes256Cbc,
    Suite::TripleDes,
    AEADS[0],
    AEADS[1],
    AEADS[2],
];

/// All of them, in DER.
pub(crate) fn all() -> &'static [Envelope] {
    static ALL: OnceLock<Vec<Envelope>> = OnceLock::new();
    ALL.get_or_init(|| {
        let all: Vec<Envelope> = real().chain(forged()).chain(sealed()).collect();
        for envelope in &all {
            let opened = sdi::open(&envelope.file, &envelope.ring).expect("it opens");
            assert_eq!(opened.plaintext(), envelope.plaintext);
        }
        all
    })
}

fn real() -> impl Iterator<Item = Envelope> {
    IDS.iter().map(|id| {
        let case = cases().iter().find(|case| case.id == *id).expect("the corpus has it");
        Envelope {
            file: case.message.clone(),
            plaintext: case.plaintext.clone().expect("it opens"),
            ring: devices()[case.device.expect("it is for somebody")].ring(),
        }
    })
}

/// For the first module, whose encrypted keys are blocks in the clear.
fn forged() -> impl Iterator<Item = Envelope> {
    let module = devices().iter().find(|device| format!("{:?}", device.key).contains("Raw"));
    let module = module.expect("there is such a module");
    let public = module.key.public_key();
    SUITES.iter().map(move |suite| {
        let key = &CONTENT_KEY[..suite.key_len()];
        let content = suite.encrypt(key, TEXT);
        let file = content.to([in_the_clear(public, key)]);
        Envelope { file, plaintext: TEXT.to_vec(), ring: module.ring() }
    })
}

fn in_the_clear(public: &PublicKey, key: &[u8]) -> der::Node {
    let block = pkcs1_block(modulus_len(public), key, &mut forge::Random(1));
    let transport = der::sequence([der::oid("1.2.840.113549.1.1.1"), der::null()]);
    transport_recipient(public, transport, block)
}

/// By this library, for each elliptic curve.
fn sealed() -> impl Iterator<Item = Envelope> {
    ["P256", "P384", "P521", "X25519"].into_iter().flat_map(|curve| {
        let is_on =
            |device: &&Device| format!("{:?}", device.key.public_key().algorithm()) == curve;
        let device = devices().iter().find(is_on).expect("the corpus has each curve");
        let to = [device.certificate().clone()];
        [Profile::Rfc8886, Profile::Authenticated].map(|profile| Envelope {
            file: seal_as(TEXT, &to, profile, Form::Der, &mut Random(2)).expect("it can be sealed"),
            plaintext: TEXT.to_vec(),
            ring: device.ring(),
        })
    })
}

//! Certificates, public keys and private keys, as anybody may hand them in.

use crate::choices::Choices;
use crate::promises::describes;
use crate::support::forge::Random;
use sdi::{
    Certificate, DeviceId, DeviceKey, Form, Identity, Profile, PublicKey, SoftwareKey, seal_as,
};
use std::sync::Arc;

/// Input: a byte for what it is, the certificate or key.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    match choices.byte() % 4 {
        0 => private_key(choices.rest()),
        1 => public_key(choices.rest()),
        _ => certificate(choices.rest()),
    }
}

fn certificate(bytes: &[u8]) {
    let certificate = match Certificate::parse(bytes) {
        Ok(certificate) => certificate,
        Err(error) => return describes(&error),
    };
    let subject = certificate.subject();
    assert!(subject.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{subject}");
    if let Some(id) = certificate.device_id() {
        drop(DeviceId::new(&id));
    }
    let again = Certificate::parse(certificate.der());
    assert_eq!(again.as_ref(), Ok(&certificate), "from its own DER");
    let pem = Certificate::parse(certificate.to_pem().as_bytes());
    assert_eq!(pem.as_ref(), Ok(&certificate), "from its own PEM");
    public_key(certificate.public_key().spki_der());
    // Whether its key is a good one shows when something is encrypted to it.
    match seal_as(b"text", &[certificate], Profile::Auto, Form::Der, &mut Random(1)) {
        Ok(file) => assert!(file.len() > 100),
        Err(error) => describes(&error),
    }
}

fn public_key(bytes: &[u8]) {
    let key = match PublicKey::parse(bytes) {
        Ok(key) => key,
        Err(error) => return describes(&error),
    };
    let again = PublicKey::parse(key.spki_der());
    assert_eq!(again.as_ref(), Ok(&key));
    assert_eq!(key.spki_sha256(), again.expect("it was").spki_sha256());
}

fn private_key(bytes: &[u8]) {
    let key = match SoftwareKey::parse(bytes) {
        Ok(key) => key,
        Err(error) => return describes(&error),
    };
    assert!(PublicKey::parse(key.public_key().spki_der()).is_ok());
    let pem = key.to_pem().expect("there is memory");
    let again = SoftwareKey::parse(pem.as_bytes()).expect("it wrote it itself");
    assert_eq!(again.public_key(), key.public_key());
    assert!(Identity::new(Arc::new(key), None).is_ok());
}

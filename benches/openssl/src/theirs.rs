//! libcrypto's `CMS_decrypt` and `CMS_encrypt`.

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::X509;
use sdi::Form;

pub(crate) fn open(file: &[u8], form: Form, key: &PKey<Private>, certificate: &X509) -> Vec<u8> {
    let cms = match form {
        Form::Pem => CmsContentInfo::from_pem(file),
        _ => CmsContentInfo::from_der(file),
    };
    cms.unwrap().decrypt(key, certificate).unwrap()
}

pub(crate) fn seal(plaintext: &[u8], form: Form, to: &[&X509], cipher: Cipher) -> Vec<u8> {
    let mut stack = Stack::new().unwrap();
    for certificate in to {
        stack.push((*certificate).clone()).unwrap();
    }
    let cms = CmsContentInfo::encrypt(&stack, plaintext, cipher, CMSOptions::BINARY).unwrap();
    match form {
        Form::Pem => cms.to_pem().unwrap(),
        _ => cms.to_der().unwrap(),
    }
}

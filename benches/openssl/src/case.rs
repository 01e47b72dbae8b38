//! One file, and the two libraries that open and seal it.

use crate::pairs::{Paired, measure};
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::x509::X509;
use sdi::{
    Certificate, DeviceId, Form, Identity, IdentityBuilder, KeyAlgorithm, KeyRing, Profile,
    SoftwareKey, SystemRandom,
};
use std::fmt::{self, Display, Formatter};
use std::hint::black_box;
use std::sync::Arc;

pub(crate) const KEYS: [KeyAlgorithm; 3] =
    [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048), KeyAlgorithm::Rsa(3072)];
pub(crate) const FORMS: [Form; 2] = [Form::Der, Form::Pem];
pub(crate) const SIZES: [usize; 4] = [1 << 10, 64 << 10, 1 << 20, 16 << 20];

#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Open,
    Seal,
}

impl Display for Operation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Seal => "seal",
        })
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Cipher {
    Cbc,
    Gcm,
}

impl Display for Cipher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cbc => "AES-256-CBC",
            Self::Gcm => "AES-256-GCM",
        })
    }
}

pub(crate) struct Case {
    form: Form,
    profile: Profile,
    plaintext: Vec<u8>,
    /// The plaintext, sealed by us.
    file: Vec<u8>,
    ring: KeyRing,
    to: [Certificate; 1],
    cipher: openssl::symm::Cipher,
    key: PKey<Private>,
    certificate: X509,
}

impl Case {
    pub(crate) fn new(algorithm: KeyAlgorithm, cipher: Cipher, form: Form, size: usize) -> Self {
        let key = Arc::new(SoftwareKey::generate(algorithm, &mut SystemRandom).unwrap());
        let pem = key.to_pem().unwrap();
        let builder = IdentityBuilder::new(DeviceId::new("SN19842256").unwrap(), 1_700_000_000);
        // Without capabilities: OpenSSL 3.0 does not know the key derivation of RFC 9709.
        let certificate = builder.without_capabilities().self_sign(key.as_ref()).unwrap();
        let (profile, theirs) = match cipher {
            Cipher::Cbc => (Profile::Rfc8886, openssl::symm::Cipher::aes_256_cbc()),
            Cipher::Gcm => (Profile::Authenticated, openssl::symm::Cipher::aes_256_gcm()),
        };
        let line = b"interface Ethernet1/1 description uplink to the core of the network\n";
        let plaintext: Vec<u8> = line.iter().copied().cycle().take(size).collect();
        let to = [certificate.clone()];
        let mut ring = KeyRing::new();
        ring.set_vendor(Identity::new(key, Some(certificate.clone())).unwrap()).unwrap();
        let case = Self {
            form,
            profile,
            file: sdi::seal_as(&plaintext, &to, profile, form, &mut SystemRandom).unwrap(),
            plaintext,
            ring,
            to,
            cipher: theirs,
            key: PKey::private_key_from_pem(pem.as_bytes()).unwrap(),
            certificate: X509::from_der(certificate.der()).unwrap(),
        };
        case.check();
        case
    }

    /// Both open what both seal.
    fn check(&self) {
        for file in [&self.file, &self.seal_with_openssl()] {
            assert!(sdi::open(file, &self.ring).unwrap().plaintext() == self.plaintext);
            assert!(self.open_with_openssl(file) == self.plaintext);
        }
    }

    pub(crate) fn measure(&self, operation: Operation) -> Paired {
        match operation {
            Operation::Open => measure(
                &mut || drop(black_box(sdi::open(&self.file, &self.ring).unwrap())),
                &mut || drop(black_box(self.open_with_openssl(&self.file))),
            ),
            Operation::Seal => measure(
                &mut || {
                    let (to, profile) = (&self.to, self.profile);
                    let random = &mut SystemRandom;
                    let sealed = sdi::seal_as(&self.plaintext, to, profile, self.form, random);
                    drop(black_box(sealed.unwrap()));
                },
                &mut || drop(black_box(self.seal_with_openssl())),
            ),
        }
    }

    fn open_with_openssl(&self, file: &[u8]) -> Vec<u8> {
        let cms = match self.form {
            Form::Pem => CmsContentInfo::from_pem(file),
            _ => CmsContentInfo::from_der(file),
        };
        cms.unwrap().decrypt(&self.key, &self.certificate).unwrap()
    }

    fn seal_with_openssl(&self) -> Vec<u8> {
        let mut to = Stack::new().unwrap();
        to.push(self.certificate.clone()).unwrap();
        let cms = CmsContentInfo::encrypt(&to, &self.plaintext, self.cipher, CMSOptions::BINARY);
        match self.form {
            Form::Pem => cms.unwrap().to_pem().unwrap(),
            _ => cms.unwrap().to_der().unwrap(),
        }
    }
}

//! One file, and the two libraries that open and seal it.

use crate::cipher::Cipher;
use crate::device::Device;
use crate::measure::{Effort, Paired};
use crate::theirs;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use sdi::{Certificate, Form, KeyAlgorithm, KeyRing, Profile, Secret, SystemRandom};
use std::cell::RefCell;
use std::fmt::{self, Display, Formatter};
use std::hint::black_box;

pub(crate) const KEYS: [KeyAlgorithm; 3] =
    [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048), KeyAlgorithm::Rsa(3072)];
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

/// A file's form, and whether its buffer takes the plaintext.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Der,
    /// Text would be decoded into another buffer, and libcrypto has no such way: it opens as ever.
    DerInPlace,
    Pem,
}

impl Way {
    pub(crate) fn of(operation: Operation) -> impl Iterator<Item = Self> {
        let all = [Self::Der, Self::DerInPlace, Self::Pem];
        all.into_iter().filter(move |way| match way {
            Self::DerInPlace => matches!(operation, Operation::Open),
            Self::Der | Self::Pem => true,
        })
    }

    pub(crate) fn form(self) -> Form {
        match self {
            Self::Der | Self::DerInPlace => Form::Der,
            Self::Pem => Form::Pem,
        }
    }
}

impl Display for Way {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Der => "DER",
            Self::DerInPlace => "DER, in place",
            Self::Pem => "PEM",
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
    pub(crate) fn new(device: &Device, cipher: Cipher, form: Form, size: usize) -> Self {
        let plaintext = configuration(size);
        let to = [device.certificate.clone()];
        let profile = cipher.profile();
        let (key, certificate) = device.openssl();
        let case = Self {
            form,
            profile,
            file: sdi::seal_as(&plaintext, &to, profile, form, &mut SystemRandom).unwrap(),
            plaintext,
            ring: device.ring(),
            to,
            cipher: cipher.openssl(),
            key,
            certificate,
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

    pub(crate) fn measure(&self, operation: Operation, way: Way, effort: Effort) -> Paired {
        match operation {
            Operation::Open if matches!(way, Way::DerInPlace) => self.measure_in_place(effort),
            Operation::Open => effort.pairs(
                &mut || drop(black_box(sdi::open(&self.file, &self.ring).unwrap())),
                &mut || drop(black_box(self.open_with_openssl(&self.file))),
            ),
            Operation::Seal => effort.pairs(
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

    fn measure_in_place(&self, effort: Effort) -> Paired {
        // Each call uses up a file, which somebody had to read, for either library.
        let files = RefCell::new(Vec::new());
        let read = |calls| files.borrow_mut().resize(calls, self.file.clone());
        let mut open = || {
            let mut file = files.borrow_mut().pop().unwrap();
            sdi::open_in_place(&mut file, &self.ring).unwrap();
            drop(Secret::from(black_box(file)));
        };
        effort.prepared_pairs(&read, &mut open, &mut || {
            drop(black_box(self.open_with_openssl(&self.file)));
        })
    }

    fn open_with_openssl(&self, file: &[u8]) -> Vec<u8> {
        theirs::open(file, self.form, &self.key, &self.certificate)
    }

    fn seal_with_openssl(&self) -> Vec<u8> {
        theirs::seal(&self.plaintext, self.form, &[&self.certificate], self.cipher)
    }
}

/// A configuration of this size: one line, again and again.
pub(crate) fn configuration(size: usize) -> Vec<u8> {
    let line = b"interface Ethernet1/1 description uplink to the core of the network\n";
    line.iter().copied().cycle().take(size).collect()
}

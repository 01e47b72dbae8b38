//! What content is encrypted with, in the words of each program.

use openssl::symm;
use sdi::Profile;
use std::fmt::{self, Display, Formatter};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Cbc,
    Gcm,
}

impl Cipher {
    pub(crate) const BOTH: [Self; 2] = [Self::Cbc, Self::Gcm];

    pub(crate) fn profile(self) -> Profile {
        match self {
            Self::Cbc => Profile::Rfc8886,
            Self::Gcm => Profile::Authenticated,
        }
    }

    /// The profile as an option of the command `sdi`.
    pub(crate) fn profile_name(self) -> &'static str {
        match self {
            Self::Cbc => "rfc8886",
            Self::Gcm => "authenticated",
        }
    }

    pub(crate) fn openssl(self) -> symm::Cipher {
        match self {
            Self::Cbc => symm::Cipher::aes_256_cbc(),
            Self::Gcm => symm::Cipher::aes_256_gcm(),
        }
    }

    /// The option of `openssl cms`.
    pub(crate) fn openssl_option(self) -> &'static str {
        match self {
            Self::Cbc => "-aes-256-cbc",
            Self::Gcm => "-aes-256-gcm",
        }
    }
}

impl Display for Cipher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cbc => "AES-256-CBC",
            Self::Gcm => "AES-256-GCM",
        })
    }
}

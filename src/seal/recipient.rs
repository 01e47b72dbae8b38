//! RecipientInfo (RFC 5652, 6.2): the content key, encrypted for the key of one certificate.

#[cfg(feature = "rsa")]
use super::ktri;
use super::{Profile, kari};
use crate::asn1::{self, der, der_sequence};
use crate::{Certificate, Error, Limit, Limits, RandomSource, Result, Secret};
#[cfg(not(feature = "rsa"))]
use crate::{key::unsupported, oid};
use alloc::vec::Vec;

/// One recipient, DER.
pub(super) struct RecipientInfo {
    pub(super) version: u8,
    pub(super) der: Vec<u8>,
}

impl RecipientInfo {
    pub(super) fn new(
        to: &Certificate,
        content_key: &Secret,
        profile: Profile,
        random: &mut dyn RandomSource,
    ) -> Result<Self> {
        let key = to.public_key();
        let name = Name::of(to, profile)?;
        match key.algorithm().curve() {
            Some(curve) => kari::recipient_info(key, curve, &name, content_key, random),
            #[cfg(feature = "rsa")]
            None => ktri::recipient_info(key, &name, content_key, profile, random),
            #[cfg(not(feature = "rsa"))]
            None => Err(unsupported("a key of the kind", oid::RSA_ENCRYPTION)),
        }
    }
}

/// How a recipient is named.
pub(super) enum Name {
    /// issuerAndSerialNumber, DER.
    IssuerAndSerial(Vec<u8>),
    /// The octets of a SubjectKeyIdentifier.
    KeyId(Vec<u8>),
}

impl Name {
    /// By the key's identifier where the certificate has one: it outlives a new certificate for the
    /// same key. One that is longer than devices read would close the file to all of them.
    fn of(to: &Certificate, profile: Profile) -> Result<Self> {
        let max = Limits::default().name;
        let name = match to.subject_key_id() {
            Some(id) if profile != Profile::Rfc8886 => Self::KeyId(id.to_vec()),
            _ => {
                let serial = der(asn1::INTEGER, &[to.serial()]);
                Self::IssuerAndSerial(der_sequence(&[to.issuer(), &serial]))
            }
        };
        let len = match &name {
            Self::IssuerAndSerial(name) => name.len(),
            // With a header of its own.
            Self::KeyId(id) => id.len().saturating_add(4),
        };
        if len > max {
            return Err(Error::limit(Limit::Name, u64::try_from(max).unwrap_or(u64::MAX)));
        }
        Ok(name)
    }
}

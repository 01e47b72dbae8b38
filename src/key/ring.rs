//! Which keys open a file, in which order, and what they may open.

use crate::asn1::{self, significant};
use crate::identity::{issuer_and_serial_text, key_id_text, key_ids};
use crate::{Certificate, DeviceKey, Error, KeyFault, Limits, Misuse, Result};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A private key with its certificate, or a key alone: a device whose bare key was wrapped in a
/// certificate by the directory has never seen that certificate.
#[derive(Debug, Clone)]
pub struct Identity {
    key: Arc<dyn DeviceKey>,
    certificate: Option<Arc<Certificate>>,
    names: Arc<Names>,
}

/// What files may call us.
#[derive(Debug)]
struct Names {
    /// The certificate's issuer in DER, however it stands in the certificate.
    issuer: Vec<u8>,
    key_ids: Vec<Vec<u8>>,
}

impl Identity {
    /// Joins key and certificate.
    ///
    /// # Errors
    /// [`Error::Key`] if the certificate is another key's.
    pub fn new(key: Arc<dyn DeviceKey>, certificate: Option<Certificate>) -> Result<Self> {
        let mut names = Names { issuer: Vec::new(), key_ids: key_ids(key.public_key())? };
        if let Some(certificate) = &certificate {
            if certificate.public_key() != key.public_key() {
                return Err(Error::Key(KeyFault::Mismatch));
            }
            // A damaged name has no DER form; no file that is read can repeat it.
            names.issuer = asn1::to_der(certificate.issuer()).unwrap_or_default();
            names.key_ids.extend(certificate.subject_key_id().map(<[u8]>::to_vec));
        }
        Ok(Self { key, certificate: certificate.map(Arc::new), names: Arc::new(names) })
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &dyn DeviceKey {
        &*self.key
    }

    /// The certificate, if there is one.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_deref()
    }

    /// Whether this issuer, in DER, and this serial number are our certificate's. Encoders that add
    /// or drop the leading zeros of a serial number are forgiven.
    pub(crate) fn is_issuer_and_serial(&self, issuer: &[u8], serial: &[u8]) -> bool {
        self.certificate().is_some_and(|certificate| {
            !issuer.is_empty()
                && self.names.issuer == issuer
                && significant(certificate.serial()) == significant(serial)
        })
    }

    /// Whether this key identifier is our certificate's or can be computed from our key.
    pub(crate) fn is_key_id(&self, id: &[u8]) -> bool {
        self.names.key_ids.iter().any(|ours| ours == id)
    }

    /// Who we are, as one line of printable ASCII: all the names that a file may use.
    pub(crate) fn text(&self) -> String {
        let certificate = self.certificate();
        let id = certificate.and_then(Certificate::subject_key_id);
        let id = id.or_else(|| self.names.key_ids.first().map(Vec::as_slice)).unwrap_or_default();
        match certificate {
            Some(certificate) => {
                let name = issuer_and_serial_text(certificate.issuer(), certificate.serial());
                [name.as_str(), " (", key_id_text(id).as_str(), ")"].concat()
            }
            None => key_id_text(id),
        }
    }
}

/// How an operator's key stands to the vendor's (RFC 8886, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperatorMode {
    /// Both open files, the operator's first.
    Prefer,
    /// The operator's alone: files to the vendor's key stop working, for good.
    Replace,
}

/// What a key ring's keys may open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by struct update; a new rule is a new field")]
pub struct OpenPolicy {
    /// What a file may cost.
    pub limits: Limits,
    /// Refuse files that are not authenticated encryption (CBC), before any key is used.
    pub require_authenticated: bool,
    /// Private key operations for one file.
    pub max_key_ops: u32,
}

impl Default for OpenPolicy {
    fn default() -> Self {
        Self { limits: Limits::default(), require_authenticated: false, max_key_ops: 64 }
    }
}

/// The device's keys: the vendor's, made in the factory, and perhaps the operator's.
///
/// ```
/// # fn main() -> Result<(), sdi::Error> {
/// use sdi::{Identity, KeyAlgorithm, KeyRing, OperatorMode, SoftwareKey, SystemRandom};
/// use std::sync::Arc;
/// let vendor = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom)?;
/// let operator = SoftwareKey::generate(KeyAlgorithm::P384, &mut SystemRandom)?;
///
/// let mut ring = KeyRing::new();
/// ring.set_vendor(Identity::new(Arc::new(vendor), None)?)?;
/// let operator = Identity::new(Arc::new(operator), None)?;
/// assert!(ring.set_operator(Some(operator), OperatorMode::Prefer)?.is_none());
/// ring.remove_operator()?; // a factory reset: the vendor's key is left
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    vendor: Option<Identity>,
    operator: Option<Identity>,
    replaced: bool,
    policy: OpenPolicy,
}

/// Whose identity opened a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Owner {
    /// The key from the factory.
    Vendor,
    /// The operator's own key.
    Operator,
}

impl KeyRing {
    /// A ring without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the key from the factory.
    ///
    /// # Errors
    /// [`Misuse`] after an operator's key has replaced it.
    pub fn set_vendor(&mut self, identity: Identity) -> Result<(), Misuse> {
        if self.replaced {
            return Err(Misuse("the vendor's key was replaced by the operator's"));
        }
        self.vendor = Some(identity);
        Ok(())
    }

    /// Sets the operator's key. With [`OperatorMode::Replace`] the vendor identity leaves the ring
    /// for good and is handed back: destroying it is the caller's work, and so is remembering the
    /// mode. `None` with `Replace` is a device whose operator's key is missing: nothing opens.
    ///
    /// # Errors
    /// [`Misuse`] for `Prefer` without a key or after `Replace`.
    pub fn set_operator(
        &mut self,
        identity: Option<Identity>,
        mode: OperatorMode,
    ) -> Result<Option<Identity>, Misuse> {
        match mode {
            OperatorMode::Prefer if self.replaced => {
                Err(Misuse("the vendor's key was replaced by the operator's"))
            }
            OperatorMode::Prefer if identity.is_none() => {
                Err(Misuse("an operator's key to prefer is missing"))
            }
            OperatorMode::Prefer => {
                self.operator = identity;
                Ok(None)
            }
            OperatorMode::Replace => {
                self.operator = identity;
                self.replaced = true;
                Ok(self.vendor.take())
            }
        }
    }

    /// Removes the operator's key, as a factory reset does in mode `Prefer`.
    ///
    /// # Errors
    /// [`Misuse`] after `Replace`: it is the only key.
    pub fn remove_operator(&mut self) -> Result<(), Misuse> {
        if self.replaced {
            return Err(Misuse("the operator's key has replaced the vendor's and is the only one"));
        }
        self.operator = None;
        Ok(())
    }

    /// Sets what the keys may open. It binds everything that is opened afterwards.
    pub fn set_policy(&mut self, policy: OpenPolicy) {
        self.policy = policy;
    }

    /// What the keys may open.
    #[must_use]
    pub const fn policy(&self) -> &OpenPolicy {
        &self.policy
    }

    /// The identities in the order in which they are tried.
    pub(crate) fn identities(&self) -> impl Iterator<Item = (Owner, &Identity)> {
        let operator = self.operator.as_ref().map(|identity| (Owner::Operator, identity));
        let vendor = self.vendor.as_ref().map(|identity| (Owner::Vendor, identity));
        operator.into_iter().chain(vendor)
    }

    /// A ring that was never given a key is a mistake of the program; one whose operator's key is
    /// missing is a state that a device can be in.
    pub(crate) fn check_in_use(&self) -> Result<(), Misuse> {
        if self.replaced || self.identities().next().is_some() {
            Ok(())
        } else {
            Err(Misuse("the key ring is empty"))
        }
    }
}

#[cfg(all(test, feature = "x25519"))]
mod tests {
    use super::*;
    use crate::asn1::{Element, der, der_oid, der_sequence};
    use crate::{SoftwareKey, oid};

    const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq
-----END PRIVATE KEY-----";

    /// A version 1 certificate for `KEY` with this issuer and the content of this serial number.
    fn identity(issuer: &[u8], serial: &[u8]) -> Result<Identity> {
        let key = SoftwareKey::parse(KEY.as_bytes())?;
        let empty = der_sequence(&[]);
        let fields = der_sequence(&[
            &der(asn1::INTEGER, &[serial]),
            &empty,
            issuer,
            &empty,
            &empty,
            key.public_key().spki_der(),
        ]);
        let certificate = Certificate::parse(&der_sequence(&[&fields]))?;
        Identity::new(Arc::new(key), Some(certificate))
    }

    fn name(tag: u8, common_name: &[u8]) -> Vec<u8> {
        let attribute = der_sequence(&[&der_oid(oid::COMMON_NAME), &der(tag, &[common_name])]);
        der_sequence(&[&der(asn1::SET, &[&attribute])])
    }

    #[test]
    fn serial_numbers_are_compared_as_numbers() -> Result<()> {
        let issuer = name(0x0c, b"SN1");
        for (ours, same, other) in [
            (&[5][..], &[0, 5][..], &[6][..]),
            (&[0, 0, 0x80, 1], &[0x80, 1], &[0x80, 1, 0]),
            (&[0], &[], &[1]),
            (&[9; 21], &[9; 21], &[9; 20]),
        ] {
            let identity = identity(&issuer, ours)?;
            assert!(identity.is_issuer_and_serial(&issuer, ours));
            assert!(identity.is_issuer_and_serial(&issuer, same));
            assert!(!identity.is_issuer_and_serial(&issuer, other));
            assert!(!identity.is_issuer_and_serial(&name(0x0c, b"SN2"), ours));
            assert!(!identity.is_issuer_and_serial(&name(0x13, b"SN1"), ours));
        }
        Ok(())
    }

    #[test]
    fn key_identifiers_are_compared_whole() -> Result<()> {
        let identity = identity(&name(0x0c, b"SN1"), &[1])?;
        let ours = key_ids(identity.key().public_key())?;
        assert!(ours.len() > 1);
        for id in &ours {
            assert!(identity.is_key_id(id));
            assert!(!identity.is_key_id(&id[1..]));
        }
        Ok(())
    }

    #[test]
    fn an_issuer_in_ber_is_compared_as_der() -> Result<()> {
        let der = name(0x0c, b"SN1");
        let body = Element::only(&der)?.body;
        let indefinite = [&[0x30, 0x80], body, &[0, 0]].concat();
        let long_length = [&[0x30, 0x81, der[1]], body].concat();
        for issuer in [&der, &indefinite, &long_length] {
            let identity = identity(issuer, &[1])?;
            assert!(identity.is_issuer_and_serial(&der, &[1]));
        }
        // What cannot be read as a name matches nothing.
        let damaged = identity(&[0x30, 2, 0x31, 9], &[1])?;
        assert!(!damaged.is_issuer_and_serial(&[], &[1]));
        assert!(!damaged.is_issuer_and_serial(&[0x30, 2, 0x31, 9], &[1]));
        Ok(())
    }
}

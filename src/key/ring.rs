//! Which keys open a file, in which order, and what they may open.

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
    key_ids: Arc<Vec<Vec<u8>>>,
}

impl Identity {
    /// Joins key and certificate.
    ///
    /// # Errors
    /// [`Error::Key`] if the certificate is another key's.
    pub fn new(key: Arc<dyn DeviceKey>, certificate: Option<Certificate>) -> Result<Self> {
        if let Some(certificate) = &certificate {
            if certificate.public_key() != key.public_key() {
                return Err(Error::Key(KeyFault::Mismatch));
            }
        }
        let mut ids = key_ids(key.public_key())?;
        ids.extend(certificate.as_ref().and_then(Certificate::subject_key_id).map(<[u8]>::to_vec));
        Ok(Self { key, certificate: certificate.map(Arc::new), key_ids: Arc::new(ids) })
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

    /// Whether this issuer and serial number are our certificate's.
    pub(crate) fn is_issuer_and_serial(&self, issuer: &[u8], serial: &[u8]) -> bool {
        self.certificate().is_some_and(|certificate| {
            certificate.issuer() == issuer && certificate.serial() == serial
        })
    }

    /// Whether this key identifier is our certificate's or can be computed from our key.
    pub(crate) fn is_key_id(&self, id: &[u8]) -> bool {
        self.key_ids.iter().any(|ours| ours == id)
    }

    /// Who we are, as one line of printable ASCII.
    pub(crate) fn text(&self) -> String {
        match (self.certificate(), self.key_ids.first()) {
            (Some(certificate), _) => {
                issuer_and_serial_text(certificate.issuer(), certificate.serial())
            }
            (None, Some(id)) => key_id_text(id),
            (None, None) => String::new(),
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

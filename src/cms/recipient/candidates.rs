//! Is a recipient one of our keys? And in the end, the content key.
//!
//! Only what one of our keys may open is kept. An entry that names one of our identities is tried
//! first, and with no other. A key whose certificate we never saw is tried on every entry that could
//! be for it: of the names in that certificate we know those that follow from the key.

mod unnamed;

use self::unnamed::{Unnamed, UnnamedList};
use super::{EncryptedKey, KeyTransport, RecipientId};
use crate::cms::content::ContentAlgorithm;
use crate::cms::kari::Agreement;
use crate::cms::ktri::Transport;
use crate::crypto::Curve;
use crate::{
    Error, Identity, KeyFault, KeyRing, Limit, Owner, PeerPoint, Result, Secret, Strangers,
    Unsupported,
};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The recipients of a file as far as they concern our keys.
#[derive(Debug)]
pub(crate) struct Recipients {
    keys: KeyRing,
    /// Entries that name one of our identities, at most [`Self::MAX_NAMED`].
    named: Vec<(usize, Entry)>,
    /// Key agreements that name none of them and that a key alone may open.
    unnamed: UnnamedList,
    /// For each of our identities the RSA entries of its modulus size: how many, and a sole one.
    transports: [(u64, Option<Entry>); 2],
    agreement: Option<Result<Arc<Agreement>>>,
    strangers: Strangers,
    operations: u32,
    /// What a key answered for a point.
    shared: Vec<(usize, Vec<u8>, Result<Secret>)>,
}

/// What one entry asks a key for, or why it cannot be asked.
#[derive(Debug)]
enum Entry {
    Transport(Transport, Vec<u8>),
    Agreement(Arc<Agreement>, Vec<u8>),
    Unusable(Error),
}

/// A content key, and how a failure with it has to look.
pub(crate) struct ContentKey {
    pub(crate) owner: Owner,
    pub(crate) key: Secret,
    /// The file names the identity.
    pub(crate) is_named: bool,
    /// The module refused: the file fails, but no sooner than any other.
    pub(crate) is_refused: bool,
    pub(crate) failure: Error,
}

impl Recipients {
    /// Entries under one of our own identifiers. More than one is rare, more than this an attack.
    const MAX_NAMED: usize = 16;
    /// Foreign recipients that an error names.
    const MAX_STRANGERS: usize = 8;
    /// Wrapped keys are at most 48 bytes; a longer one opens nothing.
    const MAX_WRAPPED: usize = 128;

    pub(crate) fn new(keys: &KeyRing) -> Self {
        Self {
            keys: keys.clone(),
            named: Vec::new(),
            unnamed: UnnamedList::default(),
            transports: [(0, None), (0, None)],
            agreement: None,
            strangers: Strangers::default(),
            operations: 0,
            shared: Vec::new(),
        }
    }

    /// Looks at a KeyTransRecipientInfo.
    pub(crate) fn key_transport(&mut self, raw: &[u8]) -> Result<()> {
        let info = KeyTransport::read(raw, &self.keys.policy().limits)?;
        let entry = || match Transport::read(&info.algorithm) {
            Ok(transport) => Entry::Transport(transport, info.encrypted_key.to_vec()),
            Err(error) => Entry::Unusable(error),
        };
        let is_ours = self.is_ours(&info.id);
        let identities = self.keys.identities().enumerate().zip(&mut self.transports);
        for ((place, (_, identity)), (count, last)) in identities {
            let public = identity.key().public_key();
            if public.algorithm().curve().is_some() {
                continue;
            }
            let fits = info.encrypted_key.len() == public.value().len();
            if info.id.is_of(identity) {
                let entry = if fits { entry() } else { Entry::Unusable(WRONG_LENGTH) };
                keep_named(&mut self.named, place, entry)?;
            } else if fits && !is_ours {
                *count += 1;
                *last = (*count == 1).then(entry);
            }
        }
        self.count(&info.id, is_ours);
        Ok(())
    }

    /// Looks at what the next encrypted keys have in common.
    pub(crate) fn key_agreement(&mut self, common: &[u8]) {
        self.agreement = Some(Agreement::read(common).map(Arc::new));
    }

    /// Looks at one encrypted key of the last key agreement.
    pub(crate) fn encrypted_key(&mut self, raw: &[u8]) -> Result<()> {
        let info = EncryptedKey::read(raw, &self.keys.policy().limits)?;
        let agreement = self.agreement.clone().ok_or(NO_AGREEMENT)?;
        let is_possible = info.wrapped.len() <= Self::MAX_WRAPPED;
        let is_ours = self.is_ours(&info.id);
        let keys = self.keys.clone();
        for (place, (_, identity)) in keys.identities().enumerate() {
            let Some(curve) = identity.key().public_key().algorithm().curve() else { continue };
            let entry = match &agreement {
                Ok(agreement) if agreement.fits(curve) && is_possible => {
                    Entry::Agreement(Arc::clone(agreement), info.wrapped.to_vec())
                }
                Ok(agreement) if agreement.fits(curve) => Entry::Unusable(Error::Decrypt),
                Ok(_) => Entry::Unusable(OTHER_CURVE),
                Err(error) => Entry::Unusable(error.clone()),
            };
            if info.id.is_of(identity) {
                keep_named(&mut self.named, place, entry)?;
            } else if let Entry::Agreement(agreement, wrapped) = entry
                && agreement.may_be_on(curve)
                && !is_ours
                && self.is_guessed(place, identity)
            {
                let is_kept = self
                    .unnamed
                    .keep(Unnamed { place, agreement, wrapped }, keys.policy().max_key_ops)?;
                self.unnamed.is_overfull |= !is_kept && identity.certificate().is_none();
            }
        }
        self.count(&info.id, is_ours);
        if self.guesses(&keys).next().is_none() {
            self.unnamed = UnnamedList::default();
        }
        Ok(())
    }

    /// A recipient that is never opened.
    pub(crate) const fn other(&mut self) {
        self.strangers.total += 1;
    }

    fn count(&mut self, id: &RecipientId<'_>, is_ours: bool) {
        self.strangers.total += 1;
        if !is_ours && self.strangers.wanted.len() < Self::MAX_STRANGERS {
            self.strangers.wanted.push(id.text());
        }
    }

    fn is_ours(&self, id: &RecipientId<'_>) -> bool {
        self.keys.identities().any(|(_, identity)| id.is_of(identity))
    }

    /// Whether a key is tried on entries that do not name it: the vendor may have wrapped it in another
    /// certificate than ours. A file that names it, or another key of ours, knows our certificates.
    fn is_guessed(&self, place: usize, identity: &Identity) -> bool {
        self.named.iter().all(|(of, _)| *of != place && identity.certificate().is_none())
    }

    /// The keys to guess with: first those whose certificates we never saw.
    fn guesses<'k>(
        &self,
        keys: &'k KeyRing,
    ) -> impl Iterator<Item = (usize, (Owner, &'k Identity))> {
        [false, true].into_iter().flat_map(move |has_certificate| {
            keys.identities().enumerate().filter(move |(place, (_, identity))| {
                identity.certificate().is_some() == has_certificate
                    && self.is_guessed(*place, identity)
            })
        })
    }

    /// Unwraps the content key with the first of our keys that can.
    pub(crate) fn content_key(&mut self, content: &ContentAlgorithm) -> Result<ContentKey> {
        let keys = self.keys.clone();
        let unnamed = core::mem::take(&mut self.unnamed);
        let guesses: Vec<_> = self.guesses(&keys).collect();
        let named = core::mem::take(&mut self.named);
        let mut failure = None;

        for (place, (owner, identity)) in keys.identities().enumerate() {
            for (_, entry) in named.iter().filter(|(of, _)| *of == place) {
                match self.ask(place, identity, entry, content) {
                    Ok((key, is_refused)) => {
                        let failure = Error::Decrypt;
                        return Ok(ContentKey { owner, key, is_named: true, is_refused, failure });
                    }
                    Err(Error::OutOfMemory) => return Err(Error::OutOfMemory),
                    Err(error) => note(&mut failure, error),
                }
            }
        }
        // An agreement tells a right key from a wrong one, so what fails after it is damage.
        for &(place, (owner, identity)) in &guesses {
            let entries = unnamed.entries.iter().filter(|entry| entry.place == place);
            for Unnamed { agreement, wrapped, .. } in entries {
                match self.ask_agreement(place, identity, agreement, wrapped, content) {
                    Ok(key) => {
                        let failure = Error::Decrypt;
                        let (is_named, is_refused) = (false, false);
                        return Ok(ContentKey { owner, key, is_named, is_refused, failure });
                    }
                    Err(error) => self.note_unnamed(&mut failure, identity, error)?,
                }
            }
        }
        if unnamed.is_overfull && guesses.iter().any(|(_, (_, key))| key.certificate().is_none()) {
            note(&mut failure, too_many(&keys));
        }
        // RSA does not tell, so only a sole entry is tried, and what was wrong before is not forgotten.
        for &(place, (owner, identity)) in &guesses {
            let sole = self.transports.get_mut(place).and_then(|(_, sole)| sole.take());
            let Some(entry) = sole else { continue };
            match self.ask(place, identity, &entry, content) {
                Ok((key, is_refused)) => {
                    let wrong = self.unnamed_failure(identity);
                    note(&mut failure, wrong.clone());
                    let failure = failure.unwrap_or(wrong);
                    return Ok(ContentKey { owner, key, is_named: false, is_refused, failure });
                }
                Err(error) => self.note_unnamed(&mut failure, identity, error)?,
            }
        }
        Err(failure.unwrap_or_else(|| self.not_for_this_device()))
    }

    /// What it means when an entry that does not name the identity does not open.
    fn unnamed_failure(&self, identity: &Identity) -> Error {
        match identity.certificate() {
            Some(_) => self.not_for_this_device(),
            None => Error::Decrypt,
        }
    }

    /// Notes why an entry that does not name the identity did not help, if that concerns us. An error if
    /// it ends the search.
    fn note_unnamed(
        &self,
        failure: &mut Option<Error>,
        identity: &Identity,
        error: Error,
    ) -> Result<()> {
        match error {
            Error::OutOfMemory => return Err(error),
            Error::Decrypt => note(failure, self.unnamed_failure(identity)),
            Error::Limit { .. } | Error::Key(KeyFault::Vendor(_) | KeyFault::Answer) => {
                note(failure, error);
            }
            Error::Unsupported(_) if identity.certificate().is_none() => note(failure, error),
            // What it needs may be for a stranger alone.
            _ => {}
        }
        Ok(())
    }

    fn not_for_this_device(&self) -> Error {
        let have = self.keys.identities().map(|(_, identity)| identity.text()).collect();
        Error::NotForThisDevice(Box::new(Strangers { have, ..self.strangers.clone() }))
    }

    /// Asks one key for one entry.
    fn ask(
        &mut self,
        place: usize,
        identity: &Identity,
        entry: &Entry,
        content: &ContentAlgorithm,
    ) -> Result<(Secret, bool)> {
        match entry {
            Entry::Unusable(error) => Err(error.clone()),
            Entry::Transport(transport, encrypted) => {
                self.charge()?;
                let len = content.key_len();
                let answer = transport.decrypt(identity.key(), encrypted, len)?;
                Ok((answer.key, answer.is_refused))
            }
            Entry::Agreement(agreement, wrapped) => {
                let key = self.ask_agreement(place, identity, agreement, wrapped, content)?;
                Ok((key, false))
            }
        }
    }

    fn ask_agreement(
        &mut self,
        place: usize,
        identity: &Identity,
        agreement: &Agreement,
        wrapped: &[u8],
        content: &ContentAlgorithm,
    ) -> Result<Secret> {
        let is_of =
            |(of, point, _): &(usize, Vec<u8>, _)| *of == place && point == agreement.point();
        let at = match self.shared.iter().position(is_of) {
            Some(at) => at,
            None => {
                let curve = curve_of(identity)?;
                let point = agreement.checked_point(curve)?;
                self.charge()?;
                let answer = agree(identity, curve, &point);
                self.shared.push((place, agreement.point().to_vec(), answer));
                self.shared.len() - 1
            }
        };
        let key = match self.shared.get(at) {
            Some((_, _, Ok(shared))) => agreement.unwrap(shared, wrapped)?,
            Some((_, _, Err(error))) => return Err(error.clone()),
            None => None,
        };
        // A content key of the wrong length is a wrong key.
        key.filter(|key| key.len() == content.key_len()).ok_or(Error::Decrypt)
    }

    fn charge(&mut self) -> Result<()> {
        if self.operations >= self.keys.policy().max_key_ops {
            return Err(too_many(&self.keys));
        }
        self.operations += 1;
        Ok(())
    }
}

const WRONG_LENGTH: Error = Error::Malformed("an encrypted key is not as long as its RSA key");
const OTHER_CURVE: Error = Error::Unsupported(Unsupported {
    what: "an originator key on another curve than the device key",
    oid: None,
});
const NO_AGREEMENT: Error = Error::Malformed("an encrypted key stands alone");

/// Keeps the more useful of two errors.
fn note(failure: &mut Option<Error>, error: Error) {
    match failure {
        Some(known) if Error::usefulness(known) >= error.usefulness() => {}
        _ => *failure = Some(error),
    }
}

fn too_many(keys: &KeyRing) -> Error {
    Error::limit(Limit::KeyOps, u64::from(keys.policy().max_key_ops))
}

fn keep_named(named: &mut Vec<(usize, Entry)>, place: usize, entry: Entry) -> Result<()> {
    if named.len() >= Recipients::MAX_NAMED {
        return Err(Error::limit(Limit::OwnRecipients, 16));
    }
    named.push((place, entry));
    Ok(())
}

fn curve_of(identity: &Identity) -> Result<Curve> {
    identity.key().public_key().algorithm().curve().ok_or(OTHER_CURVE)
}

/// The raw shared secret, as long as a coordinate.
fn agree(identity: &Identity, curve: Curve, point: &[u8]) -> Result<Secret> {
    let algorithm = identity.key().public_key().algorithm();
    let answer = identity.key().agree(PeerPoint { algorithm, point })?;
    let mut shared = Secret::zeros(curve.field_len())?;
    let start = shared.len().checked_sub(answer.len()).filter(|_| !answer.is_empty());
    let start = start.ok_or(Error::Key(KeyFault::Answer))?;
    if let Some(place) = shared.as_mut().get_mut(start..) {
        place.copy_from_slice(answer.as_bytes());
    }
    // RFC 8418, 5: a point of small order, whosever key it is.
    if shared.ct_eq(Secret::zeros(shared.len())?.as_bytes()) {
        return Err(Error::Malformed("the originator's point has a small order"));
    }
    Ok(shared)
}

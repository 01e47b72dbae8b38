//! What happens to the parts of an envelope as the walk passes them.

use super::Summary;
use crate::asn1::Algorithm;
use crate::cms::ber::Visitor;
use crate::cms::content::{ContentAlgorithm, Decryptor, authenticated_attributes};
use crate::cms::recipient::{ContentKey, Recipients};
use crate::secret::{wipe, wipe_stack};
use crate::{Error, KeyRing, Result};
use alloc::vec::Vec;
use core::ops::Range;

/// The state of one file that is being opened.
pub(super) struct Opening {
    require_authenticated: bool,
    is_authenticated: bool,
    recipients: Recipients,
    content: Option<(ContentKey, ContentAlgorithm, Decryptor)>,
    attributes: Vec<u8>,
    mac: Option<Vec<u8>>,
    plaintext_len: u64,
}

/// Where content goes.
pub(super) enum Output<'a> {
    /// Decrypted, to the caller.
    Plaintext(&'a mut dyn FnMut(&[u8]) -> Result<()>),
    /// Nowhere yet: only its places in the file are noted, of two pieces at most.
    Places(&'a mut Vec<Range<usize>>),
}

impl Opening {
    pub(super) fn new(keys: &KeyRing, require_authenticated: bool) -> Self {
        Self {
            require_authenticated,
            is_authenticated: false,
            recipients: Recipients::new(keys),
            content: None,
            attributes: Vec::new(),
            mac: None,
            plaintext_len: 0,
        }
    }

    pub(super) fn visitor<'a>(&'a mut self, output: Output<'a>) -> impl Visitor + 'a {
        Visit { opening: self, output }
    }

    /// The structure is whole: what is left is tag or padding. Not by value: a move out of the heap
    /// would leave the keyed cipher behind.
    pub(super) fn finish(&mut self, out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Summary> {
        let (key, _, decryptor) = self.content.as_mut().ok_or(Error::Decrypt)?;
        let mut len = self.plaintext_len;
        let verdict = decryptor.finish(self.mac.as_deref(), &self.attributes, &mut |bytes| {
            len = len.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            out(bytes)
        });
        match verdict {
            // Whatever else is wrong: its stand-in key is known to all.
            _ if key.is_refused => Err(key.failure.clone()),
            Ok(()) => Ok(Summary {
                owner: key.owner,
                is_authenticated: self.is_authenticated,
                is_named: key.is_named,
                plaintext_len: len,
            }),
            Err(Error::Decrypt) => Err(key.failure.clone()),
            Err(error) => Err(error),
        }
    }

    pub(super) const fn has_content_key(&self) -> bool {
        self.content.is_some()
    }

    /// Decrypts content within the file and moves the plaintext to the file's start.
    pub(super) fn decrypt_in_place(
        &mut self,
        file: &mut Vec<u8>,
        content: Range<usize>,
    ) -> Result<Summary> {
        let (_, _, decryptor) = self.content.as_mut().ok_or(Error::Decrypt)?;
        let (mut from, mut to) = (content.start, 0);
        while from < content.end {
            let input = file.get(from..content.end).unwrap_or_default();
            let (used, plaintext) = decryptor.step(input)?;
            // Never ahead of what is read: the header stood before it, and a step gives no more
            // than it takes.
            let place = file.get_mut(to..to + plaintext.len()).ok_or(Error::Decrypt)?;
            place.copy_from_slice(plaintext);
            to += plaintext.len();
            from += used;
        }
        self.plaintext_len = u64::try_from(to).unwrap_or(u64::MAX);
        let summary = self.finish(&mut |bytes| {
            let place = file.get_mut(to..to + bytes.len()).ok_or(Error::Decrypt)?;
            place.copy_from_slice(bytes);
            to += bytes.len();
            Ok(())
        })?;
        wipe(file.get_mut(to..).unwrap_or_default());
        file.truncate(to);
        Ok(summary)
    }
}

struct Visit<'a> {
    opening: &'a mut Opening,
    output: Output<'a>,
}

impl Visitor for Visit<'_> {
    fn kind(&mut self, is_authenticated: bool) -> Result<()> {
        self.opening.is_authenticated = is_authenticated;
        if self.opening.require_authenticated && !is_authenticated {
            return Err(Error::Policy("it is not authenticated encryption"));
        }
        Ok(())
    }

    fn key_transport(&mut self, raw: &[u8]) -> Result<()> {
        self.opening.recipients.key_transport(raw)
    }

    fn key_agreement(&mut self, common: &[u8]) -> Result<()> {
        self.opening.recipients.key_agreement(common);
        Ok(())
    }

    fn encrypted_key(&mut self, raw: &[u8]) -> Result<()> {
        self.opening.recipients.encrypted_key(raw)
    }

    fn other_recipient(&mut self) -> Result<()> {
        self.opening.recipients.other();
        Ok(())
    }

    fn content_algorithm(&mut self, algorithm: &Algorithm<'_>) -> Result<()> {
        let algorithm = ContentAlgorithm::read(algorithm, self.opening.is_authenticated)?;
        let key = self.opening.recipients.content_key(&algorithm)?;
        wipe_stack();
        let decryptor = Decryptor::new(&algorithm, &key.key)?;
        self.opening.content = Some((key, algorithm, decryptor));
        Ok(())
    }

    fn content(&mut self, at: u64, octets: &[u8]) -> Result<()> {
        match &mut self.output {
            Output::Places(places) => {
                let start = usize::try_from(at).map_err(|_| Error::OutOfMemory)?;
                if places.len() < 2 {
                    places.push(start..start.saturating_add(octets.len()));
                }
                Ok(())
            }
            Output::Plaintext(out) => {
                let Some((_, _, decryptor)) = &mut self.opening.content else {
                    return Err(Error::Decrypt);
                };
                let len = &mut self.opening.plaintext_len;
                decryptor.push(octets, &mut |plaintext| {
                    *len = len.saturating_add(u64::try_from(plaintext.len()).unwrap_or(u64::MAX));
                    out(plaintext)
                })
            }
        }
    }

    fn attributes(&mut self, raw: &[u8]) -> Result<()> {
        self.opening.attributes = authenticated_attributes(raw)?;
        Ok(())
    }

    fn mac(&mut self, mac: &[u8]) -> Result<()> {
        let expected = self.opening.content.as_ref().and_then(|(_, content, _)| content.tag_len());
        if Some(mac.len()) != expected {
            return Err(Error::Malformed("the tag is not as long as the parameters say"));
        }
        self.opening.mac = Some(mac.to_vec());
        Ok(())
    }
}

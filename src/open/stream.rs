//! The one way of a file through detection, armor, the walk over the envelope, and decryption.

use super::opening::{Opening, Output};
use super::{Sink, Summary, USED_UP, enveloped};
use crate::cms::armor::{self, Decoder};
use crate::cms::ber::Walker;
use crate::{Error, KeyRing, Limit, OpenPolicy, Result, Secret};
use alloc::vec::Vec;

/// See the module.
pub(super) struct Stream {
    keys: KeyRing,
    pub(super) require_authenticated: bool,
    pub(super) max_file: Option<u64>,
    held: Option<Held>,
    pub(super) received: u64,
    pub(super) is_begun: bool,
    /// The start of the file, until it is long enough to tell what the file is.
    head: Vec<u8>,
    body: Option<Body>,
}

struct Held {
    max: usize,
    plaintext: Secret,
}

/// The rooms that bytes walk through, once it is known where the envelope begins.
struct Body {
    decoder: Decoder,
    walker: Walker,
    opening: Opening,
}

impl Stream {
    pub(super) fn new(keys: &KeyRing) -> Self {
        Self {
            keys: keys.clone(),
            require_authenticated: keys.policy().require_authenticated,
            max_file: None,
            held: None,
            received: 0,
            is_begun: false,
            head: Vec::new(),
            body: None,
        }
    }

    pub(super) fn hold(&mut self, max: usize) {
        self.held = Some(Held { max, plaintext: Secret::new() });
    }

    /// Whether the recipients are behind us, and all work with private keys.
    pub(super) fn has_content_key(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.opening.has_content_key())
    }

    pub(super) fn push(&mut self, input: &[u8], sink: &mut dyn Sink) -> Result<()> {
        self.is_begun = true;
        self.received =
            self.received.saturating_add(u64::try_from(input.len()).unwrap_or(u64::MAX));
        if let Some(max) = self.max_file.filter(|&max| self.received > max) {
            return Err(Error::limit(Limit::File, max));
        }
        if self.body.is_some() {
            return self.decode(input, sink);
        }
        // Always as much as a decision can need: what a file is must not depend on its pieces.
        let missing = armor::HEAD.saturating_sub(self.head.len());
        let (now, later) = input.split_at(input.len().min(missing));
        self.head.try_reserve(now.len()).map_err(|_| Error::OutOfMemory)?;
        self.head.extend_from_slice(now);
        if self.head.len() < armor::HEAD {
            return Ok(());
        }
        self.begin(false, sink)?;
        self.decode(later, sink)
    }

    fn begin(&mut self, at_end: bool, sink: &mut dyn Sink) -> Result<()> {
        let head = core::mem::take(&mut self.head);
        let start = enveloped(armor::classify(&head, at_end))?;
        let OpenPolicy { limits, .. } = self.keys.policy();
        self.body = Some(Body {
            decoder: Decoder::new(&start, limits.line),
            walker: Walker::new(limits),
            opening: Opening::new(&self.keys, self.require_authenticated),
        });
        self.decode(head.get(start.at..).unwrap_or_default(), sink)
    }

    fn decode(&mut self, input: &[u8], sink: &mut dyn Sink) -> Result<()> {
        self.walk(sink, |decoder, out| decoder.push(input, out))
    }

    fn walk(
        &mut self,
        sink: &mut dyn Sink,
        feed: impl FnOnce(&mut Decoder, &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let Some(body) = &mut self.body else { return Ok(()) };
        let held = &mut self.held;
        let mut out = |plaintext: &[u8]| keep_or_give(held, plaintext, sink);
        let Body { decoder, walker, opening } = body;
        feed(decoder, &mut |ber| {
            walker.push(ber, &mut opening.visitor(Output::Plaintext(&mut out)))
        })
    }

    pub(super) fn finish(&mut self, sink: &mut dyn Sink) -> Result<Summary> {
        if self.body.is_none() {
            self.begin(true, sink)?;
        }
        self.walk(sink, Decoder::finish)?;
        let Some(body) = &mut self.body else { return Err(USED_UP.into()) };
        body.walker.finish()?;
        let held = &mut self.held;
        let summary = body.opening.finish(&mut |bytes| keep_or_give(held, bytes, sink))?;
        if let Some(held) = self.held.as_ref().filter(|held| !held.plaintext.is_empty()) {
            sink.write(held.plaintext.as_bytes())?;
        }
        Ok(summary)
    }
}

fn keep_or_give(held: &mut Option<Held>, plaintext: &[u8], sink: &mut dyn Sink) -> Result<()> {
    let Some(held) = held else { return sink.write(plaintext) };
    if plaintext.len() > held.max - held.plaintext.len() {
        let max = u64::try_from(held.max).unwrap_or(u64::MAX);
        return Err(Error::limit(Limit::Held, max));
    }
    held.plaintext.extend(plaintext)
}

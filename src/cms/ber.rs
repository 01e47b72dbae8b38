//! The walk over an envelope (RFC 5652, RFC 5083), in DER or BER, as its bytes arrive.
//!
//! Every element is either entered, collected whole within a limit, skipped, or, for the content,
//! passed on as it comes. So memory is bounded by the limits, and a length that the file claims
//! costs nothing.

mod structure;

use crate::asn1::{Algorithm, Header};
use crate::{Error, Limit, Limits, Result};
use alloc::vec::Vec;

/// Who looks at the parts of an envelope as they come by.
pub(crate) trait Visitor {
    /// Whether it is AuthEnvelopedData, before any recipient.
    fn kind(&mut self, is_authenticated: bool) -> Result<()>;
    /// A KeyTransRecipientInfo.
    fn key_transport(&mut self, raw: &[u8]) -> Result<()>;
    /// What the keys of a KeyAgreeRecipientInfo have in common: originator, ukm, algorithm.
    fn key_agreement(&mut self, common: &[u8]) -> Result<()>;
    /// One RecipientEncryptedKey of the last key agreement.
    fn encrypted_key(&mut self, raw: &[u8]) -> Result<()>;
    /// A recipient of a kind that is never opened.
    fn other_recipient(&mut self) -> Result<()>;
    /// How the content is encrypted. There are no more recipients.
    fn content_algorithm(&mut self, algorithm: &Algorithm<'_>) -> Result<()>;
    /// A piece of the encrypted content, which begins at this offset of the BER.
    fn content(&mut self, at: u64, octets: &[u8]) -> Result<()>;
    /// The authenticated attributes, as they stand in the file.
    fn attributes(&mut self, raw: &[u8]) -> Result<()>;
    /// The tag.
    fn mac(&mut self, mac: &[u8]) -> Result<()>;
}

/// The place in the structure; each is where the next element or the end is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    ContentInfo,
    ContentType,
    Explicit,
    EnvelopedData,
    Version,
    OriginatorInfo,
    RecipientInfos,
    RecipientInfo,
    AgreementVersion,
    Originator,
    KeyingMaterial,
    AgreementAlgorithm,
    EncryptedKeys,
    EncryptedKey,
    AgreementEnd,
    EncryptedContentInfo,
    InnerType,
    ContentAlgorithm,
    EncryptedContent,
    /// Between the pieces of constructed content, so many levels deep.
    Pieces(usize),
    ContentEnd,
    Attributes,
    Mac,
    UnprotectedAttributes,
    EnvelopedEnd,
    ExplicitEnd,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Header,
    Collect(Extent, Bound),
    Skip(Extent, Bound),
    /// Content octets, so many more.
    Octets(u64),
}

/// How much of an element is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    /// Octets before the next header or the end.
    octets: u64,
    /// Indefinite lengths that are open.
    open: usize,
}

/// What an element that is collected or skipped counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    which: Limit,
    max: usize,
    used: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Walker {
    limits: Limits,
    place: Place,
    doing: Doing,
    /// Where each element that was entered ends; `None` is an indefinite length.
    frames: Vec<Option<u64>>,
    position: u64,
    header: [u8; Header::MAX],
    header_len: usize,
    element: Vec<u8>,
    agreement: Vec<u8>,
    /// Bytes of the header apart from the recipients.
    header_used: usize,
    recipients: u64,
    /// How many there were before the keys of this agreement.
    keys_before: u64,
    is_authenticated: bool,
    /// Bytes behind the end.
    trailing: u64,
}

const TRUNCATED: Error = Error::Malformed("it ends too early");
const OVERRUN: Error = Error::Malformed("an element is longer than what it stands in");
const UNEXPECTED: Error = Error::Malformed("an element is not the one that belongs there");

impl Walker {
    /// Bytes of an object identifier, a version, a tag.
    const SMALL: usize = 128;
    /// Bytes of the content algorithm. A few dozen would do for an IV; of a longer one it is said that it
    /// is not supported.
    const ALGORITHM: usize = 8 << 10;

    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            place: Place::ContentInfo,
            doing: Doing::Header,
            frames: Vec::new(),
            position: 0,
            header: [0; Header::MAX],
            header_len: 0,
            element: Vec::new(),
            agreement: Vec::new(),
            header_used: 0,
            recipients: 0,
            keys_before: 0,
            is_authenticated: false,
            trailing: 0,
        }
    }

    /// Walks over the next bytes.
    pub(crate) fn push(&mut self, input: &[u8], visitor: &mut dyn Visitor) -> Result<()> {
        let mut rest = input;
        loop {
            match self.doing {
                Doing::Header => {
                    let is_at_end = self.frames.last() == Some(&Some(self.position));
                    if is_at_end && self.header_len == 0 {
                        self.leave(visitor)?;
                        continue;
                    }
                    if self.place == Place::End {
                        return if rest.iter().all(|&byte| super::armor::is_fill(byte)) {
                            let more = u64::try_from(rest.len()).unwrap_or(u64::MAX);
                            self.trailing = self.trailing.saturating_add(more);
                            Ok(())
                        } else {
                            Err(Error::Malformed("something stands after the end"))
                        };
                    }
                    let Some(header) = self.read_header(&mut rest)? else { return Ok(()) };
                    if header.is_end_of_contents() {
                        if !matches!(self.frames.last(), Some(None)) {
                            return Err(UNEXPECTED);
                        }
                        self.leave(visitor)?;
                    } else {
                        self.begin(&header, visitor)?;
                    }
                }
                Doing::Octets(left) => {
                    if left == 0 {
                        self.doing = Doing::Header;
                        continue;
                    }
                    if rest.is_empty() {
                        return Ok(());
                    }
                    let now = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    let (octets, after) = rest.split_at(now);
                    visitor.content(self.position, octets)?;
                    self.doing = Doing::Octets(left - self.advance(now)?);
                    rest = after;
                }
                Doing::Collect(mut extent, mut bound) => {
                    let complete = self.consume(&mut extent, &mut bound, &mut rest, true)?;
                    self.doing = Doing::Collect(extent, bound);
                    if !complete {
                        return Ok(());
                    }
                    self.doing = Doing::Header;
                    let element = core::mem::take(&mut self.element);
                    self.collected(&element, visitor)?;
                    self.element = element;
                    self.element.clear();
                }
                Doing::Skip(mut extent, mut bound) => {
                    let complete = self.consume(&mut extent, &mut bound, &mut rest, false)?;
                    self.doing = Doing::Skip(extent, bound);
                    if !complete {
                        return Ok(());
                    }
                    self.doing = Doing::Header;
                }
            }
        }
    }

    /// The bytes end here.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.place == Place::End { Ok(()) } else { Err(TRUNCATED) }
    }

    /// Bytes of fill behind the end.
    pub(crate) const fn trailing(&self) -> u64 {
        self.trailing
    }

    fn advance(&mut self, count: usize) -> Result<u64> {
        let count = u64::try_from(count).map_err(|_| OVERRUN)?;
        self.position = self.position.checked_add(count).ok_or(OVERRUN)?;
        if self.end().is_some_and(|end| self.position > end) { Err(OVERRUN) } else { Ok(count) }
    }

    /// Where the innermost element of known length ends.
    fn end(&self) -> Option<u64> {
        self.frames.iter().rev().find_map(|frame| *frame)
    }

    fn read_header(&mut self, rest: &mut &[u8]) -> Result<Option<Header>> {
        while let Some((&byte, after)) = rest.split_first() {
            *rest = after;
            self.advance(1)?;
            // A header is whole, or an error, before the array is full.
            if let Some(place) = self.header.get_mut(self.header_len) {
                *place = byte;
                self.header_len += 1;
            }
            if let Some(header) = Header::read(self.header.get(..self.header_len).unwrap_or(&[]))? {
                self.header_len = 0;
                let ends = header.length.map(|length| self.position.checked_add(length));
                return match (ends, self.end()) {
                    (Some(None), _) => Err(OVERRUN),
                    (Some(Some(end)), Some(outer)) if end > outer => Err(OVERRUN),
                    _ => Ok(Some(header)),
                };
            }
        }
        Ok(None)
    }

    /// Takes bytes of an element; whether it is complete.
    fn consume(
        &mut self,
        extent: &mut Extent,
        bound: &mut Bound,
        rest: &mut &[u8],
        keep: bool,
    ) -> Result<bool> {
        loop {
            let now = usize::try_from(extent.octets).unwrap_or(usize::MAX).min(rest.len());
            let (octets, after) = rest.split_at(now);
            *rest = after;
            extent.octets -= self.advance(now)?;
            bound.charge(now)?;
            if keep {
                self.keep(octets)?;
            }
            if extent.octets > 0 {
                return Ok(false);
            }
            if extent.open == 0 {
                return Ok(true);
            }
            let Some(header) = self.read_header(rest)? else { return Ok(false) };
            bound.charge(header.size)?;
            if keep {
                let header_bytes = self.header;
                self.keep(header_bytes.get(..header.size).unwrap_or(&[]))?;
            }
            if header.is_end_of_contents() {
                extent.open -= 1;
            } else if let Some(length) = header.length {
                extent.octets = length;
            } else {
                extent.open += 1;
                self.check_depth(extent.open)?;
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<()> {
        self.element.try_reserve(bytes.len()).map_err(|_| Error::OutOfMemory)?;
        self.element.extend_from_slice(bytes);
        Ok(())
    }

    fn check_depth(&self, more: usize) -> Result<()> {
        if self.frames.len() + more > self.limits.depth {
            return Err(limit(Limit::Depth, self.limits.depth));
        }
        Ok(())
    }

    fn enter(&mut self, header: &Header, next: Place) -> Result<()> {
        self.check_depth(1)?;
        // The header reader has checked that this does not overflow.
        let end = header.length.map(|length| self.position.saturating_add(length));
        self.frames.push(end);
        self.place = next;
        Ok(())
    }

    fn collect(&mut self, header: &Header, which: Limit, max: usize) -> Result<()> {
        let mut bound = Bound { which, max, used: 0 };
        bound.charge(header.size)?;
        let extent = self.extent(header, &bound)?;
        let header_bytes = self.header;
        self.keep(header_bytes.get(..header.size).unwrap_or(&[]))?;
        self.doing = Doing::Collect(extent, bound);
        Ok(())
    }

    fn skip(&mut self, header: &Header, which: Limit, max: usize) -> Result<()> {
        let bound = Bound { which, max, used: 0 };
        self.doing = Doing::Skip(self.extent(header, &bound)?, bound);
        Ok(())
    }

    fn extent(&self, header: &Header, bound: &Bound) -> Result<Extent> {
        match header.length {
            Some(octets) => {
                let room = bound.max.saturating_sub(bound.used);
                if usize::try_from(octets).is_ok_and(|octets| octets <= room) {
                    Ok(Extent { octets, open: 0 })
                } else {
                    Err(bound.exceeded())
                }
            }
            None => {
                self.check_depth(1)?;
                Ok(Extent { octets: 0, open: 1 })
            }
        }
    }

    /// Collects an element of the header apart from the recipients.
    fn collect_header(&mut self, header: &Header, max: usize) -> Result<()> {
        self.charge_header(header)?;
        self.collect(header, Limit::Header, max)
    }

    /// Counts an element against the header's limit. One without a length has its own bound alone.
    fn charge_header(&mut self, header: &Header) -> Result<()> {
        let length = header.length.unwrap_or(0);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.header_used = self.header_used.saturating_add(length).saturating_add(header.size);
        if self.header_used > self.limits.header {
            return Err(limit(Limit::Header, self.limits.header));
        }
        Ok(())
    }

    fn count_recipient(&mut self) -> Result<()> {
        self.recipients += 1;
        if self.recipients > self.limits.recipients {
            return Err(Error::limit(Limit::Recipients, self.limits.recipients));
        }
        Ok(())
    }
}

impl Bound {
    fn charge(&mut self, bytes: usize) -> Result<()> {
        self.used = self.used.saturating_add(bytes);
        if self.used > self.max { Err(self.exceeded()) } else { Ok(()) }
    }

    fn exceeded(&self) -> Error {
        limit(self.which, self.max)
    }
}

fn limit(which: Limit, max: usize) -> Error {
    Error::limit(which, u64::try_from(max).unwrap_or(u64::MAX))
}

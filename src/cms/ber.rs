//! The walk over an envelope (RFC 5652, RFC 5083), in DER or BER, as its bytes arrive.
//!
//! Every element is either entered, collected whole within a limit, skipped, or, for the content,
//! passed on as it comes. So memory is bounded by the limits, and a length that the file claims
//! costs nothing.

use crate::asn1::{self, Algorithm, CONSTRUCTED, Element, Header, context, context_constructed};
use crate::error::Oid;
use crate::{Error, Limit, Limits, Result, Unsupported, oid};
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
    is_authenticated: bool,
}

const TRUNCATED: Error = Error::Malformed("it ends too early");
const OVERRUN: Error = Error::Malformed("an element is longer than what it stands in");
const UNEXPECTED: Error = Error::Malformed("an element is not the one that belongs there");
const OVERFULL: Error = Error::Malformed("an element holds more than belongs there");

impl Walker {
    /// Bytes of an object identifier, a version, a tag.
    const SMALL: usize = 128;

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
            is_authenticated: false,
        }
    }

    /// Walks over the next bytes.
    pub(crate) fn push(&mut self, input: &[u8], visitor: &mut dyn Visitor) -> Result<()> {
        let mut rest = input;
        loop {
            match self.doing {
                Doing::Header => {
                    if let Some(Some(end)) = self.frames.last() {
                        if *end == self.position && self.header_len == 0 {
                            self.leave()?;
                            continue;
                        }
                    }
                    if self.place == Place::End {
                        return if rest.iter().all(|&byte| super::armor::is_fill(byte)) {
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
                        self.leave()?;
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

    /// An element begins: what to do with it here.
    fn begin(&mut self, header: &Header, visitor: &mut dyn Visitor) -> Result<()> {
        const EXPLICIT: u8 = context_constructed(0);
        const KEY_AGREEMENT: u8 = context_constructed(1);
        const ATTRIBUTES: u8 = context_constructed(1);
        const UNAUTHENTICATED: u8 = context_constructed(2);
        const OTHER_FIRST: u8 = context_constructed(2);
        const OTHER_LAST: u8 = context_constructed(4);
        const CONTENT: u8 = context(0);
        const PIECES: u8 = asn1::OCTET_STRING | CONSTRUCTED;

        let room = self.limits.header;
        let per_recipient = self.limits.recipient;
        match (self.place, header.tag) {
            (Place::ContentInfo, asn1::SEQUENCE) => self.enter(header, Place::ContentType),
            (Place::ContentType | Place::InnerType, asn1::OID)
            | (Place::Version | Place::AgreementVersion, asn1::INTEGER) => {
                self.collect_header(header, Self::SMALL)
            }
            (Place::Explicit, EXPLICIT) => self.enter(header, Place::EnvelopedData),
            (Place::EnvelopedData, asn1::SEQUENCE) => self.enter(header, Place::Version),
            (Place::OriginatorInfo, EXPLICIT) => {
                self.charge_header(header)?;
                self.skip(header, Limit::Header, room)
            }
            (Place::OriginatorInfo, asn1::SET) => self.enter(header, Place::RecipientInfo),

            (Place::RecipientInfo, asn1::SEQUENCE) => {
                self.count_recipient()?;
                self.collect(header, Limit::Recipient, per_recipient)
            }
            (Place::RecipientInfo, KEY_AGREEMENT) => self.enter(header, Place::AgreementVersion),
            (Place::RecipientInfo, OTHER_FIRST..=OTHER_LAST) => {
                self.count_recipient()?;
                visitor.other_recipient()?;
                self.skip(header, Limit::Recipient, per_recipient)
            }
            (Place::Originator, EXPLICIT) => {
                self.agreement.clear();
                self.collect(header, Limit::Recipient, per_recipient)
            }
            (Place::KeyingMaterial, KEY_AGREEMENT) => {
                self.collect(header, Limit::Recipient, per_recipient)
            }
            (Place::KeyingMaterial | Place::AgreementAlgorithm, asn1::SEQUENCE) => {
                self.place = Place::AgreementAlgorithm;
                self.collect(header, Limit::Recipient, per_recipient)
            }
            (Place::EncryptedKeys, asn1::SEQUENCE) => self.enter(header, Place::EncryptedKey),
            (Place::EncryptedKey, asn1::SEQUENCE) => {
                self.count_recipient()?;
                self.collect(header, Limit::Recipient, per_recipient)
            }

            (Place::EncryptedContentInfo, asn1::SEQUENCE) => self.enter(header, Place::InnerType),
            (Place::ContentAlgorithm, asn1::SEQUENCE) => self.collect_header(header, room),
            (Place::EncryptedContent, CONTENT) => {
                self.place = Place::ContentEnd;
                self.octets(header)
            }
            (Place::EncryptedContent, EXPLICIT) => self.enter(header, Place::Pieces(1)),
            (Place::Pieces(_), asn1::OCTET_STRING) => self.octets(header),
            (Place::Pieces(depth), PIECES) => self.enter(header, Place::Pieces(depth + 1)),

            (Place::Attributes, ATTRIBUTES) => {
                self.collect(header, Limit::Attributes, self.limits.attributes)
            }
            (Place::Attributes | Place::Mac, asn1::OCTET_STRING | PIECES) => {
                self.place = Place::Mac;
                self.collect_header(header, Self::SMALL)
            }
            (Place::UnprotectedAttributes, ATTRIBUTES) if !self.is_authenticated => {
                self.place = Place::EnvelopedEnd;
                self.charge_header(header)?;
                self.skip(header, Limit::Header, room)
            }
            (Place::UnprotectedAttributes, UNAUTHENTICATED) if self.is_authenticated => {
                self.place = Place::EnvelopedEnd;
                self.charge_header(header)?;
                self.skip(header, Limit::Header, room)
            }
            (Place::EncryptedContent, _) => Err(CONTENT_ABSENT),
            (
                Place::ContentEnd | Place::EnvelopedEnd | Place::ExplicitEnd | Place::AgreementEnd,
                _,
            ) => Err(OVERFULL),
            _ => Err(UNEXPECTED),
        }
    }

    fn octets(&mut self, header: &Header) -> Result<()> {
        self.doing = Doing::Octets(header.length.ok_or(UNEXPECTED)?);
        Ok(())
    }

    /// A collected element is whole.
    fn collected(&mut self, raw: &[u8], visitor: &mut dyn Visitor) -> Result<()> {
        match self.place {
            Place::ContentType => {
                self.is_authenticated = match element(raw)?.body {
                    oid::ENVELOPED_DATA => false,
                    oid::AUTH_ENVELOPED_DATA => true,
                    other => return Err(unsupported("the content type", other)),
                };
                visitor.kind(self.is_authenticated)?;
                self.place = Place::Explicit;
            }
            Place::Version => {
                element(raw)?.small_integer()?;
                self.place = Place::OriginatorInfo;
            }
            Place::RecipientInfo => visitor.key_transport(raw)?,
            Place::AgreementVersion => {
                element(raw)?.small_integer()?;
                self.place = Place::Originator;
            }
            Place::Originator => {
                self.keep_agreement(raw)?;
                self.place = Place::KeyingMaterial;
            }
            Place::KeyingMaterial => {
                self.keep_agreement(raw)?;
                self.place = Place::AgreementAlgorithm;
            }
            Place::AgreementAlgorithm => {
                self.keep_agreement(raw)?;
                visitor.key_agreement(&self.agreement)?;
                self.place = Place::EncryptedKeys;
            }
            Place::EncryptedKey => visitor.encrypted_key(raw)?,
            Place::InnerType => {
                let inner = element(raw)?.body;
                if inner != oid::DATA {
                    return Err(unsupported("content of the type", inner));
                }
                self.place = Place::ContentAlgorithm;
            }
            Place::ContentAlgorithm => {
                visitor.content_algorithm(&Algorithm::new(element(raw)?)?)?;
                self.place = Place::EncryptedContent;
            }
            Place::Attributes => {
                visitor.attributes(raw)?;
                self.place = Place::Mac;
            }
            Place::Mac => {
                visitor.mac(&element(raw)?.octets(asn1::OCTET_STRING)?)?;
                self.place = Place::UnprotectedAttributes;
            }
            _ => return Err(UNEXPECTED),
        }
        Ok(())
    }

    fn keep_agreement(&mut self, raw: &[u8]) -> Result<()> {
        if self.agreement.len() + raw.len() > self.limits.recipient {
            return Err(limit(Limit::Recipient, self.limits.recipient));
        }
        self.agreement.try_reserve(raw.len()).map_err(|_| Error::OutOfMemory)?;
        self.agreement.extend_from_slice(raw);
        Ok(())
    }

    /// The innermost element that was entered ends.
    fn leave(&mut self) -> Result<()> {
        self.frames.pop();
        self.place = match self.place {
            Place::RecipientInfo if self.recipients > 0 => Place::EncryptedContentInfo,
            Place::RecipientInfo => return Err(Error::Malformed("it has no recipients")),
            Place::EncryptedKey => Place::AgreementEnd,
            Place::AgreementEnd => Place::RecipientInfo,
            Place::EncryptedContent => return Err(CONTENT_ABSENT),
            Place::Pieces(1) => Place::ContentEnd,
            Place::Pieces(depth) => Place::Pieces(depth - 1),
            Place::ContentEnd if self.is_authenticated => Place::Attributes,
            Place::ContentEnd => Place::UnprotectedAttributes,
            Place::UnprotectedAttributes | Place::EnvelopedEnd => Place::ExplicitEnd,
            Place::ExplicitEnd if self.frames.is_empty() => Place::End,
            Place::ExplicitEnd => Place::ExplicitEnd,
            _ => return Err(TRUNCATED),
        };
        Ok(())
    }
}

const CONTENT_ABSENT: Error = Error::Malformed("its content is not in it");

impl Bound {
    fn charge(&mut self, bytes: usize) -> Result<()> {
        self.used = self.used.saturating_add(bytes);
        if self.used > self.max { Err(self.exceeded()) } else { Ok(()) }
    }

    fn exceeded(&self) -> Error {
        limit(self.which, self.max)
    }
}

fn element(raw: &[u8]) -> Result<Element<'_>> {
    Element::only(raw)
}

fn limit(which: Limit, max: usize) -> Error {
    Error::limit(which, u64::try_from(max).unwrap_or(u64::MAX))
}

fn unsupported(what: &'static str, oid: &[u8]) -> Error {
    Error::Unsupported(Unsupported { what, oid: Some(Oid::new(oid)) })
}

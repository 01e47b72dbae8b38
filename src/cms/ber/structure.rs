//! The structure of (Auth)EnvelopedData: which element may stand where, and what becomes of it.

use super::{Doing, Place, TRUNCATED, UNEXPECTED, Visitor, Walker, limit};
use crate::asn1::{self, Algorithm, CONSTRUCTED, Element, Header, context, context_constructed};
use crate::key::unsupported;
use crate::{Error, Limit, Result, oid};

impl Walker {
    /// An element begins: what to do with it here.
    pub(super) fn begin(&mut self, header: &Header, visitor: &mut dyn Visitor) -> Result<()> {
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
            | (Place::Version, asn1::INTEGER) => self.collect_header(header, Self::SMALL),
            (Place::AgreementVersion, asn1::INTEGER) => {
                self.collect(header, Limit::Recipient, Self::SMALL.min(per_recipient))
            }
            (Place::Explicit, EXPLICIT) => self.enter(header, Place::EnvelopedData),
            (Place::EnvelopedData, asn1::SEQUENCE) => self.enter(header, Place::Version),
            (Place::OriginatorInfo, EXPLICIT) => {
                self.place = Place::RecipientInfos;
                self.charge_header(header)?;
                self.skip(header, Limit::Header, room)
            }
            (Place::OriginatorInfo | Place::RecipientInfos, asn1::SET) => {
                self.enter(header, Place::RecipientInfo)
            }

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
            (Place::EncryptedKeys, asn1::SEQUENCE) => {
                self.keys_before = self.recipients;
                self.enter(header, Place::EncryptedKey)
            }
            (Place::EncryptedKey, asn1::SEQUENCE) => {
                self.count_recipient()?;
                self.collect(header, Limit::Recipient, per_recipient)
            }

            (Place::EncryptedContentInfo, asn1::SEQUENCE) => self.enter(header, Place::InnerType),
            (Place::ContentAlgorithm, asn1::SEQUENCE) => {
                self.collect_header(header, Self::ALGORITHM.min(room))
            }
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
    pub(super) fn collected(&mut self, raw: &[u8], visitor: &mut dyn Visitor) -> Result<()> {
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
        self.agreement.try_reserve_exact(raw.len()).map_err(|_| Error::OutOfMemory)?;
        self.agreement.extend_from_slice(raw);
        Ok(())
    }

    /// The innermost element that was entered ends.
    pub(super) fn leave(&mut self, visitor: &mut dyn Visitor) -> Result<()> {
        self.frames.pop();
        self.place = match self.place {
            Place::RecipientInfo if self.recipients > 0 => Place::EncryptedContentInfo,
            Place::RecipientInfo => return Err(Error::Malformed("it has no recipients")),
            Place::EncryptedKey => {
                // One for nobody is work, too.
                if self.recipients == self.keys_before {
                    self.count_recipient()?;
                    visitor.other_recipient()?;
                }
                Place::AgreementEnd
            }
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

fn element(raw: &[u8]) -> Result<Element<'_>> {
    Element::only(raw)
}

const OVERFULL: Error = Error::Malformed("an element holds more than belongs there");
const CONTENT_ABSENT: Error = Error::Malformed("its content is not in it");

//! One RecipientInfo at a time: whom it is for, and what is encrypted for them.

mod candidates;

pub(crate) use candidates::{ContentKey, Recipients};

use crate::asn1::{self, Algorithm, Element, context, context_constructed, to_der};
use crate::identity::{issuer_and_serial_text, key_id_text};
use crate::{Error, Identity, Limit, Limits, Result};
use alloc::borrow::Cow;
use alloc::string::String;

/// RecipientIdentifier and KeyAgreeRecipientIdentifier.
#[derive(Debug)]
pub(crate) enum RecipientId<'a> {
    IssuerAndSerial {
        /// DER.
        issuer: Cow<'a, [u8]>,
        serial: &'a [u8],
    },
    KeyId(Cow<'a, [u8]>),
}

impl<'a> RecipientId<'a> {
    fn read(element: Element<'a>, limits: &Limits) -> Result<Self> {
        const KEY_ID: u8 = context(0);
        const KEY_ID_IN_PIECES: u8 = context_constructed(0);

        if element.raw.len() > limits.name {
            return Err(Error::limit(Limit::Name, u64::try_from(limits.name).unwrap_or(u64::MAX)));
        }
        match element.tag {
            asn1::SEQUENCE => {
                let mut fields = element.reader();
                let issuer = fields.expect(asn1::SEQUENCE)?;
                let serial = fields.expect(asn1::INTEGER)?.body;
                fields.finish()?;
                // Ours is DER in the certificate, whatever the message has.
                let issuer = Cow::Owned(to_der(issuer.raw)?);
                Ok(Self::IssuerAndSerial { issuer, serial })
            }
            KEY_ID | KEY_ID_IN_PIECES => Ok(Self::KeyId(element.octets(KEY_ID)?)),
            _ => Err(Error::Malformed("a recipient is not named")),
        }
    }

    /// In a key agreement the key identifier stands in a RecipientKeyIdentifier.
    fn read_of_agreement(element: Element<'a>, limits: &Limits) -> Result<Self> {
        if element.is(asn1::SEQUENCE) {
            return Self::read(element, limits);
        }
        if !element.is(context_constructed(0)) {
            return Err(Error::Malformed("a recipient is not named"));
        }
        let id = element.reader().next()?;
        if id.raw.len() > limits.name {
            return Err(Error::limit(Limit::Name, u64::try_from(limits.name).unwrap_or(u64::MAX)));
        }
        Ok(Self::KeyId(id.octets(asn1::OCTET_STRING)?))
    }

    fn is_of(&self, identity: &Identity) -> bool {
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                identity.is_issuer_and_serial(issuer, serial)
            }
            Self::KeyId(id) => identity.is_key_id(id),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::IssuerAndSerial { issuer, serial } => issuer_and_serial_text(issuer, serial),
            Self::KeyId(id) => key_id_text(id),
        }
    }
}

/// A KeyTransRecipientInfo.
#[derive(Debug)]
pub(crate) struct KeyTransport<'a> {
    pub(crate) id: RecipientId<'a>,
    pub(crate) algorithm: Algorithm<'a>,
    pub(crate) encrypted_key: Cow<'a, [u8]>,
}

impl<'a> KeyTransport<'a> {
    pub(crate) fn read(raw: &'a [u8], limits: &Limits) -> Result<Self> {
        let mut fields = Element::only(raw)?.reader();
        fields.next()?.small_integer()?;
        let id = RecipientId::read(fields.next()?, limits)?;
        let algorithm = Algorithm::read(&mut fields)?;
        let encrypted_key = fields.next()?.octets(asn1::OCTET_STRING)?;
        fields.finish()?;
        Ok(Self { id, algorithm, encrypted_key })
    }
}

/// A RecipientEncryptedKey.
#[derive(Debug)]
pub(crate) struct EncryptedKey<'a> {
    pub(crate) id: RecipientId<'a>,
    pub(crate) wrapped: Cow<'a, [u8]>,
}

impl<'a> EncryptedKey<'a> {
    pub(crate) fn read(raw: &'a [u8], limits: &Limits) -> Result<Self> {
        let mut fields = Element::only(raw)?.reader();
        let id = RecipientId::read_of_agreement(fields.next()?, limits)?;
        let wrapped = fields.next()?.octets(asn1::OCTET_STRING)?;
        fields.finish()?;
        Ok(Self { id, wrapped })
    }
}

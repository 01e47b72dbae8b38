//! EnvelopedData (RFC 5652, 6.1) and AuthEnvelopedData (RFC 5083): what stands before and after the
//! encrypted content.

use super::content::TAG_LEN;
use super::recipient::RecipientInfo;
use crate::asn1::{self, context, context_constructed, der, der_header, der_oid, der_unsigned};
use crate::oid;
use alloc::vec::Vec;

/// An element whose length is not told beforehand ends with these.
const END_OF_CONTENTS: [u8; 2] = [0, 0];

pub(super) struct Header {
    is_authenticated: bool,
    /// Version and recipients.
    start: Vec<u8>,
    /// Content type and algorithm.
    content_info: Vec<u8>,
}

impl Header {
    pub(super) fn new(
        is_authenticated: bool,
        recipients: &[RecipientInfo],
        algorithm: &[u8],
    ) -> Self {
        let version = match is_authenticated {
            true => 0,
            false if recipients.iter().all(|recipient| recipient.version == 0) => 0,
            false => 2,
        };
        let mut recipients: Vec<_> =
            recipients.iter().map(|recipient| recipient.der.as_slice()).collect();
        // DER sorts a SET OF.
        recipients.sort_unstable();
        let recipients = der(asn1::SET, &recipients);
        Self {
            is_authenticated,
            start: [der_unsigned(&[version]), recipients].concat(),
            content_info: [&der_oid(oid::DATA), algorithm].concat(),
        }
    }

    /// Everything before the content: DER if the length of the content is known, otherwise BER.
    pub(super) fn before(&self, content: Option<usize>) -> Vec<u8> {
        let content_type =
            if self.is_authenticated { oid::AUTH_ENVELOPED_DATA } else { oid::ENVELOPED_DATA };
        let content_tag = if content.is_some() { context(0) } else { context_constructed(0) };
        let after = content.map(|content| content + self.mac_len());
        let content_start = opened(content_tag, &[], content);
        let content_info = opened(asn1::SEQUENCE, &[&self.content_info, &content_start], content);
        let data = opened(asn1::SEQUENCE, &[&self.start, &content_info], after);
        let explicit = opened(context_constructed(0), &[&data], after);
        opened(asn1::SEQUENCE, &[&der_oid(content_type), &explicit], after)
    }

    /// How long the DER of so much content will be.
    pub(super) fn file_len(&self, content: usize) -> usize {
        self.before(Some(content)).len() + content + self.mac_len()
    }

    /// Bytes of the element that holds GCM's tag.
    const fn mac_len(&self) -> usize {
        if self.is_authenticated { 2 + TAG_LEN } else { 0 }
    }
}

/// Everything behind the content.
pub(super) fn after(is_definite: bool, tag: Option<&[u8]>) -> Vec<u8> {
    let mac = tag.map(|tag| der(asn1::OCTET_STRING, &[tag])).unwrap_or_default();
    if is_definite {
        return mac;
    }
    // First the content and EncryptedContentInfo end, then EnvelopedData, [0] and ContentInfo.
    [END_OF_CONTENTS.repeat(2), mac, END_OF_CONTENTS.repeat(3)].concat()
}

/// An element that goes on after `parts` for so many bytes, or until it is ended.
fn opened(tag: u8, parts: &[&[u8]], to_come: Option<usize>) -> Vec<u8> {
    let parts = parts.concat();
    let header = match to_come {
        Some(to_come) => der_header(tag, parts.len() + to_come),
        None => alloc::vec![tag, 0x80],
    };
    [header, parts].concat()
}

//! Certificates: a public key with a name. Validity, CA flag, key usage and signature mean nothing
//! here (RFC 8886, 3.1); who wants assurance pins the SHA-256 of the key.

mod device_id;
mod name;

pub use device_id::DeviceId;

use crate::asn1::{self, Element, Reader};
use crate::crypto::{Hash, digest};
use crate::key::{PublicKey, unreadable};
use crate::{Result, oid, pem};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Debug, Formatter};

/// An X.509 certificate, version 1 or 3, as a wrapper around a device's public key.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// The issuer's Name, DER as it stands in the certificate.
    issuer: Vec<u8>,
    /// The content of the serial number.
    serial: Vec<u8>,
    subject: Vec<u8>,
    public_key: PublicKey,
    subject_key_id: Option<Vec<u8>>,
    capabilities: Capabilities,
}

/// What the owner of a certificate says it can open, in its SMIMECapabilities (RFC 4262).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Capabilities {
    pub(crate) aes256_gcm: bool,
    /// The key derivation of RFC 9709.
    pub(crate) cek_hkdf: bool,
}

impl Certificate {
    /// Reads a certificate, PEM (the first one of a bundle) or DER.
    ///
    /// # Errors
    /// [`Error::Key`](crate::Error::Key) if it is none, [`Error::Unsupported`](crate::Error::Unsupported)
    /// if its key is of a kind that nothing can be encrypted to.
    pub fn parse(certificate: &[u8]) -> Result<Self> {
        if !pem::is_pem(certificate) {
            return Self::from_der(certificate);
        }
        let labels: [&[u8]; 3] = [b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"];
        let block = pem::blocks(certificate).find(|block| labels.contains(&block.label));
        let block = block.ok_or(unreadable("there is no certificate block"))?;
        let der = block.decode()?.ok_or(unreadable("the certificate's base64 is damaged"))?;
        // OpenSSL's TRUSTED CERTIFICATE goes on after the certificate.
        let first = Reader::new(der.as_bytes()).next();
        Self::from_der(first.map_err(|_| unreadable("it is no certificate"))?.raw)
    }

    fn from_der(der: &[u8]) -> Result<Self> {
        let damaged = |_| unreadable("it is no certificate");
        let mut outer = Element::only(der).map_err(damaged)?.reader();
        let mut fields = outer.expect(asn1::SEQUENCE).map_err(damaged)?.reader();
        fields.optional(asn1::context_constructed(0)).map_err(damaged)?;
        let serial = fields.expect(asn1::INTEGER).map_err(damaged)?.body.to_vec();
        fields.expect(asn1::SEQUENCE).map_err(damaged)?; // signature algorithm
        let issuer = fields.expect(asn1::SEQUENCE).map_err(damaged)?.raw.to_vec();
        fields.expect(asn1::SEQUENCE).map_err(damaged)?; // validity
        let subject = fields.expect(asn1::SEQUENCE).map_err(damaged)?.raw.to_vec();
        let spki = fields.expect(asn1::SEQUENCE).map_err(damaged)?.raw;
        let public_key = PublicKey::from_spki(spki)?;
        let mut certificate = Self {
            der: der.to_vec(),
            issuer,
            serial,
            subject,
            public_key,
            subject_key_id: None,
            capabilities: Capabilities::default(),
        };
        while !fields.is_empty() {
            let field = fields.next().map_err(damaged)?;
            if field.is(asn1::context_constructed(3)) {
                certificate.read_extensions(field).map_err(damaged)?;
            }
        }
        Ok(certificate)
    }

    fn read_extensions(&mut self, field: Element<'_>) -> Result<()> {
        let mut extensions = field.reader().expect(asn1::SEQUENCE)?.reader();
        while !extensions.is_empty() {
            let mut extension = extensions.expect(asn1::SEQUENCE)?.reader();
            let oid = extension.oid()?;
            extension.optional(asn1::BOOLEAN)?;
            let value = extension.expect(asn1::OCTET_STRING)?.body;
            match oid {
                oid::SUBJECT_KEY_IDENTIFIER => {
                    let id = Element::only(value)?;
                    self.subject_key_id = Some(id.octets(asn1::OCTET_STRING)?.into_owned());
                }
                oid::SMIME_CAPABILITIES => {
                    let mut capabilities = Element::only(value)?.reader();
                    while !capabilities.is_empty() {
                        match capabilities.expect(asn1::SEQUENCE)?.reader().oid()? {
                            oid::AES256_GCM => self.capabilities.aes256_gcm = true,
                            oid::CEK_HKDF_SHA256 => self.capabilities.cek_hkdf = true,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The certificate, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate, PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// The public key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// SHA-256 of the SubjectPublicKeyInfo: what operators pin.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn spki_sha256(&self) -> Result<[u8; 32]> {
        self.public_key.spki_sha256()
    }

    /// The device's identifier: the subject's serialNumber attribute (IEEE 802.1AR), else its common
    /// name. It is text from outside: check it with [`DeviceId::new`] before it names a file.
    #[must_use]
    pub fn device_id(&self) -> Option<String> {
        name::attribute(&self.subject, oid::SERIAL_NUMBER)
            .or_else(|| name::attribute(&self.subject, oid::COMMON_NAME))
    }

    /// The subject as one line of printable ASCII.
    #[must_use]
    pub fn subject(&self) -> String {
        name::text(&self.subject)
    }

    pub(crate) fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    pub(crate) fn serial(&self) -> &[u8] {
        &self.serial
    }

    pub(crate) fn subject_key_id(&self) -> Option<&[u8]> {
        self.subject_key_id.as_deref()
    }

    #[cfg(feature = "seal")]
    pub(crate) const fn capabilities(&self) -> Capabilities {
        self.capabilities
    }
}

impl Debug for Certificate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {:?})", self.subject(), self.public_key)
    }
}

/// Issuer and serial number as one line of printable ASCII.
pub(crate) fn issuer_and_serial_text(issuer: &[u8], serial: &[u8]) -> String {
    let mut text = name::text(issuer);
    text.push_str(" serial ");
    name::push_hex(&mut text, serial, 20);
    text
}

/// A key identifier as one line of printable ASCII.
pub(crate) fn key_id_text(id: &[u8]) -> String {
    let mut text = String::from("key ");
    name::push_hex(&mut text, id, 20);
    text
}

/// The subjectKeyIdentifiers under which a key may be known: RFC 5280, 4.2.1.2, methods 1 and 2,
/// and RFC 7093.
pub(crate) fn key_ids(key: &PublicKey) -> Result<Vec<Vec<u8>>> {
    let bits = key.key_bits();
    let first_20 = |hash, of: &[u8]| -> Result<Vec<u8>> {
        Ok(digest(hash, &[of])?.as_bytes().iter().copied().take(20).collect())
    };
    let method_1 = first_20(Hash::Sha1, &bits)?;
    let mut method_2: Vec<u8> = method_1.iter().copied().skip(12).collect();
    if let Some(top) = method_2.first_mut() {
        *top = 0x40 | *top & 0x0f;
    }
    Ok(alloc::vec![
        method_1,
        method_2,
        first_20(Hash::Sha256, &bits)?,
        first_20(Hash::Sha384, &bits)?,
        first_20(Hash::Sha512, &bits)?,
        digest(Hash::Sha256, &[key.spki_der()])?.into_bytes(),
    ])
}

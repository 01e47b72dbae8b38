//! Certificates: a public key with a name. Validity, CA flag, key usage and signature mean nothing
//! here (RFC 8886, 3.1); who wants assurance pins the SHA-256 of the key.

#[cfg(feature = "identity")]
mod builder;
mod device_id;
mod name;
#[cfg(feature = "identity")]
mod validity;

#[cfg(feature = "identity")]
pub use builder::IdentityBuilder;
pub use device_id::DeviceId;
#[cfg(feature = "identity")]
pub use validity::Validity;

use crate::asn1::{self, Element, Reader, significant};
use crate::crypto::{Hash, digest};
use crate::key::{PublicKey, unreadable};
use crate::{Result, oid, pem};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Debug, Formatter};

/// An X.509 certificate, of whatever version, as a wrapper around a device's public key.
///
/// ```
/// # fn main() -> Result<(), sdi::Error> {
/// use sdi::{Certificate, DeviceId, DeviceKey, IdentityBuilder, KeyAlgorithm, SoftwareKey};
/// let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut sdi::SystemRandom)?;
/// let made = IdentityBuilder::new(DeviceId::new("SN19842256")?, 0).self_sign(&key)?;
///
/// let read = Certificate::parse(made.to_pem().as_bytes())?;
/// assert_eq!(read.device_id().as_deref(), Some("SN19842256"));
/// assert_eq!(read.public_key(), key.public_key());
/// assert_eq!(read.spki_sha256()?, key.public_key().spki_sha256()?); // what operators pin
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// The issuer's Name, as it stands in the certificate.
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

impl Capabilities {
    fn read(value: &[u8]) -> Result<Self> {
        let mut found = Self::default();
        let mut listed = Element::fields(value)?;
        while !listed.is_empty() {
            match listed.expect(asn1::SEQUENCE)?.reader().oid()? {
                oid::AES256_GCM => found.aes256_gcm = true,
                oid::CEK_HKDF_SHA256 => found.cek_hkdf = true,
                _ => {}
            }
        }
        Ok(found)
    }
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
        let mut outer = Element::fields(der).map_err(damaged)?;
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
        // What follows is useful, not needed: damage there does not take the key away.
        while let Ok(field) = fields.next() {
            if field.is(asn1::context_constructed(3)) {
                certificate.read_extensions(field);
            }
        }
        Ok(certificate)
    }

    /// Takes what is useful from the extensions; one that is broken is passed over.
    fn read_extensions(&mut self, field: Element<'_>) {
        let Ok(extensions) = field.reader().expect(asn1::SEQUENCE) else { return };
        let mut extensions = extensions.reader();
        while let Ok(extension) = extensions.next() {
            let _ = self.read_extension(extension);
        }
    }

    fn read_extension(&mut self, extension: Element<'_>) -> Result<()> {
        let mut fields = extension.reader();
        let oid = fields.oid()?;
        fields.optional(asn1::BOOLEAN)?;
        let value = fields.next()?.octets(asn1::OCTET_STRING)?;
        match oid {
            oid::SUBJECT_KEY_IDENTIFIER => {
                let id = Element::only(&value)?.octets(asn1::OCTET_STRING)?;
                self.subject_key_id = Some(id.into_owned()).filter(|id| !id.is_empty());
            }
            oid::SMIME_CAPABILITIES => self.capabilities = Capabilities::read(&value)?,
            _ => {}
        }
        Ok(())
    }

    /// The certificate, DER as it was read.
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
    match significant(serial) {
        [] => text.push_str("00"),
        serial => name::push_hex(&mut text, serial, 20),
    }
    text
}

/// A key identifier as one line of printable ASCII.
pub(crate) fn key_id_text(id: &[u8]) -> String {
    let mut text = String::from("key ");
    name::push_hex(&mut text, id, 20);
    text
}

/// The usual subjectKeyIdentifier: RFC 5280, 4.2.1.2, method 1.
pub(crate) fn key_id(key: &PublicKey) -> Result<Vec<u8>> {
    Ok(digest(Hash::Sha1, &[&key.key_bits()?])?.into_bytes())
}

/// The subjectKeyIdentifiers under which a key may be known: RFC 5280, 4.2.1.2, methods 1 and 2,
/// and RFC 7093.
pub(crate) fn key_ids(key: &PublicKey) -> Result<Vec<Vec<u8>>> {
    let bits = key.key_bits()?;
    let first_20 = |hash| -> Result<Vec<u8>> {
        Ok(digest(hash, &[&bits])?.as_bytes().iter().copied().take(20).collect())
    };
    let method_1 = key_id(key)?;
    let mut method_2: Vec<u8> = method_1.iter().copied().skip(12).collect();
    if let Some(top) = method_2.first_mut() {
        *top = 0x40 | *top & 0x0f;
    }
    Ok(alloc::vec![
        method_1,
        method_2,
        first_20(Hash::Sha256)?,
        first_20(Hash::Sha384)?,
        first_20(Hash::Sha512)?,
        digest(Hash::Sha256, &[key.spki_der()])?.into_bytes(),
    ])
}

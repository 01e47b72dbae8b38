//! Making certificates and certificate requests for device keys.
//!
//! Nothing is decided by what stands in them but the key and the identifier. No signature is checked
//! here: a vendor's is for other programs.

use super::{Certificate, DeviceId, Validity, key_id};
use crate::asn1::{
    self, context, context_constructed, der, der_bits, der_oid, der_sequence, der_unsigned,
};
use crate::crypto::{Hash, digest};
use crate::{
    DeviceKey, Error, Identity, KeyAlgorithm, KeyError, KeyFault, PublicKey, RandomSource,
};
use crate::{Result, SignatureScheme, SoftwareKey, oid, pem};
use alloc::string::String;
use alloc::vec::Vec;

/// Makes the certificate of a device (RFC 5280), or asks for one (RFC 2986).
///
/// Subject and issuer are the device's identifier, as common name and, where its letters allow it, as
/// serialNumber; [`Self::issue`] puts a vendor's name in the issuer's place. The certificate lists
/// what this library opens ([RFC 4262]), so that senders can choose authenticated encryption, and its
/// serial number is a hash of key and identifier: the same two give the same number, wherever the
/// certificate is made. (A vendor's has more in it, since no issuer may use a number twice.)
///
/// ```
/// # fn main() -> Result<(), sdi::Error> {
/// use sdi::{DeviceId, IdentityBuilder, KeyAlgorithm, SoftwareKey, SystemRandom};
///
/// // The first boot in the factory. A device without a clock says 0.
/// let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom)?;
/// let id = DeviceId::new("SN19842256")?;
/// let certificate = IdentityBuilder::new(id, 1_606_262_400).self_sign(&key)?;
/// println!("{}", certificate.to_pem()); // for the vendor's directory
/// # Ok(()) }
/// ```
///
/// [RFC 4262]: https://www.rfc-editor.org/rfc/rfc4262
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct IdentityBuilder {
    id: DeviceId,
    not_before: u64,
    validity: Validity,
    capabilities: bool,
    serial_number: bool,
    /// KeyPurposeIds, DER.
    key_purposes: Vec<u8>,
}

impl IdentityBuilder {
    /// For a device with this identifier; valid from this second of Unix time on, without end.
    pub const fn new(id: DeviceId, not_before_unix: u64) -> Self {
        Self {
            id,
            not_before: not_before_unix,
            validity: Validity::Forever,
            capabilities: true,
            serial_number: true,
            key_purposes: Vec::new(),
        }
    }

    /// Sets how long the certificate says that it is valid.
    pub const fn validity(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    /// Leaves out what this library opens: for a device whose own software opens the files, and may
    /// know less. Senders then fall back to what everything opens.
    pub const fn without_capabilities(mut self) -> Self {
        self.capabilities = false;
        self
    }

    /// Names the device by its common name alone, as the examples of RFC 8886, appendix A, do: for
    /// directories that compare whole names.
    pub const fn without_serial_number(mut self) -> Self {
        self.serial_number = false;
        self
    }

    /// Adds a purpose to the extended key usage (RFC 5280, 4.2.1.12), such as `1.3.6.1.5.5.7.3.4` for
    /// mail. Without any there is no such extension, and every purpose is right. This library never
    /// looks at it; other programs may.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is no object identifier in numbers with dots between them.
    pub fn key_purpose(mut self, oid: &str) -> Result<Self> {
        let body = oid::parse(oid).ok_or(NO_OID)?;
        self.key_purposes.extend(der_oid(&body));
        Ok(self)
    }

    /// The certificate, signed by the key itself.
    ///
    /// # Errors
    /// [`Error::Key`]: the module's own fault, or [`KeyFault::Unsupported`] for a key that cannot
    /// sign (X25519, and keys that a module holds for decryption only): use [`Self::wrap`].
    /// [`Error::Argument`] for a time after the year 9999.
    pub fn self_sign(&self, key: &dyn DeviceKey) -> Result<Certificate> {
        self.certificate(key.public_key(), key, None)
    }

    /// A certificate around a bare public key, for keys that cannot sign, and for a directory that
    /// was sent the key alone (RFC 8886, 3.2).
    ///
    /// A key that is made for this one signature, and forgotten, signs it. Nobody can verify that,
    /// and nobody needs to: RFC 8886, 3.1, gives the signature no value. A certificate is believed
    /// because of where it was fetched, or because its key has the SHA-256 that was pinned.
    ///
    /// # Errors
    /// [`Error::Random`], and [`Error::Argument`] for a time after the year 9999.
    pub fn wrap(&self, key: &PublicKey, random: &mut dyn RandomSource) -> Result<Certificate> {
        self.certificate(key, &SoftwareKey::generate(KeyAlgorithm::P256, random)?, None)
    }

    /// A certificate around a bare public key, signed by the key of a vendor.
    ///
    /// Its issuer is the subject of the vendor's certificate, so that programs that verify chains find
    /// it. A vendor's key alone has no name: issuer and subject are then both the device, as in
    /// [`Self::wrap`], and the authority key identifier alone says whose signature it is.
    ///
    /// # Errors
    /// [`Error::Key`] as for [`Self::self_sign`], and [`Error::Argument`] for a time after the year
    /// 9999 and for a vendor's certificate without a subject.
    pub fn issue(&self, key: &PublicKey, vendor: &Identity) -> Result<Certificate> {
        self.certificate(key, vendor.key(), Some(vendor))
    }

    /// A certificate request, PEM, with the extensions that the certificate would have.
    ///
    /// # Errors
    /// [`Error::Key`] as for [`Self::self_sign`].
    pub fn request(&self, key: &dyn DeviceKey) -> Result<String> {
        let signing = Signing::of(key)?;
        let extensions = self.extensions(key.public_key(), key, None)?;
        let extensions = [&der_oid(oid::EXTENSION_REQUEST)[..], &der(asn1::SET, &[&extensions])];
        let info = der_sequence(&[
            &der_unsigned(&[0]), // version 1
            &self.name(),
            key.public_key().spki_der(),
            &der(context_constructed(0), &[&der_sequence(&extensions)]),
        ]);
        Ok(pem::encode("CERTIFICATE REQUEST", &signing.sign(&info, key)?))
    }

    fn certificate(
        &self,
        key: &PublicKey,
        signer: &dyn DeviceKey,
        vendor: Option<&Identity>,
    ) -> Result<Certificate> {
        let signing = Signing::of(signer)?;
        let name = self.name();
        let issuer = vendor.and_then(Identity::certificate);
        let issuer = issuer.map_or(&name[..], |certificate| &certificate.subject);
        if issuer == der_sequence(&[]) {
            return Err(Error::Argument("the vendor's certificate names nobody"));
        }
        let validity = self.validity.der(self.not_before)?;
        let extensions = self.extensions(key, signer, vendor)?;
        // No issuer gives one number to two certificates (RFC 5280, 4.1.2.2).
        let serial = match vendor {
            None => self.serial(key, &[])?,
            Some(_) => self.serial(key, &[&name, &validity, &extensions])?,
        };
        let to_sign = der_sequence(&[
            &der(context_constructed(0), &[&der_unsigned(&[2])]), // version 3
            &der_unsigned(&serial),
            &signing.algorithm,
            issuer,
            &validity,
            &name, // subject
            key.spki_der(),
            &der(context_constructed(3), &[&extensions]),
        ]);
        Certificate::from_der(&signing.sign(&to_sign, signer)?)
    }

    fn name(&self) -> Vec<u8> {
        let id = self.id.as_str().as_bytes();
        let attribute = |oid: &[u8], tag: u8| {
            der(asn1::SET, &[&der_sequence(&[&der_oid(oid), &der(tag, &[id])])])
        };
        let common_name = attribute(oid::COMMON_NAME, asn1::UTF8_STRING);
        // X.520 makes serialNumber a PrintableString, which has no underscore.
        if !self.serial_number || id.contains(&b'_') {
            return der_sequence(&[&common_name]);
        }
        der_sequence(&[&common_name, &attribute(oid::SERIAL_NUMBER, asn1::PRINTABLE_STRING)])
    }

    /// 127 bits, so that the number is positive and far below the 20 octets of RFC 5280. The
    /// encoding of the key ends itself, so no other key and identifier give the same bytes.
    fn serial(&self, key: &PublicKey, more: &[&[u8]]) -> Result<Vec<u8>> {
        let parts = [&[key.spki_der(), self.id.as_str().as_bytes()], more].concat();
        let digest = digest(Hash::Sha256, &parts)?;
        let mut serial: Vec<u8> = digest.as_bytes().iter().copied().take(16).collect();
        if let Some(top) = serial.first_mut() {
            *top &= 0x7f;
        }
        Ok(serial)
    }

    fn extensions(
        &self,
        key: &PublicKey,
        signer: &dyn DeviceKey,
        vendor: Option<&Identity>,
    ) -> Result<Vec<u8>> {
        let key_id = der(asn1::OCTET_STRING, &[&key_id(key)?]);
        let extension = |oid: &[u8], critical: &[u8], value: &[u8]| {
            der_sequence(&[&der_oid(oid), critical, &der(asn1::OCTET_STRING, &[value])])
        };
        let usage = key_usage(key.algorithm(), signer.public_key() == key);
        let mut extensions = extension(oid::SUBJECT_KEY_IDENTIFIER, &[], &key_id);
        extensions.extend(extension(oid::KEY_USAGE, &der(asn1::BOOLEAN, &[&[0xff]]), &usage));
        if !self.key_purposes.is_empty() {
            let purposes = der_sequence(&[&self.key_purposes]);
            extensions.extend(extension(oid::EXTENDED_KEY_USAGE, &[], &purposes));
        }
        if let Some(vendor) = vendor {
            let id = der_sequence(&[&der(context(0), &[&authority_key_id(vendor)?])]);
            extensions.extend(extension(oid::AUTHORITY_KEY_IDENTIFIER, &[], &id));
        }
        if self.capabilities {
            extensions.extend(extension(oid::SMIME_CAPABILITIES, &[], &capabilities()));
        }
        Ok(der_sequence(&[&extensions]))
    }
}

const NO_OID: Error = Error::Argument("an object identifier is numbers with dots between them");

/// What the vendor's certificate calls its key (RFC 5280, 4.2.1.1).
fn authority_key_id(vendor: &Identity) -> Result<Vec<u8>> {
    match vendor.certificate().and_then(Certificate::subject_key_id) {
        Some(id) => Ok(id.to_vec()),
        None => key_id(vendor.key().public_key()),
    }
}

/// KeyUsage: how the key takes part in opening, and that it signs when it signs for itself.
fn key_usage(algorithm: KeyAlgorithm, signs: bool) -> Vec<u8> {
    const DIGITAL_SIGNATURE: u8 = 0x80;
    const KEY_ENCIPHERMENT: u8 = 0x20;
    const KEY_AGREEMENT: u8 = 0x08;
    // DER drops the zero bits at the end and counts them.
    let (usage, unused_bits) = match algorithm {
        KeyAlgorithm::Rsa(_) => (KEY_ENCIPHERMENT, 5),
        _ => (KEY_AGREEMENT, 3),
    };
    let signs = if signs { DIGITAL_SIGNATURE } else { 0 };
    der(asn1::BIT_STRING, &[&[unused_bits, usage | signs]])
}

/// SMIMECapabilities (RFC 4262): what this library opens, the best first. RFC 3565 and RFC 9709 want
/// the parameters absent.
fn capabilities() -> Vec<u8> {
    let opened =
        [oid::AES256_GCM, oid::AES128_GCM, oid::CEK_HKDF_SHA256, oid::AES256_CBC, oid::AES128_CBC];
    der_sequence(&[&opened.map(|oid| der_sequence(&[&der_oid(oid)])).concat()])
}

/// How a kind of key signs.
struct Signing {
    scheme: SignatureScheme,
    hash: Hash,
    /// The AlgorithmIdentifier.
    algorithm: Vec<u8>,
}

impl Signing {
    fn of(key: &dyn DeviceKey) -> Result<Self> {
        let (scheme, hash, oid) = match key.public_key().algorithm() {
            KeyAlgorithm::P256 => {
                (SignatureScheme::EcdsaP256Sha256, Hash::Sha256, oid::ECDSA_WITH_SHA256)
            }
            KeyAlgorithm::P384 => {
                (SignatureScheme::EcdsaP384Sha384, Hash::Sha384, oid::ECDSA_WITH_SHA384)
            }
            KeyAlgorithm::P521 => {
                (SignatureScheme::EcdsaP521Sha512, Hash::Sha512, oid::ECDSA_WITH_SHA512)
            }
            KeyAlgorithm::Rsa(_) => {
                (SignatureScheme::RsaPkcs1Sha256, Hash::Sha256, oid::SHA256_WITH_RSA)
            }
            KeyAlgorithm::X25519 => return Err(Error::Key(KeyFault::Unsupported)),
        };
        // RFC 5758 has no parameters for ECDSA, RFC 4055 has NULL for RSA.
        let parameters = match scheme {
            SignatureScheme::RsaPkcs1Sha256 => der(asn1::NULL, &[]),
            _ => Vec::new(),
        };
        Ok(Self { scheme, hash, algorithm: der_sequence(&[&der_oid(oid), &parameters]) })
    }

    /// The content with its signature, as certificates and requests have it.
    fn sign(&self, content: &[u8], signer: &dyn DeviceKey) -> Result<Vec<u8>> {
        let digest = digest(self.hash, &[content])?;
        let signature = signer.sign(self.scheme, content, digest.as_bytes());
        let signature = signature.map_err(|error| match error {
            KeyError::Refused => Error::Key(KeyFault::Unsupported),
            error => error.into(),
        })?;
        let key = signer.public_key();
        let signature = match key.algorithm().curve() {
            Some(curve) => ecdsa_sig_value(&signature, curve.field_len()),
            None => Some(signature).filter(|signature| signature.len() == key.value().len()),
        };
        let signature = signature.ok_or(Error::Key(KeyFault::Answer))?;
        Ok(der_sequence(&[content, &self.algorithm, &der_bits(&signature)]))
    }
}

/// Ecdsa-Sig-Value (RFC 5480) of r and s, each as long as the field.
fn ecdsa_sig_value(r_and_s: &[u8], field_len: usize) -> Option<Vec<u8>> {
    let (r, s) = r_and_s.split_at_checked(field_len)?;
    (s.len() == field_len).then(|| der_sequence(&[&der_unsigned(r), &der_unsigned(s)]))
}

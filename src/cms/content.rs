//! The content: AES-CBC, triple DES in CBC and AES-GCM (RFC 3565, RFC 5084), as it arrives.
//!
//! What has been decrypted is provisional until [`Decryptor::finish`] has checked tag or padding.

mod cbc;
mod gcm;
#[cfg(test)]
mod vectors;

use super::kdf;
use crate::asn1::{self, Algorithm, Element, der};
use crate::crypto::{BlockDecrypt, BlockEncrypt, Hash};
use crate::key::unsupported;
use crate::{Error, Result, Secret, oid};
use alloc::vec::Vec;
use cbc::Cbc;
use gcm::Gcm;
use zeroize::Zeroize;

/// A content encryption algorithm with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentAlgorithm {
    cipher: Cipher,
    /// The content key is derived from the one that recipients get (RFC 9709).
    is_derived: bool,
    /// What goes into derived keys: the cipher's AlgorithmIdentifier, DER.
    der: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    Cbc {
        key_len: usize,
        iv: [u8; 16],
    },
    #[cfg(feature = "legacy")]
    TripleDes {
        iv: [u8; 8],
    },
    Gcm {
        key_len: usize,
        nonce: [u8; 12],
        tag_len: usize,
    },
}

impl ContentAlgorithm {
    /// Reads the algorithm. Authenticated ciphers belong in AuthEnvelopedData, the others in
    /// EnvelopedData; anything else would let one be passed off as the other.
    pub(crate) fn read(algorithm: &Algorithm<'_>, is_authenticated: bool) -> Result<Self> {
        let (inner, is_derived) = match (algorithm.oid, algorithm.parameters) {
            (oid::CEK_HKDF_SHA256, Some(inner)) => {
                (Algorithm::new(inner).map_err(|_| BAD_PARAMETERS)?, true)
            }
            (oid::CEK_HKDF_SHA256, None) => return Err(BAD_PARAMETERS),
            _ => (*algorithm, false),
        };
        let parameters = inner.parameters;
        let cipher = match (inner.oid, is_authenticated) {
            (oid::AES128_CBC, false) => Cipher::Cbc { key_len: 16, iv: iv(parameters)? },
            (oid::AES192_CBC, false) => Cipher::Cbc { key_len: 24, iv: iv(parameters)? },
            (oid::AES256_CBC, false) => Cipher::Cbc { key_len: 32, iv: iv(parameters)? },
            #[cfg(feature = "legacy")]
            (oid::TRIPLE_DES_CBC, false) => Cipher::TripleDes { iv: iv(parameters)? },
            (oid::AES128_GCM, true) => gcm(16, parameters)?,
            (oid::AES192_GCM, true) => gcm(24, parameters)?,
            (oid::AES256_GCM, true) => gcm(32, parameters)?,
            (other, false) => return Err(unsupported("the content encryption", other)),
            (other, true) => {
                return Err(unsupported("the authenticated content encryption", other));
            }
        };
        Ok(Self { cipher, is_derived, der: asn1::to_der(inner.raw)? })
    }

    /// Bytes of the content key.
    pub(crate) const fn key_len(&self) -> usize {
        match self.cipher {
            Cipher::Cbc { key_len, .. } | Cipher::Gcm { key_len, .. } => key_len,
            #[cfg(feature = "legacy")]
            Cipher::TripleDes { .. } => 24,
        }
    }

    /// Bytes of the tag, for the authenticated ciphers.
    pub(crate) const fn tag_len(&self) -> Option<usize> {
        match self.cipher {
            Cipher::Gcm { tag_len, .. } => Some(tag_len),
            _ => None,
        }
    }

    /// The usual name of the cipher.
    pub(crate) const fn name(&self) -> &'static str {
        match self.cipher {
            Cipher::Cbc { key_len: 16, .. } => "aes-128-cbc",
            Cipher::Cbc { key_len: 24, .. } => "aes-192-cbc",
            Cipher::Cbc { .. } => "aes-256-cbc",
            #[cfg(feature = "legacy")]
            Cipher::TripleDes { .. } => "des-ede3-cbc",
            Cipher::Gcm { key_len: 16, .. } => "aes-128-gcm",
            Cipher::Gcm { key_len: 24, .. } => "aes-192-gcm",
            Cipher::Gcm { .. } => "aes-256-gcm",
        }
    }

    /// Whether the content key is derived (RFC 9709).
    pub(crate) const fn is_derived(&self) -> bool {
        self.is_derived
    }
}

const BAD_PARAMETERS: Error = Error::Malformed("the content encryption's parameters are damaged");

fn iv<const N: usize>(parameters: Option<Element<'_>>) -> Result<[u8; N]> {
    let octets = parameters.ok_or(BAD_PARAMETERS)?.octets(asn1::OCTET_STRING);
    octets.ok().and_then(|octets| octets.as_ref().try_into().ok()).ok_or(BAD_PARAMETERS)
}

/// GCMParameters (RFC 5084). A short tag is a forgery waiting to happen, and a long nonce was a
/// stack overflow elsewhere: 12 bytes of nonce and 12 to 16 of tag are what is read.
fn gcm(key_len: usize, parameters: Option<Element<'_>>) -> Result<Cipher> {
    let parameters = parameters.filter(|parameters| parameters.is(asn1::SEQUENCE));
    let mut fields = parameters.ok_or(BAD_PARAMETERS)?.reader();
    let nonce = fields.next().and_then(|nonce| nonce.octets(asn1::OCTET_STRING));
    let nonce = nonce.map_err(|_| BAD_PARAMETERS)?;
    let tag_len = match fields.optional(asn1::INTEGER).map_err(|_| BAD_PARAMETERS)? {
        Some(tag_len) => tag_len.small_integer().map_err(|_| BAD_PARAMETERS)?,
        None => 12,
    };
    fields.finish().map_err(|_| BAD_PARAMETERS)?;
    let too_odd = |what| Error::Unsupported(crate::Unsupported { what, oid: None });
    let nonce = nonce.as_ref().try_into().map_err(|_| too_odd("a GCM nonce of another length"))?;
    match usize::try_from(tag_len) {
        Ok(tag_len @ 12..=16) => Ok(Cipher::Gcm { key_len, nonce, tag_len }),
        _ => Err(too_odd("a GCM tag of another length")),
    }
}

/// Decrypts content in pieces of any length.
pub(crate) struct Decryptor {
    mode: Mode,
    /// Where pieces are decrypted.
    buffer: Secret,
}

#[cfg_attr(
    not(feature = "legacy"),
    expect(clippy::large_enum_variant, reason = "each file has one, and it never moves")
)]
enum Mode {
    Cbc(Cbc),
    Gcm(Gcm),
}

impl Decryptor {
    /// Bytes that are decrypted at once.
    const LOAD: usize = 8192;

    /// Takes the content key as a recipient got it.
    pub(crate) fn new(algorithm: &ContentAlgorithm, key: &Secret) -> Result<Self> {
        let derived;
        let key = if algorithm.is_derived {
            let salt = b"The Cryptographic Message Syntax";
            let info = &algorithm.der;
            derived = kdf::hkdf(Hash::Sha256, salt, key.as_bytes(), info, algorithm.key_len())?;
            &derived
        } else {
            key
        };
        let key = key.as_bytes();
        let mode = match algorithm.cipher {
            Cipher::Cbc { iv, .. } => {
                Mode::Cbc(Cbc::new(BlockDecrypt::aes(key).ok_or(Error::Decrypt)?, iv, 16))
            }
            #[cfg(feature = "legacy")]
            Cipher::TripleDes { iv } => {
                let mut chain = [0; 16];
                for (to, from) in chain.iter_mut().zip(iv) {
                    *to = from;
                }
                let cipher = BlockDecrypt::triple_des(key).ok_or(Error::Decrypt)?;
                Mode::Cbc(Cbc::new(cipher, chain, 8))
            }
            Cipher::Gcm { nonce, tag_len, .. } => {
                let cipher = BlockEncrypt::aes(key).ok_or(Error::Decrypt)?;
                Mode::Gcm(Gcm::new(cipher, nonce, tag_len))
            }
        };
        Ok(Self { mode, buffer: Secret::zeros(Self::LOAD)? })
    }

    /// Decrypts a piece; what comes out is provisional.
    pub(crate) fn push(
        &mut self,
        mut input: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        while !input.is_empty() {
            let (used, plaintext) = self.step(input)?;
            input = input.get(used..).unwrap_or_default();
            if !plaintext.is_empty() {
                out(plaintext)?;
            }
        }
        Ok(())
    }

    /// Decrypts the start of `input`: how much of it, and what came out, never more than went in so
    /// far.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<(usize, &[u8])> {
        let (used, done) = match &mut self.mode {
            Mode::Cbc(cbc) => cbc.decrypt(input, self.buffer.as_mut()),
            Mode::Gcm(gcm) => gcm.decrypt(input, self.buffer.as_mut())?,
        };
        Ok((used, self.buffer.as_bytes().get(..done).unwrap_or_default()))
    }

    /// Whether all that came in is what was encrypted; then the last bytes come out. The tag is GCM's,
    /// the attributes are authenticated with it. Not by value: a move would leave the key behind.
    pub(crate) fn finish(
        &mut self,
        tag: Option<&[u8]>,
        attributes: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        match &mut self.mode {
            Mode::Cbc(cbc) => {
                let mut last = cbc.last()?;
                let result =
                    if last.0 > 0 { out(last.1.get(..last.0).unwrap_or(&[])) } else { Ok(()) };
                last.1.zeroize();
                result
            }
            Mode::Gcm(gcm) => gcm.verify(tag.ok_or(Error::Decrypt)?, attributes),
        }
    }
}

/// Authenticated attributes as they are authenticated: as a SET OF, in DER. A content type among
/// them must be that of the content (RFC 5083, 2.1).
pub(crate) fn authenticated_attributes(raw: &[u8]) -> Result<Vec<u8>> {
    let attributes = Element::only(raw)?;
    let as_set = asn1::to_der(&der(asn1::SET, &[attributes.body]))?;
    let mut fields = Element::only(&as_set)?.reader();
    while !fields.is_empty() {
        let mut attribute = fields.expect(asn1::SEQUENCE)?.reader();
        let oid = attribute.oid()?;
        let mut values = attribute.expect(asn1::SET)?.reader();
        attribute.finish()?;
        if oid == oid::CONTENT_TYPE && (values.oid()? != oid::DATA || !values.is_empty()) {
            return Err(Error::Malformed("the authenticated attributes name another content type"));
        }
    }
    Ok(as_set)
}

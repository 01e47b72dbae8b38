//! What a file says about itself, without any key: whom it is for and which algorithms it uses.

use crate::asn1::Algorithm;
use crate::cms::armor::{self, Decoder};
use crate::cms::ber::{Visitor, Walker};
use crate::cms::content::ContentAlgorithm;
use crate::cms::kari::Agreement;
use crate::cms::ktri::Transport;
use crate::cms::recipient::{EncryptedKey, KeyTransport};
use crate::open::enveloped;
use crate::{Encoding, Error, Limit, Limits, Result};
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The public facts about an encrypted file. It holds no content and needs no key.
///
/// ```
/// fn describe(file: &[u8]) -> Result<(), sdi::Error> {
///     let envelope = sdi::Envelope::parse(file, &sdi::Limits::default())?;
///     println!("{} bytes of {}", envelope.content_len(), envelope.content());
///     for recipient in envelope.recipients() {
///         println!("for {} by {}", recipient.name(), recipient.algorithm());
///     }
///     for warning in envelope.warnings() {
///         println!("note: {warning}");
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    encoding: Encoding,
    is_authenticated: bool,
    recipients: Vec<Recipient>,
    content: String,
    content_len: u64,
    warnings: Vec<&'static str>,
    trailing_len: u64,
    has_crlf: bool,
}

/// One recipient of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    name: String,
    algorithm: String,
}

impl Recipient {
    /// Issuer and serial number of its certificate, or its key identifier; printable ASCII. Empty
    /// for kinds of recipients that are not read.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its content key is encrypted, for example `ecdh x963-sha-256 aes-256-wrap` or
    /// `rsa-oaep sha-256 mgf1-sha-256`.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }
}

impl Envelope {
    /// Reads a whole file.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] for a plain file, [`Error::Malformed`] for a damaged one,
    /// [`Error::Limit`] for one beyond the limits. Algorithms that are not opened are no error: the
    /// recipients name them.
    pub fn parse(file: &[u8], limits: &Limits) -> Result<Self> {
        if file.len() > limits.file {
            let max = u64::try_from(limits.file).unwrap_or(u64::MAX);
            return Err(Error::limit(Limit::File, max));
        }
        let start = enveloped(armor::classify(file, true))?;
        let mut decoder = Decoder::new(&start, limits.line);
        let mut walker = Walker::new(limits);
        let mut description = Description {
            limits: limits.clone(),
            envelope: Self {
                encoding: start.encoding,
                is_authenticated: false,
                recipients: Vec::new(),
                content: String::new(),
                content_len: 0,
                warnings: Vec::new(),
                trailing_len: 0,
                has_crlf: start.text(file).contains(&b'\r'),
            },
            agreement: String::new(),
        };
        let mut walk = |ber: &[u8]| walker.push(ber, &mut description);
        decoder.push(file.get(start.at..).unwrap_or_default(), &mut walk)?;
        decoder.finish(&mut walk)?;
        walker.finish()?;
        let mut envelope = description.envelope;
        let text_fill = u64::try_from(start.text_fill(file)).unwrap_or(u64::MAX);
        envelope.trailing_len = walker.trailing().saturating_add(text_fill);
        Ok(envelope)
    }

    /// How the file is written down.
    #[must_use]
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether it is authenticated encryption (RFC 5083).
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        self.is_authenticated
    }

    /// Whom the file is for, in the file's order.
    #[must_use]
    pub fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }

    /// The content encryption, for example `aes-256-gcm`; one that is not opened is given as its
    /// object identifier.
    #[must_use]
    pub fn content(&self) -> &str {
        &self.content
    }

    /// All algorithms of the file, each once: the content's first, then the recipients'.
    #[must_use]
    pub fn algorithms(&self) -> Vec<&str> {
        let recipients = self.recipients.iter().map(Recipient::algorithm);
        let mut seen = BTreeSet::new();
        let all = core::iter::once(self.content()).chain(recipients);
        all.filter(|algorithm| seen.insert(*algorithm)).collect()
    }

    /// Bytes of encrypted content.
    #[must_use]
    pub const fn content_len(&self) -> u64 {
        self.content_len
    }

    /// Bytes of fill behind the end of the file: white space, 00 and FF, which editors, TFTP and flash
    /// blocks add. The end of a text's last line is none.
    #[must_use]
    pub const fn trailing_len(&self) -> u64 {
        self.trailing_len
    }

    /// Whether lines of the text around the envelope end with CR: it was written so (S/MIME in text
    /// mode), or a transfer has changed them. A binary file does not survive such a transfer.
    #[must_use]
    pub const fn has_crlf(&self) -> bool {
        self.has_crlf
    }

    /// What a person may want to know: weak algorithms, missing authenticity.
    #[must_use]
    pub fn warnings(&self) -> &[&'static str] {
        &self.warnings
    }
}

struct Description {
    limits: Limits,
    envelope: Envelope,
    /// The algorithms of the key agreement that is being read.
    agreement: String,
}

impl Description {
    fn recipient(&mut self, name: String, algorithm: String) -> Result<()> {
        self.envelope.recipients.try_reserve(1).map_err(|_| Error::OutOfMemory)?;
        self.envelope.recipients.push(Recipient { name, algorithm });
        Ok(())
    }

    fn warn(&mut self, warning: &'static str) {
        if !self.envelope.warnings.contains(&warning) {
            self.envelope.warnings.push(warning);
        }
    }
}

impl Visitor for Description {
    fn kind(&mut self, is_authenticated: bool) -> Result<()> {
        self.envelope.is_authenticated = is_authenticated;
        if !is_authenticated {
            self.warn("not authenticated: whoever carries the file can change it unnoticed");
        }
        Ok(())
    }

    fn key_transport(&mut self, raw: &[u8]) -> Result<()> {
        let info = KeyTransport::read(raw, &self.limits)?;
        let algorithm = match Transport::read(&info.algorithm) {
            Ok(transport) => {
                if transport == Transport::Pkcs1 {
                    self.warn("RSA PKCS#1 v1.5: a wrong key is not told apart from a right one");
                }
                transport.to_string()
            }
            Err(error) => error_text(&error),
        };
        self.recipient(info.id.text(), algorithm)
    }

    fn key_agreement(&mut self, common: &[u8]) -> Result<()> {
        self.agreement = match Agreement::read(common) {
            Ok(agreement) => {
                if agreement.uses_sha1() {
                    self.warn("key derivation with SHA-1, OpenSSL's default: name a better one");
                }
                agreement.to_string()
            }
            Err(error) => error_text(&error),
        };
        Ok(())
    }

    fn encrypted_key(&mut self, raw: &[u8]) -> Result<()> {
        let name = EncryptedKey::read(raw, &self.limits)?.id.text();
        let algorithm = self.agreement.clone();
        self.recipient(name, algorithm)
    }

    fn other_recipient(&mut self) -> Result<()> {
        self.recipient(String::new(), String::from("of a kind that is not opened"))
    }

    fn content_algorithm(&mut self, algorithm: &Algorithm<'_>) -> Result<()> {
        self.envelope.content =
            match ContentAlgorithm::read(algorithm, self.envelope.is_authenticated) {
                Ok(content) => {
                    if content.name() == "des-ede3-cbc" {
                        self.warn("triple DES: outdated");
                    }
                    let derived = if content.is_derived() { " hkdf-sha256" } else { "" };
                    [content.name(), derived].concat()
                }
                Err(error) => error_text(&error),
            };
        Ok(())
    }

    fn content(&mut self, _: u64, octets: &[u8]) -> Result<()> {
        let more = u64::try_from(octets.len()).unwrap_or(u64::MAX);
        self.envelope.content_len = self.envelope.content_len.saturating_add(more);
        Ok(())
    }

    fn attributes(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn mac(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// What an algorithm that is not opened is called.
fn error_text(error: &Error) -> String {
    match error {
        Error::Unsupported(what) => what.oid().unwrap_or_else(|| what.what().into()),
        _ => "damaged parameters".into(),
    }
}

//! Is this file encrypted? A name and the first bytes in, a [`Detection`] out.
//!
//! No key is needed, nothing is allocated, and nothing can fail. The same scanner serves
//! [`open`](crate::open()), so the two cannot disagree.

use crate::cms::armor::{self, Found};

/// Looks at a file's name and first bytes.
///
/// `head` is the whole file (then say [`Hint::at_end`]) or its start; at most the first 4,096 bytes
/// are looked at, and with those or at the end the answer is final. In order of precedence:
///
/// 1. what the bytes show, whatever the name and the hint say;
/// 2. a name that ends in `.enc`, or [`Hint::expect_encrypted`]: what is no envelope is then
///    [`Detection::Damaged`], never [`Detection::Plain`];
/// 3. otherwise the file is plain.
///
/// Behind other text a PEM block counts only if it really holds an envelope: configurations carry
/// certificates. Lines of base64 that hold one are damaged, since they had such a frame; a secret that is
/// encrypted within a configuration is not taken for one where its lines are indented.
///
/// ```
/// use sdi::{Detection, Hint, detect};
/// let whole = Hint { at_end: true, ..Hint::default() };
/// assert_eq!(detect(Some(b"r1.cfg"), b"hostname r1\n", whole), Detection::Plain);
/// assert!(matches!(detect(Some(b"r1.enc"), b"hostname r1\n", whole), Detection::Damaged(_)));
/// assert!(matches!(
///     detect(None, b"-----BEGIN CMS-----\nMIIBsgYLKoZIhvcNAQkQARegggGhMIIB", Hint::default()),
///     Detection::Enveloped(_)
/// ));
/// ```
#[must_use]
pub fn detect(file_name: Option<&[u8]>, head: &[u8], hint: Hint) -> Detection {
    let is_named = file_name
        .and_then(|name| name.len().checked_sub(4).and_then(|at| name.get(at..)))
        .is_some_and(|end| end.eq_ignore_ascii_case(b".enc"));
    match armor::classify(head, hint.at_end) {
        Found::Enveloped(start) => Detection::Enveloped(start.encoding),
        Found::Plain if is_named || hint.expect_encrypted => {
            Detection::Damaged(Damage::NotAnEnvelope)
        }
        Found::Plain => Detection::Plain,
        Found::Damaged(damage) => Detection::Damaged(damage),
        Found::OtherCms(_) => Detection::OtherCms,
        Found::Empty => Detection::Empty,
        Found::NeedMore => Detection::NeedMore,
    }
}

/// What the caller knows besides the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "made by struct update; more hints are more fields")]
pub struct Hint {
    /// The bytes are the whole file.
    pub at_end: bool,
    /// A DHCP option or an operator said that the file is encrypted.
    pub expect_encrypted: bool,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detection {
    /// An encrypted configuration: decrypt it.
    Enveloped(Encoding),
    /// Not encrypted: today's plain configuration.
    Plain,
    /// Meant to be encrypted, and damaged. Never install it as plain.
    Damaged(Damage),
    /// CMS of another kind, for example signed data. Never install it as plain.
    OtherCms,
    /// Nothing, or nothing but white space: a failed fetch.
    Empty,
    /// The bytes given so far do not tell; give more.
    NeedMore,
}

/// How an encrypted file is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// DER: binary, every length known at the start.
    Der,
    /// BER: binary, with indefinite lengths.
    Ber,
    /// Text between `-----BEGIN ..-----` and `-----END ..-----`.
    Pem(PemLabel),
    /// Mail headers, then base64 or binary.
    Smime,
    /// Base64 without anything around it.
    Base64,
    /// Our eight bytes `89 53 44 49 0D 0A 1A 0A`, then DER or BER.
    Magic,
}

impl Encoding {
    /// Its name in the answers of the C interface and of the command: `der`, `ber`, `pem`, `smime`,
    /// `base64` or `magic-der`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Der => "der",
            Self::Ber => "ber",
            Self::Pem(_) => "pem",
            Self::Smime => "smime",
            Self::Base64 => "base64",
            Self::Magic => "magic-der",
        }
    }

    /// The label of PEM.
    #[must_use]
    pub const fn label(self) -> Option<&'static str> {
        match self {
            Self::Pem(label) => Some(label.name()),
            _ => None,
        }
    }
}

/// The PEM labels under which envelopes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PemLabel {
    /// `PKCS7`: OpenSSL's `smime`, RFC 8886.
    Pkcs7,
    /// `CMS`: OpenSSL's `cms`, RFC 7468.
    Cms,
    /// `ENCRYPTED MESSAGE`: gpgsm.
    EncryptedMessage,
}

impl PemLabel {
    /// As it stands in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pkcs7 => "PKCS7",
            Self::Cms => "CMS",
            Self::EncryptedMessage => "ENCRYPTED MESSAGE",
        }
    }
}

/// Why a file that should be an envelope is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// It ends too early.
    Truncated,
    /// A transfer in text mode (TFTP netascii, FTP ascii) has changed its line ends, or an editor or a
    /// shell took binary data for text.
    TextMode,
    /// Its name, its first bytes or the caller say that it is encrypted; its content is no envelope.
    NotAnEnvelope,
    /// The text around the envelope is damaged.
    Armor,
}

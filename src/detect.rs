//! Is this file encrypted? A name and the first bytes in, a [`Detection`] out.
//!
//! No key is needed, nothing is allocated, and nothing can fail. The same scanner serves
//! [`open`](crate::open()), so the two cannot disagree.

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

/// Why a file that should be an envelope is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// It ends too early.
    Truncated,
    /// A text-mode transfer (TFTP netascii, FTP ascii) has changed its line ends.
    TextMode,
    /// Its name, its first bytes or the caller say that it is encrypted; its content is no envelope.
    NotAnEnvelope,
    /// The text around the envelope is damaged.
    Armor,
}

//! Sealing: a configuration and the certificates of devices in, an encrypted file out.
//!
//! [`seal`] takes a whole configuration; [`Sealer`] takes one that comes piece by piece, in constant
//! memory. Both write the same bytes. Sealing is always binary: what went in comes out again, line
//! ends and all.
//!
//! Nothing here proves who made a file, and nothing looks at a certificate's validity, purpose or
//! signature (RFC 8886, 3.1): check beforehand that the key is the one that you mean.

mod armor;
mod content;
mod header;
mod kari;
#[cfg(feature = "rsa")]
mod ktri;
mod recipient;

use crate::asn1::{self, der_header};
use crate::secret::{on_wiped_stack, wipe_stack};
use crate::{Certificate, Error, Limit, Limits, Misuse, RandomSource, Result, Secret, Sink};
use alloc::boxed::Box;
use alloc::vec::Vec;
use armor::Armor;
use content::{Content, Encryptor, Suite};
use core::fmt::{self, Debug, Formatter};
use header::Header;
use recipient::RecipientInfo;

/// How to encrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Profile {
    /// The best that every recipient's SMIMECapabilities (RFC 4262) list: AES-256-GCM with the key
    /// derivation of RFC 9709, AES-256-GCM, or else AES-256-CBC, which every device opens.
    #[default]
    Auto,
    /// What the appendix of RFC 8886 shows: AES-256-CBC, RSA with PKCS#1 v1.5, recipients by issuer
    /// and serial number, PEM label `PKCS7`. For devices that know nothing else.
    Rfc8886,
    /// Always AuthEnvelopedData with AES-256-GCM: a file that was changed on the way is noticed.
    Authenticated,
    /// Not built yet: [`Error::Unsupported`].
    PostQuantum,
}

/// How to write the file down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Form {
    /// Text between `-----BEGIN ..-----` and `-----END ..-----`.
    #[default]
    Pem,
    /// Binary: DER, or BER for a stream of unknown length.
    Der,
    /// Mail headers, then base64, as OpenSSL writes them.
    Smime,
    /// Our eight bytes `89 53 44 49 0D 0A 1A 0A`, then binary. A text-mode transfer shows.
    MagicDer,
}

/// Seals a configuration to one or more devices, as PEM.
///
/// ```
/// fn encrypt(configuration: &[u8], certificate: &[u8]) -> Result<Vec<u8>, sdi::Error> {
///     let device = sdi::Certificate::parse(certificate)?;
///     sdi::seal(configuration, &[device], sdi::Profile::Auto, &mut sdi::SystemRandom)
/// }
/// ```
///
/// # Errors
/// [`Error::Argument`] without a certificate or for an RSA key below 2048 bits, [`Error::Limit`] for
/// more than 10,000 certificates, for one whose issuer and serial number are longer than devices read
/// (1,024 bytes), or for more content than one key encrypts, [`Error::Random`] when the source fails,
/// [`Error::Unsupported`] for what this build lacks, [`Error::OutOfMemory`].
pub fn seal(
    plaintext: &[u8],
    to: &[Certificate],
    profile: Profile,
    random: &mut dyn RandomSource,
) -> Result<Vec<u8>> {
    seal_as(plaintext, to, profile, Form::Pem, random)
}

/// Seals a configuration in a form of choice.
///
/// # Errors
/// As [`seal`].
pub fn seal_as(
    plaintext: &[u8],
    to: &[Certificate],
    profile: Profile,
    form: Form,
    random: &mut dyn RandomSource,
) -> Result<Vec<u8>> {
    on_wiped_stack(|| whole(plaintext, to, profile, form, random))
}

fn whole(
    plaintext: &[u8],
    to: &[Certificate],
    profile: Profile,
    form: Form,
    random: &mut dyn RandomSource,
) -> Result<Vec<u8>> {
    let mut stream = Stream::new(to, profile, form, random)?;
    let len = u64::try_from(plaintext.len()).map_err(|_| Error::OutOfMemory)?;
    stream.length = Some(len);
    let mut file = Vec::new();
    file.try_reserve_exact(stream.file_len(len)?).map_err(|_| Error::OutOfMemory)?;
    stream.push(plaintext, &mut file)?;
    stream.finish(&mut file)?;
    Ok(file)
}

/// Seals a configuration that comes in pieces, in constant memory.
///
/// **The file is complete only when [`finish`](Self::finish) is `Ok`.** After any error the sealer
/// answers only [`Error::Misuse`]. How the plaintext is cut into pieces does not show in the file.
///
/// ```
/// # use sdi::{Certificate, Form, Profile, Sealer, SystemRandom};
/// fn encrypt(pieces: &[&[u8]], device: Certificate) -> Result<Vec<u8>, sdi::Error> {
///     let mut file = Vec::new();
///     let mut sealer = Sealer::new(&[device], Profile::Auto, Form::Pem, &mut SystemRandom)?;
///     for piece in pieces {
///         sealer.push(piece, &mut file)?;
///     }
///     sealer.finish(&mut file)?;
///     Ok(file)
/// }
/// ```
#[must_use = "a file that is not finished opens nowhere"]
pub struct Sealer {
    /// `None` after an error, and while a call is at work.
    stream: Option<Box<Stream>>,
}

impl Sealer {
    /// A sealer for these devices. All randomness is drawn here: the content key, the nonce, then
    /// what each certificate needs, in their order.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn new(
        to: &[Certificate],
        profile: Profile,
        form: Form,
        random: &mut dyn RandomSource,
    ) -> Result<Self> {
        let stream = on_wiped_stack(|| Stream::new(to, profile, form, random).map(Box::new))?;
        Ok(Self { stream: Some(stream) })
    }

    /// Tells the plaintext's length beforehand: then the envelope is DER, otherwise BER. Fewer or
    /// more bytes are [`Error::Misuse`], and the file is lost.
    ///
    /// # Errors
    /// [`Misuse`] after the first push.
    pub fn set_length(&mut self, plaintext_len: u64) -> Result<(), Misuse> {
        match self.stream.as_deref_mut() {
            Some(stream) if stream.header.is_some() => {
                stream.length = Some(plaintext_len);
                Ok(())
            }
            Some(_) => Err(Misuse("the file has begun; its length comes before it")),
            None => Err(USED_UP),
        }
    }

    /// Takes the next piece of plaintext, of any length.
    ///
    /// # Errors
    /// [`Error::Misuse`] for more than the length that was set, [`Error::Limit`] for more than one
    /// key encrypts, [`Error::Sink`] from the sink.
    pub fn push(&mut self, plaintext: &[u8], sink: &mut dyn Sink) -> Result<()> {
        // Taken out, so that it is gone after an error, and out of a re-entrant call's reach.
        let mut stream = self.stream.take().ok_or(USED_UP)?;
        stream.push(plaintext, sink)?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`Error::Misuse`] for less than the length that was set, [`Error::Sink`] from the sink.
    pub fn finish(mut self, sink: &mut dyn Sink) -> Result<()> {
        let mut stream = self.stream.take().ok_or(USED_UP)?;
        on_wiped_stack(|| stream.finish(sink))
    }
}

/// Each piece of content leaves the cipher's keys on the stack. While the stream lives they are in
/// memory anyway.
impl Drop for Sealer {
    fn drop(&mut self) {
        wipe_stack();
    }
}

impl Debug for Sealer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.stream {
            Some(stream) => write!(f, "Sealer({} bytes so far)", stream.taken),
            None => f.write_str("Sealer(used up)"),
        }
    }
}

const USED_UP: Misuse = Misuse("the stream has failed, or is at work in an outer call");

/// What is encrypted at once: whole blocks, and one OCTET STRING of a BER file.
const PIECE: usize = 8 << 10;

struct Stream {
    /// `None` when it is written.
    header: Option<Header>,
    encryptor: Encryptor,
    armor: Armor,
    /// The plaintext's length, if it was set.
    length: Option<u64>,
    taken: u64,
    /// Plaintext that waits for its piece to be full.
    piece: Secret,
}

impl Stream {
    fn new(
        to: &[Certificate],
        profile: Profile,
        form: Form,
        random: &mut dyn RandomSource,
    ) -> Result<Self> {
        if to.is_empty() {
            return Err(Error::Argument("there is no certificate to seal to"));
        }
        // What a device opens, unless it was given other limits.
        let max = Limits::default().recipients;
        if u64::try_from(to.len()).map_or(true, |recipients| recipients > max) {
            return Err(Error::limit(Limit::Recipients, max));
        }
        let suite = Suite::choose(profile, to)?;
        let Content { algorithm, key, encryptor } = Content::new(suite, random)?;
        let recipients = to.iter().map(|to| RecipientInfo::new(to, &key, profile, random));
        let recipients = recipients.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            header: Some(Header::new(suite.is_authenticated(), &recipients, &algorithm)),
            encryptor,
            armor: Armor::new(form, profile, suite.is_authenticated()),
            length: None,
            taken: 0,
            piece: Secret::with_room(PIECE)?,
        })
    }

    /// How long the file of so much plaintext will be, in DER.
    fn file_len(&self, plaintext: u64) -> Result<usize> {
        let content = self.encryptor.content_len(plaintext)?;
        let der = self.header.as_ref().map_or(0, |header| header.file_len(content));
        self.armor.file_len(der).ok_or(Error::OutOfMemory)
    }

    fn push(&mut self, mut plaintext: &[u8], sink: &mut dyn Sink) -> Result<()> {
        let more = u64::try_from(plaintext.len()).unwrap_or(u64::MAX);
        self.taken = self.taken.saturating_add(more);
        if self.length.is_some_and(|length| self.taken > length) {
            return Err(Misuse("there is more plaintext than the length that was set").into());
        }
        self.encryptor.check_len(self.taken)?;
        self.begin(sink)?;
        while !plaintext.is_empty() {
            let room = PIECE - self.piece.len();
            let (now, later) = plaintext.split_at(plaintext.len().min(room));
            self.piece.extend(now)?;
            plaintext = later;
            if self.piece.len() == PIECE {
                self.encryptor.update(self.piece.as_mut());
                self.write_piece(sink)?;
            }
        }
        Ok(())
    }

    /// Not by value: a move out of the heap would leave the keyed cipher behind.
    fn finish(&mut self, sink: &mut dyn Sink) -> Result<()> {
        if self.length.is_some_and(|length| self.taken < length) {
            return Err(Misuse("there is less plaintext than the length that was set").into());
        }
        self.begin(sink)?;
        let tag = self.encryptor.finish(&mut self.piece)?;
        if !self.piece.is_empty() {
            self.write_piece(sink)?;
        }
        let after = header::after(self.length.is_some(), tag.as_ref().map(<[u8; 16]>::as_slice));
        self.armor.write(&after, sink)?;
        self.armor.end(sink)
    }

    /// Writes what comes before the content, once.
    fn begin(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let Some(header) = self.header.take() else { return Ok(()) };
        let content = self.length.map(|length| self.encryptor.content_len(length)).transpose()?;
        self.armor.begin(sink)?;
        self.armor.write(&header.before(content), sink)
    }

    /// Writes the piece, which is encrypted by now, and empties it.
    fn write_piece(&mut self, sink: &mut dyn Sink) -> Result<()> {
        if self.length.is_none() {
            self.armor.write(&der_header(asn1::OCTET_STRING, self.piece.len()), sink)?;
        }
        self.armor.write(self.piece.as_bytes(), sink)?;
        self.piece.buffer().clear();
        Ok(())
    }
}

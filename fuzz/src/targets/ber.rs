//! The walk over BER, in all forms and under all limits: what it says depends on the bytes alone.

use crate::choices::Choices;
use crate::promises::describes;
use sdi::{Encoding, Envelope, Limits};

/// Input: a byte for the limits, the BER.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let limits = if choices.flag() { super::narrow() } else { Limits::default() };
    let ber = choices.rest();
    let bare = Envelope::parse(ber, &limits);
    if let Err(error) = &bare {
        describes(error);
    }
    // Behind our magic it is the same, if it is an envelope at all.
    let marked = [b"\x89SDI\r\n\x1a\n", ber].concat();
    let marked = Envelope::parse(&marked, &Limits { file: usize::MAX, ..limits.clone() });
    let is_bare =
        |envelope: &&Envelope| matches!(envelope.encoding(), Encoding::Der | Encoding::Ber);
    if let Some(bare) = bare.as_ref().ok().filter(is_bare) {
        let marked = marked.expect("it is the same behind our magic");
        assert_eq!(marked.encoding(), Encoding::Magic);
        assert_eq!(facts(bare), facts(&marked));
    }
    if let Ok(bare) = &bare {
        // What narrow limits let through, wide ones do.
        assert_eq!(Envelope::parse(ber, &Limits::default()).as_ref(), Ok(bare));
        let text = bare.recipients().iter().map(|recipient| recipient.name());
        assert!(text.chain([bare.content()]).all(|text| text.is_ascii()));
        let algorithms = bare.algorithms();
        assert!(algorithms.len() <= 1 + bare.recipients().len());
        assert_eq!(algorithms.first(), Some(&bare.content()));
        assert!(bare.content_len() <= u64::try_from(ber.len()).unwrap_or(0));
    }
}

/// All but how it is written down.
pub(crate) fn facts(envelope: &Envelope) -> impl PartialEq + std::fmt::Debug {
    let recipients = envelope.recipients().to_vec();
    let content = (envelope.content().to_owned(), envelope.content_len());
    (envelope.is_authenticated(), recipients, content, envelope.warnings().to_vec())
}

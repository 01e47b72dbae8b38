//! Device keys in modules that answer at once: an RSA decryption here is no arithmetic, so that the
//! fuzzer can write padded blocks in the clear and reach what stands behind them.

use crate::corpus::Device;
use sdi::{DeviceKey, KeyError, PeerPoint, PublicKey, RsaScheme, Secret};
use std::sync::Arc;

/// How a module answers.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// The encrypted key is the block.
    Raw,
    /// No bare operation; the encrypted key without its first byte is the message, which that byte
    /// shortens.
    Unpads,
    /// It refuses each third ciphertext, fails at the next, and answers nothing to the third.
    Moody,
}

#[derive(Debug)]
struct Module {
    inner: Arc<dyn DeviceKey>,
    manner: Manner,
}

impl Module {
    fn mood(input: &[u8]) -> Result<Secret, KeyError> {
        match input.last().map(|last| last % 5) {
            Some(0) => Err(KeyError::Refused),
            Some(1) => Err(KeyError::Vendor(-7)),
            Some(2) => Err(KeyError::Answer),
            Some(3) => Ok(Secret::from(vec![1; 600])),
            _ => Ok(Secret::new()),
        }
    }
}

impl DeviceKey for Module {
    fn public_key(&self) -> &PublicKey {
        self.inner.public_key()
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        match self.manner {
            Manner::Moody => Self::mood(peer.point()),
            _ => self.inner.agree(peer),
        }
    }

    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        match (self.manner, scheme) {
            (Manner::Raw, RsaScheme::Raw) => Ok(Secret::from(ciphertext.to_vec())),
            (Manner::Raw, _) | (Manner::Unpads, RsaScheme::Raw) => Err(KeyError::Unsupported),
            (Manner::Unpads, _) => {
                let (first, rest) = ciphertext.split_first().ok_or(KeyError::Answer)?;
                let len = usize::from(*first).min(rest.len());
                Ok(Secret::from(rest[..len].to_vec()))
            }
            (Manner::Moody, _) => Self::mood(ciphertext),
        }
    }
}

/// Devices with such modules, around keys of the corpus.
pub(crate) fn devices(known: &[Device]) -> Vec<Device> {
    let with = |is_rsa: bool, manner| {
        let fits = |device: &&Device| {
            let name = format!("{:?}", device.key.public_key().algorithm());
            name.starts_with(if is_rsa { "Rsa(2048" } else { "P256" })
        };
        let device = known.iter().find(fits).expect("the corpus has such a key").clone();
        Device { key: Arc::new(Module { inner: device.key, manner }), ..device }
    };
    vec![
        with(true, Manner::Raw),
        with(true, Manner::Unpads),
        with(true, Manner::Moody),
        with(false, Manner::Moody),
    ]
}

//! Is a file for the device with this certificate? Answered without its private key.

use sdi::{
    Certificate, DeviceKey, Error, Identity, KeyError, KeyRing, PeerPoint, PublicKey, RsaScheme,
    Secret,
};
use std::sync::Arc;

/// A key that refuses everything it is asked. The library then says "decryption failed" of a file
/// that names the certificate, and "not for this device" of every other one.
#[derive(Debug)]
struct Refusing(PublicKey);

impl DeviceKey for Refusing {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn agree(&self, _: PeerPoint<'_>) -> Result<Secret, KeyError> {
        Err(KeyError::Refused)
    }

    fn rsa_decrypt(&self, _: RsaScheme, _: &[u8]) -> Result<Secret, KeyError> {
        Err(KeyError::Refused)
    }
}

/// Whether the file names the certificate, or its key, as a recipient.
///
/// # Errors
/// What is wrong with the file itself.
pub(crate) fn is_for(file: &[u8], certificate: &Certificate) -> sdi::Result<bool> {
    let key = Refusing(certificate.public_key().clone());
    let mut keys = KeyRing::new();
    keys.set_vendor(Identity::new(Arc::new(key), Some(certificate.clone()))?)?;
    match sdi::open(file, &keys) {
        Ok(_) | Err(Error::Decrypt) => Ok(true),
        Err(Error::NotForThisDevice(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdi::{DeviceId, IdentityBuilder, KeyAlgorithm, Profile, SoftwareKey, SystemRandom};

    fn certificate(algorithm: KeyAlgorithm) -> Certificate {
        let key = SoftwareKey::generate(algorithm, &mut SystemRandom).unwrap();
        IdentityBuilder::new(DeviceId::new("SN1").unwrap(), 0).self_sign(&key).unwrap()
    }

    #[test]
    fn a_file_is_for_those_it_names() {
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048)] {
            let (ours, other) = (certificate(algorithm), certificate(algorithm));
            for profile in [Profile::Rfc8886, Profile::Authenticated] {
                let to = [ours.clone()];
                let file = sdi::seal(b"hostname r1\n", &to, profile, &mut SystemRandom).unwrap();
                assert_eq!(is_for(&file, &ours), Ok(true), "{algorithm:?} {profile:?}");
                assert_eq!(is_for(&file, &other), Ok(false), "{algorithm:?} {profile:?}");
            }
        }
        assert_eq!(
            is_for(b"hostname r1\n", &certificate(KeyAlgorithm::P256)),
            Err(Error::NotEncrypted)
        );
    }
}

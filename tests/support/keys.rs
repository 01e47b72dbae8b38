//! Devices, their certificates, and keys that note what they are asked.

use super::der::{Node, integer, oid, sequence, set};
use sdi::{
    Certificate, DeviceKey, Identity, KeyAlgorithm, KeyError, KeyRing, PeerPoint, PublicKey,
    RsaScheme, Secret, SoftwareKey, SystemRandom,
};
use std::sync::{Arc, Mutex};

/// A device: a key and the certificate around it.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) key: Arc<dyn DeviceKey>,
    pub(crate) certificate: Certificate,
}

impl Device {
    /// A device with a new key on a curve.
    pub(crate) fn new(algorithm: KeyAlgorithm, name: &str) -> Self {
        let key = SoftwareKey::generate(algorithm, &mut SystemRandom).expect("a key can be made");
        Self::with_key(Arc::new(key), name)
    }

    pub(crate) fn with_key(key: Arc<dyn DeviceKey>, name: &str) -> Self {
        let certificate = certificate(key.public_key(), name);
        Self { key, certificate }
    }

    /// The same device, whose key notes its operations as `name`.
    pub(crate) fn watched(&self, name: &'static str, log: &Log) -> Self {
        let key = Arc::new(Watched { name, inner: Arc::clone(&self.key), log: log.clone() });
        Self { key, certificate: self.certificate.clone() }
    }

    /// The same device, whose key notes its operations as `name` and fails with code 7.
    pub(crate) fn failing(&self, name: &'static str, log: &Log) -> Self {
        let key = Arc::new(Failing(self.watched(name, log).key));
        Self { key, certificate: self.certificate.clone() }
    }

    pub(crate) fn identity(&self) -> Identity {
        let certificate = Some(self.certificate.clone());
        Identity::new(Arc::clone(&self.key), certificate).expect("they belong together")
    }

    /// The key without the certificate.
    pub(crate) fn bare(&self) -> Identity {
        Identity::new(Arc::clone(&self.key), None).expect("a key needs nothing else")
    }

    /// A ring with this device as the vendor's identity.
    pub(crate) fn ring(&self) -> KeyRing {
        super::corpus::ring_of(self.identity())
    }
}

/// A certificate with the least that one can hold. Its signature is a zero: nobody looks at it.
pub(crate) fn certificate(key: &PublicKey, name: &str) -> Certificate {
    let common_name = |name: &str| {
        let value = Node::Primitive(0x0c, name.as_bytes().to_vec());
        sequence([set([sequence([oid("2.5.4.3"), value])])])
    };
    let time = |digits: &str| Node::Primitive(0x18, digits.as_bytes().to_vec());
    let algorithm = sequence([oid("1.2.840.113549.1.1.11")]);
    let fields = sequence([
        integer(7),
        algorithm.clone(),
        common_name(name),
        sequence([time("20200101000000Z"), time("99991231235959Z")]),
        common_name(name),
        Node::Raw(key.spki_der().to_vec()),
    ]);
    let signature = Node::Primitive(0x03, vec![0, 0]);
    let der = sequence([fields, algorithm, signature]).encode();
    Certificate::parse(&der).expect("the certificate has every field")
}

/// What keys were asked, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Takes the entries out.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no test panicked while it held the log"))
    }

    fn note(&self, entry: String) {
        self.0.lock().expect("no test panicked while it held the log").push(entry);
    }
}

/// A key that notes every operation it is asked for, then does it.
#[derive(Debug)]
struct Watched {
    name: &'static str,
    inner: Arc<dyn DeviceKey>,
    log: Log,
}

impl DeviceKey for Watched {
    fn public_key(&self) -> &PublicKey {
        self.inner.public_key()
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        self.log.note(format!("{} agree", self.name));
        self.inner.agree(peer)
    }

    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        self.log.note(format!("{} {scheme:?}", self.name));
        self.inner.rsa_decrypt(scheme, ciphertext)
    }
}

/// A key that does what it is asked for, and does not tell the answer.
#[derive(Debug)]
struct Failing(Arc<dyn DeviceKey>);

impl DeviceKey for Failing {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        self.0.agree(peer).and(Err(KeyError::Vendor(7)))
    }

    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        self.0.rsa_decrypt(scheme, ciphertext).and(Err(KeyError::Vendor(7)))
    }
}

/// A key that keeps what it answered last: the content key of a file can be read out of it.
#[derive(Debug)]
pub(crate) struct Recording {
    inner: Arc<dyn DeviceKey>,
    answer: Mutex<Vec<u8>>,
}

impl Recording {
    pub(crate) fn new(inner: Arc<dyn DeviceKey>) -> Self {
        Self { inner, answer: Mutex::new(Vec::new()) }
    }

    fn keep(&self, answer: &[u8]) {
        let mut kept = self.answer.lock().expect("no test panicked while it held the answer");
        *kept = answer.to_vec();
    }

    /// The message in the last block, if that was PKCS#1 v1.5: 00 02, padding, 00, message.
    pub(crate) fn pkcs1_message(&self) -> Vec<u8> {
        let block = self.answer.lock().expect("no test panicked while it held the answer");
        let zero = block[2..].iter().position(|&byte| byte == 0).expect("the padding ends");
        block[2 + zero + 1..].to_vec()
    }
}

impl DeviceKey for Recording {
    fn public_key(&self) -> &PublicKey {
        self.inner.public_key()
    }

    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        let answer = self.inner.rsa_decrypt(scheme, ciphertext)?;
        self.keep(answer.as_bytes());
        Ok(answer)
    }
}

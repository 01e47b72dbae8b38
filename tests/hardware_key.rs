//! Keys in modules that can do little: only a raw agreement, only one RSA scheme. The rest of the
//! work is the library's.

mod support;

use sdi::{
    DeviceKey, Error, KeyError, KeyFault, KeyRing, Limit, OperatorMode, Owner, PeerPoint,
    PublicKey, RsaScheme, Secret, SoftwareKey,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use support::corpus::{Case, Expect, case, cases, ring_of};
use support::der::edited;
use support::forge::{Random, Suite, modulus_len, pkcs1_block, pkcs1_recipient};
use support::keys::{Device, Log};
use support::opened_every_way;

/// A module with a key, and what it can do with it.
#[derive(Debug)]
struct Module {
    key: Arc<SoftwareKey>,
    agrees: bool,
    schemes: &'static [RsaScheme],
}

impl DeviceKey for Module {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        if self.agrees { self.key.agree(peer) } else { Err(KeyError::Unsupported) }
    }

    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        if !self.schemes.contains(&scheme) {
            return Err(KeyError::Unsupported);
        }
        let block = self.key.rsa_decrypt(RsaScheme::Raw, ciphertext)?;
        match scheme {
            RsaScheme::Raw => Ok(block),
            RsaScheme::Pkcs1ImplicitRejection => Ok(pkcs1(block.as_bytes()).into()),
            RsaScheme::OaepSha256 => {
                oaep(block.as_bytes()).map(Secret::from).ok_or(KeyError::Refused)
            }
            _ => Err(KeyError::Unsupported),
        }
    }
}

/// PKCS#1 v1.5 in a module with implicit rejection: bad padding gives a message, too.
fn pkcs1(block: &[u8]) -> Vec<u8> {
    let zero = block.iter().skip(2).position(|&byte| byte == 0).map(|at| at + 2);
    match zero {
        Some(zero) if block.starts_with(&[0, 2]) && zero >= 10 => block[zero + 1..].to_vec(),
        _ => Sha256::digest(block)[..19].to_vec(),
    }
}

/// OAEP with SHA-256 twice and without a label (RFC 8017, 7.1.2).
fn oaep(block: &[u8]) -> Option<Vec<u8>> {
    let masked = |data: &[u8], seed: &[u8]| -> Vec<u8> {
        let pieces = data.chunks(32).zip(0_u32..).flat_map(|(piece, counter)| {
            let mask = Sha256::digest([seed, &counter.to_be_bytes()].concat());
            piece.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect::<Vec<u8>>()
        });
        pieces.collect()
    };
    let (seed, data) = block.get(1..)?.split_at_checked(32)?;
    let data = masked(data, &masked(seed, data));
    let rest = data.strip_prefix(Sha256::digest(b"").as_slice())?;
    let one = rest.iter().position(|&byte| byte != 0)?;
    (block[0] == 0 && rest[one] == 1).then(|| rest[one + 1..].to_vec())
}

fn device(case: &Case, agrees: bool, schemes: &'static [RsaScheme]) -> Device {
    let key = Arc::new(Module { key: case.key(), agrees, schemes });
    Device { key, certificate: case.certificate() }
}

fn ring(case: &Case, agrees: bool, schemes: &'static [RsaScheme]) -> KeyRing {
    device(case, agrees, schemes).ring()
}

fn assert_opens(case: &Case, ring: &KeyRing) {
    match opened_every_way(&case.message(), ring) {
        Ok((plaintext, _)) => assert_eq!(plaintext, case.plaintext(), "{}", case.id()),
        Err(error) => panic!("{}: {error:?}", case.id()),
    }
}

/// A file that the module cannot open in its schemes is unsupported, not broken.
fn assert_unsupported(case: &Case, ring: &KeyRing) {
    let error = opened_every_way(&case.message(), ring).expect_err(case.id());
    assert_eq!(error.code(), 120, "{}: {error:?}", case.id());
}

/// One case of each value of an index field, of one kind of key.
fn one_of_each(field: &str, key: &str) -> Vec<Case> {
    let mut all: Vec<Case> = cases("corpus");
    all.retain(|case| {
        case.expect() == Expect::Plaintext
            && case.text("key_alg").is_some_and(|name| name.starts_with(key))
            && case.text(field).is_some()
    });
    let labelled_last = |case: &Case| case.text("oaep_label").is_some();
    all.sort_by(|a, b| (a.text(field), labelled_last(a)).cmp(&(b.text(field), labelled_last(b))));
    all.dedup_by(|a, b| a.text(field) == b.text(field));
    all
}

#[test]
fn a_raw_agreement_is_enough() {
    let mut opened = 0;
    for curve in ["P-256", "P-384", "P-521"] {
        for field in ["ka", "kdf", "wrap", "content_enc", "rid"] {
            for case in one_of_each(field, curve) {
                assert_opens(&case, &ring(&case, true, &[]));
                opened += 1;
            }
        }
    }
    assert!(opened > 50, "{opened}");
    let modern = cases("corpus-modern");
    let x25519 = modern.iter().filter(|case| case.expect() == Expect::Plaintext);
    for case in x25519.filter(|case| case.id().contains("x25519")) {
        assert_opens(case, &ring(case, true, &[]));
    }
}

#[test]
fn raw_rsa_is_enough() {
    let transports = one_of_each("kt", "rsa:2048");
    assert!(transports.len() >= 14, "{}", transports.len());
    for case in transports.iter().chain(&one_of_each("content_enc", "rsa:2048")) {
        assert_opens(case, &ring(case, false, &[RsaScheme::Raw]));
    }
}

#[test]
fn implicit_rejection_opens_pkcs1_alone() {
    for case in one_of_each("kt", "rsa:2048") {
        let ring = ring(&case, false, &[RsaScheme::Pkcs1ImplicitRejection]);
        match case.text("kt") {
            Some("rsaes-pkcs1-v1_5") => assert_opens(&case, &ring),
            _ => {
                assert_unsupported(&case, &ring);
                // Without the certificate nothing tells that the file is for another device.
                let schemes = &[RsaScheme::Pkcs1ImplicitRejection];
                assert_unsupported(&case, &ring_of(device(&case, false, schemes).bare()));
            }
        }
    }
    for id in ["v15-no-zero", "v15-short-ps", "v15-first-byte-1", "v15-zero-in-ps"] {
        let case = case(&format!("reject/rsa--{id}"));
        let ring = ring(&case, false, &[RsaScheme::Pkcs1ImplicitRejection]);
        assert_eq!(opened_every_way(&case.message(), &ring), Err(Error::Decrypt), "{id}");
    }
}

#[test]
fn oaep_sha256_opens_its_own_alone() {
    let mut opened = 0;
    let labelled = case("openssl/oaep-label");
    for case in one_of_each("kt", "rsa:2048").into_iter().chain([labelled]) {
        let ring = ring(&case, false, &[RsaScheme::OaepSha256]);
        match case.text("kt") {
            Some("rsaes-oaep(sha256,mgf1-sha256)") if case.text("oaep_label").is_none() => {
                assert_opens(&case, &ring);
                opened += 1;
            }
            _ => assert_unsupported(&case, &ring),
        }
    }
    assert_eq!(opened, 1);
}

/// A key whose module answers as a function makes it.
struct Answering<F>(Arc<SoftwareKey>, F);

impl<F> std::fmt::Debug for Answering<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answering")
    }
}

impl<F> DeviceKey for Answering<F>
where
    F: Fn(Vec<u8>) -> Result<Vec<u8>, KeyError> + Send + Sync,
{
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        self.1(self.0.agree(peer)?.into_bytes()).map(Secret::from)
    }

    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        self.1(self.0.rsa_decrypt(scheme, ciphertext)?.into_bytes()).map(Secret::from)
    }
}

fn answering<F>(case: &Case, answer: F) -> Device
where
    F: Fn(Vec<u8>) -> Result<Vec<u8>, KeyError> + Send + Sync + 'static,
{
    Device { key: Arc::new(Answering(case.key(), answer)), certificate: case.certificate() }
}

const BOTH: [&str; 2] = ["openssl/cms-p256-aes-256-cbc", "openssl/gcm-rsa2048-aes256"];

#[test]
fn a_failing_module_is_named_with_its_code() {
    for case in BOTH.map(case) {
        assert_opens(&case, &answering(&case, Ok).ring());
        let failing = answering(&case, |_| Err(KeyError::Vendor(-0x922))).ring();
        let error = opened_every_way(&case.message(), &failing).unwrap_err();
        assert_eq!(error, Error::Key(KeyFault::Vendor(-0x922)));
        assert_eq!((error.code(), error.vendor_code()), (150, -0x922));
        assert!(error.to_string().contains("-2338"), "{error}");
        let refusing = answering(&case, |_| Err(KeyError::Refused)).ring();
        assert_eq!(opened_every_way(&case.message(), &refusing), Err(Error::Decrypt));
    }
}

#[test]
fn answers_of_other_lengths() {
    for case in BOTH.map(case) {
        let longer = answering(&case, |answer| Ok([&[0], answer.as_slice()].concat())).ring();
        let error = opened_every_way(&case.message(), &longer).unwrap_err();
        assert_eq!(error, Error::Key(KeyFault::Answer));
        // Leading zeros may be missing, but this was no zero.
        let shorter = answering(&case, |answer| Ok(answer[2..].to_vec())).ring();
        assert_eq!(opened_every_way(&case.message(), &shorter), Err(Error::Decrypt));
        let empty = answering(&case, |_| Ok(Vec::new())).ring();
        let error = opened_every_way(&case.message(), &empty).unwrap_err();
        assert!([110, 140, 150].contains(&error.code()), "{error:?}");
    }
    let without_zeros = |answer: Vec<u8>| {
        let zeros = answer.iter().take_while(|&&byte| byte == 0).count();
        Ok(answer[zeros..].to_vec())
    };
    let rsa = case(BOTH[1]);
    assert_opens(&rsa, &answering(&rsa, without_zeros).ring());
}

/// The vendor's key opens although the operator's module is broken; if none opens, the module's
/// failure is the most useful one to report.
#[test]
fn a_broken_module_does_not_hide_the_other_key() {
    let case = case(BOTH[0]);
    let broken = answering(&case, |_| Err(KeyError::Vendor(7)));
    let mut ring = case.ring();
    ring.set_operator(Some(broken.identity()), OperatorMode::Prefer).unwrap();
    let (plaintext, summary) = opened_every_way(&case.message(), &ring).unwrap();
    assert_eq!((plaintext, summary.owner()), (case.plaintext(), Owner::Vendor));

    let mut ring = answering(&case, |_| Err(KeyError::Refused)).ring();
    ring.set_operator(Some(broken.identity()), OperatorMode::Prefer).unwrap();
    let error = opened_every_way(&case.message(), &ring).unwrap_err();
    assert_eq!(error, Error::Key(KeyFault::Vendor(7)));
}

/// No coordinate is empty: it is the module that is at fault, and not the sender's point.
#[test]
fn an_empty_answer_is_the_modules_fault() {
    let case = case(BOTH[0]);
    let empty = answering(&case, |_| Ok(Vec::new())).ring();
    let error = opened_every_way(&case.message(), &empty).unwrap_err();
    assert_eq!(error, Error::Key(KeyFault::Answer));
}

/// An encrypted key that is not as long as the modulus is damage that everybody sees: no module is asked.
#[test]
fn an_encrypted_key_of_another_length_is_not_asked_for() {
    let case = case(BOTH[1]);
    let log = Log::default();
    let ring = case.device().watched("key", &log).ring();
    assert!(sdi::open(&case.message(), &ring).is_ok());
    assert!(!log.take().is_empty());
    let cut = edited(&case.message(), &[1, 0, 1, 0, 3], |key| {
        key.body().pop();
    });
    let error = opened_every_way(&cut, &ring).unwrap_err();
    assert!(matches!(error, Error::Malformed(_)), "{error:?}");
    assert_eq!(log.take(), [""; 0]);
}

/// What a module refuses fails as a wrong key does, whatever else is wrong: the key that stands in for it
/// is known to all, so that an attacker chooses what it decrypts to.
#[test]
fn a_refused_file_shows_nothing_else() {
    let case = case(BOTH[1]);
    let mut random = Random(1);
    let key = [0; 32];
    let block = pkcs1_block(modulus_len(case.key().public_key()), &key, &mut random);
    let recipient = pkcs1_recipient(case.key().public_key(), &block);
    let file = Suite::Aes256Cbc.encrypt(&key, b"hostname of a router\n").to([recipient]);
    let held = |ring: &KeyRing, max| {
        let mut opener = sdi::Opener::new(ring)?;
        opener.hold(max)?;
        let mut plaintext = Vec::new();
        opener.push(&file, &mut plaintext)?;
        opener.finish(&mut plaintext).map(drop)
    };
    let refusing = answering(&case, |_| Err(KeyError::Refused)).ring();
    // The last block is one byte too many.
    let limit = Error::Limit { which: Limit::Held, max: 20 };
    assert_eq!((held(&case.ring(), 21), held(&case.ring(), 20)), (Ok(()), Err(limit)));
    assert_eq!(held(&refusing, 21), Err(Error::Decrypt));
    assert_eq!(held(&refusing, 20), Err(Error::Decrypt));
}

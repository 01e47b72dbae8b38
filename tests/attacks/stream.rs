//! A16: more than four gigabytes.

use super::device::device;
use super::support::forge::Random;
use sdi::{Form, KeyAlgorithm, Opener, Profile, Sealer};

/// A stream of five gigabytes, whose counts are right.
#[test]
#[ignore = "minutes in a build that is not optimised: cargo test --release -- --ignored a16"]
fn a16_a_stream_of_five_gigabytes() {
    const CHUNK: usize = 1 << 20;
    const CHUNKS: usize = 5 << 10;

    let device = device(KeyAlgorithm::P256);
    let to = [device.certificate.clone()];
    let zeros = vec![0; CHUNK];
    for (profile, length_is_known) in [(Profile::Authenticated, false), (Profile::Rfc8886, true)] {
        let total = u64::try_from(CHUNK * CHUNKS).unwrap();
        let mut sealer = Sealer::new(&to, profile, Form::Der, &mut Random(5)).unwrap();
        if length_is_known {
            sealer.set_length(total).unwrap();
        }
        let mut opener = Opener::new(&device.ring()).unwrap();
        let mut counted = 0_u64;
        let mut count = |bytes: &[u8]| {
            assert!(bytes.iter().all(|&byte| byte == 0));
            counted += u64::try_from(bytes.len()).unwrap();
            Ok(())
        };
        let mut sealed = Vec::with_capacity(2 * CHUNK);
        for _ in 0..CHUNKS {
            sealed.clear();
            sealer.push(&zeros, &mut sealed).unwrap();
            opener.push(&sealed, &mut count).unwrap();
        }
        sealed.clear();
        sealer.finish(&mut sealed).unwrap();
        opener.push(&sealed, &mut count).unwrap();
        let summary = opener.finish(&mut count).unwrap();
        assert_eq!((summary.plaintext_len(), counted), (total, total), "{profile:?}");
    }
}

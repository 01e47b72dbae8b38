//! However a file is cut into pieces, it opens in the same way: every cut in two, of a file of each
//! kind and form.

mod support;

use sdi::{KeyRing, Opener, Summary};
use support::corpus::{Case, case, cases};

fn in_two(file: &[u8], cut: usize, ring: &KeyRing) -> sdi::Result<(Vec<u8>, Summary)> {
    let mut plaintext = Vec::new();
    let (first, second) = file.split_at(cut);
    let mut opener = Opener::new(ring)?;
    opener.push(first, &mut plaintext)?;
    opener.push(second, &mut plaintext)?;
    let summary = opener.finish(&mut plaintext)?;
    Ok((plaintext, summary))
}

fn check(case: &Case, step: usize) {
    let ring = case.ring();
    let file = case.message();
    let whole = sdi::open(&file, &ring).unwrap_or_else(|error| panic!("{}: {error:?}", case.id()));
    assert_eq!(whole.plaintext(), case.plaintext(), "{}", case.id());
    for cut in (0..=file.len()).step_by(step) {
        match in_two(&file, cut, &ring) {
            Ok((plaintext, summary)) => {
                assert_eq!(plaintext, whole.plaintext(), "{} cut at {cut}", case.id());
                assert_eq!(&summary, whole.summary(), "{} cut at {cut}", case.id());
            }
            Err(error) => panic!("{} cut at {cut}: {error:?}", case.id()),
        }
    }
}

#[test]
fn every_cut_of_files_to_elliptic_curve_keys() {
    // Attributes that are authenticated behind the content; CBC; a derived content key.
    for id in ["bc/gcm-auth-and-unauth-attrs-p256", "pkijs/ka-p256-sha256-aes256"] {
        check(&case(id), 1);
    }
    let derived = |case: &Case| case.id().ends_with("cekhkdf-p256-cbc");
    let modern: Vec<Case> = cases("corpus-modern").into_iter().filter(derived).collect();
    assert_eq!(modern.len(), 1);
    check(&modern[0], 1);
}

#[test]
fn every_seventh_cut_of_rsa_files_in_text_forms() {
    for id in ["bc/pem-pkcs7", "reject/smime--header-order-case-folded", "reject/pem--mixed-eol"] {
        check(&case(id), 7);
    }
}

#[test]
fn cuts_about_the_first_4096_bytes_and_in_content_of_many_pieces() {
    let file = case("bc/cbc-ber-buf32k-rsa2048");
    check(&file, 1999);
}

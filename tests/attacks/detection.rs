//! A28: `detect` and `open` never disagree about what a file is.

use super::device::{attempt, ring_of_case};
use super::support::corpus::{Case, cases};
use super::support::forge::Random;
use sdi::{Detection, Error, Hint, KeyRing};

/// What the two say about a file fits together.
fn agree(file: &[u8], ring: &KeyRing) -> Result<bool, String> {
    let hint = Hint { at_end: true, ..Hint::default() };
    let detection = sdi::detect(None, file, hint);
    let opened = sdi::open(file, ring).map(|_| ());
    let fits = match (&detection, &opened) {
        (Detection::Enveloped(_), opened) => *opened != Err(Error::NotEncrypted),
        (Detection::Plain, opened) => *opened == Err(Error::NotEncrypted),
        (Detection::NeedMore, _) => false,
        (_, opened) => opened.is_err() && *opened != Err(Error::NotEncrypted),
    };
    if fits { Ok(opened.is_ok()) } else { Err(format!("{detection:?}, but {opened:?}")) }
}

/// Pieces that mean something to the scanner.
const WORDS: [&[u8]; 24] = [
    b"-----BEGIN CMS-----\n",
    b"-----BEGIN PKCS7-----\r\n",
    b"-----BEGIN ENCRYPTED MESSAGE-----\n",
    b"-----END CMS-----\n",
    b"-----END PKCS7-----",
    b"-----",
    b"\xef\xbb\xbf",
    b"\x89SDI\r\n\x1a\n",
    b"\x89SDI\n",
    b"\r\n",
    b"\n\n",
    b"\r\0",
    b"MIME-Version: 1.0\n",
    b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n",
    b"Content-Type: text/plain\n",
    b"Content-Transfer-Encoding: base64\n\n",
    b"Content-Transfer-Encoding: binary\n\n",
    b"hostname r1\n",
    b"MII",
    b"==",
    b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80",
    b"\x30\x82\x01\x00\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17",
    b"\0\0",
    b"\xff\xff",
];

fn mutated(file: &[u8], random: &mut Random) -> Vec<u8> {
    let mut file = file.to_vec();
    for _ in 0..=random.below(3) {
        // Most of what decides stands at the start.
        let near = file.len().min(if random.below(3) == 0 { file.len() } else { 200 });
        let at = random.below(near + 1);
        let word = WORDS[random.below(WORDS.len())];
        match random.below(8) {
            0 if at < file.len() => file[at] ^= 1 << random.below(8),
            1 if at < file.len() => file[at] = random.next().to_be_bytes()[0],
            2 => file.truncate(at),
            3 => drop(file.drain(..at)),
            4 => drop(file.drain(at..(at + 1 + random.below(40)).min(file.len()).max(at))),
            5 => drop(file.splice(at..at, word.iter().copied())),
            6 => drop(file.splice(0..0, word.iter().copied())),
            _ => file.extend_from_slice(word),
        }
    }
    file
}

#[test]
fn a28_detect_and_open_agree_on_the_corpus() {
    let (mut files, mut opened) = (0, 0);
    let cases: Vec<Case> = cases("corpus").into_iter().chain(cases("corpus-modern")).collect();
    for case in &cases {
        let Some(ring) = case.text("key").map(|_| ring_of_case(case)) else { continue };
        files += 1;
        match agree(&case.message(), &ring) {
            Ok(is_open) => opened += usize::from(is_open),
            Err(disagreement) => panic!("{}: {disagreement}", case.id()),
        }
    }
    println!("A28: {files} files of the corpus, {opened} open, no disagreement");
    assert!(opened > 400, "{opened}");
}

/// Fifty thousand inputs that were files of the corpus; the fuzzer has the million.
#[test]
fn a28_detect_and_open_agree_on_what_is_damaged() {
    const INPUTS: usize = 50_000;
    let mut random = Random(28);
    let mut seeds = cases("corpus");
    // Elliptic curves, whose operations are quick, and small files.
    seeds.retain(|case| case.text("key_alg").is_some_and(|key| key.starts_with("P-256")));
    let seeds: Vec<(Case, Vec<u8>, KeyRing)> = seeds
        .into_iter()
        .map(|case| (case.message(), ring_of_case(&case), case))
        .filter(|(file, ..)| file.len() < 4000)
        .map(|(file, ring, case)| (case, file, ring))
        .collect();
    assert!(seeds.len() > 100, "{}", seeds.len());
    let (mut opened, mut kinds) = (0, std::collections::BTreeSet::new());
    for number in 0..INPUTS {
        let (case, file, ring) = &seeds[number % seeds.len()];
        let file = mutated(file, &mut random);
        match agree(&file, ring) {
            Ok(is_open) => opened += usize::from(is_open),
            Err(disagreement) => panic!("{} mutated, {file:02x?}: {disagreement}", case.id()),
        }
        let hint = Hint { at_end: true, ..Hint::default() };
        kinds.insert(format!("{:?}", sdi::detect(None, &file, hint)));
    }
    println!("A28: {INPUTS} inputs, {opened} open, no disagreement; {kinds:?}");
    assert!(opened > 300 && kinds.len() > 10, "{opened} {kinds:?}");
}

/// A configuration that carries certificates is plain, whatever their label, and is installed.
#[test]
fn a28_a_configuration_with_certificates_inside_is_installed() {
    let case = super::support::corpus::case("openssl/size-p256-gcm-p17");
    let signed = super::support::der::edited(&case.message(), &[0], |kind| {
        *kind = super::support::der::oid("1.2.840.113549.1.7.2");
    });
    let base64 = super::support::base64(&signed);
    for label in ["PKCS7", "CMS", "CERTIFICATE"] {
        let config = format!(
            "hostname r1\ncrypto pki certificate chain x\n\
             -----BEGIN {label}-----\n{base64}-----END {label}-----\nend\n"
        );
        let attempt = attempt(&case.ring(), config.as_bytes());
        assert_eq!(attempt.installed.as_deref(), Some(config.as_bytes()), "{label}");
        assert!(!attempt.decrypted);
    }
}

//! A2, A3, A4: a cipher in the wrong container, an AEAD that is made CBC, a cipher behind another
//! identifier.

use super::device::{Attempt, attempt, device, watched};
use super::support::der::{Node, integer, null, octets, oid, path, sequence};
use super::support::forge::{self, Content, Random, Suite, WRAPS};
use super::support::keys::Device;
use super::support::{opened_every_way, streamed};
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use sdi::{Error, KeyAlgorithm, OpenPolicy};

const KEY: [u8; 32] = *b"the content key of these files..";
const TEXT: &[u8] = b"interface ge-0/0/0\n description uplink to the provider\n mtu 9000\n";

fn p256(device: &Device, key: &[u8]) -> Node {
    forge::p256_recipient(&*device.key, WRAPS[2], |kek| forge::wrap(kek, key))
}

/// Content ciphers of CMS that have no tag, and that have one, under every identifier that programs
/// are known to write.
const WITHOUT_TAG: [&str; 29] = [
    "2.16.840.1.101.3.4.1.1", // AES-128 in ECB, CBC, OFB, CFB
    "2.16.840.1.101.3.4.1.2",
    "2.16.840.1.101.3.4.1.3",
    "2.16.840.1.101.3.4.1.4",
    "2.16.840.1.101.3.4.1.21", // AES-192
    "2.16.840.1.101.3.4.1.22",
    "2.16.840.1.101.3.4.1.23",
    "2.16.840.1.101.3.4.1.24",
    "2.16.840.1.101.3.4.1.41", // AES-256
    "2.16.840.1.101.3.4.1.42",
    "2.16.840.1.101.3.4.1.43",
    "2.16.840.1.101.3.4.1.44",
    "2.16.840.1.101.3.4.1.5", // AES key wrap
    "2.16.840.1.101.3.4.1.45",
    "1.2.840.113549.3.2",         // RC2 in CBC
    "1.2.840.113549.3.4",         // RC4
    "1.2.840.113549.3.7",         // triple DES in CBC
    "1.3.14.3.2.7",               // DES in CBC
    "1.2.840.113533.7.66.10",     // CAST5 in CBC
    "1.3.6.1.4.1.188.7.1.1.2",    // IDEA in CBC
    "1.2.392.200011.61.1.1.1.2",  // Camellia-128 in CBC
    "1.2.392.200011.61.1.1.1.4",  // Camellia-256 in CBC
    "1.2.410.200004.1.4",         // SEED in CBC
    "1.2.643.2.2.21",             // GOST 28147
    "1.2.643.7.1.1.5.2.1",        // Kuznyechik in CTR-ACPKM
    "1.2.156.10197.1.104.2",      // SM4 in CBC
    "1.2.840.113549.1.9.16.3.13", // a password's key derivation
    "1.2.840.113549.1.1.1",       // RSA
    "1.2.840.113549.1.9.16.3.8",  // zlib
];
const WITH_TAG: [&str; 9] = [
    "2.16.840.1.101.3.4.1.6", // AES-128 in GCM, CCM
    "2.16.840.1.101.3.4.1.7",
    "2.16.840.1.101.3.4.1.26", // AES-192
    "2.16.840.1.101.3.4.1.27",
    "2.16.840.1.101.3.4.1.46", // AES-256
    "2.16.840.1.101.3.4.1.47",
    "1.2.840.113549.1.9.16.3.18", // ChaCha20-Poly1305
    "1.2.840.113549.1.9.16.3.22", // authEnc-128 (RFC 6476)
    "1.2.643.7.1.1.5.2.2",        // Kuznyechik in CTR-ACPKM with a MAC
];

/// What has no tag does not open in AuthEnvelopedData, what has one does not in EnvelopedData, behind
/// the identifier of RFC 9709 or not; and no key is asked.
#[test]
fn a02_every_cipher_in_the_other_container() {
    let device = device(KeyAlgorithm::P256);
    let (ring, log) = watched(&device);
    let mut refused = 0;
    for (suite, others, parameters) in [
        (Suite::Aes256Gcm, WITHOUT_TAG.as_slice(), [octets([0; 16]), octets([0; 8])]),
        (Suite::Aes256Cbc, &WITH_TAG, [sequence([octets([0; 12]), integer(16)]), octets([0; 12])]),
    ] {
        let content = suite.encrypt(&KEY, TEXT);
        let control = content.to([p256(&device, &KEY)]);
        assert_eq!(opened_every_way(&control, &ring).map(|(text, _)| text), Ok(TEXT.to_vec()));
        log.take();
        for other in others {
            for parameters in &parameters {
                let cipher = sequence([oid(other), parameters.clone()]);
                let derived = sequence([oid("1.2.840.113549.1.9.16.3.31"), cipher.clone()]);
                for algorithm in [cipher, derived] {
                    let content = Content { algorithm, ..content.clone() };
                    let file = content.to([p256(&device, &KEY)]);
                    match opened_every_way(&file, &ring) {
                        Err(Error::Unsupported(what)) => {
                            assert_eq!(what.oid().as_deref(), Some(*other));
                        }
                        verdict => panic!("{other}: {verdict:?}"),
                    }
                    assert_eq!(log.take(), [""; 0], "{other}");
                    refused += 1;
                }
            }
        }
    }
    println!("A2: {refused} ciphers in the wrong container refused");
    assert_eq!(refused, 4 * (WITHOUT_TAG.len() + WITH_TAG.len()));
}

/// The first block of `ciphertext`, as CBC content whose padding is right: the attacker who wrote
/// the test has the key.
fn right_padding(ciphertext: &[u8], padding: u8) -> ([u8; 16], Vec<u8>) {
    let block: [u8; 16] = ciphertext[..16].try_into().expect("a block");
    let mut decrypted = block.into();
    aes::Aes256Dec::new_from_slice(&KEY).expect("32 bytes").decrypt_block(&mut decrypted);
    let decrypted: [u8; 16] = decrypted.into();
    let start = 16 - usize::from(padding);
    let iv = std::array::from_fn(|at| {
        decrypted[at] ^ if at < start { 0x80 | u8::try_from(at).expect("16") } else { padding }
    });
    (iv, block.to_vec())
}

/// One GCM file, rewritten as CBC in a thousand ways, four of them with a padding that is right.
fn downgrades(file: &Content) -> Vec<Content> {
    let mut random = Random(3);
    let mut all: Vec<([u8; 16], Vec<u8>)> = (0..996)
        .map(|_| {
            let start = 16 * random.below(file.ciphertext.len() / 16);
            let iv = random.bytes(16).try_into().expect("16 bytes");
            (iv, file.ciphertext[start..start + 16].to_vec())
        })
        .collect();
    all.extend([1, 2, 8, 15].map(|padding| right_padding(&file.ciphertext, padding)));
    all.into_iter()
        .map(|(iv, ciphertext)| Content {
            algorithm: sequence([oid(Suite::Aes256Cbc.oid()), octets(iv)]),
            ciphertext,
            tag: None,
        })
        .collect()
}

#[test]
fn a03_downgrades_are_refused_by_policy() {
    let device = device(KeyAlgorithm::P256);
    let (mut ring, log) = watched(&device);
    ring.set_policy(OpenPolicy { require_authenticated: true, ..OpenPolicy::default() });
    let content = Suite::Aes256Gcm.encrypt(&KEY, TEXT);
    let control = content.to([p256(&device, &KEY)]);
    assert_eq!(opened_every_way(&control, &ring).map(|(text, _)| text), Ok(TEXT.to_vec()));
    log.take();
    let (mut refused, mut bytes) = (0, 0);
    for (number, content) in downgrades(&content).iter().enumerate() {
        let file = content.to([p256(&device, &KEY)]);
        let verdict = match number % 10 {
            9 => opened_every_way(&file, &ring).map(|_| ()),
            _ => sdi::open(&file, &ring).map(|_| ()),
        };
        assert!(matches!(verdict, Err(Error::Policy(_))), "{verdict:?}");
        bytes += streamed(&file, &ring, 64).expect("it stays in its error").1;
        refused += 1;
    }
    println!("A3: {refused} downgrades refused, {bytes} bytes of plaintext given away");
    assert_eq!((refused, bytes), (1000, 0));
    assert_eq!(log.take(), [""; 0]);
}

/// Without the policy the four with a right padding do decrypt, to garbage, which the check stops.
#[test]
fn a03_downgrades_are_never_installed() {
    let device = device(KeyAlgorithm::P256);
    let ring = device.ring();
    let content = Suite::Aes256Gcm.encrypt(&KEY, TEXT);
    let control = attempt(&ring, &content.to([p256(&device, &KEY)]));
    assert_eq!(control.installed.as_deref(), Some(TEXT));
    let attempts: Vec<Attempt> = downgrades(&content)
        .iter()
        .map(|content| attempt(&ring, &content.to([p256(&device, &KEY)])))
        .collect();
    let decrypted = attempts.iter().filter(|attempt| attempt.decrypted).count();
    assert!(attempts[996..].iter().all(|attempt| attempt.decrypted));
    assert!(decrypted < 4 + 20, "{decrypted} of a thousand");
    assert!(attempts.iter().all(|attempt| attempt.installed.is_none()));
    println!("A3: without the policy {decrypted} of 1000 decrypt, 0 are installed");
}

/// CFB and OFB, which would turn a known plaintext into any other, are not there.
#[test]
fn a03_stream_modes_are_unsupported() {
    let device = device(KeyAlgorithm::P256);
    let (ring, log) = watched(&device);
    let content = Suite::Aes256Cbc.encrypt(&KEY, TEXT);
    for mode in ["2.16.840.1.101.3.4.1.43", "2.16.840.1.101.3.4.1.44"] {
        let algorithm = sequence([oid(mode), octets([0; 16])]);
        let file = Content { algorithm, ..content.clone() }.to([p256(&device, &KEY)]);
        let verdict = opened_every_way(&file, &ring);
        assert!(matches!(verdict, Err(Error::Unsupported(_))), "{verdict:?}");
    }
    assert_eq!(log.take(), [""; 0]);
}

/// A derived content key (RFC 9709) is another one for every other algorithm identifier.
#[test]
fn a03_no_flip_of_a_derived_algorithm_opens() {
    let device = device(KeyAlgorithm::P256);
    let ring = device.ring();
    let suite = Suite::Aes256Gcm;
    let key = forge::derived_key(&KEY, &suite.algorithm(), suite.key_len());
    let content = Content { algorithm: suite.derived_algorithm(), ..suite.encrypt(&key, TEXT) };
    let file = content.to([p256(&device, &KEY)]);
    assert_eq!(opened_every_way(&file, &ring).map(|(text, _)| text), Ok(TEXT.to_vec()));
    let mut tree = Node::parse(&file);
    let algorithm = tree.at(path::CONTENT_ALGORITHM).encode();
    let start = file.windows(algorithm.len()).position(|window| window == algorithm).unwrap();
    let mut opened = 0;
    for bit in 0..algorithm.len() * 8 {
        let mut damaged = file.clone();
        damaged[start + bit / 8] ^= 1 << (bit % 8);
        opened += usize::from(opened_every_way(&damaged, &ring).is_ok());
    }
    assert_eq!(opened, 0, "of {} flips", algorithm.len() * 8);
}

/// How a file came out: what can be told from outside.
fn verdict(file: &[u8], ring: &sdi::KeyRing) -> Result<Vec<u8>, i32> {
    opened_every_way(file, ring).map(|(text, _)| text).map_err(|error| error.code())
}

/// Key lengths and policies are judged alike with and without the identifier of RFC 9709 around the
/// cipher.
#[test]
fn a04_the_wrapper_hides_no_cipher() {
    let (ec, rsa) = (device(KeyAlgorithm::P256), device(KeyAlgorithm::Rsa(2048)));
    let suites =
        [Suite::Aes128Cbc, Suite::Aes256Cbc, Suite::TripleDes, Suite::Aes128Gcm, Suite::Aes256Gcm];
    let policies = [
        OpenPolicy::default(),
        OpenPolicy { require_authenticated: true, ..OpenPolicy::default() },
        OpenPolicy { max_key_ops: 0, ..OpenPolicy::default() },
    ];
    let mut random = Random(4);
    let (mut cases, mut equal, mut opened) = (0, 0, 0);
    for suite in suites {
        for key_len in [16, 24, 32, 40] {
            let key = random.bytes(key_len);
            // The cipher's key: of its length, whatever length the recipient was given.
            let own_len = suite.key_len();
            let direct: Vec<u8> = key.iter().copied().cycle().take(own_len).collect();
            let derived = forge::derived_key(&key, &suite.algorithm(), own_len);
            let contents = [
                suite.encrypt(&direct, TEXT),
                Content { algorithm: suite.derived_algorithm(), ..suite.encrypt(&derived, TEXT) },
            ];
            for policy in &policies {
                for kind in 0..3 {
                    let (device, recipient) = match kind {
                        0 => (&ec, p256(&ec, &key)),
                        1 => {
                            let public = rsa.key.public_key();
                            let len = forge::modulus_len(public);
                            let block = forge::pkcs1_block(len, &key, &mut random);
                            (&rsa, forge::pkcs1_recipient(public, &block))
                        }
                        _ => {
                            let public = rsa.key.public_key();
                            (&rsa, forge::oaep_recipient(public, &key, &mut random))
                        }
                    };
                    let mut ring = device.ring();
                    ring.set_policy(policy.clone());
                    let [plain, wrapped] =
                        contents.each_ref().map(|c| verdict(&c.to([recipient.clone()]), &ring));
                    let should_open = key_len == own_len
                        && policy.max_key_ops > 0
                        && (suite.is_authenticated() || !policy.require_authenticated);
                    let what = format!("{suite:?}, key of {key_len}, {policy:?}, recipient {kind}");
                    assert_eq!(plain == Ok(TEXT.to_vec()), should_open, "{what}: {plain:?}");
                    cases += 1;
                    equal += usize::from(plain == wrapped);
                    opened += usize::from(should_open);
                }
            }
        }
    }
    println!("A4: {equal} of {cases} verdicts are equal, {opened} open");
    assert_eq!((cases, equal), (180, 180));
}

#[test]
fn a04_a_wrapper_around_a_wrapper_is_unsupported() {
    let device = device(KeyAlgorithm::P256);
    let (ring, log) = watched(&device);
    for suite in [Suite::Aes256Gcm, Suite::Aes256Cbc] {
        let content = suite.encrypt(&KEY, TEXT);
        let hkdf = |inner: Node| sequence([oid("1.2.840.113549.1.9.16.3.31"), inner]);
        let twice = hkdf(suite.derived_algorithm());
        for algorithm in [twice.clone(), hkdf(twice)] {
            let file = Content { algorithm, ..content.clone() }.to([p256(&device, &KEY)]);
            let verdict = opened_every_way(&file, &ring);
            assert!(matches!(verdict, Err(Error::Unsupported(_))), "{verdict:?}");
        }
        for algorithm in [hkdf(null()), hkdf(octets([0; 16])), sequence([hkdf(null())])] {
            let file = Content { algorithm, ..content.clone() }.to([p256(&device, &KEY)]);
            let verdict = opened_every_way(&file, &ring);
            assert!(matches!(verdict, Err(Error::Malformed(_))), "{verdict:?}");
        }
    }
    assert_eq!(log.take(), [""; 0]);
}

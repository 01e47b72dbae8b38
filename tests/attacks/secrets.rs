//! A24: nothing that can be printed shows a key or a plaintext.

use super::device::{device, keys};
use super::support::der::{Node, edited, path};
use super::support::forge::{self, Suite, WRAPS};
use super::support::keys::Device;
use sdi::{
    Autoinstall, Certificate, ConfigCheck, DeviceKey, Envelope, Error, Form, KeyAlgorithm, Limits,
    Opener, Policy, Profile, RandomSource, Result, Sealer, Secret, SoftwareKey, Utf8,
};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// A configuration in which a canary sits.
const CANARY: &[u8; 32] = b"KOLIBRI_IM_GARTEN_9QX7_4711_ZZZZ";

/// Everything that was printed.
#[derive(Default)]
struct Printed(Vec<String>);

impl Printed {
    fn debug(&mut self, value: &dyn std::fmt::Debug) {
        self.0.push(format!("{value:?}"));
        self.0.push(format!("{value:#?}"));
    }

    fn display(&mut self, value: &dyn Display) {
        self.0.push(format!("{value}"));
    }

    /// Whether a secret shows, as text, as hexadecimal digits, or as a list of numbers.
    fn shows(&self, secret: &[u8]) -> bool {
        let part = &secret[secret.len() / 2..][..8];
        let forms = [
            String::from_utf8_lossy(part).into_owned(),
            part.iter().map(|byte| format!("{byte:02x}")).collect(),
            part.iter().map(|byte| format!("{byte}")).collect::<Vec<_>>().join(", "),
        ];
        let shown = |text: &String| {
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
            forms.iter().any(|form| flat.contains(&form.to_lowercase()))
        };
        self.0.iter().any(shown)
    }
}

/// A source of randomness that gives the canary.
struct Given;

impl RandomSource for Given {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        for (to, from) in out.iter_mut().zip(KEY_CANARY.iter().cycle()) {
            *to = *from;
        }
        Ok(())
    }
}

/// A private key, which is a number on P-256, and a content key.
const KEY_CANARY: &[u8; 32] = b"KANARIENVOGEL-im-Schluessel-0815";

#[test]
fn a24_nothing_printed_shows_a_secret() {
    let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut Given).unwrap();
    let pem = key.to_pem().unwrap();
    let device = Device::with_key(Arc::new(key), "device");
    let ring = device.ring();
    let content = Suite::Aes256Gcm.encrypt(KEY_CANARY, CANARY);
    let recipient =
        forge::p256_recipient(&*device.key, WRAPS[2], |kek| forge::wrap(kek, KEY_CANARY));
    let file = content.to([recipient]);
    let wrong = edited(&file, path::MAC, |tag| tag.body()[0] ^= 1);

    let mut printed = Printed::default();
    let key = SoftwareKey::parse(pem.as_bytes()).unwrap();
    printed.debug(&key);
    printed.debug(&pem);
    printed.debug(&device.identity());
    printed.debug(&ring);
    printed.debug(&device.key.public_key());
    printed.debug(&device.certificate);
    for broken in [&pem.as_bytes()[..100], KEY_CANARY, b"-----BEGIN PRIVATE KEY-----\nS0FO"] {
        let error = SoftwareKey::parse(broken).unwrap_err();
        printed.debug(&error);
        printed.display(&error);
    }

    let opened = sdi::open(&file, &ring).unwrap();
    assert_eq!(opened.plaintext(), CANARY);
    printed.debug(&opened);
    printed.debug(opened.summary());
    printed.debug(&opened.into_plaintext());
    printed.debug(&Envelope::parse(&file, &Limits::default()).unwrap());
    for hold in [false, true] {
        let mut out = Secret::new();
        let mut opener = Opener::new(&ring).unwrap();
        if hold {
            opener.hold(100).unwrap();
        }
        opener.push(&wrong, &mut out).unwrap();
        printed.debug(&opener);
        printed.debug(&out);
        let error = opener.finish(&mut out).unwrap_err();
        assert_eq!(error, Error::Decrypt);
        printed.debug(&error);
        printed.display(&error);
    }
    let refused_by_sink = Opener::new(&ring).and_then(|mut opener| {
        opener.push(&file, &mut |_: &[u8]| Err(Error::Sink(7)))?;
        opener.finish(&mut |_: &[u8]| Err(Error::Sink(7)))
    });
    printed.debug(&refused_by_sink.unwrap_err());

    let to: [Certificate; 1] = [device.certificate.clone()];
    let mut sealer = Sealer::new(&to, Profile::Auto, Form::Pem, &mut Given).unwrap();
    sealer.push(CANARY, &mut Vec::new()).unwrap();
    printed.debug(&sealer);
    let mut sealer = Sealer::new(&to, Profile::Auto, Form::Pem, &mut Given).unwrap();
    sealer.set_length(3).unwrap();
    let error = sealer.push(CANARY, &mut Vec::new()).unwrap_err();
    printed.debug(&sealer);
    printed.debug(&error);
    printed.display(&error);

    let config = [CANARY.as_slice(), b"\n\xff", CANARY].concat();
    let error = Utf8.check(&config).unwrap_err();
    printed.debug(&error);
    printed.display(&error);
    printed.debug(&Utf8);
    let machine = Autoinstall::new(Policy::unseeded(), Duration::ZERO);
    printed.debug(&machine);

    let base64 = pem.as_bytes().split(|&byte| byte == b'\n').nth(1).unwrap();
    for secret in [CANARY.as_slice(), KEY_CANARY, &base64[40..60]] {
        assert!(!printed.shows(secret), "{:?}", printed.0);
    }
    // The control: it would be seen.
    for shown in [String::from_utf8_lossy(CANARY).into_owned(), format!("{CANARY:#?}")] {
        printed.0.push(shown);
        assert!(printed.shows(CANARY));
        printed.0.pop();
    }
    println!("A24: {} texts show no secret", printed.0.len());
}

/// The same with RSA, whose numbers are long.
#[test]
fn a24_no_rsa_number_is_printed() {
    let key = keys(KeyAlgorithm::Rsa(2048)).remove(0);
    let mut der = Node::parse(&{
        use base64::prelude::{BASE64_STANDARD, Engine};
        let pem = key.to_pem().unwrap();
        let text: Vec<u8> = pem
            .as_bytes()
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.starts_with(b"-----"))
            .flatten()
            .copied()
            .collect();
        BASE64_STANDARD.decode(text).unwrap()
    });
    let mut numbers = Node::parse(der.at(&[2]).body());
    let device = Device { key: key.clone(), ..device(KeyAlgorithm::Rsa(2048)) };
    let mut printed = Printed::default();
    printed.debug(&key);
    printed.debug(&device.bare());
    printed.debug(&key.rsa_decrypt(sdi::RsaScheme::Raw, &[1; 256]).unwrap());
    printed.debug(&key.rsa_decrypt(sdi::RsaScheme::Raw, &[0xff; 256]).unwrap_err());
    for number in 3..=8 {
        assert!(!printed.shows(numbers.at(&[number]).body()), "{:?}", printed.0);
    }
}

/// The public types that were printed above.
const PRINTED: [&str; 16] = [
    "Autoinstall",
    "Certificate",
    "Envelope",
    "Error",
    "Identity",
    "KeyError",
    "KeyRing",
    "Opened",
    "Opener",
    "Policy",
    "PublicKey",
    "Sealer",
    "Secret",
    "SoftwareKey",
    "Summary",
    "Utf8",
];

/// Those that hold neither a key nor a plaintext, or print nothing because they are traits.
const WITHOUT_SECRETS: &str = "Action BadState ConfigCheck Damage Detection DeviceId DeviceKey \
    Encoding Event FirstLine Form Hint IdentityBuilder KeyAlgorithm KeyFault LastLine Limit Limits \
    Misuse NoNul NotEmpty OnFailure OpenPolicy OperatorMode Outcome Owner PeerPoint PemLabel \
    PlainFile Profile RandomSource Recipient Result RsaScheme SignatureScheme Sink Strangers \
    SystemRandom Unsupported Validity";

/// A new public type has to be put into one of the two lists.
#[test]
fn a24_every_public_type_was_looked_at() {
    let lib = include_str!("../../src/lib.rs");
    let (_, interface) = lib.split_once("// The public interface is:").unwrap();
    let words = interface.split(|c: char| c != '_' && !c.is_alphanumeric());
    let types: BTreeSet<&str> =
        words.filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase())).collect();
    let known = PRINTED.into_iter().chain(WITHOUT_SECRETS.split_whitespace());
    assert_eq!(types, known.collect::<BTreeSet<&str>>());
}

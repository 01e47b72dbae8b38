//! A24: nothing that can be printed shows a key or a plaintext.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

use super::device::{device, keys};
use super::support::der::{Node, edited, path};
use super::support::forge::{self, Suite, WRAPS};
use super::support::keys::Device;
use sdi::{
    Autoinstall, Certificate, ConfigCheck, Damage, DeviceId, DeviceKey, Envelope, Error, Event,
    FirstLine, Form, Hint, IdentityBuilder, KeyAlgorithm, KeyError, KeyFault, KeyRing, LastLine,
    Limit, Limits, NoNul, NotEmpty, OnFailure, OpenPolicy, Opener, OperatorMode, Outcome,
    PeerPoint, PemLabel, PlainFile, Policy, Profile, PublicKey, RandomSource, Result, RsaScheme,
    Sealer, Secret, SignatureScheme, SoftwareKey, SystemRandom, Utf8, Validity,
};
use std::any::type_name;
use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A configuration in which a canary sits.
const CANARY: &[u8; 32] = b"KOLIBRI_IM_GARTEN_9QX7_4711_ZZZZ";

/// Everything that was printed, and of which types.
#[derive(Default)]
struct Printed {
    texts: Vec<String>,
    by_debug: BTreeSet<String>,
    by_display: BTreeSet<String>,
}

impl Printed {
    fn debug<T: Debug + ?Sized>(&mut self, value: &T) {
        self.texts.push(format!("{value:?}"));
        self.texts.push(format!("{value:#?}"));
        self.by_debug.insert(name_of::<T>());
    }

    fn display<T: Debug + Display + ?Sized>(&mut self, value: &T) {
        self.debug(value);
        self.texts.push(format!("{value}"));
        self.by_display.insert(name_of::<T>());
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
        self.texts.iter().any(shown)
    }
}

/// The bare name of a type: `Secret`, not `&sdi::secret::Secret`.
fn name_of<T: ?Sized>() -> String {
    let path = type_name::<T>().trim_start_matches('&');
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path).to_owned()
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

    print_the_public_ones(&mut printed, &device, &file);
    assert_all_were_printed(&printed);

    let base64 = pem.as_bytes().split(|&byte| byte == b'\n').nth(1).unwrap();
    for secret in [CANARY.as_slice(), KEY_CANARY, &base64[40..60]] {
        assert!(!printed.shows(secret), "{:?}", printed.texts);
    }
    // The control: it would be seen.
    for shown in [String::from_utf8_lossy(CANARY).into_owned(), format!("{CANARY:#?}")] {
        printed.texts.push(shown);
        assert!(printed.shows(CANARY));
        printed.texts.pop();
    }
    println!("A24: {} texts show no secret", printed.texts.len());
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
    printed.debug(&key.rsa_decrypt(RsaScheme::Raw, &[1; 256]).unwrap());
    printed.debug(&key.rsa_decrypt(RsaScheme::Raw, &[0xff; 256]).unwrap_err());
    for number in 3..=8 {
        assert!(!printed.shows(numbers.at(&[number]).body()), "{:?}", printed.texts);
    }
}

/// A key that prints what it is given.
#[derive(Debug)]
struct Printing(Arc<dyn DeviceKey>, Mutex<Vec<String>>);

impl DeviceKey for Printing {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        let mut texts = self.1.lock().map_err(|_| KeyError::Vendor(1))?;
        texts.push(format!("{peer:?} {peer:#?}"));
        self.0.agree(peer)
    }
}

/// Types that take in nothing but public facts, where there is one of each kind.
fn print_the_public_ones(printed: &mut Printed, device: &Device, file: &[u8]) {
    let envelope = Envelope::parse(file, &Limits::default()).unwrap();
    printed.debug(&envelope.recipients()[0]);
    printed.debug(&envelope.encoding());
    printed.debug(&sdi::detect(None, file, Hint::default()));
    printed.debug(&sdi::detect(None, CANARY, Hint { at_end: true, ..Hint::default() }));
    printed.debug(&Hint::default());
    printed.debug(&PemLabel::Cms);
    printed.debug(&Damage::Armor);

    let key = Arc::new(Printing(Arc::clone(&device.key), Mutex::default()));
    let printing = Device { key: key.clone(), ..device.clone() };
    let opened = sdi::open(file, &printing.ring()).unwrap();
    printed.debug(&opened.summary().owner());
    printed.texts.append(&mut key.1.lock().unwrap());
    printed.by_debug.insert("PeerPoint".to_owned());

    let stranger = Device::new(KeyAlgorithm::P256, "stranger");
    let Err(Error::NotForThisDevice(strangers)) = sdi::open(file, &stranger.ring()) else {
        panic!("a stranger opens it");
    };
    printed.display(&*strangers);
    let other = edited(file, &[1, 0, 2, 0], |oid| oid.body()[8] = 2);
    let Err(Error::Unsupported(unsupported)) = sdi::open(&other, &device.ring()) else {
        panic!("signed data inside opens");
    };
    printed.display(&unsupported);
    let misuse = KeyRing::new().set_operator(None, OperatorMode::Prefer).unwrap_err();
    printed.display(&misuse);
    printed.display(&KeyFault::Unreadable("it is damaged"));
    printed.display(&Limit::Depth);
    printed.debug(&KeyError::Refused);
    printed.debug(&key.public_key().algorithm());
    printed.debug(&RsaScheme::Raw);
    printed.debug(&SignatureScheme::EcdsaP256Sha256);
    printed.debug(&OperatorMode::Replace);
    printed.debug(&OpenPolicy::default());
    printed.debug(&Limits::default());

    let id = DeviceId::new("SN19842256").unwrap();
    printed.display(&id);
    printed.debug(&IdentityBuilder::new(id.clone(), 0));
    printed.debug(&Validity::Forever);
    printed.debug(&Form::Pem);
    printed.debug(&Profile::Auto);
    printed.debug(&SystemRandom);

    let text = String::from_utf8_lossy(&CANARY[..4]).into_owned();
    printed.debug(&NotEmpty);
    printed.debug(&NoNul);
    printed.debug(&FirstLine(&text));
    printed.debug(&LastLine(&text));

    let mut machine = Autoinstall::new(Policy::for_device(&id), Duration::ZERO);
    printed.debug(&Policy::for_device(&id));
    printed.debug(&PlainFile::Refuse);
    printed.debug(&OnFailure::Abort);
    printed.debug(&machine.poll(Duration::ZERO));
    printed.debug(&Event::Cancel);
    printed.debug(&Outcome::Installed);
    let bad = Autoinstall::restore(Policy::unseeded(), Duration::ZERO, CANARY).unwrap_err();
    printed.display(&bad);
}

/// The public names of `src/lib.rs`.
fn public_types() -> BTreeSet<String> {
    let lib = include_str!("../../src/lib.rs");
    let (_, interface) = lib.split_once("// The public interface is:").unwrap();
    let words = interface.split(|c: char| c != '_' && !c.is_alphanumeric());
    words
        .filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(str::to_owned)
        .collect()
}

/// Names behind `before` in the sources: what implements or declares something.
fn named_in_sources(before: &str) -> BTreeSet<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut names = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(path).unwrap();
            for line in source.lines() {
                let Some(rest) = line.trim_start().strip_prefix(before) else { continue };
                let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
                names.insert(rest[..end].to_owned());
            }
        }
    }
    names
}

/// Each public type was printed in each way that it has: a new one has to be added above.
fn assert_all_were_printed(printed: &Printed) {
    let traits = named_in_sources("pub trait ");
    let mut types = public_types();
    types.retain(|name| name != "Result" && !traits.contains(name));
    let missing: Vec<&String> = types.difference(&printed.by_debug).collect();
    assert!(missing.is_empty(), "{missing:?} were not printed by Debug");
    let displayed = &named_in_sources("impl Display for ") & &types;
    let missing: Vec<&String> = displayed.difference(&printed.by_display).collect();
    assert!(missing.is_empty(), "{missing:?} were not printed by Display");
    assert!(types.len() > 50 && displayed.len() > 7, "{} {}", types.len(), displayed.len());
}

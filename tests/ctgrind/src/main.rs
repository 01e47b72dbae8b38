//! Opens files under valgrind while the answers of the device's key are marked as undefined: valgrind
//! then reports every branch and every address that depends on them, as a table of errors in XML.
//! `check` reads that table: a report is right only at a line that makes a verdict public.
//!
//! `ctgrind CASE` runs a case, `ctgrind check CASE XML` judges its reports, `ctgrind list` lists all.

mod naive;
mod report;
mod valgrind;

use sdi::{
    Certificate, DeviceKey, Identity, KeyError, KeyRing, Opener, PeerPoint, PublicKey, RsaScheme,
    Secret, SoftwareKey,
};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// A file of the corpus whose key answers with undefined bytes.
struct Case {
    name: &'static str,
    file: &'static str,
    /// What is done to the file before: nothing, or one bit far enough at its end to damage the padding.
    damage: Damage,
    /// Whether the answer is the block, or what a module with implicit rejection makes of it.
    is_raw: bool,
    opens: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Damage {
    None,
    /// The last byte of the last block but one: the padding's last byte becomes another.
    Padding,
    /// The last byte of the file, which is the tag's.
    Tag,
    /// The first bytes of the key's answer.
    Answer,
}

const fn case(name: &'static str, file: &'static str, damage: Damage, opens: bool) -> Case {
    Case { name, file, damage, is_raw: true, opens }
}

const RSA_GCM: &str = "openssl/gcm-rsa2048-aes256";
const RSA_CBC: &str = "openssl/enc-smime-rsa2048-der";
const OAEP: &str = "openssl/oaep-sha256-mgf-sha512";
const EC_CBC: &str = "openssl/cms-p256-aes-256-cbc";
const EC_GCM: &str = "openssl/size-p256-gcm-p17";

/// Content in CBC is not opened: the length of its padding becomes public with the verdict, and would
/// be reported wherever the plaintext goes.
const CASES: [Case; 13] = [
    case("a08-pkcs1-good", RSA_GCM, Damage::None, true),
    case("a08-pkcs1-bad-padding", RSA_GCM, Damage::Answer, false),
    case("a08-pkcs1-bad-tag", RSA_GCM, Damage::Tag, false),
    case("a08-pkcs1-cbc-bad-padding", RSA_CBC, Damage::Padding, false),
    case("a08-pkcs1-cbc-bad-key", RSA_CBC, Damage::Answer, false),
    case("a09-oaep-bad-padding", OAEP, Damage::Answer, false),
    case("a09-oaep-cbc-bad-padding", OAEP, Damage::Padding, false),
    Case {
        name: "a09-implicit-rejection",
        file: RSA_GCM,
        damage: Damage::None,
        is_raw: false,
        opens: true,
    },
    case("a19-cbc-bad-padding", EC_CBC, Damage::Padding, false),
    case("a19-gcm-good", EC_GCM, Damage::None, true),
    case("a19-gcm-bad-tag", EC_GCM, Damage::Tag, false),
    case("a19-key-wrap-wrong", EC_CBC, Damage::Answer, false),
    // Triple DES looks up tables. It is opened, never written, and can be left out of a build.
    case("known-triple-des", "bc/ka-p256-3deswrap", Damage::None, true),
];

/// A key whose answers are undefined to valgrind.
#[derive(Debug)]
struct Tainting {
    key: SoftwareKey,
    damages: bool,
    is_raw: bool,
}

impl Tainting {
    fn taint(&self, answer: Secret) -> Secret {
        let mut answer = answer.into_bytes();
        if self.damages {
            answer[1] ^= 0x55;
        }
        valgrind::make_undefined(&answer);
        Secret::from(answer)
    }
}

impl DeviceKey for Tainting {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        self.key.agree(peer).map(|answer| self.taint(answer))
    }

    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        let block = self.key.rsa_decrypt(RsaScheme::Raw, ciphertext);
        match (scheme, self.is_raw) {
            (RsaScheme::Raw, true) => block.map(|block| self.taint(block)),
            (RsaScheme::Pkcs1ImplicitRejection, false) => {
                let block = block?.into_bytes();
                let key = block[block.len() - 32..].to_vec();
                Ok(self.taint(Secret::from(key)))
            }
            _ => Err(KeyError::Unsupported),
        }
    }
}

fn corpus(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn run(case: &Case) {
    let index: serde_json::Value = serde_json::from_slice(&corpus("index.json")).expect("JSON");
    let facts = index.as_array().expect("an array").iter().find(|facts| facts["id"] == case.file);
    let part = |what: &str| corpus(facts.expect("the case")[what].as_str().expect("a name"));
    let mut file = part("message");
    let at = match case.damage {
        Damage::Padding => file.len() - 17,
        Damage::Tag => file.len() - 1,
        Damage::None | Damage::Answer => 0,
    };
    if at > 0 {
        file[at] ^= 0x80;
    }
    let key = Tainting {
        key: SoftwareKey::parse(&part("key")).expect("a key"),
        damages: case.damage == Damage::Answer,
        is_raw: case.is_raw,
    };
    let certificate = Certificate::parse(&part("cert")).expect("a certificate");
    let identity = Identity::new(Arc::new(key), Some(certificate)).expect("they belong together");
    let mut ring = KeyRing::new();
    ring.set_vendor(identity).expect("nothing replaced it");

    let mut buffer = file.clone();
    let mut results = Box::new([false; 3]);
    results[0] = sdi::open(&file, &ring).is_ok();
    results[1] = sdi::open_in_place(&mut buffer, &ring).is_ok();
    let mut opener = Opener::new(&ring).expect("the ring has a key");
    let mut nowhere = |_: &[u8]| Ok(());
    let pushed = file.chunks(64).try_for_each(|piece| opener.push(piece, &mut nowhere));
    results[2] = pushed.is_ok() && opener.finish(&mut nowhere).is_ok();
    // The verdict is public.
    valgrind::make_defined(results.as_slice());
    assert_eq!(*results, [case.opens; 3], "{}", case.name);
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["list"] => {
            for name in CASES.iter().map(|case| case.name).chain(naive::CASES) {
                println!("{name}");
            }
        }
        ["check", name, xml] => {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src");
            let source: PathBuf = source.canonicalize().expect("the library's sources");
            let xml = std::fs::read_to_string(xml).expect("valgrind's reports");
            let has_to_be_found = name.starts_with("naive-") || name.starts_with("known-");
            return report::judge(name, has_to_be_found, &xml, &source);
        }
        [name] => {
            assert!(valgrind::is_running(), "this makes sense under valgrind only");
            match CASES.iter().find(|case| case.name == name) {
                Some(case) => run(case),
                None => naive::run(name),
            }
        }
        _ => panic!("ctgrind list | CASE | check CASE XML"),
    }
    ExitCode::SUCCESS
}

//! Both ways between this library and the installed `openssl`, live.
//!
//! The axes stand in a row, and every value of an axis meets every value of its neighbours: key,
//! transport or agreement, key derivation, key wrap, content, encoding, recipient identifier.

mod support;

use sdi::{Form, Profile, Sealer, SystemRandom, seal_as};
use std::collections::BTreeMap;
use support::opened_every_way;
use support::openssl::{Device, device, run};

const CONTENTS: [&str; 7] = [
    "-aes-128-cbc",
    "-aes-192-cbc",
    "-aes-256-cbc",
    "-des3",
    "-aes-128-gcm",
    "-aes-192-gcm",
    "-aes-256-gcm",
];

/// `crlf` is for us: the text's line ends become CR LF.
const ENCODINGS: [&str; 9] = [
    "PEM",
    "PEM crlf",
    "PEM -stream",
    "DER",
    "DER -stream",
    "SMIME",
    "SMIME crlf",
    "SMIME -stream",
    "SMIME -stream crlf",
];

const IDENTIFIERS: [&str; 2] = ["", "-keyid"];
const HASHES: [&str; 5] = ["sha1", "sha224", "sha256", "sha384", "sha512"];
const WRAPS: [&str; 4] = ["-aes128-wrap", "-aes192-wrap", "-aes256-wrap", "-des3-wrap"];
const SIZES: [usize; 9] = [0, 1, 15, 16, 17, 156, 1000, 4097, 70_000];

/// How often values of neighbouring axes have met.
#[derive(Debug, Default)]
struct Meetings(BTreeMap<(String, String), usize>);

impl Meetings {
    /// The value that `neighbour` has met least often.
    fn next(&mut self, neighbour: &str, values: &[&'static str]) -> &'static str {
        let pair = |value: &str| (neighbour.to_owned(), value.to_owned());
        let times = |value: &&&str| self.0.get(&pair(value)).copied().unwrap_or_default();
        let value = *values.iter().min_by_key(times).expect("an axis has values");
        *self.0.entry(pair(value)).or_default() += 1;
        value
    }

    fn assert_complete(&self, neighbours: &[&str], values: &[&str]) {
        for neighbour in neighbours {
            for value in values {
                let pair = ((*neighbour).to_owned(), (*value).to_owned());
                assert!(self.0.contains_key(&pair), "{neighbour} never met {value}");
            }
        }
    }
}

/// The axes behind the content, common to all kinds of keys, and the size of the plaintext.
#[derive(Debug, Default)]
struct Axes {
    meetings: Meetings,
    files: usize,
}

impl Axes {
    /// Encrypts with `openssl cms` and opens.
    fn open_one(&mut self, to: &Device, options: &[&str], content: &'static str) {
        let encoding = self.meetings.next(content, &ENCODINGS);
        let identifier = self.meetings.next(encoding, &IDENTIFIERS);
        let size = match SIZES[self.files % SIZES.len()] {
            // OpenSSL 3.0 fails to write it.
            0 if content.ends_with("gcm") && encoding.contains("-stream") => 1,
            size => size,
        };
        let plaintext = plaintext(size);
        self.files += 1;
        let certificate = to.certificate_file();
        let options = [&["-recip", &certificate], options, &[identifier, content]].concat();
        let file = encrypted("cms", &options, encoding, &plaintext);
        let opened = opened_every_way(&file, &to.ring);
        let case = || format!("{} {options:?} {encoding}", to.name);
        let (found, summary) = opened.unwrap_or_else(|error| panic!("{}: {error:?}", case()));
        assert_eq!(found, plaintext, "{}", case());
        assert_eq!(summary.is_authenticated(), content.ends_with("gcm"), "{}", case());
    }

    fn assert_complete(&self) {
        self.meetings.assert_complete(&CONTENTS, &ENCODINGS);
        self.meetings.assert_complete(&ENCODINGS, &IDENTIFIERS);
    }
}

/// Bytes of every value, with each kind of line end among them.
fn plaintext(size: usize) -> Vec<u8> {
    b"\r\n\n\r".iter().copied().chain(0..=255).cycle().take(size).collect()
}

fn encrypted(command: &str, options: &[&str], encoding: &str, plaintext: &[u8]) -> Vec<u8> {
    let form = encoding.split(' ').filter(|word| *word != "crlf");
    let arguments: Vec<&str> = [command, "-encrypt", "-binary", "-outform"]
        .into_iter()
        .chain(form)
        .chain(options.iter().copied().filter(|option| !option.is_empty()))
        .collect();
    let file = run(&arguments, plaintext);
    if encoding.ends_with("crlf") { with_crlf(&file) } else { file }
}

fn with_crlf(text: &[u8]) -> Vec<u8> {
    let lines =
        text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.collect::<Vec<_>>().join(b"\r\n".as_slice())
}

fn decrypted(command: &str, form: &str, by: &Device, file: &[u8]) -> Vec<u8> {
    let (key, certificate) = (by.key_file(), by.certificate_file());
    let files = ["-inkey", &key, "-recip", &certificate];
    let command = [command, "-decrypt", "-binary", "-inform", form];
    run(&[command.as_slice(), &files].concat(), file)
}

/// PKCS#1 v1.5, and OAEP with every pair of hash and mask hash, to every cipher.
#[test]
fn rsa_files_of_openssl_open() {
    let mut transports = vec![vec!["-keyopt", "rsa_padding_mode:pkcs1"]];
    let options = HASHES.map(|hash| (format!("rsa_oaep_md:{hash}"), format!("rsa_mgf1_md:{hash}")));
    for (hash, _) in &options {
        for (_, mask) in &options {
            transports.push(vec![
                "-keyopt",
                "rsa_padding_mode:oaep",
                "-keyopt",
                hash,
                "-keyopt",
                mask,
            ]);
        }
    }
    let mut axes = Axes::default();
    for transport in &transports {
        for content in CONTENTS {
            axes.open_one(device("rsa2048"), transport, content);
        }
    }
    for name in ["rsa3072", "rsa4096"] {
        for transport in [&transports[0], &transports[13]] {
            axes.open_one(device(name), transport, "-aes-256-cbc");
        }
    }
    axes.assert_complete();
    assert_eq!(axes.files, 26 * 7 + 4);
}

/// Every curve, standard and cofactor agreement, every hash of the derivation, every key wrap.
#[test]
fn ec_files_of_openssl_open() {
    let derivations = HASHES.map(|hash| format!("ecdh_kdf_md:{hash}"));
    let mut axes = Axes::default();
    for curve in ["p256", "p384", "p521"] {
        for agreement in ["ecdh_cofactor_mode:0", "ecdh_cofactor_mode:1"] {
            for derivation in &derivations {
                for wrap in WRAPS {
                    let options = ["-keyopt", agreement, "-keyopt", derivation, wrap];
                    let content = axes.meetings.next(wrap, &CONTENTS);
                    axes.open_one(device(curve), &options, content);
                }
            }
        }
    }
    axes.meetings.assert_complete(&WRAPS, &CONTENTS);
    axes.assert_complete();
    assert_eq!(axes.files, 3 * 2 * 5 * 4);
}

#[test]
fn every_recipient_of_one_file_opens_it() {
    let names = ["rsa2048", "p384", "rsa2048b", "p256", "p521", "p256b", "rsa3072"];
    let certificates = names.map(|name| device(name).certificate_file());
    let plaintext = plaintext(300);
    for (content, encoding) in [("-aes-256-gcm", "PEM"), ("-aes-256-cbc", "SMIME -stream")] {
        for identifier in IDENTIFIERS {
            let options: Vec<&str> = [identifier, content]
                .into_iter()
                .chain(certificates.iter().flat_map(|file| ["-recip", file]))
                .collect();
            let file = encrypted("cms", &options, encoding, &plaintext);
            for name in names {
                let opened = opened_every_way(&file, &device(name).ring);
                assert_eq!(opened.unwrap().0, plaintext, "{name} {content} {encoding}");
            }
            let stranger = opened_every_way(&file, &device("rsa4096").ring);
            assert_eq!(stranger.unwrap_err().code(), 130);
        }
    }
}

/// The commands of RFC 8886, A.2.2, with `-binary`: `smime` for RSA, `cms` for the curves.
#[test]
fn r52_files_of_the_appendix_open() {
    let plaintext = plaintext(1000);
    for (name, command, label) in [
        ("rsa2048", "smime", "PKCS7"),
        ("rsa3072", "smime", "PKCS7"),
        ("rsa4096", "smime", "PKCS7"),
        ("p256", "cms", "CMS"),
        ("p384", "cms", "CMS"),
        ("p521", "cms", "CMS"),
    ] {
        let certificate = device(name).certificate_file();
        let options = match command {
            // `smime` takes the certificate as its last argument.
            "smime" => vec!["-aes-256-cbc", &certificate],
            _ => vec!["-aes-256-cbc", "-recip", &certificate],
        };
        for encoding in ["PEM", "PEM crlf"] {
            let file = encrypted(command, &options, encoding, &plaintext);
            assert!(file.starts_with(format!("-----BEGIN {label}-----").as_bytes()));
            assert_eq!(opened_every_way(&file, &device(name).ring).unwrap().0, plaintext);
        }
    }
}

const KINDS: [&str; 6] = ["rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521"];

/// Every profile in every form to every kind of key.
#[test]
fn openssl_opens_what_we_seal() {
    let plaintext = plaintext(1000);
    for (profile, label) in
        [(Profile::Auto, "CMS"), (Profile::Rfc8886, "PKCS7"), (Profile::Authenticated, "CMS")]
    {
        for form in [Form::Pem, Form::Der, Form::Smime, Form::MagicDer] {
            for name in KINDS {
                let (device, case) = (device(name), format!("{profile:?} {form:?} {name}"));
                let to = [device.certificate.clone()];
                let file = seal_as(&plaintext, &to, profile, form, &mut SystemRandom).unwrap();
                let (opened, summary) = opened_every_way(&file, &device.ring).unwrap();
                assert_eq!(opened, plaintext, "{case}");
                assert_eq!(summary.is_authenticated(), profile == Profile::Authenticated, "{case}");
                let (inform, file) = match form {
                    Form::Der => ("DER", file.as_slice()),
                    Form::Smime => ("SMIME", file.as_slice()),
                    Form::MagicDer => {
                        let magic = b"\x89SDI\r\n\x1a\n";
                        ("DER", file.strip_prefix(magic).expect("the magic comes first"))
                    }
                    _ => {
                        let begin = format!("-----BEGIN {label}-----\n");
                        assert!(file.starts_with(begin.as_bytes()), "{case}");
                        ("PEM", file.as_slice())
                    }
                };
                assert_eq!(decrypted("cms", inform, device, file), plaintext, "{case}");
                if profile == Profile::Rfc8886 && name.starts_with("rsa") {
                    assert_eq!(decrypted("smime", inform, device, file), plaintext, "{case}");
                }
            }
        }
    }
}

#[test]
fn openssl_opens_what_we_seal_to_several() {
    let plaintext = plaintext(100);
    let to = KINDS.map(|name| device(name).certificate.clone());
    for profile in [Profile::Auto, Profile::Rfc8886, Profile::Authenticated] {
        let file = seal_as(&plaintext, &to, profile, Form::Pem, &mut SystemRandom).unwrap();
        for name in KINDS {
            assert_eq!(
                decrypted("cms", "PEM", device(name), &file),
                plaintext,
                "{profile:?} {name}"
            );
        }
    }
}

/// A stream of known length is DER, one of unknown length BER; both open.
#[test]
fn openssl_opens_what_we_seal_as_a_stream() {
    let (plaintext, device) = (plaintext(10_000), device("p256"));
    let to = [device.certificate.clone()];
    for (form, inform) in [(Form::Pem, "PEM"), (Form::Der, "DER"), (Form::Smime, "SMIME")] {
        for profile in [Profile::Rfc8886, Profile::Authenticated] {
            for length_is_known in [true, false] {
                let mut file = Vec::new();
                let mut sealer = Sealer::new(&to, profile, form, &mut SystemRandom).unwrap();
                if length_is_known {
                    sealer.set_length(10_000).unwrap();
                }
                for chunk in plaintext.chunks(999) {
                    sealer.push(chunk, &mut file).unwrap();
                }
                sealer.finish(&mut file).unwrap();
                let case = format!("{profile:?} {form:?} {length_is_known}");
                assert_eq!(decrypted("cms", inform, device, &file), plaintext, "{case}");
                assert_eq!(opened_every_way(&file, &device.ring).unwrap().0, plaintext, "{case}");
                if form == Form::Der {
                    assert_eq!(file[1] != 0x80, length_is_known, "{case}");
                }
            }
        }
    }
}

#[test]
fn a21_bytes_come_back_verbatim() {
    let device = device("p256");
    let to = [device.certificate.clone()];
    let texts = ["a\nb\n", "a\r\nb\r\n", "a\rb\r", "a\r\nb\nc\r\r\n"].map(|text| text.into());
    let all_values: Vec<u8> = (0..=255).collect();
    let sizes = [0, 1, 15, 16, 17, 4095, 4096, 4097, 1_048_576].map(plaintext);
    for plaintext in texts.into_iter().chain([all_values]).chain(sizes) {
        let options = ["-recip", &device.certificate_file()];
        let mut files = vec![encrypted("cms", &options, "DER", &plaintext)];
        for profile in [Profile::Rfc8886, Profile::Authenticated] {
            let file = seal_as(&plaintext, &to, profile, Form::Der, &mut SystemRandom).unwrap();
            assert!(decrypted("cms", "DER", device, &file) == plaintext, "{profile:?}");
            files.push(file);
        }
        for file in files {
            let opened = sdi::open(&file, &device.ring).unwrap();
            assert!(opened.plaintext() == plaintext, "{} bytes", plaintext.len());
        }
    }
}

//! Private and public keys, as this library and openssl write them.

use crate::support::*;
use sdi::{DeviceKey, Error, KeyAlgorithm, KeyFault, PublicKey, SoftwareKey};

const CURVES: [(&str, KeyAlgorithm); 3] =
    [("P-256", KeyAlgorithm::P256), ("P-384", KeyAlgorithm::P384), ("P-521", KeyAlgorithm::P521)];

/// A private key that openssl makes, PKCS#8 in PEM.
fn openssl_key(algorithm: KeyAlgorithm) -> Vec<u8> {
    let curve = CURVES.iter().find(|(_, kind)| *kind == algorithm).map(|(name, _)| *name);
    match (algorithm, curve) {
        (KeyAlgorithm::X25519, _) => openssl(&["genpkey", "-algorithm", "X25519"], b""),
        (_, Some(curve)) => {
            let curve = format!("ec_paramgen_curve:{curve}");
            openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", &curve], b"")
        }
        _ => openssl(&["genpkey", "-quiet", "-algorithm", "RSA"], b""),
    }
}

const KINDS: [KeyAlgorithm; 5] = [
    KeyAlgorithm::P256,
    KeyAlgorithm::P384,
    KeyAlgorithm::P521,
    KeyAlgorithm::X25519,
    KeyAlgorithm::Rsa(2048),
];

/// R6: every kind of key is made, stored and read again, by us and by openssl.
#[test]
fn r6_made_keys_pass_openssl() {
    for algorithm in KINDS.into_iter().chain([KeyAlgorithm::Rsa(3072), KeyAlgorithm::Rsa(4096)]) {
        let key = generate(algorithm);
        assert_eq!(key.public_key().algorithm(), algorithm);
        let pem = key.to_pem().unwrap();
        assert_eq!(openssl(&["pkey", "-check", "-noout"], pem.as_bytes()), b"Key is valid\n");
        assert_spki(&key, &openssl_spki(pem.as_bytes()));
        let again = SoftwareKey::parse(pem.as_bytes()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert!(again.to_pem().unwrap().ct_eq(pem.as_bytes()));
        // Byte for byte what openssl would write.
        assert_eq!(openssl(&["pkey"], pem.as_bytes()), pem.as_bytes());
        let other = generate(if algorithm == KeyAlgorithm::P256 { algorithm } else { KINDS[0] });
        assert_ne!(other.public_key(), key.public_key());
    }
    let small = SoftwareKey::generate(KeyAlgorithm::Rsa(1024), &mut sdi::SystemRandom);
    assert!(matches!(small, Err(Error::Argument(_))));
}

/// R18: what operators pin is what the usual command line prints.
#[test]
fn r18_fingerprints_are_openssls() {
    for algorithm in KINDS {
        let key = generate(algorithm);
        let public = openssl(&["pkey", "-pubout"], key.to_pem().unwrap().as_bytes());
        let spki = openssl(&["pkey", "-pubin", "-outform", "DER"], &public);
        let sha256 = openssl(&["dgst", "-sha256", "-binary"], &spki);
        assert_eq!(key.public_key().spki_sha256().unwrap()[..], sha256);
        for form in [&public, &spki] {
            let public = PublicKey::parse(form).unwrap();
            assert_eq!(public.spki_sha256().unwrap()[..], sha256);
            assert_eq!(&public, key.public_key());
        }
    }
}

/// R50 and R11: keys made by openssl, in every form that it writes.
#[test]
fn r50_openssl_keys_are_read_in_every_form() {
    for algorithm in KINDS {
        let pem = openssl_key(algorithm);
        let spki = openssl_spki(&pem);
        let read = |bytes: &[u8]| {
            let key = SoftwareKey::parse(bytes).unwrap_or_else(|error| {
                panic!("{algorithm:?}: {error}\n{}", String::from_utf8_lossy(bytes))
            });
            assert_spki(&key, &spki);
            assert_eq!(key.public_key().algorithm(), algorithm);
        };
        read(&pem);
        let der = pkcs8(&pem);
        assert!(position(&der[..8], &[2, 1, 0, 0x30]).is_some(), "PKCS#8");
        read(&der);
        let text = String::from_utf8(pem.clone()).unwrap();
        read(text.replace('\n', "\r\n").as_bytes());
        read(format!("\u{feff}Bag Attributes\n  friendlyName: x\n{text}").as_bytes());
        read(
            format!("{}{text}", builder("SN1").self_sign(&generate(KINDS[0])).unwrap().to_pem())
                .as_bytes(),
        );
        if algorithm != KeyAlgorithm::X25519 {
            read(&openssl(&["pkey", "-traditional"], &pem));
            let der = traditional(&pem);
            assert!(position(&der[..8], &[2, 1, 1, 4]).is_some() || der[..7].ends_with(&[2, 1, 0]));
            assert!(position(&der[..8], &[0x30, 0x0d]).is_none(), "no PKCS#8");
            read(&der);
        }
        if let KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521 = algorithm {
            for form in ["compressed", "uncompressed", "hybrid"] {
                for out in ["PEM", "DER"] {
                    let args = ["ec", "-conv_form", form, "-outform", out];
                    read(&openssl(&args, &pem));
                    read(&openssl(&[&args[..], &["-no_public"]].concat(), &pem));
                }
            }
        }
    }
}

/// R50: RFC 8886, A.1.1, as printed, and the same in DER as older versions write it.
#[test]
fn r50_parameters_may_stand_in_front() {
    for name in ["prime256v1", "secp384r1", "secp521r1"] {
        let pem = openssl(&["ecparam", "-name", name, "-genkey"], b"");
        assert!(pem.starts_with(b"-----BEGIN EC PARAMETERS-----"));
        let spki = openssl_spki(&pem);
        assert_spki(&SoftwareKey::parse(&pem).unwrap(), &spki);

        // Without the curve inside, the one in front counts.
        let key = openssl(&["ec", "-no_public", "-outform", "DER"], &pem);
        let parameters = openssl(&["ecparam", "-name", name, "-outform", "DER"], b"");
        let bare = without_curve(&key);
        assert_spki(&SoftwareKey::parse(&[&parameters[..], &bare].concat()).unwrap(), &spki);
        assert_spki(&SoftwareKey::parse(&[&parameters[..], &key].concat()).unwrap(), &spki);
        let unnamed = SoftwareKey::parse(&bare).unwrap_err();
        assert_eq!(unnamed, unreadable("it does not name its curve"));

        let other = if name == "prime256v1" { "secp384r1" } else { "prime256v1" };
        let other = openssl(&["ecparam", "-name", other, "-outform", "DER"], b"");
        let two = SoftwareKey::parse(&[&other[..], &key].concat()).unwrap_err();
        assert_eq!(two, unreadable("it names two curves"));
        assert!(SoftwareKey::parse(&[&parameters[..], &key, &key].concat()).is_err());
    }
}

/// ECPrivateKey with neither curve nor public point.
fn without_curve(key: &[u8]) -> Vec<u8> {
    let scalar_len = usize::from(key[6]);
    der(0x30, &[&[2, 1, 1], &key[5..7 + scalar_len]])
}

const fn unreadable(what: &'static str) -> Error {
    Error::Key(KeyFault::Unreadable(what))
}

/// PKCS#8 in the forms of RFC 5958 that openssl 3.0 does not write.
#[test]
fn pkcs8_comes_in_many_forms() {
    let p256 = &[
        0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d,
        3, 1, 7,
    ];
    let curve = &p256[11..];
    let pem = openssl_key(KeyAlgorithm::P256);
    let spki = openssl_spki(&pem);
    let point = &spki[26..];
    let sec1 = openssl(&["ec", "-outform", "DER"], &pem);
    let scalar = &sec1[5..39];
    let one = &[2, 1, 1][..];
    let bits = der(0x03, &[&[0], point]);
    let bare = der(0x30, &[one, scalar]);
    let with_curve = der(0x30, &[one, scalar, &der(0xa0, &[curve])]);
    let with_point = der(0x30, &[one, scalar, &der(0xa1, &[&bits])]);
    let attributes = der(0xa0, &[&der(0x30, &[&[6, 1, 0x2a], &[0x31, 0]])]);
    let public = der(0x81, &[&[0], point]);
    let form = |version: u8, inner: &[u8], tail: &[&[u8]]| {
        let head = [&[2, 1, version], &p256[..], &der(4, &[inner])].concat();
        der(0x30, &[&head, &tail.concat()])
    };
    for whole in [
        form(0, &bare, &[]),
        form(0, &with_curve, &[]),
        form(0, &with_point, &[]),
        form(0, &sec1, &[&attributes]),
        form(1, &bare, &[&public]),
        form(1, &sec1, &[&attributes, &public]),
    ] {
        assert_spki(&SoftwareKey::parse(&whole).unwrap(), &spki);
        assert!(SoftwareKey::parse(&whole[..whole.len() - 1]).is_err());
    }

    let pem = openssl_key(KeyAlgorithm::X25519);
    let (spki, v1) = (openssl_spki(&pem), pkcs8(&pem));
    let public = der(0x81, &[&[0], &spki[12..]]);
    let v2 = der(0x30, &[&[2, 1, 1], &v1[5..], &public]);
    assert_spki(&SoftwareKey::parse(&v2).unwrap(), &spki);
    // X25519's bytes are no number: none may be missing, and they stand in two OCTET STRINGs.
    let x25519 =
        |inner: &[u8]| der(0x30, &[&[2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e], &der(4, &[inner])]);
    assert_spki(&SoftwareKey::parse(&x25519(&der(4, &[&v1[16..]]))).unwrap(), &spki);
    for damaged in [&der(4, &[&v1[17..]])[..], &der(4, &[&[0], &v1[16..]]), &v1[16..]] {
        assert!(SoftwareKey::parse(&x25519(damaged)).is_err());
    }
}

/// Encoders that drop or add leading zeros of a scalar; scalars outside the curve.
#[test]
fn scalars_are_numbers() {
    let curve = [&[0xa0, 10][..], &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]].concat();
    let sec1 = |scalar: &[u8]| der(0x30, &[&[2, 1, 1], &der(4, &[scalar]), &curve]);
    let read = |scalar: &[u8]| SoftwareKey::parse(&sec1(scalar));
    let short = read(&[7]).unwrap();
    assert_eq!(read(&[&[0; 31][..], &[7]].concat()).unwrap().public_key(), short.public_key());
    assert_eq!(read(&[&[0; 40][..], &[7]].concat()).unwrap().public_key(), short.public_key());
    assert_ne!(read(&[8]).unwrap().public_key(), short.public_key());
    for outside in [&[][..], &[0], &[0; 32], &[0xff; 32], &[1; 33]] {
        let error = read(outside).unwrap_err();
        assert_eq!(error, unreadable("its number is out of range for the curve"));
    }
}

/// A flipped bit in storage is told, where the file lets us see it.
#[test]
fn halves_of_two_keys_are_refused() {
    let pem = openssl_key(KeyAlgorithm::P256);
    let whole = openssl(&["ec", "-outform", "DER"], &pem);
    assert!(SoftwareKey::parse(&whole).is_ok());
    for bit in 0..256 {
        let mut flipped = whole.clone();
        flipped[7 + bit / 8] ^= 1 << (bit % 8);
        let error = SoftwareKey::parse(&flipped).unwrap_err();
        let outside = unreadable("its number is out of range for the curve");
        let halves = unreadable("its private and public halves do not fit together");
        assert!(error == halves || error == outside, "bit {bit}: {error}");
        // Damage to the public half alone does no harm.
        let mut flipped = whole.clone();
        flipped[57 + bit / 8] ^= 1 << (bit % 8);
        assert_spki(&SoftwareKey::parse(&flipped).unwrap(), &openssl_spki(&pem));
    }
}

#[test]
fn encrypted_keys_say_so() {
    let pem = openssl_key(KeyAlgorithm::P256);
    let password = ["-passout", "pass:secret"];
    for args in [
        &["pkcs8", "-topk8"][..],
        &["pkcs8", "-topk8", "-outform", "DER"],
        &["pkey", "-aes256"],
        &["pkey", "-aes256", "-traditional"],
        &["ec", "-aes128"],
    ] {
        let encrypted = openssl(&[args, &password].concat(), &pem);
        let error = SoftwareKey::parse(&encrypted).unwrap_err();
        assert_eq!(error, unreadable("it is encrypted; remove its password first"));
    }
    let damaged = String::from_utf8(pem).unwrap().replacen("MI", "*I", 1);
    let error = SoftwareKey::parse(damaged.as_bytes()).unwrap_err();
    assert_eq!(error, unreadable("its base64 is damaged"));
}

#[test]
fn other_kinds_of_keys_are_named() {
    let explicit = ["-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"];
    let explicit = openssl(&[&["genpkey", "-algorithm", "EC"], &explicit[..]].concat(), b"");
    let args = ["ecparam", "-name", "prime256v1", "-param_enc", "explicit", "-genkey"];
    let explicit_sec1 = openssl(&args, b"");
    let koblitz = openssl(&["ecparam", "-name", "secp256k1", "-genkey", "-noout"], b"");
    for (key, oid) in [
        (explicit, None),
        (explicit_sec1, None),
        (openssl(&["pkey"], &koblitz), Some("1.3.132.0.10")),
        (koblitz, Some("1.3.132.0.10")),
        (openssl(&["genpkey", "-algorithm", "ED25519"], b""), Some("1.3.101.112")),
        (openssl(&["genpkey", "-algorithm", "X448"], b""), Some("1.3.101.111")),
    ] {
        let public = PublicKey::parse(&openssl(&["pkey", "-pubout"], &key)).unwrap_err();
        for error in [SoftwareKey::parse(&key).unwrap_err(), public] {
            let Error::Unsupported(unsupported) = &error else { panic!("{error}") };
            assert_eq!(unsupported.oid().as_deref(), oid, "{error}");
        }
    }
}

/// A compressed public key keeps its encoding, which openssl's fingerprint covers, and is the same
/// key. BER becomes DER. Points outside the curve are refused.
#[test]
fn public_keys_come_in_many_forms() {
    let pem = openssl_key(KeyAlgorithm::P256);
    let spki = openssl_spki(&pem);
    let key = PublicKey::parse(&spki).unwrap();
    let args = ["pkey", "-pubout", "-outform", "DER", "-ec_conv_form"];
    let compressed = openssl(&[&args[..], &["compressed"]].concat(), &pem);
    let short = PublicKey::parse(&compressed).unwrap();
    assert_eq!(short, key);
    assert_eq!(short.spki_der(), compressed);
    assert_ne!(short.spki_sha256().unwrap(), key.spki_sha256().unwrap());

    let indefinite = [&[0x30, 0x80], &spki[2..], &[0, 0]].concat();
    assert_eq!(PublicKey::parse(&indefinite).unwrap().spki_der(), spki);

    let hybrid = openssl(&[&args[..], &["hybrid"]].concat(), &pem);
    assert!(PublicKey::parse(&hybrid).is_err());
    let mut off = spki;
    *off.last_mut().unwrap() ^= 1;
    assert!(PublicKey::parse(&off).is_err());
    assert!(PublicKey::parse(b"").is_err());
    assert!(PublicKey::parse(&pem).is_err());
}

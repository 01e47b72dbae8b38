//! The structure of what comes out, as the types of the crates `cms` and `x509-cert` read it.

use crate::support::openssl::{device, run};
use crate::{FORMS, Fixed, MAGIC, PROFILES, capable, streamed};
use cms::authenveloped_data::AuthEnvelopedData;
use cms::cert::IssuerAndSerialNumber;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::enveloped_data::{
    EncryptedContentInfo, EnvelopedData, KeyAgreeRecipientIdentifier, KeyAgreeRecipientInfo,
    KeyTransRecipientInfo, OriginatorIdentifierOrKey, OriginatorPublicKey, RecipientIdentifier,
    RecipientInfo,
};
use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use sdi::{Certificate, Form, KeyAlgorithm, Profile, seal_as};
use std::fs;
use std::slice::from_ref;
use x509_cert::ext::pkix::SubjectKeyIdentifier;

struct Parsed {
    version: CmsVersion,
    recipients: Vec<RecipientInfo>,
    content: EncryptedContentInfo,
    mac: Option<Vec<u8>>,
}

/// Seals and reads. What openssl read and writes again is the same bytes: it is DER. (The types of
/// `cms` sort a SET OF by length first.)
fn sealed(to: &[Certificate], profile: Profile) -> Parsed {
    let file = seal_as(b"hostname x\n", to, profile, Form::Der, &mut Fixed::new(1))
        .expect("it can be sealed");
    let again = run(&["cms", "-cmsout", "-inform", "DER", "-outform", "DER"], &file);
    assert!(again == file, "{profile:?}");
    let info = ContentInfo::from_der(&file).expect("it is a ContentInfo");
    let body = info.content.to_der().expect("it was read");
    match info.content_type.to_string().as_str() {
        "1.2.840.113549.1.7.3" => {
            let data = EnvelopedData::from_der(&body).expect("the type is right");
            assert_eq!((data.originator_info, data.unprotected_attrs), (None, None));
            let recipients = data.recip_infos.0.into_vec();
            Parsed { version: data.version, recipients, content: data.encrypted_content, mac: None }
        }
        "1.2.840.113549.1.9.16.1.23" => {
            let data = AuthEnvelopedData::from_der(&body).expect("the type is right");
            assert_eq!((data.auth_attrs, data.unauth_attrs), (None, None));
            let recipients = data.recip_infos.0.into_vec();
            let (content, mac) = (data.auth_encrypted_content_info, data.mac.as_bytes().to_vec());
            Parsed { version: data.version, recipients, content, mac: Some(mac) }
        }
        other => panic!("{other} is no envelope"),
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("two digits")).collect()
}

fn assert_oid(found: ObjectIdentifier, expected: &str) {
    assert_eq!(found, ObjectIdentifier::new(expected).expect("it is one"));
}

fn x509(certificate: &Certificate) -> x509_cert::Certificate {
    x509_cert::Certificate::from_der(certificate.der()).expect("openssl made it")
}

fn issuer_and_serial(certificate: &Certificate) -> IssuerAndSerialNumber {
    let fields = x509(certificate);
    let fields = fields.tbs_certificate();
    IssuerAndSerialNumber {
        issuer: fields.issuer().clone(),
        serial_number: fields.serial_number().clone(),
    }
}

fn key_id(certificate: &Certificate) -> SubjectKeyIdentifier {
    let fields = x509(certificate);
    let found = fields.tbs_certificate().get_extension::<SubjectKeyIdentifier>().expect("it reads");
    found.expect("openssl wrote one").1
}

fn transport(recipient: &RecipientInfo) -> &KeyTransRecipientInfo {
    match recipient {
        RecipientInfo::Ktri(transport) => transport,
        other => panic!("{other:?} is no key transport"),
    }
}

fn agreement(recipient: &RecipientInfo) -> (&KeyAgreeRecipientInfo, &OriginatorPublicKey) {
    match recipient {
        RecipientInfo::Kari(agreement) => match &agreement.originator {
            OriginatorIdentifierOrKey::OriginatorKey(key) => (agreement, key),
            other => panic!("{other:?} is no ephemeral key"),
        },
        other => panic!("{other:?} is no key agreement"),
    }
}

#[test]
fn r24_rfc_8886_to_rsa_is_the_appendix() {
    let certificate = device("rsa2048").certificate.clone();
    let file = sealed(from_ref(&certificate), Profile::Rfc8886);
    assert_eq!(file.version, CmsVersion::V0);
    let [recipient] = file.recipients.as_slice() else { panic!("one recipient") };
    let transport = transport(recipient);
    assert_eq!(transport.version, CmsVersion::V0);
    let name = RecipientIdentifier::IssuerAndSerialNumber(issuer_and_serial(&certificate));
    assert_eq!(transport.rid, name);
    let rsa_encryption = hex("300d06092a864886f70d0101010500");
    assert_eq!(transport.key_enc_alg.to_der().unwrap(), rsa_encryption);
    assert_eq!(transport.enc_key.as_bytes().len(), 256);
    assert_cbc(&file);
}

#[test]
fn rsa_is_oaep_with_sha_256() {
    let certificate = device("rsa3072").certificate.clone();
    for (profile, version) in
        [(Profile::Auto, CmsVersion::V2), (Profile::Authenticated, CmsVersion::V0)]
    {
        let file = sealed(from_ref(&certificate), profile);
        assert_eq!(file.version, version);
        let [recipient] = file.recipients.as_slice() else { panic!("one recipient") };
        let transport = transport(recipient);
        assert_eq!(transport.version, CmsVersion::V2);
        let name = RecipientIdentifier::SubjectKeyIdentifier(key_id(&certificate));
        assert_eq!(transport.rid, name);
        // id-RSAES-OAEP { [0] sha256 NULL, [1] mgf1 { sha256 NULL } }
        let oaep = hex("303c06092a864886f70d010107302fa00f300d06096086480165030402010500\
             a11c301a06092a864886f70d010108300d06096086480165030402010500");
        assert_eq!(transport.key_enc_alg.to_der().unwrap(), oaep);
        assert_eq!(transport.enc_key.as_bytes().len(), 384);
    }
}

#[test]
fn ec_is_ephemeral_static_with_the_sha_256_kdf() {
    for (name, point) in [("p256", 65), ("p384", 97), ("p521", 133)] {
        let certificate = device(name).certificate.clone();
        for (profile, version) in [
            (Profile::Auto, CmsVersion::V2),
            (Profile::Rfc8886, CmsVersion::V2),
            (Profile::Authenticated, CmsVersion::V0),
        ] {
            let file = sealed(from_ref(&certificate), profile);
            assert_eq!(file.version, version);
            let [recipient] = file.recipients.as_slice() else { panic!("one recipient") };
            let (agreement, originator) = agreement(recipient);
            assert_eq!(agreement.version, CmsVersion::V3);
            assert_eq!(agreement.ukm, None);
            assert_oid(originator.algorithm.oid, "1.2.840.10045.2.1");
            assert_eq!(originator.algorithm.parameters, None);
            let key = originator.public_key.raw_bytes();
            assert_eq!((key.len(), key[0]), (point, 4));
            // dhSinglePass-stdDH-sha256kdf-scheme { id-aes256-wrap, no parameters }
            let algorithm = hex("301506062b8104010b01300b060960864801650304012d");
            assert_eq!(agreement.key_enc_alg.to_der().unwrap(), algorithm);
            let [key] = agreement.recipient_enc_keys.as_slice() else { panic!("one key") };
            assert_eq!(key.enc_key.as_bytes().len(), 40);
            match &key.rid {
                KeyAgreeRecipientIdentifier::IssuerAndSerialNumber(name) => {
                    assert_eq!(*name, issuer_and_serial(&certificate));
                    assert_eq!(profile, Profile::Rfc8886);
                }
                KeyAgreeRecipientIdentifier::RKeyId(name) => {
                    assert_eq!(name.subject_key_identifier, key_id(&certificate));
                    assert_eq!((&name.date, &name.other), (&None, &None));
                    assert_ne!(profile, Profile::Rfc8886);
                }
            }
        }
    }
}

#[test]
fn x25519_is_rfc_8418() {
    let (_, certificate) = capable(KeyAlgorithm::X25519);
    let file = sealed(&[certificate], Profile::Auto);
    let [recipient] = file.recipients.as_slice() else { panic!("one recipient") };
    let (agreement, originator) = agreement(recipient);
    assert_eq!((agreement.version, &agreement.ukm), (CmsVersion::V3, &None));
    assert_oid(originator.algorithm.oid, "1.3.101.110");
    assert_eq!(originator.algorithm.parameters, None);
    assert_eq!(originator.public_key.raw_bytes().len(), 32);
    // dhSinglePass-stdDH-hkdf-sha256-scheme { id-aes256-wrap, no parameters }
    let algorithm = hex("301a060b2a864886f70d0109100313300b060960864801650304012d");
    assert_eq!(agreement.key_enc_alg.to_der().unwrap(), algorithm);
}

/// Each recipient has an ephemeral key of its own, also one that is named twice.
#[test]
fn ephemeral_keys_are_used_once() {
    let names = ["p256", "p256", "p256b", "rsa2048", "p384"];
    let to = names.map(|name| device(name).certificate.clone());
    for profile in PROFILES {
        let file = sealed(&to, profile);
        assert_eq!(file.recipients.len(), 5);
        let agreements = file.recipients.iter().filter(|r| matches!(r, RecipientInfo::Kari(_)));
        let keys = agreements.map(|recipient| agreement(recipient).1.public_key.raw_bytes());
        let mut keys: Vec<_> = keys.collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 4);
    }
}

#[test]
fn without_a_key_identifier_the_name_is_issuer_and_serial() {
    let keys = ["p256", "rsa2048"].map(|name| device(name).certificate.public_key());
    let to = keys.map(|key| crate::support::keys::certificate(key, "no key identifier"));
    let file = sealed(&to, Profile::Auto);
    let [rsa, ec] = file.recipients.as_slice() else { panic!("two recipients") };
    let name = issuer_and_serial(&to[1]);
    assert_eq!(transport(rsa).rid, RecipientIdentifier::IssuerAndSerialNumber(name));
    assert_eq!(transport(rsa).version, CmsVersion::V0);
    let name = KeyAgreeRecipientIdentifier::IssuerAndSerialNumber(issuer_and_serial(&to[0]));
    assert_eq!(agreement(ec).0.recipient_enc_keys[0].rid, name);
    // One recipient above version 0 is enough.
    assert_eq!(file.version, CmsVersion::V2);
    assert_eq!(sealed(&to[1..], Profile::Auto).version, CmsVersion::V0);
}

fn assert_cbc(file: &Parsed) {
    assert_oid(file.content.content_type, "1.2.840.113549.1.7.1");
    let algorithm = file.content.content_enc_alg.to_der().expect("it was read");
    let (start, iv) = algorithm.split_at(algorithm.len() - 16);
    assert_eq!(start, hex("301d060960864801650304012a0410"));
    assert_ne!(iv, [0; 16]);
    let content = file.content.encrypted_content.as_ref().expect("there is content");
    assert_eq!((content.as_bytes().len(), &file.mac), (16, &None));
}

fn assert_gcm(file: &Parsed, is_derived: bool) {
    assert_oid(file.content.content_type, "1.2.840.113549.1.7.1");
    let mut algorithm = file.content.content_enc_alg.to_der().expect("it was read");
    if is_derived {
        // id-alg-cek-hkdf-sha256, whose parameters are the cipher's AlgorithmIdentifier.
        let outer = hex("302d060b2a864886f70d010910031f");
        assert_eq!(algorithm[..outer.len()], outer);
        algorithm.drain(..outer.len());
    }
    assert_eq!(algorithm[..17], hex("301e060960864801650304012e3011040c"));
    assert_eq!(algorithm[29..], hex("020110"));
    let content = file.content.encrypted_content.as_ref().expect("there is content");
    assert_eq!(content.as_bytes().len(), b"hostname x\n".len());
    assert_eq!(file.mac.as_ref().map(Vec::len), Some(16));
}

/// A certificate of openssl with these capabilities.
fn with_capabilities(der: &str) -> Certificate {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("capabilities-{}-{}.cnf", std::process::id(), der.len()));
    let configuration = format!(
        "[req]\ndistinguished_name = dn\nx509_extensions = ext\n[dn]\n[ext]\n\
         1.2.840.113549.1.9.15 = DER:{der}\n"
    );
    fs::write(&path, configuration).expect("the folder can be written to");
    let (file, key) = (path.to_str().expect("the path is UTF-8"), device("p256").key_file());
    let request = ["req", "-x509", "-new", "-subj", "/CN=x", "-config", file, "-key", &key];
    let certificate = Certificate::parse(&run(&request, b"")).expect("openssl made a certificate");
    fs::remove_file(&path).expect("the file is ours");
    certificate
}

const CBC: &str = "300b060960864801650304012a";
const GCM: &str = "300b060960864801650304012e";
const HKDF: &str = "300d060b2a864886f70d010910031f";

#[test]
fn r55_auto_takes_the_best_that_all_recipients_list() {
    let plain = device("p256").certificate.clone();
    let cbc = with_capabilities(&format!("300d{CBC}"));
    let gcm = with_capabilities(&format!("301a{CBC}{GCM}"));
    let hkdf = with_capabilities(&format!("301c{CBC}{HKDF}"));
    let both = with_capabilities(&format!("301c{GCM}{HKDF}"));
    let ours = capable(KeyAlgorithm::P384).1;
    for (to, profile) in [
        (vec![&plain], Profile::Auto),
        (vec![&cbc], Profile::Auto),
        (vec![&hkdf], Profile::Auto),
        (vec![&both, &plain], Profile::Auto),
        (vec![&gcm, &hkdf], Profile::Auto),
        (vec![&both], Profile::Rfc8886),
    ] {
        let to: Vec<_> = to.into_iter().cloned().collect();
        assert_cbc(&sealed(&to, profile));
    }
    for (to, profile, is_derived) in [
        (vec![&gcm], Profile::Auto, false),
        (vec![&gcm, &both], Profile::Auto, false),
        (vec![&both], Profile::Auto, true),
        (vec![&both, &ours], Profile::Auto, true),
        (vec![&plain], Profile::Authenticated, false),
        (vec![&both, &plain], Profile::Authenticated, false),
        (vec![&both, &hkdf], Profile::Authenticated, true),
    ] {
        let to: Vec<_> = to.into_iter().cloned().collect();
        assert_gcm(&sealed(&to, profile), is_derived);
    }
}

#[test]
fn forms_differ_in_what_is_around_the_der() {
    let to = [device("p256").certificate.clone()];
    let plaintext = crate::plaintext(1000);
    for (profile, label, smime_type) in [
        (Profile::Auto, "CMS", "enveloped-data"),
        (Profile::Rfc8886, "PKCS7", "enveloped-data"),
        (Profile::Authenticated, "CMS", "authEnveloped-data"),
    ] {
        for length_is_known in [true, false] {
            let [pem, der, smime, magic] =
                FORMS.map(|form| streamed(&plaintext, &to, profile, form, 100, length_is_known));
            assert_eq!(magic, [MAGIC, &der].concat());
            assert_eq!(der.starts_with(&[0x30, 0x80]), !length_is_known);
            let base64 = run(&["base64"], &der);
            let (begin, end) =
                (format!("-----BEGIN {label}-----\n"), format!("-----END {label}-----\n"));
            assert!(pem == [begin.as_bytes(), &base64, end.as_bytes()].concat());
            let headers = format!(
                "MIME-Version: 1.0\nContent-Disposition: attachment; filename=\"smime.p7m\"\n\
                 Content-Type: application/pkcs7-mime; smime-type={smime_type}; \
                 name=\"smime.p7m\"\nContent-Transfer-Encoding: base64\n\n"
            );
            assert!(smime == [headers.as_bytes(), &base64, b"\n"].concat());
        }
    }
}

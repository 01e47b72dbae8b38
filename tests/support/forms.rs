//! The forms that an envelope comes in.

use super::corpus::case;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sdi::{Encoding, PemLabel};

pub(crate) const MAGIC: &[u8] = b"\x89SDI\r\n\x1a\n";

/// One envelope in every form that there is.
pub(crate) fn forms() -> Vec<(Vec<u8>, Encoding)> {
    let der = case("bc/gcm-auth-and-unauth-attrs-p256").message();
    let base64 = {
        let text = STANDARD.encode(&der);
        let lines = text.as_bytes().chunks(64).map(|line| [line, b"\n"].concat());
        String::from_utf8(lines.collect::<Vec<_>>().concat()).expect("base64 is ASCII")
    };
    let pem = |label: &str| format!("-----BEGIN {label}-----\n{base64}-----END {label}-----\n");
    let mail = "MIME-Version: 1.0\nContent-Type: application/pkcs7-mime;\n \
                smime-type=authEnveloped-data; name=\"smime.p7m\"\n";
    let base64_mail = format!("{mail}Content-Transfer-Encoding: base64\n\n{base64}");
    let binary_mail = format!("{mail}Content-Transfer-Encoding: binary\r\n\r\n");
    vec![
        (der.clone(), Encoding::Der),
        ([MAGIC, &der].concat(), Encoding::Magic),
        (pem("PKCS7").into(), Encoding::Pem(PemLabel::Pkcs7)),
        (pem("CMS").into(), Encoding::Pem(PemLabel::Cms)),
        (pem("ENCRYPTED MESSAGE").into(), Encoding::Pem(PemLabel::EncryptedMessage)),
        (base64.clone().into(), Encoding::Base64),
        (base64.replace('\n', "").into(), Encoding::Base64),
        (base64_mail.into(), Encoding::Smime),
        ([binary_mail.as_bytes(), &der].concat(), Encoding::Smime),
    ]
}

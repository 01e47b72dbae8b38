//! May a certificate sign others? Programs that verify chains ask this of an issuer; nothing else here
//! does.

use x509_cert::Certificate;
use x509_cert::certificate::Version;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

/// Whether the extensions let it (RFC 5280, sections 4.2.1.3 and 4.2.1.9), as OpenSSL reads them.
/// `None` for what cannot be read.
pub(crate) fn may_sign(certificate: &[u8]) -> Option<bool> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let fields = certificate.tbs_certificate();
    let constraints = fields.get_extension::<BasicConstraints>().ok()?;
    let usage = fields.get_extension::<KeyUsage>().ok()?;
    Some(match (constraints, usage) {
        (_, Some((_, usage))) if !usage.key_cert_sign() => false,
        (Some((_, constraints)), _) => constraints.ca,
        // The first version had no extensions.
        (None, usage) => usage.is_some() || fields.version() == Version::V1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_says_nothing() {
        for bytes in
            [&b""[..], b"0", b"0\x80", b"0\x02", b"0\x85\0\0\0\0\0", b"0\x84\xff\xff\xff\xff"]
        {
            assert_eq!(may_sign(bytes), None, "{bytes:?}");
        }
    }
}

//! May a certificate sign others? Programs that verify chains ask this of an issuer; nothing else here
//! does.

/// Whether the extensions let it (RFC 5280, sections 4.2.1.3 and 4.2.1.9), as OpenSSL reads them.
/// `None` for what cannot be read.
pub(crate) fn may_sign(certificate: &[u8]) -> Option<bool> {
    let (_, whole, _) = element(certificate)?;
    let (_, mut fields, _) = element(whole)?;
    let mut is_old = true;
    if let Some((0xa0, _, rest)) = element(fields) {
        is_old = false;
        fields = rest;
    }
    let (mut authority, mut usage) = (None, None);
    while let Some((tag, body, rest)) = element(fields) {
        fields = rest;
        if tag != 0xa3 {
            continue;
        }
        let (_, mut extensions, _) = element(body)?;
        while let Some((_, extension, rest)) = element(extensions) {
            extensions = rest;
            let (_, oid, mut value) = element(extension)?;
            if let Some((BOOLEAN, _, rest)) = element(value) {
                value = rest;
            }
            let (_, value, _) = element(value)?;
            match oid {
                BASIC_CONSTRAINTS => authority = Some(is_authority(value)?),
                KEY_USAGE => usage = Some(signs(value)?),
                _ => {}
            }
        }
    }
    // The first version had no extensions.
    Some(match (authority, usage) {
        (_, Some(false)) => false,
        (Some(is_authority), _) => is_authority,
        (None, usage) => is_old || usage.is_some(),
    })
}

const BOOLEAN: u8 = 1;
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];

/// It is not, where it does not say so.
fn is_authority(value: &[u8]) -> Option<bool> {
    let (_, constraints, _) = element(value)?;
    Some(matches!(element(constraints), Some((BOOLEAN, [is, ..], _)) if *is != 0))
}

/// The bit keyCertSign.
fn signs(value: &[u8]) -> Option<bool> {
    let (_, bits, _) = element(value)?;
    Some(bits.get(1).is_some_and(|bits| bits & 0x04 != 0))
}

/// The first element of DER: its tag, its body, and what is behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let len = digits.iter().fold(0, |len: usize, digit| len << 8 | usize::from(*digit));
            (len, rest)
        }
        _ => return None,
    };
    let (body, rest) = rest.split_at_checked(len)?;
    Some((*tag, body, rest))
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

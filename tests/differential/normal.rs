//! A file reduced to what is read of it: one recipient under our own name, usual version numbers, and
//! none of the parts that are passed over. If two readers agree on that, they disagreed on the rest.

use super::support::der::element;

/// One element, in BER.
#[derive(Debug, Clone, Copy)]
struct Element<'a> {
    tag: u8,
    body: &'a [u8],
    raw: &'a [u8],
}

/// The first element, if there is a whole one. High tag numbers are none.
fn first(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (start, len) = match length {
        0..=0x7f => (2, usize::from(length)),
        0x80 => {
            let mut rest = rest;
            while !rest.starts_with(&[0, 0]) {
                rest = rest.get(first(rest)?.raw.len()..)?;
            }
            let end = bytes.len() - rest.len();
            return Some(Element { tag, body: bytes.get(2..end)?, raw: bytes.get(..end + 2)? });
        }
        _ => {
            let octets = rest.get(..usize::from(length & 0x7f))?;
            let significant = octets.iter().skip_while(|&&octet| octet == 0);
            let len = significant.clone().count();
            let value = significant.fold(0, |sum: usize, &octet| sum << 8 | usize::from(octet));
            (2 + octets.len(), (len <= 4).then_some(value)?)
        }
    };
    let raw = bytes.get(..start.checked_add(len)?)?;
    (tag & 0x1f != 0x1f).then_some(Element { tag, body: &raw[start..], raw })
}

fn children(element: Element<'_>) -> Option<Vec<Element<'_>>> {
    let mut rest = element.body;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let child = first(rest)?;
        rest = &rest[child.raw.len()..];
        all.push(child);
    }
    Some(all)
}

fn joined<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    parts.into_iter().collect::<Vec<_>>().concat()
}

/// issuerAndSerialNumber of a certificate in DER.
pub(crate) fn name_of(certificate: &[u8]) -> Vec<u8> {
    let outer = children(first(certificate).expect("it is whole")).expect("it is DER");
    let fields = children(outer[0]).expect("it is DER");
    let fields = if fields[0].tag == 0xa0 { &fields[1..] } else { &fields };
    element(0x30, &joined([fields[2].raw, fields[0].raw]))
}

/// The reduced files, one for each recipient that could be read.
pub(crate) fn reduced(file: &[u8], name: &[u8]) -> Vec<Vec<u8>> {
    reduce(file, name).unwrap_or_default()
}

fn reduce(file: &[u8], name: &[u8]) -> Option<Vec<Vec<u8>>> {
    let outer = children(first(file)?)?;
    let kind = outer.first()?;
    let data = children(children(*outer.get(1)?)?.first().copied()?)?;
    let set = data.iter().position(|part| part.tag == 0x31)?;
    let content = data.get(set + 1)?;
    let is_authenticated = kind.body.len() == 11;
    let behind = data.get(set + 2..)?.iter().filter(|part| match part.tag {
        // authAttrs and the tag; unprotectedAttrs and unauthAttrs are passed over.
        0xa1 | 0x04 | 0x24 => is_authenticated,
        _ => false,
    });
    let behind = joined(behind.map(|part| part.raw));
    let recipients = children(data[set])?;
    let files = recipients.iter().flat_map(|recipient| one_recipient(*recipient, name));
    Some(
        files
            .map(|recipient| {
                let version = [0x02, 0x01, if is_authenticated { 0 } else { 2 }];
                let recipients = element(0x31, &recipient);
                let parts = [version.as_slice(), &recipients, content.raw, &behind].concat();
                let explicit = element(0xa0, &element(0x30, &parts));
                element(0x30, &[kind.raw, &explicit].concat())
            })
            .collect(),
    )
}

/// A recipient under our name; a key agreement once for each of its keys.
fn one_recipient(recipient: Element<'_>, name: &[u8]) -> Vec<Vec<u8>> {
    let Some(fields) = children(recipient) else { return Vec::new() };
    match (recipient.tag, fields.as_slice()) {
        (0x30, [_, _, algorithm, key]) => {
            vec![element(0x30, &joined([&[2, 1, 0], name, algorithm.raw, key.raw]))]
        }
        (0xa1, [_, originator, middle @ .., keys]) => {
            let Some(keys) = children(*keys) else { return Vec::new() };
            let originator = element(0xa0, first(originator.body).map_or(&[], |key| key.raw));
            let middle = joined(middle.iter().map(|field| field.raw));
            let keys = keys.iter().filter_map(|key| Some(*children(*key)?.get(1)?));
            keys.map(|key| {
                let key = element(0x30, &element(0x30, &[name, key.raw].concat()));
                let parts = [&[2, 1, 3], originator.as_slice(), &middle, &key].concat();
                element(0xa1, &parts)
            })
            .collect()
        }
        _ => Vec::new(),
    }
}

/// The same file with its authenticated attributes in DER: minimal lengths, and in order.
pub(crate) fn with_der_attributes(file: &[u8]) -> Option<Vec<u8>> {
    let outer = children(first(file)?)?;
    let data = children(children(*outer.get(1)?)?.first().copied()?)?;
    let parts = data.iter().map(|part| match part.tag {
        0xa1 => {
            let attributes = children(*part)?.into_iter();
            let mut attributes = attributes.map(|a| usual(a, None)).collect::<Option<Vec<_>>>()?;
            attributes.sort();
            Some(element(0xa1, &attributes.concat()))
        }
        _ => Some(part.raw.to_vec()),
    });
    let data = parts.collect::<Option<Vec<_>>>()?.concat();
    Some(element(0x30, &[outer[0].raw, &element(0xa0, &element(0x30, &data))].concat()))
}

/// The same file with usual tags: a string's pieces under the string's own tag, SEQUENCE and SET as
/// constructed ones. What stands behind it is gone.
pub(crate) fn with_usual_tags(file: &[u8]) -> Option<Vec<u8>> {
    usual(first(file)?, None)
}

fn usual(part: Element<'_>, string: Option<u8>) -> Option<Vec<u8>> {
    let tag = match (string, part.tag) {
        (Some(string), tag) => string | tag & 0x20,
        (None, 0x10 | 0x11) => part.tag | 0x20,
        (None, tag) => tag,
    };
    if tag & 0x20 == 0 {
        return Some(element(tag, part.body));
    }
    let children = children(part)?;
    if tag == 0x23 {
        // OpenSSL joins the pieces of a BIT STRING with the octet that each has at its start.
        return Some(element(0x03, &joined(children.iter().map(|piece| piece.body))));
    }
    let string = (tag == 0x24).then_some(0x04);
    // Implicitly tagged content in pieces, the only string here whose tag does not tell.
    let is_content = tag == 0xa0 && part.tag == 0xa0 && children.iter().all(|c| c.tag & 0x20 == 0);
    let string = if is_content { Some(0x04) } else { string };
    let parts = children.iter().map(|child| usual(*child, string)).collect::<Option<Vec<_>>>()?;
    Some(element(tag, &parts.concat()))
}

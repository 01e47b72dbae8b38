//! Identifiers, and the certificates and requests that are made of them.

use crate::choices::Choices;
use crate::corpus::{Device, devices};
use crate::promises::describes;
use crate::support::forge::Random;
use sdi::{Certificate, DeviceId, IdentityBuilder, Validity};
use std::sync::OnceLock;

/// The keys that sign fast, and one that cannot sign.
fn signers() -> &'static [&'static Device] {
    static SIGNERS: OnceLock<Vec<&Device>> = OnceLock::new();
    SIGNERS.get_or_init(|| {
        let fast = ["P256", "P384", "X25519"].map(|name| {
            let has =
                |device: &&Device| format!("{:?}", device.key.public_key().algorithm()) == name;
            devices().iter().find(has).expect("the corpus has it")
        });
        fast.to_vec()
    })
}

/// Input: the key, what the certificate says beside the identifier, the identifier.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let device = *choices.one_of(signers());
    let (seconds, days, flags) = (choices.number(), choices.byte(), choices.byte());
    let Ok(text) = std::str::from_utf8(choices.rest()) else { return };
    let id = match DeviceId::new(text) {
        Ok(id) => id,
        Err(error) => return describes(&error),
    };
    assert_eq!(id.as_str(), text);
    assert!(!text.contains("..") && !text.contains(['/', '\\', '%']) && text.len() <= 64);
    let mut builder = IdentityBuilder::new(id, seconds);
    if flags & 1 != 0 {
        builder = builder.validity(Validity::Days(u32::from(days) * 1000));
    }
    if flags & 2 != 0 {
        builder = builder.without_capabilities();
    }
    let made = match flags >> 2 & 3 {
        0 => builder.self_sign(&*device.key),
        1 => builder.wrap(device.key.public_key(), &mut Random(3)),
        _ => {
            match builder.request(&*device.key) {
                Ok(request) => {
                    assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
                    assert!(request.is_ascii() && request.ends_with("-----\n"));
                    assert!(Certificate::parse(request.as_bytes()).is_err(), "it is none");
                }
                Err(error) => describes(&error),
            }
            return;
        }
    };
    match made {
        Ok(certificate) => {
            assert_eq!(certificate.device_id().as_deref(), Some(text));
            assert_eq!(certificate.public_key(), device.key.public_key());
            assert_eq!(Certificate::parse(certificate.der()), Ok(certificate));
        }
        Err(error) => describes(&error),
    }
}

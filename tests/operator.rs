//! What the operator does and may rely on: sealing from a stored certificate, pinning its key, and
//! that a file is for one device alone.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

extern crate alloc;

use alloc::sync::Arc;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::time::Duration;
use sdi::{
    Action, Autoinstall, Certificate, Detection, DeviceId, DeviceKey, Error, Event, Hint, Identity,
    IdentityBuilder, KeyAlgorithm, KeyRing, Outcome, Policy, Profile, SoftwareKey, SystemRandom,
};

const CONFIG: &[u8] = b"hostname r1\nradius-server key not-a-secret\nend\n";

/// A device as the factory leaves it.
struct Device {
    id: DeviceId,
    key: Arc<SoftwareKey>,
    certificate: Certificate,
}

impl Device {
    fn new(id: &str, algorithm: KeyAlgorithm) -> sdi::Result<Self> {
        let id = DeviceId::new(id)?;
        let key = SoftwareKey::generate(algorithm, &mut SystemRandom)?;
        let certificate = IdentityBuilder::new(id.clone(), 0).self_sign(&key)?;
        Ok(Self { id, key: Arc::new(key), certificate })
    }

    fn ring(&self) -> sdi::Result<KeyRing> {
        self.ring_of(Some(self.certificate.clone()))
    }

    /// The ring of a device that never saw its certificate.
    fn bare_ring(&self) -> sdi::Result<KeyRing> {
        self.ring_of(None)
    }

    fn ring_of(&self, certificate: Option<Certificate>) -> sdi::Result<KeyRing> {
        let mut ring = KeyRing::new();
        let key: Arc<dyn DeviceKey> = self.key.clone();
        ring.set_vendor(Identity::new(key, certificate)?)?;
        Ok(ring)
    }

    /// What a first boot installs, in one attempt with the policy that every device has.
    fn first_boot(&self, file: &[u8]) -> sdi::Result<Vec<u8>> {
        let mut machine = Autoinstall::new(Policy::for_device(&self.id), Duration::ZERO);
        let mut config = file.to_vec();
        loop {
            let event = match machine.poll(Duration::ZERO) {
                Action::Fetch { .. } => Event::Fetched(detect(file)),
                Action::Decrypt => {
                    config = sdi::open(file, &self.ring()?)?.plaintext().to_vec();
                    Event::Decrypted
                }
                Action::Check | Action::CheckRaw => Event::Checked,
                Action::Install | Action::InstallRaw => Event::Installed,
                Action::Finished(Outcome::Installed) => return Ok(config),
                Action::WaitUntil(_) | Action::Finished(Outcome::Aborted) => {
                    return Err(Error::Argument("the attempt failed"));
                }
            };
            machine.handle(Duration::ZERO, event)?;
        }
    }
}

fn detect(file: &[u8]) -> Detection {
    sdi::detect(None, file, Hint { at_end: true, expect_encrypted: false })
}

fn seal(config: &[u8], to: &Certificate, profile: Profile) -> sdi::Result<Vec<u8>> {
    sdi::seal(config, core::slice::from_ref(to), profile, &mut SystemRandom)
}

#[test]
fn r3_encryption_is_chosen_file_by_file() -> sdi::Result<()> {
    let device = Device::new("SN1", KeyAlgorithm::P256)?;
    assert_eq!(device.first_boot(CONFIG)?, CONFIG);
    let sealed = seal(CONFIG, &device.certificate, Profile::Auto)?;
    assert_ne!(sealed, CONFIG);
    assert_eq!(device.first_boot(&sealed)?, CONFIG);
    Ok(())
}

/// R8 and R21: neither device nor directory is there when the file is made. A27: the file opens for
/// as long as the key exists, and as often as it is sent.
#[test]
fn r8_r21_a_stored_certificate_is_all_that_sealing_needs() -> sdi::Result<()> {
    let device = Device::new("SN1", KeyAlgorithm::P256)?;
    let stored = device.certificate.to_pem();

    let certificate = Certificate::parse(stored.as_bytes())?;
    let first = seal(CONFIG, &certificate, Profile::Auto)?;
    let second = seal(b"hostname r2\n", &certificate, Profile::Auto)?;

    assert_eq!(device.first_boot(&first)?, CONFIG);
    assert_eq!(device.first_boot(&second)?, b"hostname r2\n");
    assert_eq!(device.first_boot(&first)?, CONFIG);
    Ok(())
}

/// R54 too: a wrong key is a failure, whatever the file.
#[test]
fn r10_only_the_right_device_decrypts() -> sdi::Result<()> {
    let kinds =
        [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521, KeyAlgorithm::Rsa(2048)];
    let mut devices = Vec::new();
    let mut files = Vec::new();
    for number in 0..64 {
        let kind = kinds[if number < 60 { number % 3 } else { 3 }];
        let device = Device::new(&format!("SN{number:04}"), kind)?;
        let config = format!("hostname r{number}\n");
        files.push(seal(config.as_bytes(), &device.certificate, Profile::Authenticated)?);
        devices.push((device.ring()?, device.bare_ring()?));
    }
    let (mut opened, mut refused) = (0, 0);
    for (owner, file) in files.iter().enumerate() {
        for (number, (ring, bare)) in devices.iter().enumerate() {
            if number == owner {
                let config = format!("hostname r{number}\n");
                for ring in [ring, bare] {
                    assert_eq!(sdi::open(file, ring)?.plaintext(), config.as_bytes());
                }
                opened += 1;
                continue;
            }
            match sdi::open(file, ring).map(|_| ()) {
                Err(Error::NotForThisDevice(strangers)) => {
                    assert_eq!(strangers.wanted().count(), 1);
                    let me = format!("SN{number:04}");
                    assert!(strangers.have().any(|name| name.contains(&me)));
                }
                other => panic!("the file of {owner} for device {number}: {other:?}"),
            }
            let error = sdi::open(file, bare).unwrap_err();
            assert!(matches!(error, Error::NotForThisDevice(_) | Error::Decrypt), "{error:?}");
            refused += 1;
        }
    }
    assert_eq!((opened, refused), (64, 64 * 63));
    Ok(())
}

/// R18 and R23: a certificate is believed because of its key, whatever else it says.
#[test]
fn r18_r23_the_pin_is_what_counts() -> sdi::Result<()> {
    let device = Device::new("SN1", KeyAlgorithm::P256)?;
    let pin = device.certificate.spki_sha256()?;

    // Another certificate around the same key has the same pin, even with a signature of nobody's.
    let id = DeviceId::new("SN2")?;
    let wrapped = IdentityBuilder::new(id, 0).wrap(device.key.public_key(), &mut SystemRandom)?;
    assert_ne!(wrapped.der(), device.certificate.der());
    assert_eq!(wrapped.spki_sha256()?, pin);
    let file = seal(CONFIG, &wrapped, Profile::Auto)?;
    assert_eq!(sdi::open(&file, &device.ring()?)?.plaintext(), CONFIG);

    // A perfect certificate of the same name around another key has not.
    let other = Device::new("SN1", KeyAlgorithm::P256)?;
    assert_eq!(other.certificate.device_id(), device.certificate.device_id());
    assert_ne!(other.certificate.spki_sha256()?, pin);
    Ok(())
}

/// R36: nothing that can be printed shows a part of the private key.
#[test]
fn r36_no_debug_shows_a_key() -> sdi::Result<()> {
    for kind in [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048)] {
        let device = Device::new("SN1", kind)?;
        let pem = device.key.to_pem()?;
        let part = private_part(pem.as_bytes());
        let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
        let list = format!("{part:?}");
        let forms = [hex.to_uppercase(), hex, list.trim_matches(['[', ']']).to_owned()];
        let printed = [
            format!("{:?}", device.key),
            format!("{:?}", Identity::new(device.key.clone(), None)?),
            format!("{:?}", device.ring()?),
            format!("{pem:?}"),
        ];
        for printed in printed {
            assert!(forms.iter().all(|form| !printed.contains(form)), "{printed}");
        }
        // The control: printed as it is, it is found.
        let loud = format!("{:?}", Vec::from(pem.as_bytes()));
        assert!(loud.contains(format!("{:?}", &pem.as_bytes()[100..108]).trim_matches(['[', ']'])));
    }
    Ok(())
}

/// Eight bytes of the private key in a PKCS#8 file: the start of P-256's OCTET STRING of 32 bytes,
/// or the end of RSA's last coefficient.
fn private_part(pem: &[u8]) -> Vec<u8> {
    let text = core::str::from_utf8(pem).unwrap();
    let base64: String = text.lines().filter(|line| !line.starts_with("---")).collect();
    let der = STANDARD.decode(base64).unwrap();
    match der.windows(2).position(|pair| pair == [0x04, 0x20]) {
        Some(at) if der.len() < 200 => der[at + 2..at + 10].to_vec(),
        _ => der[der.len() - 8..].to_vec(),
    }
}

/// R49: a small file gets the device on the network, the whole one follows.
#[test]
fn r49_a_minimal_configuration_first() -> sdi::Result<()> {
    let device = Device::new("SN1", KeyAlgorithm::P256)?;
    let minimal = seal(b"interface mgmt\n dhcp\nend\n", &device.certificate, Profile::Auto)?;
    assert_eq!(device.first_boot(&minimal)?, b"interface mgmt\n dhcp\nend\n");
    // Now it has a configuration: no auto-install, the operator loads the file (R42).
    let whole = seal(CONFIG, &device.certificate, Profile::Auto)?;
    assert_eq!(sdi::open(&whole, &device.ring()?)?.plaintext(), CONFIG);
    Ok(())
}

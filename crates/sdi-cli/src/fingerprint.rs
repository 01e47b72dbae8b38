//! The SHA-256 of a public key, which stands on a device's label: `sha256:` and 64 digits.

use crate::code::Code;
use crate::report::Failure;
use sdi::PublicKey;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(key: &PublicKey) -> Result<Self, Failure> {
        Ok(Self(key.spki_sha256()?))
    }

    /// Refuses a key that is none of these; without any, every key is right.
    pub(crate) fn check(self, pins: &[Self]) -> Result<(), Failure> {
        if pins.is_empty() || pins.contains(&self) {
            return Ok(());
        }
        let mut failure = Failure::new(Code::PIN, "the certificate holds another key than the pin")
            .fact("key", self.to_string());
        for pin in pins {
            failure = failure.fact("pin", pin.to_string());
        }
        Err(failure.help("compare with the device's label; do not encrypt to this certificate"))
    }
}

impl Display for Fingerprint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Colons and capital letters are accepted, as labels and other programs have them.
impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a fingerprint is sha256: and 64 hexadecimal digits";
        let start = text.get(..7).filter(|start| start.eq_ignore_ascii_case("sha256:"));
        let digits = start.and_then(|_| text.get(7..)).ok_or(WRONG)?;
        let digits: Vec<u8> = digits.bytes().filter(|byte| *byte != b':').collect();
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            return Err(WRONG);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16).and_then(|v| u8::try_from(v).ok());
                *byte = *byte << 4 | value.ok_or(WRONG)?;
            }
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_people_write_them() {
        let plain = format!("sha256:{}", "0a".repeat(32));
        let parsed: Fingerprint = plain.parse().unwrap();
        assert_eq!(parsed.to_string(), plain);
        let colons = format!("SHA256:{}", ["0A"; 32].join(":"));
        assert_eq!(colons.parse(), Ok(parsed));
        for wrong in
            ["", "sha256:", &plain[7..], &plain[..70], &format!("{plain}0"), "sha256:\u{e9}"]
        {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
        assert!(format!("sha256:{}", "0g".repeat(32)).parse::<Fingerprint>().is_err());
    }
}

//! An object identifier that stands in an error.

use core::fmt::{self, Display, Formatter};

/// The body of an OBJECT IDENTIFIER, cut to what an error may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Oid {
    body: [u8; Self::MAX],
    len: usize,
    is_cut: bool,
}

impl Oid {
    const MAX: usize = 24;

    pub(crate) fn new(body: &[u8]) -> Self {
        let len = body.len().min(Self::MAX);
        let mut oid = Self { body: [0; Self::MAX], len, is_cut: body.len() > len };
        for (to, from) in oid.body.iter_mut().zip(body) {
            *to = *from;
        }
        oid
    }
}

impl Display for Oid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // 128 bits hold the longest arcs that there are, those of UUIDs.
        let mut arc = Some(0_u128);
        let mut first = true;
        for &byte in self.body.iter().take(self.len) {
            let low = u128::from(byte & 0x7f);
            arc = arc.and_then(|arc| arc.checked_mul(128)).map(|arc| arc | low);
            if byte & 0x80 != 0 {
                continue;
            }
            match arc {
                Some(arc) if first => {
                    let top = (arc / 40).min(2);
                    write!(f, "{top}.{}", arc - top * 40)?;
                }
                Some(arc) => write!(f, ".{arc}")?,
                None => f.write_str(".?")?,
            }
            first = false;
            arc = Some(0);
        }
        if self.is_cut { f.write_str("..") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn arcs_of_any_length() {
        let uuid = [&[0x69][..], &[0x83], &[0xff; 17], &[0x7f]].concat();
        assert_eq!(Oid::new(&[0x2a, 0x86, 0x48]).to_string(), "1.2.840");
        assert_eq!(Oid::new(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]).to_string(), "1.2.840.113549");
        assert_eq!(Oid::new(&[0x88, 0x37]).to_string(), "2.999");
        assert_eq!(Oid::new(&uuid).to_string(), "2.25.340282366920938463463374607431768211455");
        assert_eq!(Oid::new(&[&[0x2a][..], &[0xff; 19], &[0x7f]].concat()).to_string(), "1.2.?");
        assert_eq!(Oid::new(&[1; 30]).to_string(), ["0.1", &".1".repeat(23), ".."].concat());
    }
}

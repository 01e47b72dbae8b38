//! What transfers, editors and shells make of envelopes is never taken for a configuration.

mod support;

use sdi::{Damage, Detection, Encoding, Hint, detect};
use support::forms::forms;

fn whole(file: &[u8]) -> Detection {
    detect(None, file, Hint { at_end: true, expect_encrypted: false })
}

type Mangling<'a> = (&'a str, &'a dyn Fn(&[u8]) -> Vec<u8>);

/// What transfers, editors and shells make of an envelope is no configuration.
#[test]
fn a_mangled_envelope_is_never_plain() {
    let lossy = |file: &[u8]| String::from_utf8_lossy(file).into_owned().into_bytes();
    let latin = |file: &[u8]| -> Vec<u8> {
        file.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes()
    };
    let seven = |file: &[u8]| -> Vec<u8> { file.iter().map(|byte| byte & 0x7f).collect() };
    let ascii =
        |file: &[u8]| -> Vec<u8> { file.iter().copied().filter(|byte| byte.is_ascii()).collect() };
    let no_returns =
        |file: &[u8]| -> Vec<u8> { file.iter().copied().filter(|&byte| byte != b'\r').collect() };
    let line_feeds = |file: &[u8]| -> Vec<u8> {
        file.iter().map(|&byte| if byte == b'\r' { b'\n' } else { byte }).collect()
    };
    let little = |file: &[u8]| -> Vec<u8> { file.iter().flat_map(|&byte| [byte, 0]).collect() };
    let big = |file: &[u8]| -> Vec<u8> { file.iter().flat_map(|&byte| [0, byte]).collect() };
    let behind = |front: &'static [u8]| move |file: &[u8]| [front, file].concat();
    let binary: [Mangling<'_>; 9] = [
        ("lossy", &lossy),
        ("latin-1 to UTF-8", &latin),
        ("seven bits", &seven),
        ("ASCII alone", &ascii),
        ("no CR", &no_returns),
        ("CR to LF", &line_feeds),
        ("behind a BOM", &behind(b"\xef\xbb\xbf")),
        ("behind a line", &behind(b"\n")),
        ("behind 00", &behind(b"\0")),
    ];
    let text: [Mangling<'_>; 6] = [
        ("UTF-16", &little),
        ("UTF-16, BOM", &|file| [&[0xff, 0xfe][..], &little(file)].concat()),
        ("UTF-16 BE", &big),
        ("UTF-16 BE, BOM", &|file| [&[0xfe, 0xff][..], &big(file)].concat()),
        ("behind 00", &behind(b"\0")),
        ("two BOMs", &behind(b"\xef\xbb\xbf\xef\xbb\xbf")),
    ];
    for (file, encoding) in forms() {
        let manglings = match encoding {
            Encoding::Der | Encoding::Magic => &binary[..],
            Encoding::Smime => continue,
            _ => &text[..],
        };
        for (what, mangle) in manglings {
            let found = whole(&mangle(&file));
            // NUL in base64 is passed over, so that some of these are still envelopes.
            let is_seen = matches!(found, Detection::Damaged(_) | Detection::Enveloped(_));
            assert!(is_seen, "{encoding:?} {what}: {found:?}");
        }
    }
    // Configurations in the same dress are configurations.
    for (what, mangle) in binary.iter().chain(&text) {
        for plain in [&b"hostname r1\n"[..], b"0 access-list 1\n", b"SDI 1\n"] {
            assert_eq!(whole(&mangle(plain)), Detection::Plain, "{what} {plain:?}");
        }
    }
}

/// Every length of an envelope, in each form that a length has.
#[test]
fn text_mode_is_seen_whatever_bytes_the_lengths_have() {
    let text_mode = Detection::Damaged(Damage::TextMode);
    let kinds: [&[u8]; 2] = [
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0",
        b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17\xa0",
    ];
    for len in 0..70_000_u32 {
        let [_, high, middle, low] = len.to_be_bytes();
        let length = match len {
            0..0x80 => vec![low],
            0x80..0x100 => vec![0x81, low],
            0x100..0x1_0000 => vec![0x82, middle, low],
            _ => vec![0x83, high, middle, low],
        };
        let file = [&[0x30], &length[..], kinds[usize::from(low & 1)]].concat();
        assert!(matches!(whole(&file), Detection::Enveloped(_)), "{len}");
        let netascii = file.iter().flat_map(|&byte| match byte {
            b'\n' => vec![b'\r', b'\n'],
            b'\r' => vec![b'\r', 0],
            byte => vec![byte],
        });
        assert_eq!(whole(&netascii.collect::<Vec<u8>>()), text_mode, "netascii {len}");
        let dos = file.iter().flat_map(|&byte| match byte {
            b'\n' => vec![b'\r', b'\n'],
            byte => vec![byte],
        });
        let dos: Vec<u8> = dos.collect();
        if dos != file {
            assert_eq!(whole(&dos), text_mode, "CR LF {len}");
        }
    }
}

/// Each bit of the line that begins a block, and of a mail's headers.
#[test]
fn an_envelope_behind_a_broken_first_line_is_never_plain() {
    for (file, encoding) in forms() {
        let head = match encoding {
            Encoding::Pem(_) => {
                file.iter().position(|&byte| byte == b'\n').expect("a line ends") + 1
            }
            Encoding::Smime => file.windows(2).position(|pair| pair == b"\n\n").unwrap_or(0),
            _ => continue,
        };
        for at in 0..head {
            for bit in 0..8 {
                let mut broken = file.clone();
                broken[at] ^= 1 << bit;
                let found = whole(&broken);
                assert_ne!(found, Detection::Plain, "{encoding:?} {at} {bit}");
            }
        }
    }
}

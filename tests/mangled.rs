//! What transfers, editors and shells make of envelopes is never taken for a configuration.

mod support;

use sdi::{Damage, Detection, Encoding, Hint, detect};
use support::forms::forms;

fn whole(file: &[u8]) -> Detection {
    detect(None, file, Hint { at_end: true, expect_encrypted: false })
}

type Mangling<'a> = (&'a str, &'a dyn Fn(&[u8]) -> Vec<u8>);

/// The upper halves of the code pages that Windows takes bytes for, as far as a header needs them: from
/// 80 to 9F of Windows-1252, where five are not used, and all of 437.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The bytes taken for text in a code page.
fn text_of(file: &[u8], page: &str) -> String {
    let page: Vec<char> = page.chars().collect();
    let of = |&byte: &u8| {
        let upper = usize::from(byte).checked_sub(0x80).and_then(|at| page.get(at));
        upper.copied().unwrap_or_else(|| char::from(byte))
    };
    file.iter().map(of).collect()
}

/// As a shell writes it.
fn utf_16(text: &str) -> Vec<u8> {
    ['\u{feff}']
        .into_iter()
        .chain(text.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect()
}

fn without(file: &[u8], left_out: u8) -> Vec<u8> {
    file.iter().copied().filter(|&byte| byte != left_out).collect()
}

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
    let question_marks = |file: &[u8]| -> Vec<u8> {
        file.iter().map(|&byte| if byte.is_ascii() { byte } else { b'?' }).collect()
    };
    let line_feeds = |file: &[u8]| -> Vec<u8> {
        file.iter().map(|&byte| if byte == b'\r' { b'\n' } else { byte }).collect()
    };
    let little = |file: &[u8]| -> Vec<u8> { file.iter().flat_map(|&byte| [byte, 0]).collect() };
    let big = |file: &[u8]| -> Vec<u8> { file.iter().flat_map(|&byte| [0, byte]).collect() };
    let behind = |front: &'static [u8]| move |file: &[u8]| [front, file].concat();
    let binary: [Mangling<'_>; 14] = [
        ("lossy", &lossy),
        ("latin-1 to UTF-8", &latin),
        ("seven bits", &seven),
        ("ASCII alone", &ascii),
        ("question marks", &question_marks),
        ("Windows-1252 to UTF-8", &|file| text_of(file, WINDOWS_1252).into_bytes()),
        ("437 to UTF-8", &|file| text_of(file, CODE_PAGE_437).into_bytes()),
        ("Windows-1252 to UTF-16", &|file| utf_16(&text_of(file, WINDOWS_1252))),
        ("437 to UTF-16", &|file| utf_16(&text_of(file, CODE_PAGE_437))),
        ("no CR", &|file| without(file, b'\r')),
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

/// DER that is no CMS: a key, an algorithm of ANSI's, one of Korea's, PKCS#12.
#[test]
fn other_der_is_plain() {
    for der in [
        &b"\x30\x82\x04\xbe\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"[..],
        b"\x30\x0f\x06\x09\x2a\x86\x48\xce\x3d\x04\x03\x02\x01\x30\x03\x02\x01\x01",
        b"\x30\x0b\x06\x09\x2a\x83\x1a\x8c\x9a\x44\x01\x02\x03",
        b"\x30\x80\x02\x01\x03\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80",
    ] {
        assert_eq!(whole(der), Detection::Plain, "{der:x?}");
    }
}

/// What has come so far of an envelope in disguise is not judged before it can be.
#[test]
fn a_disguised_envelope_is_judged_when_it_is_known() {
    let so_far = |file: &[u8]| detect(None, file, Hint::default());
    let der = b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x82";
    let last = der.iter().position(|&byte| byte == 3).expect("the type's last arc");
    for front in [&b"\0"[..], b"\n", b"\xef\xbb\xbf"] {
        let file = [front, der].concat();
        for end in front.len() + 1..=file.len() {
            let damaged = Detection::Damaged(Damage::Armor);
            let known = if end > front.len() + last { damaged } else { Detection::NeedMore };
            assert_eq!(so_far(&file[..end]), known, "{front:?} {end}");
            assert_eq!(whole(&file[..end]), damaged, "{front:?} {end}");
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
        for left_out in [b'\r', b'\n', 0] {
            let short = without(&file, left_out);
            if short != file {
                assert_eq!(whole(&short), text_mode, "without {left_out} {len}");
            }
        }
        for page in [WINDOWS_1252, CODE_PAGE_437] {
            let text = text_of(&file, page);
            assert_eq!(whole(text.as_bytes()), text_mode, "{page} {len}");
            let wide = whole(&utf_16(&text));
            assert_eq!(wide, Detection::Damaged(Damage::Armor), "{page} {len}");
        }
    }
}

/// The frame of a block all in one line, behind other lines.
#[test]
fn a_block_in_one_line_is_never_plain() {
    for (file, encoding) in forms() {
        if let Encoding::Pem(_) = encoding {
            let text = String::from_utf8(file).expect("PEM is ASCII");
            let line = text.replace('\n', "  ").into_bytes();
            for front in [&b""[..], b"hostname r1\n", b"hostname r1\r\n\r\n"] {
                let found = whole(&[front, &line].concat());
                assert_eq!(found, Detection::Damaged(Damage::Armor), "{encoding:?} {front:?}");
            }
        }
    }
    let other = b"hostname r1\n-----BEGIN PKCS7----- MIIC5zCCAc+gAwIBAgI -----END PKCS7-----\n";
    assert_eq!(whole(other), Detection::Plain);
}

/// A mail whose headers break off is no text, however its body stands there; but an encrypted secret in a
/// configuration is.
#[test]
fn the_body_of_a_broken_mail_is_never_plain() {
    for (file, encoding) in forms() {
        let Ok(text) = String::from_utf8(file) else { continue };
        if encoding != Encoding::Smime {
            continue;
        }
        for (front, indent) in
            [("hello", ""), ("hello", "    "), ("MIME-Version: 1.0\nhello", "\t ")]
        {
            let broken = format!("{front}\n{}", text.replace("\n\n", &format!("\n\n{indent}")));
            for broken in [broken.replace('\n', "\r\n"), broken.replace('\n', "\r"), broken] {
                let found = whole(broken.as_bytes());
                assert_eq!(found, Detection::Damaged(Damage::Armor), "{broken:?}");
            }
        }
        let (_, body) = text.split_once("\n\n").expect("a blank line ends the headers");
        for line_end in ["\n", "\r\n", "\r"] {
            let plain = format!("<a>\n\n<data>\n  {}</data></a>\n", body.replace('\n', "\n  "));
            let plain = plain.replace('\n', line_end);
            assert_eq!(whole(plain.as_bytes()), Detection::Plain, "{plain:?}");
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

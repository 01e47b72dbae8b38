//! Armored files, changed as transfers, editors and attackers change text.

use crate::support::forge::Random;

/// One to three changes, and their names.
pub(crate) fn mutated(file: &[u8], random: &mut Random) -> (Vec<u8>, String) {
    let mut file = file.to_vec();
    let mut names = Vec::new();
    for _ in 0..=random.below(3) {
        names.push(match random.below(3) {
            0 => change_bytes(&mut file, random),
            1 => change_lines(&mut file, random),
            _ => change_whole(&mut file, random),
        });
    }
    (file, names.join(", "))
}

/// Where something is to happen: anywhere, in the first lines, or in the last.
fn place(file: &[u8], random: &mut Random) -> usize {
    match random.below(4) {
        0 => file.len() - random.below(file.len().min(120)),
        1 => random.below(file.len().min(300)),
        _ => random.below(file.len()),
    }
}

fn change_bytes(file: &mut Vec<u8>, random: &mut Random) -> String {
    const BYTES: &[u8] = b"A=- \t\r\n\0\xff/+-:_*z";
    if file.is_empty() {
        return "nothing".into();
    }
    let at = place(file, random).min(file.len() - 1);
    let byte = match random.below(3) {
        0 => random.next().to_be_bytes()[0],
        _ => BYTES[random.below(BYTES.len())],
    };
    let name = match random.below(5) {
        0 | 1 => {
            file[at] = byte;
            "byte"
        }
        2 => {
            file.insert(at, byte);
            "inserted byte"
        }
        3 => {
            file.remove(at);
            "removed byte"
        }
        _ => {
            let end = (at + 1 + random.below(8)).min(file.len());
            drop(file.drain(at..end));
            "removed bytes"
        }
    };
    format!("{name} {byte:02x} at {at}")
}

/// The lines with their ends.
pub(crate) fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    file.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn change_lines(file: &mut Vec<u8>, random: &mut Random) -> String {
    const LINES: [&str; 16] = [
        "\n",
        " \n",
        "\t\r\n",
        "hello\n",
        "Key: value\n",
        "Proc-Type: 4,ENCRYPTED\n",
        "-----BEGIN CMS-----\n",
        "-----BEGIN PKCS7-----\n",
        "-----END CMS-----\n",
        "-----END PKCS7-----\n",
        "-----BEGIN CERTIFICATE-----\n",
        "Content-Transfer-Encoding: base64\n",
        "Content-Type: text/plain\n",
        "MIME-Version: 1.0\n",
        "AAAA\n",
        "=\n",
    ];
    let mut all = lines(file);
    if all.is_empty() || file.len() < 2 {
        return "nothing".into();
    }
    let last = all.len() - 1;
    let at = match random.below(3) {
        0 => random.below(all.len().min(6)),
        1 => last - random.below(all.len().min(3)),
        _ => random.below(all.len()),
    };
    let line = all[at].clone();
    let text = LINES[random.below(LINES.len())];
    let name = match random.below(12) {
        0 => {
            all.remove(at);
            "removed line"
        }
        1 => {
            all.insert(at, line);
            "doubled line"
        }
        2 => {
            let other = random.below(all.len());
            all.swap(at, other);
            "exchanged line"
        }
        3 => {
            while all[at].last().is_some_and(u8::is_ascii_whitespace) {
                all[at].pop();
            }
            "joined line"
        }
        4 => {
            let middle = random.below(line.len());
            all[at].insert(middle, b'\n');
            "split line"
        }
        5 => {
            all[at] = [&b"    "[random.below(4)..], &line].concat();
            "blanks in front of line"
        }
        6 => {
            let end =
                line.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
            all[at] = [&line[..end], &b" \t  "[random.below(4)..], &line[end..]].concat();
            "blanks behind line"
        }
        7 => {
            all[at] = line.iter().map(u8::to_ascii_lowercase).collect();
            "small letters in line"
        }
        _ => {
            all.insert(at, text.into());
            "new line"
        }
    };
    *file = all.concat();
    format!("{name} {at} {text:?}")
}

fn change_whole(file: &mut Vec<u8>, random: &mut Random) -> String {
    let text = |file: &[u8], end: &str| -> Vec<u8> {
        let lines = lines(file).into_iter().flat_map(|mut line| {
            while line.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
                line.pop();
            }
            line.extend(end.bytes());
            line
        });
        lines.collect()
    };
    if file.is_empty() {
        return "nothing".into();
    }
    let name = match random.below(9) {
        0 => {
            *file = text(file, "\r\n");
            "CR LF"
        }
        1 => {
            *file = text(file, "\r");
            "CR"
        }
        2 => {
            *file = text(file, ["\n\n", "\r\r\n", " \n", "\r\n\n"][random.below(4)]);
            "other line ends"
        }
        3 => {
            *file = [b"\xef\xbb\xbf", &file[..]].concat();
            "BOM"
        }
        4 => {
            let fill = [b'\n', b' ', 0, 0xff, b'\r', b'='][random.below(6)];
            file.extend(vec![fill; 1 + random.below(600)]);
            "fill"
        }
        5 => {
            file.truncate(place(file, random).min(file.len()));
            "cut"
        }
        6 => {
            file.extend(file.clone());
            "twice"
        }
        7 => {
            let widest = [4, 80, 300, 2000][random.below(4)];
            *file = rewrapped(file, 1 + random.below(widest));
            "other lines"
        }
        _ => {
            let (from, to) = [
                ("PKCS7", "CMS"),
                ("CMS", "PKCS7"),
                ("-----END", "----END"),
                ("base64", "binary"),
                ("=\n", "\n"),
                ("==", "="),
                ("\n--", "\n\n--"),
                ("Content-", "X-"),
            ][random.below(8)];
            let old = String::from_utf8_lossy(file).into_owned();
            let new = if random.below(2) == 0 {
                old.replace(from, to)
            } else {
                old.replacen(from, to, 1)
            };
            *file = new.into_bytes();
            "replaced"
        }
    };
    name.into()
}

/// With lines of base64 of another length.
pub(crate) fn rewrapped(file: &[u8], width: usize) -> Vec<u8> {
    let is_body = |line: &[u8]| {
        let text = line.trim_ascii_end();
        text.len() > 3
            && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
    };
    let mut new = Vec::new();
    let mut body = Vec::new();
    for line in lines(file).iter().chain([&Vec::new()]) {
        if is_body(line) {
            body.extend(line.trim_ascii_end());
            continue;
        }
        for piece in body.chunks(width) {
            new.extend(piece);
            new.push(b'\n');
        }
        body.clear();
        new.extend(line);
    }
    new
}

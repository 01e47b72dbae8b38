//! A25: a path made from a serial number.

use super::support::forge::Random;
use sdi::DeviceId;

/// Identifiers that would become another path, another line, another query or nothing at all.
fn hostile() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        ".",
        "..",
        "...",
        "....",
        "./",
        "../",
        "../x",
        "../../etc/passwd",
        "/",
        "//",
        "/etc/x",
        "a/b",
        "a/../b",
        "a//b",
        "a/",
        "a\\b",
        "..\\x",
        "\\\\host\\share",
        "C:\\x",
        "a..b",
        "a..",
        "..a",
        "a.b..c",
        "-a",
        "--help",
        "-rf",
        "_a",
        ":a",
        ".a",
        ".htaccess",
        "~",
        "~root",
        "%2e%2e",
        "%2e%2e%2f",
        "%00",
        "a%2fb",
        "a%0d%0a",
        "a+b",
        "a?b",
        "a?x=1",
        "a#b",
        "a&b",
        "a=b",
        "a;b",
        "a|b",
        "a`b`",
        "$(a)",
        "${a}",
        "a*",
        "a[b]",
        "a{b}",
        "a<b",
        "a>b",
        "a\"b",
        "a'b",
        "a' or '1",
        "a,b",
        "a@b",
        "a!b",
        "a^b",
        "a~b",
        "a(b)",
        " a",
        "a ",
        "a b",
        "\ta",
        "a\t",
        "a\n",
        "\na",
        "a\r\nb",
        "a\rb",
        "a\u{b}b",
        "a\u{c}b",
        "a\0",
        "\0",
        "a\0b",
        "\u{1b}[31m",
        "\u{7f}",
        "\u{80}",
        "\u{a0}a",
        "\u{2028}a",
        "a\u{2029}",
        "\u{feff}a",
        "\u{202e}a",
        "\u{200b}",
        "\u{ff0e}\u{ff0e}",
        "a\u{ff0f}b",
        "a\u{2215}b",
        "a\u{2024}\u{2024}",
        "\u{430}bc",
        "\u{e9}",
        "e\u{301}",
        "\u{df}",
        "\u{131}",
        "\u{212a}",
        "\u{661}",
        "\u{ff11}",
        "\u{1f600}",
    ]
    .map(str::to_owned)
    .into();
    // Every character of ASCII that the grammar does not have, within and in front.
    let foreign = (0..128_u8).filter(|byte| !byte.is_ascii_alphanumeric()).map(char::from);
    for character in foreign.filter(|character| !"._:-".contains(*character)) {
        all.push(format!("SN{character}1"));
        all.push(format!("{character}SN1"));
    }
    for len in [65, 66, 128, 255, 256, 4096] {
        all.push("a".repeat(len));
    }
    all
}

#[test]
fn a25_two_hundred_hostile_identifiers() {
    let all = hostile();
    let refused = all.iter().filter(|id| DeviceId::new(id).is_err()).count();
    let accepted: Vec<&String> = all.iter().filter(|id| DeviceId::new(id).is_ok()).collect();
    assert_eq!(accepted, [""; 0]);
    println!("A25: {refused} hostile identifiers refused");
    assert!(refused >= 200, "{refused}");
}

/// What is accepted is a single part of a path, whatever it is made of, and keeps its case.
#[test]
fn a25_an_identifier_is_one_part_of_a_path() {
    const ALPHABET: &[u8] = b"AZaz09._:-";
    let mut random = Random(25);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let len = 1 + random.below(66);
        let id: String =
            (0..len).map(|_| char::from(ALPHABET[random.below(ALPHABET.len())])).collect();
        let should = len <= 64
            && id.starts_with(|first: char| first.is_ascii_alphanumeric())
            && !id.contains("..");
        let found = DeviceId::new(&id);
        assert_eq!(found.is_ok(), should, "{id}");
        let Ok(found) = found else { continue };
        assert_eq!((found.as_str(), found.to_string().as_str()), (id.as_str(), id.as_str()));
        let path = std::path::Path::new("configs").join(format!("{id}.enc"));
        assert_eq!(path.components().count(), 2, "{id}");
        assert_eq!(path.parent(), Some(std::path::Path::new("configs")), "{id}");
        accepted += 1;
    }
    assert!(accepted > 5000, "{accepted}");
    assert_ne!(DeviceId::new("sn1").unwrap(), DeviceId::new("SN1").unwrap());
}

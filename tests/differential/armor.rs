//! Armored files of the corpus, PEM and S/MIME, changed as transfers, editors and attackers change text.
//! The armor that OpenSSL takes off has to have the same inside as the one that we take off.

mod changes;

use super::oracle::Armor;
use super::support::forge::Random;
use super::tally::Tally;
use super::{opened, oracle, seeds};
use changes::{lines, rewrapped};
use sdi::Error;
use std::collections::BTreeMap;

/// Changed files, where the environment does not say otherwise.
const FILES: u64 = 3000;
const SEED: u64 = 7468;

/// The control: as they are, OpenSSL takes the armor off, and what is inside opens.
#[test]
fn the_armored_corpus_opens_on_both_sides() {
    let (seeds, devices) = seeds(is_armored);
    let mut oracle = oracle(&devices);
    let mut counts = BTreeMap::new();
    for seed in &seeds {
        let ring = &devices[seed.device].ring;
        let armor = Armor::of(&seed.file).expect("it is armored");
        assert_eq!(opened(&seed.file, ring).as_ref(), Ok(&seed.plaintext), "{}", seed.id);
        let inside = oracle.bare(armor, &with_openssls_label(&seed.file));
        let inside = inside.expect("OpenSSL takes the armor off");
        assert_eq!(opened(&inside, ring).as_ref(), Ok(&seed.plaintext), "{}", seed.id);
        *counts.entry(armor).or_insert(0) += 1;
    }
    println!("{counts:?} open on both sides");
    assert!(counts[&Armor::Pem] > 30 && counts[&Armor::Smime] > 10, "{counts:?}");
}

#[test]
fn every_disagreement_about_armor_is_explained() {
    let mut tally = Tally::new(FILES, SEED, |row| row.starts_with("armor-"));
    let (seeds, devices) = seeds(is_armored);
    let mut oracle = oracle(&devices);
    let mut random = Random(tally.start);
    for number in tally.numbers() {
        let seed = &seeds[random.below(seeds.len())];
        let ring = &devices[seed.device].ring;
        let armor = Armor::of(&seed.file).expect("it is armored");
        let (file, changes) = changes::mutated(&seed.file, &mut random);
        let ours = opened(&file, ring);
        let mut theirs = |file: &[u8]| {
            let armor = Armor::of(file).unwrap_or(armor);
            oracle.bare(armor, file).map(|inside| opened(&inside, ring))
        };
        let inside = theirs(&file);
        let row = match (&ours, &inside) {
            (Ok(ours), Some(Ok(theirs))) if ours == theirs => {
                tally.both();
                continue;
            }
            (Err(_), None | Some(Err(_))) => {
                tally.neither();
                continue;
            }
            (Ok(_), None | Some(Err(_))) => {
                repaired(&file, |file| theirs(file).as_ref() == Some(&ours))
            }
            (Err(error), Some(Ok(theirs))) => by_what_we_say(error, armor).or_else(|| {
                let last = opened(&without_what_stands_before(&file), ring);
                (last.as_ref() == Ok(theirs)).then_some("armor-begun-twice")
            }),
            _ => None,
        };
        tally.disagreement(row, number, &file, || {
            let is_right = |text: &sdi::Result<Vec<u8>>| match text {
                Ok(text) if *text == seed.plaintext => "right".to_owned(),
                Ok(_) => "another text".to_owned(),
                Err(error) => format!("{error:?}"),
            };
            let (ours, theirs) = (is_right(&ours), inside.as_ref().map(is_right));
            format!("{} {changes}: ours {ours:?}, theirs {theirs:?}", seed.id)
        });
    }
    tally.end();
}

fn is_armored(file: &[u8]) -> bool {
    Armor::of(file).is_some()
}

/// Why only OpenSSL opens it.
fn by_what_we_say(error: &Error, armor: Armor) -> Option<&'static str> {
    match (error, armor) {
        (Error::Unsupported(_), Armor::Smime) => Some("armor-other-mail"),
        (Error::Malformed(what), _) => Some(match *what {
            "something stands after the end" => "armor-after-the-end",
            "a character does not belong in base64" => "armor-after-the-end",
            "the text around it is damaged" => "armor-headers",
            "the PEM end line is not that of its begin line" => "armor-lines",
            "the PEM end line is missing" => "armor-lines",
            "its content is no envelope" => "armor-body",
            "the base64 is damaged" => "armor-last-characters",
            _ => return None,
        }),
        _ => None,
    }
}

type Repair = fn(&[u8]) -> Vec<u8>;

/// Why only we open it: the one repair, or several, that let OpenSSL open it, too.
fn repaired(file: &[u8], mut is_open: impl FnMut(&[u8]) -> bool) -> Option<&'static str> {
    const REPAIRS: [(&str, Repair); 8] = [
        ("armor-label", with_openssls_label),
        ("armor-line-ends", with_line_feeds),
        ("armor-blanks", without_blanks),
        ("armor-fill", without_fill),
        ("armor-begun-twice", without_what_stands_before),
        ("armor-width", |file| rewrapped(file, 64)),
        ("armor-folded", unfolded),
        ("armor-inside", in_pem),
    ];
    for (class, repair) in REPAIRS {
        if is_open(&repair(file)) {
            return Some(class);
        }
    }
    let all = REPAIRS.iter().fold(file.to_vec(), |file, (_, repair)| repair(&file));
    is_open(&all).then_some("armor-several")
}

/// OpenSSL does not know the label that gpgsm writes.
fn with_openssls_label(file: &[u8]) -> Vec<u8> {
    replaced(file, b"ENCRYPTED MESSAGE-----", b"CMS-----")
}

fn with_line_feeds(file: &[u8]) -> Vec<u8> {
    let pairs: [&[u8]; 3] = [b"\r\n", b"\r\0", b"\r"];
    pairs.iter().fold(file.to_vec(), |file, end| replaced(&file, end, b"\n"))
}

fn unfolded(file: &[u8]) -> Vec<u8> {
    replaced(&with_line_feeds(file), b"\n ", b" ")
}

/// The body of a mail, as PEM. OpenSSL reads PEM for what is in it, and a mail with what is in it.
fn in_pem(file: &[u8]) -> Vec<u8> {
    let end = b"\n\n";
    match file.windows(end.len()).position(|start| start == end) {
        Some(headers) if Armor::of(file) == Some(Armor::Smime) => {
            let body = file[headers + end.len()..].trim_ascii_end();
            [b"-----BEGIN CMS-----\n", body, b"\n-----END CMS-----\n"].concat()
        }
        _ => file.to_vec(),
    }
}

/// From the last line on that begins a block.
fn without_what_stands_before(file: &[u8]) -> Vec<u8> {
    let begin = b"-----BEGIN ";
    let last = file.windows(begin.len()).rposition(|start| start == begin);
    file[last.unwrap_or(0)..].to_vec()
}

/// Without NULs, without blank lines, but for the one behind the headers of a mail, and blanks in front of lines.
fn without_blanks(file: &[u8]) -> Vec<u8> {
    let mut headers = Armor::of(file) == Some(Armor::Smime);
    let mut new = Vec::new();
    for line in lines(&replaced(file, b"\0", b"")) {
        let text = line.trim_ascii_start();
        if !text.is_empty() {
            new.extend(if headers { &line } else { text });
        } else if headers && !new.is_empty() {
            headers = false;
            new.push(b'\n');
        }
    }
    new
}

fn without_fill(file: &[u8]) -> Vec<u8> {
    let end = file.iter().rposition(|byte| !b"\0\xff \t\r\n".contains(byte));
    [&file[..end.map_or(0, |end| end + 1)], b"\n"].concat()
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut new = Vec::new();
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(from) {
            new.extend(to);
            rest = behind;
        } else {
            new.push(first);
            rest = behind;
        }
    }
    new
}

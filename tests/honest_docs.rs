//! What RFC 8886 does not protect is said wherever a reader starts: in the README, in the crate's
//! documentation and at the top of the C header.

use std::fs;
use std::path::Path;

/// The requirement or attack that each sentence answers, and the sentence.
const SENTENCES: [(&str, &str); 6] = [
    (
        "R1",
        "It gives confidentiality only: by default a device accepts any configuration that is \
         encrypted to its key, whoever made it, and plaintext.",
    ),
    (
        "R45",
        "It gives no assurance about the source of a configuration, and no protection against \
         theft and reuse of devices.",
    ),
    ("R46", "Whoever has the device in hand, or breaks into it, may extract the key: use a TPM."),
    (
        "R47",
        "Whoever controls the configuration server and has the public key can send a \
         configuration of their choice.",
    ),
    (
        "R48",
        "A malicious vendor who keeps a copy of the key cannot be detected: an operator's own key \
         replaces the vendor's.",
    ),
    ("A27", "An old configuration that was valid once is accepted again: nothing stops a replay."),
];

/// R1, R45, R46, R47, R48 and A27.
#[test]
fn r1_r45_r46_r47_r48_a27_the_limits_are_said_in_every_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = vec![
        ("README.md", read(&root.join("README.md"))),
        ("src/lib.rs", crate_docs(&read(&root.join("src/lib.rs")))),
    ];
    let header = root.join("include/sdi.h");
    if header.exists() {
        documents.push(("include/sdi.h", first_comment(&read(&header))));
    }
    for (name, text) in documents {
        let text = one_line(&text);
        for (id, sentence) in SENTENCES {
            assert!(text.contains(sentence), "{name} does not say of {id}: {sentence}");
        }
    }
}

/// A comment that ends, or is none, must not lend its words to the document.
#[test]
fn only_the_documents_own_words_count() {
    assert_eq!(crate_docs("//! One\n//! two.\n\nmod three; //! four\n"), "One\ntwo.\n");
    assert_eq!(
        first_comment("/*\n * One\n * two.\n */\nint three; /* four */"),
        "\n One\n two.\n "
    );
    assert_eq!(one_line("- One\n  two.\n"), "- One two.");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The crate's documentation, without its comment marks.
fn crate_docs(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect()
}

/// The first comment of a C header, without its stars.
fn first_comment(header: &str) -> String {
    let comment = header.split_once("/*").and_then(|(_, rest)| rest.split_once("*/"));
    comment.map(|(text, _)| text.replace("\n *", "\n")).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

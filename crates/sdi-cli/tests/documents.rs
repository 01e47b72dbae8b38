//! What the help and the manual show is what works.

mod support;

use std::fs;
use support::help::{commands, examples, help, prepared, prepared_for};
use support::{CONFIG, Folder};

#[test]
fn every_example_of_every_command_works() {
    let folder = prepared();
    let commands = commands(&folder);
    assert!(commands.len() >= 13, "{commands:?}");
    for command in &commands {
        let examples = examples(&help(&folder, command));
        assert!(examples.len() >= 2, "{command:?} needs two examples");
        for example in examples {
            assert!(example.contains(&format!("sdi {}", command.join(" "))), "{example}");
            let folder = prepared_for(&example);
            let done = folder.bash(&example);
            assert!(done.0.status.success(), "{example}\n{}", done.stderr());
        }
    }
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let folder = prepared();
    fs::create_dir(folder.path("man")).unwrap();
    let pages = folder.sdi(["man", "man"]).succeeds().stdout();
    for command in commands(&folder) {
        let name = format!("sdi-{}.1", command.join("-"));
        assert!(pages.lines().any(|page| page == name), "{name}");
        let page = String::from_utf8(folder.read(&format!("man/{name}"))).unwrap();
        for section in
            ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "ENVIRONMENT", "FILES"]
        {
            assert!(page.contains(&format!(".SH {section}\n")), "{name}: {section}");
        }
        assert!(page.contains(".SH \"EXIT STATUS\"\n"), "{name}");
        // The examples are those of the help, which the other test runs.
        let page = page.replace("\\-", "-").replace("\\&", "").replace("\\*(Aq", "'");
        for example in examples(&help(&folder, &command)) {
            assert!(page.contains(&example), "{name}: {example}");
        }
    }
    assert!(folder.path("man/sdi.1").exists());
}

#[test]
fn completions_know_every_command() {
    let folder = prepared();
    for shell in ["bash", "zsh", "fish"] {
        let script = folder.sdi(["completions", shell]).succeeds().stdout();
        for command in commands(&folder) {
            let name = command.last().unwrap();
            assert!(script.contains(name.as_str()), "{shell}: {name}");
        }
    }
    folder.bash("sdi completions bash | bash -n").succeeds();
    let words = "COMP_WORDS=(sdi ins); COMP_CWORD=1; _sdi sdi ins sdi; echo ${COMPREPLY[*]}";
    let done = folder.bash(&format!("set +eu; source <(sdi completions bash); {words}"));
    assert_eq!(done.stdout(), "inspect\n", "{}", done.stderr());
}

#[test]
fn every_code_is_explained() {
    let folder = Folder::empty();
    let list = folder.sdi(["explain"]).succeeds().stdout();
    assert!(list.lines().count() >= 17);
    for code in list.lines().map(|line| &line[..5]) {
        let page = folder.sdi(["explain", code]).succeeds().stdout();
        assert!(page.starts_with(&format!("{code}, exit status ")), "{page}");
    }
    assert_eq!(folder.sdi(["explain", "E9999"]).status(), Some(2));
}

/// The blocks of commands in a document, or below one of its headings.
fn blocks(document: &str, heading: Option<&str>) -> Vec<String> {
    let path = format!("{}/../../{document}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let part = match heading {
        Some(heading) => {
            let (_, rest) = text.split_once(heading).unwrap_or_else(|| panic!("no {heading}"));
            rest.split("\n## ").next().unwrap_or_default()
        }
        None => &text,
    };
    let blocks = part.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// A folder in which the documents' commands work.
fn workplace() -> Folder {
    let folder = Folder::empty();
    folder.write("router.cfg", CONFIG);
    folder.bash("mkdir configs certs tftp; cp router.cfg configs/SN20260001.cfg").succeeds();
    folder
}

#[test]
fn the_readme_is_what_works() {
    let blocks = blocks("README.md", Some("## The command `sdi`"));
    assert_eq!(blocks.len(), 1);
    let folder = workplace();
    folder.bash(&blocks[0]).succeeds();
    assert_eq!(folder.read("running.cfg"), CONFIG);
}

#[test]
fn the_operators_page_is_what_works() {
    let folder = workplace();
    let blocks = blocks("docs/operating.md", None);
    let commands = blocks.iter().filter(|block| block.starts_with("sdi "));
    let mut count = 0;
    for block in commands {
        if block.contains("encrypt-dir") {
            // What was one device's example is there already.
            folder.bash("cp SN20260001.crt certs; rm tftp/*").succeeds();
        }
        folder.bash(block).succeeds();
        count += 1;
    }
    assert_eq!((count, blocks.len()), (11, 12), "all but the one that builds");
    assert_eq!(folder.read("running.cfg"), CONFIG);
    assert_eq!(folder.read("opened.cfg"), CONFIG);
}

/// The page, the manual and the command know the same statuses.
#[test]
fn every_status_is_in_the_operators_table() {
    let folder = workplace();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating.md");
    let page = fs::read_to_string(path).unwrap();
    folder.sdi(["man", "."]).succeeds();
    let manual = String::from_utf8(folder.read("sdi-decrypt.1")).unwrap();
    let list = folder.sdi(["explain"]).succeeds().stdout();
    for code in list.lines().map(|line| &line[..5]) {
        let status = code[3..].trim_start_matches('0');
        assert!(page.contains(&format!("\n| {status} | ")), "{code}");
        assert!(manual.contains(&format!(".TP 5\n\\fB{status}\\fR\n")), "{code}: {manual}");
    }
}

//! The commands and examples that `--help` shows.

use super::{CONFIG, Folder};
use std::fs;

/// Every command, in words, as `--help` lists them.
pub(crate) fn commands(folder: &Folder) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut todo = vec![Vec::new()];
    while let Some(command) = todo.pop() {
        let help = help(folder, &command);
        if let Some((_, list)) = help.split_once("\nCommands:\n") {
            let names = list.lines().take_while(|line| !line.is_empty());
            for name in names.filter_map(|line| line.split_whitespace().next()) {
                todo.push([&command[..], &[name.to_owned()]].concat());
            }
        } else {
            found.push(command);
        }
    }
    found
}

pub(crate) fn help(folder: &Folder, command: &[String]) -> String {
    let args = command.iter().map(String::as_str).chain(["--help"]);
    folder.sdi(args).succeeds().stdout()
}

pub(crate) fn examples(help: &str) -> Vec<String> {
    let (_, examples) = help.split_once("\nExamples:\n").unwrap_or_default();
    examples.lines().filter_map(|line| line.strip_prefix("  ")).map(str::to_owned).collect()
}

/// What the examples speak of.
pub(crate) fn prepared() -> Folder {
    let folder = Folder::empty();
    folder.device("SN19842256", "p256");
    folder.write("router.cfg", CONFIG);
    folder
        .bash(
            "sdi encrypt -r SN19842256.crt -o SN19842256.enc router.cfg
             sdi pubkey -k device.key -o device.pub
             sdi keygen -o vendor.key
             openssl req -x509 -key vendor.key -subj /CN=vendor -out vendor.crt
             mkdir configs certs tftp
             cp router.cfg configs/SN19842256.cfg
             cp SN19842256.crt certs",
        )
        .succeeds();
    folder
}

/// The same, without the outputs of an example.
pub(crate) fn prepared_for(example: &str) -> Folder {
    let folder = prepared();
    let words: Vec<&str> = example.split_whitespace().collect();
    for pair in words.windows(2).filter(|pair| matches!(pair[0], "-o" | ">")) {
        if folder.path(pair[1]).is_file() {
            fs::remove_file(folder.path(pair[1])).expect("a file");
        }
    }
    folder
}

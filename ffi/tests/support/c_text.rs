//! Reading C headers, as far as ours go.

use std::collections::BTreeSet;

/// The text without its comments.
pub(crate) fn without_comments(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    loop {
        let end = match (rest.find("/*"), rest.find("//")) {
            (None, None) => return code + rest,
            (Some(block), line) if line.is_none_or(|line| block < line) => (block, "*/"),
            (_, line) => (line.unwrap_or_default(), "\n"),
        };
        code.push_str(&rest[..end.0]);
        code.push(if end.1 == "\n" { '\n' } else { ' ' });
        rest = rest[end.0..].split_once(end.1).map_or("", |(_, rest)| rest);
    }
}

/// The names in the text, of whatever.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
}

/// The functions of this library that the text declares.
pub(crate) fn functions(text: &str) -> BTreeSet<String> {
    let code = without_comments(text);
    let before_brackets = code.split('(').map(|before| names(before).last().unwrap_or_default());
    before_brackets.filter(|name| name.starts_with("sdi_")).map(String::from).collect()
}

/// The `#define`s with a value, and the declarations, each without its semicolon.
pub(crate) fn declarations(text: &str) -> (Vec<(String, String)>, Vec<String>) {
    let (mut defines, mut declarations) = (Vec::new(), Vec::new());
    let (mut declaration, mut depth) = (String::new(), 0_u32);
    for line in without_comments(text).lines() {
        if let Some(define) = line.strip_prefix("#define ") {
            let (name, value) = define.split_once(' ').unwrap_or((define, ""));
            defines.push((name.to_owned(), value.trim().to_owned()));
            continue;
        }
        for letter in line.chars().chain([' ']) {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if letter == ';' && depth == 0 {
                declarations.push(std::mem::take(&mut declaration).trim().to_owned());
            } else {
                declaration.push(letter);
            }
        }
    }
    (defines, declarations)
}

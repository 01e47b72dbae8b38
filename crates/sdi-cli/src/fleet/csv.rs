//! Comma-separated values (RFC 4180), as spreadsheets save them: with a byte order mark, CRLF, quotes
//! and blank lines.

/// The records with the numbers of their lines; blank ones are left out. `None` where a quote never
/// ends.
pub(crate) fn records(text: &str) -> Option<Vec<(usize, Vec<String>)>> {
    let mut records = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    let mut line = 1;
    while rest.peek().is_some() {
        let start = line;
        let mut fields = vec![String::new()];
        let mut is_quoted = false;
        loop {
            let field = fields.last_mut()?;
            match rest.next() {
                Some('"') if is_quoted && rest.peek() == Some(&'"') => field.extend(rest.next()),
                Some('"') if is_quoted => is_quoted = false,
                Some('"') if field.trim().is_empty() => {
                    field.clear();
                    is_quoted = true;
                }
                Some(char) if is_quoted => {
                    line += usize::from(char == '\n');
                    field.push(char);
                }
                Some(',' | ';') => fields.push(String::new()),
                Some('\n') => {
                    line += 1;
                    break;
                }
                Some(char) => field.push(char),
                None if is_quoted => return None,
                None => break,
            }
        }
        let fields: Vec<String> = fields.iter().map(|field| field.trim().to_owned()).collect();
        if fields.iter().any(|field| !field.is_empty()) {
            records.push((start, fields));
        }
    }
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(usize, Vec<String>)> {
        records(text).unwrap()
    }

    #[test]
    fn spreadsheets_are_read() {
        let expected = vec![
            (1, vec!["id".to_owned(), "file".to_owned()]),
            (3, vec!["SN1".to_owned(), "a, \"b\".cfg".to_owned()]),
            (4, vec!["SN2".to_owned(), "c.cfg".to_owned()]),
        ];
        let text = "\u{feff}id,file\r\n\r\nSN1,\"a, \"\"b\"\".cfg\"\r\nSN2 , c.cfg\r\n\r\n";
        assert_eq!(fields(text), expected);
        assert_eq!(fields(&text.replace('\r', "")), expected);
        assert_eq!(fields(text.trim_end()), expected);
        assert_eq!(fields("id;file"), [(1, vec!["id".to_owned(), "file".to_owned()])]);
    }

    #[test]
    fn line_numbers_count_lines_within_quotes() {
        assert_eq!(fields("\"a\nb\",c\nd,e")[1].0, 3);
        assert_eq!(fields("\n,\n\n"), []);
        assert_eq!(records("a,\"b\n"), None);
    }
}

//! What a file may cost. Each limit is checked before memory is taken for it, and exceeding one is
//! [`Error::Limit`](crate::Error::Limit), never a truncation.

/// Upper bounds for one file. The defaults fit a device; a struct update changes single ones.
///
/// ```
/// let limits = sdi::Limits { file: 1 << 20, ..sdi::Limits::default() };
/// assert_eq!(limits.recipients, 10_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by struct update; a new limit is a new field")]
pub struct Limits {
    /// Bytes of a whole file, for the one-shot functions. A stream has no such limit.
    pub file: usize,
    /// Bytes of the header without its recipients.
    pub header: usize,
    /// Bytes of one recipient, apart from the key list of a key agreement, which is walked entry by
    /// entry.
    pub recipient: usize,
    /// Recipients in a file, where each key of a key agreement counts.
    pub recipients: u64,
    /// Nesting depth of the encoding.
    pub depth: usize,
    /// Bytes of one recipient's identifier.
    pub name: usize,
    /// Bytes of one line of text before or of the base64.
    pub line: usize,
    /// Bytes of the authenticated attributes. To put them in order takes several times as much.
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 64 << 20,
            header: 64 << 10,
            recipient: 16 << 10,
            recipients: 10_000,
            depth: 32,
            name: 1024,
            line: 8 << 10,
            attributes: 4 << 10,
        }
    }
}

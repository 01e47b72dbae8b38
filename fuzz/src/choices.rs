//! The fuzzer's bytes as a list of choices, taken from the front. What is left over is content.

/// When the bytes run out, every further choice is the first one.
#[derive(Debug, Clone)]
pub(crate) struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        first
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 != 0
    }

    pub(crate) fn number(&mut self) -> u64 {
        u64::from_be_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// A number below `end`, which is at least 1.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let first = usize::from(self.byte());
        let choice = if end > 256 { first << 8 | usize::from(self.byte()) } else { first };
        choice % end
    }

    pub(crate) fn one_of<'b, T>(&mut self, all: &'b [T]) -> &'b T {
        &all[self.below(all.len())]
    }

    /// As many bytes, or what is left.
    pub(crate) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (now, later) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = later;
        now
    }

    /// A few bytes: a count of less than 256, then these.
    pub(crate) fn few(&mut self) -> &'a [u8] {
        let len = self.byte();
        self.bytes(len.into())
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

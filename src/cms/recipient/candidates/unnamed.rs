//! Encrypted keys of key agreements that a key may open which they do not name.

use crate::cms::kari::Agreement;
use crate::{Error, Result};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// One encrypted key of a key agreement that names no identity of ours.
#[derive(Debug)]
pub(super) struct Unnamed {
    pub(super) place: usize,
    pub(super) agreement: Arc<Agreement>,
    pub(super) wrapped: Vec<u8>,
}

/// What is kept for a key alone.
#[derive(Debug, Default)]
pub(super) struct UnnamedList {
    pub(super) entries: Vec<Unnamed>,
    /// Bytes that they take.
    size: usize,
    /// Different ones of their agreements.
    agreements: u32,
    /// There were more for a key alone than may be tried.
    pub(super) is_overfull: bool,
}

impl UnnamedList {
    /// Bytes. Five hundred keys of one agreement fit.
    const MAX: usize = 64 << 10;

    /// No more agreements than a key may be asked for. Whether there was room.
    pub(super) fn keep(&mut self, entry: Unnamed, max_key_ops: u32) -> Result<bool> {
        let is_kept = |last: &Unnamed| Arc::ptr_eq(&last.agreement, &entry.agreement);
        let (new, agreement) = match self.entries.last() {
            Some(last) if is_kept(last) => (0, 0),
            _ => (1, entry.agreement.size()),
        };
        let agreements = self.agreements.saturating_add(new);
        // While the list grows, the old one is there beside the new one.
        let size = self.size + 2 * size_of::<Unnamed>() + entry.wrapped.len() + agreement;
        let has_room = agreements <= max_key_ops && size <= Self::MAX;
        if has_room {
            // By a few: twice the list would be more than is counted.
            if self.entries.len() == self.entries.capacity() {
                self.entries.try_reserve_exact(16).map_err(|_| Error::OutOfMemory)?;
            }
            self.agreements = agreements;
            self.entries.push(entry);
            self.size = size;
        }
        Ok(has_room)
    }
}

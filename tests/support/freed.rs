//! Secrets in freed memory, and how much is held: by an allocator that looks at each block before it
//! is freed. A test program of its own makes it the global one, with one test, because it belongs to
//! the process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};

/// How many bytes of a secret make a hit.
const NEEDLE: usize = 12;

thread_local! {
    /// Only the thread of the test is watched, and only at work.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static HITS: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
    /// What is looked for, complemented, so that it is not found in itself.
    static HIDDEN: RefCell<Vec<[u8; NEEDLE]>> = const { RefCell::new(Vec::new()) };
}

/// The system's allocator, which looks at what is freed while a test is at work.
pub(crate) struct Watching;

impl Watching {
    fn look_at(block: &[u8]) {
        HIDDEN.with_borrow(|hidden| {
            for window in block.windows(NEEDLE) {
                let is = |needle: &[u8; NEEDLE]| {
                    let forward = window.iter().zip(needle).all(|(a, b)| *a == !*b);
                    forward || window.iter().rev().zip(needle).all(|(a, b)| *a == !*b)
                };
                if hidden.iter().any(is) {
                    HITS.set(HITS.get() + 1);
                }
            }
        });
    }
}

// SAFETY: every call is handed on to the system's allocator with the same arguments; memory comes
// zeroed, so that a block may be read before it is freed.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if WATCHED.get() {
            HELD.set(HELD.get() + layout.size());
            PEAK.set(PEAK.get().max(HELD.get()));
        }
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's, whole and initialised; it is freed once.
        unsafe {
            if WATCHED.get() {
                HELD.set(HELD.get().saturating_sub(layout.size()));
                Self::look_at(core::slice::from_raw_parts(block, layout.size()));
            }
            System.dealloc(block, layout);
        }
    }
    // `realloc` is the default one: it always moves, and frees the old block through `dealloc`.
}

/// Secrets found in what the work freed, and the most that it held.
pub(crate) fn watched<T>(work: impl FnOnce() -> T) -> (usize, usize, T) {
    HITS.set(0);
    HELD.set(0);
    PEAK.set(0);
    WATCHED.set(true);
    let result = work();
    WATCHED.set(false);
    (HITS.get(), PEAK.get(), result)
}

/// Looks for the start and the middle of a secret from now on.
pub(crate) fn hide(secret: &[u8]) {
    for part in [secret, &secret[secret.len() / 2..]] {
        if let Some(needle) = part.first_chunk::<NEEDLE>() {
            HIDDEN.with_borrow_mut(|hidden| hidden.push(needle.map(|byte| !byte)));
        }
    }
}

/// Looks for nothing any more.
pub(crate) fn forget() {
    HIDDEN.take();
}

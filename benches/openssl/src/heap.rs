//! The heap, counted: what sdi takes through Rust's allocator, and what libcrypto takes through the
//! functions that it lets a program put in place.

use std::alloc::{GlobalAlloc, Layout, System, alloc, dealloc, realloc};
use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

#[global_allocator]
static HEAP: Counting = Counting;

/// Off while times are measured.
static IS_ON: AtomicBool = AtomicBool::new(false);
static TAKEN: AtomicIsize = AtomicIsize::new(0);
static MOST: AtomicIsize = AtomicIsize::new(0);

/// The most bytes that are taken at once while something runs, beside those that were there.
pub(crate) fn peak_of(run: impl FnOnce()) -> u64 {
    TAKEN.store(0, Relaxed);
    MOST.store(0, Relaxed);
    IS_ON.store(true, Relaxed);
    run();
    IS_ON.store(false, Relaxed);
    MOST.load(Relaxed).try_into().unwrap()
}

struct Counting;

fn count(size: usize) {
    if IS_ON.load(Relaxed) {
        let size = size.cast_signed();
        MOST.fetch_max(TAKEN.fetch_add(size, Relaxed) + size, Relaxed);
    }
}

fn discount(size: usize) {
    if IS_ON.load(Relaxed) {
        TAKEN.fetch_sub(size.cast_signed(), Relaxed);
    }
}

// SAFETY: the system's allocator does it all; counting takes no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        discount(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(place, layout) }
    }

    /// As if old and new were there at once, which they may be.
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        discount(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(place, layout, size) }
    }
}

type Malloc = unsafe extern "C" fn(usize, *const c_char, c_int) -> *mut c_void;
type Realloc = unsafe extern "C" fn(*mut c_void, usize, *const c_char, c_int) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void, *const c_char, c_int);

unsafe extern "C" {
    fn CRYPTO_set_mem_functions(malloc: Malloc, realloc: Realloc, free: Free) -> c_int;
}

/// Lets libcrypto take its memory here. Before anything else of it is called.
pub(crate) fn count_openssl() {
    // SAFETY: the functions are as malloc, realloc and free, and nothing is allocated so far.
    let done = unsafe { CRYPTO_set_mem_functions(malloc_here, realloc_here, free_here) };
    assert_eq!(done, 1, "libcrypto has allocated before");
}

/// Before each of its blocks stands the length, and the alignment of malloc is kept.
const BEFORE: usize = 16;

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size + BEFORE, BEFORE).unwrap()
}

/// # Safety
/// `start` is a block of this layout, or null.
unsafe fn labelled(start: *mut u8, size: usize) -> *mut c_void {
    if start.is_null() {
        return null_mut();
    }
    // SAFETY: the block is longer than BEFORE, and aligned.
    unsafe {
        start.cast::<usize>().write(size);
        start.add(BEFORE).cast()
    }
}

/// Start and length of a block.
///
/// # Safety
/// `place` comes from `labelled`.
unsafe fn found(place: *mut c_void) -> (*mut u8, usize) {
    // SAFETY: the length stands there.
    unsafe {
        let start = place.cast::<u8>().sub(BEFORE);
        (start, start.cast::<usize>().read())
    }
}

unsafe extern "C" fn malloc_here(size: usize, _: *const c_char, _: c_int) -> *mut c_void {
    // SAFETY: the layout is not empty.
    unsafe { labelled(alloc(layout(size)), size) }
}

unsafe extern "C" fn realloc_here(
    place: *mut c_void,
    size: usize,
    file: *const c_char,
    line: c_int,
) -> *mut c_void {
    if place.is_null() {
        // SAFETY: as there.
        return unsafe { malloc_here(size, file, line) };
    }
    // SAFETY: the block is one of `malloc_here`.
    unsafe {
        let (start, old) = found(place);
        labelled(realloc(start, layout(old), size + BEFORE), size)
    }
}

unsafe extern "C" fn free_here(place: *mut c_void, _: *const c_char, _: c_int) {
    if !place.is_null() {
        // SAFETY: the block is one of `malloc_here`.
        unsafe {
            let (start, size) = found(place);
            dealloc(start, layout(size));
        }
    }
}

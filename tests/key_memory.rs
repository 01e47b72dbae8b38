//! Freed memory holds no private key: reading, using, writing and dropping one leaves nothing.
//! (On elliptic curves. The RSA back end leaves copies of the primes, as `SoftwareKey` says.)
//!
//! Its own test program with one test, because the allocator and its counter belong to the process.

#![cfg(all(feature = "x25519", feature = "identity"))]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::hint::black_box;
use core::sync::atomic::{AtomicUsize, Ordering};
use sdi::{DeviceKey, SignatureScheme, SoftwareKey};
use std::alloc::System;

/// The 32 bytes of the private key that is looked for, complemented, so that this program's own
/// data do not hold them.
const HIDDEN: [u8; 32] = *b"\xd1\x07NoNoNoNoNoNoNoNoNoNoNoNoNoNoNo";

static HITS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Only the thread of the test is watched.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    /// Some of the key's base64.
    static TEXT: Cell<[u8; 12]> = const { Cell::new([0xff; 12]) };
}

struct Scanning;

impl Scanning {
    /// Counts the freed block if it holds 12 bytes of the key, or of its base64.
    fn look_at(block: &[u8]) {
        if !WATCHED.try_with(Cell::get).unwrap_or(false) {
            return;
        }
        let found = block.windows(12).any(|window| {
            let is = |from: usize| window.iter().zip(&HIDDEN[from..]).all(|(a, b)| *a == !*b);
            is(0) || is(16) || window.iter().rev().zip(&HIDDEN).all(|(a, b)| *a == !*b)
        });
        let text = TEXT.with(Cell::get);
        if found || block.windows(12).any(|window| window == text) {
            HITS.fetch_add(1, Ordering::SeqCst);
        }
    }
}

// SAFETY: every call is handed on to the system's allocator with the same arguments; memory comes
// zeroed, so that a block may be read before it is freed.
unsafe impl GlobalAlloc for Scanning {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's, whole and initialised; it is freed once.
        unsafe {
            Self::look_at(core::slice::from_raw_parts(block, layout.size()));
            System.dealloc(block, layout);
        }
    }
    // `realloc` is the default one: it always moves, and frees the old block through `dealloc`.
}

#[global_allocator]
static ALLOCATOR: Scanning = Scanning;

fn hits(work: impl FnOnce()) -> usize {
    let before = HITS.load(Ordering::SeqCst);
    WATCHED.set(true);
    work();
    WATCHED.set(false);
    HITS.load(Ordering::SeqCst) - before
}

/// A24, R36.
#[test]
fn a24_freed_memory_holds_no_private_key() {
    let scalar = HIDDEN.map(|byte| !byte);
    let ec = [&[0x30, 0x31, 2, 1, 1, 4, 32][..], &scalar, &[0xa0, 10, 6, 8], &P256].concat();
    let x25519 =
        [&[0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 34, 4, 32][..], &scalar].concat();

    // The controls: the detector sees a copy, and a key that is given away.
    assert_eq!(hits(|| drop(black_box(scalar.to_vec()))), 1);
    assert_eq!(hits(|| drop(black_box(vec![7; 32]))), 0);

    for file in [&ec, &x25519] {
        let pem = SoftwareKey::parse(file).unwrap().to_pem().unwrap();
        let text = pem.as_bytes().split(|&byte| byte == b'\n').nth(1).unwrap();
        TEXT.set(text[52..64].try_into().unwrap());
        assert_eq!(hits(|| drop(black_box(pem.as_bytes().to_vec()))), 1);
        let found = hits(|| {
            let key = SoftwareKey::parse(file).unwrap();
            let again = SoftwareKey::parse(pem.as_bytes()).unwrap();
            assert_eq!(key.public_key(), again.public_key());
            let written = again.to_pem().unwrap();
            assert!(written.ct_eq(pem.as_bytes()));
            let _ = black_box(key.sign(SignatureScheme::EcdsaP256Sha256, b"message", &[0; 32]));
        });
        assert_eq!(found, 0);
        assert_eq!(hits(|| assert!(SoftwareKey::parse(&file[1..]).is_err())), 0);
    }
}

/// The body of the curve's object identifier.
const P256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

//! A device without an operating system detects, opens and seals. `start.c` calls [`sdi_proof`].

#![no_std]

extern crate alloc;

use alloc::sync::Arc;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};
use sdi::{
    Certificate, Detection, DeviceId, Error, Hint, Identity, IdentityBuilder, KeyRing, Profile,
    RandomSource, SoftwareKey, detect, open, seal,
};

const CONFIG: &[u8] = include_bytes!("../../corpus/plain/c4006ba261399d95.bin");
const RSA_KEY: &[u8] = include_bytes!("../../corpus/keys/fd1c7b42a400f965.pem");
const RSA_FILE: &[u8] = include_bytes!("../../corpus/messages/openssl/enc-smime-rsa2048-pem.pem");
const EC_KEY: &[u8] = include_bytes!("../../corpus/keys/6ba7da4d54949efd.pem");
const EC_FILE: &[u8] = include_bytes!("../../corpus/messages/openssl/gcm-p256-pem.pem");

/// 0 if all is well, otherwise the number of the step that is not.
#[unsafe(no_mangle)]
pub extern "C" fn sdi_proof() -> i32 {
    match prove() {
        Ok(()) => 0,
        Err(step) => step,
    }
}

fn prove() -> Result<(), i32> {
    let hint = Hint { at_end: true, expect_encrypted: false };
    ensure(matches!(detect(None, RSA_FILE, hint), Detection::Enveloped(_)), 1)?;
    ensure(detect(None, CONFIG, hint) == Detection::Plain, 2)?;

    let rsa = ring(RSA_KEY, None).map_err(|_| 3)?;
    let ec = ring(EC_KEY, None).map_err(|_| 4)?;
    ensure(open(RSA_FILE, &rsa).is_ok_and(|opened| opened.plaintext() == CONFIG), 5)?;
    ensure(open(EC_FILE, &ec).is_ok_and(|opened| opened.plaintext() == CONFIG), 6)?;
    ensure(open(RSA_FILE, &ec).is_err() && open(EC_FILE, &rsa).is_err(), 7)?;
    ensure(sealed_and_opened().is_ok_and(|same| same), 8)
}

fn sealed_and_opened() -> sdi::Result<bool> {
    let key = SoftwareKey::parse(EC_KEY)?;
    let certificate = IdentityBuilder::new(DeviceId::new("SN1")?, 0).self_sign(&key)?;
    let ring = ring(EC_KEY, Some(certificate.clone()))?;
    let file = seal(CONFIG, &[certificate], Profile::Auto, &mut Counter(0))?;
    Ok(open(&file, &ring)?.plaintext() == CONFIG)
}

fn ring(key: &[u8], certificate: Option<Certificate>) -> sdi::Result<KeyRing> {
    let key = SoftwareKey::parse(key)?;
    let mut ring = KeyRing::new();
    ring.set_vendor(Identity::new(Arc::new(key), certificate)?)?;
    Ok(ring)
}

fn ensure(is_so: bool, step: i32) -> Result<(), i32> {
    if is_so { Ok(()) } else { Err(step) }
}

/// A device's own source of randomness stands here. This one is none.
struct Counter(u8);

impl RandomSource for Counter {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error> {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

/// Gives memory and never takes it back.
struct Bump {
    memory: UnsafeCell<[u8; Self::SIZE]>,
    used: AtomicUsize,
}

impl Bump {
    const SIZE: usize = 4 << 20;
}

// SAFETY: `used` gives every caller a part of `memory` of its own.
unsafe impl Sync for Bump {}

// SAFETY: every allocation is aligned, inside `memory`, and given out once.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = layout.size() + layout.align();
        let start = self.used.fetch_add(size, Ordering::Relaxed);
        if start.checked_add(size).is_none_or(|end| end > Self::SIZE) {
            return null_mut();
        }
        // SAFETY: `start + size` is inside `memory`, and alignment takes less than `align` bytes.
        unsafe {
            let start = self.memory.get().cast::<u8>().add(start);
            start.add(start.align_offset(layout.align()))
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static MEMORY: Bump = Bump { memory: UnsafeCell::new([0; Bump::SIZE]), used: AtomicUsize::new(0) };

unsafe extern "C" {
    /// Ends the program.
    safe fn leave(status: i32) -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    leave(97)
}

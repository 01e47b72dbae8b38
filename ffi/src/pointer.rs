//! The border: every pointer that C passes in, and every one that it is given, crosses it here.
//!
//! A handle is a counted door. Who calls with a const handle goes in beside others, who calls with
//! another one goes in alone, and who finds the door shut is told so: a call from inside a callback,
//! or from a second thread, answers `SDI_ERR_STATE` and does no harm to the first. A free while
//! somebody is inside is done by the last one who leaves.
//!
//! This file is longer than others, so that `unsafe` blocks are in two files: it has what needs them in
//! a build without std, too.

use crate::error::Failure;
use crate::key::sdi_random;
use crate::open::sdi_sink;
use crate::state::{IN_USE, READER, State, WRITER};
use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_void};
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

/// The C caller of one exported function, who has promised that every pointer is what the header
/// says. What is borrowed from it ends with the call.
pub(crate) struct Caller(());

impl Caller {
    /// # Safety
    /// Every pointer that goes through this value must come from C in the call that it was made
    /// for, where the first page of `sdi.h` holds: it is NULL or valid.
    pub(crate) const unsafe fn trusted() -> Self {
        Self(())
    }
}

/// The caller of the exported function that this stands in.
macro_rules! caller {
    () => {
        // SAFETY: an exported function that takes pointers is `unsafe`; its caller has promised.
        unsafe { $crate::pointer::Caller::trusted() }
    };
}
pub(crate) use caller;

/// Bytes, text and places.
impl Caller {
    /// A buffer to read. (NULL, 0) is an empty one.
    pub(crate) fn bytes(&self, data: *const u8, len: usize) -> Result<&[u8], Failure> {
        self.list(data, len)
    }

    /// An array to read.
    pub(crate) fn list<T: Copy>(&self, data: *const T, len: usize) -> Result<&[T], Failure> {
        if len == 0 {
            return Ok(&[]);
        }
        if data.is_null() {
            return Err(Failure::Null);
        }
        let size = len.checked_mul(size_of::<T>()).filter(|&size| isize::try_from(size).is_ok());
        if size.and_then(|size| data.addr().checked_add(size)).is_none() {
            return Err(Failure::Argument("a length that no buffer has"));
        }
        // SAFETY: not NULL, of a possible size, and the caller has promised the rest.
        Ok(unsafe { core::slice::from_raw_parts(data, len) })
    }

    /// Any bytes up to a NUL; nothing for NULL.
    pub(crate) fn name(&self, name: *const c_char) -> Option<&[u8]> {
        // SAFETY: not NULL, so it ends with a NUL, as the caller has promised.
        (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_bytes())
    }

    /// Text: UTF-8 up to a NUL.
    pub(crate) fn text(&self, text: *const c_char) -> Result<&str, Failure> {
        let bytes = self.name(text).ok_or(Failure::Null)?;
        core::str::from_utf8(bytes).map_err(|_| Failure::Argument("text that is not UTF-8"))
    }

    /// A place to write to in the end.
    pub(crate) fn place<T>(&self, place: *mut T) -> Result<Place<'_, T>, Failure> {
        match NonNull::new(place) {
            Some(place) => Ok(Place { place, caller: PhantomData }),
            None => Err(Failure::Null),
        }
    }

    /// A place for so many bytes.
    pub(crate) fn array<const N: usize>(&self, to: *mut u8) -> Result<Place<'_, [u8; N]>, Failure> {
        self.place(to.cast())
    }

    /// A place for a handle. It is NULL from now on, whatever happens.
    pub(crate) fn out<H: Handle>(&self, out: *mut *mut H) -> Result<Out<'_, H>, Failure> {
        let place = self.place(out)?;
        place.set(ptr::null_mut());
        Ok(Out(place))
    }

    /// Overwrites memory so that the compiler does not leave it out.
    pub(crate) fn wipe(&self, data: *mut u8, len: usize) {
        if self.bytes(data, len).is_ok_and(|bytes| !bytes.is_empty()) {
            // SAFETY: a possible buffer, and the caller has promised that it may be written.
            zeroize::Zeroize::zeroize(unsafe { core::slice::from_raw_parts_mut(data, len) });
        }
    }
}

/// Callbacks.
impl Caller {
    pub(crate) const fn sink(&self, sink: sdi_sink, user: *mut c_void) -> CSink {
        CSink { sink, user }
    }

    pub(crate) fn random(&self, random: sdi_random, user: *mut c_void) -> Result<Random, Failure> {
        Ok(Random { random: random.ok_or(Failure::Null)?, user })
    }
}

/// A receiver of bytes; without a callback it takes all of them.
pub(crate) struct CSink {
    sink: sdi_sink,
    user: *mut c_void,
}

impl sdi::Sink for CSink {
    fn write(&mut self, bytes: &[u8]) -> sdi::Result<()> {
        let Some(sink) = self.sink else { return Ok(()) };
        // SAFETY: the caller has promised that it can be called like this.
        match unsafe { sink(self.user, bytes.as_ptr(), bytes.len()) } {
            0 => Ok(()),
            code => Err(sdi::Error::Sink(code.into())),
        }
    }
}

/// A source of randomness.
pub(crate) struct Random {
    random: unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> i32,
    user: *mut c_void,
}

impl sdi::RandomSource for Random {
    fn fill(&mut self, out: &mut [u8]) -> sdi::Result<()> {
        // SAFETY: the caller has promised that it can be called like this.
        match unsafe { (self.random)(self.user, out.as_mut_ptr(), out.len()) } {
            0 => Ok(()),
            code => Err(sdi::Error::Random(code.into())),
        }
    }
}

/// A place of the caller's that may be written.
pub(crate) struct Place<'c, T> {
    place: NonNull<T>,
    caller: PhantomData<&'c Caller>,
}

impl<T> Place<'_, T> {
    pub(crate) fn set(&self, value: T) {
        // SAFETY: not NULL, and the caller has promised that it may be written.
        unsafe { self.place.write(value) };
    }
}

/// A place for a new handle.
pub(crate) struct Out<'c, H: Handle>(Place<'c, *mut H>);

impl<H: Handle> Out<'_, H> {
    /// Makes a handle of the value and gives it to the caller, who owns it from then on.
    pub(crate) fn give(&self, value: H::Value) -> Result<(), Failure> {
        self.0.set(Door::build(value)?.cast());
        Ok(())
    }
}

/// An opaque type of the header. Behind its pointers stands a [`Door`] to a value.
pub(crate) trait Handle {
    type Value;

    /// Whether a call that reads it may run a callback.
    const CALLS_BACK: bool = false;
}

/// Handles.
impl Caller {
    /// Goes in beside other threads.
    pub(crate) fn read<H: Handle, R>(
        &self,
        handle: *const H,
        work: impl FnOnce(&H::Value) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let door = Door::<H::Value>::of(handle)?;
        // Other threads may read at the same time; this one may not, it would be in a callback.
        let reading = if H::CALLS_BACK { Some(Reading::of(door.cast().as_ptr())?) } else { None };
        reading.as_ref().map_or(Ok(()), Reading::begin)?;
        let visit = Visit::new(door, READER)?;
        // SAFETY: while there are readers there is no writer, and the value stays.
        let answer = work(unsafe { &*visit.door.as_ref().value.get() });
        visit.leave_whole();
        answer
    }

    /// Goes in alone. If the work panics, nobody goes in again.
    pub(crate) fn write<H: Handle, R>(
        &self,
        handle: *mut H,
        work: impl FnOnce(&mut H::Value) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let visit = Visit::new(Door::<H::Value>::of(handle)?, WRITER)?;
        // SAFETY: a writer is alone, and the value stays.
        let answer = work(unsafe { &mut *visit.door.as_ref().value.get() });
        visit.leave_whole();
        answer
    }

    /// Frees the handle, as soon as nobody is inside. NULL is nothing.
    pub(crate) fn free<H: Handle>(&self, handle: *mut H) {
        let Ok(door) = Door::<H::Value>::of(handle) else { return };
        // SAFETY: not NULL, so the caller has not freed it yet.
        if unsafe { door.as_ref() }.state.free() {
            Door::tear_down(door);
        }
    }
}

struct Door<T> {
    state: State,
    value: UnsafeCell<T>,
}

impl<T> Door<T> {
    /// As `Box::new`, except that being out of memory is an answer.
    fn build(value: T) -> Result<*mut Self, Failure> {
        let layout = Layout::new::<Self>();
        // SAFETY: the state is in it, so the size is not 0.
        let place = unsafe { alloc(layout) }.cast::<Self>();
        if place.is_null() {
            return Err(sdi::Error::OutOfMemory.into());
        }
        // SAFETY: new memory of this layout.
        unsafe { place.write(Self { state: State::default(), value: UnsafeCell::new(value) }) };
        Ok(place)
    }

    fn of<H: Handle<Value = T>>(handle: *const H) -> Result<NonNull<Self>, Failure> {
        NonNull::new(handle.cast_mut().cast()).ok_or(Failure::Null)
    }

    /// The value's own destructor may call back; the door is shut by then, and still stands.
    fn tear_down(door: NonNull<Self>) {
        // SAFETY: made by `build`, and FREED lets this be reached once, when nobody is inside. The
        // value is dropped where it stands, before the memory goes.
        unsafe {
            ptr::drop_in_place(door.as_ref().value.get());
            dealloc(door.as_ptr().cast(), Layout::new::<Self>());
        }
    }
}

/// Somebody inside.
struct Visit<T> {
    door: NonNull<Door<T>>,
    who: usize,
    is_whole: bool,
}

impl<T> Visit<T> {
    fn new(door: NonNull<Door<T>>, who: usize) -> Result<Self, Failure> {
        // SAFETY: not NULL, so the caller has not freed it yet.
        unsafe { door.as_ref() }.state.enter(who)?;
        Ok(Self { door, who, is_whole: false })
    }

    fn leave_whole(mut self) {
        self.is_whole = true;
    }
}

impl<T> Drop for Visit<T> {
    fn drop(&mut self) {
        // SAFETY: the memory goes only when the last one has left.
        if unsafe { self.door.as_ref() }.state.leave(self.who, self.is_whole) {
            Door::tear_down(self.door);
        }
    }
}

/// A call that reads behind a door. It stands on the stack of that call, and knows the one whose
/// callback the call came from.
struct Reading {
    door: *mut (),
    outer: *const Self,
}

impl Reading {
    /// More calls within callbacks than anybody needs.
    const DEEPEST: usize = 8;

    fn of(door: *mut ()) -> Result<Self, Failure> {
        let outer = innermost::get()?.cast();
        let mut other: *const Self = outer;
        for _ in 0..Self::DEEPEST {
            // SAFETY: NULL, or on the stack of a call of this thread that has not returned.
            let Some(reading) = (unsafe { other.as_ref() }) else {
                return Ok(Self { door, outer });
            };
            if reading.door == door {
                return Err(IN_USE);
            }
            other = reading.outer;
        }
        Err(Failure::State("callbacks call each other too deeply"))
    }

    /// From now on it must not move.
    fn begin(&self) -> Result<(), Failure> {
        innermost::set(ptr::from_ref(self).cast())
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // There was memory for the first pointer of this thread, so there is for the next one.
        let _ = innermost::set(self.outer.cast());
    }
}

/// A pointer of each thread, to the innermost [`Reading`].
#[cfg(panic = "unwind")]
mod innermost {
    use crate::error::Failure;
    use core::{cell::Cell, ptr};

    std::thread_local! {
        static INNERMOST: Cell<*const ()> = const { Cell::new(ptr::null()) };
    }

    #[expect(clippy::unnecessary_wraps, reason = "without std it can fail")]
    pub(super) fn get() -> Result<*const (), Failure> {
        Ok(INNERMOST.get())
    }

    #[expect(clippy::unnecessary_wraps, reason = "without std it can fail")]
    pub(super) fn set(reading: *const ()) -> Result<(), Failure> {
        INNERMOST.set(reading);
        Ok(())
    }
}

/// The same by POSIX.
#[cfg(not(panic = "unwind"))]
mod innermost {
    use crate::error::Failure;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use libc::pthread_key_t;

    const NO_MEMORY: Failure = Failure::Core(sdi::Error::OutOfMemory);

    /// The key of the pointer and one, or 0 as long as there is none.
    static KEY: AtomicUsize = AtomicUsize::new(0);

    fn key() -> Result<pthread_key_t, Failure> {
        let mut number = KEY.load(Ordering::Acquire);
        if number == 0 {
            let mut new = 0;
            // SAFETY: a place for the key, which nothing has to be done for in the end.
            if unsafe { libc::pthread_key_create(&raw mut new, None) } != 0 {
                return Err(NO_MEMORY);
            }
            number = usize::try_from(new).map_err(|_| NO_MEMORY)? + 1;
            let first = KEY.compare_exchange(0, number, Ordering::AcqRel, Ordering::Acquire);
            if let Err(first) = first {
                // SAFETY: another thread was the first, and nobody knows this one.
                unsafe { libc::pthread_key_delete(new) };
                number = first;
            }
        }
        pthread_key_t::try_from(number - 1).map_err(|_| NO_MEMORY)
    }

    pub(super) fn get() -> Result<*const (), Failure> {
        // SAFETY: a key that was made, and is never deleted.
        Ok(unsafe { libc::pthread_getspecific(key()?) }.cast_const().cast())
    }

    pub(super) fn set(reading: *const ()) -> Result<(), Failure> {
        // SAFETY: as above.
        match unsafe { libc::pthread_setspecific(key()?, reading.cast()) } {
            0 => Ok(()),
            _ => Err(NO_MEMORY),
        }
    }
}

/// What the standard library does elsewhere: a build that ends after a panic needs nothing of it but
/// memory, and the end.
#[cfg(not(panic = "unwind"))]
mod without_std {
    use core::alloc::{GlobalAlloc, Layout};
    use core::ffi::c_void;
    use core::panic::PanicInfo;
    use core::ptr;

    /// The memory of C.
    struct Malloc;

    #[global_allocator]
    static MALLOC: Malloc = Malloc;

    /// What malloc aligns to without being asked.
    const ALIGN: usize = 2 * size_of::<*const ()>();

    // SAFETY: malloc, posix_memalign and realloc give what was asked for or NULL, and unwind never.
    unsafe impl GlobalAlloc for Malloc {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let (size, align) = (layout.size(), layout.align());
            // A small piece is aligned for nothing larger than itself.
            if align <= ALIGN && align <= size {
                // SAFETY: nothing is asked of the caller.
                return unsafe { libc::malloc(size) }.cast();
            }
            let mut place: *mut c_void = ptr::null_mut();
            // SAFETY: a power of two, and not less than a pointer.
            match unsafe { libc::posix_memalign(&raw mut place, align.max(ALIGN), size) } {
                0 => place.cast(),
                _ => ptr::null_mut(),
            }
        }

        unsafe fn dealloc(&self, place: *mut u8, _: Layout) {
            // SAFETY: it came from above, in either way.
            unsafe { libc::free(place.cast()) };
        }

        unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            if layout.align() <= ALIGN && layout.align() <= size {
                // SAFETY: it came from above, in either way.
                return unsafe { libc::realloc(place.cast(), size) }.cast();
            }
            // SAFETY: the caller has promised that this is a layout.
            let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
            // SAFETY: neither size is 0, and both places have the lesser one.
            unsafe {
                let moved = self.alloc(new);
                if !moved.is_null() {
                    ptr::copy_nonoverlapping(place, moved, layout.size().min(size));
                    self.dealloc(place, layout);
                }
                moved
            }
        }
    }

    #[panic_handler]
    fn panic(_: &PanicInfo<'_>) -> ! {
        // SAFETY: nothing is asked of the caller.
        unsafe { libc::abort() }
    }
}

//! The border: every pointer that C passes in, and every one that it is given, crosses it here.
//!
//! A handle is a counted door. Who calls with a const handle goes in beside others, who calls with
//! another one goes in alone, and who finds the door shut is told so: a call from inside a callback,
//! or from a second thread, answers `SDI_ERR_STATE` and does no harm to the first. A free while
//! somebody is inside is done by the last one who leaves.

use crate::error::Failure;
use crate::key::sdi_random;
use crate::open::sdi_sink;
use core::cell::{Cell, UnsafeCell};
use core::ffi::{CStr, c_char, c_void};
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::alloc::Layout;

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
}

/// Handles.
impl Caller {
    /// Goes in beside other threads.
    pub(crate) fn read<H: Handle, R>(
        &self,
        handle: *const H,
        work: impl FnOnce(&H::Value) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let visit = Visit::new(Door::<H::Value>::of(handle)?, READER)?;
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
        let place = unsafe { std::alloc::alloc(layout) }.cast::<Self>();
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
            std::alloc::dealloc(door.as_ptr().cast(), Layout::new::<Self>());
        }
    }
}

/// Who is behind a door, and what became of it.
#[derive(Default)]
struct State(AtomicUsize);

/// Bits of a state; above them the readers are counted.
const FREED: usize = 1;
const PANICKED: usize = 2;
const WRITER: usize = 4;
const READER: usize = 8;

impl State {
    fn enter(&self, who: usize) -> Result<(), Failure> {
        let shut = if who == WRITER { usize::MAX } else { FREED | PANICKED | WRITER };
        self.0
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |state| {
                (state & shut == 0).then(|| state + who)
            })
            .map(drop)
            .map_err(|state| if state & PANICKED == 0 { IN_USE } else { Failure::Panicked })
    }

    /// Whether it has to be torn down now.
    fn leave(&self, who: usize, is_whole: bool) -> bool {
        if who == WRITER && !is_whole {
            self.0.fetch_or(PANICKED, Ordering::Relaxed);
        }
        let after = self.0.fetch_sub(who, Ordering::AcqRel) - who;
        after & FREED != 0 && after < WRITER
    }

    /// Whether it has to be torn down now.
    fn free(&self) -> bool {
        let before = self.0.fetch_or(FREED, Ordering::AcqRel);
        before & FREED == 0 && before < WRITER
    }
}

const IN_USE: Failure = Failure::State(
    "the object is in use: this call comes from inside a callback of another call on it, or from a \
     second thread",
);

/// Somebody inside.
struct Visit<T> {
    door: NonNull<Door<T>>,
    who: usize,
    is_whole: bool,
    _reading: Option<Reading>,
}

impl<T> Visit<T> {
    fn new(door: NonNull<Door<T>>, who: usize) -> Result<Self, Failure> {
        // Other threads may read at the same time; this one may not, it would be in a callback.
        let reading = if who == READER { Some(Reading::begin(door.cast())?) } else { None };
        // SAFETY: not NULL, so the caller has not freed it yet.
        unsafe { door.as_ref() }.state.enter(who)?;
        Ok(Self { door, who, is_whole: false, _reading: reading })
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

std::thread_local! {
    /// The doors behind which this thread reads: those of a call, and of calls from its callbacks.
    static READ: Cell<[*mut (); Reading::DEPTH]> =
        const { Cell::new([ptr::null_mut(); Reading::DEPTH]) };
}

/// An entry of that list.
struct Reading(NonNull<()>);

impl Reading {
    /// More calls within callbacks than anybody needs.
    const DEPTH: usize = 8;

    fn begin(door: NonNull<()>) -> Result<Self, Failure> {
        let mut list = READ.get();
        if list.contains(&door.as_ptr()) {
            return Err(IN_USE);
        }
        let free = list.iter_mut().find(|entry| entry.is_null());
        *free.ok_or(Failure::State("callbacks call each other too deeply"))? = door.as_ptr();
        READ.set(list);
        Ok(Self(door))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        READ.set(READ.get().map(
            |entry| {
                if entry == self.0.as_ptr() { ptr::null_mut() } else { entry }
            },
        ));
    }
}

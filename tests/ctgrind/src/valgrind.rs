//! Valgrind's client requests, on x86-64: a sequence of instructions that does nothing, and that
//! valgrind recognises. See `valgrind/valgrind.h` and `valgrind/memcheck.h`.

use std::arch::asm;

const RUNNING_ON_VALGRIND: usize = 0x1001;
/// Memcheck's own requests begin at 'M', 'C'.
const MAKE_MEM_UNDEFINED: usize = 0x4d43_0001;
const MAKE_MEM_DEFINED: usize = 0x4d43_0002;

fn request(code: usize, address: usize, len: usize) -> usize {
    let arguments = [code, address, len, 0, 0, 0];
    let mut answer = 0_usize;
    // SAFETY: the instructions rotate a register by 128 bits in all and exchange another with itself,
    // so that outside of valgrind nothing changes; valgrind reads the array and writes the answer.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") &raw const arguments,
            inout("rdx") answer,
            out("rdi") _,
        );
    }
    answer
}

pub fn is_running() -> bool {
    request(RUNNING_ON_VALGRIND, 0, 0) != 0
}

/// From now on the bytes are secret.
pub fn make_undefined<T>(secret: &[T]) {
    request(MAKE_MEM_UNDEFINED, secret.as_ptr().addr(), size_of_val(secret));
}

/// From now on the bytes are public.
pub fn make_defined<T>(public: &[T]) {
    request(MAKE_MEM_DEFINED, public.as_ptr().addr(), size_of_val(public));
}

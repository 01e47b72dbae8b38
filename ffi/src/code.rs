//! Enums whose variants are constants of the header. C passes plain numbers, known and unknown.

use core::ffi::CStr;

/// An enum of the header.
pub(crate) trait Code: Copy + 'static {
    /// Every variant with its name.
    const ALL: &'static [(Self, &'static CStr)];

    fn number(self) -> i32;

    /// The variant with this number.
    fn known(number: i32) -> Option<Self> {
        Self::ALL.iter().find(|(code, _)| code.number() == number).map(|(code, _)| *code)
    }

    /// The name of the variant with this number.
    fn name(number: i32) -> Option<&'static CStr> {
        Self::ALL.iter().find(|(code, _)| code.number() == number).map(|(_, name)| *name)
    }
}

/// Implements [`Code`]; a variant that is missing does not compile.
macro_rules! code {
    ($code:ident: $($variant:ident)+) => {
        impl $crate::code::Code for $code {
            const ALL: &'static [(Self, &'static core::ffi::CStr)] = &[$((
                Self::$variant,
                match core::ffi::CStr::from_bytes_with_nul(
                    concat!(stringify!($variant), "\0").as_bytes(),
                ) {
                    Ok(name) => name,
                    Err(_) => c"",
                },
            )),+];

            fn number(self) -> i32 {
                match self {
                    $(Self::$variant => Self::$variant as i32),+
                }
            }
        }
    };
}
pub(crate) use code;

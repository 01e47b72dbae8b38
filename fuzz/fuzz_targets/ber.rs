#![no_main]
#![expect(missing_docs, reason = "the target's module says what it does")]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sdi_fuzz::targets::ber::run(data));

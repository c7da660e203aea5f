//! Rings of any words, read by the library and by a reader that knows the format only.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ringway_fuzz::play(bytes, ringway_fuzz::words::run));

//! A file of any content, opened as every kind of channel.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ringway_fuzz::play(bytes, ringway_fuzz::attach::run));

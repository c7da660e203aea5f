//! A channel in use while somebody writes to its words.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ringway_fuzz::play(bytes, ringway_fuzz::meddle::run));

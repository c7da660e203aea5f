//! Locks in use while somebody writes to their words.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ringway_fuzz::play(bytes, ringway_fuzz::locks::run));

//! What ringway answers to memory that no correct peer writes: an error or a value, and nothing else.
//!
//! Four targets, each a function of an input that a fuzzer finds (`fuzz_targets/`) or a seed makes (`tests/`):
//!
//! - [`attach`]: a file of any content is opened as every kind of channel.
//! - [`meddle`]: a channel is used while somebody writes to its words, between the calls or at the same time.
//! - [`locks`]: locks are used while somebody writes to their words.
//! - [`words`]: rings of any words are read, and what comes out is compared with a reader of the format that
//!   knows nothing of the library.
//!
//! An input that makes the library panic, hang, or touch what is not the segment's is a finding. Touching is
//! seen by the sanitizer, and by [`memory::Fences`] around each mapping.

pub mod attach;
pub mod locks;
pub mod meddle;
pub mod memory;
pub mod place;
pub mod subject;
pub mod words;

use arbitrary::{Arbitrary, Unstructured};

/// Plays the input that `bytes` describe, if they do.
pub fn play<'b, I: Arbitrary<'b>>(bytes: &'b [u8], target: impl FnOnce(&I)) {
    if let Ok(input) = I::arbitrary_take_rest(Unstructured::new(bytes)) {
        target(&input);
    }
}

//! As what a receiver found the ring that it takes from.

use super::ChainWord;
use crate::primitive::ContestedU64;
use crate::primitive::Ordering::SeqCst;

/// As which generation of its chain somebody found the anchor.
///
/// It may be passed and come home later, behind segments that have messages. Who still means the earlier one must not take what
/// is in it then. So it looks once more after it has seen a message, and before it claims that: while the head does not move the
/// message is not taken, and the ring that has it is not passed.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    word: &'a ContestedU64,
    generation: u64,
}

impl<'a> Standing<'a> {
    /// Of the anchor as `generation` of the chain with `word`.
    pub fn new(word: &'a ContestedU64, generation: u64) -> Self {
        Self { word, generation }
    }

    /// Whether that is what it still is.
    pub fn lasts(self) -> bool {
        // ORDERING(chain): at least as new as when the message was accepted: that claim was made after the anchor was opened, and
        // the message seen.
        ChainWord(self.word.load(SeqCst)).is_anchor(self.generation)
    }
}

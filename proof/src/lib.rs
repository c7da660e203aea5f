//! Explicit-state models of ringway's protocols.
//!
//! `slots` is the ring between many with its crashes and reapers; `wake` is how its two sides sleep
//! and wake each other; `blocks` is what long messages lie in, `chain` how a
//! queue grows, `pieces` who has said what of a record in pieces, `locks` who has what of locks; `frame` is what they share. `explore` searches each completely. What a model leaves out is said where
//! it is.

#[path = "../../src/ring/block.rs"]
#[allow(dead_code, reason = "the library uses all of it")]
mod block;
mod blocks;
mod catalogue;
mod chain;
#[path = "../../src/ring/chain/word.rs"]
#[allow(dead_code, reason = "the library uses all of it")]
mod chain_word;
#[path = "../../src/ring/cursor.rs"]
#[allow(dead_code, reason = "the library uses all of it")]
mod cursor;
mod error;
mod explore;
mod frame;
mod locks;
mod pack;
mod pieces;
mod slots;
#[cfg(not(loom))]
pub mod torture;
mod wake;
#[path = "../../src/ring/word.rs"]
#[allow(dead_code, reason = "the library uses all of it")]
mod word;

pub use catalogue::{Check, Trial, checks, trials};
pub use explore::{Finding, Report};
pub use slots::scenes::scripts;
pub use slots::script::{Access, Fall, Kind, Operation, Script, Word, Words, collapsed};

use std::hash::{Hash, Hasher};

/// Words are parts of states here; the library never hashes one.
macro_rules! hash_as_bits {
    ($($word:ty),*) => { $(
        impl Hash for $word {
            fn hash<H: Hasher>(&self, hasher: &mut H) {
                self.0.hash(hasher);
            }
        }
    )* };
}

hash_as_bits!(word::CursorWord, word::SlotWord, word::RedeliverWord);

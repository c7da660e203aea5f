//! Close, step by step.

use super::memory::Memory;
use super::state::At;
use crate::chain_word::ChainWord;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// The word says it.
    Raise,
    /// Whether the last segment is to be shut.
    Look,
    /// It is.
    Shut { seen: u64 },
}

/// The bit of the word.
pub const CLOSED: u64 = 1 << 63;

impl Close {
    /// One access.
    pub fn step(self, memory: &mut Memory) {
        match self {
            Self::Raise => {
                memory.state.shared.word |= CLOSED;
                memory.go(At::Close(Self::Look));
            }
            Self::Look => {
                let seen = memory.look();
                if seen.is_unsettled() {
                    return memory.count();
                }
                memory.go(At::Close(Self::Shut { seen: seen.0 }));
            }
            Self::Shut { seen } => {
                let seen = ChainWord(seen);
                memory.ring(Memory::number(seen, seen.last())).shut = true;
                memory.count();
            }
        }
    }
}

//! Send, step by step: in the last segment, or another behind it.

use super::changing::{Change, Goal, Then};
use super::config::Mutant;
use super::memory::{Found, Memory};
use super::state::{At, Slot};
use crate::chain_word::ChainWord;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Send {
    /// Which segment is the last.
    Look,
    /// A slot there.
    Claim { seen: u64 },
    /// It was refused: whether the chain is still the same; `full`: for want of room.
    Again { seen: u64, full: bool },
    /// The message is in the slot at `index`.
    Commit { ring: usize, index: usize },
}

impl Send {
    /// How many ways there are to go on.
    pub fn choices(self, memory: &Memory) -> u8 {
        match self {
            Self::Claim { seen } => memory.ways(ChainWord(seen), ChainWord(seen).last()),
            Self::Commit { .. } => 1 + u8::from(memory.aborts()),
            _ => 1,
        }
    }

    /// One access.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        match self {
            Self::Look => look(memory),
            Self::Claim { seen } => claim(memory, ChainWord(seen), choice == 1),
            Self::Again { seen, full } => {
                if memory.look().0 != seen {
                    return memory.go(At::Send(Self::Look));
                }
                memory.rule(full, "the last segment is shut, and the queue is not closed");
                let goal = Goal::Grow { seen };
                memory.go(At::Change(Change::wanted(goal, Then::Begin)));
            }
            Self::Commit { ring, index } => {
                let Slot::Writing { claim, member } = memory.ring(ring).slots[index] else {
                    return memory.rule(false, "a slot was not its claimer's any more");
                };
                memory.rule(usize::from(member) == memory.me, "a slot was another's");
                let filled = choice == 0;
                memory.ring(ring).slots[index] =
                    if filled { Slot::Filled { claim } } else { Slot::Aborted };
                if !filled {
                    memory.close_claim(claim);
                }
                memory.count();
            }
        }
    }
}

fn look(memory: &mut Memory) {
    let seen = memory.look();
    match () {
        // It is refused.
        () if seen.is_closed() => memory.count(),
        () if seen.is_unsettled() && !memory.config.is(Mutant::FillsUnsettled) => {
            memory.go(At::Change(Change::wanted(Goal::Settle, Then::Begin)));
        }
        () => memory.go(At::Send(Send::Claim { seen: seen.0 })),
    }
}

fn claim(memory: &mut Memory, seen: ChainWord, mapped: bool) {
    let Found::At(ring) = memory.find(seen, seen.last(), mapped) else {
        return memory.go(At::Send(Send::Look));
    };
    let index = usize::from(memory.ring(ring).tail) % memory.config.slots;
    let next = match memory.claim(ring) {
        Some(true) => Send::Commit { ring, index },
        refused => Send::Again { seen: seen.0, full: refused.is_some() },
    };
    memory.go(At::Send(next));
}

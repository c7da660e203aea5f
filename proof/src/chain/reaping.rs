//! Reap, segment by segment. What is done in each is for `crate::slots`: here it is one step.

use super::changing::{Change, Goal, Then};
use super::config::Mutant;
use super::memory::Memory;
use super::state::{At, Slot};
use crate::chain_word::ChainWord;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reap {
    /// Which segments there are.
    Look,
    /// What the dead had in this one, if the chain still has it.
    Annex { seen: u64, generation: u64 },
    /// What it had in the anchor.
    Anchor,
}

impl Reap {
    /// One access on behalf of `dead`.
    pub fn step(self, memory: &mut Memory, dead: u8) {
        let next = match self {
            Self::Look if memory.config.is(Mutant::ReapForgetsAnnexes) => Self::Anchor,
            Self::Look => annex(memory.look(), memory.look().first()),
            Self::Annex { seen, generation } => {
                let now = memory.look();
                if (now.first()..=now.last()).contains(&generation) {
                    take_back(memory, Memory::number(now, generation), dead);
                }
                annex(ChainWord(seen), generation + 1)
            }
            Self::Anchor => {
                take_back(memory, 0, dead);
                let then = Then::Reaped { dead };
                return memory.go(At::Change(Change::wanted(Goal::CleanUp, then)));
            }
        };
        memory.go(At::Reap(dead, next));
    }
}

/// The first from `generation` on that is no anchor.
fn annex(seen: ChainWord, generation: u64) -> Reap {
    match (generation..=seen.last()).find(|number| !seen.is_anchor(*number)) {
        Some(generation) => Reap::Annex { seen: seen.0, generation },
        None => Reap::Anchor,
    }
}

fn take_back(memory: &mut Memory, ring: usize, dead: u8) {
    for index in 0..memory.config.slots {
        memory.ring(ring).slots[index] = match memory.ring(ring).slots[index] {
            Slot::Writing { member, claim } if member == dead => {
                memory.close_claim(claim);
                Slot::Aborted
            }
            Slot::Reading { member, claim } if member == dead => Slot::Redeliver { claim },
            other => other,
        };
    }
}

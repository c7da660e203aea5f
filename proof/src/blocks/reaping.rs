//! Reap, step by step: slots and blocks of a member that died.
//!
//! Any number of reapers may be at it, each a member that can die as well. Claims without a stamp, and the announcement of
//! what was put back, are left to `crate::slots`.

use super::config::Mutant;
use super::memory::Memory;
use super::state::At;
use crate::block::{BlockState, BlockWord};
use crate::frame::{Life, small};
use crate::word::{SlotWord, State as Slot};

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reap {
    /// 0. Whether the block at `at` is bound by the dead.
    Bound { at: u8 },
    /// 0. It is: what the slot is.
    BoundSlot { at: u8, word: u64 },
    /// 0. It was being filled: now it is.
    Commit { at: u8, ring: u8, index: usize, found: u64 },
    /// 3. What the slot is.
    Slot { ring: u8, index: usize },
    /// 3. It is the dead one's.
    SwapSlot { ring: u8, index: usize, found: u64, changed: u64 },
    /// 5. Whose the block is.
    Line { at: u8 },
    /// 5. It is a message's: whether there is one.
    LineSlot { at: u8, word: u64 },
    /// 5. It is nobody's.
    Swap { at: u8, word: u64 },
    /// 5, 6. It counts as without memory; `trims`: 6.
    Unnote { at: u8, trims: bool },
    /// 5, 6. The kernel takes its memory.
    Punch { at: u8, trims: bool },
    /// 5, 6. It is free.
    Free { at: u8, trims: bool },
    /// 6. Whether the block is free and has memory.
    Trim { at: u8 },
    /// 6. It is.
    TrimSwap { at: u8 },
    /// The member's record says that it was reaped.
    Finish,
}

impl Reap {
    /// One access on behalf of `dead`.
    pub fn step(self, memory: &mut Memory, dead: u8) {
        let next = match self {
            Self::Bound { .. } | Self::BoundSlot { .. } | Self::Commit { .. } => {
                self.commits(memory, dead)
            }
            Self::Slot { ring, index } => slot(memory, ring, index, dead),
            Self::SwapSlot { ring, index, found, changed } => {
                swap_slot(memory, ring, index, found, changed);
                after_slot(memory, ring, index)
            }
            Self::Line { at } => line(memory, at, dead),
            Self::LineSlot { at, word } => line_slot(memory, at, word),
            Self::Swap { at, word } => swap(memory, at, word),
            Self::Unnote { at, trims } => {
                memory.block(at).noted = false;
                Self::Punch { at, trims }
            }
            Self::Punch { at, trims } => {
                memory.block(at).held = false;
                Self::Free { at, trims }
            }
            Self::Free { at, trims } => free(memory, at, trims, dead),
            Self::Trim { at } => {
                let free = memory.block(at).word() == BlockWord::FREE;
                let wasteful = memory.is_wasteful(at);
                if wasteful && free { Self::TrimSwap { at } } else { after_trim(memory, at) }
            }
            Self::TrimSwap { at } => {
                let mine = memory.mine();
                let won = memory.swap_block(at, BlockWord::FREE, mine);
                if won { Self::Unnote { at, trims: true } } else { after_trim(memory, at) }
            }
            Self::Finish => return finish(memory, dead),
        };
        memory.go(At::Reap(dead, next));
    }

    /// 0.
    fn commits(self, memory: &mut Memory, dead: u8) -> Self {
        match self {
            Self::Bound { at } => {
                let word = memory.block(at).word();
                let its = word.place().is_some() && word.member() == u16::from(dead);
                if its { Self::BoundSlot { at, word: word.0 } } else { after_bound(memory, at) }
            }
            Self::BoundSlot { at, word } => {
                let place = BlockWord(word).place().expect("it is bound");
                let theirs = |slot: &SlotWord| {
                    slot.state() == Some(Slot::Writing) && slot.member() == u16::from(dead)
                };
                match memory.slot_at(place).filter(theirs) {
                    Some(found) => {
                        let index = memory.config.geometry().index(place.tag);
                        Self::Commit { at, ring: place.ring.into(), index, found: found.0 }
                    }
                    None => after_bound(memory, at),
                }
            }
            Self::Commit { at, ring, index, found } => {
                swap_slot(memory, ring, index, found, SlotWord(found).filled().0);
                after_bound(memory, at)
            }
            _ => unreachable!("only step 0"),
        }
    }
}

fn after_bound(memory: &Memory, at: u8) -> Reap {
    let late = memory.config.is(Mutant::CommitAfterSlots);
    match usize::from(at) + 1 < memory.config.blocks {
        true => Reap::Bound { at: at + 1 },
        false if late => Reap::Line { at: 0 },
        false => Reap::Slot { ring: 0, index: 0 },
    }
}

/// 3.
fn slot(memory: &Memory, ring: u8, index: usize, dead: u8) -> Reap {
    let found = memory.state.shared.rings[usize::from(ring)].slot(index);
    let theirs = found.member() == u16::from(dead);
    let changed = match found.state() {
        Some(Slot::Writing) if theirs => found.aborted(),
        Some(Slot::Reading) if theirs && memory.config.at_most_once => {
            memory.config.geometry().next_vacant_of(found)
        }
        Some(Slot::Reading) if theirs => found.put_back(),
        _ => return after_slot(memory, ring, index),
    };
    Reap::SwapSlot { ring, index, found: found.0, changed: changed.0 }
}

fn swap_slot(memory: &mut Memory, ring: u8, index: usize, found: u64, changed: u64) {
    let word = &mut memory.state.shared.rings[usize::from(ring)].slots[index];
    if *word != found {
        return;
    }
    *word = changed;
    if SlotWord(changed).state() == Some(Slot::Vacant) {
        let position = memory.config.geometry().position(index as u64, SlotWord(found));
        memory.is_done(ring, small(position));
    }
}

fn after_slot(memory: &Memory, ring: u8, index: usize) -> Reap {
    match (index + 1 < memory.config.slots, ring) {
        (true, _) => Reap::Slot { ring, index: index + 1 },
        (false, 0) => Reap::Slot { ring: 1, index: 0 },
        (false, _) if memory.config.is(Mutant::CommitAfterSlots) => Reap::Bound { at: 0 },
        (false, _) if memory.config.is(Mutant::BlocksBeforeSlots) => Reap::Finish,
        (false, _) => Reap::Line { at: 0 },
    }
}

/// 5.
fn line(memory: &mut Memory, at: u8, dead: u8) -> Reap {
    let word = memory.block(at).word();
    match word.state() {
        Some(BlockState::Owned)
            if word.member() == u16::from(dead) && !memory.config.is(Mutant::ReapLeavesOwned) =>
        {
            Reap::Swap { at, word: word.0 }
        }
        Some(BlockState::Bound) if !memory.config.is(Mutant::ReapLeavesBound) => {
            Reap::LineSlot { at, word: word.0 }
        }
        _ => after_line(memory, at),
    }
}

fn line_slot(memory: &Memory, at: u8, word: u64) -> Reap {
    let place = BlockWord(word).place().expect("it is bound");
    let has_message = memory.slot_at(place).is_some_and(|slot| match slot.state() {
        Some(Slot::Writing) => !memory.config.is(Mutant::ReapIgnoresWriting),
        Some(Slot::Filled | Slot::Reading | Slot::Redeliver) => true,
        _ => false,
    });
    if has_message { after_line(memory, at) } else { Reap::Swap { at, word } }
}

fn swap(memory: &mut Memory, at: u8, word: u64) -> Reap {
    let word = BlockWord(word);
    let punches = memory.config.sparse
        && word.state() == Some(BlockState::Owned)
        && !memory.config.is(Mutant::ReapFreesMemory);
    let in_their_name = memory.config.is(Mutant::PunchInTheirName);
    let to = match () {
        () if !punches => BlockWord::FREE,
        () if in_their_name => word,
        () => memory.mine(),
    };
    let won = if memory.config.is(Mutant::ReapStores) {
        memory.block(at).word = to.0;
        true
    } else {
        memory.swap_block(at, word, to)
    };
    if won && punches { Reap::Unnote { at, trims: false } } else { after_line(memory, at) }
}

fn free(memory: &mut Memory, at: u8, trims: bool, dead: u8) -> Reap {
    let in_their_name = memory.config.is(Mutant::PunchInTheirName) && !trims;
    let from = if in_their_name { BlockWord::owned(dead.into()) } else { memory.mine() };
    memory.swap_block(at, from, BlockWord::FREE);
    if trims { after_trim(memory, at) } else { after_line(memory, at) }
}

fn after_line(memory: &Memory, at: u8) -> Reap {
    match usize::from(at) + 1 < memory.config.blocks {
        true => Reap::Line { at: at + 1 },
        false if memory.config.is(Mutant::BlocksBeforeSlots) => Reap::Slot { ring: 0, index: 0 },
        false if memory.config.sparse => Reap::Trim { at: 0 },
        false => Reap::Finish,
    }
}

fn after_trim(memory: &Memory, at: u8) -> Reap {
    let more = usize::from(at) + 1 < memory.config.blocks;
    if more { Reap::Trim { at: at + 1 } } else { Reap::Finish }
}

/// Invariant B3: nothing of the dead is left in its name.
fn finish(memory: &mut Memory, dead: u8) {
    let left = memory.config.invariants && !memory.is_forgotten(dead.into());
    memory.rule(!left, "a reap came to its end and left something of the dead behind (B3)");
    memory.state.threads[usize::from(dead)].life = Life::Reaped;
    memory.begin();
}

//! Receive, step by step, and the way of a message to the dead letters.

use super::config::{Mutant, Role};
use super::memory::Memory;
use super::sending::claim_tail;
use super::state::{At, Claim};
use crate::block::BlockWord;
use crate::frame::small;
use crate::word::State as Slot;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receive {
    /// Any message that can be claimed.
    Seek,
    /// Which block the slot says, and whether that is bound to it.
    Find(Claim),
    /// One half of the message.
    Read(Claim, usize),
    /// The slot is given back; `whole`: with a block.
    Acknowledge { claim: Claim, whole: bool },
    /// Or the message is put back.
    PutBack(Claim),
    /// The block's word is read.
    Release(Claim),
    /// The block is freed if its word is still this.
    Swap { block: u8, seen: u64, wasteful: bool },
    /// It counts as without memory.
    Unnote { block: u8 },
    /// The kernel takes its memory.
    Punch { block: u8 },
    /// It is free.
    Free { block: u8 },
    /// A slot among the dead letters.
    Room(Claim),
    /// Which says which block.
    Describe { claim: Claim, to: u8 },
    /// The block's word is read.
    Rebind { claim: Claim, to: u8 },
    /// It is bound to that slot.
    RebindSwap { claim: Claim, to: u8, seen: u64 },
    /// It is committed there.
    CommitThere { claim: Claim, to: u8 },
    /// Or given up, since the message is not here any more.
    AbortThere { claim: Claim, to: u8 },
}

/// Messages that can be claimed: where.
fn offers(memory: &Memory) -> Vec<(u8, u8)> {
    let mut found = Vec::new();
    let moves = matches!(memory.config.threads[memory.me], Role::Mover { .. });
    for number in 0..if moves { 1 } else { 2 } {
        let ring = &memory.state.shared.rings[usize::from(number)];
        let oldest = ring.head.saturating_sub(small(memory.config.slots));
        for position in oldest..=ring.head {
            let slot = memory.slot(number, position);
            let current = memory.config.geometry().is_current(slot, position.into());
            let state = slot.state().filter(|_| current);
            let first = position == ring.head;
            let offered = match state {
                Some(Slot::Redeliver) => !first,
                Some(Slot::Filled | Slot::Aborted) => first,
                _ => false,
            };
            if offered {
                found.push((number, position));
            }
        }
    }
    found
}

impl Receive {
    /// How many ways there are to go on.
    pub fn choices(self, memory: &Memory) -> u8 {
        match self {
            Self::Seek => small(offers(memory).len()),
            Self::Acknowledge { whole: true, .. } => 1 + u8::from(puts_back(memory)),
            _ => 1,
        }
    }

    /// One access.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        match self {
            Self::Seek => seek(memory, choice),
            Self::Find(claim) => find(memory, claim),
            Self::Read(claim, half) => {
                memory.read(claim, half);
                let done = Self::Acknowledge { claim, whole: true };
                memory.go(At::Receive(if half == 0 { Self::Read(claim, 1) } else { done }));
            }
            Self::Acknowledge { claim, whole: true } if choice == 1 => {
                memory.go(At::Receive(Self::PutBack(claim)));
            }
            Self::Acknowledge { claim, whole } => acknowledge(memory, claim, whole),
            Self::PutBack(claim) => {
                let word = memory.slot(claim.ring, claim.position).put_back();
                memory.store_slot(claim, Slot::Reading, word);
                memory.count();
            }
            Self::Release(claim) => release(memory, claim),
            Self::Swap { block, seen, wasteful } => swap(memory, block, seen, wasteful),
            Self::Unnote { block } => {
                memory.block(block).noted = false;
                memory.go(At::Receive(Self::Punch { block }));
            }
            Self::Punch { block } => {
                memory.block(block).held = false;
                let late = memory.config.is(Mutant::PunchWhenFree);
                if late { done(memory) } else { memory.go(At::Receive(Self::Free { block })) }
            }
            Self::Free { block } => free(memory, block),
            _ => self.step_of_mover(memory),
        }
    }

    fn step_of_mover(self, memory: &mut Memory) {
        match self {
            Self::Room(claim) => {
                if let Some(to) = claim_tail(memory, 1) {
                    memory.go(At::Receive(Self::Describe { claim, to }));
                }
            }
            Self::Describe { claim, to } => {
                let index = memory.index(to);
                memory.state.shared.rings[1].numbers[index] = claim.block;
                if memory.config.is(Mutant::LeaveBeforeMove) {
                    let word = memory.slot(0, claim.position);
                    let vacant = memory.config.geometry().next_vacant_of(word);
                    memory.store_slot(claim, Slot::Reading, vacant);
                }
                memory.go(At::Receive(Self::Rebind { claim, to }));
            }
            Self::Rebind { claim, to } => {
                let seen = memory.block(claim.block).word();
                let here = seen.place() == Some(claim.place());
                let swap = Self::RebindSwap { claim, to, seen: seen.0 };
                let abort = Self::AbortThere { claim, to };
                memory.go(At::Receive(if here { swap } else { abort }));
            }
            Self::RebindSwap { claim, to, seen } => rebind(memory, claim, to, seen),
            Self::CommitThere { claim, to } => {
                let there = Claim { ring: 1, position: to, ..claim };
                let word = memory.slot(1, to).filled();
                memory.store_slot(there, Slot::Writing, word);
                if memory.config.is(Mutant::LeaveBeforeMove) {
                    return memory.count();
                }
                memory.go(At::Receive(Self::Acknowledge { claim, whole: false }));
            }
            Self::AbortThere { claim, to } => {
                let there = Claim { ring: 1, position: to, ..claim };
                let word = memory.slot(1, to).aborted();
                memory.store_slot(there, Slot::Writing, word);
                memory.go(At::Receive(Self::Acknowledge { claim, whole: false }));
            }
            _ => unreachable!("the others are steps of every receiver"),
        }
    }
}

fn puts_back(memory: &Memory) -> bool {
    let receives = matches!(memory.config.threads[memory.me], Role::Receiver { .. });
    receives && memory.state.threads[memory.me].left > 0
}

/// Back to the beginning; who moves has moved one.
fn done(memory: &mut Memory) {
    if matches!(memory.config.threads[memory.me], Role::Mover { .. }) {
        return memory.count();
    }
    memory.begin();
}

fn seek(memory: &mut Memory, choice: u8) {
    let (number, position) = offers(memory)[usize::from(choice)];
    let (found, index) = (memory.slot(number, position), memory.index(position));
    let geometry = memory.config.geometry();
    let skipped = found.state() == Some(Slot::Aborted);
    let me = memory.number();
    let ring = &mut memory.state.shared.rings[usize::from(number)];
    ring.head = ring.head.max(position + 1);
    let block = ring.numbers[index];
    if skipped {
        ring.slots[index] = geometry.next_vacant_of(found).0;
        return;
    }
    ring.slots[index] = match found.state() {
        Some(Slot::Redeliver) => found.claimed_again(me).0,
        _ => found.reading(me).0,
    };
    memory.go(At::Receive(Receive::Find(Claim { ring: number, position, block })));
}

fn find(memory: &mut Memory, claim: Claim) {
    let word = memory.block(claim.block).word();
    if word.place() == Some(claim.place()) || memory.config.is(Mutant::MovedIsGiven) {
        let moves = matches!(memory.config.threads[memory.me], Role::Mover { .. });
        let next = if moves { Receive::Room(claim) } else { Receive::Read(claim, 0) };
        return memory.go(At::Receive(next));
    }
    let tries = memory.slot(claim.ring, claim.position).tries();
    memory.rule(tries > 0, "a message was nowhere that nobody had before");
    memory.go(At::Receive(Receive::Acknowledge { claim, whole: false }));
}

fn acknowledge(memory: &mut Memory, claim: Claim, whole: bool) {
    let word = memory.slot(claim.ring, claim.position);
    let vacant = memory.config.geometry().next_vacant_of(word);
    memory.store_slot(claim, Slot::Reading, vacant);
    if whole {
        memory.is_done(claim.ring, claim.position);
        return memory.go(At::Receive(Receive::Release(claim)));
    }
    done(memory);
}

fn release(memory: &mut Memory, claim: Claim) {
    let seen = memory.block(claim.block).word();
    if seen.place() != Some(claim.place()) && !memory.config.is(Mutant::FreeOfAnother) {
        return done(memory);
    }
    let (block, wasteful) = (claim.block, memory.is_wasteful(claim.block));
    memory.go(At::Receive(Receive::Swap { block, seen: seen.0, wasteful }));
}

fn swap(memory: &mut Memory, block: u8, seen: u64, wasteful: bool) {
    let late = memory.config.is(Mutant::PunchWhenFree);
    let to = if wasteful && !late { memory.mine() } else { BlockWord::FREE };
    let won = memory.swap_block(block, BlockWord(seen), to);
    if won && wasteful {
        return memory.go(At::Receive(Receive::Unnote { block }));
    }
    done(memory);
}

fn free(memory: &mut Memory, block: u8) {
    let mine = memory.mine();
    let freed = memory.swap_block(block, mine, BlockWord::FREE);
    memory.rule(freed, "a block was not its holder's any more");
    done(memory);
}

fn rebind(memory: &mut Memory, claim: Claim, to: u8, seen: u64) {
    let there = Claim { ring: 1, position: to, ..claim };
    let moved = BlockWord::bound(there.place(), memory.number());
    if !memory.swap_block(claim.block, BlockWord(seen), moved) {
        return memory.go(At::Receive(Receive::AbortThere { claim, to }));
    }
    if let Some(message) = memory.message_at(claim.ring, claim.position) {
        memory.belongs(message, there);
    }
    memory.go(At::Receive(Receive::CommitThere { claim, to }));
}

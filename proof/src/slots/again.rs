//! Receive 1, and putting back: messages that were claimed and not acknowledged.
//!
//! Who looks for them goes from the lowest position up and, if there is none, takes the pending bit
//! off the word that it began with. A member remembers how far it has looked.

use super::consumer::{Batch, Receive};
use super::memory::{Actor, Memory};
use super::mutants::Mutant;
use super::state::Sweep;
use crate::word::{RedeliverWord, SlotWord, State as Slot, after, before};

/// Where somebody is who takes a message again, or puts one back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Again {
    /// The word again, with all that it announces.
    ReadWord,
    /// It was pending.
    ReadHead { seen: RedeliverWord },
    /// Looking, from far to near before `head`; `locked`: with the member's lock.
    ReadSlot { seen: RedeliverWord, head: u64, distance: u64, locked: bool },
    /// There is one.
    Take { seen: RedeliverWord, head: u64, distance: u64, locked: bool, found: SlotWord },
    /// There was none.
    Clear { seen: RedeliverWord, locked: bool },
    /// By the mutant that announces first: the slot comes last.
    PutBackLast { batch: Batch },
    /// The slot is in REDELIVER: the word is next.
    ReadToAnnounce { batch: Batch },
    /// And then its new generation.
    Announce { batch: Batch, seen: RedeliverWord },
    /// Announced: the member remembers; a step of its own only where several threads receive.
    Remember { batch: Batch, before: RedeliverWord },
}

impl Again {
    /// One access by thread `me`.
    pub fn step(self, memory: &mut Memory, me: usize) -> Receive {
        Receive::Again(match self {
            Again::ReadWord => {
                let seen = memory.load_redeliver();
                if !seen.is_pending() {
                    return Receive::ReadHead;
                }
                Again::ReadHead { seen }
            }
            Again::ReadHead { seen } => return read_head(memory, me, seen),
            Again::ReadSlot { seen, head, distance, locked } => {
                let position = before(head, distance);
                let found = memory.load_slot(position);
                let waits = found.state() == Some(Slot::Redeliver);
                if waits && memory.ring.is_current(found, position) {
                    Again::Take { seen, head, distance, locked, found }
                } else {
                    next_slot(seen, head, distance, locked)
                }
            }
            Again::Take { seen, head, distance, locked, found } => {
                let position = before(head, distance);
                let word = found.claimed_again(memory.member(me));
                if memory.swap_slot(position, found, word, Actor::Thread(me)) {
                    if locked {
                        let (word, next) = (seen.0, after(position, 1));
                        *memory.sweep(me) = Sweep { is_locked: false, word, next };
                    }
                    let batch = Batch { first: position, count: 1, done: 0, word };
                    return Receive::Read { batch };
                }
                next_slot(seen, head, distance, locked)
            }
            Again::Clear { seen, locked } => {
                memory.swap_redeliver(seen, seen.cleared());
                if locked {
                    memory.sweep(me).is_locked = false;
                }
                return Receive::ReadHead;
            }
            Again::PutBackLast { batch } => {
                put_back(memory, me, batch, true);
                return Receive::goes_on(memory, me, batch);
            }
            Again::ReadToAnnounce { batch } => {
                Again::Announce { batch, seen: memory.load_redeliver() }
            }
            Again::Announce { batch, seen } => return announce(memory, me, batch, seen),
            Again::Remember { batch, before } => return remember(memory, me, batch, before),
        })
    }

    /// Where putting the message in hand back begins: the first access is made. Unless it was
    /// `seen`, it says no more than before.
    pub fn begin_to_put_back(memory: &mut Memory, me: usize, batch: Batch, seen: bool) -> Receive {
        if memory.config.is(Mutant::AnnounceFirst) {
            let seen = memory.load_redeliver();
            return Receive::Again(Again::Announce { batch, seen });
        }
        put_back(memory, me, batch, seen);
        Receive::Again(Again::ReadToAnnounce { batch })
    }

    /// What the next step is called.
    pub fn name(self) -> &'static str {
        match self {
            Again::ReadWord => "Receive 1: read redeliver",
            Again::ReadHead { .. } => "Receive 1: read head",
            Again::ReadSlot { .. } => "Receive 1: look at a slot",
            Again::Take { .. } => "Receive 1: take it again",
            Again::Clear { .. } => "Receive 1: nothing, clear pending",
            Again::PutBackLast { .. } => "put back: the slot, last",
            Again::ReadToAnnounce { .. } => "put back: read redeliver",
            Again::Announce { .. } => "put back: new generation",
            Again::Remember { .. } => "put back: remember",
        }
    }
}

fn put_back(memory: &mut Memory, me: usize, batch: Batch, seen: bool) {
    let position = after(batch.first, u64::from(batch.done));
    let word = if seen { batch.word.put_back() } else { batch.word.put_back_unseen() };
    memory.store_slot(position, word, Actor::Thread(me));
}

/// All in REDELIVER lies within one capacity before the head, and at or after where the member has
/// got to.
fn read_head(memory: &mut Memory, me: usize, seen: RedeliverWord) -> Receive {
    let head = memory.load_head().position();
    let ring = memory.ring;
    let sweep = memory.sweep(me);
    let locked = !sweep.is_locked;
    let known = locked && sweep.word == seen.0;
    let left = if known { ring.ahead(head, sweep.next) } else { ring.slots() };
    sweep.is_locked = true;
    Receive::Again(next_slot(seen, head, left + 1, locked))
}

fn next_slot(seen: RedeliverWord, head: u64, distance: u64, locked: bool) -> Again {
    match distance {
        1 => Again::Clear { seen, locked },
        _ => Again::ReadSlot { seen, head, distance: distance - 1, locked },
    }
}

/// The word after something was put back.
pub fn raised(memory: &Memory, seen: RedeliverWord) -> RedeliverWord {
    if memory.config.is(Mutant::RedeliverFlag) { RedeliverWord(1) } else { seen.raised() }
}

fn announce(memory: &mut Memory, me: usize, batch: Batch, seen: RedeliverWord) -> Receive {
    if !memory.swap_redeliver(seen, raised(memory, seen)) {
        let seen = memory.state.shared.redeliver();
        return Receive::Again(Again::Announce { batch, seen });
    }
    if memory.config.is(Mutant::AnnounceFirst) {
        return Receive::Again(Again::PutBackLast { batch });
    }
    if memory.config.shares_sweep(me) {
        return Receive::Again(Again::Remember { batch, before: seen });
    }
    remember(memory, me, batch, seen)
}

/// If the bit was off, only this message is there; else the member knows more only if it knew that
/// word.
fn remember(memory: &mut Memory, me: usize, batch: Batch, word: RedeliverWord) -> Receive {
    let position = after(batch.first, u64::from(batch.done));
    let slots = memory.ring.slots();
    let raised = raised(memory, word).0;
    let keeps = memory.config.is(Mutant::SweepKeepsPlace);
    let sweep = memory.sweep(me);
    let next = match word.is_pending() {
        _ if sweep.is_locked => None,
        true if sweep.word != word.0 => None,
        true if keeps => Some(sweep.next),
        true => Some(earlier(slots, sweep.next, position)),
        false => Some(position),
    };
    if let Some(next) = next {
        *sweep = Sweep { is_locked: false, word: raised, next };
    }
    Receive::goes_on(memory, me, batch)
}

/// The earlier of two positions that lie within one capacity.
fn earlier(slots: u64, one: u64, other: u64) -> u64 {
    if before(one, other) <= slots { other } else { one }
}

//! Certify, and steps 1 and 2 of a reap: bringing the last claim out of its unstamped state.
//!
//! Down from the last position, reading only, to the first slot that is stamped; then up again,
//! each slot by a compare-and-swap on the word just read, the last one last.

use super::memory::{Actor, Memory};
use super::mutants::Mutant;
use crate::word::{CursorWord, SlotWord, before};

/// Which cursor made the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// It is a producer's.
    Tail,
    /// It is a consumer's.
    Head,
}

/// What is to become of the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// It is stamped in its owner's name.
    Certify,
    /// Its owner is dead: it is taken back.
    Bury,
}

/// A resolve on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resolve {
    side: Side,
    purpose: Purpose,
    /// The cursor's word: the claim ends before its position and is its member's.
    cursor: CursorWord,
    freed: bool,
    at: Place,
}

/// Where a resolve is; distances are from the end of the claim down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    /// On the way down.
    Down { distance: u64 },
    /// On the way up, about to read.
    Read { distance: u64, count: u64 },
    /// On the way up, about to swap.
    Swap { distance: u64, count: u64, found: SlotWord, changed: SlotWord },
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// There are more steps.
    Not(Resolve),
    /// It is done; an aborted slot was seen and is free now if `freed`.
    Done { freed: bool },
}

impl Resolve {
    /// The resolve of the claim that ends at `cursor`.
    pub fn new(side: Side, purpose: Purpose, cursor: CursorWord) -> Self {
        Self { side, purpose, cursor, freed: false, at: Place::Down { distance: 1 } }
    }

    /// What the slot of `position`, found as it is, has to become; nothing if it is stamped.
    fn change(&mut self, memory: &Memory, position: u64, found: SlotWord) -> Option<SlotWord> {
        let ring = memory.ring;
        let owner = self.cursor.member();
        match (self.side, self.purpose) {
            (Side::Tail, Purpose::Certify) => {
                (found == ring.vacant(position)).then(|| ring.writing(position, owner))
            }
            (Side::Tail, Purpose::Bury) => {
                (found == ring.vacant(position)).then(|| ring.aborted(position))
            }
            (Side::Head, _) if found == ring.aborted(position) => {
                self.freed = true;
                Some(ring.next_vacant(position))
            }
            (Side::Head, purpose) if found == ring.filled(position) => Some(match purpose {
                Purpose::Certify => ring.reading(position, owner),
                Purpose::Bury => found.put_back_unseen(),
            }),
            (Side::Head, _) => None,
        }
    }

    /// One access.
    pub fn step(mut self, memory: &mut Memory, by: Actor) -> Resolved {
        let end = self.cursor.position();
        match self.at {
            Place::Down { distance } => {
                let position = before(end, distance);
                let found = memory.load_slot(position);
                let unstamped = self.change(memory, position, found).is_some();
                let count = if unstamped { distance } else { distance - 1 };
                let last = !unstamped
                    || distance == memory.ring.slots()
                    || memory.config.is(Mutant::ResolveLastOnly);
                if last {
                    return self.upwards(memory, count);
                }
                self.at = Place::Down { distance: distance + 1 };
                Resolved::Not(self)
            }
            Place::Read { distance, count } => {
                let position = before(end, distance);
                let found = memory.load_slot(position);
                match self.change(memory, position, found) {
                    Some(changed) => {
                        self.at = Place::Swap { distance, count, found, changed };
                        Resolved::Not(self)
                    }
                    None => self.next(memory, distance, count),
                }
            }
            Place::Swap { distance, count, found, changed } => {
                memory.swap_slot(before(end, distance), found, changed, by);
                self.next(memory, distance, count)
            }
        }
    }

    fn upwards(mut self, memory: &Memory, count: u64) -> Resolved {
        if count == 0 {
            return Resolved::Done { freed: self.freed };
        }
        let distance = if memory.config.is(Mutant::HelperStampsDown) { 1 } else { count };
        self.at = Place::Read { distance, count };
        Resolved::Not(self)
    }

    fn next(mut self, memory: &Memory, distance: u64, count: u64) -> Resolved {
        let downwards = memory.config.is(Mutant::HelperStampsDown);
        let (last, next) = if downwards { (count, distance + 1) } else { (1, distance - 1) };
        if distance == last {
            return Resolved::Done { freed: self.freed };
        }
        self.at = Place::Read { distance: next, count };
        Resolved::Not(self)
    }

    /// Where it is, for a trace.
    pub fn name(&self) -> &'static str {
        match self.at {
            Place::Down { .. } => "certify: walk down",
            Place::Read { .. } => "certify: read on the way up",
            Place::Swap { .. } => "certify: stamp",
        }
    }
}

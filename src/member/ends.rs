//! Who owns the ends of a channel between two.

use super::{Membership, SETTLING};
use crate::error::{ErrorKind, Failure, MemberId};
use crate::layout::MEMBER_ACTIVE;
use crate::name::Patience;
use crate::primitive::Ordering::{AcqRel, Acquire, SeqCst};
use crate::ring::cursor::EndWord;

impl Membership {
    /// Takes the channel's end `number`. True if its last owner died, or left what one who died had in hand.
    pub fn claim_end(&self, number: usize) -> Result<bool, Failure> {
        let word = &self.segment.ends().words[number];
        let patience = Patience::new(SETTLING);
        loop {
            // ORDERING(ends): what the last owner did before it left is visible; pairs with `vacate`.
            let seen = word.load(Acquire);
            match EndWord::from_bits(seen).owner() {
                Some(owner) if owner.index() >= self.segment.shape().max_members as usize => {
                    return Err(
                        ErrorKind::NotASegment("an end belongs to no possible member").into()
                    );
                }
                Some(owner) => {
                    let settling =
                        || self.segment.record(owner).state.load(Acquire) != MEMBER_ACTIVE;
                    let wait = || settling() && patience.lasts();
                    if !(self.bury(owner) || wait()) {
                        return Err(ErrorKind::EndTaken(owner).into());
                    }
                }
                None => {
                    let taken = EndWord::from_bits(seen).taken_by(self.id).bits();
                    // ORDERING(ends): Release for who sees the new owner.
                    if word.compare_exchange(seen, taken, AcqRel, Acquire).is_ok() {
                        // ORDERING(roster): after the end is owned; pairs with the reads in `has_left`.
                        self.segment.control().roster.fetch_add(1, SeqCst);
                        return Ok(EndWord::from_bits(seen).is_of_the_dead());
                    }
                }
            }
        }
    }

    /// Gives end `number` up and wakes everybody who may wait for its owner. If `suspect`, the next owner is told what
    /// this one was told.
    pub fn leave_end(&self, number: usize, suspect: bool) {
        self.segment.vacate(number, self.id, suspect);
        self.segment.wake_everybody();
    }

    /// Who owns end `number` now.
    pub fn end_owner(&self, number: usize) -> Option<MemberId> {
        // ORDERING(ends): as in `claim_end`.
        EndWord::from_bits(self.segment.ends().words[number].load(Acquire)).owner()
    }

    fn is_deserted(&self, number: usize) -> bool {
        // ORDERING(ends): pairs with the Release in `vacate`.
        EndWord::from_bits(self.segment.ends().words[number].load(Acquire)).is_deserted()
    }

    /// Whether the owner of end `number` has left for good and `drained()` says that nothing of its is left.
    ///
    /// A plain look would be wrong while one owner hands over to the next: the old one is gone when it looks
    /// at the end, and the new one's message comes after it looked at the ring. So it looks at the roster
    /// before and after, and counts only what nobody joined between.
    pub fn has_left(&self, number: usize, mut drained: impl FnMut() -> bool) -> bool {
        let roster = &self.segment.control().roster;
        for _ in 0..8 {
            // ORDERING(roster): read before the end is looked at; pairs with `claim_end`.
            let before = roster.load(SeqCst);
            if !self.is_deserted(number) || !drained() {
                return false;
            }
            // ORDERING(roster): unchanged, and read after the end was seen deserted: nobody came between.
            if roster.load(SeqCst) == before && self.is_deserted(number) {
                return true;
            }
        }
        false
    }
}

//! Blocks of members that died.
//!
//! Each step is one pass over the lines, however many slots the dead had: which slot a line is bound to says the line.

use super::{Block, Slab, slot_of};
use crate::error::MemberId;
use crate::primitive::Message;
use crate::primitive::Ordering::{AcqRel, Acquire, Relaxed};
use crate::ring::block::{BlockState, BlockWord, Place};
use crate::ring::mpmc::Ring;
use crate::ring::word::State;

impl Slab<'_> {
    /// Each line's number and word.
    fn all(&self) -> impl Iterator<Item = (u32, BlockWord)> {
        (0..).zip(self.lines).map(|(number, line)| {
            #[cfg(test)]
            super::tests::count_a_look();
            // ORDERING(bound): pairs with the Release in `bind`: the slot was stamped before.
            (number, BlockWord(line.word.load(Acquire)))
        })
    }

    /// Makes messages of what `dead` had bound to slots of `rings` and not committed. Before any slot that it was filling is
    /// aborted.
    pub(in crate::ring) fn commit_for<M: Message + ?Sized>(
        &self,
        rings: &[Ring<'_, M>],
        dead: MemberId,
    ) {
        // A slot that it was filling was bound by itself.
        let its = self.all().filter(|(_, word)| word.member() == dead.0);
        for place in its.filter_map(|(_, word)| word.place()) {
            let Some((word, slot)) = slot_of(rings, place) else { continue };
            if slot.state() == Some(State::Writing) && slot.member() == dead.0 {
                // ORDERING(filled): descriptor and message are written. ORDERING(stamp): fails only if another reaper was first.
                let _ = word.compare_exchange(slot.0, slot.filled().0, AcqRel, Relaxed);
            }
        }
    }

    /// Frees for `member` what `dead` owned, and what is bound to messages that are gone. After all slots of `rings`, which are
    /// all that there are.
    pub(in crate::ring) fn reap<M: Message + ?Sized>(
        &self,
        rings: &[Ring<'_, M>],
        dead: MemberId,
        member: MemberId,
    ) {
        for (number, word) in self.all() {
            let gone = match (word.state(), word.place()) {
                (Some(BlockState::Owned), _) => word.member() == dead.0,
                (_, Some(place)) => !has_message(rings, place),
                _ => false,
            };
            if !gone {
                continue;
            }
            // Either fails if its holder, or another reaper, was first.
            let block = Block { number };
            if word.place().is_some() || !self.is_sparse(&block) {
                self.swap(number, word, BlockWord::FREE);
            } else if self.swap(number, word, BlockWord::owned(member.0)) {
                // Who died on the way to memory, or from it, has noted less than there is.
                self.punch(&block);
                self.free(block, member);
            }
        }
    }
}

/// Whether there is, or may be, a message at `place`.
fn has_message<M: Message + ?Sized>(rings: &[Ring<'_, M>], place: Place) -> bool {
    slot_of(rings, place).is_some_and(|(_, slot)| {
        matches!(
            slot.state(),
            Some(State::Writing | State::Filled | State::Reading | State::Redeliver)
        )
    })
}

//! Looking whether a consumer would find something, without claiming it.
//!
//! What a look says holds for the moment of it: another may claim the message before the one who looked does.

use super::super::Corruption;
use super::super::word::{CursorWord, SlotWord, State};
use super::Ring;
use crate::error::MemberId;
use crate::primitive::Message;
use crate::primitive::Ordering::{Acquire, SeqCst};

/// What a consumer would find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glimpse {
    /// A message, the end of the ring, or something that cannot be: anything but that there is nothing.
    Something,
    /// That the next message is claimed by this member and not committed.
    Busy(MemberId),
    /// Nothing.
    Nothing,
}

/// So many times a look begins anew because the head moved; then it says that there is something: the consumers who moved
/// it found something, too.
const LOOKS: u32 = 4;

impl<M: Message + ?Sized> Ring<'_, M> {
    /// Looks at the next message. The steps are those of [`take`](Self::take), as far as they only read.
    pub fn glimpse(&self) -> Glimpse {
        if self.has_again() {
            return Glimpse::Something;
        }
        for _ in 0..LOOKS {
            // ORDERING(head): as in `claim_filled`.
            let seen = CursorWord(self.header.head.head.load(Acquire));
            let position = seen.position();
            // ORDERING(filled): pairs with the Release in `fill`.
            let word = SlotWord(self.word(position).load(Acquire));
            if word == self.geometry.filled(position) || word == self.geometry.aborted(position) {
                return Glimpse::Something;
            }
            // ORDERING(head): as above; after the slot's word, which therefore counts only if this is the same.
            if CursorWord(self.header.head.head.load(Acquire)) == seen {
                return self.glimpse_at(position, word).unwrap_or(Glimpse::Something);
            }
        }
        Glimpse::Something
    }

    /// What `word`, that of the slot at the head, means; an error is something to find, too.
    fn glimpse_at(&self, position: u64, word: SlotWord) -> Result<Glimpse, Corruption> {
        let state = word.state().ok_or(Corruption::Slot)?;
        let member = self.member(word.member())?;
        if state == State::Writing && self.geometry.is_current(word, position) {
            return Ok(Glimpse::Busy(member));
        }
        if !self.is_nothing(word, state, position) {
            return Err(Corruption::Slot);
        }
        // ORDERING(closed): pairs with the Release in `close`.
        if self.header.gate.closed.load(Acquire) == 0 {
            return Ok(Glimpse::Nothing);
        }
        // ORDERING(claims): in one order with claims and the enrolment of who looks.
        let tail = CursorWord(self.header.tail.tail.load(SeqCst));
        if tail.position() == position {
            return Ok(Glimpse::Something);
        }
        Ok(Glimpse::Busy(self.member(tail.member())?))
    }
}

//! What each access may do to a slot, and what the checker knows about it.
//!
//! Beside each word stands who claimed which position, and what became of it. A change of a slot's
//! word that is not an edge of the state machine, or not this actor's to make, is a broken rule
//! (invariant I2); so is a claim of a slot that somebody still has, a torn or foreign message, and
//! a second delivery that does not say so.

use super::config::Policy;
use super::memory::{Actor, Memory};
use super::reaper::Reap;
use super::state::{Fate, Life, MAX_CLAIMS};
use crate::word::{POSITION_MASK, SlotWord, State as Slot, after};

impl Memory<'_> {
    /// A claim at the tail succeeded.
    pub fn begin_writing(&mut self, position: u64, thread: usize) {
        let offset = self.offset(position);
        let vacant =
            self.state.shared.slot(self.ring.index(position)) == self.ring.vacant(position);
        self.rule(vacant, "a position was claimed at the tail whose slot is not vacant");
        let before = offset.checked_sub(self.config.slots).map(|lap| self.state.ghost.fates[lap]);
        self.rule(before.is_none_or(Fate::is_final), "a slot was claimed that is still in use");
        self.state.ghost.fates[offset] = Fate::Writing(small(thread));
    }

    /// A claim at the head succeeded.
    pub fn begin_reading(&mut self, position: u64, thread: usize) {
        let offset = self.offset(position);
        let fate = &mut self.state.ghost.fates[offset];
        match *fate {
            Fate::Filled => *fate = Fate::Taken(small(thread)),
            Fate::Aborted => *fate = Fate::Skipped(small(thread)),
            _ => return self.fail("a position was claimed at the head that was not committed"),
        }
        let last = self.handle(thread).last;
        let in_order = last > POSITION_MASK || self.offset(last) < offset;
        self.rule(in_order, "a consumer was given messages out of the order of claims");
        self.rule(!self.state.ghost.drained, "a message was given out after `drained`");
    }

    /// Send 6: writes one half of the message at `position`.
    pub fn write(&mut self, position: u64, half: usize, thread: usize) {
        let offset = self.offset(position);
        let mine = self.state.ghost.fates[offset] == Fate::Writing(small(thread));
        self.rule(mine, "a message was written to a slot in other hands");
        self.state.shared.payload[self.ring.index(position)][half] = message(offset);
    }

    /// Receive 7: reads one half of the message at `position`.
    pub fn read(&mut self, position: u64, half: usize, thread: usize) -> u8 {
        let mine = self.state.ghost.fates[self.offset(position)] == Fate::Taken(small(thread));
        self.rule(mine, "a message was read from a slot in other hands");
        self.state.shared.payload[self.ring.index(position)][half]
    }

    /// The user is given the message at `position`, which reads `halves`.
    pub fn deliver(&mut self, position: u64, halves: [u8; 2], flagged: bool) {
        let offset = self.offset(position);
        self.rule(halves[0] == halves[1], "a message was torn");
        self.rule(halves[0] == message(offset), "a message was not the one of its position");
        let seen = self.state.ghost.seen & 1 << offset != 0;
        self.rule(!seen || flagged, "a message was delivered again, and does not say so");
        let again = self.config.policy == Policy::AtLeastOnce;
        self.rule(!seen || again, "a message was delivered twice under at-most-once");
        self.state.ghost.seen |= 1 << offset;
    }

    /// Somebody is told that the ring is drained.
    pub fn drained(&mut self) {
        let shared = &self.state.shared;
        let at_end = shared.tail().position() == shared.head().position();
        self.rule(at_end, "`drained` was said of a ring that is not");
        self.state.ghost.drained = true;
    }

    /// The word of slot `index` becomes `to`, which was `from`.
    pub fn change(&mut self, index: usize, from: SlotWord, to: SlotWord, by: Actor) {
        match self.next_fate(index, from, to, by) {
            Some((offset, fate)) => {
                self.state.ghost.fates[offset] = fate;
                if fate.is_final() {
                    // What was read stays in real memory; forgetting it keeps equal states equal.
                    self.state.shared.payload[index] = [0; 2];
                }
            }
            None => self.fail(format!(
                "slot {index} went from {} to {} by {by:?}: no edge, or not theirs (I2)",
                self.show_slot(from),
                self.show_slot(to)
            )),
        }
        self.state.shared.slots[index] = to.0;
    }

    /// The state machine of slots: whose position this is about, and what becomes of it, if `by`
    /// may do so.
    fn next_fate(
        &self,
        index: usize,
        from: SlotWord,
        to: SlotWord,
        by: Actor,
    ) -> Option<(usize, Fate)> {
        let offset = self.offset_of(index, from)?;
        let position = after(self.config.start, offset as u64);
        let fate = self.state.ghost.fates[offset];
        let next = self.ring.next_vacant(position);
        let owner = fate.holder().map_or(usize::MAX, usize::from);
        let by_owner = by == Actor::Thread(owner);
        let by_heir = fate.holder().is_some_and(|holder| self.buries(by, holder));
        let named = owner < self.config.threads.len() && to.member() == self.member(owner);
        let drops = self.config.policy == Policy::AtMostOnce;
        let fate = match (from.state()?, to.state()?, fate) {
            _ if to != next && to.lap() != from.lap() => return None,
            (Slot::Vacant, Slot::Writing, Fate::Writing(_)) if named => fate,
            // Its owner's stamp, after a helper's.
            (Slot::Writing, Slot::Writing, Fate::Writing(_))
            | (Slot::Reading, Slot::Reading, Fate::Taken(_))
                if by_owner && to == from =>
            {
                fate
            }
            (Slot::Vacant, Slot::Aborted, Fate::Writing(_)) if by_heir => Fate::Aborted,
            (Slot::Writing, Slot::Aborted, Fate::Writing(_)) if by_owner || by_heir => {
                Fate::Aborted
            }
            (Slot::Writing, Slot::Filled, Fate::Writing(_))
                if by_owner && self.state.shared.payload[index] == [message(offset); 2] =>
            {
                Fate::Filled
            }
            (Slot::Filled, Slot::Reading, Fate::Taken(_)) if named && to.tries() == 0 => fate,
            (Slot::Filled, Slot::Redeliver, Fate::Taken(_)) if by_heir && to.tries() == 0 => {
                Fate::Waiting
            }
            (Slot::Reading, Slot::Redeliver, Fate::Taken(_))
                if (by_owner || by_heir) && to == from.put_back() =>
            {
                Fate::Waiting
            }
            (Slot::Reading, Slot::Redeliver, Fate::Taken(_))
                if by_owner && to == from.put_back_unseen() =>
            {
                Fate::Waiting
            }
            (Slot::Reading, Slot::Vacant, Fate::Taken(_)) if by_owner && to == next => Fate::Done,
            (Slot::Reading, Slot::Vacant, Fate::Taken(_)) if by_heir && drops && to == next => {
                Fate::Dropped
            }
            (Slot::Redeliver, Slot::Reading, Fate::Waiting) => self.taken_again(from, to, by)?,
            (Slot::Aborted, Slot::Vacant, Fate::Skipped(_)) if to == next => Fate::GivenBack,
            _ => return None,
        };
        Some((offset, fate))
    }

    /// Taken by whom, if `by` may take it so.
    fn taken_again(&self, from: SlotWord, to: SlotWord, by: Actor) -> Option<Fate> {
        let Actor::Thread(taker) = by else { return None };
        (to == from.claimed_again(self.member(taker))).then(|| Fate::Taken(small(taker)))
    }

    /// The claim that `word` in slot `index` is about.
    fn offset_of(&self, index: usize, word: SlotWord) -> Option<usize> {
        (0..MAX_CLAIMS).find(|&offset| {
            let position = after(self.config.start, offset as u64);
            self.ring.index(position) == index && self.ring.is_current(word, position)
        })
    }

    /// Whether `by` is a reaper of the dead member that `holder` was a thread of.
    fn buries(&self, by: Actor, holder: u8) -> bool {
        let member = self.member(usize::from(holder));
        let is_dead = self.state.ghost.members[usize::from(member)] != Life::Alive;
        match by {
            Actor::Reaper(reaper) => match self.state.reapers[reaper] {
                Reap::Idle => false,
                Reap::Work { member: buried, .. } => buried == member && is_dead,
            },
            Actor::Thread(_) => false,
        }
    }

    /// `word` for people.
    pub fn show_slot(&self, word: SlotWord) -> String {
        super::show::slot(self.config, word)
    }
}

/// What is written for the claim at `offset`; never zero.
fn message(offset: usize) -> u8 {
    small(offset) + 1
}

/// Numbers of threads and claims are small.
pub fn small(number: usize) -> u8 {
    u8::try_from(number).expect("a small number")
}

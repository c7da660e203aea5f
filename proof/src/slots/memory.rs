//! One shared access after another, and what each may do to a slot.
//!
//! Threads and reapers touch shared memory only through [`World`]. It keeps, beside each word, what the
//! checker knows: who claimed which position, and what became of it. A change of a slot's word that is not
//! an edge of the state machine, or not this actor's to make, is a broken rule (invariant I2); so is a claim
//! of a slot that somebody still has, a torn or foreign message, and a second delivery that does not say so.

use super::config::{Config, Policy};
use super::reaper::Reap;
use super::script::{Access, Kind, Word};
use super::state::{Fate, Handle, Life, MAX_CLAIMS, State};
use crate::word::{CursorWord, Geometry, RedeliverWord, SlotWord, State as Slot, after, before};

/// Who makes an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A thread of the configuration.
    Thread(usize),
    /// One of the reapers.
    Reaper(usize),
}

/// A state while a step is made in it.
#[derive(Debug)]
pub struct World<'c> {
    /// What is modelled.
    pub config: &'c Config,
    /// How positions map to slots.
    pub ring: Geometry,
    /// The state.
    pub state: State,
    /// The first rule that the step broke.
    pub broken: Option<String>,
    /// Shared accesses, where somebody wants them.
    pub log: Option<Vec<Access>>,
}

impl<'c> World<'c> {
    /// `state` of `config`, about to make a step.
    pub fn new(config: &'c Config, state: State) -> Self {
        let ring = Geometry::new(config.slots as u64);
        Self { config, ring, state, broken: None, log: None }
    }

    /// The rule that `what` states is broken.
    pub fn fail(&mut self, what: impl Into<String>) {
        self.broken.get_or_insert(what.into());
    }

    /// Breaks the rule `what` unless it `holds`.
    pub fn rule(&mut self, holds: bool, what: &str) {
        if !holds {
            self.fail(what);
        }
    }

    fn note(&mut self, word: Word, kind: Kind, value: u64) {
        if let Some(log) = &mut self.log {
            log.push(Access { word, kind, value });
        }
    }

    /// How many claims came before that of `position`.
    pub fn offset(&self, position: u64) -> usize {
        usize::try_from(before(position, self.config.start)).expect("a distance fits")
    }

    /// The member that `thread` belongs to.
    pub fn member(&self, thread: usize) -> u16 {
        self.config.threads[thread].member
    }

    /// What the handle of `thread` remembers.
    pub fn handle(&mut self, thread: usize) -> &mut Handle {
        &mut self.state.handles[self.config.threads[thread].handle]
    }

    /// Loads `tail`.
    pub fn load_tail(&mut self) -> CursorWord {
        let word = self.state.shared.tail();
        self.note(Word::Tail, Kind::Load, word.0);
        word
    }

    /// Loads `head`.
    pub fn load_head(&mut self) -> CursorWord {
        let word = self.state.shared.head();
        self.note(Word::Head, Kind::Load, word.0);
        word
    }

    /// Loads the redelivery word.
    pub fn load_redeliver(&mut self) -> RedeliverWord {
        let word = self.state.shared.redeliver();
        self.note(Word::Redeliver, Kind::Load, word.0);
        word
    }

    /// Loads the closed flag.
    pub fn load_closed(&mut self) -> bool {
        let closed = self.state.shared.closed;
        self.note(Word::Closed, Kind::Load, u64::from(closed));
        closed
    }

    /// Raises the closed flag.
    pub fn raise_closed(&mut self) {
        self.state.shared.closed = true;
        self.note(Word::Closed, Kind::Store, 1);
    }

    /// Closes `tail`; returns its word from before.
    pub fn close_tail(&mut self) -> CursorWord {
        let word = self.state.shared.tail();
        self.state.shared.tail |= CursorWord::CLOSED;
        self.note(Word::Tail, Kind::Rmw, self.state.shared.tail);
        word
    }

    /// Compare-and-swaps the redelivery word.
    pub fn swap_redeliver(&mut self, from: RedeliverWord, to: RedeliverWord) -> bool {
        let won = self.state.shared.redeliver() == from;
        if won {
            self.state.shared.redeliver = to.0;
        }
        self.note(Word::Redeliver, Kind::Rmw, self.state.shared.redeliver);
        won
    }

    /// Loads the word of slot `index`.
    pub fn load_index(&mut self, index: usize) -> SlotWord {
        let word = self.state.shared.slot(index);
        self.note(Word::Slot(index), Kind::Load, word.0);
        word
    }

    /// Loads the word of the slot of `position`.
    pub fn load_slot(&mut self, position: u64) -> SlotWord {
        self.load_index(self.ring.index(position))
    }

    /// Compare-and-swaps the word of slot `index`.
    pub fn swap_index(&mut self, index: usize, from: SlotWord, to: SlotWord, by: Actor) -> bool {
        let won = self.state.shared.slot(index) == from;
        if won {
            self.change(index, from, to, by);
        }
        self.note(Word::Slot(index), Kind::Rmw, self.state.shared.slots[index]);
        won
    }

    /// Compare-and-swaps the word of the slot of `position`.
    pub fn swap_slot(&mut self, position: u64, from: SlotWord, to: SlotWord, by: Actor) -> bool {
        self.swap_index(self.ring.index(position), from, to, by)
    }

    /// Stores the word of the slot of `position`.
    pub fn store_slot(&mut self, position: u64, to: SlotWord, by: Actor) {
        let index = self.ring.index(position);
        self.change(index, self.state.shared.slot(index), to, by);
        self.note(Word::Slot(index), Kind::Store, to.0);
    }

    /// Send 4: compare-and-swaps `tail` for `thread`, `count` positions on.
    pub fn claim_tail(&mut self, from: CursorWord, count: u8, thread: usize) -> bool {
        let won = self.state.shared.tail() == from;
        if won {
            let to = after(from.position(), u64::from(count));
            self.state.shared.tail = CursorWord::new(to, self.member(thread)).0;
            self.state.ghost.last_claims[0] = count;
            self.rule(!from.is_closed(), "a send was accepted after the close");
            self.rule(!self.state.ghost.drained, "a send was accepted after `drained`");
            for step in 0..u64::from(count) {
                self.begin_writing(after(from.position(), step), thread);
            }
        }
        self.note(Word::Tail, Kind::Rmw, self.state.shared.tail);
        won
    }

    fn begin_writing(&mut self, position: u64, thread: usize) {
        let offset = self.offset(position);
        let vacant =
            self.state.shared.slot(self.ring.index(position)) == self.ring.vacant(position);
        self.rule(vacant, "a position was claimed at the tail whose slot is not vacant");
        let before = offset.checked_sub(self.config.slots).map(|lap| self.state.ghost.fates[lap]);
        self.rule(before.is_none_or(Fate::is_final), "a slot was claimed that is still in use");
        self.state.ghost.fates[offset] = Fate::Writing(small(thread));
    }

    /// Receive 5: compare-and-swaps `head` for `thread`, `count` positions on.
    pub fn claim_head(&mut self, from: CursorWord, count: u8, thread: usize) -> bool {
        let won = self.state.shared.head() == from;
        if won {
            let to = after(from.position(), u64::from(count));
            self.state.shared.head = CursorWord::new(to, self.member(thread)).0;
            self.state.ghost.last_claims[1] = count;
            for step in 0..u64::from(count) {
                self.begin_reading(after(from.position(), step), thread);
            }
        }
        self.note(Word::Head, Kind::Rmw, self.state.shared.head);
        won
    }

    fn begin_reading(&mut self, position: u64, thread: usize) {
        let offset = self.offset(position);
        let fate = &mut self.state.ghost.fates[offset];
        match *fate {
            Fate::Filled => *fate = Fate::Taken(small(thread)),
            Fate::Aborted => *fate = Fate::Skipped(small(thread)),
            _ => return self.fail("a position was claimed at the head that was not committed"),
        }
        let last = self.handle(thread).last;
        let in_order = last > crate::word::POSITION_MASK || self.offset(last) < offset;
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
    fn change(&mut self, index: usize, from: SlotWord, to: SlotWord, by: Actor) {
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

    /// The state machine of slots: whose position this is about, and what becomes of it, if `by` may do so.
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
            (Slot::Writing, Slot::Writing, Fate::Writing(_)) if by_owner && to == from => fate,
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
            (Slot::Reading, Slot::Reading, Fate::Taken(_)) if by_owner && to == from => fate,
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
            (Slot::Redeliver, Slot::Reading, Fate::Waiting) => match by {
                Actor::Thread(taker) if to == from.claimed_again(self.member(taker)) => {
                    Fate::Taken(small(taker))
                }
                _ => return None,
            },
            (Slot::Aborted, Slot::Vacant, Fate::Skipped(_)) if to == next => Fate::GivenBack,
            _ => return None,
        };
        Some((offset, fate))
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

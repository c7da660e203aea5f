//! One shared access after another: threads and reapers touch shared memory only through
//! [`Memory`].
//!
//! What each may do to a slot is in `edges`.

use super::config::Config;
use super::script::{Access, Kind, Word};
use super::state::{Handle, State, Sweep};
use crate::word::{CursorWord, Geometry, RedeliverWord, SlotWord, after, before};

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
pub struct Memory<'c> {
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

impl<'c> Memory<'c> {
    /// `state` of `config`, about to make a step.
    pub fn new(config: &'c Config, state: &State) -> Self {
        let ring = Geometry::new(config.slots as u64);
        Self { config, ring, state: *state, broken: None, log: None }
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

    /// What the member of `thread` knows of messages to take again.
    pub fn sweep(&mut self, thread: usize) -> &mut Sweep {
        &mut self.state.sweeps[usize::from(self.member(thread))]
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
}

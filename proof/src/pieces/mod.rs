//! Records of a pipe in pieces, as a machine of states: who has said what of which record, through any number of deaths on
//! either side.
//!
//! What is modelled: the ring's cursors, what lies between, the words `outgoing` (`ring/cursor.rs` is the library's own file) and
//! `unwanted`; sending in pieces and whole, giving up on either side, and what heirs do; one store that others see a step, in every
//! interleaving. Either side dies at any step, and another takes its end.
//!
//! What is not: lengths, padding, limits: a piece takes a slot; closing, waiting, memory weaker than sequential consistency (loom's
//! part).
//!
//! Checked: what is received is whole, in order, and was accepted; what was accepted is received, or one of those who had its
//! beginning did not want the rest, or died, and then its heir is told; nothing is said to be cut short that was accepted, nor lost
//! whose beginning nobody took; no mark lacks room; and from every state there is a way to one in which all is said and the
//! ring is empty.

mod config;
mod memory;
mod receiving;
mod sending;
mod state;

pub use config::{Config, Mutant};

use std::fmt::Write;

use crate::frame::{Cast, Life, Play};
use memory::Memory;
use receiving::{Incoming, Receive};
use sending::Send;
use state::{
    At, CONSUMER, Fate, Got, Item, Kind, MAX_RECORDS, MAX_SLOTS, PRODUCER, Shared, State, Thread,
};

/// A configuration being searched.
pub type Pieces = Play<Config>;

impl Cast for Config {
    type Shared = Shared;
    type At = At;

    const REST: At = At::Rest;

    fn initial(&self) -> State {
        let fits = usize::from(self.slots) <= MAX_SLOTS && self.records.len() <= MAX_RECORDS;
        assert!(fits, "{}", self.title.name);
        let shared = Shared {
            tail: 0,
            head: 0,
            outgoing: 0,
            unwanted: 0,
            slots: [Item { kind: Kind::Cut, record: 0, piece: 0 }; MAX_SLOTS],
            fates: [Fate { sent: false, got: Got::Nothing }; MAX_RECORDS],
        };
        State::new(self, shared, self.crashes, [self.next(0), self.unwanted].into_iter())
    }

    /// The two sides.
    fn threads(&self) -> usize {
        2
    }

    fn begin(&self, me: usize, left: u8) -> At {
        match me {
            PRODUCER if left == 0 => At::Rest,
            PRODUCER => At::Send(Send::Room(None, self.next(left), 0)),
            _ => At::Receive(Receive::NEW),
        }
    }

    fn choices(memory: &Memory) -> u8 {
        match memory.at() {
            At::Rest => 0,
            At::Send(send) => send.choices(memory),
            At::Receive(receive) => receive.choices(memory),
        }
    }

    fn step(memory: &mut Memory, choice: u8) {
        match memory.at() {
            At::Rest => {}
            At::Send(send) => send.step(memory, choice),
            At::Receive(receive) => receive.step(memory, choice),
        }
    }

    fn is_mortal(&self, _: usize) -> bool {
        true
    }

    fn dies(memory: &mut Memory) {
        let me = memory.me;
        let fates = memory.state.shared.fates.iter_mut();
        for fate in fates.filter(|fate| me == CONSUMER && fate.got == Got::Part) {
            fate.got = Got::Lost;
        }
        // Of what it was at it does nothing more, and nor does its heir.
        let Thread { at, left, .. } = memory.state.threads[me];
        let begun = matches!(at, At::Send(at) if at.record() == Some(memory.config.next(left)));
        memory.state.threads[me].left -= u8::from(begun);
    }

    fn may_return(&self, _: &State, _: usize) -> bool {
        true
    }

    fn returns(memory: &mut Memory) {
        memory.go(if memory.me == PRODUCER {
            At::Send(Send::Resume)
        } else {
            At::Receive(Receive::NEW)
        });
    }

    fn is_end(&self, state: &State) -> bool {
        let State { shared, threads, .. } = state;
        let said =
            |fate: &Fate| !fate.sent || matches!(fate.got, Got::Whole | Got::GivenUp | Got::Told);
        let idle = [Incoming::Boundary, Incoming::Beyond].map(|at| At::Receive(Receive::Look(at)));
        threads.iter().all(|thread| thread.life == Life::Alive)
            && threads[PRODUCER].at == At::Rest
            && idle.contains(&threads[CONSUMER].at)
            && shared.head == shared.tail
            && shared.fates.iter().all(said)
    }

    fn changes(before: &Shared, after: &Shared) -> String {
        let mut text = String::new();
        if before != after {
            let (said, unwanted) = (after.outgoing(), after.unwanted);
            let (head, tail) = (after.head, after.tail);
            let _ = write!(text, "\n        {head} to {tail}, {said:?}, unwanted {unwanted}");
            let _ = write!(text, "\n        {:?}", after.fates);
        }
        text
    }
}

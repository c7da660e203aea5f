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

pub use config::{CAUGHT_BY, Config, Mutant, all};

use std::fmt::Write;

use crate::explore::{Model, Move};
use crate::frame::{Key, Life, MAX_THREADS, Memory, Parts, Step, push};
use receiving::{Incoming, Receive};
use sending::Send;
use state::{At, CONSUMER, Got, PRODUCER, Shared, State, Thread};

/// A configuration being searched.
#[derive(Debug)]
pub struct Pieces {
    config: Config,
    parts: Parts<Shared, Thread>,
}

impl Pieces {
    /// The model of `config`.
    pub fn new(config: Config) -> Self {
        Self { config, parts: Parts::default() }
    }

    fn side_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        let at = state.threads[me].at;
        let memory = Memory::new(&self.config, state, me);
        let choices = match at {
            At::Rest => 0,
            At::Send(send) => send.choices(&memory),
            At::Receive(receive) => receive.choices(&memory),
        };
        for choice in 0..choices {
            push(&self.config, state, Step::Thread { me, choice }, moves, |memory| match at {
                At::Rest => {}
                At::Send(send) => send.step(memory, choice),
                At::Receive(receive) => receive.step(memory, choice),
            });
        }
    }

    fn crash_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        if state.shared.crashes == 0 {
            return;
        }
        push(&self.config, state, Step::Crash { me }, moves, |memory| {
            let shared = &mut memory.state.shared;
            shared.crashes -= 1;
            for fate in
                shared.fates.iter_mut().filter(|fate| me == CONSUMER && fate.got == Got::Part)
            {
                fate.got = Got::Lost;
            }
            // Of what it was at it does nothing more, and nor does its heir.
            let Thread { at, left, .. } = memory.state.threads[me];
            let begun = matches!(at, At::Send(at) if at.record() == Some(self.config.next(left)));
            memory.state.threads[me].left -= u8::from(begun);
            memory.die(At::Rest);
        });
    }

    fn heir_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        push(&self.config, state, Step::Respawn { me }, moves, |memory| {
            memory.state.threads[me].life = Life::Alive;
            memory.go(if me == PRODUCER {
                At::Send(Send::Resume)
            } else {
                At::Receive(Receive::NEW)
            });
        });
    }
}

impl Model for Pieces {
    type State = State;
    type Key = Key<MAX_THREADS>;
    type Step = Step;

    fn initial(&self) -> State {
        self.config.initial()
    }

    fn moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        for me in [PRODUCER, CONSUMER] {
            if state.threads[me].life == Life::Alive {
                self.side_moves(state, me, moves);
                self.crash_moves(state, me, moves);
            } else {
                self.heir_moves(state, me, moves);
            }
        }
    }

    fn check(&self, _: &State) -> Result<(), String> {
        Ok(())
    }

    fn is_end(&self, state: &State) -> bool {
        let State { shared, threads } = state;
        let said = |fate: &state::Fate| {
            !fate.sent || matches!(fate.got, Got::Whole | Got::GivenUp | Got::Told)
        };
        let idle = [Incoming::Boundary, Incoming::Beyond].map(|at| At::Receive(Receive::Look(at)));
        threads.iter().all(|thread| thread.life == Life::Alive)
            && threads[PRODUCER].at == At::Rest
            && idle.contains(&threads[CONSUMER].at)
            && shared.head == shared.tail
            && shared.fates.iter().all(said)
    }

    fn pack(&mut self, state: &State) -> Self::Key {
        self.parts.pack(&state.shared, &state.threads)
    }

    fn unpack(&self, key: &Self::Key) -> State {
        let (shared, threads) = self.parts.unpack(key);
        State { shared, threads }
    }

    fn explain(&self, before: &State, step: Step, after: &State) -> String {
        let mut text = step.told(before);
        let [before, after] = [before, after].map(|state| &state.shared);
        if before != after {
            let (said, unwanted) = (after.outgoing(), after.unwanted);
            let (head, tail) = (after.head, after.tail);
            let _ = write!(text, "\n        {head} to {tail}, {said:?}, unwanted {unwanted}");
            let _ = write!(text, "\n        {:?}", after.fates);
        }
        text
    }
}

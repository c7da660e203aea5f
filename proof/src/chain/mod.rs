//! Queues that grow, as a machine of states: which segments are in the chain, through any number of changes and deaths.
//!
//! What is modelled: the chain's word bit for bit (`chain/word.rs` is the library's own file), `leaving`, the files, the lock
//! that goes with its holder's life; appending, settling, passing, coming home, closing, and what senders and receivers do about
//! them, one shared access a step, in every interleaving. Every thread is a member; members, reapers too, die at any step. Who has a
//! segment mapped may go on in it after its file has gone.
//!
//! What is not: what happens within a ring. A claim and its stamp, a look for a message, and the reap of one segment are one
//! step each (`crate::slots` has those); so is the look whether a segment is idle, which is a hint but for who has the lock and
//! finds it shut: then what it saw stays so. Waiting; limits but for a number of segments; memory weaker than sequential
//! consistency (loom's part).
//!
//! Checked: messages are accepted in the order of segments, in segments that are in the chain, and received once each in the order
//! in which they were accepted, but for those that come again; nothing is passed that has a message or may get one; each
//! segment of the chain has its file; the end is told when there is nothing more, and then nothing more comes; and from every state
//! there is a way to one in which each message was received, the anchor is alone, open and empty, and no file is left.

mod changing;
mod closing;
mod config;
mod configurations;
mod growing;
mod memory;
mod reaping;
mod receiving;
mod sending;
mod state;

pub use config::{Config, Mutant};
pub use configurations::{CAUGHT_BY, all};

use std::fmt::Write;

use crate::explore::{Model, Move};
use crate::frame::{Key, Life, MAX_THREADS, Parts, Step, push};
use config::Role;
use memory::Memory;
use state::{At, Shared, State, Thread};

/// A configuration being searched.
#[derive(Debug)]
pub struct Chain {
    config: Config,
    parts: Parts<Shared, Thread>,
}

impl Chain {
    /// The model of `config`.
    pub fn new(config: Config) -> Self {
        Self { config, parts: Parts::default() }
    }

    fn thread_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        let at = state.threads[me].at;
        let memory = Memory::new(&self.config, state, me);
        let choices = match at {
            At::Rest => 0,
            At::Send(send) => send.choices(&memory),
            At::Receive(receive) => receive.choices(&memory),
            At::Close(_) | At::Reap(..) | At::Change(_) => 1,
        };
        for choice in 0..choices {
            push(&self.config, state, Step::Thread { me, choice }, moves, |memory| match at {
                At::Rest => {}
                At::Send(send) => send.step(memory, choice),
                At::Receive(receive) => receive.step(memory, choice),
                At::Close(close) => close.step(memory),
                At::Reap(dead, reap) => reap.step(memory, dead),
                At::Change(change) => change.step(memory),
            });
        }
    }

    fn reaper_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        if self.config.threads[me] != Role::Reaper || state.threads[me].at != At::Rest {
            return;
        }
        for dead in state.dead() {
            push(&self.config, state, Step::Begin { me, dead }, moves, |memory| {
                memory.go(At::Reap(dead, reaping::Reap::Look));
            });
        }
    }

    fn crash_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        if me >= self.config.mortals || state.shared.crashes == 0 {
            return;
        }
        push(&self.config, state, Step::Crash { me }, moves, |memory| {
            let shared = &mut memory.state.shared;
            shared.crashes -= 1;
            let held = shared.lock.is_some_and(|holder| usize::from(holder) == me);
            if held && !memory.config.is(Mutant::LockStays) {
                shared.lock = None;
            }
            memory.die(At::Rest);
        });
    }

    /// Whether the anchor is alone, open and empty, and nothing is left of others.
    fn is_home(&self, shared: &Shared) -> bool {
        let (seen, anchor) = (shared.seen(), &shared.rings[0]);
        seen.ahead() == 0
            && seen.is_anchor(seen.last())
            && !anchor.shut
            && anchor.is_idle(self.config.slots)
            && (shared.files, shared.leaving) == (0, 0)
    }
}

impl Model for Chain {
    type State = State;
    type Key = Key<MAX_THREADS>;
    type Step = Step;

    fn initial(&self) -> State {
        self.config.initial()
    }

    fn moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        for me in 0..self.config.threads.len() {
            if state.threads[me].life == Life::Alive {
                self.thread_moves(state, me, moves);
                self.reaper_moves(state, me, moves);
                self.crash_moves(state, me, moves);
            }
        }
    }

    fn check(&self, state: &State) -> Result<(), String> {
        let seen = state.shared.seen();
        if !seen.is_possible() {
            return Err("the chain's word is one that cannot be".into());
        }
        let annexes = (seen.first()..=seen.last()).filter(|number| !seen.is_anchor(*number));
        match annexes.into_iter().find(|number| state.shared.files >> number & 1 == 0) {
            Some(number) => Err(format!("segment {number} of the chain has no file")),
            None => Ok(()),
        }
    }

    fn is_end(&self, state: &State) -> bool {
        let State { shared, threads } = state;
        let idle = |(thread, role): (&Thread, &Role)| {
            thread.life != Life::Dead
                && (thread.at == At::Rest || receiving::is_idle(*role, thread.at))
        };
        let over = if self.config.closes() && shared.seen().is_closed() {
            shared.ghost.drained
        } else {
            self.is_home(shared)
        };
        over && shared.ghost.open == 0
            && shared.lock.is_none()
            && threads.iter().zip(&self.config.threads).all(idle)
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
        if before.word != after.word {
            let seen = after.seen();
            let (first, last, anchor) = (seen.first(), seen.last(), seen.anchor());
            let flags = (seen.is_unsettled(), seen.is_closed());
            let _ =
                write!(text, "\n        chain: {first} to {last}, anchor {anchor:?}, {flags:?}");
        }
        if (before.files, before.leaving) != (after.files, after.leaving) {
            let (files, leaving) = (after.files, after.leaving);
            let _ = write!(text, "\n        files: {files:b}, leaving {leaving}");
        }
        for (number, (old, new)) in before.rings.iter().zip(&after.rings).enumerate() {
            if old != new {
                let _ = write!(text, "\n        ring {number}: {new:?}");
            }
        }
        text
    }
}

//! Blocks for messages that are longer than a slot, as a machine of states: who has each, through any number of deaths.
//!
//! What is modelled: the words of slots and blocks bit for bit (`word.rs` and `block.rs` are the library's own files); taking a
//! block, having memory for it, filling it, binding it, the way of its message through a queue and to the dead letters, giving it
//! back, all of the reap, one shared access a step, in every interleaving. Every thread is a member; members, reapers too, die at
//! any step, and their numbers are used again.
//!
//! What is not: claims before their stamp and what tells receivers of what was put back (`crate::slots` has those: here a claim
//! and its stamp are one step, and a message that was put back is simply found), waiting, memory weaker than sequential consistency
//! (loom's part).
//!
//! Checked: (B1) each message that was sent and not acknowledged has one block, bound to where it is, with its bytes, and a slot
//! that says so; (B2) a block is written by who owns it, while it has memory, and read by who has the slot that it is bound to;
//! (B3) once a member is reaped nothing is in its name; a free block has no memory that its line does not tell; and from every state
//! there is a way to one in which each message that was sent has been received and every slot and block is free.

mod config;
mod configurations;
mod memory;
mod reaping;
mod receiving;
mod sending;
mod state;

pub use config::{Config, Mutant};
pub use configurations::{CAUGHT_BY, all};

use std::fmt::Write;

use crate::block::{BlockWord, Place};
use crate::explore::{Model, Move};
use crate::frame::{Key, Life, MAX_THREADS, Parts, Step, push};
use crate::word::{SlotWord, State as Slot};
use config::Role;
use memory::Memory;
use state::{At, Fate, Shared, State, Thread};

/// A configuration being searched.
#[derive(Debug)]
pub struct Blocks {
    config: Config,
    parts: Parts<Shared, Thread>,
}

impl Blocks {
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
            At::Reap(..) => 1,
        };
        for choice in 0..choices {
            push(&self.config, state, Step::Thread { me, choice }, moves, |memory| match at {
                At::Rest => {}
                At::Send(send) => send.step(memory, choice),
                At::Receive(receive) => receive.step(memory, choice),
                At::Reap(dead, reap) => reap.step(memory, dead),
            });
        }
    }

    fn reaper_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        if self.config.threads[me] != Role::Reaper || state.threads[me].at != At::Rest {
            return;
        }
        for dead in state.dead() {
            push(&self.config, state, Step::Begin { me, dead }, moves, |memory| {
                memory.go(At::Reap(dead, memory.config.first_of_reap()));
            });
        }
    }

    fn fate_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        let thread = &state.threads[me];
        if thread.life == Life::Alive && me < self.config.mortals && state.shared.crashes > 0 {
            push(&self.config, state, Step::Crash { me }, moves, |memory| {
                memory.state.shared.crashes -= 1;
                memory.die(At::Rest);
            });
        }
        let sends = matches!(self.config.threads[me], Role::Sender { .. });
        let again = self.config.respawn && sends && thread.left > 0;
        if again && thread.life == Life::Reaped && !self.is_being_reaped(state, me) {
            push(&self.config, state, Step::Respawn { me }, moves, |memory| {
                memory.state.threads[me].life = Life::Alive;
                // Whether it sent what it was at it does not know: this is another message.
                memory.state.threads[me].left -= 1;
                memory.begin();
            });
        }
    }

    fn is_being_reaped(&self, state: &State, me: usize) -> bool {
        let by =
            |thread: &Thread| matches!(thread.at, At::Reap(dead, _) if usize::from(dead) == me);
        !self.config.is(Mutant::NumberUnderReaper) && state.threads.iter().any(by)
    }

    /// Invariant B1, for one message.
    fn check_message(&self, state: &State, number: usize) -> Result<(), String> {
        let Fate::At(ring, position) = state.shared.fates[number] else { return Ok(()) };
        let memory = Memory::new(&self.config, state, 0);
        let place = Place::new(ring == 1, position.into());
        let blocks = &state.shared.blocks[..self.config.blocks];
        let its: Vec<_> =
            blocks.iter().filter(|block| block.word().place() == Some(place)).collect();
        let whole =
            |block: &state::Block| block.halves.iter().all(|half| usize::from(*half) == number);
        let [block] = its[..] else {
            return Err(format!("message {number} has {} blocks (B1)", its.len()));
        };
        let slot = memory.slot_at(place).and_then(SlotWord::state);
        let there =
            matches!(slot, Some(Slot::Writing | Slot::Filled | Slot::Reading | Slot::Redeliver));
        let index = memory.index(position);
        let told = state.shared.rings[usize::from(ring)].numbers[index];
        let tells = blocks.get(usize::from(told)) == Some(block);
        match () {
            () if !whole(block) => Err(format!("message {number} was overwritten (B1)")),
            () if !there => Err(format!("message {number} has no slot (B1)")),
            () if !tells => Err(format!("message {number} is said to be elsewhere (B1)")),
            () => Ok(()),
        }
    }
}

impl Model for Blocks {
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
            }
            self.fate_moves(state, me, moves);
        }
    }

    fn check(&self, state: &State) -> Result<(), String> {
        if self.config.invariants {
            (0..state.shared.fates.len())
                .try_for_each(|number| self.check_message(state, number))?;
        }
        let hidden =
            |block: &&state::Block| block.word() == BlockWord::FREE && block.held && !block.noted;
        match state.shared.blocks.iter().find(hidden) {
            Some(_) => Err("a free block has memory that its line does not tell".into()),
            None => Ok(()),
        }
    }

    fn is_end(&self, state: &State) -> bool {
        let State { shared, threads } = state;
        let blocks = shared.blocks[..self.config.blocks].iter();
        let idle = |thread: &Thread| {
            matches!(thread.at, At::Rest | At::Receive(receiving::Receive::Seek))
                && thread.life != Life::Dead
        };
        let vacant = |ring: &state::Ring| {
            let slots = ring.slots[..self.config.slots].iter();
            slots.copied().all(|slot| SlotWord(slot).state() == Some(Slot::Vacant))
                && ring.head == ring.tail
        };
        threads[..self.config.threads.len()].iter().all(idle)
            && blocks.into_iter().all(|block| block.word() == BlockWord::FREE)
            && shared.rings.iter().all(vacant)
            && shared.fates.iter().all(|fate| !matches!(fate, Fate::At(..)))
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
        for (number, (old, new)) in before.blocks.iter().zip(&after.blocks).enumerate() {
            if old != new {
                let _ = write!(text, "\n        block {number}: {old:x?} -> {new:x?}");
            }
        }
        for (number, (old, new)) in before.rings.iter().zip(&after.rings).enumerate() {
            if old != new {
                let _ = write!(text, "\n        ring {number}: {old:x?} -> {new:x?}");
            }
        }
        text
    }
}

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

use std::fmt::Write;

use crate::block::{BlockWord, Place};
use crate::frame::{Cast, Life, Play};
use crate::word::{SlotWord, State as Slot};
use config::Role;
use memory::Memory;
use receiving::Receive;
use sending::Send;
use state::{At, Block, Fate, MAX_BLOCKS, MAX_MESSAGES, Ring, Shared, State, Thread};

/// A configuration being searched.
pub type Blocks = Play<Config>;

impl Config {
    fn is_being_reaped(&self, state: &State, me: usize) -> bool {
        let by =
            |thread: &Thread| matches!(thread.at, At::Reap(dead, _) if usize::from(dead) == me);
        !self.is(Mutant::NumberUnderReaper) && state.threads.iter().any(by)
    }

    /// Invariant B1, for one message.
    fn check_message(&self, state: &State, number: usize) -> Result<(), String> {
        let Fate::At(ring, position) = state.shared.fates[number] else { return Ok(()) };
        let memory = Memory::new(self, state, 0);
        let place = Place::new(ring == 1, position.into());
        let blocks = &state.shared.blocks[..self.blocks];
        let its: Vec<_> =
            blocks.iter().filter(|block| block.word().place() == Some(place)).collect();
        let whole = |block: &Block| block.halves.iter().all(|half| usize::from(*half) == number);
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

impl Cast for Config {
    type Shared = Shared;
    type At = At;

    const REST: At = At::Rest;

    fn initial(&self) -> State {
        let sent: u8 = self.threads.iter().map(|role| role.sends()).sum();
        assert!(
            usize::from(sent) <= MAX_MESSAGES && self.blocks <= MAX_BLOCKS,
            "{}",
            self.title.name
        );
        let shared = Shared {
            rings: [Ring::new(self.slots); 2],
            blocks: [Block::NEW; MAX_BLOCKS],
            fates: [Fate::Unsent; MAX_MESSAGES],
        };
        State::new(self, shared, self.crashes, self.threads.iter().map(|role| role.amount()))
    }

    fn threads(&self) -> usize {
        self.threads.len()
    }

    fn begin(&self, me: usize, left: u8) -> At {
        match self.threads[me] {
            Role::Sender { .. } | Role::Mover { .. } if left == 0 => At::Rest,
            Role::Sender { .. } => At::Send(Send::Take { at: 0 }),
            Role::Receiver { .. } | Role::Mover { .. } => At::Receive(Receive::Seek),
            Role::Reaper => At::Rest,
        }
    }

    fn choices(memory: &Memory) -> u8 {
        match memory.at() {
            At::Rest => 0,
            At::Send(send) => send.choices(memory),
            At::Receive(receive) => receive.choices(memory),
            At::Reap(..) => 1,
        }
    }

    fn step(memory: &mut Memory, choice: u8) {
        match memory.at() {
            At::Rest => {}
            At::Send(send) => send.step(memory, choice),
            At::Receive(receive) => receive.step(memory, choice),
            At::Reap(dead, reap) => reap.step(memory, dead),
        }
    }

    fn reap(&self, me: usize, dead: u8) -> Option<At> {
        (self.threads[me] == Role::Reaper).then(|| At::Reap(dead, self.first_of_reap()))
    }

    fn is_mortal(&self, me: usize) -> bool {
        me < self.mortals
    }

    fn may_return(&self, state: &State, me: usize) -> bool {
        let thread = &state.threads[me];
        let sends = matches!(self.threads[me], Role::Sender { .. });
        let again = self.respawn && sends && thread.left > 0;
        again && thread.life == Life::Reaped && !self.is_being_reaped(state, me)
    }

    fn returns(memory: &mut Memory) {
        // Whether it sent what it was at it does not know: this is another message.
        memory.count();
    }

    fn check(&self, state: &State) -> Result<(), String> {
        if self.invariants {
            (0..state.shared.fates.len())
                .try_for_each(|number| self.check_message(state, number))?;
        }
        let hidden = |block: &&Block| block.word() == BlockWord::FREE && block.held && !block.noted;
        match state.shared.blocks.iter().find(hidden) {
            Some(_) => Err("a free block has memory that its line does not tell".into()),
            None => Ok(()),
        }
    }

    fn is_end(&self, state: &State) -> bool {
        let State { shared, threads, .. } = state;
        let blocks = shared.blocks[..self.blocks].iter();
        let idle = |thread: &Thread| {
            matches!(thread.at, At::Rest | At::Receive(Receive::Seek)) && thread.life != Life::Dead
        };
        let vacant = |ring: &Ring| {
            let slots = ring.slots[..self.slots].iter();
            slots.copied().all(|slot| SlotWord(slot).state() == Some(Slot::Vacant))
                && ring.head == ring.tail
        };
        threads[..self.threads.len()].iter().all(idle)
            && blocks.into_iter().all(|block| block.word() == BlockWord::FREE)
            && shared.rings.iter().all(vacant)
            && shared.fates.iter().all(|fate| !matches!(fate, Fate::At(..)))
    }

    fn changes(before: &Shared, after: &Shared) -> String {
        let mut text = String::new();
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

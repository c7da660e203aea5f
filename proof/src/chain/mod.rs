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

use std::fmt::Write;

use crate::frame::{Cast, Life, Play};
use closing::Close;
use config::Role;
use memory::Memory;
use reaping::Reap;
use receiving::Receive;
use sending::Send;
use state::{At, Ghost, MAX_SEGMENTS, MAX_SLOTS, Ring, Shared, Slot, State, Thread};

/// A configuration being searched.
pub type Chain = Play<Config>;

impl Config {
    /// Whether the anchor is alone, open and empty, and nothing is left of others.
    fn is_home(&self, shared: &Shared) -> bool {
        let (seen, anchor) = (shared.seen(), &shared.rings[0]);
        seen.ahead() == 0
            && seen.is_anchor(seen.last())
            && !anchor.shut
            && anchor.is_idle(self.slots)
            && (shared.files, shared.leaving) == (0, 0)
    }
}

impl Cast for Config {
    type Shared = Shared;
    type At = At;

    const REST: At = At::Rest;

    /// The anchor alone, and empty.
    fn initial(&self) -> State {
        assert!(usize::from(self.annexes) < MAX_SEGMENTS, "{}", self.title.name);
        let ring = Ring { shut: false, tail: 0, head: 0, slots: [Slot::Vacant; MAX_SLOTS] };
        let shared = Shared {
            word: 0,
            leaving: 0,
            files: 0,
            lock: None,
            rings: [ring; MAX_SEGMENTS],
            ghost: Ghost { claims: 0, open: 0, next: 0, highest: 0, drained: false },
        };
        State::new(self, shared, self.crashes, self.threads.iter().map(|role| role.amount()))
    }

    fn threads(&self) -> usize {
        self.threads.len()
    }

    fn begin(&self, me: usize, left: u8) -> At {
        match self.threads[me] {
            Role::Sender { .. } | Role::Closer if left == 0 => At::Rest,
            Role::Sender { .. } => At::Send(Send::Look),
            Role::Receiver { .. } => At::Receive(Receive::Look),
            Role::Closer => At::Close(Close::Raise),
            Role::Reaper => At::Rest,
        }
    }

    fn choices(memory: &Memory) -> u8 {
        match memory.at() {
            At::Rest => 0,
            At::Send(send) => send.choices(memory),
            At::Receive(receive) => receive.choices(memory),
            At::Close(_) | At::Reap(..) | At::Change(_) => 1,
        }
    }

    fn step(memory: &mut Memory, choice: u8) {
        match memory.at() {
            At::Rest => {}
            At::Send(send) => send.step(memory, choice),
            At::Receive(receive) => receive.step(memory, choice),
            At::Close(close) => close.step(memory),
            At::Reap(dead, reap) => reap.step(memory, dead),
            At::Change(change) => change.step(memory),
        }
    }

    fn reap(&self, me: usize, dead: u8) -> Option<At> {
        (self.threads[me] == Role::Reaper).then_some(At::Reap(dead, Reap::Look))
    }

    fn is_mortal(&self, me: usize) -> bool {
        me < self.mortals
    }

    fn dies(memory: &mut Memory) {
        let me = memory.me;
        let held = memory.state.shared.lock.is_some_and(|holder| usize::from(holder) == me);
        if held && !memory.config.is(Mutant::LockStays) {
            memory.state.shared.lock = None;
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
        let State { shared, threads, .. } = state;
        let idle = |(thread, role): (&Thread, &Role)| {
            thread.life != Life::Dead
                && (thread.at == At::Rest || receiving::is_idle(*role, thread.at))
        };
        let over = if self.closes() && shared.seen().is_closed() {
            shared.ghost.drained
        } else {
            self.is_home(shared)
        };
        over && shared.ghost.open == 0
            && shared.lock.is_none()
            && threads.iter().zip(&self.threads).all(idle)
    }

    fn changes(before: &Shared, after: &Shared) -> String {
        let mut text = String::new();
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

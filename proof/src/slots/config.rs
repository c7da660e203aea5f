//! What can be modelled: which threads there are, what they do, and what may go wrong.

use super::consumer::Receive;
use super::mutants::Mutant;
use super::producer::Send;
use super::reaper::Reap;
use super::state::{
    At, Fate, Ghost, Handle, Life, MAX_CLAIMS, MAX_MEMBERS, MAX_REAPERS, MAX_SLOTS, MAX_THREADS,
    Shared, State, Sweep, Thread,
};
use crate::catalogue::Title;
use crate::word::{CursorWord, Geometry, after};

/// One model.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Config {
    /// What it is called, and what is wrong with it.
    pub title: Title<Mutant>,
    /// Slots of the ring: 1, 2 or 4.
    pub slots: usize,
    /// The position at which the ring begins.
    pub start: u64,
    /// Who sends, receives and closes.
    pub threads: Vec<ThreadSpec>,
    /// What becomes of a message whose consumer died.
    pub policy: Policy,
    /// How many members may crash, each with all its threads, at any step.
    pub crashes: u8,
    /// Members from this number on do not crash.
    pub immortal: u16,
    /// Reapers at work at once.
    pub reapers: usize,
    /// How many reapers may crash, at any step; others begin again.
    pub reaper_crashes: u8,
    /// Whether the number of a dead member is used again, by threads like those that died.
    pub respawn: bool,
    /// Claims of one slot try the straight way first.
    pub at_once: bool,
    /// Whether to look for states that break I1 and reaps that break I3. What comes of them is
    /// found also without, only later.
    pub invariants: bool,
}

/// What becomes of a message whose consumer died, or did not want it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It is delivered again, flagged.
    AtLeastOnce,
    /// It is dropped.
    AtMostOnce,
}

/// A thread, and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadSpec {
    /// The member that it belongs to: threads of one member die together.
    pub member: u16,
    /// The handle that it uses: threads may share one.
    pub handle: usize,
    /// What it does.
    pub role: Role,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends `messages`, up to `batch` with one claim; it may also give a reservation up, if it
    /// `aborts`.
    Producer { messages: u8, batch: u8, aborts: bool },
    /// Receives for ever, up to `batch` with one claim, and puts up to so many messages back.
    Consumer { batch: u8, puts_back: u8 },
    /// Closes once.
    Closer,
}

impl Config {
    /// Whether the mistake is `mutant`.
    pub fn is(&self, mutant: Mutant) -> bool {
        self.title.mutant == Some(mutant)
    }

    /// Whether `thread` tries the straight way first.
    pub fn goes_straight(&self, thread: usize) -> bool {
        let single = match self.threads[thread].role {
            Role::Producer { batch, .. } | Role::Consumer { batch, .. } => batch == 1,
            Role::Closer => false,
        };
        self.at_once && single
    }

    /// Whether another thread uses the handle of `thread`.
    pub fn shares_handle(&self, thread: usize) -> bool {
        let users = self.threads.iter().filter(|spec| spec.handle == self.threads[thread].handle);
        users.count() > 1
    }

    /// Whether another thread knows what the member of `thread` knows of messages to take again.
    pub fn shares_sweep(&self, thread: usize) -> bool {
        let member = self.threads[thread].member;
        let receives = |spec: &&ThreadSpec| matches!(spec.role, Role::Consumer { .. });
        self.threads.iter().filter(receives).filter(|spec| spec.member == member).count() > 1
    }

    /// Members that own threads.
    pub fn members(&self) -> u16 {
        self.threads.iter().map(|spec| spec.member + 1).max().unwrap_or(0)
    }

    /// A thread of `role` that begins.
    pub fn begin(role: Role) -> Thread {
        match role {
            Role::Producer { messages: left, .. } => Thread { left, at: At::Send(Send::Begin) },
            Role::Consumer { puts_back: left, .. } => {
                Thread { left, at: At::Receive(Receive::Begin) }
            }
            Role::Closer => Thread { left: 1, at: At::RaiseFlag },
        }
    }

    /// A new ring, with all threads about to begin.
    pub fn initial(&self) -> State {
        let ring = Geometry::new(self.slots as u64);
        let mut shared = Shared {
            tail: CursorWord::new(self.start, 0).0,
            head: CursorWord::new(self.start, 0).0,
            redeliver: 0,
            closed: false,
            slots: [0; MAX_SLOTS],
            payload: [[0; 2]; MAX_SLOTS],
        };
        for step in 0..ring.slots() {
            let position = after(self.start, step);
            shared.slots[ring.index(position)] = ring.vacant(position).0;
        }
        let ghost = Ghost {
            fates: [Fate::Unclaimed; MAX_CLAIMS],
            seen: 0,
            last_claims: [0; 2],
            drained: false,
            members: [Life::Alive; MAX_MEMBERS],
            crashes: self.crashes,
            reaper_crashes: self.reaper_crashes,
        };
        let mut threads = [Thread { left: 0, at: At::Rest }; MAX_THREADS];
        for (thread, spec) in threads.iter_mut().zip(&self.threads) {
            *thread = Self::begin(spec.role);
        }
        let handles = [Handle::NEW; MAX_THREADS];
        let sweeps = [Sweep::NEW; MAX_MEMBERS];
        State { shared, ghost, threads, handles, sweeps, reapers: [Reap::Idle; MAX_REAPERS] }
    }
}

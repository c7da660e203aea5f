//! What the model is a state of: the words of a lock, who sleeps where, and what only the checker knows.

use super::barrier::{Party, WORN};
use super::condvar::Wait;
use super::round::{MAX_ROUNDS, Round};
use super::rwlock::{Read, Write};
use super::{flag, permits, semaphore};

/// The most threads, each a member of its own.
pub const MAX_THREADS: usize = 3;
/// Words of a lock: its own, then one for each member.
pub const WORDS: usize = 1 + MAX_THREADS;

/// One state of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The lock.
    pub words: [u64; WORDS],
    /// What it guards is in the middle of a change.
    pub torn: bool,
    /// Rounds of a barrier.
    pub rounds: [Round; MAX_ROUNDS],
    /// What there is to take for who waits at a condvar, or at a semaphore; how often a flag was set.
    pub items: u8,
    /// Somebody has died.
    pub mourns: bool,
    /// Deaths to come.
    pub crashes: u8,
    /// Numbers that may be used again.
    pub heirs: u8,
    /// Where each thread is.
    pub threads: [Thread; MAX_THREADS],
}

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    /// It runs.
    pub lives: bool,
    /// Which of those that had its number.
    pub incarnation: u8,
    /// How many turns it still takes.
    pub left: u8,
    /// Its wait has slept.
    pub slept: bool,
    /// The word that it sleeps on; woken, it goes on where it is.
    pub asleep: Option<u8>,
    /// What it remembers of its calls at a gate.
    pub settled: u64,
    /// Its place at a barrier.
    pub place: u8,
    /// Where it is.
    pub at: At,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// It has nothing to do, or is dead.
    Rest,
    /// It reads under a rwlock.
    Read(Read),
    /// It writes under it.
    Write(Write),
    /// It meets others at a barrier.
    Party(Party),
    /// It waits at a condvar, or notifies.
    Wait(Wait),
    /// It takes from a semaphore, or gives.
    Semaphore(semaphore::Turn),
    /// It waits for a flag, or sets it.
    Flag(flag::Turn),
    /// It gets a permit, and gives it back.
    Permit(permits::Turn),
}

impl Thread {
    /// One that has nothing to do.
    pub const IDLE: Self = Self {
        lives: true,
        incarnation: 1,
        left: 0,
        slept: false,
        asleep: None,
        settled: 0,
        place: 0,
        at: At::Rest,
    };
}

impl State {
    /// A new lock for `threads`.
    pub fn new(threads: [Thread; MAX_THREADS], crashes: u8, heirs: u8) -> Self {
        let rounds = [Round::default(); MAX_ROUNDS];
        let words = [0; WORDS];
        Self { words, torn: false, rounds, items: 0, mourns: false, crashes, heirs, threads }
    }

    /// A barrier that has been used often.
    pub fn worn(self) -> Self {
        let mut words = self.words;
        words[0] = WORN;
        Self { words, ..self }
    }
}

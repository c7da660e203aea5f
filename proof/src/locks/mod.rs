//! Locks, as a machine of states: who has one, who sleeps for it, through deaths and numbers that are used again.
//!
//! What is modelled: the words bit for bit (`lock/holder.rs` is the library's own file), one shared access a step in every interleaving,
//! the kernel's sleep, which compares the lower half of a word, its wake-ups; and deaths at any step, also between the change
//! of a word and the wake-up that goes with it. Threads are members of their own, or two are of one. A number that is used again has another incarnation, whose
//! member may or may not come to the lock. A rwlock: readers, writers, a writer that gives up. A barrier: parties that come,
//! meet, give up, begin anew what broke, go; its rounds begin just before their number's wrap. A condvar with its mutex: who
//! waits, who notifies. A semaphore: who takes, who gives. A flag: who waits, who sets and clears. One permit: who gets it and gives it back.
//!
//! Time is not: who would find somebody dead may ask or not, and a sleeper wakes by itself only once somebody has died. So
//! among the living no wake-up may be lost, and one that is lost with the dead must be made good by the recheck. Memory weaker
//! than sequential consistency is loom's part.
//!
//! Checked: no writer beside another or a reader, among the living; what a dead writer left torn is never seen by one who was not told;
//! of the parties of a round all are told that it is completed, each by its own index, or all that it broke, which it does for one in it
//! that gave up, or is dead;
//! and from every state there is a way to one in which each of the living had its turns: nobody waits for the dead, or for nobody.

mod barrier;
mod condvar;
mod config;
mod configurations;
mod flag;
#[path = "../../../src/lock/holder.rs"]
#[allow(dead_code, reason = "the library uses all of it")]
mod holder;
mod memory;
mod permits;
mod round;
mod rwlock;
mod semaphore;
mod state;

pub use config::Config;
#[cfg(test)]
pub use config::Mutant;

use std::fmt::Write;

use crate::error::MemberId;
use crate::explore::{Model, Move};
use config::Role;
use memory::Memory;
use state::{At, State, Thread};

/// Bit of a word: somebody sleeps on its lower half, or is about to. As in the library.
pub const WAITED: u64 = 1 << 31;
/// Bit of a word: what the lock guards may be in the middle of a change. As in the library.
pub const INCONSISTENT: u64 = 1 << 30;

/// A configuration being searched.
#[derive(Debug)]
pub struct Locks {
    config: Config,
}

/// Who makes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A thread, choosing among several ways where there are.
    Thread { me: usize, choice: u8 },
    /// A sleeper's time is up.
    Recheck { me: usize },
    /// One who waits gives up.
    GiveUp { me: usize },
    /// A member dies.
    Crash { me: usize },
    /// Its number is used again, by one who comes to the lock or not.
    Inherit { me: usize, comes: bool },
}

impl Locks {
    /// The model of `config`.
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    fn push(
        &self,
        state: &State,
        step: Step,
        moves: &mut Vec<Move<Self>>,
        change: impl FnOnce(&mut Memory),
    ) {
        let (Step::Thread { me, .. }
        | Step::Recheck { me }
        | Step::GiveUp { me }
        | Step::Crash { me }
        | Step::Inherit { me, .. }) = step;
        let mut memory = Memory::new(&self.config, state, me);
        change(&mut memory);
        if (0..self.config.threads.len()).any(|place| self.leaves_place(&memory.state, place)) {
            round::has_dead(&mut memory.state);
        }
        let is_fault = !matches!(step, Step::Thread { .. } | Step::Recheck { .. });
        moves.push(memory.moved(step, is_fault));
    }

    fn thread_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        let at = state.threads[me].at;
        let memory = Memory::new(&self.config, state, me);
        let choices = match at {
            At::Rest => 0,
            At::Read(read) => read.choices(&memory),
            At::Write(write) => write.choices(&memory),
            At::Party(party) => party.choices(&memory),
            At::Wait(wait) => wait.choices(&memory),
            At::Semaphore(turn) => turn.choices(&memory),
            At::Flag(_) => 1,
            At::Permit(turn) => turn.choices(&memory),
        };
        for choice in 0..choices {
            self.push(state, Step::Thread { me, choice }, moves, |memory| match at {
                At::Rest => {}
                At::Read(read) => read.step(memory, choice),
                At::Write(write) => write.step(memory, choice),
                At::Party(party) => party.step(memory, choice),
                At::Wait(wait) => wait.step(memory, choice),
                At::Semaphore(turn) => turn.step(memory, choice),
                At::Flag(turn) => turn.step(memory),
                At::Permit(turn) => turn.step(memory, choice),
            });
        }
    }

    /// Who sleeps wakes by itself where somebody has died.
    fn sleeper_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        let in_vain = matches!(state.threads[me].at, At::Permit(_))
            && !permits::is_worth_a_look(&Memory::new(&self.config, state, me));
        if state.mourns && !in_vain {
            self.push(state, Step::Recheck { me }, moves, |memory| {
                memory.state.threads[me].asleep = None;
            });
        }
    }

    fn give_up_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        let given_up = match state.threads[me].at {
            At::Write(write) => {
                write.given_up(&Memory::new(&self.config, state, me)).map(At::Write)
            }
            At::Party(party) => party.given_up().map(At::Party),
            _ => None,
        };
        if let Some(next) = given_up.filter(|_| self.config.impatient) {
            self.push(state, Step::GiveUp { me }, moves, |memory| {
                memory.state.threads[me].asleep = None;
                memory.go(next);
            });
        }
    }

    fn crash_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        let at = state.threads[me].at;
        let is_called =
            matches!(at, At::Wait(condvar::Wait::Wake(_)) | At::Semaphore(semaphore::Turn::Wake))
                && state.threads[me].left == 1;
        let gives = matches!(self.config.threads[me], Role::Notifier(_) | Role::Giver(_));
        let is_needed = gives && !is_called;
        if state.crashes == 0 || at == At::Rest || is_needed {
            return;
        }
        self.push(state, Step::Crash { me }, moves, |memory| {
            memory.state.crashes -= 1;
            memory.state.mourns = true;
            for (number, thread) in memory.state.threads.iter_mut().enumerate() {
                if self.config.member(number) == self.config.member(me) {
                    let incarnation = thread.incarnation;
                    *thread = Thread { lives: false, incarnation, ..Thread::IDLE };
                }
            }
        });
    }

    /// Whether place `number` of a barrier names one who is dead.
    fn leaves_place(&self, state: &State, number: usize) -> bool {
        let named = holder::Holder::of(state.words[1 + number]);
        let memory = Memory::new(&self.config, state, number);
        self.config.is_barrier() && named.is_some_and(|holder| memory.is_dead(holder))
    }

    fn heir_moves(&self, state: &State, me: usize, moves: &mut Vec<Move<Self>>) {
        for comes in [false, true] {
            if state.heirs == 0 {
                return;
            }
            self.push(state, Step::Inherit { me, comes }, moves, |memory| {
                memory.state.heirs -= 1;
                let (left, incarnation) = (comes.into(), state.threads[me].incarnation + 1);
                let at =
                    if comes { Config::begin(self.config.threads[me], left) } else { At::Rest };
                memory.state.threads[me] = Thread { incarnation, left, at, ..Thread::IDLE };
            });
        }
    }
}

impl Model for Locks {
    type State = State;
    type Key = State;
    type Step = Step;

    fn initial(&self) -> State {
        self.config.initial()
    }

    fn moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        for me in 0..self.config.threads.len() {
            let thread = &state.threads[me];
            if !thread.lives {
                self.heir_moves(state, me, moves);
                continue;
            }
            if thread.asleep.is_some() {
                self.sleeper_moves(state, me, moves);
            } else {
                self.thread_moves(state, me, moves);
            }
            self.give_up_moves(state, me, moves);
            self.crash_moves(state, me, moves);
        }
    }

    fn check(&self, state: &State) -> Result<(), String> {
        let is_at = |reads: bool| {
            let held = |thread: &&Thread| match thread.at {
                At::Read(rwlock::Read::Reading(_)) => reads,
                At::Write(rwlock::Write::Begin(_) | rwlock::Write::End) => !reads,
                At::Wait(wait) => wait.is_holding() && !reads,
                At::Permit(turn) => turn.is_holding() && !reads,
                _ => false,
            };
            state.threads.iter().filter(held).count()
        };
        match (is_at(true), is_at(false)) {
            (_, 0) | (0, 1) => Ok(()),
            (0, _) => Err("two have it at once".into()),
            _ => Err("one reads while another writes".into()),
        }
    }

    fn is_end(&self, state: &State) -> bool {
        // Where somebody gave up, or died, the others may wait for one who has not come.
        let strict = self.config.crashes == 0 && !self.config.impatient;
        let dead = (0..).zip(&state.threads).any(|(me, _)| self.leaves_place(state, me));
        state.threads.iter().all(|thread| match thread.at {
            At::Rest => true,
            At::Party(party) => !strict && !dead && party.is_patient(state),
            At::Flag(turn) => turn.is_patient(state),
            At::Read(_) | At::Write(_) | At::Wait(_) | At::Semaphore(_) | At::Permit(_) => false,
        })
    }

    fn pack(&mut self, state: &State) -> State {
        *state
    }

    fn unpack(&self, key: &State) -> State {
        *key
    }

    fn explain(&self, before: &State, step: Step, after: &State) -> String {
        let mut text = match step {
            Step::Thread { me, choice } => format!("m{me} {:x?}, {choice}", before.threads[me].at),
            Step::Recheck { me } => format!("m{me} rechecks"),
            Step::GiveUp { me } => format!("m{me} gives up"),
            Step::Crash { me } => format!("m{me} DIES at {:x?}", before.threads[me].at),
            Step::Inherit { me, comes } => format!("m{me} is another, which comes: {comes}"),
        };
        if before.words != after.words {
            let _ = write!(text, "\n        words: {:x?}", after.words);
        }
        text
    }
}

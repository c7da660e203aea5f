//! A condvar and its mutex, step by step as in the library: `lock/gate.rs`, `lock/mutex.rs`, `sync/condvar.rs`. Who waits takes
//! one thing, which who notifies has put there under the mutex.

use super::config::Mutant;
use super::holder::Holder;
use super::memory::Memory;
use super::state::At;
use super::{INCONSISTENT, WAITED};

/// The gate: sleeps and calls.
const GATE: usize = 0;
const MUTEX: usize = 1;
const SLEEP: u64 = 1 << 32;
const CALLS: u64 = SLEEP - 1;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    /// Locks at once, if nobody has the mutex.
    Begin,
    /// Looks who has it.
    Lock,
    /// Nobody: takes it.
    Take(u64),
    /// One who is dead.
    TakeOver(u64),
    /// One who lives: marks what was found.
    Mark(u64),
    /// Sleeps.
    LockSleep(u64),
    /// Has it: takes what is there, or waits; or puts something there.
    Change,
    /// Counts a sleep at the gate.
    Count,
    /// Gives the mutex back, and then?
    Unlock(Then),
    /// Wakes one who slept.
    UnlockWake(Then),
    /// Looks whether there was a call since.
    Attempt(u64),
    /// Sleeps.
    Sleep(u64),
    /// Calls.
    Call,
    /// Wakes one; so many sleeps there were, and one.
    Wake(u64),
}

/// What comes after the mutex was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Then {
    /// The turn is over.
    Done,
    /// It waits for a call after those that it has seen.
    Sleeps(u64),
    /// It counts its sleep only now, by mistake.
    Counts,
    /// It notifies.
    Calls,
}

impl Wait {
    /// How many ways there are to go on: whether a recheck finds somebody dead, which sleeper is woken.
    pub fn choices(self, memory: &Memory) -> u8 {
        let named = Holder::of(memory.state.words[MUTEX]);
        match self {
            Self::Lock => 1 + u8::from(named.is_some_and(|holder| memory.is_dead(holder))),
            Self::UnlockWake(_) => memory.sleepers(MUTEX).max(1),
            Self::Wake(_) => memory.sleepers(GATE).max(1),
            _ => 1,
        }
    }

    /// One access.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        match self {
            Self::Change => change(memory),
            Self::Count => {
                let seen = memory.state.words[GATE] + SLEEP;
                memory.state.words[GATE] = seen;
                let late = memory.config.is(Mutant::CountAfterUnlock);
                let then = Self::Unlock(Then::Sleeps(seen));
                memory.go(At::Wait(if late { Self::Attempt(seen) } else { then }));
            }
            Self::Unlock(then) => {
                let before = std::mem::take(&mut memory.state.words[MUTEX]);
                if before & WAITED != 0 {
                    return memory.go(At::Wait(Self::UnlockWake(then)));
                }
                then.go(memory);
            }
            Self::UnlockWake(then) => {
                memory.wake_one(MUTEX, choice);
                then.go(memory);
            }
            Self::Attempt(seen) => {
                let called = memory.state.words[GATE] & CALLS != seen & CALLS;
                memory.go(At::Wait(if called { Self::Begin } else { Self::Sleep(seen) }));
            }
            Self::Sleep(seen) => memory.sleep(GATE, seen, At::Wait(Self::Attempt(seen))),
            Self::Call => call(memory),
            Self::Wake(sleeps) => {
                let woke = memory.wake_one(GATE, choice);
                if !woke || memory.config.is(Mutant::SettledThoughWoken) {
                    memory.state.threads[memory.me].settled = sleeps;
                }
                memory.count();
            }
            _ => self.step_of_lock(memory, choice == 1),
        }
    }

    fn step_of_lock(self, memory: &mut Memory, asks: bool) {
        let (found, mine) = (memory.state.words[MUTEX], memory.holder().bits());
        let slept = memory.state.threads[memory.me].slept;
        let next = match self {
            Self::Begin => {
                memory.state.threads[memory.me].slept = false;
                if memory.swap(MUTEX, 0, mine) { Self::Change } else { Self::Lock }
            }
            Self::Lock => match Holder::of(found) {
                None => Self::Take(found),
                Some(_) if asks => Self::TakeOver(found),
                Some(_) if found & WAITED == 0 => Self::Mark(found),
                Some(_) => Self::LockSleep(found),
            },
            Self::Take(from) => {
                let careless = memory.config.is(Mutant::SleptLocksUnmarked);
                let mark = if slept && !careless { WAITED } else { from & WAITED };
                let taken = memory.swap(MUTEX, from, mine | from & INCONSISTENT | mark);
                if taken { Self::Change } else { Self::Lock }
            }
            Self::TakeOver(from) => {
                let taken = memory.swap(MUTEX, from, mine | INCONSISTENT | WAITED);
                if taken { Self::Change } else { Self::Lock }
            }
            Self::Mark(from) => memory.mark(MUTEX, from).map_or(Self::Lock, Self::LockSleep),
            Self::LockSleep(word) => {
                memory.state.threads[memory.me].slept = true;
                return memory.sleep(MUTEX, word, At::Wait(Self::Lock));
            }
            _ => unreachable!("the others are steps of no lock"),
        };
        memory.go(At::Wait(next));
    }

    /// Whether it has the mutex.
    pub fn is_holding(self) -> bool {
        matches!(self, Self::Change | Self::Unlock(_))
    }
}

impl Then {
    fn go(self, memory: &mut Memory) {
        match self {
            Self::Done => memory.count(),
            Self::Sleeps(seen) => memory.go(At::Wait(Wait::Attempt(seen))),
            Self::Counts => memory.go(At::Wait(Wait::Count)),
            Self::Calls => memory.go(At::Wait(Wait::Call)),
        }
    }
}

fn change(memory: &mut Memory) {
    let next = if memory.notifies() {
        memory.state.items += 1;
        Wait::Unlock(Then::Calls)
    } else if memory.state.items > 0 {
        memory.state.items -= 1;
        Wait::Unlock(Then::Done)
    } else if memory.config.is(Mutant::CountAfterUnlock) {
        Wait::Unlock(Then::Counts)
    } else {
        Wait::Count
    };
    memory.go(At::Wait(next));
}

fn call(memory: &mut Memory) {
    let before = memory.state.words[GATE];
    if !memory.config.is(Mutant::CallUncounted) {
        memory.state.words[GATE] = before & !CALLS | (before + 1) & CALLS;
    }
    let sleeps = (before >> 32) + 1;
    if memory.state.threads[memory.me].settled == sleeps {
        return memory.count();
    }
    memory.go(At::Wait(Wait::Wake(sleeps)));
}

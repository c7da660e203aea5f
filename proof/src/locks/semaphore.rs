//! The semaphore, step by step as in the library's `lock/semaphore.rs`. It begins with none; what was given and not taken is counted
//! by the checker as well.

use super::WAITED;
use super::config::{Mutant, Role};
use super::memory::Memory;
use super::state::At;

const WORD: usize = 0;
const COUNT: u64 = WAITED - 1;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// Looks whether there is one.
    Look,
    /// Takes it, as it was found.
    Take(u64),
    /// Has slept and left some: wakes another.
    Pass,
    /// Marks what was found.
    Mark(u64),
    /// Sleeps.
    Sleep(u64),
    /// Looks how many there are.
    Ask,
    /// Gives one more than was found.
    Give(u64),
    /// Wakes one who slept.
    Wake,
}

impl Turn {
    /// Where one of `role` begins.
    pub fn begin(role: Role) -> Self {
        if matches!(role, Role::Giver(_)) { Self::Ask } else { Self::Look }
    }

    /// How many ways there are to go on: which sleeper is woken.
    pub fn choices(self, memory: &Memory) -> u8 {
        if matches!(self, Self::Pass | Self::Wake) { memory.sleepers(WORD).max(1) } else { 1 }
    }

    /// One access.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        let found = memory.state.words[WORD];
        let next = match self {
            Self::Look if found & COUNT > 0 => Self::Take(found),
            Self::Look if found & WAITED == 0 => Self::Mark(found),
            Self::Look => Self::Sleep(found),
            Self::Take(from) => return take(memory, from),
            Self::Mark(from) => memory.mark(WORD, from).map_or(Self::Look, Self::Sleep),
            Self::Sleep(word) => {
                memory.state.threads[memory.me].slept = true;
                return memory.sleep(WORD, word, At::Semaphore(Self::Look));
            }
            Self::Ask => Self::Give(found),
            Self::Give(from) => return give(memory, from),
            Self::Pass | Self::Wake => {
                memory.wake_one(WORD, choice);
                return memory.count();
            }
        };
        memory.go(At::Semaphore(next));
    }
}

fn take(memory: &mut Memory, from: u64) {
    let slept = memory.state.threads[memory.me].slept;
    let careless = memory.config.is(Mutant::SleptTakesUnmarked);
    let mark = if slept && !careless { WAITED } else { from & WAITED };
    let count = from & COUNT;
    if !memory.swap(WORD, from, (count - 1) | mark) {
        return memory.go(At::Semaphore(Turn::Look));
    }
    memory.rule(memory.state.items > 0, "one was taken that nobody gave");
    memory.state.items = memory.state.items.saturating_sub(1);
    if slept && count > 1 && !memory.config.is(Mutant::RestIsNobodys) {
        return memory.go(At::Semaphore(Turn::Pass));
    }
    memory.count();
}

fn give(memory: &mut Memory, from: u64) {
    if !memory.swap(WORD, from, (from & COUNT) + 1) {
        return memory.go(At::Semaphore(Turn::Ask));
    }
    memory.state.items += 1;
    if from & WAITED != 0 && !memory.config.is(Mutant::GivingWakesNobody) {
        return memory.go(At::Semaphore(Turn::Wake));
    }
    memory.count();
}

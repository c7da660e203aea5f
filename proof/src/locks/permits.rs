//! One permit and its gate, step by step as in the library's `lock/permits.rs` and `lock/gate.rs`.

use super::config::Mutant;
use super::holder::Holder;
use super::memory::Memory;
use super::state::At;

/// The gate: sleeps and calls.
const GATE: usize = 0;
const PERMIT: usize = 1;
const SLEEP: u64 = 1 << 32;
const CALLS: u64 = SLEEP - 1;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// Looks whether nobody has it. If somebody has: before its sleep is counted, or after, when the gate said this?
    Look(Option<u64>),
    /// Takes it from nobody.
    Take(Option<u64>),
    /// Asks whether who has it lives.
    Ask,
    /// Takes it from the dead.
    TakeOver(u64),
    /// Counts a sleep.
    Count,
    /// Sleeps, unless there was a call.
    Sleep(u64),
    /// Has it; gives it back.
    GiveBack,
    /// Looks whether anybody may sleep.
    Glance,
    /// Calls.
    Call,
    /// Wakes one; so many sleeps there were, and one.
    Wake(u64),
}

impl Turn {
    /// How many ways there are to go on: whether a recheck is due, which sleeper is woken.
    pub fn choices(self, memory: &Memory) -> u8 {
        match self {
            // Its first look may be a quick one.
            Self::Look(None) => {
                1 + u8::from(has_dead(memory) && !memory.state.threads[memory.me].slept)
            }
            Self::Wake(_) => memory.sleepers(GATE).max(1),
            _ => 1,
        }
    }

    /// One access.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        let (gate, found) = (memory.state.words[GATE], memory.state.words[PERMIT]);
        let (mine, slept) = (memory.holder().bits(), memory.state.threads[memory.me].slept);
        let next = match self {
            Self::Look(seen) if found == 0 => Self::Take(seen),
            Self::Look(None) if choice == 1 || has_dead(memory) && slept => Self::Ask,
            Self::Look(seen) => not_free(seen),
            Self::Take(seen) if !memory.swap(PERMIT, 0, mine) => not_free(seen),
            Self::Take(_) => Self::GiveBack,
            Self::Ask => match Holder::of(found) {
                Some(holder) if memory.is_dead(holder) => Self::TakeOver(found),
                _ => Self::Count,
            },
            Self::TakeOver(from) if memory.swap(PERMIT, from, mine) => Self::GiveBack,
            Self::TakeOver(_) => Self::Count,
            Self::Count => {
                memory.state.words[GATE] = gate + SLEEP;
                let blind = memory.config.is(Mutant::NoLookAfterCount);
                if blind { Self::Sleep(gate + SLEEP) } else { Self::Look(Some(gate + SLEEP)) }
            }
            Self::Sleep(seen) => {
                memory.state.threads[memory.me].slept = true;
                return memory.sleep(GATE, seen, At::Permit(Self::Look(None)));
            }
            Self::GiveBack => {
                memory.state.words[PERMIT] = 0;
                Self::Glance
            }
            Self::Glance if memory.state.threads[memory.me].settled == sleeps(gate) => {
                return memory.count();
            }
            Self::Glance => Self::Call,
            Self::Call => return call(memory, gate),
            Self::Wake(sleeps) => {
                if !memory.wake_one(GATE, choice) || memory.config.is(Mutant::SettledThoughWoken) {
                    memory.state.threads[memory.me].settled = sleeps;
                }
                return memory.count();
            }
        };
        memory.go(At::Permit(next));
    }

    /// Whether it has the permit.
    pub fn is_holding(self) -> bool {
        self == Self::GiveBack
    }
}

/// Whether it would be found out that who has the permit is dead.
fn has_dead(memory: &Memory) -> bool {
    let named = Holder::of(memory.state.words[PERMIT]);
    let asked = !memory.config.is(Mutant::PermitsUnasked);
    asked && named.is_some_and(|holder| memory.is_dead(holder))
}

/// Whether a recheck comes to anything: else it is one more sleep, and sleeps are counted.
pub fn is_worth_a_look(memory: &Memory) -> bool {
    memory.state.words[PERMIT] == 0 || has_dead(memory)
}

/// How many sleeps the gate has counted, and one.
fn sleeps(gate: u64) -> u64 {
    (gate >> 32) + 1
}

fn not_free(seen: Option<u64>) -> Turn {
    seen.map_or(Turn::Count, Turn::Sleep)
}

fn call(memory: &mut Memory, gate: u64) {
    memory.state.words[GATE] = gate & !CALLS | (gate + 1) & CALLS;
    if memory.state.threads[memory.me].settled == sleeps(gate) {
        return memory.count();
    }
    memory.go(At::Permit(Turn::Wake(sleeps(gate))));
}

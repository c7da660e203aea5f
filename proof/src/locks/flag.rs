//! The flag, step by step as in the library's `lock/flag.rs`: who sets it clears it again, who waits goes by either. How often it
//! was set is counted by the checker as well.

use super::WAITED;
use super::config::{Mutant, Role};
use super::memory::Memory;
use super::state::{At, State};

const WORD: usize = 0;
const SET: u64 = 1;
const TURN: u64 = 2;
const TURNS: u64 = WAITED - TURN;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// Sees what its wait goes by.
    Begin,
    /// Looks whether the flag is set, or was since the word was this and the checker had counted so many.
    Attempt(u64, u8),
    /// Marks what was found.
    Mark(u64, u8, u64),
    /// Sleeps.
    Sleep(u64, u8, u64),
    /// Looks whether it is set.
    Ask,
    /// Sets it, as it was found.
    Set(u64),
    /// Wakes all.
    Wake,
    /// Clears it.
    Clear,
}

impl Turn {
    /// Where one of `role` begins.
    pub fn begin(role: Role) -> Self {
        if matches!(role, Role::Setter(_)) { Self::Ask } else { Self::Begin }
    }

    /// One access.
    pub fn step(self, memory: &mut Memory) {
        let found = memory.state.words[WORD];
        let next = match self {
            Self::Begin => Self::Attempt(found, memory.state.items),
            Self::Attempt(begun, sets) => {
                if found & SET != 0 || found & TURNS != begun & TURNS {
                    let was_set = found & SET != 0 || memory.state.items != sets;
                    memory.rule(was_set, "one was let through though nobody had set it");
                    return memory.count();
                }
                let marked = found & WAITED != 0;
                if marked {
                    Self::Sleep(begun, sets, found)
                } else {
                    Self::Mark(begun, sets, found)
                }
            }
            Self::Mark(begun, sets, from) => memory
                .mark(WORD, from)
                .map_or(Self::Attempt(begun, sets), |word| Self::Sleep(begun, sets, word)),
            Self::Sleep(begun, sets, word) => {
                return memory.sleep(WORD, word, At::Flag(Self::Attempt(begun, sets)));
            }
            Self::Ask => Self::Set(found),
            Self::Set(from) => return set(memory, from),
            Self::Wake => {
                memory.wake_all(WORD);
                Self::Clear
            }
            Self::Clear => {
                memory.state.words[WORD] &= !SET;
                return memory.count();
            }
        };
        memory.go(At::Flag(next));
    }

    /// Whether it rightly waits: nobody has set the flag since it began.
    pub fn is_patient(self, state: &State) -> bool {
        let is_set = state.words[WORD] & SET != 0;
        matches!(self, Self::Attempt(_, sets) if state.items == sets && !is_set)
    }
}

fn set(memory: &mut Memory, from: u64) {
    let is_new = from & SET == 0;
    let turned = if memory.config.is(Mutant::TurnsUncounted) {
        from & TURNS
    } else {
        (from & TURNS).wrapping_add(TURN) & TURNS
    };
    if !memory.swap(WORD, from, if is_new { turned | SET } else { from }) {
        return memory.go(At::Flag(Turn::Ask));
    }
    memory.state.items += u8::from(is_new);
    let wakes = is_new && from & WAITED != 0 && !memory.config.is(Mutant::SettingWakesNobody);
    memory.go(At::Flag(if wakes { Turn::Wake } else { Turn::Clear }));
}

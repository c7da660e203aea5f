//! Receive, step by step: from the first segment on; and what is given back with the last message of one.

use super::changing::{Change, Goal, Then};
use super::config::{Mutant, Role};
use super::memory::{Found, Memory};
use super::state::{At, Slot};
use crate::chain_word::ChainWord;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receive {
    /// Which segment is the first.
    Look,
    /// A message of `generation`.
    Take { seen: u64, generation: u64 },
    /// There is one at `head`: whether that is the segment still that was looked for.
    Sure { seen: u64, generation: u64, ring: usize, head: u8 },
    /// It is claimed, unless the head has moved.
    Claim { seen: u64, generation: u64, ring: usize, head: u8 },
    /// There was none: whether that one is shut.
    Tail { seen: u64, generation: u64, ring: usize },
    /// It is: whether all of it was taken.
    Head { seen: u64, generation: u64, ring: usize },
    /// It is open, or the last: whether it still is.
    Again { seen: u64, generation: u64, ring: usize, open: bool },
    /// The last of a closed queue is open: it is shut.
    Shut { seen: u64, generation: u64, ring: usize },
    /// It has a message: it is acknowledged, or put back.
    Hold { ring: usize, index: usize },
    /// It was: as which generation its segment is in the chain.
    TidyLook { ring: usize },
    /// Whether that can go.
    Tidy { ring: usize, generation: u64 },
}

impl Receive {
    /// How many ways there are to go on.
    pub fn choices(self, memory: &Memory) -> u8 {
        match self {
            Self::Take { seen, generation } => memory.ways(ChainWord(seen), generation),
            Self::Hold { .. } => 1 + u8::from(memory.state.threads[memory.me].left > 0),
            _ => 1,
        }
    }

    /// One access.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        match self {
            Self::Look => {
                let seen = memory.look();
                let last = memory.config.is(Mutant::TakesLastFirst);
                let generation = if last { seen.last() } else { seen.first() };
                memory.go(At::Receive(Self::Take { seen: seen.0, generation }));
            }
            Self::Take { seen, generation } => take(memory, seen, generation, choice == 1),
            Self::Sure { seen, generation, ring, head } => {
                let moved = ring == 0 && !memory.look().is_anchor(generation);
                if moved && !memory.config.is(Mutant::ClaimsUnsure) {
                    return memory.go(At::Receive(Self::Look));
                }
                memory.go(At::Receive(Self::Claim { seen, generation, ring, head }));
            }
            Self::Claim { seen, generation, ring, head } => {
                let taken = memory.take(ring, head).map(|index| Self::Hold { ring, index });
                memory.go(At::Receive(taken.unwrap_or(Self::Take { seen, generation })));
            }
            Self::Tail { seen, generation, ring } => {
                let leaves = memory.config.is(Mutant::LeavesOpen);
                let leaves = leaves && generation != ChainWord(seen).last();
                let open = !memory.ring(ring).shut && !leaves;
                let again = Self::Again { seen, generation, ring, open };
                let head = Self::Head { seen, generation, ring };
                memory.go(At::Receive(if open { again } else { head }));
            }
            Self::Head { seen, generation, ring } => head(memory, seen, generation, ring),
            Self::Again { seen, generation, ring, open } => {
                again(memory, ChainWord(seen), generation, ring, open);
            }
            Self::Shut { seen, generation, ring } => {
                memory.ring(ring).shut = true;
                memory.go(At::Receive(Self::Take { seen, generation }));
            }
            Self::Hold { ring, index } => hold(memory, ring, index, choice == 1),
            Self::TidyLook { ring } => {
                let seen = memory.look();
                let generation = if ring == 0 { seen.anchor() } else { Some(ring as u64) };
                match generation {
                    Some(generation) => memory.go(At::Receive(Self::Tidy { ring, generation })),
                    None => memory.begin(),
                }
            }
            Self::Tidy { ring, generation } => tidy(memory, ring, generation),
        }
    }
}

fn take(memory: &mut Memory, seen: u64, generation: u64, mapped: bool) {
    let Found::At(ring) = memory.find(ChainWord(seen), generation, mapped) else {
        return memory.go(At::Receive(Receive::Look));
    };
    let next = match memory.look_for(ring) {
        Ok(index) => Receive::Hold { ring, index },
        Err(true) => Receive::Sure { seen, generation, ring, head: memory.ring(ring).head },
        Err(false) => Receive::Tail { seen, generation, ring },
    };
    memory.go(At::Receive(next));
}

/// It is shut.
fn head(memory: &mut Memory, seen: u64, generation: u64, ring: usize) {
    let (found, slots) = (*memory.ring(ring), memory.config.slots);
    let word = ChainWord(seen);
    if found.is_pending() {
        return memory.go(At::Receive(Receive::Take { seen, generation }));
    }
    if found.head != found.tail {
        // Somebody is at it.
        return memory.begin();
    }
    if generation == word.last() {
        return memory.go(At::Receive(Receive::Again { seen, generation, ring, open: false }));
    }
    if generation == word.first() && found.is_idle(slots) {
        let then = Then::Beyond { seen, generation };
        return memory.go(At::Change(Change::wanted(Goal::Pass, then)));
    }
    memory.go(At::Receive(Receive::Take { seen, generation: generation + 1 }));
}

/// It is open, or the last.
fn again(memory: &mut Memory, seen: ChainWord, generation: u64, ring: usize, open: bool) {
    let (is_last, idle) =
        (generation == seen.last(), memory.state.shared.rings[ring].is_idle(memory.config.slots));
    match () {
        () if memory.look() != seen && !memory.config.is(Mutant::DrainedUnseen) => memory.begin(),
        () if seen.is_unsettled() => {
            memory.go(At::Change(Change::wanted(Goal::Settle, Then::Begin)));
        }
        () if !open && seen.is_closed() => {
            memory.is_drained();
            memory.begin();
        }
        () if open && seen.is_closed() && is_last => {
            memory.go(At::Receive(Receive::Shut { seen: seen.0, generation, ring }));
        }
        () if open && is_last => {
            if seen.is_away() && idle {
                let goal = Goal::Home { seen: seen.0 };
                return memory.go(At::Change(Change::wanted(goal, Then::Begin)));
            }
            memory.begin();
        }
        () => memory.rule(false, "a segment is open that is not the last, or shut that is"),
    }
}

fn hold(memory: &mut Memory, ring: usize, index: usize, puts_back: bool) {
    let Slot::Reading { claim, member } = memory.ring(ring).slots[index] else {
        return memory.rule(false, "a message was not its receiver's any more");
    };
    memory.rule(usize::from(member) == memory.me, "a message was another's");
    if puts_back {
        memory.ring(ring).slots[index] = Slot::Redeliver { claim };
        return memory.count();
    }
    memory.ring(ring).slots[index] = Slot::Vacant;
    memory.close_claim(claim);
    memory.go(At::Receive(Receive::TidyLook { ring }));
}

fn tidy(memory: &mut Memory, ring: usize, generation: u64) {
    let seen = memory.look();
    let is_only = seen.is_away() && !seen.is_closed();
    let idle = memory.state.shared.rings[ring].is_idle(memory.config.slots);
    if generation != seen.first() || !(is_only || seen.ahead() > 0) || !idle {
        return memory.begin();
    }
    let goal = if is_only { Goal::Home { seen: seen.0 } } else { Goal::Pass };
    memory.go(At::Change(Change::wanted(goal, Then::Begin)));
}

/// Whether the thread is a receiver that has nothing in hand.
pub fn is_idle(role: Role, at: At) -> bool {
    matches!(role, Role::Receiver { .. }) && at == At::Receive(Receive::Look)
}

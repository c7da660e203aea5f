//! The barrier, step by step as in the library's `lock/barrier.rs`.

mod places;

use super::WAITED;
use super::config::Mutant;
use super::holder::Holder;
use super::memory::Memory;
use super::round::{self, MAX_ROUNDS};
use super::state::{At, State};
use places::{ask, find, has_place, join, leave, take_over};

const BROKEN: u64 = 1 << 30;
const ARRIVED_SHIFT: u32 = 16;
const ARRIVAL: u64 = 1 << ARRIVED_SHIFT;
const ARRIVED: u64 = (1 << 14) - 1;
const ROUNDS: u64 = (1 << 16) - 1;
const RESET: u64 = 1 << 32;
/// The word that counts; those of places are behind it.
const WORD: usize = 0;

/// A barrier that has been used often: the next round is number zero again.
pub const WORN: u64 = ROUNDS;

/// A wait: as which it came, and to which word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wait {
    index: u8,
    begun: u64,
}

/// Who breaks a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breaker {
    /// Who has taken the place of a dead one.
    Heir(u8),
    /// Who is about to, by mistake.
    Early(u8, u64),
    /// Who waits and has found somebody dead.
    Waiter(Wait),
    /// Who gives up.
    Quitter(Wait),
}

/// What a party does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// Takes this place if it is free.
    Join(u8),
    /// Asks whether who has it lives.
    Ask(u8),
    /// Sees which round it is.
    See(Breaker),
    /// Breaks the round of what was seen, if it still goes on.
    Break(Breaker, u64),
    /// By a swap from what was found.
    BreakSwap(Breaker, u64, u64),
    /// Wakes who slept.
    BreakWake(Breaker),
    /// Has found the dead in a place: sees which round it is.
    Find(u8, u64),
    /// Takes the dead one's place, which was found in the round that was seen.
    TakeOver(u8, u64, u64),
    /// Looks how many have come.
    Arrive,
    /// Counts itself.
    Count(u64),
    /// Was the last: wakes.
    Wake(u8, u64),
    /// Looks whether its round is over.
    Attempt(Wait),
    /// Asks who lives, from this place on.
    Scan(Wait, u64, u8),
    /// Marks what was found.
    Mark(Wait, u64),
    /// Sleeps.
    Sleep(Wait, u64),
    /// Has broken the round, or found it over: how did it end?
    Quit(Wait),
    /// Was told that it broke: begins anew, or goes.
    Broken,
    /// By a swap from what was found.
    Reset(u64),
    /// Wakes who slept.
    ResetWake,
    /// Goes.
    Leave,
}

fn next_round(found: u64, reset: u64) -> u64 {
    (found & u64::MAX << 32).wrapping_add(reset) | (found + 1) & ROUNDS
}

/// Whether the round that began as `begun` is completed or broken, if it is either.
fn outcome(begun: u64, found: u64) -> Option<bool> {
    let rounds = found.wrapping_sub(begun) & ROUNDS;
    let resets = (found >> 32).wrapping_sub(begun >> 32) & u64::MAX >> 32;
    match rounds.wrapping_sub(resets) & ROUNDS {
        0 if resets == 0 && found & BROKEN == 0 => None,
        0 => Some(false),
        _ => Some(true),
    }
}

fn outcome_for(memory: &Memory, begun: u64, found: u64) -> Option<bool> {
    if memory.config.is(Mutant::ResetsUncounted) && (found ^ begun) & ROUNDS != 0 {
        return Some(true);
    }
    outcome(begun, found)
}

/// Which round `word` is of, as the checker counts.
pub fn number_of(word: u64) -> usize {
    let number = (word & ROUNDS).wrapping_sub(WORN) & ROUNDS;
    usize::try_from(number).map_or(MAX_ROUNDS - 1, |number| number.min(MAX_ROUNDS - 1))
}

impl Party {
    /// How many ways there are to go on.
    pub fn choices(self, memory: &Memory) -> u8 {
        match self {
            Self::Attempt(_) => {
                1 + u8::from(memory.state.mourns && !memory.config.is(Mutant::PlacesUnasked))
            }
            Self::Broken => 2,
            _ => 1,
        }
    }

    /// One access.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        match self {
            Self::Join(place) => join(memory, place),
            Self::Ask(place) => ask(memory, place),
            Self::Find(place, found) => find(memory, place, found),
            Self::TakeOver(place, found, seen) => take_over(memory, place, found, seen),
            Self::See(_) | Self::Break(..) | Self::BreakSwap(..) | Self::BreakWake(_) => {
                self.step_of_break(memory);
            }
            Self::Arrive | Self::Count(_) | Self::Wake(..) => self.step_of_arrival(memory),
            Self::Broken | Self::Reset(_) | Self::ResetWake => {
                self.step_of_reset(memory, choice == 1);
            }
            Self::Leave => leave(memory),
            _ => self.step_of_wait(memory, choice == 1),
        }
    }

    fn step_of_arrival(self, memory: &mut Memory) {
        let found = memory.state.words[WORD];
        match self {
            Self::Arrive if found & BROKEN != 0 => memory.go(At::Party(Self::Broken)),
            Self::Arrive => memory.go(At::Party(Self::Count(found))),
            Self::Count(found) => count(memory, found),
            Self::Wake(index, begun) => {
                memory.wake_all(WORD);
                is_told(memory, Wait { index, begun }, true);
            }
            _ => unreachable!("the others are steps of no arrival"),
        }
    }

    fn step_of_wait(self, memory: &mut Memory, asks: bool) {
        match self {
            Self::Attempt(wait) => {
                let found = memory.state.words[WORD];
                if let Some(completed) = outcome_for(memory, wait.begun, found) {
                    return is_told(memory, wait, completed);
                }
                let next = if asks { Self::Scan(wait, found, 0) } else { sleepy(wait, found) };
                memory.go(At::Party(next));
            }
            Self::Scan(wait, found, place) if place == memory.config.parties() => {
                memory.go(At::Party(sleepy(wait, found)));
            }
            Self::Scan(wait, found, place) => {
                let named = Holder::of(memory.state.words[1 + usize::from(place)]);
                let dead = named.is_some_and(|holder| memory.is_dead(holder));
                memory.go(At::Party(if dead {
                    Self::Break(Breaker::Waiter(wait), found)
                } else {
                    Self::Scan(wait, found, place + 1)
                }));
            }
            Self::Mark(wait, found) => {
                let marked = memory.mark(WORD, found);
                let sleep = |word| Self::Sleep(wait, word);
                memory.go(At::Party(marked.map_or(Self::Attempt(wait), sleep)));
            }
            Self::Sleep(wait, word) => memory.sleep(WORD, word, At::Party(Self::Attempt(wait))),
            Self::Quit(wait) => {
                let ended = outcome_for(memory, wait.begun, memory.state.words[WORD]);
                is_told(memory, wait, ended.unwrap_or(false));
            }
            _ => unreachable!("the others are steps of no wait"),
        }
    }

    fn step_of_break(self, memory: &mut Memory) {
        let found = memory.state.words[WORD];
        match self {
            Self::See(breaker) => match breaker {
                Breaker::Quitter(wait) if outcome_for(memory, wait.begun, found).is_some() => {
                    memory.go(At::Party(Self::Quit(wait)));
                }
                Breaker::Quitter(wait) => {
                    memory.go(At::Party(Self::Break(breaker, wait.begun)));
                }
                _ => memory.go(At::Party(Self::Break(breaker, found))),
            },
            Self::Break(breaker, seen) => {
                let compares = !memory.config.is(Mutant::RoundUncompared);
                let is_over = outcome(seen, found).is_some() && compares;
                if is_over || found >> ARRIVED_SHIFT & ARRIVED == 0 {
                    return breaker.has_broken(memory);
                }
                memory.go(At::Party(Self::BreakSwap(breaker, seen, found)));
            }
            Self::BreakSwap(breaker, seen, found) => {
                if !memory.swap(WORD, found, found & !WAITED | BROKEN) {
                    return memory.go(At::Party(Self::Break(breaker, seen)));
                }
                let same = number_of(seen) == number_of(found);
                memory.rule(same, "a round was broken for what was in another");
                let tired = matches!(breaker, Breaker::Quitter(_));
                let mourned = round::had_dead(memory, number_of(found));
                memory.rule(tired || mourned, "a round was broken in which nobody was dead");
                let silent = memory.config.is(Mutant::BreakWakesNobody);
                if found & WAITED != 0 && !silent {
                    return memory.go(At::Party(Self::BreakWake(breaker)));
                }
                breaker.has_broken(memory);
            }
            Self::BreakWake(breaker) => {
                memory.wake_all(WORD);
                breaker.has_broken(memory);
            }
            _ => unreachable!("the others are no steps of a break"),
        }
    }

    fn step_of_reset(self, memory: &mut Memory, resets: bool) {
        let found = memory.state.words[WORD];
        match self {
            Self::Broken => {
                memory.go(At::Party(if resets { Self::Reset(found) } else { Self::Leave }));
            }
            Self::Reset(from) if !memory.swap(WORD, from, next_round(from, RESET)) => {
                memory.go(At::Party(Self::Reset(found)));
            }
            Self::Reset(from) if from & WAITED != 0 => memory.go(At::Party(Self::ResetWake)),
            Self::Reset(_) => memory.count(),
            _ => {
                memory.wake_all(WORD);
                memory.count();
            }
        }
    }

    /// Where it goes on if it gives up now.
    pub fn given_up(self) -> Option<Self> {
        match self {
            Self::Attempt(wait) => Some(Self::See(Breaker::Quitter(wait))),
            _ => None,
        }
    }

    /// Whether it rightly waits for one who has not come.
    pub fn is_patient(self, state: &State) -> bool {
        matches!(self, Self::Attempt(wait) if outcome(wait.begun, state.words[WORD]).is_none())
    }
}

impl Breaker {
    fn has_broken(self, memory: &mut Memory) {
        memory.go(At::Party(match self {
            Self::Heir(place) => return has_place(memory, place),
            Self::Early(place, found) => Party::TakeOver(place, found, 0),
            Self::Waiter(wait) => Party::Attempt(wait),
            Self::Quitter(wait) => Party::Quit(wait),
        }));
    }
}

fn sleepy(wait: Wait, found: u64) -> Party {
    if found & WAITED == 0 { Party::Mark(wait, found) } else { Party::Sleep(wait, found) }
}

fn count(memory: &mut Memory, found: u64) {
    let (parties, arrived) = (u64::from(memory.config.parties()), found >> ARRIVED_SHIFT & ARRIVED);
    let is_last = arrived + 1 == parties;
    let word = if is_last { next_round(found, 0) } else { found + ARRIVAL };
    let stores = memory.config.is(Mutant::CountByStore);
    if stores {
        memory.state.words[WORD] = word;
    } else if !memory.swap(WORD, found, word) {
        return memory.go(At::Party(Party::Arrive));
    }
    round::has_come(memory, number_of(found));
    let index = u8::try_from(arrived).unwrap_or(u8::MAX);
    let wait = Wait { index, begun: word };
    if !is_last {
        return memory.go(At::Party(Party::Attempt(wait)));
    }
    if found & WAITED != 0 && !memory.config.is(Mutant::LastWakesNobody) {
        return memory.go(At::Party(Party::Wake(index, found)));
    }
    is_told(memory, Wait { index, begun: found }, true);
}

fn is_told(memory: &mut Memory, wait: Wait, completed: bool) {
    round::is_told(memory, number_of(wait.begun), completed.then_some(wait.index));
    if completed { memory.count() } else { memory.go(At::Party(Party::Broken)) }
}

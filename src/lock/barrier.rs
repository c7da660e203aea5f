//! A barrier for a number of parties: one word, and a place for each party, which names it.
//!
//! ```text
//! [resets:32 | waited:1 | broken:1 | arrived:14 | rounds:16]
//! ```
//!
//! *Arrive*: count oneself; the last begins the next round and wakes the others. A round ends for all in the same way:
//! completed, or broken, by a party that gave up, by a reset, or because a party is dead. Rounds count completions and resets,
//! so one who waited can tell, however late it looks: of those that came since it arrived one is a completion, or none.
//! (There can be no second without it.)
//!
//! *The dead.* A party has its place from when it comes to when it leaves; who waits asks whether those in all places live, and
//! breaks the round if not. A successor sees which round it is, takes the dead one's place, and breaks that round if anybody had
//! arrived by then: the dead one may be counted in it, and is in no later one. Of several successors only who takes the place
//! breaks anything. One that dies before it does leaves a name of the dead again.

use super::holder::Holder;
use super::met::{attempt, is_of_the_dead, mark};
use super::{AcqRel, Acquire, Relaxed, Release};
use super::{Denial, Fate, MOST_TURNS, WAITED};
use crate::event::{Look, Turn};
use crate::primitive::LockWord;
use crate::ring::Corruption;

const BROKEN: u64 = 1 << 30;
const ARRIVED_SHIFT: u32 = 16;
const ARRIVAL: u64 = 1 << ARRIVED_SHIFT;
const ARRIVED: u64 = (1 << 14) - 1;
const ROUNDS: u64 = (1 << 16) - 1;
const RESET: u64 = 1 << 32;

/// The most parties that a barrier can have.
pub const MOST_PARTIES: u32 = 4096;

/// What its word is made of.
pub const PARTS: [(&str, u64); 5] = [
    ("resets", u64::MAX << 32),
    ("waited", WAITED),
    ("broken", BROKEN),
    ("arrived", ARRIVED << ARRIVED_SHIFT),
    ("rounds", ROUNDS),
];

/// A barrier.
#[derive(Clone, Copy, Debug)]
pub struct Barrier<'a> {
    word: &'a LockWord,
    places: &'a [LockWord],
}

/// How a party came to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was the last: the round is completed.
    Completed(u32),
    /// It came as that number, from zero, and waits.
    Waits {
        /// Which.
        index: u32,
        /// What its wait goes by.
        begun: u64,
    },
}

/// Why a round came to nothing for a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// It was broken.
    Broken,
    /// Nobody can see any more who lives, or what no correct member writes.
    Denied(Denial),
}

impl From<Denial> for Breach {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl<'a> Barrier<'a> {
    /// The barrier that `word` is, with a place for each party.
    pub fn new(word: &'a LockWord, places: &'a [LockWord]) -> Self {
        Self { word, places }
    }

    /// The word to sleep on.
    pub fn word(self) -> &'a LockWord {
        self.word
    }

    /// Takes a place for `me`: a free one, or that of a dead party. Nothing if all are taken.
    pub fn join(self, me: Holder, fate: impl Fn(Holder) -> Fate) -> Result<Option<usize>, Denial> {
        for (number, place) in self.places.iter().enumerate() {
            if place.compare_exchange(0, me.bits(), AcqRel, Relaxed).is_ok() {
                return Ok(Some(number));
            }
        }
        for (number, place) in self.places.iter().enumerate() {
            // ORDERING(holder): as for a mutex.
            let found = place.load(Acquire);
            if !is_of_the_dead(found, &fate)? {
                continue;
            }
            // Between the two: what the dead one was counted in, and no round of who has taken its place.
            let seen = self.word.load(Acquire);
            if place.compare_exchange(found, me.bits(), AcqRel, Relaxed).is_ok() {
                if seen >> ARRIVED_SHIFT & ARRIVED > 0 {
                    self.break_round(seen).map_err(Denial::Corrupt)?;
                }
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Gives place `number` up.
    pub fn leave(self, number: usize) {
        if let Some(place) = self.places.get(number) {
            place.store(0, Release);
        }
    }

    /// Counts one more.
    pub fn arrive(self) -> Result<Arrival, Breach> {
        let parties = self.places.len() as u64;
        for _ in 0..MOST_TURNS {
            let found = self.word.load(Relaxed);
            if found & BROKEN != 0 {
                return Err(Breach::Broken);
            }
            let index = found >> ARRIVED_SHIFT & ARRIVED;
            if index >= parties {
                break;
            }
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            let (word, arrival) = if index + 1 == parties {
                (Self::next_round(found, 0), Arrival::Completed(number))
            } else {
                let begun = found + ARRIVAL;
                (begun, Arrival::Waits { index: number, begun })
            };
            // ORDERING(round): what each did before it arrived is visible to all once the round is completed.
            if self.word.compare_exchange(found, word, AcqRel, Relaxed).is_ok() {
                if index + 1 == parties && found & WAITED != 0 {
                    self.word.wake(u32::MAX);
                }
                return Ok(arrival);
            }
        }
        Err(Breach::Denied(Denial::Corrupt(Corruption::Lock)))
    }

    /// The word of the round after that of `found`, with nobody in it; `reset` is zero or [`RESET`].
    fn next_round(found: u64, reset: u64) -> u64 {
        (found & u64::MAX << 32).wrapping_add(reset) | (found + 1) & ROUNDS
    }

    /// What became of the round that began as `begun`, if anything has.
    fn outcome(begun: u64, found: u64) -> Option<Result<(), Breach>> {
        let rounds = found.wrapping_sub(begun) & ROUNDS;
        // All bits of them: rounds alone are back at the same number after 65,536 resets.
        let resets = (found >> 32).wrapping_sub(begun >> 32) & u64::MAX >> 32;
        match rounds.wrapping_sub(resets) & ROUNDS {
            0 if resets == 0 && found & BROKEN == 0 => None,
            0 => Some(Err(Breach::Broken)),
            _ => Some(Ok(())),
        }
    }

    /// One attempt of a party to see the end of the round in which it arrived as `begun`.
    pub fn attempt(
        self,
        begun: u64,
        look: Look,
        fate: impl Fn(Holder) -> Fate,
    ) -> Turn<Result<(), Breach>> {
        attempt(|| {
            // ORDERING(round): pairs with the compare-and-swap in `arrive`.
            let found = self.word.load(Acquire);
            if let Some(outcome) = Self::outcome(begun, found) {
                return outcome.map(|()| Some(Turn::Ready(())));
            }
            if look.overdue && self.has_dead(&fate)? {
                self.break_round(found).map_err(Denial::Corrupt)?;
                return Ok(None);
            }
            Ok(mark(self.word, found, look).map(|word| Turn::Asleep { word, holder: None }))
        })
    }

    /// Whether any party is dead.
    fn has_dead(self, fate: impl Fn(Holder) -> Fate) -> Result<bool, Denial> {
        for place in self.places {
            if is_of_the_dead(place.load(Acquire), &fate)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Breaks the round in which a party arrived as `begun` and does not wait any more, unless it has ended.
    pub fn give_up(self, begun: u64) -> Result<(), Breach> {
        match Self::outcome(begun, self.word.load(Acquire)) {
            Some(outcome) => outcome,
            None => match self.break_round(begun) {
                Ok(()) => {
                    Self::outcome(begun, self.word.load(Acquire)).unwrap_or(Err(Breach::Broken))
                }
                Err(what) => Err(Breach::Denied(Denial::Corrupt(what))),
            },
        }
    }

    /// Breaks the round of `seen` if anybody has arrived in it and it still goes on, and wakes all who wait.
    fn break_round(self, seen: u64) -> Result<(), Corruption> {
        for _ in 0..MOST_TURNS {
            let found = self.word.load(Acquire);
            let is_over = Self::outcome(seen, found).is_some();
            if is_over || found >> ARRIVED_SHIFT & ARRIVED == 0 {
                return Ok(());
            }
            let word = found & !WAITED | BROKEN;
            // ORDERING(round): as in `arrive`.
            if self.word.compare_exchange(found, word, AcqRel, Relaxed).is_ok() {
                if found & WAITED != 0 {
                    self.word.wake(u32::MAX);
                }
                return Ok(());
            }
        }
        Err(Corruption::Lock)
    }

    /// Begins anew, with nobody in the round. Who waits in this one finds it broken.
    pub fn reset(self) -> Result<(), Corruption> {
        for _ in 0..MOST_TURNS {
            let found = self.word.load(Acquire);
            let word = Self::next_round(found, RESET);
            // ORDERING(round): as in `arrive`.
            if self.word.compare_exchange(found, word, AcqRel, Relaxed).is_ok() {
                if found & WAITED != 0 {
                    self.word.wake(u32::MAX);
                }
                return Ok(());
            }
        }
        Err(Corruption::Lock)
    }

    /// How many wait, when it looked.
    pub fn waiting(self) -> usize {
        (self.word.load(Relaxed) >> ARRIVED_SHIFT & ARRIVED) as usize
    }

    /// Whether the round is broken, when it looked.
    pub fn is_broken(self) -> bool {
        self.word.load(Relaxed) & BROKEN != 0
    }
}

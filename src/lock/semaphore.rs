//! A semaphore: one word, `[0:32 | waited:1 | count:31]`. Nobody owns what is counted: whoever has something to tell releases,
//! whoever waits for it acquires, and a death changes nothing.
//!
//! The count is the difference to what the semaphore began with, modulo 2^31, so that zero is a new one. Who releases takes the
//! mark [`WAITED`] away and wakes as many as there is something for; who has slept and acquires puts it back, since others may
//! sleep, and if more is left wakes another: a second release may have come while the mark was away.

use super::met::{attempt, mark};
use super::{Acquire, Relaxed, Release};
use super::{Denial, MOST_TURNS, WAITED};
use crate::event::{Look, Turn};
use crate::primitive::LockWord;
use crate::ring::Corruption;

const COUNT: u64 = WAITED - 1;

/// What its word is made of.
pub const PARTS: [(&str, u64); 3] = [("zero", u64::MAX << 32), ("waited", WAITED), ("more", COUNT)];

/// A semaphore.
#[derive(Clone, Copy, Debug)]
pub struct Semaphore<'a> {
    word: &'a LockWord,
    initial: u32,
    most: u32,
}

/// Why nothing was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Then there were more than there may be; so many there are.
    Beyond(u32),
    /// What no correct member writes.
    Corrupt(Corruption),
}

impl<'a> Semaphore<'a> {
    /// The semaphore that `word` is, which began with `initial` and may have `most`.
    pub fn new(word: &'a LockWord, initial: u32, most: u32) -> Self {
        Self { word, initial, most }
    }

    /// The word to sleep on.
    pub fn word(self) -> &'a LockWord {
        self.word
    }

    /// How many there are by `found`; nothing if that cannot be.
    #[inline(always)]
    fn count(self, found: u64) -> Option<u32> {
        let count = (found & COUNT).wrapping_add(self.initial.into()) & COUNT;
        u32::try_from(count).ok().filter(|count| *count <= self.most && found >> 32 == 0)
    }

    #[inline(always)]
    fn word_of(self, count: u32, mark: u64) -> u64 {
        u64::from(count).wrapping_sub(self.initial.into()) & COUNT | mark
    }

    /// Acquires one if there is one and nobody else is at it.
    #[inline]
    pub fn acquire_at_once(self) -> bool {
        let found = self.word.load(Relaxed);
        let Some(count) = self.count(found).filter(|count| *count > 0) else { return false };
        let left = self.word_of(count - 1, found & WAITED);
        // ORDERING(permit): as in `attempt`.
        self.word.compare_exchange(found, left, Acquire, Relaxed).is_ok()
    }

    /// One attempt to acquire one. `slept` is whether an attempt of this wait has had it sleep.
    pub fn attempt(self, slept: &mut bool, look: Look) -> Turn<Result<(), Denial>> {
        attempt(|| {
            let found = self.word.load(Relaxed);
            let count = self.count(found).ok_or(Denial::Corrupt(Corruption::Lock))?;
            if count > 0 {
                let mark = if *slept { WAITED } else { found & WAITED };
                let left = self.word_of(count - 1, mark);
                // ORDERING(permit): what came before a release is visible.
                if self.word.compare_exchange(found, left, Acquire, Relaxed).is_err() {
                    return Ok(None);
                }
                if *slept && count > 1 {
                    self.word.wake(1);
                }
                return Ok(Some(Turn::Ready(())));
            }
            let marked = mark(self.word, found, look);
            *slept |= look.last && marked.is_some();
            Ok(marked.map(|word| Turn::Asleep { word, holder: None }))
        })
    }

    /// Adds `more` if nobody waits, there is room, and nobody else is at it.
    #[inline]
    pub fn release_at_once(self, more: u32) -> bool {
        let found = self.word.load(Relaxed);
        let sum = self.count(found).and_then(|count| count.checked_add(more));
        let Some(sum) = sum.filter(|sum| *sum <= self.most && found & WAITED == 0) else {
            return false;
        };
        // ORDERING(permit): as in `release`.
        self.word.compare_exchange(found, self.word_of(sum, 0), Release, Relaxed).is_ok()
    }

    /// Adds `more`.
    pub fn release(self, more: u32) -> Result<(), Excess> {
        if more == 0 {
            return Ok(());
        }
        for _ in 0..MOST_TURNS {
            let found = self.word.load(Relaxed);
            let Some(count) = self.count(found) else { break };
            let Some(sum) = count.checked_add(more).filter(|sum| *sum <= self.most) else {
                return Err(Excess::Beyond(count));
            };
            let word = self.word_of(sum, 0);
            // ORDERING(permit): what was done before is visible to who acquires it; pairs with `attempt`.
            if self.word.compare_exchange(found, word, Release, Relaxed).is_ok() {
                if found & WAITED != 0 {
                    self.word.wake(more);
                }
                return Ok(());
            }
        }
        Err(Excess::Corrupt(Corruption::Lock))
    }

    /// How many there are, when it looked.
    pub fn available(self) -> u32 {
        self.count(self.word.load(Relaxed)).unwrap_or(0)
    }
}

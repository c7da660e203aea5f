//! A flag: one word, `[0:32 | waited:1 | turns:30 | set:1]`. Turns count how often it was set, so that one who waits has not
//! missed it although it was cleared at once.

use super::met::{attempt, mark};
use super::{AcqRel, Acquire, Relaxed};
use super::{Denial, MOST_TURNS, WAITED};
use crate::event::{Look, Turn};
use crate::primitive::LockWord;
use crate::ring::Corruption;

const SET: u64 = 1;
const TURN: u64 = 2;
const TURNS: u64 = WAITED - TURN;

/// What its word is made of.
pub const PARTS: [(&str, u64); 4] =
    [("zero", u64::MAX << 32), ("waited", WAITED), ("turns", TURNS), ("set", SET)];

/// A flag.
#[derive(Clone, Copy, Debug)]
pub struct Flag<'a> {
    word: &'a LockWord,
}

impl<'a> Flag<'a> {
    /// The flag that `word` is.
    pub fn new(word: &'a LockWord) -> Self {
        Self { word }
    }

    /// The word to sleep on.
    pub fn word(self) -> &'a LockWord {
        self.word
    }

    /// Sets it and wakes everybody. Says whether it was not set.
    pub fn set(self) -> Result<bool, Corruption> {
        for _ in 0..MOST_TURNS {
            let found = self.word.load(Relaxed);
            let is_new = found & SET == 0;
            let word =
                if is_new { (found & TURNS).wrapping_add(TURN) & TURNS | SET } else { found };
            // ORDERING(flag): what was done before is visible to whoever sees it set, also by who finds it set already.
            if self.word.compare_exchange(found, word, AcqRel, Relaxed).is_ok() {
                if is_new && found & WAITED != 0 {
                    self.word.wake(u32::MAX);
                }
                return Ok(is_new);
            }
        }
        Err(Corruption::Lock)
    }

    /// Clears it. Says whether it was set.
    pub fn clear(self) -> bool {
        // ORDERING(flag): Acquire as well, since what was done before any `set` that this undoes is looked at next.
        self.word.fetch_and(!SET, AcqRel) & SET != 0
    }

    /// Whether it is set, when it looked.
    pub fn is_set(self) -> bool {
        // ORDERING(flag): pairs with `set`.
        self.word.load(Acquire) & SET != 0
    }

    /// What a wait that begins now goes by.
    pub fn now(self) -> u64 {
        self.word.load(Acquire)
    }

    /// One attempt to see it set, or that it was since `begun`.
    pub fn attempt(self, begun: u64, look: Look) -> Turn<Result<(), Denial>> {
        attempt(|| {
            // ORDERING(flag): pairs with `set`.
            let found = self.word.load(Acquire);
            if found & SET != 0 || found & TURNS != begun & TURNS {
                return Ok(Some(Turn::Ready(())));
            }
            Ok(mark(self.word, found, look).map(|word| Turn::Asleep { word, holder: None }))
        })
    }
}

//! A gate: where threads sleep for what is said elsewhere, and are let through. One word, `[sleeps:32 | calls:32]`: how many sleeps
//! were about to begin, how often somebody called.
//!
//! A sleeper counts itself (which also reads the calls), looks once more for what it waits for, and sleeps while there was no
//! call. **Few calls are in vain**: who called and woke nobody, and finds the sleeps as they were then, need not ask the kernel again:
//! who had counted itself by then has seen an older number of calls and does not fall asleep; who counts itself later is
//! seen in `sleeps`. As in `event`, but the two numbers are read at once.

use std::sync::atomic::{AtomicU64 as Private, Ordering::Relaxed as Private_};

use super::{Acquire, SeqCst};
use crate::primitive::{LockWord, passed_rmw};

const SLEEP: u64 = 1 << 32;
const CALLS: u64 = SLEEP - 1;

/// What its word is made of.
pub const PARTS: [(&str, u64); 2] = [("sleeps", !CALLS), ("calls", CALLS)];

/// A gate.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'a> {
    word: &'a LockWord,
}

/// What one handle remembers of its calls at a gate: how many sleeps there had been when it last woke nobody, and one.
#[derive(Debug, Default)]
pub struct Settled(Private);

impl<'a> Gate<'a> {
    /// The gate that `word` is.
    pub fn new(word: &'a LockWord) -> Self {
        Self { word }
    }

    /// The word to sleep on.
    pub fn word(self) -> &'a LockWord {
        self.word
    }

    /// Counts a sleep. Gives the word during whose calls it may be; a look comes between.
    pub fn about_to_sleep(self) -> u64 {
        // ORDERING(gate): before the look; pairs with the load or the count in `call`.
        let before = self.word.fetch_add(SLEEP, SeqCst);
        passed_rmw();
        before.wrapping_add(SLEEP)
    }

    /// Whether somebody has called since `seen`.
    pub fn was_called(self, seen: u64) -> bool {
        // ORDERING(gate): what was done before the call is visible.
        self.word.load(Acquire) & CALLS != seen & CALLS
    }

    /// Calls, and wakes up to `count`. Whoever began to wait before sees that it was called.
    pub fn call(self, count: u32, settled: &Settled) {
        // ORDERING(gate): what was done before is visible to who sees the call.
        let before = self.word.fetch_add(1, SeqCst);
        let sleeps = (before >> 32) + 1;
        if settled.0.load(Private_) != sleeps && self.word.wake(count) == 0 {
            settled.0.store(sleeps, Private_);
        }
    }

    /// Calls if anybody may sleep. For changes that sleepers look for themselves, by a sequentially consistent
    /// read-modify-write that was just passed.
    pub fn call_sleepers(self, count: u32, settled: &Settled) {
        passed_rmw();
        // ORDERING(gate): after the change; pairs with the count in `about_to_sleep`.
        let sleeps = (self.word.load(SeqCst) >> 32) + 1;
        if settled.0.load(Private_) != sleeps {
            self.call(count, settled);
        }
    }
}

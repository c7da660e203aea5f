//! What an attempt does that finds somebody in its way: asks whether that one lives, if it is time to, and marks the word, if it
//! is about to sleep.

use super::holder::Holder;
use super::{Denial, Fate, WAITED};
use crate::event::Look;
use crate::primitive::LockWord;
use crate::primitive::Ordering::Relaxed;
use crate::ring::Corruption;

/// What came of meeting somebody.
#[derive(Clone, Copy, Debug)]
pub enum Met {
    /// It is dead: what it had is there to be taken.
    Dead,
    /// The word says something else by now.
    Changed,
    /// Who waits may sleep while the word is this.
    Asleep(u64),
    /// The lock cannot be had.
    Denied(Denial),
}

/// Meets `holder`, of whom `word` was `found` to say it.
#[cold]
pub fn meet(
    word: &LockWord,
    found: u64,
    holder: Holder,
    look: Look,
    fate: impl Fn(Holder) -> Fate,
) -> Met {
    match if look.overdue { fate(holder) } else { Fate::Lives } {
        Fate::Lives => mark(word, found, look).map_or(Met::Changed, Met::Asleep),
        Fate::Dead => Met::Dead,
        Fate::Impossible => Met::Denied(Denial::Corrupt(Corruption::Lock)),
        Fate::Unseen => Met::Denied(Denial::Blind),
    }
}

/// Marks `word`, which was `found`, if whoever looks sleeps next. Gives what it is then; nothing if it was something else.
pub fn mark(word: &LockWord, found: u64, look: Look) -> Option<u64> {
    let marked = found | WAITED;
    // Relaxed: it only marks the word of another, whose release it leaves as it is.
    let is_marked = !look.last
        || found == marked
        || word.compare_exchange(found, marked, Relaxed, Relaxed).is_ok();
    is_marked.then_some(marked)
}

//! A mutex: one word, which names its holder.
//!
//! ```text
//! free        [0 | 0 | inconsistent | 0 | 0]
//! held        [incarnation | waited | inconsistent | thread | member]
//! ```
//!
//! *Lock* is a compare-and-swap from zero to the own name, *unlock* a swap back; the only others that change the word of a
//! mutex that is held are waiters, who set [`WAITED`] before they sleep, and who take it over from the dead. Who unlocks
//! finds the mark and wakes one. That one may not be the only sleeper, so who has slept locks with the mark set.
//!
//! *Take-over*: from the very word that names the dead to the own name, marked inconsistent; only one can. A number that was
//! used again names another incarnation, so a word that names an older one is of the dead.

use super::holder::Holder;
use super::met::{attempt, in_the_way, meet};
use super::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use super::{Denial, Fate, Held, INCONSISTENT, WAITED};
use crate::event::{Look, Turn};
use crate::primitive::LockWord;

/// A mutex.
#[derive(Clone, Copy, Debug)]
pub struct Mutex<'a> {
    word: &'a LockWord,
}

impl<'a> Mutex<'a> {
    /// The mutex that `word` is.
    pub fn new(word: &'a LockWord) -> Self {
        Self { word }
    }

    /// The word to sleep on.
    pub fn word(self) -> &'a LockWord {
        self.word
    }

    /// Locks it for `me` if it is free and nobody died with it.
    #[inline(always)]
    pub fn lock_at_once(self, me: Holder) -> Option<Held> {
        // ORDERING(unlock): what its last holder did is visible. ORDERING(holder): whoever finds the name sees what the
        // member's record said before.
        let taken = self.word.compare_exchange(0, me.bits(), AcqRel, Relaxed);
        taken.is_ok().then_some(Held { inconsistent: false })
    }

    /// One attempt of `me` to lock it. `slept` is whether an attempt of this wait has had it sleep; `fate` finds out
    /// about a holder.
    #[inline]
    pub fn attempt(
        self,
        me: Holder,
        slept: &mut bool,
        look: Look,
        fate: impl Fn(Holder) -> Fate,
    ) -> Turn<Result<Held, Denial>> {
        // Relaxed: if it is free the swap looks again.
        let found = self.word.load(Relaxed);
        if Holder::is_none(found)
            && let Some(held) = self.lock_free(me, found, *slept)
        {
            return Turn::Ready(Ok(held));
        }
        self.attempt_beside(me, slept, look, fate)
    }

    /// The same where somebody has it, or is just faster.
    #[cold]
    fn attempt_beside(
        self,
        me: Holder,
        slept: &mut bool,
        look: Look,
        fate: impl Fn(Holder) -> Fate,
    ) -> Turn<Result<Held, Denial>> {
        attempt(|| {
            // ORDERING(holder): Acquire, as the record of who is named is read next.
            let found = self.word.load(Acquire);
            let Some(holder) = in_the_way(found, me)? else {
                return Ok(self.lock_free(me, found, *slept).map(Turn::Ready));
            };
            let take_over = || self.take_over(me, found);
            let turn = meet(self.word, found, holder, look, &fate, take_over)?;
            *slept |= look.last && matches!(turn, Some(Turn::Asleep { .. }));
            Ok(turn)
        })
    }

    /// Locks it as it was found free. Who has slept cannot know whether others do: it leaves them the mark.
    fn lock_free(self, me: Holder, found: u64, slept: bool) -> Option<Held> {
        let inconsistent = found & INCONSISTENT;
        let mark = if slept { WAITED } else { found & WAITED };
        // ORDERING(unlock), ORDERING(holder): as in `lock_at_once`. ORDERING(readers): SeqCst, as the writer of a rwlock next looks
        // at the counts of readers.
        let taken =
            self.word.compare_exchange(found, me.bits() | inconsistent | mark, SeqCst, Relaxed);
        taken.is_ok().then_some(Held { inconsistent: inconsistent != 0 })
    }

    /// Takes it over from a dead holder, as it was found. Others may sleep, and whoever was to wake them is dead.
    fn take_over(self, me: Holder, found: u64) -> Option<Held> {
        let word = me.bits() | INCONSISTENT | WAITED;
        // ORDERING(holder): as in `lock_at_once`; ORDERING(readers): as in `lock_free`; that the dead one's stores are visible is the kernel's doing.
        let taken = self.word.compare_exchange(found, word, SeqCst, Relaxed);
        taken.is_ok().then_some(Held { inconsistent: true })
    }

    /// Gives it back, inconsistent if `held` still is, and wakes one who sleeps.
    #[inline(always)]
    #[allow(clippy::needless_pass_by_value, reason = "who gives a lock back has used it up")]
    pub fn unlock(self, held: Held) {
        let left = if held.inconsistent { INCONSISTENT } else { 0 };
        // ORDERING(unlock): what was done under the lock is visible to the next; pairs with the compare-and-swaps above.
        let before = self.word.swap(left, Release);
        if before & WAITED != 0 {
            self.wake();
        }
    }

    /// Apart: rare, and a system call.
    #[cold]
    fn wake(self) {
        self.word.wake(1);
    }

    /// Who has it, when it looked.
    pub fn holder(self) -> Option<Holder> {
        Holder::of(self.word.load(Relaxed))
    }

    /// Whether it was left inconsistent, when it looked.
    pub fn is_inconsistent(self) -> bool {
        self.word.load(Relaxed) & INCONSISTENT != 0
    }
}

//! A lock for many readers or one writer: a word that names the writer, as of a mutex, and for each member a word that counts
//! its readers, `[incarnation:32 | waited:1 | count:31]`.
//!
//! *Read*: count oneself, then look for a writer. There is one: uncount, wait for it. *Write*: take the writer's word, so that
//! nobody comes any more, then wait until each member's count is zero. Both by a sequentially consistent read-modify-write
//! before the look, so a reader and a writer cannot both miss each other. A writer that waits for readers to leave thus keeps
//! new ones out: readers that keep coming cannot hold it up. Writers that keep coming can hold up readers.
//!
//! *The dead.* A count of a dead member, or of an earlier incarnation, is of nobody: a writer passes it over, and the next
//! with that number begins at zero. A dead writer's word is taken over by the next writer; a reader makes it free and
//! inconsistent.

use super::holder::Holder;
use super::met::{attempt, in_the_way, meet};
use super::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use super::{Denial, Fate, Held, INCONSISTENT, MOST_TURNS, WAITED};
use crate::error::MemberId;
use crate::event::{Look, Turn};
use crate::primitive::{LockWord, passed_rmw};
use crate::ring::Corruption;

const COUNT: u64 = WAITED - 1;
/// More readers than one member can have.
const MOST_READERS: u64 = 1 << 30;

/// Words of readers that are looked at as one.
const TOGETHER: usize = 16;

/// What a member's word of readers is made of.
pub const READERS: [(&str, u64); 3] =
    [("incarnation", u64::MAX << 32), ("waited", WAITED), ("count", COUNT)];

/// A lock for many readers or one writer.
#[derive(Clone, Copy, Debug)]
pub struct RwLock<'a> {
    writer: &'a LockWord,
    readers: &'a [LockWord],
}

impl<'a> RwLock<'a> {
    /// The lock that `writer` is, with a word of `readers` for each member.
    pub fn new(writer: &'a LockWord, readers: &'a [LockWord]) -> Self {
        Self { writer, readers }
    }

    /// The writer's word, to sleep on.
    pub fn word(self) -> &'a LockWord {
        self.writer
    }

    /// The word that counts the readers of member `number`, to sleep on.
    pub fn readers(self, number: usize) -> &'a LockWord {
        &self.readers[number]
    }

    /// Has the readers of `me` counted from now on, if they are not yet.
    pub fn enroll(self, me: Holder) -> Result<(), Corruption> {
        let word = self.readers.get(me.member().index()).ok_or(Corruption::Member)?;
        for _ in 0..MOST_TURNS {
            let found = word.load(Relaxed);
            let fresh = me.incarnation() << 32;
            if found >> 32 == me.incarnation()
                || word.compare_exchange(found, fresh, AcqRel, Relaxed).is_ok()
            {
                return Ok(());
            }
        }
        Err(Corruption::Lock)
    }

    /// Counts `me` as a reader if no writer is there and none died.
    #[inline(always)]
    pub fn read_at_once(self, me: Holder) -> Option<Held> {
        if self.writer.load(Relaxed) != 0 {
            return None;
        }
        let count = &self.readers[me.member().index()];
        // ORDERING(readers): before the look for a writer; pairs with the writer's claim and its look at the counts.
        let before = count.fetch_add(1, SeqCst);
        passed_rmw();
        // ORDERING(unlock): what the last writer did is visible.
        if self.writer.load(SeqCst) == 0 && before & COUNT < MOST_READERS {
            return Some(Held { inconsistent: false });
        }
        self.leave(me);
        None
    }

    /// One attempt of `me` to read.
    pub fn attempt_to_read(
        self,
        me: Holder,
        look: Look,
        fate: impl Fn(Holder) -> Fate,
    ) -> Turn<Result<Held, Denial>> {
        attempt(|| {
            // ORDERING(holder): Acquire, as the record of who is named is read next.
            let found = self.writer.load(Acquire);
            let Some(holder) = in_the_way(found, me)? else {
                return Ok(self.read_beside(me)?.map(Turn::Ready));
            };
            let bury = || self.bury_writer(found);
            meet(self.writer, found, holder, look, &fate, bury)
        })
    }

    /// Counts `me` as a reader unless a writer has come.
    fn read_beside(self, me: Holder) -> Result<Option<Held>, Denial> {
        // ORDERING(readers): as in `read_at_once`.
        let before = self.readers[me.member().index()].fetch_add(1, SeqCst);
        passed_rmw();
        // ORDERING(unlock): as in `read_at_once`.
        let found = self.writer.load(SeqCst);
        if Holder::of(found).is_some() || before & COUNT >= MOST_READERS {
            self.leave(me);
            let corrupt = Denial::Corrupt(Corruption::Lock);
            return if before & COUNT >= MOST_READERS { Err(corrupt) } else { Ok(None) };
        }
        Ok(Some(Held { inconsistent: found & INCONSISTENT != 0 }))
    }

    /// Makes the word of a dead writer free, which is nobody's turn yet.
    fn bury_writer<R>(self, found: u64) -> Option<R> {
        // ORDERING(unlock): that the dead one's stores are visible is the kernel's doing, and goes on to who reads next.
        let freed = self.writer.compare_exchange(found, INCONSISTENT, AcqRel, Relaxed);
        if freed.is_ok() && found & WAITED != 0 {
            self.writer.wake(u32::MAX);
        }
        None
    }

    /// Gives back what a reader had.
    #[inline(always)]
    #[allow(clippy::needless_pass_by_value, reason = "who gives a lock back has used it up")]
    pub fn unlock_read(self, me: Holder, held: Held) {
        let _ = held;
        self.leave(me);
    }

    #[inline(always)]
    fn leave(self, me: Holder) {
        let count = &self.readers[me.member().index()];
        // ORDERING(readers): what was read was read; pairs with the Acquire in `attempt_to_drain`.
        let before = count.fetch_sub(1, Release);
        if before & (WAITED | COUNT) == WAITED | 1 {
            Self::wake_writer(count, before - 1);
        }
    }

    /// The last reader of a member has left one that a writer sleeps on.
    #[cold]
    fn wake_writer(count: &LockWord, found: u64) {
        // Somebody may have come meanwhile: then the mark stays for it.
        if count.compare_exchange(found, found & !WAITED, Relaxed, Relaxed).is_ok() {
            count.wake(u32::MAX);
        }
    }

    /// One attempt of `me` to keep others out. What it gives is a writer's only once each member's readers have left.
    pub fn attempt_to_claim(
        self,
        me: Holder,
        slept: &mut bool,
        look: Look,
        fate: impl Fn(Holder) -> Fate,
    ) -> Turn<Result<Held, Denial>> {
        let turn = super::mutex::Mutex::new(self.writer).attempt(me, slept, look, fate);
        // ORDERING(readers): the claim comes before the look at the counts; pairs with the readers' count.
        passed_rmw();
        turn
    }

    /// The first member from number `from` on that has readers, when it looked.
    #[inline]
    pub fn has_readers(self, from: usize) -> Option<MemberId> {
        // ORDERING(readers): as in `attempt_to_drain`.
        let count = |word: &LockWord| word.load(SeqCst) & COUNT;
        for (turn, words) in self.readers.get(from..)?.chunks(TOGETHER).enumerate() {
            // Most have none: one branch for all of these. Who has left since has been waited for.
            if words.iter().fold(0, |all, word| all | count(word)) != 0
                && let Some(first) = words.iter().position(|word| count(word) != 0)
            {
                return u16::try_from(from + turn * TOGETHER + first).ok().map(MemberId);
            }
        }
        None
    }

    /// One attempt of a writer that keeps others out to see that `member` has no reader left.
    pub fn attempt_to_drain(
        self,
        member: MemberId,
        look: Look,
        fate: impl Fn(Holder) -> Fate,
    ) -> Turn<Result<(), Denial>> {
        let word = &self.readers[member.index()];
        attempt(|| {
            // ORDERING(readers): pairs with the Release of who left.
            let found = word.load(SeqCst);
            if found & COUNT == 0 {
                return Ok(Some(Turn::Ready(())));
            }
            let bury = || Self::bury_readers(word, found);
            meet(word, found, Holder::new(member, found >> 32), look, &fate, bury)
        })
    }

    /// Makes the word of a dead member's readers say that there are none.
    fn bury_readers<R>(word: &LockWord, found: u64) -> Option<R> {
        let freed = found & u64::MAX << 32;
        // That what the dead one read was read is the kernel's doing.
        let _ = word.compare_exchange(found, freed, AcqRel, Relaxed);
        None
    }

    /// Gives back what a writer had, or what one had that did not come to write, and wakes all who wait for it.
    #[inline(always)]
    #[allow(clippy::needless_pass_by_value, reason = "who gives a lock back has used it up")]
    pub fn unlock_write(self, held: Held) {
        let left = if held.inconsistent { INCONSISTENT } else { 0 };
        // ORDERING(unlock): what was written is visible to whoever reads or writes next.
        let before = self.writer.swap(left, Release);
        if before & WAITED != 0 {
            self.wake_all();
        }
    }

    #[cold]
    fn wake_all(self) {
        self.writer.wake(u32::MAX);
    }

    /// Whether it was left inconsistent, when it looked.
    pub fn is_inconsistent(self) -> bool {
        self.writer.load(Relaxed) & INCONSISTENT != 0
    }
}

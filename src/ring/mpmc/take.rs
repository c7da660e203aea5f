//! The consumers' half: claim filled slots, acknowledge.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use std::sync::Arc;

use super::super::Corruption;
use super::super::pace::SharedPace;
use super::super::reap::resolve;
use super::super::slab::Block;
use super::super::word::{CursorWord, RedeliverWord, SlotWord, State, after, before};
use super::ahead::Ahead;
use super::fill::NOWHERE;
use super::redeliver::Sweeper;
use super::{Attempts, Ring};
use crate::error::MemberId;
use crate::primitive::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::primitive::{ContestedU64, Message, overwrite, passed_rmw};

/// Why a consumer gets no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dry {
    /// Nothing is committed.
    Empty,
    /// The message that comes next was claimed by a member that has not committed it yet.
    Busy(MemberId),
    /// The ring is closed, and everything accepted was taken.
    Drained,
    /// An aborted slot was given back on the way: tell the producers, and try again.
    Skipped,
    /// Shared memory holds what no correct member writes.
    Corrupt(Corruption),
}

impl From<Corruption> for Dry {
    fn from(what: Corruption) -> Self {
        Dry::Corrupt(what)
    }
}

/// What one receiving handle remembers.
#[derive(Debug)]
pub struct ConsumerSide {
    pub(super) member: MemberId,
    /// As for a producer.
    next: ContestedU64,
    ahead: Ahead,
    pace: SharedPace,
    /// What is known of messages to deliver again.
    pub(super) sweeper: Arc<Sweeper>,
}

impl ConsumerSide {
    /// A handle of `member` that has claimed nothing yet. Those of one process may share what they know of messages to
    /// deliver again.
    pub fn new(member: MemberId, sweeper: &Arc<Sweeper>) -> Self {
        Self {
            member,
            next: ContestedU64::new(NOWHERE),
            ahead: Ahead::default(),
            pace: SharedPace::default(),
            sweeper: Arc::clone(sweeper),
        }
    }

    /// Whether it was this very handle that made the last claim before `position`, and stamped it.
    #[inline(always)]
    fn claimed_before(&self, position: u64) -> bool {
        // ORDERING(stamp): pairs with the Release of a thread that shares the handle.
        self.next.load(Acquire) == position
    }

    /// What is known of messages to deliver again.
    pub fn sweeper(&self) -> &Arc<Sweeper> {
        &self.sweeper
    }
}

/// A claim to read: a slot in READING. There is one of these for each such claim, and it serves the ring that it was
/// made in only.
#[derive(Debug)]
pub struct Taken {
    position: u64,
    /// Where its slot lies.
    index: usize,
    /// The slot's word.
    pub(super) word: SlotWord,
    pub(super) len: usize,
    /// Where the message is, if it was measured and is not in the slot.
    pub(super) block: Option<Block>,
    ring: usize,
}

impl Taken {
    /// How long its message is, of bytes, once it was measured.
    pub fn measured(&self) -> usize {
        self.len
    }

    /// How often the message was delivered before, as far as counted: 15 stands for more.
    pub fn tries(&self) -> u32 {
        self.word.tries()
    }
}

impl<M: Message + ?Sized> Ring<'_, M> {
    /// Claims the next message and stamps it, if it meets no obstacle: nobody else, no claim without a stamp, nothing
    /// that comes again.
    ///
    /// In line, and apart from [`take`](Self::take), so that the rest costs no register where it counts.
    #[inline(always)]
    pub fn take_at_once(&self, side: &ConsumerSide) -> Option<Taken> {
        // A copy in registers, as for producers.
        let (ring, member) = (*self, side.member.0);
        // ORDERING(head), ORDERING(filled), ORDERING(claims), ORDERING(stamp): as in `claim_filled`.
        let head = &ring.header.head;
        let seen = CursorWord(head.head.load(Acquire));
        let position = seen.position();
        let (index, filled) = (ring.geometry.index(position), ring.geometry.filled(position));
        let slot = ring.slots.word(index);
        let runs = side.claimed_before(position);
        if slot.load(Acquire) != filled.0
            || RedeliverWord(head.redeliver.load(Relaxed)).is_pending()
            || !(runs || ring.is_last_taking_stamped(position))
        {
            return None;
        }
        let claimed = CursorWord::new(after(position, 1), member);
        head.head.compare_exchange(seen.0, claimed.0, SeqCst, Relaxed).ok()?;
        passed_rmw();
        let word = filled.reading(member);
        ring.assert_edge(index, &[filled, word]);
        overwrite(slot, word.0, Release);
        side.next.store(claimed.position(), Release);
        if runs {
            ring.fetch_to_take(&side.ahead, position);
        }
        Some(Taken { position, index, word, len: 0, block: None, ring: ring.identity() })
    }

    /// Claims the next message. The numbers are those of DESIGN.md §5, Receive.
    #[inline(never)]
    pub fn take(&self, side: &ConsumerSide) -> Result<Taken, Dry> {
        // 1. A hint here; `take_again` looks for itself.
        if self.has_again()
            && let Some((position, word)) = self.take_again(side)
        {
            return Ok(self.taken(position, word));
        }
        let (position, _) = self.claim_filled(side, 1)?;
        Ok(self.taken(position, self.geometry.reading(position, side.member.0)))
    }

    fn taken(&self, position: u64, word: SlotWord) -> Taken {
        let index = self.geometry.index(position);
        Taken { position, index, word, len: 0, block: None, ring: self.identity() }
    }

    /// Claims up to `wanted` messages in a row by one swap, at least one, and stamps them upwards. Gives the
    /// first position and how many.
    pub(super) fn claim_filled(&self, side: &ConsumerSide, wanted: u64) -> Result<(u64, u64), Dry> {
        let head = &self.header.head.head;
        let mut attempts = Attempts::default();
        // 2. ORDERING(head): claims before it, and what was stamped before them, are visible.
        let mut seen = CursorWord(head.load(Acquire));
        loop {
            let first = seen.position();
            // 3. ORDERING(filled): pairs with the Release in `fill`: the message is written.
            let word = |count| SlotWord(self.word(after(first, count)).load(Acquire));
            // Once: a second look could find it filled, which then would not explain the first.
            let nearest = word(0);
            if nearest != self.geometry.filled(first) {
                seen = self.why_not_filled(side, seen, nearest)?;
                attempts.fail()?;
                continue;
            }
            let is_filled = |count| word(count) == self.geometry.filled(after(first, count));
            let most = wanted.min(self.capacity());
            let count = (1..most).find(|&count| !is_filled(count)).unwrap_or(most);
            // After the message was seen: until the swap nobody else has taken it, or that fails.
            if !self.stands() {
                return Err(Dry::Empty);
            }
            // 4.
            self.certify_taking(side, seen)?;
            // 5. ORDERING(head): Release for what was certified. ORDERING(claims): in one order with waiters.
            let claimed = CursorWord::new(after(first, count), side.member.0);
            match head.compare_exchange(seen.0, claimed.0, SeqCst, Acquire) {
                Ok(_) => {
                    passed_rmw();
                    (0..count).for_each(|n| self.stamp_taking(side, after(first, n)));
                    side.next.store(claimed.position(), Release);
                    return Ok((first, count));
                }
                Err(now) => seen = CursorWord(now),
            }
            attempts.lose()?;
        }
    }

    /// 6. The slot names its owner from now on.
    #[inline(always)]
    fn stamp_taking(&self, side: &ConsumerSide, position: u64) {
        let word = self.geometry.reading(position, side.member.0);
        // Filled, or stamped in its owner's name by a helper.
        self.assert_edge(self.geometry.index(position), &[self.geometry.filled(position), word]);
        // ORDERING(stamp): pairs with the Acquire of who certifies, and of a reaper that hands the message on.
        overwrite(self.word(position), word.0, Release);
    }

    /// 4. The claim that moved the head to where `seen` says is stamped, whoever made it.
    #[inline(always)]
    fn certify_taking(&self, side: &ConsumerSide, seen: CursorWord) -> Result<(), Dry> {
        let position = seen.position();
        let certified = side.claimed_before(position) || self.is_last_taking_stamped(position);
        if certified { Ok(()) } else { self.stamp_taking_for(seen) }
    }

    #[inline(always)]
    fn is_last_taking_stamped(&self, position: u64) -> bool {
        // ORDERING(stamp): as for producers.
        let last = before(position, 1);
        !self.is_unstamped(last, SlotWord(self.word(last).load(Acquire)))
    }

    /// Whether `found` is what the slot of `position` held before a consumer stamped it.
    #[inline(always)]
    fn is_unstamped(&self, position: u64, found: SlotWord) -> bool {
        found == self.geometry.filled(position) || found == self.geometry.aborted(position)
    }

    #[cold]
    fn stamp_taking_for(&self, seen: CursorWord) -> Result<(), Dry> {
        let owner = self.member(seen.member())?;
        let last = before(seen.position(), 1);
        if self.is_stamped_soon(last, |found| self.is_unstamped(last, found)) {
            return Ok(());
        }
        let mut freed = false;
        resolve(self, seen.position(), |position, found| match () {
            () if found == self.geometry.filled(position) => {
                Some(self.geometry.reading(position, owner.0))
            }
            () if found == self.geometry.aborted(position) => {
                freed = true;
                Some(self.geometry.next_vacant(position))
            }
            () => None,
        });
        if freed { Err(Dry::Skipped) } else { Ok(()) }
    }

    /// There is no message in the next slot: a newer head to try again with, or why not.
    #[inline(never)]
    fn why_not_filled(
        &self,
        side: &ConsumerSide,
        seen: CursorWord,
        word: SlotWord,
    ) -> Result<CursorWord, Dry> {
        let position = seen.position();
        if word == self.geometry.aborted(position) {
            return self.skip_aborted(side, seen);
        }
        // ORDERING(head): as above; after the slot's word, which therefore counts only if this is the same.
        let now = CursorWord(self.header.head.head.load(Acquire));
        if now != seen {
            return Ok(now);
        }
        let state = word.state().ok_or(Corruption::Slot)?;
        let member = self.member(word.member())?;
        if state == State::Writing && self.geometry.is_current(word, position) {
            return Err(Dry::Busy(member));
        }
        if self.is_nothing(word, state, position) {
            side.pace.missed(position);
            Err(self.drained(position))
        } else {
            Err(Corruption::Slot.into())
        }
    }

    /// Whether `word`, in `state` and not being written, says that there is no message at the head, which is at `position`.
    pub(super) fn is_nothing(&self, word: SlotWord, state: State, position: u64) -> bool {
        if self.geometry.is_current(word, position) {
            state == State::Vacant
        } else {
            // The head has passed it, so it is being read, or is to be read again. If the last claim was of as many
            // messages as there are slots, this one is its first, and filled until it is stamped; who passes over
            // aborted ones claims one at a time.
            let passed = match state {
                State::Reading | State::Redeliver | State::Filled => true,
                State::Aborted => self.capacity() == 1,
                State::Vacant | State::Writing => false,
            };
            passed && self.geometry.is_previous(word, position)
        }
    }

    /// Claims the next slot although there will be no message in it, and gives it back.
    #[cold]
    fn skip_aborted(&self, side: &ConsumerSide, seen: CursorWord) -> Result<CursorWord, Dry> {
        self.certify_taking(side, seen)?;
        let position = seen.position();
        let claimed = CursorWord::new(after(position, 1), side.member.0);
        // ORDERING(head), ORDERING(claims): as in `claim_filled`.
        let head = &self.header.head.head;
        match head.compare_exchange(seen.0, claimed.0, SeqCst, Acquire) {
            Ok(_) => {
                passed_rmw();
                let (aborted, vacant) =
                    (self.geometry.aborted(position), self.geometry.next_vacant(position));
                // ORDERING(vacant): a swap, since a helper may have been first, and a producer may be there.
                let _ = self.word(position).compare_exchange(aborted.0, vacant.0, AcqRel, Relaxed);
                side.next.store(claimed.position(), Release);
                Err(Dry::Skipped)
            }
            Err(now) => Ok(CursorWord(now)),
        }
    }

    /// The ring was found empty at `position`: whether that is for good.
    fn drained(&self, position: u64) -> Dry {
        // ORDERING(closed): pairs with the Release in `close`.
        if self.header.gate.closed.load(Acquire) == 0 {
            return Dry::Empty;
        }
        // ORDERING(tail): helps a closer that died half-way; no claim comes after this.
        let tail = CursorWord(self.header.tail.tail.fetch_or(CursorWord::CLOSED, SeqCst));
        // ORDERING(claims): a message that is put back is announced by a swap of this word.
        let again = RedeliverWord(self.header.head.redeliver.load(SeqCst));
        match () {
            () if tail.position() != position => match self.member(tail.member()) {
                Ok(member) => Dry::Busy(member),
                Err(what) => Dry::Corrupt(what),
            },
            () if again.is_pending() => Dry::Empty,
            () => Dry::Drained,
        }
    }

    /// The message of a claim was received. The caller then asks whether producers wait.
    #[inline(always)]
    pub fn acknowledge(&self, claim: Taken) {
        let index = self.slot_of_taken(&claim);
        if let Some(block) = claim.block {
            self.give_back(index, claim.word);
            return self.release_block(block, claim.position, claim.word.member());
        }
        // SAFETY: the slot is in READING for this member, which is done with it; the length was checked.
        unsafe { self.slots.keep_lines(index, claim.len) };
        self.give_back(index, claim.word);
    }

    /// Where the slot of a claim in this ring lies.
    #[inline(always)]
    pub(super) fn slot_of_taken(&self, claim: &Taken) -> usize {
        assert!(claim.ring == self.identity(), "a claim serves its own ring");
        claim.index
    }

    /// The position of a claim in this ring.
    pub(super) fn position_of(&self, claim: &Taken) -> u64 {
        assert!(claim.ring == self.identity(), "a claim serves its own ring");
        claim.position
    }

    /// 8. The slot, whose word is `word`, goes back to the producers.
    #[inline(always)]
    pub(super) fn give_back(&self, index: usize, word: SlotWord) {
        self.assert_edge(index, &[word]);
        // ORDERING(vacant): pairs with the Acquire in `claim_vacant`: the message was read.
        self.slots.word(index).store(self.geometry.next_vacant_of(word).0, Release);
    }
}

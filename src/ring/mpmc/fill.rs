//! The producers' half: claim vacant slots, write, commit.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use bytemuck::Pod;

use super::super::Corruption;
use super::super::pace::SharedPace;
use super::super::reap::resolve;
use super::super::slab::Block;
use super::super::word::{CursorWord, MessageWord, POSITION_MASK, SlotWord, State, after, before};
use super::ahead::Ahead;
use super::{Attempts, Ring};
use crate::error::MemberId;
use crate::primitive::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::primitive::{ContestedU64, Message, copy, overwrite, passed_rmw};

/// Why a producer gets no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The slot that comes next is not vacant yet.
    Full,
    /// Neither, and it is in the hands of that member, which reads what was in it.
    Held(MemberId),
    /// The ring is closed.
    Closed,
    /// Shared memory holds what no correct member writes.
    Corrupt(Corruption),
}

impl From<Corruption> for Refusal {
    fn from(what: Corruption) -> Self {
        Refusal::Corrupt(what)
    }
}

/// No position: beyond the last.
pub(super) const NOWHERE: u64 = POSITION_MASK + 1;

/// What one sending handle remembers.
#[derive(Debug)]
pub struct ProducerSide {
    pub(super) member: MemberId,
    /// The position behind the last claim that this handle made, and stamped: the one claim that it need not certify.
    ///
    /// A handle, not a member: another thread of the same member may have claimed and not stamped yet.
    next: ContestedU64,
    ahead: Ahead,
    pace: SharedPace,
}

impl ProducerSide {
    /// A handle of `member` that has claimed nothing yet.
    pub fn new(member: MemberId) -> Self {
        Self {
            member,
            next: ContestedU64::new(NOWHERE),
            ahead: Ahead::default(),
            pace: SharedPace::default(),
        }
    }

    /// Whether it was this very handle that made the last claim before `position`, and stamped it.
    #[inline(always)]
    fn claimed_before(&self, position: u64) -> bool {
        // ORDERING(stamp): pairs with the Release of a thread that shares the handle.
        self.next.load(Acquire) == position
    }
}

/// A claim to fill: a slot in WRITING. There is one of these for each such claim, and it serves the ring that it was
/// made in only.
#[derive(Debug)]
pub struct Filling {
    /// Where its slot lies.
    index: usize,
    /// The slot's word.
    pub(super) word: SlotWord,
    pub(super) len: usize,
    /// Where the message is, if that is not in the slot.
    pub(super) block: Option<Block>,
    ring: usize,
}

impl<M: Message + ?Sized> Ring<'_, M> {
    /// Claims the next slot and stamps it, if it meets no obstacle: nobody else, no claim without a stamp.
    ///
    /// In line, and apart from [`reserve`](Self::reserve), so that the rest costs no register where it counts.
    #[inline(always)]
    pub fn reserve_at_once(&self, side: &ProducerSide, len: usize) -> Option<Filling> {
        // A copy in registers: an atomic access may change anything that lies in memory.
        let (ring, member) = (*self, side.member.0);
        // ORDERING(tail), ORDERING(vacant), ORDERING(claims), ORDERING(stamp): as in `claim_vacant`.
        let tail = &ring.header.tail.tail;
        let seen = CursorWord(tail.load(Acquire));
        let (position, index) = (seen.position(), ring.geometry.index(seen.position()));
        let (slot, vacant) = (ring.slots.word(index), ring.geometry.vacant(position));
        let runs = side.claimed_before(position);
        if slot.load(Acquire) != vacant.0
            || seen.is_closed()
            || !(runs || ring.is_last_filling_stamped(position))
        {
            return None;
        }
        let claimed = CursorWord::new(after(position, 1), member);
        tail.compare_exchange(seen.0, claimed.0, SeqCst, Relaxed).ok()?;
        passed_rmw();
        let word = vacant.writing(member);
        ring.assert_edge(index, &[vacant, word]);
        overwrite(slot, word.0, Release);
        side.next.store(claimed.position(), Release);
        if runs {
            ring.fetch_to_fill(&side.ahead, position);
        }
        Some(Filling { index, word, len, block: None, ring: ring.identity() })
    }

    /// Claims the next slot, for a message of `len` bytes where bytes are sent.
    #[inline(never)]
    pub fn reserve(&self, side: &ProducerSide, len: usize) -> Result<Filling, Refusal> {
        let (position, _) = self.claim_vacant(side, 1)?;
        let index = self.geometry.index(position);
        let word = self.geometry.writing(position, side.member.0);
        Ok(Filling { index, word, len, block: None, ring: self.identity() })
    }

    /// Claims up to `wanted` slots in a row by one swap, at least one, and stamps them upwards. Gives the first
    /// position and how many. The numbers are those of DESIGN.md §5, Send.
    fn claim_vacant(&self, side: &ProducerSide, wanted: u64) -> Result<(u64, u64), Refusal> {
        let tail = &self.header.tail.tail;
        let mut attempts = Attempts::default();
        // 1. ORDERING(tail): claims before it, and what was stamped before them, are visible.
        let mut seen = CursorWord(tail.load(Acquire));
        loop {
            let first = seen.position();
            // 2. ORDERING(vacant): pairs with the Release in `give_back`: the last reader has left.
            let word = |count| SlotWord(self.word(after(first, count)).load(Acquire));
            // Once: a second look could find it vacant, which then would not explain the first.
            let nearest = word(0);
            if nearest != self.geometry.vacant(first) || seen.is_closed() {
                seen = self.why_not_vacant(side, seen, nearest)?;
                attempts.fail()?;
                continue;
            }
            let is_vacant = |count| word(count) == self.geometry.vacant(after(first, count));
            let most = wanted.min(self.capacity());
            let count = (1..most).find(|&count| !is_vacant(count)).unwrap_or(most);
            // 3.
            self.certify_filling(side, seen)?;
            // 4. ORDERING(tail): Release for what was certified. ORDERING(claims): in one order with waiters.
            let claimed = CursorWord::new(after(first, count), side.member.0);
            match tail.compare_exchange(seen.0, claimed.0, SeqCst, Acquire) {
                Ok(_) => {
                    passed_rmw();
                    (0..count).for_each(|n| self.stamp_filling(side, after(first, n)));
                    side.next.store(claimed.position(), Release);
                    return Ok((first, count));
                }
                Err(now) => seen = CursorWord(now),
            }
            attempts.lose()?;
        }
    }

    /// 5. The slot names its owner from now on.
    #[inline(always)]
    fn stamp_filling(&self, side: &ProducerSide, position: u64) {
        let word = self.geometry.writing(position, side.member.0);
        // Vacant, or stamped in its owner's name by a helper.
        self.assert_edge(self.geometry.index(position), &[self.geometry.vacant(position), word]);
        // ORDERING(stamp): pairs with the Acquire of who certifies, and of a reaper.
        overwrite(self.word(position), word.0, Release);
    }

    /// 3. The claim that moved the tail to where `seen` says is stamped, whoever made it.
    #[inline(always)]
    fn certify_filling(&self, side: &ProducerSide, seen: CursorWord) -> Result<(), Corruption> {
        let position = seen.position();
        let certified = side.claimed_before(position) || self.is_last_filling_stamped(position);
        if certified { Ok(()) } else { self.stamp_filling_for(seen) }
    }

    #[inline(always)]
    fn is_last_filling_stamped(&self, position: u64) -> bool {
        // ORDERING(stamp): pairs with the Release of the stamp's owner or a helper: so that who sees the next claim sees
        // this one stamped.
        let last = before(position, 1);
        SlotWord(self.word(last).load(Acquire)) != self.geometry.vacant(last)
    }

    #[cold]
    fn stamp_filling_for(&self, seen: CursorWord) -> Result<(), Corruption> {
        let owner = self.member(seen.member())?;
        let is_unstamped = |position| move |found| found == self.geometry.vacant(position);
        let last = before(seen.position(), 1);
        if !self.is_stamped_soon(last, is_unstamped(last)) {
            resolve(self, seen.position(), |position, found| {
                is_unstamped(position)(found).then(|| self.geometry.writing(position, owner.0))
            });
        }
        Ok(())
    }

    /// The next slot is not to be had: a newer tail to try again with, or why not.
    #[inline(never)]
    fn why_not_vacant(
        &self,
        side: &ProducerSide,
        seen: CursorWord,
        word: SlotWord,
    ) -> Result<CursorWord, Refusal> {
        if seen.is_closed() {
            return Err(Refusal::Closed);
        }
        // ORDERING(tail): as above; after the slot's word, which therefore counts only if this is the same.
        let now = CursorWord(self.header.tail.tail.load(Acquire));
        if now != seen {
            return Ok(now);
        }
        let position = seen.position();
        let state = word.state().ok_or(Corruption::Slot)?;
        let member = self.member(word.member())?;
        // In any state: if the last claim was of as many slots as there are, this one is its first, and vacant until
        // it is stamped.
        Err(match state {
            _ if !self.geometry.is_previous(word, position) => Corruption::Slot.into(),
            State::Reading => Refusal::Held(member),
            _ => {
                side.pace.missed(position);
                Refusal::Full
            }
        })
    }

    /// 7. The message in a slot whose word is `word` is complete.
    #[inline(always)]
    fn fill(&self, index: usize, word: SlotWord) {
        self.assert_edge(index, &[word]);
        // ORDERING(filled): pairs with the Acquire in `claim_filled`: the message is written.
        self.slots.word(index).store(word.filled().0, Release);
    }

    /// Whatever the slot of a claim holds is a message.
    pub(super) fn finish(&self, claim: Filling) {
        self.fill(self.slot_of(&claim), claim.word);
    }

    /// There will be no message for a claim. Consumers pass it over.
    pub fn abort(&self, claim: Filling) {
        let (index, word) = (self.slot_of(&claim), claim.word);
        self.assert_edge(index, &[word]);
        // ORDERING(filled): whatever was written of it is done with.
        self.slots.word(index).store(word.aborted().0, Release);
        if let Some(block) = claim.block {
            self.free_block(block, word.member());
        }
    }

    /// Where the slot of a claim in this ring lies.
    #[inline(always)]
    pub(super) fn slot_of(&self, claim: &Filling) -> usize {
        // Not `assert_eq`, which would put the claim into memory.
        assert!(claim.ring == self.identity(), "a claim serves its own ring");
        claim.index
    }
}

impl<T: Pod> Ring<'_, T> {
    /// Makes `value` the message of a claim. The caller then asks whether consumers wait.
    #[inline(always)]
    pub fn fill_with(&self, claim: Filling, value: &T) {
        let index = self.slot_of(&claim);
        // 6. SAFETY: the slot was claimed and is in WRITING for this member.
        unsafe { self.slots.write(index, value) };
        self.fill(index, claim.word);
    }

    /// Appends `value`.
    #[cfg(any(test, loom))]
    pub fn push(&self, side: &ProducerSide, value: T) -> Result<(), Refusal> {
        self.fill_with(self.reserve(side, 0)?, &value);
        Ok(())
    }

    /// Appends as many of `values` as find room in a row, from the first on; at least one or an error. Says how
    /// many.
    pub fn push_slice(&self, side: &ProducerSide, values: &[T]) -> Result<usize, Refusal> {
        let (first, count) = self.claim_vacant(side, values.len() as u64)?;
        for (n, value) in (0..count).zip(values) {
            let position = after(first, n);
            let index = self.geometry.index(position);
            // SAFETY: as in `fill_with`.
            unsafe { self.slots.write(index, value) };
            self.fill(index, self.geometry.writing(position, side.member.0));
        }
        Ok(usize::try_from(count).unwrap_or(values.len()))
    }

    /// The value of a claim: whatever the slot held before, until it is written.
    pub fn claimed<'c>(&'c self, claim: &'c Filling) -> &'c T {
        let index = self.slot_of(claim);
        // SAFETY: the claim is one of this ring and stays borrowed; nobody else touches the slot meanwhile.
        let value = unsafe { self.slots.slice(index, 0, 1) };
        &value[0]
    }

    /// The value of a claim, to be written in place.
    pub fn claimed_mut<'c>(&'c self, claim: &'c mut Filling) -> &'c mut T {
        let index = self.slot_of(claim);
        // SAFETY: as above, exclusively.
        let value = unsafe { self.slots.slice_mut(index, 0, 1) };
        &mut value[0]
    }

    /// Makes the value of a claim a message.
    pub fn commit(&self, claim: Filling) {
        self.finish(claim);
    }
}

impl Ring<'_, [u8]> {
    /// The longest message that a slot has room for, in bytes.
    #[inline(always)]
    pub fn max_len(&self) -> usize {
        (self.slots.elements() - 1) * size_of::<u64>()
    }

    /// Makes `message` the message of a claim of its length. The caller then asks whether consumers wait.
    #[inline(always)]
    pub fn fill_with(&self, mut claim: Filling, message: &[u8]) {
        copy(self.claimed_mut(&mut claim), message);
        self.commit(claim);
    }

    /// The bytes of a claim: whatever the slot held before, until they are written.
    pub fn claimed<'c>(&'c self, claim: &'c Filling) -> &'c [u8] {
        if let Some(block) = &claim.block {
            return self.block_bytes(block, claim.len);
        }
        let (index, words) = self.place(claim);
        // SAFETY: the claim is one of this ring and stays borrowed; nobody else touches the slot meanwhile.
        let words = unsafe { self.slots.slice(index, 1, words) };
        &bytemuck::cast_slice(words)[..claim.len]
    }

    /// The bytes of a claim, to be written in place.
    #[inline(always)]
    pub fn claimed_mut<'c>(&'c self, claim: &'c mut Filling) -> &'c mut [u8] {
        let ((index, words), len) = (self.place(claim), claim.len);
        if let Some(block) = &mut claim.block {
            return self.block_bytes_mut(block, len);
        }
        // SAFETY: as above, exclusively.
        let words = unsafe { self.slots.slice_mut(index, 1, words) };
        &mut bytemuck::cast_slice_mut(words)[..len]
    }

    /// The slot of a claim, and how many words its bytes take.
    #[inline(always)]
    fn place(&self, claim: &Filling) -> (usize, usize) {
        (self.slot_of(claim), claim.len.div_ceil(size_of::<u64>()))
    }

    /// Makes the bytes of a claim a message.
    #[inline(always)]
    pub fn commit(&self, mut claim: Filling) {
        let len = claim.len;
        if let Some(block) = claim.block.take() {
            return self.commit_block(claim, &block, len);
        }
        let index = self.slot_of(&claim);
        // SAFETY: the slot is in WRITING for this claim.
        unsafe { self.slots.write(index, &MessageWord::new(len).0) };
        self.fill(index, claim.word);
    }
}

impl Filling {
    /// Makes the message `len` bytes long, if it is longer.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

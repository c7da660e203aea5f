//! A ring between many producers and many consumers: certified claims.
//!
//! In outline it is Vyukov's bounded queue (2010): a cursor for each side and a word in each slot, and a
//! claim is one compare-and-swap of the cursor. What is added makes every claim have an owner at every
//! instant, so that what a dead member had claimed can be told and taken back:
//!
//! - A cursor's word names the member whose claim moved it last.
//! - The owner *stamps* the slots that it claimed with its number, upwards, before anything else.
//! - Nobody claims the next position before it has seen the last claim stamped: it *certifies* it, which
//!   means that it stamps it in the owner's name if the owner has not.
//!
//! **Invariant.** Every position before the last claim is stamped. If the last claim is not, then its
//! unstamped slots are the upper end of it, and the cursor names its owner. The compare-and-swap that makes
//! the next claim succeeds only if the cursor is still the word that was read before the last claim was seen
//! stamped, and stamped is for good.
//!
//! **Owner.** WRITING and READING with a member's number are entered by that member, or by a helper with the very
//! word that the member would store, and are left by that member only, or by who has proof of its death.
//! A helper's compare-and-swap expects a word with the exact lap, so a belated one fails.
//!
//! **Empty needs no look at the tail.** A slot at the head that is vacant for the head's lap, while the head
//! does not move, says that nothing is committed: a claim beyond it would have certified it.
//!
//! An index word and a slot word count as one observation only if the index word is unchanged after the slot word was
//! read. Only then is a slot word that does not fit a corruption; else it is merely old.
//!
//! DESIGN.md §5 numbers the steps, `proof/` explores them exhaustively, and `reap.rs` has what is done about the
//! dead. Left to others: sleeping (`event`), memory (`segment`), who is dead (`member`).
#![allow(clippy::needless_pass_by_value, reason = "who passes a claim has used it up")]

mod ahead;
mod fill;
mod forward;
mod long;
mod look;
mod read;
mod redeliver;
mod take;

use super::Corruption;
use super::chain::Standing;
use super::slab::Slab;
use super::word::{CursorWord, Geometry, RedeliverWord, SlotWord, State};
use crate::error::MemberId;
use crate::layout::{EventLine, PRESENT, QueueHeader};
use crate::primitive::Ordering::{Acquire, Relaxed, SeqCst};
use crate::primitive::{ASSERTS, Backoff, ContestedU64, Message, Slots, pause, peek};

pub use fill::{Filling, ProducerSide, Refusal};
pub use look::Glimpse;
pub use redeliver::Sweeper;
pub use take::{ConsumerSide, Dry, Taken};

/// The ring as every side sees it: borrowed header and slots.
#[derive(Debug)]
pub struct Ring<'a, M: Message + ?Sized> {
    pub(super) header: &'a QueueHeader,
    pub(super) slots: Slots<'a, M>,
    pub(super) geometry: Geometry,
    /// How many member numbers there are.
    pub(super) members: u16,
    /// Where messages may be that are longer than a slot.
    slab: Option<&'a Slab<'a>>,
    /// Whether it is the second of its queue, as blocks say whose they are.
    second: bool,
    /// What it must still be for a message of it to be taken.
    standing: Option<Standing<'a>>,
}

impl<M: Message + ?Sized> Clone for Ring<'_, M> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Message + ?Sized> Copy for Ring<'_, M> {}

impl QueueHeader {
    /// Makes zeros a ring. Before anybody else knows of it.
    pub fn initialise(&self) {
        self.gate.present.store(PRESENT, Relaxed);
    }
}

impl<'a, M: Message + ?Sized> Ring<'a, M> {
    /// The ring over `header` and `slots`, whose number must be a power of two, for `members` members.
    ///
    /// # Panics
    ///
    /// When it is not a power of two, or there are more members than a word has room for: geometry was validated
    /// before.
    pub fn new(header: &'a QueueHeader, slots: Slots<'a, M>, members: u32) -> Self {
        assert!(slots.len().is_power_of_two(), "{} slots are not a power of two", slots.len());
        let members = u16::try_from(members).expect("validated geometry");
        let geometry = Geometry::new(slots.len() as u64);
        Self { header, slots, geometry, members, slab: None, second: false, standing: None }
    }

    /// The same for who takes from it only while it is what was found.
    #[must_use]
    pub(in crate::ring) fn with_standing(self, standing: Option<Standing<'a>>) -> Self {
        Self { standing, ..self }
    }

    /// Whether it is what was found.
    pub(in crate::ring) fn stands(&self) -> bool {
        self.standing.is_none_or(Standing::lasts)
    }

    /// Whether that may change.
    pub fn may_move(&self) -> bool {
        self.standing.is_some()
    }

    /// How many slots.
    #[inline(always)]
    pub fn capacity(&self) -> u64 {
        self.geometry.slots()
    }

    /// Which ring it is, for claims to be held against.
    fn identity(&self) -> usize {
        std::ptr::from_ref(self.header).addr()
    }

    /// The word of the slot of `position`.
    #[inline(always)]
    pub(in crate::ring) fn word(&self, position: u64) -> &'a ContestedU64 {
        self.slots.word(self.geometry.index(position))
    }

    /// Messages that were claimed by a producer and not yet by a consumer when it looked, at most the capacity.
    pub fn len(&self) -> u64 {
        let head = CursorWord(self.header.head.head.load(Relaxed));
        let tail = CursorWord(self.header.tail.tail.load(Relaxed));
        self.geometry.ahead(tail.position(), head.position())
    }

    /// Whether there was no such message when it looked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the memory is the segment's. In a forked child it is not, for what was granted before.
    pub fn is_present(&self) -> bool {
        self.header.gate.present.load(Relaxed) == PRESENT
    }

    /// Closes: what was claimed to be filled will be delivered if it is committed, nothing more is claimed. Doing it
    /// twice changes nothing. The caller wakes both sides.
    ///
    /// The flag comes first, for consumers that poll an empty ring and should not touch the line of the
    /// tail; who sees it finishes what a closer that died began.
    pub fn close(&self) {
        // ORDERING(closed): pairs with the Acquire in `drained`.
        self.header.gate.closed.store(1, crate::primitive::Ordering::Release);
        // ORDERING(tail): in one order with the claims: those before it are accepted, those after it fail.
        self.header.tail.tail.fetch_or(CursorWord::CLOSED, SeqCst);
    }

    /// Whether the ring is closed.
    pub fn is_closed(&self) -> bool {
        // ORDERING(tail): who sees it closed sees what was sent before.
        CursorWord(self.header.tail.tail.load(Acquire)).is_closed()
    }

    /// Who is in the middle of what a consumer waits for that found nothing, if anybody is; only if nobody is,
    /// the consumer may sleep until it is notified.
    ///
    /// The caller is enrolled as a waiter. A producer's claim comes before its look at the waiters, in one
    /// order with the two loads here and the enrolment: if these loads do not see the claim, the producer
    /// sees the waiter. The commit may come later than the claim; so from the claim on nobody is at rest.
    pub fn producer_at_work(&self) -> Option<MemberId> {
        // ORDERING(claims): SeqCst, after the enrolment; the tail first, so that a head beyond it is old news.
        let tail = CursorWord(self.header.tail.tail.load(SeqCst));
        let head = CursorWord(self.header.head.head.load(SeqCst));
        let again = RedeliverWord(self.header.head.redeliver.load(SeqCst));
        let at_rest = tail.position() == head.position() && !again.is_pending();
        (!at_rest).then(|| MemberId(tail.member()))
    }

    /// Who is in the middle of making the room that a producer waits for, if anybody is. The mirror image.
    pub fn consumer_at_work(&self) -> Option<MemberId> {
        // ORDERING(claims): SeqCst, after the enrolment; the head first.
        let head = CursorWord(self.header.head.head.load(SeqCst));
        let tail = CursorWord(self.header.tail.tail.load(SeqCst));
        let full = self.geometry.ahead(tail.position(), head.position()) == self.capacity();
        (!full).then(|| MemberId(head.member()))
    }

    /// The position whose turn it was to be filled, or else to be taken, when it looked.
    pub fn turn(&self, to_fill: bool) -> u64 {
        let word = if to_fill { &self.header.tail.tail } else { &self.header.head.head };
        CursorWord(word.load(Relaxed)).position()
    }

    /// Tells `note` the owner of each slot that was in somebody's hands when it looked: who fills it, or reads it.
    pub fn each_claim(&self, mut note: impl FnMut(MemberId)) {
        for index in 0..self.capacity() {
            let word = SlotWord(self.word(index).load(Relaxed));
            if matches!(word.state(), Some(State::Writing | State::Reading)) {
                note(MemberId(word.member()));
            }
        }
    }

    /// Whether something was put back, when it looked, that nobody is known to have taken again.
    pub fn has_again(&self) -> bool {
        RedeliverWord(self.header.head.redeliver.load(Relaxed)).is_pending()
    }

    /// Whether a receiver that leaves should wake another: there is something that it did not take.
    pub fn has_more(&self) -> bool {
        !self.is_empty() || self.has_again()
    }

    /// Whether a sender that leaves should wake another.
    pub fn has_room(&self) -> bool {
        self.len() < self.capacity()
    }

    /// Whether a consumer may be waiting, for a producer that has committed.
    #[inline(always)]
    pub fn consumers_wait(&self) -> bool {
        self.anyone_waits(&self.header.not_empty)
    }

    /// Whether a producer may be waiting, for a consumer that has made room.
    #[inline(always)]
    pub fn producers_wait(&self) -> bool {
        self.anyone_waits(&self.header.not_full)
    }

    /// Relaxed: each comes after a compare-and-swap, see `passed_rmw` there.
    #[inline(always)]
    fn anyone_waits(&self, event: &EventLine) -> bool {
        event.waiters[0].load(Relaxed) != 0 || (self.members > 64 && any_of_many(event))
    }

    /// Asserts that a slot is in one of the states that it may be left from.
    #[inline(always)]
    fn assert_edge(&self, index: usize, legal: &[SlotWord]) {
        if ASSERTS {
            let found = SlotWord(peek(self.slots.word(index)));
            assert!(legal.contains(&found), "{found:x?} is none of {legal:x?}");
        }
    }

    /// A member number found in memory, if there can be such a member.
    pub(super) fn member(&self, number: u16) -> Result<MemberId, Corruption> {
        if number < self.members { Ok(MemberId(number)) } else { Err(Corruption::Member) }
    }
}

#[cold]
fn any_of_many(event: &EventLine) -> bool {
    event.waiters[1..].iter().any(|word| word.load(Relaxed) != 0)
}

/// The attempts of one operation: how long it waits between, and how many there may be.
///
/// Each attempt that fails is one that another side has won, so there is no end only if somebody moves a
/// cursor for ever in vain.
#[derive(Default)]
struct Attempts {
    backoff: Backoff,
    failed: u32,
}

/// With the longest wait between, some seconds of losing every time.
const MOST_ATTEMPTS: u32 = 1 << 20;

impl Attempts {
    /// One more has failed.
    #[inline(always)]
    fn fail(&mut self) -> Result<(), Corruption> {
        self.failed += 1;
        if self.failed > MOST_ATTEMPTS { Err(Corruption::Restless) } else { Ok(()) }
    }

    /// Another's claim came first.
    #[inline(always)]
    fn lose(&mut self) -> Result<(), Corruption> {
        self.backoff.wait();
        self.fail()
    }
}

/// Looks at a claim's slot so often before it is stamped in its owner's name: mostly the owner is about to. Not at all
/// under loom, which explores what comes of a helper's haste.
const LOOKS: u32 = if cfg!(loom) { 0 } else { 8 };
/// Hints between two looks. Each look takes the line from the owner, who has three stores to make to it: with one hint between
/// them two senders that work against each other took one and a half times as long.
const HINTS: u32 = 8;

impl<M: Message + ?Sized> Ring<'_, M> {
    /// Gives the owner of an unstamped claim a moment. True if it used it.
    fn is_stamped_soon(&self, position: u64, is_unstamped: impl Fn(SlotWord) -> bool) -> bool {
        let stamped = || !is_unstamped(SlotWord(self.word(position).load(Acquire)));
        (0..LOOKS).any(|_| {
            (0..HINTS).for_each(|_| pause());
            stamped()
        })
    }
}

#[cfg(test)]
mod tests;

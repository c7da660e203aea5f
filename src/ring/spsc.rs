//! A ring between one producer and one consumer.
//!
//! Invariant: `head <= tail <= head + capacity`. The producer alone writes `tail`, the consumer alone writes
//! `head`; a slot in `head..tail` belongs to the consumer, any other to the producer. Each side keeps its
//! own cursor and the last value it read of the other's in private memory (after `FastForward`, 2008, and
//! `MCRingBuffer`, 2010), so that while the sides are apart neither touches the other's line.
//!
//! **Closing.** Anybody may close, while the producer publishes with a plain store. What was accepted is
//! settled by one word, `seal`: the first compare-and-swap on it names the final position for all.
//!
//! 1. A closer sets `CLOSING`, passes the heavy barrier, reads `tail` and proposes it.
//! 2. The producer publishes, passes the light barrier and reads `CLOSING`. Clear: the barrier pair says
//!    that every closer's `tail` includes this publication, so it is accepted. Set: it proposes its own
//!    new tail, and the publication is accepted if the agreed position includes it.
//! 3. The consumer, before it uses a tail that it has not seen before, passes the light barrier and reads
//!    `CLOSING`. Set: it takes part in 1 and never goes beyond the agreed position.
//!
//! A proposal is made by the producer of its own tail, or after the heavy barrier: either way it includes
//! everything accepted before. So each message is accepted and delivered, or refused and never seen.
//!
//! Left to others: who the two sides are (`member`), sleeping (`event`), memory (`segment`).
mod consumer;
mod producer;

use std::hint::cold_path;

use bytemuck::Pod;

use super::Corruption;
use super::cursor::Capacity;
use super::pace::Pace;
use crate::layout::{CLOSING, PRESENT, RingHeader, SEALED};
use crate::primitive::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::primitive::{Barrier, Cells};
pub use consumer::{ConsumerSide, Front};
pub use producer::ProducerSide;

/// The ring as both sides see it: borrowed header and slots.
#[derive(Debug)]
pub struct Ring<'a, T> {
    header: &'a RingHeader,
    cells: Cells<'a, T>,
    capacity: Capacity,
    barrier: Barrier,
}

impl<T> Clone for Ring<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ring<'_, T> {}

impl RingHeader {
    /// Makes zeros a ring. Before anybody else knows of it.
    pub fn initialise(&self) {
        self.seal.present.store(PRESENT, Relaxed);
    }
}

/// Why a producer gets no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The consumer has not made room yet.
    Full,
    /// The ring is closed.
    Closed,
    /// Shared memory holds what no correct consumer writes.
    Corrupt(Corruption),
}

/// Why a consumer gets no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dry {
    /// The producer has not sent one yet.
    Empty,
    /// What comes next is no whole record: `pieces` understands it.
    InPieces,
    /// The ring is closed and everything accepted was taken.
    Drained,
    /// Shared memory holds what no correct producer writes.
    Corrupt(Corruption),
}

impl<'a, T: Pod> Ring<'a, T> {
    /// The ring over `header` and `cells`, whose number must be a power of two.
    pub fn new(header: &'a RingHeader, cells: Cells<'a, T>, barrier: Barrier) -> Self {
        Self { header, cells, capacity: Capacity::new(cells.len()), barrier }
    }

    /// How many slots.
    #[inline(always)]
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// The words that both sides share.
    #[inline(always)]
    pub(super) fn header(&self) -> &'a RingHeader {
        self.header
    }

    /// The slots.
    #[inline(always)]
    pub fn cells(&self) -> Cells<'a, T> {
        self.cells
    }

    /// Has the processor fetch the lines of the batch after one that is used now: `known` slots from `position`
    /// on are the caller's, and it uses `count` at a time.
    ///
    /// Only for batches of few lines: a processor has so many fetches under way at a time, and a long batch
    /// uses them itself.
    #[inline(always)]
    pub fn fetch_batch<const WRITE: bool>(&self, position: u64, known: u64, count: usize) {
        if count * size_of::<T>() <= AHEAD_BYTES {
            for slot in (0..known.min(count as u64)).step_by(const { slots_per_line::<T>() }) {
                self.cells.prefetch::<WRITE>(self.capacity.index(position + slot));
            }
        }
    }

    /// How many slots held accepted messages when it looked, at most the capacity.
    pub fn len(&self) -> u64 {
        let head = self.header.consumer.head.load(Relaxed);
        let tail = self.header.producer.tail.load(Relaxed);
        let end = match self.header.seal.seal.load(Relaxed) {
            0 => tail,
            agreed => tail.min(agreed & !SEALED),
        };
        end.saturating_sub(head).min(self.capacity.slots())
    }

    /// Whether no slot held an accepted message when it looked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the memory is the segment's. In a forked child it is not, for what was granted before.
    pub fn is_present(&self) -> bool {
        self.header.seal.present.load(Relaxed) == PRESENT
    }

    /// Whether anybody has asked to close.
    pub fn is_closing(&self) -> bool {
        // ORDERING(closing): pairs with the Release in `close`.
        self.header.not_empty.waiters[0].load(Acquire) & CLOSING != 0
    }

    /// Closes: what was accepted will be delivered, nothing more is accepted. Doing it twice changes nothing.
    ///
    /// The caller wakes both sides. Where the kernel has come to refuse the barrier, the producer settles
    /// the final position at its next operation.
    pub fn close(&self) {
        // ORDERING(closing): Release pairs with the Acquire in `is_closing`; what makes producer and
        // closer see each other is the barrier pair.
        self.header.not_empty.waiters[0].fetch_or(CLOSING, Release);
        if self.barrier.heavy() {
            self.settle_at_tail();
        }
    }

    /// Proposes the tail as it is now for the final position.
    ///
    /// That is right after the heavy barrier, and when the producer has gone: then nobody can publish but a
    /// successor, which begins at this tail and proposes no less.
    pub fn settle_at_tail(&self) {
        // ORDERING(filled): as a consumer would read it.
        settle(self.header, self.header.producer.tail.load(Acquire));
    }
}

/// Agrees on the final position: the first proposal stands.
#[cold]
fn settle(header: &RingHeader, proposal: u64) -> u64 {
    // ORDERING(seal): the position carries what lies before it, from whoever proposed it.
    match header.seal.seal.compare_exchange(0, SEALED | proposal, AcqRel, Acquire) {
        Ok(_) => proposal,
        Err(agreed) => agreed & !SEALED,
    }
}
/// Where a ring that is being closed ends for a consumer at `head`.
#[cold]
fn look_while_closing<T: Pod>(ring: &Ring<'_, T>, head: u64) -> Result<u64, Dry> {
    if ring.header.seal.seal.load(Relaxed) == 0 {
        ring.close();
    }
    // ORDERING(seal): pairs with the compare-and-swap in `settle`.
    let agreed = ring.header.seal.seal.load(Acquire);
    if agreed == 0 {
        return Err(Dry::Empty);
    }
    let end = agreed & !SEALED;
    match ring.capacity.filled(head, end) {
        None => Err(Dry::Corrupt(Corruption::Cursors)),
        Some(0) => Err(Dry::Drained),
        Some(_) => Ok(end),
    }
}

/// Bytes between a slot that is used and the line that is fetched meanwhile.
const AHEAD_BYTES: usize = 512;
const CACHE_LINE: usize = 64;

/// Slots between the one that is used and the one whose line is fetched meanwhile.
const fn slots_ahead<T>() -> u64 {
    if size_of::<T>() == 0 { u64::MAX } else { AHEAD_BYTES.div_ceil(size_of::<T>()) as u64 }
}

/// Whether about here a new line begins: true for at least one slot of each line.
#[inline(always)]
fn begins_line<T>(position: u64) -> bool {
    position & const { slots_per_line::<T>() as u64 - 1 } == 0
}

/// Says of what is done once a line that it is seldom, where a line has several slots: the frequent path goes straight on.
#[inline(always)]
fn seldom<T>() {
    if const { slots_per_line::<T>() > 1 } {
        cold_path();
    }
}

/// Slots that fit a line, rounded down to a power of two, and at least one.
const fn slots_per_line<T>() -> usize {
    let fit = CACHE_LINE / if size_of::<T>() == 0 { CACHE_LINE } else { size_of::<T>() };
    1 << if fit == 0 { 0 } else { fit.ilog2() }
}

/// What a side sees when it looks at the other's cursor: as small as two registers.
struct Look<F> {
    /// Up to where the side may go now.
    until: u64,
    /// Why it may not go anywhere.
    failure: Option<F>,
    pace: Pace,
}

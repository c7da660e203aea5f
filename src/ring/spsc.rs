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
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use bytemuck::Pod;

use super::Corruption;
use super::cursor::Capacity;
use super::pace::{Pace, Stride};
use crate::layout::{CLOSING, PRESENT, RingHeader, SEALED};
use crate::primitive::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::primitive::{Barrier, Cells};

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

    /// Whether the producer may be waiting, after something that it waits for.
    #[inline(always)]
    pub(super) fn is_room_awaited(&self) -> bool {
        self.barrier.light();
        // Relaxed: the barrier orders it.
        self.header.not_full.waiters[0].load(Relaxed) != 0
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

/// Slots that fit a line, rounded down to a power of two, and at least one.
const fn slots_per_line<T>() -> usize {
    let fit = CACHE_LINE / if size_of::<T>() == 0 { CACHE_LINE } else { size_of::<T>() };
    1 << if fit == 0 { 0 } else { fit.ilog2() }
}

/// The producer's private state.
#[derive(Debug)]
pub struct ProducerSide {
    tail: u64,
    /// Where the room ends that is known of: a capacity beyond the head when last read.
    limit: u64,
    pace: Pace,
}

impl ProducerSide {
    /// Takes the producer's side up where the last producer left it.
    pub fn resume<T: Pod>(ring: &Ring<'_, T>) -> Result<Self, Refusal> {
        // ORDERING(filled): the previous producer's slots, if the consumer has yet to take them.
        let tail = ring.header.producer.tail.load(Acquire);
        // ORDERING(vacant): as in `look_for_room`.
        let head = ring.header.consumer.head.load(Acquire);
        ring.capacity.filled(head, tail).ok_or(Refusal::Corrupt(Corruption::Cursors))?;
        Ok(Self { tail, limit: head + ring.capacity.slots(), pace: Pace::default() })
    }

    /// Position of the next slot to fill.
    #[inline(always)]
    pub fn tail(&self) -> u64 {
        self.tail
    }

    /// Slots that the producer knows to be vacant.
    #[inline(always)]
    pub fn known_room(&self) -> u64 {
        self.limit - self.tail
    }

    /// Slots that the producer may fill: at least `wanted`, or as many as there are, or why none.
    #[inline(always)]
    pub fn room<T: Pod>(&mut self, ring: &Ring<'_, T>, wanted: u64) -> Result<u64, Refusal> {
        let known = self.known_room();
        if known >= wanted {
            return Ok(known);
        }
        let look = look_for_room(ring, self.tail, wanted, self.pace);
        self.pace = look.pace;
        self.limit = look.until;
        match look.failure {
            Some(refusal) => Err(refusal),
            None => Ok(self.limit - self.tail),
        }
    }

    /// Has the processor fetch a line that will be written soon, once for each line.
    ///
    /// The lines lie in the consumer's cache. Stores wait for them in order, in a buffer that the stores of a
    /// few messages fill: without this, few lines are on their way at a time.
    #[inline(always)]
    fn fetch_ahead<T: Pod>(&self, ring: &Ring<'_, T>) {
        let ahead = const { slots_ahead::<T>() };
        if begins_line::<T>(self.tail) && self.known_room() > ahead {
            ring.cells.prefetch::<true>(ring.capacity.index(self.tail + ahead));
        }
    }

    /// Appends `value`. Says whether the consumer may be waiting.
    #[inline(always)]
    pub fn push<T: Pod>(&mut self, ring: &Ring<'_, T>, value: T) -> Result<bool, Refusal> {
        self.room(ring, 1)?;
        self.fetch_ahead(ring);
        // SAFETY: `room` saw the consumer leave this slot, and there is one producer: this one.
        unsafe { ring.cells.write(ring.capacity.index(self.tail), value) };
        self.publish(ring, 1)
    }

    /// Appends as many of `values` as fit, published together; at least one or an error. Says how many, and
    /// whether the consumer may be waiting.
    pub fn push_slice<T: Pod>(
        &mut self,
        ring: &Ring<'_, T>,
        values: &[T],
    ) -> Result<(usize, bool), Refusal> {
        let room = self.room(ring, values.len() as u64)?;
        let count = usize::try_from(room).map_or(values.len(), |room| room.min(values.len()));
        let run = usize::try_from(ring.capacity.run(self.tail)).map_or(count, |run| run.min(count));
        let (first, second) = values[..count].split_at(run);
        // SAFETY: `room` gave `count` slots from `tail`; the first `run` of them lie before the end.
        let slots = unsafe { ring.cells.slice_mut(ring.capacity.index(self.tail), run) };
        slots.copy_from_slice(first);
        if !second.is_empty() {
            // SAFETY: the rest of the same slots, which begin again at the start.
            unsafe { ring.cells.slice_mut(0, second.len()) }.copy_from_slice(second);
        }
        self.publish(ring, count as u64).map(|awaited| (count, awaited))
    }

    /// Makes `count` slots from the tail visible, or learns that the ring was closed before. Says whether
    /// the consumer may be waiting: then the caller notifies.
    #[inline(always)]
    pub fn publish<T: Pod>(&mut self, ring: &Ring<'_, T>, count: u64) -> Result<bool, Refusal> {
        self.tail += count;
        // ORDERING(filled): publishes the slots; pairs with the Acquire in `ConsumerSide::look_for_more`.
        ring.header.producer.tail.store(self.tail, Release);
        ring.barrier.light();
        // Relaxed: the barrier orders it; what it leads to synchronises by itself.
        let attention = ring.header.not_empty.waiters[0].load(Relaxed);
        if attention == 0 {
            return Ok(false);
        }
        if attention & CLOSING == 0 {
            return Ok(true);
        }
        // No room is known from now on: every later call looks, and finds the ring closed.
        self.limit = self.tail;
        if settle(ring.header, self.tail) < self.tail { Err(Refusal::Closed) } else { Ok(true) }
    }

    /// Leaves the side: if a closer could not settle the final position, its producer does.
    pub fn retire<T: Pod>(&self, ring: &Ring<'_, T>) {
        if ring.is_closing() {
            settle(ring.header, self.tail);
        }
    }
}

/// What a side sees when it looks at the other's cursor: as small as two registers.
struct Look<F> {
    /// Up to where the side may go now.
    until: u64,
    /// Why it may not go anywhere.
    failure: Option<F>,
    pace: Pace,
}

/// Where the room ends now of a producer that fills `unit` slots at a time. A function of values only, so that the
/// caller's cursors can stay in registers.
#[inline(never)]
fn look_for_room<T: Pod>(ring: &Ring<'_, T>, tail: u64, unit: u64, pace: Pace) -> Look<Refusal> {
    let nowhere = |refusal, pace| Look { until: tail, failure: Some(refusal), pace };
    if ring.is_closing() {
        settle(ring.header, tail);
        return nowhere(Refusal::Closed, pace);
    }
    // ORDERING(vacant): pairs with the Release in `ConsumerSide::release`: the consumer has left the
    // slots below it.
    let head = ring.header.consumer.head.load(Acquire);
    let Some(filled) = ring.capacity.filled(head, tail) else {
        return nowhere(Refusal::Corrupt(Corruption::Cursors), pace);
    };
    match ring.capacity.slots() - filled {
        0 => nowhere(Refusal::Full, pace.missed()),
        room => {
            let pace = pace.found(room, Stride::of(unit, ring.capacity.slots()));
            Look { until: tail + room, failure: None, pace }
        }
    }
}

/// The consumer's private state.
#[derive(Debug)]
pub struct ConsumerSide {
    head: u64,
    /// The tail when last read: the producer is at least here.
    tail: u64,
    pace: Pace,
    /// How many slots it gave back together when it last did.
    released: u64,
}

impl ConsumerSide {
    /// Takes the consumer's side up where the last consumer left it.
    pub fn resume<T: Pod>(ring: &Ring<'_, T>) -> Result<Self, Dry> {
        // ORDERING(vacant): the previous consumer has left the slots below it.
        let head = ring.header.consumer.head.load(Acquire);
        // ORDERING(filled): as in `look_for_more`.
        let tail = ring.header.producer.tail.load(Acquire);
        ring.capacity.filled(head, tail).ok_or(Dry::Corrupt(Corruption::Cursors))?;
        Ok(Self { head, tail: head, pace: Pace::default(), released: 1 })
    }

    /// Position of the next slot to take.
    #[inline(always)]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Slots that the consumer knows to be filled.
    #[inline(always)]
    pub fn known(&self) -> u64 {
        self.tail - self.head
    }

    /// Slots that the consumer may read: at least one, and if there are `wanted` then as many; or why none.
    #[inline(always)]
    pub fn available<T: Pod>(&mut self, ring: &Ring<'_, T>, wanted: u64) -> Result<u64, Dry> {
        self.available_to(ring, wanted, wanted)
    }

    /// As [`available`](Self::available) for one slot, when how many are taken shows in the first: it expects as many as
    /// were released last.
    #[inline(always)]
    pub fn available_again<T: Pod>(&mut self, ring: &Ring<'_, T>) -> Result<u64, Dry> {
        self.available_to(ring, 1, self.released)
    }

    /// As [`available`](Self::available), to a consumer that takes `unit` slots at a time.
    #[inline(always)]
    fn available_to<T: Pod>(
        &mut self,
        ring: &Ring<'_, T>,
        wanted: u64,
        unit: u64,
    ) -> Result<u64, Dry> {
        if self.tail - self.head < wanted {
            let look = look_for_more(ring, self.head, self.tail, unit, self.pace);
            self.pace = look.pace;
            match look.failure {
                None => self.tail = look.until,
                Some(dry) if self.tail == self.head => return Err(dry),
                Some(_) => {}
            }
        }
        Ok(self.tail - self.head)
    }

    /// Has the processor fetch a line that will be read soon, once for each line.
    ///
    /// The lines lie in the producer's cache. Waiting for them one after the other, a consumer of small
    /// values spends most of its time; its own instructions are too many for it to see the next line in time.
    #[inline(always)]
    fn fetch_ahead<T: Pod>(&self, ring: &Ring<'_, T>) {
        let ahead = const { slots_ahead::<T>() };
        if begins_line::<T>(self.head) && self.known() > ahead {
            ring.cells.prefetch::<false>(ring.capacity.index(self.head + ahead));
        }
    }

    /// Takes the next value. Also says whether the producer may be waiting.
    #[inline(always)]
    pub fn pop<T: Pod>(&mut self, ring: &Ring<'_, T>) -> Result<(T, bool), Dry> {
        self.front(ring).map(Front::take)
    }

    /// The next value, still in its slot.
    ///
    /// Apart from taking it, so that a value is never part of a result whose other variants the compiler takes to pieces:
    /// it would cut the value at their bounds, write it in small stores and wait for them at the next wide load.
    #[inline(always)]
    pub fn front<'a, T: Pod>(&'a mut self, ring: &'a Ring<'a, T>) -> Result<Front<'a, T>, Dry> {
        self.available(ring, 1)?;
        self.fetch_ahead(ring);
        Ok(Front { side: self, ring })
    }

    /// Takes as many values as there are and `buffer` holds, released together; at least one or an error.
    /// Says how many, and whether the producer may be waiting.
    pub fn pop_slice<T: Pod>(
        &mut self,
        ring: &Ring<'_, T>,
        buffer: &mut [T],
    ) -> Result<(usize, bool), Dry> {
        let available = self.available(ring, buffer.len() as u64)?;
        let count = usize::try_from(available).map_or(buffer.len(), |n| n.min(buffer.len()));
        let run = usize::try_from(ring.capacity.run(self.head)).map_or(count, |run| run.min(count));
        let (first, second) = buffer[..count].split_at_mut(run);
        // SAFETY: `count` slots from `head` are filled; the first `run` of them lie before the end.
        first.copy_from_slice(unsafe { ring.cells.slice(ring.capacity.index(self.head), run) });
        if !second.is_empty() {
            // SAFETY: the rest of the same slots, which begin again at the start.
            second.copy_from_slice(unsafe { ring.cells.slice(0, second.len()) });
        }
        Ok((count, self.release(ring, count as u64)))
    }

    /// Keeps the lines of `count` slots from the head for this processor, so that the producer gets them whole.
    #[inline(always)]
    fn keep_lines<T: Pod>(&self, ring: &Ring<'_, T>, count: u64) {
        debug_assert!(count <= self.known());
        let run = count.min(ring.capacity.run(self.head));
        let first = ring.capacity.index(self.head);
        // SAFETY: the slots lie in `head..tail`, so the producer keeps away; nobody reads them any more.
        unsafe { ring.cells.keep_lines(first, usize::try_from(run).unwrap_or(0)) };
        if run < count {
            // SAFETY: the rest of the same slots, which begin again at the start.
            unsafe { ring.cells.keep_lines(0, usize::try_from(count - run).unwrap_or(0)) };
        }
    }

    /// Gives `count` slots from the head back to the producer. Says whether it may be waiting: then the
    /// caller notifies.
    #[inline(always)]
    pub fn release<T: Pod>(&mut self, ring: &Ring<'_, T>, count: u64) -> bool {
        self.keep_lines(ring, count);
        self.released = count;
        self.advance(ring, count)
    }

    /// Moves the head over `count` slots whose lines were kept. Says whether the producer may be waiting.
    #[inline(always)]
    fn advance<T: Pod>(&mut self, ring: &Ring<'_, T>, count: u64) -> bool {
        self.head += count;
        // ORDERING(vacant): the slots were read; pairs with the Acquire in `ProducerSide::look_for_room`.
        ring.header.consumer.head.store(self.head, Release);
        ring.is_room_awaited()
    }
}

/// The value at the head of a ring, which is there and is the consumer's.
#[derive(Debug)]
pub struct Front<'a, T> {
    side: &'a mut ConsumerSide,
    ring: &'a Ring<'a, T>,
}

impl<T: Pod> Front<'_, T> {
    /// Takes it out of its slot. Also says whether the producer may be waiting.
    #[inline(always)]
    pub fn take(self) -> (T, bool) {
        let Self { side, ring } = self;
        let index = ring.capacity.index(side.head);
        // SAFETY: the slot lies in `head..tail`, so the producer keeps away until `advance`.
        let value = unsafe { ring.cells.read(index) };
        // SAFETY: as above, and it was read.
        unsafe { ring.cells.keep_lines(index, 1) };
        (value, side.advance(ring, 1))
    }
}

/// How far a consumer that takes `unit` slots at a time may read now; `known` is how far it knew. A function of values
/// only, so that the caller's cursors can stay in registers.
#[inline(always)]
fn look_for_more<T: Pod>(
    ring: &Ring<'_, T>,
    head: u64,
    known: u64,
    unit: u64,
    pace: Pace,
) -> Look<Dry> {
    let nowhere = |dry, pace| Look { until: known, failure: Some(dry), pace };
    // ORDERING(filled): pairs with the Release in `ProducerSide::publish`: the slots below are written.
    let tail = ring.header.producer.tail.load(Acquire);
    if tail != known {
        ring.barrier.light();
    }
    if ring.is_closing() {
        return match look_while_closing(ring, head) {
            Ok(end) => Look { until: end, failure: None, pace },
            Err(dry) => nowhere(dry, pace),
        };
    }
    match ring.capacity.filled(head, tail) {
        None => nowhere(Dry::Corrupt(Corruption::Cursors), pace),
        Some(0) => nowhere(Dry::Empty, pace.missed()),
        Some(filled) => {
            let pace = pace.found(filled, Stride::of(unit, ring.capacity.slots()));
            Look { until: tail, failure: None, pace }
        }
    }
}

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

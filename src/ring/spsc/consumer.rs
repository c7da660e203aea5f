//! The consumer's half: read filled slots, release.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use bytemuck::Pod;

use super::super::Corruption;
use super::super::pace::{Pace, Stride};
use super::{Dry, Look, Ring, begins_line, look_while_closing, seldom, slots_ahead};
use crate::primitive::Ordering::{Acquire, Relaxed, Release};
use crate::primitive::copy;

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
            seldom::<T>();
            ring.cells.prefetch::<false>(ring.capacity.index(self.head + ahead));
        }
    }

    /// Takes the next value. Also says whether the producer may be waiting.
    #[inline(always)]
    pub fn pop<T: Pod>(&mut self, ring: &Ring<'_, T>) -> Result<(T, bool), Dry> {
        let front = self.front(ring)?;
        let value = front.read();
        Ok((value, front.leave()))
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
        copy(first, unsafe { ring.cells.slice(ring.capacity.index(self.head), run) });
        if !second.is_empty() {
            // SAFETY: the rest of the same slots, which begin again at the start.
            copy(second, unsafe { ring.cells.slice(0, second.len()) });
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

impl<T: Pod> Ring<'_, T> {
    /// Whether the producer may be waiting, after something that it waits for.
    #[inline(always)]
    pub(in crate::ring) fn is_room_awaited(&self) -> bool {
        self.barrier.light();
        // Relaxed: the barrier orders it.
        self.header.not_full.waiters[0].load(Relaxed) != 0
    }
}

/// The value at the head of a ring, which is there and is the consumer's.
#[derive(Debug)]
pub struct Front<'a, T> {
    side: &'a mut ConsumerSide,
    ring: &'a Ring<'a, T>,
}

impl<T: Pod> Front<'_, T> {
    /// A copy of it.
    #[inline(always)]
    pub fn read(&self) -> T {
        // SAFETY: the slot lies in `head..tail`, so the producer keeps away until `leave` advances.
        unsafe { self.ring.cells.read(self.ring.capacity.index(self.side.head)) }
    }

    /// Gives its slot back. Says whether the producer may be waiting.
    #[inline(always)]
    pub fn leave(self) -> bool {
        let Self { side, ring } = self;
        // SAFETY: as in `read`, and nobody reads it any more.
        unsafe { ring.cells.keep_lines(ring.capacity.index(side.head), 1) };
        side.advance(ring, 1)
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

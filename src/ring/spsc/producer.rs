//! The producer's half: fill vacant slots, publish.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use std::hint::cold_path;

use bytemuck::Pod;

use super::super::Corruption;
use super::super::pace::{Pace, Stride};
use super::{Look, Refusal, Ring, begins_line, seldom, settle, slots_ahead};
use crate::layout::CLOSING;
use crate::primitive::Ordering::{Acquire, Relaxed, Release};
use crate::primitive::copy;

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
        cold_path();
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
            seldom::<T>();
            ring.cells.prefetch::<true>(ring.capacity.index(self.tail + ahead));
        }
    }

    /// Appends `value`. Says whether the consumer may be waiting.
    #[inline(always)]
    pub fn push<T: Pod>(&mut self, ring: &Ring<'_, T>, value: &T) -> Result<bool, Refusal> {
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
        copy(slots, first);
        if !second.is_empty() {
            // SAFETY: the rest of the same slots, which begin again at the start.
            copy(unsafe { ring.cells.slice_mut(0, second.len()) }, second);
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

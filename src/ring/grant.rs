//! Grants: the only slices into shared memory that a user meets.
//!
//! A write grant lends slots that the producer owns until it publishes them, a read grant slots that the
//! consumer owns until it gives them back. Each borrows its side exclusively, so no second grant of the same
//! side exists and the mapping cannot go meanwhile. Dropping a write grant aborts: nothing was visible, so
//! nothing happened. Dropping a read grant leaves what it showed where it was.
//!
//! A grant keeps an address, not a slice: it gives its slots away while it is itself an argument of the call, and
//! a reference in it would claim them to the end of that call.
//!
//! The slices trust the peer to keep to the protocol: another process of the same user *can* write to them
//! meanwhile. Who does not trust it receives by copy.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use bytemuck::Pod;

use super::bytes::{self, Place};
use super::spsc::{ConsumerSide, ProducerSide, Refusal, Ring};
use crate::error::{Fault, SendError};
use crate::event::Event;
use crate::primitive::copy;

/// The first `len` elements of `slots`.
fn shortened<T>(slots: NonNull<[T]>, len: usize) -> NonNull<[T]> {
    NonNull::slice_from_raw_parts(slots.cast(), len.min(slots.len()))
}

fn refused(refusal: Refusal) -> SendError<()> {
    match refusal {
        Refusal::Full | Refusal::Closed => SendError::Closed(()),
        Refusal::Corrupt(what) => SendError::Failed((), Fault::Corrupt(what.text())),
    }
}

/// Slots to fill in place, then [`commit`](Self::commit). Dropped without, nothing was sent.
///
/// The slots hold whatever values were there before.
#[must_use = "dropping a grant sends nothing"]
pub struct WriteGrant<'a, T: Pod> {
    slots: NonNull<[T]>,
    ring: &'a Ring<'a, T>,
    side: &'a mut ProducerSide,
    event: &'a Event<'a>,
}

impl<'a, T: Pod> WriteGrant<'a, T> {
    /// The next slots, at most `wanted`: as many as are known to be vacant and lie side by side.
    pub fn new(
        (ring, side, event): (&'a Ring<'a, T>, &'a mut ProducerSide, &'a Event<'a>),
        wanted: usize,
    ) -> Self {
        let room = side.known_room().min(ring.capacity().run(side.tail()));
        let count = usize::try_from(room).map_or(wanted, |room| room.min(wanted));
        ring.fetch_batch::<true>(
            side.tail() + count as u64,
            side.known_room() - count as u64,
            count,
        );
        // SAFETY: the side saw the consumer leave these slots; it stays borrowed, so they are not
        // published or granted again before this grant is gone.
        let slots = unsafe { ring.cells().slice_mut(ring.capacity().index(side.tail()), count) };
        Self { slots: slots.into(), ring, side, event }
    }

    /// Gives up the slots from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.slots = shortened(self.slots, len);
    }

    /// Sends what the slots hold, published together.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] if the channel was closed first, [`Fault::Forked`] in a child of the process
    /// that has the grant; then nothing was sent.
    pub fn commit(self) -> Result<(), SendError<()>> {
        if !self.ring.is_present() {
            return Err(SendError::Failed((), Fault::Forked));
        }
        if self.side.publish(self.ring, self.slots.len() as u64).map_err(refused)? {
            self.event.notify(1);
        }
        Ok(())
    }
}

impl<T: Pod> Deref for WriteGrant<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: the grant owns these slots until it is used up, and is borrowed for as long as the slice.
        unsafe { self.slots.as_ref() }
    }
}

impl<T: Pod> DerefMut for WriteGrant<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, exclusively.
        unsafe { self.slots.as_mut() }
    }
}

impl<T: Pod> fmt::Debug for WriteGrant<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteGrant({})", self.slots.len())
    }
}

/// Values to read in place, then [`release`](Self::release). Dropped without, they are still next.
#[must_use = "dropping a grant leaves its values in the channel"]
pub struct ReadGrant<'a, T: Pod> {
    slots: NonNull<[T]>,
    ring: &'a Ring<'a, T>,
    side: &'a mut ConsumerSide,
    event: &'a Event<'a>,
    redelivered: bool,
}

impl<'a, T: Pod> ReadGrant<'a, T> {
    /// The next values, at most `wanted`: as many as are known to be there and lie side by side.
    pub fn new(
        (ring, side, event): (&'a Ring<'a, T>, &'a mut ConsumerSide, &'a Event<'a>),
        wanted: usize,
    ) -> Self {
        let there = side.known().min(ring.capacity().run(side.head()));
        let count = usize::try_from(there).map_or(wanted, |there| there.min(wanted));
        ring.fetch_batch::<false>(side.head() + count as u64, side.known() - count as u64, count);
        // SAFETY: the side saw these slots filled; it stays borrowed, so they are not given back
        // before this grant is gone.
        let slots = unsafe { ring.cells().slice(ring.capacity().index(side.head()), count) };
        Self { slots: slots.into(), ring, side, event, redelivered: false }
    }

    /// The same, saying whether a consumer before this one may have seen it.
    pub(crate) fn flagged(self, redelivered: bool) -> Self {
        Self { redelivered, ..self }
    }

    /// Whether some of the values, the first for one, may have been seen by a consumer before this one.
    pub fn redelivered(&self) -> bool {
        self.redelivered
    }

    /// Keeps the values from `len` on in the channel.
    pub fn truncate(&mut self, len: usize) {
        self.slots = shortened(self.slots, len);
    }

    /// Takes the values out of the channel; their slots go back to the producer.
    pub fn release(self) {
        if self.side.release(self.ring, self.slots.len() as u64) {
            self.event.notify(1);
        }
    }
}

impl<T: Pod> Deref for ReadGrant<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: the grant owns these slots until it is used up, and is borrowed for as long as the slice.
        unsafe { self.slots.as_ref() }
    }
}

impl<T: Pod> fmt::Debug for ReadGrant<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadGrant({})", self.slots.len())
    }
}

/// A record's bytes to fill in place, then [`commit`](Self::commit). Dropped without, nothing was sent.
///
/// The bytes hold whatever was there before.
#[must_use = "dropping a grant sends nothing"]
pub struct WriteRecord<'a> {
    bytes: NonNull<[u8]>,
    place: Place,
    ring: &'a Ring<'a, u64>,
    side: &'a mut ProducerSide,
    event: &'a Event<'a>,
}

impl<'a> WriteRecord<'a> {
    /// The grant of a place that was just reserved in the same ring.
    pub fn new(
        (ring, side, event): (&'a Ring<'a, u64>, &'a mut ProducerSide, &'a Event<'a>),
        place: Place,
    ) -> Self {
        // SAFETY: reserved by the producer, whose side stays borrowed until the grant is gone.
        let bytes = unsafe { bytes::payload_mut(ring, side, place) };
        Self { bytes: bytes.into(), place, ring, side, event }
    }

    /// Shortens the record to `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.bytes = shortened(self.bytes, len);
    }

    /// Sends the record.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] if the pipe was closed first, [`Fault::Forked`] in a child of the process that
    /// has the grant; then nothing was sent.
    pub fn commit(self) -> Result<(), SendError<()>> {
        if !self.ring.is_present() {
            return Err(SendError::Failed((), Fault::Forked));
        }
        let len = self.bytes.len();
        if bytes::commit(self.ring, self.side, self.place, len).map_err(refused)? {
            self.event.notify(1);
        }
        Ok(())
    }
}

impl Deref for WriteRecord<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the grant owns these slots until it is used up, and is borrowed for as long as the slice.
        unsafe { self.bytes.as_ref() }
    }
}

impl DerefMut for WriteRecord<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, exclusively.
        unsafe { self.bytes.as_mut() }
    }
}

impl fmt::Debug for WriteRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteGrant({})", self.bytes.len())
    }
}

/// A record to read in place, then [`release`](Self::release). Dropped without, it is still the next one.
#[must_use = "dropping a grant leaves its record in the pipe"]
pub struct ReadRecord<'a> {
    bytes: NonNull<[u8]>,
    place: Place,
    ring: &'a Ring<'a, u64>,
    side: &'a mut ConsumerSide,
    event: &'a Event<'a>,
    redelivered: bool,
}

impl<'a> ReadRecord<'a> {
    /// The grant of the record that was just found in the same ring.
    pub fn new(
        (ring, side, event): (&'a Ring<'a, u64>, &'a mut ConsumerSide, &'a Event<'a>),
        place: Place,
    ) -> Self {
        // SAFETY: found by the consumer, whose side stays borrowed until the grant is gone.
        let bytes = unsafe { bytes::payload(ring, side, place) };
        Self { bytes: bytes.into(), place, ring, side, event, redelivered: false }
    }

    /// The same, saying whether a consumer before this one may have seen it.
    pub(crate) fn flagged(self, redelivered: bool) -> Self {
        Self { redelivered, ..self }
    }

    /// Whether the record may have been seen by a consumer before this one.
    pub fn redelivered(&self) -> bool {
        self.redelivered
    }

    /// Copies the record into `buffer` and takes it out, or leaves it if the buffer is too short.
    pub(crate) fn copy_into(self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let (needed, len) = (self.bytes.len(), buffer.len());
        let place = buffer.get_mut(..needed).ok_or(Fault::BufferTooShort { needed, len })?;
        copy(place, &self);
        self.release();
        Ok(needed)
    }

    /// Takes the record out of the pipe; its room goes back to the sender.
    pub fn release(self) {
        if bytes::release(self.ring, self.side, self.place) {
            self.event.notify(1);
        }
    }
}

impl Deref for ReadRecord<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the grant owns these slots until it is used up, and is borrowed for as long as the slice.
        unsafe { self.bytes.as_ref() }
    }
}

impl fmt::Debug for ReadRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadGrant({})", self.bytes.len())
    }
}

//! The receiving side of a queue.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytemuck::Pod;
use crossbeam_utils::CachePadded;

use super::super::lane::Unreceived;
use super::station::{self, At, Presence, Station};
use super::{DeliveryPolicy, Message};
use crate::error::{Fault, RecvError, RecvTimeoutError, TryRecvError};
use crate::event::Deadline;
use crate::ring::Corruption;
use crate::ring::mpmc::{ConsumerSide, Dry, Ring, Taken};
use crate::ring::slab::Astray;
use crate::segment::AnchoredQueue;

/// A handle that receives. Threads may share it; a clone for each is faster, because a handle remembers its last claim.
pub struct Receiver<M: Message + ?Sized> {
    /// Of its own, so that the hot path follows no pointer to a pointer.
    anchored: AnchoredQueue<M::Carried>,
    /// On lines of its own: handles of other threads may lie beside this one.
    side: CachePadded<ConsumerSide>,
    place: Arc<Station<M::Carried>>,
    /// Kept for its drop.
    _presence: Option<Presence>,
}

impl<M: Message + ?Sized> Receiver<M> {
    pub(super) fn new(place: Station<M::Carried>) -> Self {
        let side = ConsumerSide::new(place.attachment().id(), place.sweeper());
        let anchored = place.to_try_first();
        let presence = place.presence();
        Self { anchored, side: CachePadded::new(side), place: Arc::new(place), _presence: presence }
    }

    /// Where it looks and waits.
    pub(crate) fn station(&self) -> &Station<M::Carried> {
        &self.place
    }

    /// Ends the queue for everybody: what was accepted is still received, nothing more is accepted. It is final.
    pub fn close(&self) {
        self.place.close();
    }

    /// Whether anybody has closed the queue.
    pub fn is_closed(&self) -> bool {
        self.place.is_closed()
    }

    /// How many messages the queue holds at most; of one that grows, as large as it is now.
    pub fn capacity(&self) -> usize {
        self.place.capacity()
    }

    /// How many messages were waiting when it looked. Others send and receive meanwhile: a hint.
    pub fn len(&self) -> usize {
        self.place.len()
    }

    /// Whether nothing was waiting when it looked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there was no room for more when it looked.
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// Claims the next message. That of one that comes again is not the whole of it.
    fn claim(&self, ring: &Ring<'_, M::Carried>, side: &ConsumerSide) -> Result<Taken, Dry> {
        match ring.take(side)? {
            claim if claim.tries() > 0 => self.place.examine(ring, side.sweeper(), claim),
            claim => Ok(claim),
        }
    }

    #[inline(always)]
    fn acknowledge(&self, (claim, at): (Taken, At<M::Carried>)) {
        self.place.ring_of(&at).acknowledge(claim);
        self.place.done_with(&at, 1);
    }
}

impl<T: Pod> Receiver<T> {
    /// Takes the next value if there is one now, and acknowledges it.
    ///
    /// # Errors
    ///
    /// Why there is none.
    #[inline(always)]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.recv_at_once().unwrap_or_else(|| self.try_recv_slowly())
    }

    /// Takes the next value if there is no obstacle. One copy of the ring serves it all, as for senders; the value goes
    /// straight into the result, so that it is copied once only.
    #[inline(always)]
    fn recv_at_once<E>(&self) -> Option<Result<T, E>> {
        let ring = *self.anchored.ring();
        let claim = ring.take_at_once(&self.side)?;
        let received = Some(Ok(ring.copy(&claim)));
        ring.acknowledge(claim);
        if ring.producers_wait() {
            self.place.wake_senders(1);
        }
        received
    }

    #[inline(never)]
    fn try_recv_slowly(&self) -> Result<T, TryRecvError> {
        Ok(self.take_out(self.take_slowly()?))
    }

    /// Takes the next value, waiting for it, and acknowledges it.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    #[inline(always)]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_at_once().unwrap_or_else(|| self.recv_slowly())
    }

    #[inline(never)]
    fn recv_slowly(&self) -> Result<T, RecvError> {
        Ok(self.take_out(self.take_slowly_until(Deadline::NEVER)?))
    }

    /// Takes the next value, waiting for it at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        Ok(self.take_out(self.take_until(Deadline::after(timeout))?))
    }

    #[inline(always)]
    fn take(&self) -> Result<(Taken, At<T>), Unreceived> {
        match self.anchored.ring().take_at_once(&self.side) {
            Some(claim) => Ok((claim, At::ONLY)),
            None => self.take_slowly(),
        }
    }

    #[inline(never)]
    fn take_slowly(&self) -> Result<(Taken, At<T>), Unreceived> {
        self.place.try_to_receive(&self.side, |ring, side| self.claim(ring, side))
    }

    #[inline(always)]
    fn take_until(&self, deadline: Deadline) -> Result<(Taken, At<T>), Unreceived> {
        match self.anchored.ring().take_at_once(&self.side) {
            Some(claim) => Ok((claim, At::ONLY)),
            None => self.take_slowly_until(deadline),
        }
    }

    #[inline(never)]
    fn take_slowly_until(&self, deadline: Deadline) -> Result<(Taken, At<T>), Unreceived> {
        self.place.receive_until(deadline, &self.side, |ring, side| self.claim(ring, side))
    }

    /// Takes values that lie side by side, or one that comes again.
    fn pop_slice(
        &self,
        ring: &Ring<'_, T>,
        side: &ConsumerSide,
        buffer: &mut [T],
    ) -> Result<usize, Dry> {
        if !ring.has_again() {
            return ring.pop_row(side, buffer);
        }
        let claim = self.claim(ring, side)?;
        buffer[0] = ring.copy(&claim);
        ring.acknowledge(claim);
        Ok(1)
    }

    fn take_out(&self, (claim, at): (Taken, At<T>)) -> T {
        let value = self.place.ring_of(&at).copy(&claim);
        self.acknowledge((claim, at));
        value
    }

    /// Takes values that lie side by side now, as many as `buffer` holds, and acknowledges them. Says how many.
    ///
    /// # Errors
    ///
    /// Why there is not even one.
    pub fn try_recv_batch(&self, buffer: &mut [T]) -> Result<usize, TryRecvError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let pop = |ring: &Ring<'_, T>, side: &ConsumerSide| self.pop_slice(ring, side, buffer);
        let (received, at) = self.place.try_to_receive(&self.side, pop)?;
        self.place.done_with(&at, received);
        Ok(received)
    }

    /// Takes as many values as `buffer` holds, but waits only for the first. Says how many.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    pub fn recv_batch(&self, buffer: &mut [T]) -> Result<usize, RecvError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let pop = |ring: &Ring<'_, T>, side: &ConsumerSide| self.pop_slice(ring, side, buffer);
        let (received, at) = self.place.receive_until(Deadline::NEVER, &self.side, pop)?;
        self.place.done_with(&at, received);
        Ok(received)
    }

    /// The next value to be read in place and acknowledged later, if there is one now.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_recv_guard(&self) -> Result<Delivery<T>, TryRecvError> {
        Ok(self.guard(self.take()?))
    }

    /// The next value to be read in place and acknowledged later, waiting for it.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    pub fn recv_guard(&self) -> Result<Delivery<T>, RecvError> {
        Ok(self.guard(self.take_until(Deadline::NEVER)?))
    }

    /// The next value to be read in place and acknowledged later, waiting for it at most `timeout`.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn recv_guard_timeout(&self, timeout: Duration) -> Result<Delivery<T>, RecvTimeoutError> {
        Ok(self.guard(self.take_until(Deadline::after(timeout))?))
    }

    /// The values that come until the queue ends, waiting for each.
    ///
    /// It ends at a fault too; [`recv`](Self::recv) afterwards tells which.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.recv().ok())
    }

    /// The values that are there, until there is none.
    pub fn try_iter(&self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.try_recv().ok())
    }
}

impl<M: Message + ?Sized> Receiver<M> {
    pub(super) fn guard(&self, (claim, at): (Taken, At<M::Carried>)) -> Delivery<M> {
        Delivery { place: Arc::clone(&self.place), claim: Some(claim), at }
    }
}

/// What every message that is carried as bytes shares.
impl<M: Message<Carried = [u8]> + ?Sized> Receiver<M> {
    /// The longest message, in bytes.
    pub fn max_len(&self) -> usize {
        self.anchored.ring().longest()
    }

    /// Whether there is a place for messages that nobody can deal with.
    #[cfg(feature = "serde")]
    pub(super) fn has_dead_letters(&self) -> bool {
        self.place.has_dead_letters()
    }

    pub(super) fn take_measured(&self) -> Result<(Taken, At<[u8]>), Unreceived> {
        self.place.try_to_receive(&self.side, |ring, side| self.claim_measured(ring, side))
    }

    pub(super) fn take_measured_until(
        &self,
        deadline: Deadline,
    ) -> Result<(Taken, At<[u8]>), Unreceived> {
        self.place.receive_until(deadline, &self.side, |ring, side| self.claim_measured(ring, side))
    }

    /// Claims the next message and measures it.
    fn claim_measured(&self, ring: &Ring<'_, [u8]>, side: &ConsumerSide) -> Result<Taken, Dry> {
        let mut claim = match ring.take_at_once(side) {
            Some(claim) => claim,
            None => self.claim(ring, side)?,
        };
        match ring.measure(&mut claim) {
            Ok(_) => Ok(claim),
            Err(Astray::Moved) => {
                ring.pass_over(claim);
                Err(Dry::Skipped)
            }
            Err(Astray::Corrupt(what)) => {
                // It stays first in line, for others to find out too.
                ring.put_back(side.sweeper(), claim, false);
                Err(Dry::Corrupt(what))
            }
        }
    }

    /// Leaves a claimed message first in line, because of `fault`.
    #[cold]
    fn give_up<R>(&self, claim: Taken, at: &At<[u8]>, fault: Fault) -> Result<R, Fault> {
        self.place.ring_of(at).put_back(self.place.sweeper_of(at), claim, false);
        self.place.tell_receivers(1);
        Err(fault)
    }
}

impl Receiver<[u8]> {
    /// Takes the next message if there is one now, and acknowledges it.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_recv(&self) -> Result<Vec<u8>, TryRecvError> {
        Ok(self.copy_out(self.take_measured()?))
    }

    /// Takes the next message, waiting for it, and acknowledges it.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    pub fn recv(&self) -> Result<Vec<u8>, RecvError> {
        Ok(self.copy_out(self.take_measured_until(Deadline::NEVER)?))
    }

    /// Takes the next message, waiting for it at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Vec<u8>, RecvTimeoutError> {
        Ok(self.copy_out(self.take_measured_until(Deadline::after(timeout))?))
    }

    /// Takes the next message into `buffer` if there is one now. Says how long it is.
    ///
    /// # Errors
    ///
    /// Why there is none; [`Fault::BufferTooShort`] if it is longer than `buffer`, and then it stays first in line.
    #[inline(always)]
    pub fn try_recv_into(&self, buffer: &mut [u8]) -> Result<usize, TryRecvError> {
        match self.recv_into_at_once(buffer) {
            Some(received) => received.map_err(TryRecvError::Failed),
            None => self.try_recv_into_slowly(buffer),
        }
    }

    /// Takes the next message into `buffer` if there is no obstacle: as for values.
    #[inline(always)]
    fn recv_into_at_once(&self, buffer: &mut [u8]) -> Option<Result<usize, Fault>> {
        let ring = *self.anchored.ring();
        let mut claim = ring.take_at_once(&self.side)?;
        let needed = match ring.measure_short(&mut claim) {
            Ok(needed) => needed,
            Err(Corruption::Flags) => return self.recv_long_into(claim, buffer),
            Err(what) => return Some(self.give_up(claim, &At::ONLY, Fault::Corrupt(what.text()))),
        };
        let len = buffer.len();
        let Some(place) = buffer.get_mut(..needed) else {
            return Some(self.give_up(claim, &At::ONLY, Fault::BufferTooShort { needed, len }));
        };
        place.copy_from_slice(ring.bytes(&claim));
        ring.acknowledge(claim);
        if ring.producers_wait() {
            self.place.wake_senders(1);
        }
        Some(Ok(place.len()))
    }

    /// Takes a claimed message into `buffer` that is not in its slot. Nothing if it is nowhere: then there is another to be had.
    #[cold]
    fn recv_long_into(&self, mut claim: Taken, buffer: &mut [u8]) -> Option<Result<usize, Fault>> {
        match self.anchored.ring().measure(&mut claim) {
            Ok(_) => Some(self.copy_into((claim, At::ONLY), buffer)),
            Err(Astray::Corrupt(what)) => {
                Some(self.give_up(claim, &At::ONLY, Fault::Corrupt(what.text())))
            }
            Err(Astray::Moved) => {
                self.anchored.ring().pass_over(claim);
                self.place.tell_senders(1);
                None
            }
        }
    }

    #[inline(never)]
    fn try_recv_into_slowly(&self, buffer: &mut [u8]) -> Result<usize, TryRecvError> {
        let claim = self.take_measured()?;
        self.copy_into(claim, buffer).map_err(TryRecvError::Failed)
    }

    /// Takes the next message into `buffer`, waiting for it. Says how long it is.
    ///
    /// # Errors
    ///
    /// Why none can come any more; [`Fault::BufferTooShort`] if it is longer than `buffer`, and then it stays first in
    /// line.
    #[inline(always)]
    pub fn recv_into(&self, buffer: &mut [u8]) -> Result<usize, RecvError> {
        match self.recv_into_at_once(buffer) {
            Some(received) => received.map_err(RecvError::Failed),
            None => self.recv_into_slowly(buffer),
        }
    }

    #[inline(never)]
    fn recv_into_slowly(&self, buffer: &mut [u8]) -> Result<usize, RecvError> {
        let claim = self.take_measured_until(Deadline::NEVER)?;
        self.copy_into(claim, buffer).map_err(RecvError::Failed)
    }

    /// Takes the next message into `buffer`, waiting for it at most `timeout`. Says how long it is.
    ///
    /// # Errors
    ///
    /// Why there was none; [`Fault::BufferTooShort`] if it is longer than `buffer`, and then it stays first in line.
    pub fn recv_into_timeout(
        &self,
        buffer: &mut [u8],
        timeout: Duration,
    ) -> Result<usize, RecvTimeoutError> {
        let claim = self.take_measured_until(Deadline::after(timeout))?;
        self.copy_into(claim, buffer).map_err(RecvTimeoutError::Failed)
    }

    /// The next message to be read in place and acknowledged later, if there is one now.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_recv_guard(&self) -> Result<Delivery<[u8]>, TryRecvError> {
        Ok(self.guard(self.take_measured()?))
    }

    /// The next message to be read in place and acknowledged later, waiting for it.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    pub fn recv_guard(&self) -> Result<Delivery<[u8]>, RecvError> {
        Ok(self.guard(self.take_measured_until(Deadline::NEVER)?))
    }

    /// The next message to be read in place and acknowledged later, waiting for it at most `timeout`.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn recv_guard_timeout(
        &self,
        timeout: Duration,
    ) -> Result<Delivery<[u8]>, RecvTimeoutError> {
        Ok(self.guard(self.take_measured_until(Deadline::after(timeout))?))
    }

    /// The messages that come until the queue ends, waiting for each.
    ///
    /// It ends at a fault too; [`recv`](Self::recv) afterwards tells which.
    pub fn iter(&self) -> impl Iterator<Item = Vec<u8>> {
        std::iter::from_fn(|| self.recv().ok())
    }

    /// The messages that are there, until there is none.
    pub fn try_iter(&self) -> impl Iterator<Item = Vec<u8>> {
        std::iter::from_fn(|| self.try_recv().ok())
    }

    fn copy_out(&self, (claim, at): (Taken, At<[u8]>)) -> Vec<u8> {
        let message = self.place.ring_of(&at).bytes(&claim).to_vec();
        self.acknowledge((claim, at));
        message
    }

    fn copy_into(&self, (claim, at): (Taken, At<[u8]>), buffer: &mut [u8]) -> Result<usize, Fault> {
        let message = self.place.ring_of(&at).bytes(&claim);
        let (needed, len) = (message.len(), buffer.len());
        let Some(place) = buffer.get_mut(..needed) else {
            return self.give_up(claim, &at, Fault::BufferTooShort { needed, len });
        };
        place.copy_from_slice(message);
        self.acknowledge((claim, at));
        Ok(needed)
    }
}

impl<M: Message + ?Sized> Clone for Receiver<M> {
    /// Another handle of the same attachment, with its own memory of claims.
    fn clone(&self) -> Self {
        Self::new(self.place.beside())
    }
}

impl<M: Message + ?Sized> fmt::Debug for Receiver<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

/// A message that was received and not acknowledged yet, read where it lies.
///
/// [`ack`](Self::ack) takes it out of the queue. Dropped without, also by a panic, it is delivered again, flagged, or dropped,
/// by the queue's policy. It may go to another thread and outlive the receiver.
///
/// The bytes lie in memory that other processes of the same user can write to: who does not trust them receives by copy.
#[must_use = "a delivery that is dropped is not acknowledged"]
pub struct Delivery<M: Message + ?Sized> {
    place: Arc<Station<M::Carried>>,
    /// `None` once it is used up.
    claim: Option<Taken>,
    /// In which segment.
    at: At<M::Carried>,
}

impl<M: Message + ?Sized> Delivery<M> {
    /// Takes the message out of the queue for good.
    pub fn ack(mut self) {
        if let Some(claim) = self.spend() {
            self.place.ring_of(&self.at).acknowledge(claim);
            self.place.done_with(&self.at, 1);
        }
    }

    /// Whether somebody may have seen the message before.
    pub fn redelivered(&self) -> bool {
        self.deliveries() > 1
    }

    /// How often the message was delivered, this time included; 16 stands for that and more. A dead letter had as many
    /// deliveries before as the queue allows.
    pub fn deliveries(&self) -> u32 {
        self.place.deliveries_before() + 1 + self.claim().tries()
    }

    fn claim(&self) -> &Taken {
        self.claim.as_ref().expect("there until it is used up")
    }

    /// The claim, to be used up, unless this is a forked child.
    fn spend(&mut self) -> Option<Taken> {
        self.claim.take().filter(|_| self.place.ring_of(&self.at).is_present())
    }
}

impl<M: Message + ?Sized> Drop for Delivery<M> {
    fn drop(&mut self) {
        let Some(claim) = self.spend() else { return };
        match station::policy(self.place.attachment()) {
            DeliveryPolicy::AtLeastOnce => {
                self.place.ring_of(&self.at).put_back(self.place.sweeper_of(&self.at), claim, true);
                self.place.tell_receivers(1);
            }
            DeliveryPolicy::AtMostOnce => {
                self.place.ring_of(&self.at).acknowledge(claim);
                self.place.done_with(&self.at, 1);
            }
        }
    }
}

impl<T: Pod> Deref for Delivery<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.place.ring_of(&self.at).value(self.claim())
    }
}

/// What every message that is carried as bytes shares.
impl<M: Message<Carried = [u8]> + ?Sized> Delivery<M> {
    pub(super) fn bytes(&self) -> &[u8] {
        self.place.ring_of(&self.at).bytes(self.claim())
    }
}

impl Deref for Delivery<[u8]> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl<M: Message + ?Sized> fmt::Debug for Delivery<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delivery {{ deliveries: {} }}", self.deliveries())
    }
}

//! Receiving bytes, as messages or as what messages are carried as.

use std::time::Duration;

use super::super::super::lane::Unreceived;
use super::super::Message;
use super::super::station::At;
use super::{Delivery, Receiver};
use crate::error::{Fault, RecvError, RecvTimeoutError, TryRecvError};
use crate::event::Deadline;
use crate::primitive::{append, copy};
use crate::ring::Corruption;
use crate::ring::mpmc::{ConsumerSide, Dry, Ring, Taken};
use crate::ring::slab::Astray;

/// What every message that is carried as bytes shares.
impl<M: Message<Carried = [u8]> + ?Sized> Receiver<M> {
    /// The longest message, in bytes.
    pub fn max_len(&self) -> usize {
        self.anchored.ring().longest()
    }

    /// Whether there is a place for messages that nobody can deal with.
    #[cfg(feature = "serde")]
    pub(in crate::channel::queue) fn has_dead_letters(&self) -> bool {
        self.place.has_dead_letters()
    }

    pub(in crate::channel::queue) fn take_measured(&self) -> Result<(Taken, At<[u8]>), Unreceived> {
        self.place.try_to_receive(&self.side, |ring, side| self.claim_measured(ring, side))
    }

    pub(in crate::channel::queue) fn take_measured_until(
        &self,
        deadline: Deadline,
    ) -> Result<(Taken, At<[u8]>), Unreceived> {
        self.place.receive_until(deadline, &self.side, |ring, side| self.claim_measured(ring, side))
    }

    /// Claims the next message and measures it.
    fn claim_measured(&self, ring: &Ring<'_, [u8]>, side: &ConsumerSide) -> Result<Taken, Dry> {
        let at_once = if ring.may_move() { None } else { ring.take_at_once(side) };
        let mut claim = match at_once {
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
        copy(place, ring.bytes(&claim));
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

    fn copy_out(&self, (mut claim, at): (Taken, At<[u8]>)) -> Vec<u8> {
        let mut message = Vec::with_capacity(claim.measured());
        self.place.ring_of(&at).read_out(&mut claim, |part| append(&mut message, part));
        self.acknowledge((claim, at));
        message
    }

    fn copy_into(
        &self,
        (mut claim, at): (Taken, At<[u8]>),
        buffer: &mut [u8],
    ) -> Result<usize, Fault> {
        let (needed, len) = (claim.measured(), buffer.len());
        let Some(mut place) = buffer.get_mut(..needed) else {
            return self.give_up(claim, &at, Fault::BufferTooShort { needed, len });
        };
        self.place.ring_of(&at).read_out(&mut claim, |part| {
            let (filled, rest) = std::mem::take(&mut place).split_at_mut(part.len());
            copy(filled, part);
            place = rest;
        });
        self.acknowledge((claim, at));
        Ok(needed)
    }
}

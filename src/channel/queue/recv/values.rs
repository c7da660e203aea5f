//! Receiving values.

use std::time::Duration;

use bytemuck::Pod;

use super::super::super::lane::Unreceived;
use super::super::station::At;
use super::{Delivery, Receiver};
use crate::error::{RecvError, RecvTimeoutError, TryRecvError};
use crate::event::Deadline;
use crate::ring::mpmc::{ConsumerSide, Dry, Ring, Taken};

impl<T: Pod> Receiver<T> {
    /// Takes the next value if there is one now, and acknowledges it.
    ///
    /// # Errors
    ///
    /// Why there is none.
    #[inline(always)]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let ring = *self.anchored.ring();
        match ring.take_at_once(&self.side) {
            Some(claim) => {
                let value = Ok(ring.copy(&claim));
                self.acknowledge_at_once(&ring, claim);
                value
            }
            None => Ok(self.try_recv_slowly()?),
        }
    }

    /// What follows the copy if there was no obstacle. One copy of the ring serves it all, as for senders; the value itself
    /// goes from its slot into the caller's whole result, as between two.
    #[inline(always)]
    fn acknowledge_at_once(&self, ring: &Ring<'_, T>, claim: Taken) {
        ring.acknowledge(claim);
        if ring.producers_wait() {
            self.place.wake_senders(1);
        }
    }

    #[inline(never)]
    fn try_recv_slowly(&self) -> Result<T, Unreceived> {
        Ok(self.take_out(self.take_slowly()?))
    }

    /// Takes the next value, waiting for it, and acknowledges it.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    #[inline(always)]
    pub fn recv(&self) -> Result<T, RecvError> {
        let ring = *self.anchored.ring();
        match ring.take_at_once(&self.side) {
            Some(claim) => {
                let value = Ok(ring.copy(&claim));
                self.acknowledge_at_once(&ring, claim);
                value
            }
            None => Ok(self.recv_slowly()?),
        }
    }

    #[inline(never)]
    fn recv_slowly(&self) -> Result<T, Unreceived> {
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

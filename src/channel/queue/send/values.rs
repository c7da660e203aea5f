//! Sending values.

use std::time::Duration;

use bytemuck::Pod;

use super::super::station::At;
use super::{Sender, WriteGrant};
use crate::error::{SendError, SendTimeoutError, TrySendError};
use crate::event::Deadline;
use crate::member::Role;
use crate::ring::mpmc::{Filling, ProducerSide, Ring};

impl<T: Pod> Sender<T> {
    /// Appends `value` if there is room now.
    ///
    /// It is accepted once this returns `Ok`: a receiver will get it.
    ///
    /// # Errors
    ///
    /// The value with why it was not sent.
    #[inline(always)]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        if self.send_at_once(&value) { Ok(()) } else { self.try_send_slowly(value) }
    }

    /// Sends `value` if there is no obstacle.
    ///
    /// One copy of the ring serves it all, in registers: what lies in memory is read anew after each atomic access. The value
    /// stays where it is until it goes into its slot: a copy on the way would wait for the stores that made it.
    #[inline(always)]
    fn send_at_once(&self, value: &T) -> bool {
        let (entered, deserted) = self.anchored.sides(Role::Receiver as usize);
        let ring = *self.anchored.ring();
        if entered == deserted {
            return false;
        }
        let Some(claim) = ring.reserve_at_once(&self.side, 0) else { return false };
        ring.fill_with(claim, value);
        if ring.consumers_wait() {
            self.place.wake_receivers(1);
        }
        true
    }

    #[inline(never)]
    fn try_send_slowly(&self, value: T) -> Result<(), TrySendError<T>> {
        match self.claim_slowly(0) {
            Ok(claim) => {
                self.fill(claim, &value);
                Ok(())
            }
            Err(why) => Err(why.give_back(value)),
        }
    }

    /// Appends `value`, waiting for room.
    ///
    /// # Errors
    ///
    /// The value with why it cannot be sent.
    #[inline(always)]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.send_at_once(&value) { Ok(()) } else { self.send_slowly(value) }
    }

    #[inline(never)]
    fn send_slowly(&self, value: T) -> Result<(), SendError<T>> {
        match self.claim_slowly_until(0, Deadline::NEVER) {
            Ok(claim) => {
                self.fill(claim, &value);
                Ok(())
            }
            Err(why) => Err(why.give_back_final(value)),
        }
    }

    /// Appends `value`, waiting for room at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// The value with why it was not sent.
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        match self.claim_until(0, Deadline::after(timeout)) {
            Ok(claim) => {
                self.fill(claim, &value);
                Ok(())
            }
            Err(why) => Err(why.give_back_late(value)),
        }
    }

    fn fill(&self, (claim, at): (Filling, At<T>), value: &T) {
        self.place.ring_of(&at).fill_with(claim, value);
        self.place.tell_receivers(1);
    }

    /// Appends as many of `values` as find room side by side now, from the first on: their places are claimed
    /// together, so nobody's messages come between. Says how many; none of none is none.
    ///
    /// # Errors
    ///
    /// Why not even one was sent.
    pub fn try_send_batch(&self, values: &[T]) -> Result<usize, TrySendError<()>> {
        if values.is_empty() {
            return Ok(0);
        }
        let sent = self.place.try_to_send(&self.side, |ring, side| ring.push_slice(side, values));
        let (sent, _) = sent.map_err(|why| why.give_back(()))?;
        self.place.tell_receivers(sent);
        Ok(sent)
    }

    /// Appends all of `values`, waiting for room as often as it takes. Others' messages may come between.
    ///
    /// # Errors
    ///
    /// How many were sent before it became impossible, and why.
    pub fn send_batch(&self, values: &[T]) -> Result<(), SendError<usize>> {
        let mut sent = 0;
        while sent < values.len() {
            let rest = &values[sent..];
            let push = |ring: &Ring<'_, T>, side: &ProducerSide| ring.push_slice(side, rest);
            let pushed = self.place.send_until(Deadline::NEVER, &self.side, push);
            let (count, _) = pushed.map_err(|why| why.give_back_final(sent))?;
            self.place.tell_receivers(count);
            sent += count;
        }
        Ok(())
    }

    /// A place in the queue for a value to be written in place, if there is room now.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_reserve(&self) -> Result<WriteGrant<T>, TrySendError<()>> {
        Ok(self.grant(self.claim(0).map_err(|why| why.give_back(()))?))
    }

    /// A place in the queue for a value to be written in place, waiting for room.
    ///
    /// # Errors
    ///
    /// Why there cannot be one.
    pub fn reserve(&self) -> Result<WriteGrant<T>, SendError<()>> {
        let claim = self.claim_until(0, Deadline::NEVER);
        Ok(self.grant(claim.map_err(|why| why.give_back_final(()))?))
    }

    /// A place in the queue for a value to be written in place, waiting for room at most `timeout`.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn reserve_timeout(
        &self,
        timeout: Duration,
    ) -> Result<WriteGrant<T>, SendTimeoutError<()>> {
        let claim = self.claim_until(0, Deadline::after(timeout));
        Ok(self.grant(claim.map_err(|why| why.give_back_late(()))?))
    }
}

//! Sending bytes, as messages or as what messages are carried as.

use std::time::Duration;

use super::super::super::lane::Unsent;
use super::super::Message;
use super::super::station::At;
use super::{Sender, WriteGrant};
use crate::error::{Fault, SendError, SendTimeoutError, TrySendError};
use crate::event::Deadline;
use crate::member::Role;
use crate::ring::mpmc::Filling;

/// What every message that is carried as bytes shares.
impl<M: Message<Carried = [u8]> + ?Sized> Sender<M> {
    /// The longest message, in bytes.
    pub fn max_len(&self) -> usize {
        self.anchored.ring().longest()
    }

    fn check(&self, len: usize) -> Result<(), Unsent> {
        if self.anchored.is_inherited() {
            return Err(Unsent::Failed(Fault::Forked));
        }
        let max = self.max_len();
        if len > max { Err(Unsent::Failed(Fault::TooLong { len, max })) } else { Ok(()) }
    }

    fn checked_claim(&self, len: usize) -> Result<(Filling, At<[u8]>), Unsent> {
        self.check(len)?;
        if self.is_long(len) { self.claim_long(len, None) } else { self.claim(len) }
    }

    fn checked_claim_until(
        &self,
        len: usize,
        deadline: Deadline,
    ) -> Result<(Filling, At<[u8]>), Unsent> {
        self.check(len)?;
        if self.is_long(len) {
            return self.claim_long(len, Some(deadline));
        }
        self.claim_until(len, deadline)
    }

    /// A place for a message of `len` bytes.
    #[cfg(feature = "serde")]
    pub(in crate::channel::queue) fn try_grant(&self, len: usize) -> Result<WriteGrant<M>, Unsent> {
        Ok(self.grant(self.checked_claim(len)?))
    }

    /// The same, waiting for room until `deadline`: then `Full`.
    #[cfg(feature = "serde")]
    pub(in crate::channel::queue) fn grant_until(
        &self,
        len: usize,
        deadline: Deadline,
    ) -> Result<WriteGrant<M>, Unsent> {
        Ok(self.grant(self.checked_claim_until(len, deadline)?))
    }
}

impl Sender<[u8]> {
    /// Appends `message` if there is room now.
    ///
    /// # Errors
    ///
    /// Why it was not sent.
    #[inline(always)]
    pub fn try_send(&self, message: &[u8]) -> Result<(), TrySendError<()>> {
        if self.send_at_once(message) { Ok(()) } else { self.try_send_slowly(message) }
    }

    /// Sends `message` if there is no obstacle: as for values.
    #[inline(always)]
    fn send_at_once(&self, message: &[u8]) -> bool {
        let (entered, deserted) = self.anchored.sides(Role::Receiver as usize);
        let ring = *self.anchored.ring();
        if entered == deserted || message.len() > ring.max_len() {
            return false;
        }
        let Some(claim) = ring.reserve_at_once(&self.side, message.len()) else { return false };
        ring.fill_with(claim, message);
        if ring.consumers_wait() {
            self.place.wake_receivers(1);
        }
        true
    }

    #[inline(never)]
    fn try_send_slowly(&self, message: &[u8]) -> Result<(), TrySendError<()>> {
        self.send_checked(message, None).map_err(|why| why.give_back(()))
    }

    /// Appends `message`, waiting for room.
    ///
    /// # Errors
    ///
    /// Why it cannot be sent.
    #[inline(always)]
    pub fn send(&self, message: &[u8]) -> Result<(), SendError<()>> {
        if self.send_at_once(message) { Ok(()) } else { self.send_slowly(message) }
    }

    #[inline(never)]
    fn send_slowly(&self, message: &[u8]) -> Result<(), SendError<()>> {
        self.send_checked(message, Some(Deadline::NEVER)).map_err(|why| why.give_back_final(()))
    }

    /// Appends `message`, waiting for room at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why it was not sent.
    pub fn send_timeout(
        &self,
        message: &[u8],
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<()>> {
        let until = Some(Deadline::after(timeout));
        self.send_checked(message, until).map_err(|why| why.give_back_late(()))
    }

    /// Sends `message`, at once or `until` then.
    fn send_checked(&self, message: &[u8], until: Option<Deadline>) -> Result<(), Unsent> {
        let len = message.len();
        self.check(len)?;
        if self.is_long(len) {
            return self.send_long(message, until);
        }
        let (claim, at) = match until {
            Some(deadline) => self.claim_until(len, deadline)?,
            None => self.claim(len)?,
        };
        self.place.ring_of(&at).fill_with(claim, message);
        self.place.tell_receivers(1);
        Ok(())
    }

    /// A place in the queue for a message of `len` bytes to be written in place, if there is room now.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_reserve(&self, len: usize) -> Result<WriteGrant<[u8]>, TrySendError<()>> {
        let claim = self.checked_claim(len);
        Ok(self.grant(claim.map_err(|why| why.give_back(()))?))
    }

    /// A place in the queue for a message of `len` bytes to be written in place, waiting for room.
    ///
    /// # Errors
    ///
    /// Why there cannot be one.
    pub fn reserve(&self, len: usize) -> Result<WriteGrant<[u8]>, SendError<()>> {
        let claim = self.checked_claim_until(len, Deadline::NEVER);
        Ok(self.grant(claim.map_err(|why| why.give_back_final(()))?))
    }

    /// A place in the queue for a message of `len` bytes to be written in place, waiting for room at most `timeout`.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn reserve_timeout(
        &self,
        len: usize,
        timeout: Duration,
    ) -> Result<WriteGrant<[u8]>, SendTimeoutError<()>> {
        let claim = self.checked_claim_until(len, Deadline::after(timeout));
        Ok(self.grant(claim.map_err(|why| why.give_back_late(()))?))
    }
}

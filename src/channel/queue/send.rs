//! The sending side of a queue.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use bytemuck::Pod;
use crossbeam_utils::CachePadded;

mod long;

use super::super::lane::Unsent;
use super::Message;
use super::station::{At, Station};
use crate::error::{Fault, SendError, SendTimeoutError, TrySendError};
use crate::event::Deadline;
use crate::member::Role;
use crate::ring::mpmc::{Filling, ProducerSide, Ring};
use crate::ring::slab::Found;
use crate::segment::AnchoredQueue;

/// A handle that sends. Threads may share it; a clone for each is faster, because a handle remembers its last claim.
pub struct Sender<M: Message + ?Sized> {
    /// Of its own, so that the hot path follows no pointer to a pointer.
    anchored: AnchoredQueue<M::Carried>,
    /// On lines of its own: handles of other threads may lie beside this one.
    side: CachePadded<ProducerSide>,
    place: Arc<Station<M::Carried>>,
    /// Where it last found blocks.
    found: Found,
}

impl<M: Message + ?Sized> Sender<M> {
    pub(super) fn new(place: Station<M::Carried>) -> Self {
        let side = CachePadded::new(ProducerSide::new(place.attachment().id()));
        let anchored = place.to_try_first();
        Self { anchored, side, place: Arc::new(place), found: Found::default() }
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

    /// Whether there was no room when it looked. Messages that receivers hold take room too and are not counted.
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// Claims the next slot if there is no obstacle.
    #[inline(always)]
    fn claim_at_once(&self, len: usize) -> Option<Filling> {
        let (entered, deserted) = self.anchored.sides(Role::Receiver as usize);
        if entered == deserted {
            None
        } else {
            self.anchored.ring().reserve_at_once(&self.side, len)
        }
    }

    /// Claims the next slot, for a message of `len` bytes where bytes are sent.
    #[inline(always)]
    fn claim(&self, len: usize) -> Result<(Filling, At<M::Carried>), Unsent> {
        match self.claim_at_once(len) {
            Some(claim) => Ok((claim, At::ONLY)),
            None => self.claim_slowly(len),
        }
    }

    #[inline(never)]
    fn claim_slowly(&self, len: usize) -> Result<(Filling, At<M::Carried>), Unsent> {
        self.place.try_to_send(&self.side, |ring, side| ring.reserve(side, len))
    }

    /// The same, waiting for room until `deadline`: then `Full`.
    #[inline(always)]
    fn claim_until(
        &self,
        len: usize,
        deadline: Deadline,
    ) -> Result<(Filling, At<M::Carried>), Unsent> {
        match self.claim_at_once(len) {
            Some(claim) => Ok((claim, At::ONLY)),
            None => self.claim_slowly_until(len, deadline),
        }
    }

    #[inline(never)]
    fn claim_slowly_until(
        &self,
        len: usize,
        deadline: Deadline,
    ) -> Result<(Filling, At<M::Carried>), Unsent> {
        self.place.send_until(deadline, &self.side, |ring, side| ring.reserve(side, len))
    }

    fn grant(&self, (claim, at): (Filling, At<M::Carried>)) -> WriteGrant<M> {
        WriteGrant { place: Arc::clone(&self.place), claim: Some(claim), at }
    }
}

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
        if self.send_at_once(value) { Ok(()) } else { self.try_send_slowly(value) }
    }

    /// Sends `value` if there is no obstacle.
    ///
    /// One copy of the ring serves it all, in registers: what lies in memory is read anew after each atomic access.
    #[inline(always)]
    fn send_at_once(&self, value: T) -> bool {
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
                self.fill(claim, value);
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
        if self.send_at_once(value) { Ok(()) } else { self.send_slowly(value) }
    }

    #[inline(never)]
    fn send_slowly(&self, value: T) -> Result<(), SendError<T>> {
        match self.claim_slowly_until(0, Deadline::NEVER) {
            Ok(claim) => {
                self.fill(claim, value);
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
                self.fill(claim, value);
                Ok(())
            }
            Err(why) => Err(why.give_back_late(value)),
        }
    }

    fn fill(&self, (claim, at): (Filling, At<T>), value: T) {
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
    pub(super) fn try_grant(&self, len: usize) -> Result<WriteGrant<M>, Unsent> {
        Ok(self.grant(self.checked_claim(len)?))
    }

    /// The same, waiting for room until `deadline`: then `Full`.
    #[cfg(feature = "serde")]
    pub(super) fn grant_until(
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

impl<M: Message + ?Sized> Clone for Sender<M> {
    /// Another handle of the same attachment, with its own memory of claims.
    fn clone(&self) -> Self {
        Self::new(self.place.beside())
    }
}

impl<M: Message + ?Sized> fmt::Debug for Sender<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

/// A place in a queue, to be filled and then [`commit`](Self::commit)ted. Dropped without, nothing is sent.
///
/// It holds whatever was there before. Messages behind it wait for it: fill it quickly, or send by value.
#[must_use = "dropping a grant sends nothing"]
pub struct WriteGrant<M: Message + ?Sized> {
    place: Arc<Station<M::Carried>>,
    /// `None` once it is used up.
    claim: Option<Filling>,
    /// In which segment.
    at: At<M::Carried>,
}

impl<M: Message + ?Sized> WriteGrant<M> {
    fn claim(&self) -> &Filling {
        self.claim.as_ref().expect("there until it is used up")
    }

    /// The claim, to be used up, unless this is a forked child.
    fn spend(&mut self) -> Option<Filling> {
        self.claim.take().filter(|_| self.place.ring_of(&self.at).is_present())
    }
}

impl<T: Pod> WriteGrant<T> {
    /// Sends the value.
    ///
    /// # Errors
    ///
    /// [`Fault::Forked`] in a child of the process that has the grant; then nothing was sent.
    pub fn commit(mut self) -> Result<(), SendError<()>> {
        let claim = self.spend().ok_or(SendError::Failed((), Fault::Forked))?;
        self.place.ring_of(&self.at).commit(claim);
        self.place.tell_receivers(1);
        Ok(())
    }
}

/// What every message that is carried as bytes shares.
impl<M: Message<Carried = [u8]> + ?Sized> WriteGrant<M> {
    fn bytes(&self) -> &[u8] {
        self.place.ring_of(&self.at).claimed(self.claim())
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        let claim = self.claim.as_mut().expect("there until it is used up");
        self.place.ring_of(&self.at).claimed_mut(claim)
    }

    pub(super) fn shorten(&mut self, len: usize) {
        self.claim.as_mut().expect("there until it is used up").truncate(len);
    }

    pub(super) fn commit_bytes(mut self) -> Result<(), Fault> {
        let claim = self.spend().ok_or(Fault::Forked)?;
        self.place.ring_of(&self.at).commit(claim);
        self.place.tell_receivers(1);
        Ok(())
    }
}

impl WriteGrant<[u8]> {
    /// Shortens the message to `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.shorten(len);
    }

    /// Sends the message.
    ///
    /// # Errors
    ///
    /// [`Fault::Forked`] in a child of the process that has the grant; then nothing was sent.
    pub fn commit(self) -> Result<(), SendError<()>> {
        self.commit_bytes().map_err(|fault| SendError::Failed((), fault))
    }
}

impl<M: Message + ?Sized> Drop for WriteGrant<M> {
    fn drop(&mut self) {
        if let Some(claim) = self.spend() {
            self.place.ring_of(&self.at).abort(claim);
            // What lies behind it may be for several.
            self.place.tell_receivers(usize::MAX);
            if self.place.ring().slab().is_some() {
                self.place.tell_senders(1);
            }
        }
    }
}

impl<T: Pod> Deref for WriteGrant<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.place.ring_of(&self.at).claimed(self.claim())
    }
}

impl<T: Pod> DerefMut for WriteGrant<T> {
    fn deref_mut(&mut self) -> &mut T {
        let claim = self.claim.as_mut().expect("there until it is used up");
        self.place.ring_of(&self.at).claimed_mut(claim)
    }
}

impl Deref for WriteGrant<[u8]> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl DerefMut for WriteGrant<[u8]> {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes_mut()
    }
}

impl<M: Message + ?Sized> fmt::Debug for WriteGrant<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteGrant")
    }
}

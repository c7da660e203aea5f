//! The sending side of a queue.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use bytemuck::Pod;

use super::super::lane::Unsent;
use super::Message;
use super::station::{self, Station};
use crate::error::{Fault, SendError, SendTimeoutError, TrySendError};
use crate::event::{Deadline, Patience};
use crate::member::{Attachment, Role};
use crate::ring::mpmc::{Filling, ProducerSide};
use crate::segment::AnchoredQueue;

type Place<M> = Station<M, ProducerSide>;

/// A handle that sends. Threads may share it; a clone for each is faster, because a handle remembers its last claim.
pub struct Sender<M: Message + ?Sized> {
    place: Arc<Place<M>>,
}

impl<M: Message + ?Sized> Sender<M> {
    pub(super) fn new(
        attachment: &Arc<Attachment>,
        anchored: &AnchoredQueue<M>,
        patience: Patience,
    ) -> Self {
        let side = ProducerSide::new(attachment.id());
        let place = Station::new(attachment, anchored, patience, Role::Sender, side);
        Self { place: Arc::new(place) }
    }

    /// Ends the queue for everybody: what was accepted is still received, nothing more is accepted. It is final.
    pub fn close(&self) {
        station::close(self.place.anchored());
    }

    /// Whether anybody has closed the queue.
    pub fn is_closed(&self) -> bool {
        self.place.ring().is_closed()
    }

    /// How many messages the queue holds at most.
    pub fn capacity(&self) -> usize {
        station::capacity(self.place.anchored())
    }

    /// How many messages were waiting when it looked. Others send and receive meanwhile: a hint.
    pub fn len(&self) -> usize {
        station::len(self.place.anchored())
    }

    /// Whether nothing was waiting when it looked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there was no room when it looked. Messages that receivers hold take room too and are not counted.
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    fn reserve_until(&self, len: usize, deadline: Deadline) -> Result<WriteGrant<M>, Unsent> {
        let claim = match self.place.claim(len) {
            Err(Unsent::Full) => {
                self.place.wait_longer(deadline, |ring, side| ring.reserve(side, len))
            }
            done => done,
        };
        Ok(WriteGrant { place: Arc::clone(&self.place), claim: Some(claim?) })
    }
}

impl<M: Message + ?Sized> Place<M> {
    fn claim(&self, len: usize) -> Result<Filling, Unsent> {
        self.attempt(|ring, side| ring.reserve(side, len))
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
        let sent = self.place.attempt(|ring, side| ring.push(side, value));
        sent.map_err(|why| why.give_back(value))
    }

    /// Appends `value`, waiting for room.
    ///
    /// # Errors
    ///
    /// The value with why it cannot be sent.
    #[inline(always)]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_until(value, Deadline::NEVER).map_err(|why| why.give_back_final(value))
    }

    /// Appends `value`, waiting for room at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// The value with why it was not sent.
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        let deadline = Deadline::after(timeout);
        self.send_until(value, deadline).map_err(|why| why.give_back_late(value))
    }

    #[inline(always)]
    fn send_until(&self, value: T, deadline: Deadline) -> Result<(), Unsent> {
        match self.place.attempt(|ring, side| ring.push(side, value)) {
            Err(Unsent::Full) => self.wait_to_send(value, deadline),
            done => done,
        }
    }

    /// Apart, so that only a value that has to wait is ever put into memory before its slot.
    #[cold]
    fn wait_to_send(&self, value: T, deadline: Deadline) -> Result<(), Unsent> {
        self.place.wait_longer(deadline, |ring, side| ring.push(side, value))
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
        let sent = self.place.attempt(|ring, side| ring.push_slice(side, values));
        let sent = sent.map_err(|why| why.give_back(()))?;
        self.place.tell_more_receivers(sent);
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
            let pushed = match self.place.attempt(|ring, side| ring.push_slice(side, rest)) {
                Err(Unsent::Full) => self
                    .place
                    .wait_longer(Deadline::NEVER, |ring, side| ring.push_slice(side, rest)),
                done => done,
            };
            let count = pushed.map_err(|why| why.give_back_final(sent))?;
            self.place.tell_more_receivers(count);
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
        let claim = self.place.claim(0).map_err(|why| why.give_back(()))?;
        Ok(WriteGrant { place: Arc::clone(&self.place), claim: Some(claim) })
    }

    /// A place in the queue for a value to be written in place, waiting for room.
    ///
    /// # Errors
    ///
    /// Why there cannot be one.
    pub fn reserve(&self) -> Result<WriteGrant<T>, SendError<()>> {
        self.reserve_until(0, Deadline::NEVER).map_err(|why| why.give_back_final(()))
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
        self.reserve_until(0, Deadline::after(timeout)).map_err(|why| why.give_back_late(()))
    }
}

impl<T: Pod> Place<T> {
    /// A batch may serve several receivers; the first was told.
    fn tell_more_receivers(&self, sent: usize) {
        if sent > 1 && self.ring().consumers_wait() {
            let others = u32::try_from(sent - 1).unwrap_or(u32::MAX);
            self.anchored().not_empty().notify(others);
        }
    }
}

impl Sender<[u8]> {
    /// The longest message, in bytes.
    pub fn max_len(&self) -> usize {
        self.place.ring().max_len()
    }

    fn check(&self, len: usize) -> Result<(), Unsent> {
        if self.place.anchored().is_inherited() {
            return Err(Unsent::Failed(Fault::Forked));
        }
        let max = self.max_len();
        if len > max { Err(Unsent::Failed(Fault::TooLong { len, max })) } else { Ok(()) }
    }

    /// Appends `message` if there is room now.
    ///
    /// # Errors
    ///
    /// Why it was not sent.
    pub fn try_send(&self, message: &[u8]) -> Result<(), TrySendError<()>> {
        let sent = self
            .check(message.len())
            .and_then(|()| self.place.attempt(|ring, side| ring.push(side, message)));
        sent.map_err(|why| why.give_back(()))
    }

    /// Appends `message`, waiting for room.
    ///
    /// # Errors
    ///
    /// Why it cannot be sent.
    pub fn send(&self, message: &[u8]) -> Result<(), SendError<()>> {
        self.send_until(message, Deadline::NEVER).map_err(|why| why.give_back_final(()))
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
        self.send_until(message, Deadline::after(timeout)).map_err(|why| why.give_back_late(()))
    }

    fn send_until(&self, message: &[u8], deadline: Deadline) -> Result<(), Unsent> {
        self.check(message.len())?;
        match self.place.attempt(|ring, side| ring.push(side, message)) {
            Err(Unsent::Full) => {
                self.place.wait_longer(deadline, |ring, side| ring.push(side, message))
            }
            done => done,
        }
    }

    /// A place in the queue for a message of `len` bytes to be written in place, if there is room now.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_reserve(&self, len: usize) -> Result<WriteGrant<[u8]>, TrySendError<()>> {
        let claim = self.check(len).and_then(|()| self.place.claim(len));
        let claim = claim.map_err(|why| why.give_back(()))?;
        Ok(WriteGrant { place: Arc::clone(&self.place), claim: Some(claim) })
    }

    /// A place in the queue for a message of `len` bytes to be written in place, waiting for room.
    ///
    /// # Errors
    ///
    /// Why there cannot be one.
    pub fn reserve(&self, len: usize) -> Result<WriteGrant<[u8]>, SendError<()>> {
        let reserved = self.check(len).and_then(|()| self.reserve_until(len, Deadline::NEVER));
        reserved.map_err(|why| why.give_back_final(()))
    }
}

impl<M: Message + ?Sized> Clone for Sender<M> {
    /// Another handle of the same attachment, with its own memory of claims.
    fn clone(&self) -> Self {
        let side = ProducerSide::new(self.place.attachment().id());
        Self { place: Arc::new(self.place.beside(side)) }
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
    place: Arc<Place<M>>,
    /// `None` once it is used up.
    claim: Option<Filling>,
}

impl<M: Message + ?Sized> WriteGrant<M> {
    fn claim(&self) -> &Filling {
        self.claim.as_ref().expect("there until it is used up")
    }

    /// The claim, to be used up, unless this is a forked child.
    fn spend(&mut self) -> Option<Filling> {
        self.claim.take().filter(|_| self.place.ring().is_present())
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
        self.place.ring().commit(claim);
        self.place.tell_receivers();
        Ok(())
    }
}

impl WriteGrant<[u8]> {
    /// Shortens the message to `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.claim.as_mut().expect("there until it is used up").truncate(len);
    }

    /// Sends the message.
    ///
    /// # Errors
    ///
    /// [`Fault::Forked`] in a child of the process that has the grant; then nothing was sent.
    pub fn commit(mut self) -> Result<(), SendError<()>> {
        let claim = self.spend().ok_or(SendError::Failed((), Fault::Forked))?;
        self.place.ring().commit(claim);
        self.place.tell_receivers();
        Ok(())
    }
}

impl<M: Message + ?Sized> Drop for WriteGrant<M> {
    fn drop(&mut self) {
        if let Some(claim) = self.spend() {
            self.place.ring().abort(claim);
            // What lies behind it may be for several.
            if self.place.ring().consumers_wait() {
                self.place.anchored().not_empty().notify(u32::MAX);
            }
        }
    }
}

impl<T: Pod> Deref for WriteGrant<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.place.ring().claimed(self.claim())
    }
}

impl<T: Pod> DerefMut for WriteGrant<T> {
    fn deref_mut(&mut self) -> &mut T {
        let claim = self.claim.as_mut().expect("there until it is used up");
        self.place.ring().claimed_mut(claim)
    }
}

impl Deref for WriteGrant<[u8]> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.place.ring().claimed(self.claim())
    }
}

impl DerefMut for WriteGrant<[u8]> {
    fn deref_mut(&mut self) -> &mut [u8] {
        let claim = self.claim.as_mut().expect("there until it is used up");
        self.place.ring().claimed_mut(claim)
    }
}

impl<M: Message + ?Sized> fmt::Debug for WriteGrant<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteGrant")
    }
}

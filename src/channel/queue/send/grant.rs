//! A place in a queue, in its sender's hands.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use bytemuck::Pod;

use super::super::Message;
use super::super::station::{At, Station};
use super::Sender;
use crate::error::{Fault, SendError};
use crate::ring::mpmc::Filling;

impl<M: Message + ?Sized> Sender<M> {
    pub(super) fn grant(&self, (claim, at): (Filling, At<M::Carried>)) -> WriteGrant<M> {
        WriteGrant { place: Arc::clone(&self.place), claim: Some(claim), at }
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

    pub(in crate::channel::queue) fn bytes_mut(&mut self) -> &mut [u8] {
        let claim = self.claim.as_mut().expect("there until it is used up");
        self.place.ring_of(&self.at).claimed_mut(claim)
    }

    pub(in crate::channel::queue) fn shorten(&mut self, len: usize) {
        self.claim.as_mut().expect("there until it is used up").truncate(len);
    }

    pub(in crate::channel::queue) fn commit_bytes(mut self) -> Result<(), Fault> {
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

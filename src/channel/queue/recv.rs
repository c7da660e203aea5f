//! The receiving side of a queue.

mod bytes;
mod delivery;
mod values;

use std::fmt;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::Message;
use super::station::{At, Presence, Station};
use crate::ring::mpmc::{ConsumerSide, Dry, Ring, Taken};
use crate::segment::AnchoredQueue;
pub use delivery::Delivery;

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

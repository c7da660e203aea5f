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

    standing!(self, self.place);

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

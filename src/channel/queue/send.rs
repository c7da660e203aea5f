//! The sending side of a queue.

mod bytes;
mod grant;
mod long;
mod values;

use std::fmt;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::super::lane::Unsent;
use super::Message;
use super::station::{At, Station};
use crate::event::Deadline;
use crate::member::Role;
use crate::ring::mpmc::{Filling, ProducerSide};
use crate::ring::slab::Found;
use crate::segment::AnchoredQueue;
pub use grant::WriteGrant;

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

    standing!(self, self.place);

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

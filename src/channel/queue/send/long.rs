//! Messages that are longer than a slot: a block first, then a place in line.
//!
//! In that order, because who has a place and waits for a block would hold up the messages that are to free one.

use super::{At, Deadline, Filling, Message, Sender, Unsent};
use crate::primitive::copy;
use crate::ring::slab::Block;

/// What every message that is carried as bytes shares.
impl<M: Message<Carried = [u8]> + ?Sized> Sender<M> {
    /// Whether a message of `len` bytes is in a block.
    #[inline(always)]
    pub(super) fn is_long(&self, len: usize) -> bool {
        len > self.anchored.ring().max_len()
    }

    /// A place for a message of `len` bytes in a block, at once or `until` then.
    #[cold]
    pub(super) fn claim_long(
        &self,
        len: usize,
        until: Option<Deadline>,
    ) -> Result<(Filling, At<[u8]>), Unsent> {
        let block = self.place.block(len, &self.found, until)?;
        self.claim_for(block, len, until)
    }

    /// Sends a copy of `message` in a block, at once or `until` then. Nobody waits for it while it is copied.
    #[cold]
    pub(super) fn send_long(&self, message: &[u8], until: Option<Deadline>) -> Result<(), Unsent> {
        let ring = self.anchored.ring();
        if until.is_none() && !ring.has_room() {
            self.place.check_receivers()?;
            return Err(self.place.full());
        }
        let mut block = self.place.block(message.len(), &self.found, until)?;
        let slab = ring.slab().expect("lengths are checked");
        copy(slab.bytes_mut(&mut block, message.len()), message);
        let (claim, at) = self.claim_for(block, message.len(), until)?;
        self.place.ring_of(&at).commit(claim);
        self.place.tell_receivers(1);
        Ok(())
    }

    fn claim_for(
        &self,
        block: Block,
        len: usize,
        until: Option<Deadline>,
    ) -> Result<(Filling, At<[u8]>), Unsent> {
        let claim = match until {
            Some(deadline) => self.claim_until(0, deadline),
            None => self.claim(0),
        };
        match claim {
            Ok((claim, at)) => Ok((claim.with_block(block, len), at)),
            Err(why) => {
                self.place.free(block);
                Err(why)
            }
        }
    }
}

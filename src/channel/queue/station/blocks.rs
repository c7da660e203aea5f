//! Blocks: had and given back, and waited for like room.

use super::super::super::lane::Unsent;
use super::Station;
use crate::error::Fault;
use crate::event::{Attempt, Deadline};
use crate::primitive::Message;
use crate::ring::slab::{Block, Found, Slab};

impl<M: Message + ?Sized> Station<M> {
    fn slab(&self) -> &Slab<'_> {
        self.ring().slab().expect("lengths are checked")
    }

    /// A block for a message of `len` bytes, with memory; at once, or waiting `until` then for one to be free.
    pub fn block(
        &self,
        len: usize,
        found: &Found,
        until: Option<Deadline>,
    ) -> Result<Block, Unsent> {
        let first = self.try_block(len, found);
        match (first, until) {
            (Err(Unsent::Full), Some(deadline)) => self.block_until(len, found, deadline),
            (first, _) => first,
        }
    }

    fn try_block(&self, len: usize, found: &Found) -> Result<Block, Unsent> {
        self.check_receivers()?;
        let Some(block) = self.slab().allocate(self.attachment.id(), len, found) else {
            return Err(self.full());
        };
        if self.slab().back(&block, len) {
            return Ok(block);
        }
        self.free(block);
        Err(Unsent::Failed(Fault::NoMemory))
    }

    /// What it comes to that there is no place, or no block, now.
    pub fn full(&self) -> Unsent {
        if self.ring().is_closed() {
            return Unsent::Closed;
        }
        self.missed();
        Unsent::Full
    }

    fn block_until(&self, len: usize, found: &Found, deadline: Deadline) -> Result<Block, Unsent> {
        let attempt = |look: crate::event::Look| match self.try_block(len, found) {
            Err(Unsent::Full) if look.overdue && self.attachment.is_blind() => {
                Attempt::Ready(Err(Unsent::Failed(Fault::Blind)))
            }
            Err(Unsent::Full) => Attempt::Idle,
            done => Attempt::Ready(done),
        };
        // Who frees a block does so before it looks for waiters, so that nobody is between the two but who has one.
        let holder = || self.slab().a_holder(self.ring(), self.attachment.id(), len);
        self.wait_for(deadline, attempt, holder).unwrap_or(Err(Unsent::Full))
    }

    /// Gives a block back that no message came of.
    pub fn free(&self, block: Block) {
        self.slab().free(block, self.attachment.id());
        self.tell_senders(1);
    }
}

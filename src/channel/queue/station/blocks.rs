//! Blocks: had and given back, and waited for like room.

use super::super::super::lane::Unsent;
use super::Station;
use crate::error::Fault;
use crate::event::{Attempt, Deadline};
use crate::member::Role;
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
        let (entered, deserted) = self.anchored.sides(Role::Receiver as usize);
        if entered == deserted {
            self.check_alone(entered)?;
        }
        let Some(block) = self.slab().allocate(self.attachment.id(), len, found) else {
            if self.ring().is_closed() {
                return Err(Unsent::Closed);
            }
            self.missed();
            return Err(Unsent::Full);
        };
        if self.slab().back(&block, len) {
            return Ok(block);
        }
        self.free(block);
        Err(Unsent::Failed(Fault::NoMemory))
    }

    fn block_until(&self, len: usize, found: &Found, deadline: Deadline) -> Result<Block, Unsent> {
        let attempt = |look: crate::event::Look| match self.try_block(len, found) {
            Err(Unsent::Full) if look.overdue && self.attachment.is_blind() => {
                Attempt::Ready(Err(Unsent::Failed(Fault::Blind)))
            }
            Err(Unsent::Full) => Attempt::Idle,
            done => Attempt::Ready(done),
        };
        // Who frees a block does so before it looks for waiters, so that nobody is between the two but who owns one.
        let owner = || self.slab().an_owner(self.attachment.id(), len);
        self.wait_for(deadline, attempt, owner).unwrap_or(Err(Unsent::Full))
    }

    /// Gives a block back that no message came of.
    pub fn free(&self, block: Block) {
        self.slab().free(block, self.attachment.id());
        self.tell_senders(1);
    }
}

//! Messages of bytes that lie in a block: in the slot there is only where.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use super::super::block::Place;
use super::super::slab::{Astray, Block, Long, Slab};
use super::super::word::MessageWord;
use super::fill::Filling;
use super::take::Taken;
use super::{Corruption, Ring};
use crate::error::MemberId;
use crate::primitive::Message;

impl<M: Message + ?Sized> Ring<'_, M> {
    /// Where the slot of a claim to fill is, as a block's word says it.
    pub(super) fn place_of(&self, claim: &Filling, second: bool) -> Place {
        let index = self.slot_of(claim);
        Place::of_slot(second, self.geometry, index as u64, claim.word)
    }
}

impl Ring<'_, [u8]> {
    /// Makes the first `len` bytes of `block`, which is `member`'s, the message of a claim. `second` says which ring this is.
    /// The caller then asks whether consumers wait.
    pub fn commit_block(
        &self,
        claim: Filling,
        (slab, block, len): (&Slab<'_>, Block, usize),
        member: MemberId,
        second: bool,
    ) {
        let index = self.slot_of(&claim);
        let len = u32::try_from(len).expect("a block is shorter than that");
        // SAFETY: the slot is in WRITING for this claim.
        unsafe { self.slots.write(index, MessageWord::in_block(len).0) };
        // SAFETY: as above.
        let behind = unsafe { self.slots.slice_mut(index, 1, 1) };
        behind[0] = block.number.into();
        slab.bind(&block, self.place_of(&claim, second), member);
        self.finish(claim);
    }

    /// Whether the message of a claim says that it is in a block.
    pub fn is_long(&self, claim: &Taken) -> bool {
        self.descriptor(claim).0.block_length().is_some()
    }

    /// Finds the message of a claim, which is in a block.
    ///
    /// # Errors
    ///
    /// That it is not to be had; the claim is as it was.
    pub fn find_long(
        &self,
        claim: &Taken,
        slab: &Slab<'_>,
        second: bool,
    ) -> Result<Long, Astray> {
        let (word, number) = self.descriptor(claim);
        let len = word.block_length().ok_or(Astray::Corrupt(Corruption::Flags))?;
        match slab.find(Place::new(second, self.position_of(claim)), number, len) {
            // Nobody has had it before: so nobody has moved it.
            Err(Astray::Moved) if claim.tries() == 0 => Err(Astray::Corrupt(Corruption::Block)),
            found => found,
        }
    }

    /// The word of a message, and the one behind it, each read once.
    fn descriptor(&self, claim: &Taken) -> (MessageWord, u64) {
        let index = self.slot_of_taken(claim);
        // SAFETY: the claim is one of this ring; nobody writes to the slot meanwhile.
        let word = MessageWord(unsafe { self.slots.read_once(index) });
        // SAFETY: as above.
        let behind = unsafe { self.slots.slice(index, 1, 1) };
        (word, behind[0])
    }
}

//! Messages of bytes that lie in a block: in the slot there is only where.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use super::super::block::Place;
use super::super::slab::{Astray, Block, Slab};
use super::super::word::MessageWord;
use super::fill::Filling;
use super::take::Taken;
use super::{Corruption, Ring};
use crate::error::MemberId;
use crate::primitive::Message;

impl<'a, M: Message + ?Sized> Ring<'a, M> {
    /// The same with the blocks that its messages may be in, as the `second` ring of a queue or the first.
    #[must_use]
    pub fn with_slab(self, slab: Option<&'a Slab<'a>>, second: bool) -> Self {
        Self { slab, second, ..self }
    }

    /// The blocks that messages may be in.
    pub fn slab(&self) -> Option<&'a Slab<'a>> {
        self.slab
    }

    fn blocks(&self) -> &'a Slab<'a> {
        self.slab.expect("who has a block has it from the slab")
    }

    /// Where the slot of a claim to fill is, as a block's word says it.
    fn place_to_fill(&self, claim: &Filling) -> Place {
        let index = self.slot_of(claim) as u64;
        Place::of_slot(self.second, self.geometry, index, claim.word)
    }

    fn place_of_taken(&self, claim: &Taken) -> Place {
        Place::new(self.second, self.position_of(claim))
    }

    /// Frees the block of an aborted claim.
    #[cold]
    pub(super) fn free_block(&self, block: Block, member: u16) {
        self.blocks().free(block, MemberId(member));
    }

    /// Frees the block of a message, the slot of which was given back.
    #[cold]
    pub(super) fn release_block(&self, block: Block, position: u64, member: u16) {
        self.blocks().release(block, Place::new(self.second, position), MemberId(member));
    }

    /// Binds the block of `claim`, if the message is in one, to the slot of `place` in `other`. False if it is not there any
    /// more.
    pub(super) fn hand_over(&self, claim: &Taken, other: &Self, place: &Filling) -> bool {
        let Some(block) = &claim.block else { return true };
        let (from, to) = (self.place_of_taken(claim), other.place_to_fill(place));
        self.blocks().rebind(block, (from, to), MemberId(place.word.member()))
    }

    /// Finds the message of a claim, if it is in a block.
    ///
    /// # Errors
    ///
    /// That it is not to be had; the claim is as it was.
    #[cold]
    pub fn locate(&self, claim: &mut Taken) -> Result<(), Astray> {
        let Some(slab) = self.slab else { return Ok(()) };
        let index = self.slot_of_taken(claim);
        // Blocks are of queues of bytes, elements of which are words.
        // SAFETY: the claim is one of this ring; nobody writes to the slot meanwhile.
        let word = MessageWord(bytemuck::cast(unsafe { self.slots.read_once(index) }));
        let Some(len) = word.block_length() else { return Ok(()) };
        // SAFETY: as above.
        let number = bytemuck::cast(unsafe { self.slots.read_once_at(index, 1) });
        let block = match slab.find(self.place_of_taken(claim), number, len) {
            // Nobody has had it before: so nobody has moved it.
            Err(Astray::Moved) if claim.tries() == 0 => return Err(Corruption::Block.into()),
            found => found?,
        };
        (claim.block, claim.len) = (Some(block), len as usize);
        Ok(())
    }

    /// Gives the slot of a claim back whose message was moved. The caller then asks whether producers wait.
    pub fn pass_over(&self, mut claim: Taken) {
        (claim.block, claim.len) = (None, 0);
        self.acknowledge(claim);
    }
}

impl Ring<'_, [u8]> {
    /// The bytes of a claim whose message is in `block`.
    #[cold]
    pub(super) fn block_bytes<'c>(&'c self, block: &'c Block, len: usize) -> &'c [u8] {
        self.blocks().bytes(block, len)
    }

    /// The same, part by part, by one who reads them for the last time.
    #[cold]
    pub(super) fn block_read_out(&self, block: &mut Block, len: usize, take: impl FnMut(&[u8])) {
        self.blocks().read_out(block, len, take);
    }

    /// The same, to be written in place.
    #[cold]
    pub(super) fn block_bytes_mut<'c>(&'c self, block: &'c mut Block, len: usize) -> &'c mut [u8] {
        self.blocks().bytes_mut(block, len)
    }

    /// The longest message, in bytes.
    pub fn longest(&self) -> usize {
        self.slab.map_or(self.max_len(), Slab::max_message)
    }

    /// Makes the first `len` bytes of `block` the message of a claim.
    #[cold]
    pub(super) fn commit_block(&self, claim: Filling, block: &Block, len: usize) {
        let index = self.slot_of(&claim);
        let len = u32::try_from(len).expect("a block is shorter than that");
        // SAFETY: the slot is in WRITING for this claim.
        unsafe { self.slots.write(index, &MessageWord::in_block(len).0) };
        // SAFETY: as above.
        let behind = unsafe { self.slots.slice_mut(index, 1, 1) };
        behind[0] = block.number.into();
        self.blocks().bind(block, self.place_to_fill(&claim), MemberId(claim.word.member()));
        self.finish(claim);
    }
}

impl Filling {
    /// The claim of a place for a message of `len` bytes in `block`.
    #[must_use]
    pub fn with_block(mut self, block: Block, len: usize) -> Self {
        (self.block, self.len) = (Some(block), len);
        self
    }
}

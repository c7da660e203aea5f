//! A message that goes from one ring to another of the same shape.
//!
//! It is complete in the second before it leaves the first, so it is never nowhere; whoever dies between leaves it in
//! both. One in a block is where the block is bound: that moves at once, and what stays behind is passed over.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use super::fill::{ProducerSide, Refusal};
use super::take::Taken;
use super::{Corruption, Ring};
use crate::error::MemberId;
use crate::primitive::{Message, copy};

impl<M: Message + ?Sized> Ring<'_, M> {
    /// Makes the message of `claim`, which stays claimed, a message of `other` too, in the name of `member`. One
    /// in a block was measured, and takes that along: from then on it is there, and not here. The caller then asks whether
    /// consumers wait there.
    ///
    /// # Errors
    ///
    /// Why `other` has no slot for it, or that its block is not its own any more.
    ///
    /// # Panics
    ///
    /// When slots of the two are not alike.
    pub fn copy_to(
        &self,
        claim: &Taken,
        other: &Ring<'_, M>,
        member: MemberId,
    ) -> Result<(), Refusal> {
        let elements = self.slots.elements();
        assert!(elements == other.slots.elements(), "rings of one segment have slots alike");
        let place = other.reserve(&ProducerSide::new(member), 0)?;
        // SAFETY: the slot is claimed to be read, so nobody writes to it while the claim is borrowed.
        let message = unsafe { self.slots.slice(self.slot_of_taken(claim), 0, elements) };
        // SAFETY: the slot was just claimed and is in WRITING for this claim alone.
        let room = unsafe { other.slots.slice_mut(other.slot_of(&place), 0, elements) };
        copy(room, message);
        if !self.hand_over(claim, other, &place) {
            other.abort(place);
            return Err(Corruption::Block.into());
        }
        other.finish(place);
        Ok(())
    }
}

//! A message that goes from one ring to another of the same shape.
//!
//! It is complete in the second before it leaves the first, so it is never nowhere; whoever dies between leaves it in
//! both.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use super::Ring;
use super::fill::{ProducerSide, Refusal};
use super::take::Taken;
use crate::error::MemberId;
use crate::primitive::Message;

impl<M: Message + ?Sized> Ring<'_, M> {
    /// Makes the message of `claim`, which stays claimed, a message of `other` too, in the name of `member`. The caller
    /// then asks whether consumers wait there.
    ///
    /// # Errors
    ///
    /// Why `other` has no slot for it.
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
        room.copy_from_slice(message);
        other.finish(place);
        Ok(())
    }
}

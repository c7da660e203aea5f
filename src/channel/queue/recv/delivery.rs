//! A message in its receiver's hands.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytemuck::Pod;

use super::super::station::{self, At, Station};
use super::super::{DeliveryPolicy, Message};
use super::Receiver;
use crate::ring::mpmc::Taken;

impl<M: Message + ?Sized> Receiver<M> {
    pub(in crate::channel::queue) fn guard(
        &self,
        (claim, at): (Taken, At<M::Carried>),
    ) -> Delivery<M> {
        Delivery { place: Arc::clone(&self.place), claim: Some(claim), at }
    }
}

/// A message that was received and not acknowledged yet, read where it lies.
///
/// [`ack`](Self::ack) takes it out of the queue. Dropped without, also by a panic, it is delivered again, flagged, or dropped,
/// by the queue's policy. It may go to another thread and outlive the receiver.
///
/// The bytes lie in memory that other processes of the same user can write to: who does not trust them receives by copy.
#[must_use = "a delivery that is dropped is not acknowledged"]
pub struct Delivery<M: Message + ?Sized> {
    place: Arc<Station<M::Carried>>,
    /// `None` once it is used up.
    claim: Option<Taken>,
    /// In which segment.
    at: At<M::Carried>,
}

impl<M: Message + ?Sized> Delivery<M> {
    /// Takes the message out of the queue for good.
    pub fn ack(mut self) {
        if let Some(claim) = self.spend() {
            self.place.ring_of(&self.at).acknowledge(claim);
            self.place.done_with(&self.at, 1);
        }
    }

    /// Whether somebody may have seen the message before.
    pub fn redelivered(&self) -> bool {
        self.deliveries() > 1
    }

    /// How often the message was delivered, this time included; 16 stands for that and more. A dead letter had as many
    /// deliveries before as the queue allows.
    pub fn deliveries(&self) -> u32 {
        self.place.deliveries_before() + 1 + self.claim().tries()
    }

    fn claim(&self) -> &Taken {
        self.claim.as_ref().expect("there until it is used up")
    }

    /// The claim, to be used up, unless this is a forked child.
    fn spend(&mut self) -> Option<Taken> {
        self.claim.take().filter(|_| self.place.ring_of(&self.at).is_present())
    }
}

impl<M: Message + ?Sized> Drop for Delivery<M> {
    fn drop(&mut self) {
        let Some(claim) = self.spend() else { return };
        match station::policy(self.place.attachment()) {
            DeliveryPolicy::AtLeastOnce => {
                self.place.ring_of(&self.at).put_back(self.place.sweeper_of(&self.at), claim, true);
                self.place.tell_receivers(1);
            }
            DeliveryPolicy::AtMostOnce => {
                self.place.ring_of(&self.at).acknowledge(claim);
                self.place.done_with(&self.at, 1);
            }
        }
    }
}

impl<T: Pod> Deref for Delivery<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.place.ring_of(&self.at).value(self.claim())
    }
}

/// What every message that is carried as bytes shares.
impl<M: Message<Carried = [u8]> + ?Sized> Delivery<M> {
    pub(in crate::channel::queue) fn bytes(&self) -> &[u8] {
        self.place.ring_of(&self.at).bytes(self.claim())
    }
}

impl Deref for Delivery<[u8]> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl<M: Message + ?Sized> fmt::Debug for Delivery<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delivery {{ deliveries: {} }}", self.deliveries())
    }
}

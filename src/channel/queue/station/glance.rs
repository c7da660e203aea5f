//! Whether a receiver would find something, for those who wait at several queues.

use super::Station;
use super::growing::Growth;
use crate::event::{Attempt, Event, Look, Patience};
use crate::primitive::Message;
use crate::ring::mpmc::Glimpse;

impl<M: Message + ?Sized> Station<M> {
    /// Where this receiver waits.
    pub fn event(&self) -> &Event<'_> {
        self.anchored.not_empty()
    }

    /// How.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Whether another waiter would find something.
    pub fn has_more(&self) -> bool {
        self.growth.as_ref().map_or_else(|| self.ring().has_more(), Growth::has_more)
    }

    /// Ready if a receiver would find anything but that there is nothing yet: a message, the end, a fault.
    pub fn glance(&self, look: Look) -> Attempt<()> {
        let mut attempt = |_| {
            // Blank in a forked child, which is told so by whatever it tries.
            if self.anchored.is_inherited() {
                return Attempt::Ready(());
            }
            let (entered, deserted) = self.anchored.sides(self.post.suppliers());
            match self.growth.as_ref().map_or_else(|| self.ring().glimpse(), Growth::glimpse) {
                Glimpse::Something => Attempt::Ready(()),
                Glimpse::Busy(member) => Attempt::Held(member),
                Glimpse::Nothing if entered == deserted && entered != 0 => Attempt::Ready(()),
                Glimpse::Nothing => Attempt::Idle,
            }
        };
        self.closely(look, &mut attempt, &|| self.at_work())
    }
}

//! Whether a receiving side would find something, for those who wait at several channels.

use bytemuck::Pod;

use super::Lane;
use crate::event::{Attempt, Event, Look, Patience};

impl<T: Pod> Lane<T> {
    /// Where this side waits.
    pub fn event(&self) -> &Event<'_> {
        self.anchored.not_empty()
    }

    /// How.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Whether there was anything to take when it looked.
    pub fn has_more(&self) -> bool {
        !self.anchored.ring().is_empty()
    }

    /// Ready if this side would find anything but that there is nothing yet: a message, the end, a fault.
    pub fn glance(&self, look: Look) -> Attempt<()> {
        let lane = self;
        if lane.is_inherited() {
            return Attempt::Ready(());
        }
        if look.overdue {
            lane.end.bury_peer();
        }
        let ring = lane.anchored.ring();
        let has_left =
            || lane.anchored.peer().is_deserted() && lane.end.peer_has_left(|| ring.is_empty());
        if !ring.is_empty() || ring.is_closing() || has_left() {
            Attempt::Ready(())
        } else {
            Attempt::Idle
        }
    }
}

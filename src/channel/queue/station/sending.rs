//! What an operation of a sender may come to.

use super::super::super::lane::Unsent;
use super::{At, Station};
use crate::error::Fault;
use crate::event::{Attempt, Deadline, Look};
use crate::member::Role;
use crate::primitive::Message;
use crate::ring::mpmc::{ProducerSide, Refusal, Ring};

impl<M: Message + ?Sized> Station<M> {
    /// Runs one operation of a sender, whose handle has `side`. Says where it came to something.
    pub fn try_to_send<R>(
        &self,
        side: &ProducerSide,
        mut operation: impl FnMut(&Ring<'_, M>, &ProducerSide) -> Result<R, Refusal>,
    ) -> Result<(R, At<M>), Unsent> {
        self.check_receivers()?;
        let mut attempt = || match &self.growth {
            Some(growth) => growth.send(&mut operation),
            None => operation(self.ring(), side).map(|done| (done, At::ONLY)).map_err(Unsent::from),
        };
        let done = match attempt() {
            Err(Unsent::Held(member)) if self.is_freed_of(member) => attempt(),
            done => done,
        };
        done.inspect_err(|_| self.missed())
    }

    /// Whether there is anybody to send to.
    #[inline(always)]
    pub fn check_receivers(&self) -> Result<(), Unsent> {
        let (entered, deserted) = self.anchored.sides(Role::Receiver as usize);
        if entered == deserted { self.check_alone(entered) } else { Ok(()) }
    }

    /// Nobody receives, or this process was forked: whether to send all the same. Who comes first may fill
    /// the queue.
    #[cold]
    fn check_alone(&self, entered: u64) -> Result<(), Unsent> {
        match () {
            () if self.anchored.is_inherited() => Err(Unsent::Failed(Fault::Forked)),
            () if self.is_closed() => Err(Unsent::Closed),
            () if entered != 0 => Err(Unsent::Disconnected),
            () => Ok(()),
        }
    }

    /// Runs one operation of a sender, waiting until `deadline` for it to find room: then `Full`.
    pub fn send_until<R>(
        &self,
        deadline: Deadline,
        side: &ProducerSide,
        mut operation: impl FnMut(&Ring<'_, M>, &ProducerSide) -> Result<R, Refusal>,
    ) -> Result<(R, At<M>), Unsent> {
        let attempt = |look: Look| match self.try_to_send(side, &mut operation) {
            Err(Unsent::Full | Unsent::Held(_)) if look.overdue && self.attachment.is_blind() => {
                Attempt::Ready(Err(Unsent::Failed(Fault::Blind)))
            }
            Err(Unsent::Full) => Attempt::Idle,
            Err(Unsent::Held(member)) => Attempt::Held(member),
            done => Attempt::Ready(done),
        };
        self.wait_until(deadline, attempt).unwrap_or(Err(Unsent::Full))
    }
}

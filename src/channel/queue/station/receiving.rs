//! What an operation of a receiver may come to.

use super::super::super::lane::Unreceived;
use super::{At, Post, Station};
use crate::error::Fault;
use crate::event::{Attempt, Deadline, Look};
use crate::primitive::Message;
use crate::primitive::Ordering::Relaxed;
use crate::ring::Corruption;
use crate::ring::mpmc::{ConsumerSide, Dry, Ring, Sweeper, Taken};
use crate::ring::slab::Astray;

impl<M: Message + ?Sized> Station<M> {
    /// Runs one operation of a receiver, whose handle has `side`. Says where it came to something.
    ///
    /// In a forked child the segment's place reads as zeros, which is an empty ring that nobody sends to: so the
    /// check for a fork costs nothing where there is a message.
    pub fn try_to_receive<R>(
        &self,
        side: &ConsumerSide,
        mut operation: impl FnMut(&Ring<'_, M>, &ConsumerSide) -> Result<R, Dry>,
    ) -> Result<(R, At<M>), Unreceived> {
        if let Some(growth) = &self.growth {
            let mut fault = None;
            let received = self.try_each_way(|| {
                let received = growth.receive(&mut operation);
                received.unwrap_or_else(|why| {
                    fault = Some(why);
                    Err(Dry::Corrupt(Corruption::Chain))
                })
            });
            return match fault {
                Some(fault) if !self.anchored.is_inherited() => Err(Unreceived::Failed(fault)),
                _ => received,
            };
        }
        self.try_each_way(|| operation(self.ring(), side).map(|done| (done, At::ONLY)))
    }

    #[inline(always)]
    fn try_each_way<R>(
        &self,
        mut attempt: impl FnMut() -> Result<R, Dry>,
    ) -> Result<R, Unreceived> {
        match attempt() {
            Ok(done) => Ok(done),
            Err(Dry::Empty) if self.has_senders() => {
                self.missed();
                Err(Unreceived::Empty)
            }
            Err(dry) => self.look_closer(dry, attempt),
        }
    }

    fn has_senders(&self) -> bool {
        let (entered, deserted) = self.anchored.sides(self.post.suppliers());
        entered != deserted
    }

    /// An attempt came to nothing, and not merely because there is no message yet.
    #[cold]
    fn look_closer<R>(
        &self,
        mut dry: Dry,
        mut attempt: impl FnMut() -> Result<R, Dry>,
    ) -> Result<R, Unreceived> {
        let mut deserted_at = None;
        loop {
            match dry {
                Dry::Skipped => self.tell_senders(1),
                Dry::Busy(member) if self.is_freed_of(member) => {}
                Dry::Busy(member) => {
                    self.missed();
                    return Err(Unreceived::Busy(member));
                }
                Dry::Drained => return Err(Unreceived::Closed),
                Dry::Corrupt(what) => return Err(Unreceived::Failed(Fault::Corrupt(what.text()))),
                Dry::Empty => {
                    let (entered, deserted) = self.anchored.sides(self.post.suppliers());
                    match () {
                        () if self.anchored.is_inherited() => {
                            return Err(Unreceived::Failed(Fault::Forked));
                        }
                        () if entered != deserted || entered == 0 => {
                            self.missed();
                            return Err(Unreceived::Empty);
                        }
                        // Empty after all had left, and nobody came since.
                        () if deserted_at == Some(entered) => return Err(Unreceived::Disconnected),
                        () => deserted_at = Some(entered),
                    }
                }
            }
            dry = match attempt() {
                Ok(done) => return Ok(done),
                Err(dry) => dry,
            };
        }
    }

    /// How often a message was delivered elsewhere before it came here.
    pub fn deliveries_before(&self) -> u32 {
        let limit = self.attachment.segment().shape().delivery_limit;
        if self.post == Post::DeadLetters { limit } else { 0 }
    }

    /// Decides what becomes of a message that was claimed again: it is received, or goes to the dead letters.
    ///
    /// It is in the one ring until it is committed in the other, so a death between leaves it in both: in the queue it is
    /// delivered once more, to whoever then moves it again.
    #[cold]
    pub fn examine(
        &self,
        ring: &Ring<'_, M>,
        sweeper: &Sweeper,
        mut claim: Taken,
    ) -> Result<Taken, Dry> {
        match ring.locate(&mut claim) {
            Ok(()) => {}
            Err(Astray::Moved) => {
                ring.pass_over(claim);
                return Err(Dry::Skipped);
            }
            Err(Astray::Corrupt(what)) => {
                ring.put_back(sweeper, claim, false);
                return Err(Dry::Corrupt(what));
            }
        }
        let counters = self.attachment.counters();
        if let Some(dead_letters) = &self.dead_letters
            && claim.tries() >= self.attachment.segment().shape().delivery_limit
            && ring.copy_to(&claim, dead_letters.ring(), self.attachment.id()).is_ok()
        {
            if dead_letters.ring().consumers_wait() {
                dead_letters.not_empty().notify(1);
            }
            counters.dead_letters.fetch_add(1, Relaxed);
            ring.acknowledge(claim);
            return Err(Dry::Skipped);
        }
        counters.redeliveries.fetch_add(1, Relaxed);
        Ok(claim)
    }

    /// Runs one operation of a receiver, waiting until `deadline` for it to find something: then `Empty`.
    pub fn receive_until<R>(
        &self,
        deadline: Deadline,
        side: &ConsumerSide,
        mut operation: impl FnMut(&Ring<'_, M>, &ConsumerSide) -> Result<R, Dry>,
    ) -> Result<(R, At<M>), Unreceived> {
        let attempt = |look: Look| match self.try_to_receive(side, &mut operation) {
            Err(Unreceived::Empty | Unreceived::Busy(_))
                if look.overdue && self.attachment.is_blind() =>
            {
                Attempt::Ready(Err(Unreceived::Failed(Fault::Blind)))
            }
            Err(Unreceived::Empty) => Attempt::Idle,
            Err(Unreceived::Busy(member)) => Attempt::Held(member),
            done => Attempt::Ready(done),
        };
        self.wait_until(deadline, attempt).unwrap_or(Err(Unreceived::Empty))
    }
}

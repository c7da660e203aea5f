//! The sending side of a lane.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytemuck::Pod;
use crossbeam_utils::CachePadded;

use super::{End, Idle, Lane};
use crate::error::{Fault, MemberId, SendError, SendTimeoutError, TrySendError};
use crate::event::{Attempt, Deadline, Event, Look, Patience};
use crate::ring::mpmc;
use crate::ring::spsc::{ProducerSide, Refusal, Ring};

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    Full,
    /// Only from a queue: a member reads what is in the next slot. A wait goes on.
    Held(MemberId),
    Closed,
    Disconnected,
    Failed(Fault),
}

impl Unsent {
    #[cold]
    pub fn give_back<V>(self, value: V) -> TrySendError<V> {
        match self {
            Unsent::Full | Unsent::Held(_) => TrySendError::Full(value),
            Unsent::Closed => TrySendError::Closed(value),
            Unsent::Disconnected => TrySendError::Disconnected(value),
            Unsent::Failed(fault) => TrySendError::Failed(value, fault),
        }
    }

    /// `Full` here means that time ran out.
    pub fn give_back_late<V>(self, value: V) -> SendTimeoutError<V> {
        match self {
            Unsent::Full | Unsent::Held(_) => SendTimeoutError::Timeout(value),
            Unsent::Closed => SendTimeoutError::Closed(value),
            Unsent::Disconnected => SendTimeoutError::Disconnected(value),
            Unsent::Failed(fault) => SendTimeoutError::Failed(value, fault),
        }
    }

    /// `Full` cannot be: the wait had no end.
    pub fn give_back_final<V>(self, value: V) -> SendError<V> {
        match self {
            Unsent::Full | Unsent::Held(_) | Unsent::Closed => SendError::Closed(value),
            Unsent::Disconnected => SendError::Disconnected(value),
            Unsent::Failed(fault) => SendError::Failed(value, fault),
        }
    }
}

impl From<Refusal> for Unsent {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full => Unsent::Full,
            Refusal::Closed => Unsent::Closed,
            Refusal::Corrupt(what) => Unsent::Failed(Fault::Corrupt(what.text())),
        }
    }
}

impl From<mpmc::Refusal> for Unsent {
    fn from(refusal: mpmc::Refusal) -> Self {
        match refusal {
            mpmc::Refusal::Full => Unsent::Full,
            mpmc::Refusal::Held(member) => Unsent::Held(member),
            mpmc::Refusal::Closed => Unsent::Closed,
            mpmc::Refusal::Corrupt(what) => Unsent::Failed(Fault::Corrupt(what.text())),
        }
    }
}

/// The sending side of one direction.
pub struct SendLane<T: Pod> {
    lane: Lane<T>,
    /// On lines of its own: the other end's handle may lie beside this one.
    side: CachePadded<ProducerSide>,
    idle: Idle,
}

impl<T: Pod> SendLane<T> {
    /// The sending side of ring `ring`, taken up where its last producer left it.
    pub fn new(end: &Arc<End>, ring: u32, patience: Patience) -> Result<Self, Refusal> {
        let lane = Lane::new(end, ring, patience);
        let side = ProducerSide::resume(lane.anchored.ring())?;
        Ok(Self { lane, side: CachePadded::new(side), idle: Idle::default() })
    }

    /// Runs one operation of the producer.
    #[inline(always)]
    pub fn attempt<R>(
        &mut self,
        operation: impl FnOnce(&Ring<'_, T>, &mut ProducerSide) -> Result<R, Refusal>,
    ) -> Result<R, Unsent> {
        if !self.lane.has_peer() {
            self.lane.check_alone()?;
        }
        match operation(self.lane.anchored.ring(), &mut self.side) {
            Ok(done) => Ok(done),
            Err(refusal) => Err(self.refused(refusal)),
        }
    }

    /// Appends `value` and tells the consumer. The frequent operation on its own: a closure may or may not be put in line, and
    /// where it was not, a value of 64 bytes cost twice as much. The value stays where it is until it goes into its slot.
    #[inline(always)]
    pub fn push(&mut self, value: &T) -> Result<(), Unsent> {
        if !self.lane.has_peer() {
            self.lane.check_alone()?;
        }
        match self.side.push(self.lane.anchored.ring(), value) {
            Ok(awaited) => {
                self.notify_if(awaited);
                Ok(())
            }
            Err(refusal) => Err(self.refused(refusal)),
        }
    }

    #[inline(never)]
    fn refused(&mut self, refusal: Refusal) -> Unsent {
        self.idle.missed(&self.lane);
        Unsent::from(refusal)
    }

    /// Repeats an operation that finds no room until it does, or `deadline` passes: then `Full`.
    #[inline(always)]
    pub fn wait<R>(
        &mut self,
        deadline: Deadline,
        mut operation: impl FnMut(&Ring<'_, T>, &mut ProducerSide) -> Result<R, Refusal>,
    ) -> Result<R, Unsent> {
        match self.attempt(&mut operation) {
            Err(Unsent::Full) => self.wait_longer(deadline, operation),
            done => done,
        }
    }

    /// As [`wait`](Self::wait), after a first attempt that found no room.
    #[cold]
    pub fn wait_longer<R>(
        &mut self,
        deadline: Deadline,
        mut operation: impl FnMut(&Ring<'_, T>, &mut ProducerSide) -> Result<R, Refusal>,
    ) -> Result<R, Unsent> {
        let Self { lane, side, idle } = self;
        let ring = lane.anchored.ring();
        let attempt = |look: Look| {
            if look.overdue {
                lane.end.bury_peer();
            }
            if let Err(why) = lane.check_alone() {
                return Attempt::Ready(Err(why));
            }
            match operation(ring, side) {
                Err(Refusal::Full) if look.overdue && lane.attachment().is_blind() => {
                    Attempt::Ready(Err(Unsent::Failed(Fault::Blind)))
                }
                Err(Refusal::Full) => Attempt::Idle,
                done => Attempt::Ready(done.map_err(Unsent::from)),
            }
        };
        let has_room = || ring.len() < ring.capacity().slots();
        let (event, recheck) = (lane.anchored.not_full(), &mut idle.recheck);
        let waited = event.wait_until(lane.patience, recheck, deadline, attempt, has_room);
        waited.unwrap_or(Err(Unsent::Full))
    }

    /// Tells the consumer that something was published, if it may be waiting.
    #[inline(always)]
    pub fn notify_if(&self, awaited: bool) {
        if awaited {
            self.lane.wake(self.lane.anchored.not_empty());
        }
    }

    /// What a grant needs to publish what was written into it.
    pub fn parts(&mut self) -> (&Ring<'_, T>, &mut ProducerSide, &Event<'_>) {
        (self.lane.anchored.ring(), &mut self.side, self.lane.anchored.not_empty())
    }

    pub fn close(&self) {
        self.lane.close();
        self.retire();
    }

    /// Settles where the stream ends, if it is to end and nobody has: as its producer one always may.
    fn retire(&self) {
        if !self.lane.is_inherited() {
            self.side.retire(self.lane.anchored.ring());
        }
    }
}

impl SendLane<u64> {
    /// The longest record that the consumer accepts now.
    #[inline(always)]
    pub fn max_record(&self) -> u64 {
        self.lane.anchored.ring().max_record()
    }
}

impl<T: Pod> Drop for SendLane<T> {
    fn drop(&mut self) {
        self.retire();
    }
}

impl<T: Pod> Deref for SendLane<T> {
    type Target = Lane<T>;
    fn deref(&self) -> &Lane<T> {
        &self.lane
    }
}

impl<T: Pod> fmt::Debug for SendLane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lane.fmt(f)
    }
}

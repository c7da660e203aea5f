//! The receiving side of a lane.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytemuck::Pod;
use crossbeam_utils::CachePadded;

use super::{End, Idle, Lane};
use crate::error::{Fault, MemberId, RecvError, RecvTimeoutError, TryRecvError};
use crate::event::{Attempt, Deadline, Event, Look, Patience};
use crate::ring::spsc::{ConsumerSide, Dry, Front, Ring};

/// Why nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreceived {
    Empty,
    /// Only from a queue; a wait goes on.
    Busy(MemberId),
    /// Only from a pipe: what comes next is no whole record, or too long a one.
    InPieces,
    Closed,
    Disconnected,
    Failed(Fault),
}

impl From<Unreceived> for TryRecvError {
    #[inline(always)]
    fn from(why: Unreceived) -> Self {
        if why == Unreceived::Empty { TryRecvError::Empty } else { why.rarely() }
    }
}

impl Unreceived {
    /// What is written in one place stays whole in the result of whoever calls: see
    /// [`ConsumerSide::front`](crate::ring::spsc::ConsumerSide::front).
    #[cold]
    #[inline(never)]
    fn rarely(self) -> TryRecvError {
        match self {
            Unreceived::Empty => TryRecvError::Empty,
            Unreceived::Busy(member) => TryRecvError::Busy(member),
            Unreceived::InPieces => TryRecvError::Failed(Fault::InPieces),
            Unreceived::Closed => TryRecvError::Closed,
            Unreceived::Disconnected => TryRecvError::Disconnected,
            Unreceived::Failed(fault) => TryRecvError::Failed(fault),
        }
    }
}

/// `Empty` here means that time ran out.
impl From<Unreceived> for RecvTimeoutError {
    fn from(why: Unreceived) -> Self {
        match why {
            Unreceived::Empty | Unreceived::Busy(_) => RecvTimeoutError::Timeout,
            Unreceived::InPieces => RecvTimeoutError::Failed(Fault::InPieces),
            Unreceived::Closed => RecvTimeoutError::Closed,
            Unreceived::Disconnected => RecvTimeoutError::Disconnected,
            Unreceived::Failed(fault) => RecvTimeoutError::Failed(fault),
        }
    }
}

/// `Empty` cannot be: the wait had no end.
impl From<Unreceived> for RecvError {
    fn from(why: Unreceived) -> Self {
        match why {
            Unreceived::Empty | Unreceived::Busy(_) | Unreceived::Closed => RecvError::Closed,
            Unreceived::InPieces => RecvError::Failed(Fault::InPieces),
            Unreceived::Disconnected => RecvError::Disconnected,
            Unreceived::Failed(fault) => RecvError::Failed(fault),
        }
    }
}

/// The receiving side of one direction.
pub struct RecvLane<T: Pod> {
    lane: Lane<T>,
    /// On lines of its own: the other end's handle may lie beside this one.
    side: CachePadded<ConsumerSide>,
    /// Slots before this position may have been seen by a consumer that died.
    suspect_until: u64,
    /// Slots before this position were shown to this one.
    shown_until: u64,
    idle: Idle,
}

impl<T: Pod> RecvLane<T> {
    /// The receiving side of ring `ring`, taken up where its last consumer left it.
    ///
    /// A consumer looks at `at_once` slots at most before it releases the first of them: so many of those that are there
    /// now may have been seen by one that died.
    pub fn new(end: &Arc<End>, ring: u32, patience: Patience, at_once: u64) -> Result<Self, Dry> {
        let lane = Lane::new(end, ring, patience);
        let side = ConsumerSide::resume(lane.anchored.ring())?;
        let seen = if end.begins_suspect { at_once.min(lane.anchored.ring().len()) } else { 0 };
        let suspect_until = side.head() + seen;
        let (side, idle) = (CachePadded::new(side), Idle::default());
        Ok(Self { lane, side, suspect_until, shown_until: 0, idle })
    }

    /// The next `slots` slots, at most, are shown to the user and may stay: then the next consumer is to know.
    pub fn show(&mut self, slots: u64) {
        self.shown_until = self.side.head().saturating_add(slots.min(self.side.known()));
    }

    /// Whether what comes next may have been seen by a consumer that died.
    pub fn is_redelivered(&self) -> bool {
        self.side.head() < self.suspect_until
    }

    /// Runs one operation of the consumer.
    #[inline(always)]
    pub fn attempt<R>(
        &mut self,
        operation: impl FnOnce(&Ring<'_, T>, &mut ConsumerSide) -> Result<R, Dry>,
    ) -> Result<R, Unreceived> {
        if !self.lane.has_peer() {
            self.lane.check_present()?;
        }
        match operation(self.lane.anchored.ring(), &mut self.side) {
            Ok(done) => Ok(done),
            Err(dry) => Err(self.dried(dry)),
        }
    }

    /// The next value, to be taken: the frequent operation on its own, as for senders. The value goes from its slot into the
    /// caller's result and through no other.
    #[inline(always)]
    pub fn front(&mut self) -> Result<Arrived<'_, T>, Unreceived> {
        if !self.lane.has_peer() {
            self.lane.check_present()?;
        }
        match self.side.front(self.lane.anchored.ring()) {
            Ok(front) => Ok(Arrived { front, lane: &self.lane }),
            Err(dry) => {
                self.idle.missed(&self.lane);
                Err(self.lane.why_dry(dry))
            }
        }
    }

    #[inline(always)]
    fn dried(&mut self, dry: Dry) -> Unreceived {
        self.idle.missed(&self.lane);
        self.lane.why_dry(dry)
    }

    /// Repeats an operation that finds nothing until it does, or `deadline` passes: then `Empty`.
    #[inline(always)]
    pub fn wait<R>(
        &mut self,
        deadline: Deadline,
        mut operation: impl FnMut(&Ring<'_, T>, &mut ConsumerSide) -> Result<R, Dry>,
    ) -> Result<R, Unreceived> {
        match self.attempt(&mut operation) {
            Err(Unreceived::Empty) => self.wait_longer(deadline, operation),
            done => done,
        }
    }

    /// As [`wait`](Self::wait), after a first attempt that found nothing.
    #[cold]
    pub fn wait_longer<R>(
        &mut self,
        deadline: Deadline,
        mut operation: impl FnMut(&Ring<'_, T>, &mut ConsumerSide) -> Result<R, Dry>,
    ) -> Result<R, Unreceived> {
        let Self { lane, side, idle, .. } = self;
        let ring = lane.anchored.ring();
        let attempt = |look: Look| {
            if look.overdue {
                lane.end.bury_peer();
            }
            match operation(ring, side).map_err(|dry| lane.why_dry(dry)) {
                Err(Unreceived::Empty) if look.overdue && lane.attachment().is_blind() => {
                    Attempt::Ready(Err(Unreceived::Failed(Fault::Blind)))
                }
                Err(Unreceived::Empty) => Attempt::Idle,
                done => Attempt::Ready(done),
            }
        };
        let has_more = || !ring.is_empty();
        let (event, recheck) = (lane.anchored.not_empty(), &mut idle.recheck);
        let waited = event.wait_until(lane.patience, recheck, deadline, attempt, has_more);
        waited.unwrap_or(Err(Unreceived::Empty))
    }

    /// Tells the producer that something was given back, if it may be waiting.
    #[inline(always)]
    pub fn notify_if(&self, awaited: bool) {
        if awaited {
            self.lane.wake(self.lane.anchored.not_full());
        }
    }

    /// What a grant needs to give back what was read from it.
    pub fn parts(&mut self) -> (&Ring<'_, T>, &mut ConsumerSide, &Event<'_>) {
        (self.lane.anchored.ring(), &mut self.side, self.lane.anchored.not_full())
    }
}

/// The value at the head of a ring that is there, and whom to tell when it was taken.
pub struct Arrived<'a, T: Pod> {
    front: Front<'a, T>,
    lane: &'a Lane<T>,
}

impl<T: Pod> Arrived<'_, T> {
    /// A copy of it.
    #[inline(always)]
    pub fn read(&self) -> T {
        self.front.read()
    }

    /// Gives its slot back and tells the producer.
    #[inline(always)]
    pub fn leave(self) {
        if self.front.leave() {
            self.lane.wake(self.lane.anchored.not_full());
        }
    }
}

impl RecvLane<u64> {
    /// The longest record that was said to be accepted here.
    pub fn max_record(&self) -> u64 {
        self.lane.anchored.ring().max_record()
    }
}

impl<T: Pod> Drop for RecvLane<T> {
    fn drop(&mut self) {
        // Before the end is given up, if this is the last of it: the next owner is to know.
        let left = self.side.head() < self.suspect_until.max(self.shown_until);
        self.lane.end.leaves_suspect.store(left, Relaxed);
    }
}

impl<T: Pod> Deref for RecvLane<T> {
    type Target = Lane<T>;
    fn deref(&self) -> &Lane<T> {
        &self.lane
    }
}

impl<T: Pod> fmt::Debug for RecvLane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lane.fmt(f)
    }
}

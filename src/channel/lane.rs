//! One direction of a channel, seen from one end: the ring, the events beside it, and the peer.
//!
//! Here the ring's answers meet the rest of the world: a dry ring whose producer has left is a disconnect, a
//! full one may mean sleeping, a publication may mean waking. Every channel is made of lanes.

use std::fmt;
use std::sync::Arc;

use bytemuck::Pod;

use crate::error::{
    Fault, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
use crate::event::{Attempt, Deadline, Event, Patience, Recheck};
use crate::member::Attachment;
use crate::ring::spsc::{ConsumerSide, Dry, ProducerSide, Refusal, Ring};
use crate::segment::Anchored;

/// Ownership of one end of a channel. Dropping it gives the end up and tells the peer.
#[derive(Debug)]
pub struct End {
    attachment: Attachment,
    number: usize,
}

impl End {
    /// Makes `attachment`, which has claimed end `number`, its owner.
    pub fn new(attachment: Attachment, number: usize) -> Self {
        Self { attachment, number }
    }

    /// The attachment that owns the end.
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// Which end it is.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The other end's number.
    fn peer(&self) -> usize {
        1 - self.number
    }

    /// Whether the peer has left and `drained` says that nothing it sent is left.
    fn peer_has_left(&self, drained: impl FnMut() -> bool) -> bool {
        self.attachment.has_left(self.peer(), drained)
    }

    /// Takes back what the peer left behind, if it is dead.
    fn bury_peer(&self) {
        if let Some(owner) = self.attachment.end_owner(self.peer()) {
            self.attachment.reap_if_dead(owner);
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if !self.attachment.segment().is_inherited() {
            self.attachment.leave_end(self.number);
        }
    }
}

/// What a side remembers of its fruitless attempts, so that one who only ever polls, or waits only briefly,
/// still looks from time to time whether the peer lives.
#[derive(Debug, Default)]
struct Idle {
    misses: u32,
    recheck: Recheck,
}

/// Fruitless attempts in a row between two looks at the clock.
const MISSES: u32 = 256;

impl Idle {
    #[inline(always)]
    fn missed<T: Pod>(&mut self, lane: &Lane<T>) {
        self.misses = self.misses.wrapping_add(1);
        if self.misses.is_multiple_of(MISSES) {
            self.look(lane);
        }
    }

    #[cold]
    fn look<T: Pod>(&mut self, lane: &Lane<T>) {
        if self.recheck.is_due(lane.patience) {
            lane.end.bury_peer();
        }
    }
}

/// What both directions have.
struct Lane<T: Pod> {
    anchored: Anchored<T>,
    end: Arc<End>,
    patience: Patience,
}

impl<T: Pod> Lane<T> {
    fn new(end: &Arc<End>, ring: u32, patience: Patience) -> Self {
        let attachment = end.attachment();
        let anchored = Anchored::new(attachment.segment(), ring, attachment.id(), end.peer());
        Self { anchored, end: Arc::clone(end), patience }
    }

    /// Whether there is a peer. In a forked child there is none: what it has in place of the segment reads
    /// as zeros. So this one load is the whole check before an operation.
    #[inline(always)]
    fn has_peer(&self) -> bool {
        self.anchored.peer().is_owned()
    }

    /// Nobody is at the other end, or this process was forked: whether to receive all the same.
    #[cold]
    fn check_present(&self) -> Result<(), Unreceived> {
        if self.is_inherited() { Err(Unreceived::Failed(Fault::Forked)) } else { Ok(()) }
    }

    fn is_inherited(&self) -> bool {
        self.anchored.is_inherited()
    }

    fn len(&self) -> usize {
        if self.anchored.is_inherited() {
            return 0;
        }
        usize::try_from(self.anchored.ring().len()).unwrap_or(usize::MAX)
    }

    fn is_closed(&self) -> bool {
        !self.anchored.is_inherited() && self.anchored.ring().is_closing()
    }

    fn close(&self) {
        if !self.anchored.is_inherited() {
            self.anchored.ring().close();
            self.anchored.not_empty().notify_all();
            self.anchored.not_full().notify_all();
        }
    }
}

impl<T: Pod> fmt::Debug for Lane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (capacity, closed) = (self.anchored.ring().capacity().slots(), self.is_closed());
        write!(f, "capacity: {capacity}, len: {}, closed: {closed}", self.len())
    }
}

impl<T: Pod> fmt::Debug for SendLane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lane.fmt(f)
    }
}

impl<T: Pod> fmt::Debug for RecvLane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lane.fmt(f)
    }
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    Full,
    Closed,
    Disconnected,
    Failed(Fault),
}

impl Unsent {
    #[cold]
    pub fn give_back<V>(self, value: V) -> TrySendError<V> {
        match self {
            Unsent::Full => TrySendError::Full(value),
            Unsent::Closed => TrySendError::Closed(value),
            Unsent::Disconnected => TrySendError::Disconnected(value),
            Unsent::Failed(fault) => TrySendError::Failed(value, fault),
        }
    }

    /// `Full` here means that time ran out.
    pub fn give_back_late<V>(self, value: V) -> SendTimeoutError<V> {
        match self {
            Unsent::Full => SendTimeoutError::Timeout(value),
            Unsent::Closed => SendTimeoutError::Closed(value),
            Unsent::Disconnected => SendTimeoutError::Disconnected(value),
            Unsent::Failed(fault) => SendTimeoutError::Failed(value, fault),
        }
    }

    /// `Full` cannot be: the wait had no end.
    pub fn give_back_final<V>(self, value: V) -> SendError<V> {
        match self {
            Unsent::Full | Unsent::Closed => SendError::Closed(value),
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

/// The sending side of one direction.
pub struct SendLane<T: Pod> {
    lane: Lane<T>,
    side: ProducerSide,
    idle: Idle,
}

impl<T: Pod> SendLane<T> {
    /// The sending side of ring `ring`, taken up where its last producer left it.
    pub fn new(end: &Arc<End>, ring: u32, patience: Patience) -> Result<Self, Refusal> {
        let lane = Lane::new(end, ring, patience);
        let side = ProducerSide::resume(lane.anchored.ring())?;
        Ok(Self { lane, side, idle: Idle::default() })
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

    #[inline(never)]
    fn refused(&mut self, refusal: Refusal) -> Unsent {
        self.idle.missed(&self.lane);
        Unsent::from(refusal)
    }

    /// Repeats an operation that finds no room until it does, or `deadline` passes: then `Full`.
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

    #[cold]
    fn wait_longer<R>(
        &mut self,
        deadline: Deadline,
        mut operation: impl FnMut(&Ring<'_, T>, &mut ProducerSide) -> Result<R, Refusal>,
    ) -> Result<R, Unsent> {
        let Self { lane, side, idle } = self;
        let ring = lane.anchored.ring();
        let attempt = |overdue| {
            if overdue {
                lane.end.bury_peer();
            }
            if let Err(why) = lane.check_alone() {
                return Attempt::Ready(Err(why));
            }
            match operation(ring, side) {
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
            self.lane.anchored.not_empty().notify(1);
        }
    }

    /// What a grant needs to publish what was written into it.
    pub fn parts(&mut self) -> (&Ring<'_, T>, &mut ProducerSide, &Event<'_>) {
        (self.lane.anchored.ring(), &mut self.side, self.lane.anchored.not_empty())
    }

    pub fn capacity(&self) -> usize {
        self.lane.anchored.ring().cells().len()
    }

    pub fn len(&self) -> usize {
        self.lane.len()
    }

    pub fn is_closed(&self) -> bool {
        self.lane.is_closed()
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

impl<T: Pod> Drop for SendLane<T> {
    fn drop(&mut self) {
        self.retire();
    }
}

/// Why nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreceived {
    Empty,
    Closed,
    Disconnected,
    Failed(Fault),
}

impl From<Unreceived> for TryRecvError {
    fn from(why: Unreceived) -> Self {
        match why {
            Unreceived::Empty => TryRecvError::Empty,
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
            Unreceived::Empty => RecvTimeoutError::Timeout,
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
            Unreceived::Empty | Unreceived::Closed => RecvError::Closed,
            Unreceived::Disconnected => RecvError::Disconnected,
            Unreceived::Failed(fault) => RecvError::Failed(fault),
        }
    }
}

/// The receiving side of one direction.
pub struct RecvLane<T: Pod> {
    lane: Lane<T>,
    side: ConsumerSide,
    idle: Idle,
}

impl<T: Pod> RecvLane<T> {
    /// The receiving side of ring `ring`, taken up where its last consumer left it.
    pub fn new(end: &Arc<End>, ring: u32, patience: Patience) -> Result<Self, Dry> {
        let lane = Lane::new(end, ring, patience);
        let side = ConsumerSide::resume(lane.anchored.ring())?;
        Ok(Self { lane, side, idle: Idle::default() })
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

    #[inline(always)]
    fn dried(&mut self, dry: Dry) -> Unreceived {
        self.idle.missed(&self.lane);
        self.lane.why_dry(dry)
    }

    /// Repeats an operation that finds nothing until it does, or `deadline` passes: then `Empty`.
    #[inline]
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

    fn wait_longer<R>(
        &mut self,
        deadline: Deadline,
        mut operation: impl FnMut(&Ring<'_, T>, &mut ConsumerSide) -> Result<R, Dry>,
    ) -> Result<R, Unreceived> {
        let Self { lane, side, idle } = self;
        let ring = lane.anchored.ring();
        let attempt = |overdue| {
            if overdue {
                lane.end.bury_peer();
            }
            match operation(ring, side).map_err(|dry| lane.why_dry(dry)) {
                Err(Unreceived::Empty) => Attempt::Idle,
                done => Attempt::Ready(done),
            }
        };
        let has_more = || ring.len() > 0;
        let (event, recheck) = (lane.anchored.not_empty(), &mut idle.recheck);
        let waited = event.wait_until(lane.patience, recheck, deadline, attempt, has_more);
        waited.unwrap_or(Err(Unreceived::Empty))
    }

    /// Tells the producer that something was given back, if it may be waiting.
    #[inline(always)]
    pub fn notify_if(&self, awaited: bool) {
        if awaited {
            self.lane.anchored.not_full().notify(1);
        }
    }

    /// What a grant needs to give back what was read from it.
    pub fn parts(&mut self) -> (&Ring<'_, T>, &mut ConsumerSide, &Event<'_>) {
        (self.lane.anchored.ring(), &mut self.side, self.lane.anchored.not_full())
    }

    pub fn capacity(&self) -> usize {
        self.lane.anchored.ring().cells().len()
    }

    pub fn len(&self) -> usize {
        self.lane.len()
    }

    pub fn is_closed(&self) -> bool {
        self.lane.is_closed()
    }

    pub fn close(&self) {
        self.lane.close();
    }
}

impl<T: Pod> Lane<T> {
    /// Nobody is at the other end, or this process was forked: whether to send all the same. Who comes
    /// first may fill the ring.
    #[cold]
    fn check_alone(&self) -> Result<(), Unsent> {
        match () {
            () if self.anchored.is_inherited() => Err(Unsent::Failed(Fault::Forked)),
            () if self.is_closed() => Err(Unsent::Closed),
            () if self.anchored.peer().is_deserted() => Err(Unsent::Disconnected),
            () => Ok(()),
        }
    }

    #[inline(always)]
    fn why_dry(&self, dry: Dry) -> Unreceived {
        match dry {
            Dry::Empty if !self.anchored.peer().is_deserted() => Unreceived::Empty,
            dry => self.why_really_dry(dry),
        }
    }

    #[cold]
    fn why_really_dry(&self, dry: Dry) -> Unreceived {
        match dry {
            Dry::Empty if self.end.peer_has_left(|| self.anchored.ring().len() == 0) => {
                Unreceived::Disconnected
            }
            Dry::Empty => {
                if self.is_closed() && self.anchored.peer().is_deserted() {
                    self.anchored.ring().settle_for_absent_producer();
                }
                Unreceived::Empty
            }
            Dry::Drained => Unreceived::Closed,
            Dry::Corrupt(what) => Unreceived::Failed(Fault::Corrupt(what.text())),
        }
    }
}

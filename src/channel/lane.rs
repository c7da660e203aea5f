//! One direction of a channel, seen from one end: the ring, the events beside it, and the peer.
//!
//! Here the ring's answers meet the rest of the world: a dry ring whose producer has left is a disconnect, a
//! full one may mean sleeping, a publication may mean waking. Every channel is made of lanes.

mod glance;
mod recv;
mod send;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytemuck::Pod;

use crate::error::Fault;
use crate::event::{Event, Patience, Recheck};
use crate::member::Attachment;
use crate::ring::spsc::Dry;
use crate::segment::Anchored;

pub use recv::{RecvLane, Unreceived};
pub use send::{SendLane, Unsent};

/// Ownership of one end of a channel. Dropping it gives the end up and tells the peer.
#[derive(Debug)]
pub struct End {
    attachment: Attachment,
    number: usize,
    /// What came first when it was taken may have been seen by an owner that died.
    begins_suspect: bool,
    /// That is still so.
    leaves_suspect: AtomicBool,
}

impl End {
    /// Makes `attachment`, which has claimed end `number`, its owner. `suspect`: what comes first may have been seen by
    /// an owner that died.
    pub fn new(attachment: Attachment, number: usize, suspect: bool) -> Self {
        let leaves_suspect = AtomicBool::new(false);
        Self { attachment, number, begins_suspect: suspect, leaves_suspect }
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
            self.attachment.bury(owner);
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if !self.attachment.segment().is_inherited() {
            self.attachment.leave_end(self.number, self.leaves_suspect.load(Relaxed));
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
pub struct Lane<T: Pod> {
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

    /// The attachment that owns this end.
    pub fn attachment(&self) -> &Attachment {
        self.end.attachment()
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

    /// Whether this process was forked since it attached.
    pub fn is_inherited(&self) -> bool {
        self.anchored.is_inherited()
    }

    /// How many slots there are.
    pub fn capacity(&self) -> usize {
        self.anchored.ring().cells().len()
    }

    /// How many slots were filled when it looked.
    pub fn len(&self) -> usize {
        if self.is_inherited() {
            return 0;
        }
        usize::try_from(self.anchored.ring().len()).unwrap_or(usize::MAX)
    }

    /// Whether anybody has closed.
    pub fn is_closed(&self) -> bool {
        !self.is_inherited() && self.anchored.ring().is_closing()
    }

    /// Closes for both sides and wakes them.
    pub fn close(&self) {
        if !self.is_inherited() {
            self.anchored.ring().close();
            self.anchored.not_empty().notify_all();
            self.anchored.not_full().notify_all();
        }
    }

    /// Wakes the peer, which seems to sleep.
    #[cold]
    fn wake(&self, event: &Event<'_>) {
        if event.notify(1) {
            self.end.bury_peer();
        }
    }

    /// Nobody is at the other end, or this process was forked: whether to send all the same. Who comes
    /// first may fill the ring.
    #[cold]
    fn check_alone(&self) -> Result<(), Unsent> {
        match () {
            () if self.is_inherited() => Err(Unsent::Failed(Fault::Forked)),
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
            Dry::Empty if self.end.peer_has_left(|| self.anchored.ring().is_empty()) => {
                Unreceived::Disconnected
            }
            Dry::Empty => {
                if self.is_closed() && self.anchored.peer().is_deserted() {
                    self.anchored.ring().settle_at_tail();
                }
                Unreceived::Empty
            }
            Dry::Drained => Unreceived::Closed,
            Dry::InPieces => Unreceived::InPieces,
            Dry::Corrupt(what) => Unreceived::Failed(Fault::Corrupt(what.text())),
        }
    }
}

impl<T: Pod> fmt::Debug for Lane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (capacity, closed) = (self.anchored.ring().capacity().slots(), self.is_closed());
        write!(f, "capacity: {capacity}, len: {}, closed: {closed}", self.len())
    }
}

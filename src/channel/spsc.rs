//! Fixed-size values from one producer to one consumer, in two processes or in one.
//!
//! ```
//! use ringway::spsc;
//!
//! let (mut producer, mut consumer) = spsc::pair::<u64>(1024)?;
//! std::thread::spawn(move || {
//!     for n in 0..10_000 {
//!         producer.send(n).unwrap();
//!     }
//! });
//! for n in 0..10_000 {
//!     assert_eq!(consumer.recv()?, n);
//! }
//! assert_eq!(consumer.recv(), Err(ringway::RecvError::Disconnected));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytemuck::Pod;

use super::lane::{End, RecvLane, SendLane, Unreceived, Unsent};
use super::options::{Options, Party, claim, sealed};
use crate::builder::Attached;
use crate::error::{
    Error, ErrorKind, Failure, RecvError, RecvTimeoutError, SendError, SendTimeoutError,
    TryRecvError, TrySendError,
};
use crate::event::{Deadline, Patience};
use crate::layout::{Kind, LINE};
use crate::member::Attachment;

pub use crate::ring::grant::{ReadGrant, WriteGrant};

/// Both ends of a new channel without a name, for two threads of one process.
///
/// # Errors
///
/// As [`Options::create`].
pub fn pair<T: Pod>(capacity: usize) -> Result<(Producer<T>, Consumer<T>), Error> {
    Producer::options().capacity(capacity).pair()
}

/// The sending end. Exactly one member has it at a time.
///
/// Values may be aligned to at most 128 bytes; more does not compile.
pub struct Producer<T: Pod> {
    lane: SendLane<T>,
}

/// The receiving end. Exactly one member has it at a time.
pub struct Consumer<T: Pod> {
    lane: RecvLane<T>,
}

impl<T: Pod> Producer<T> {
    /// Options for making or opening a channel as its producer.
    pub fn options() -> Options<Self> {
        Options::default()
    }

    /// Appends `value` if there is room now.
    ///
    /// It is accepted once this returns `Ok`: the consumer, or its successor, will find it.
    ///
    /// # Errors
    ///
    /// The value with why it was not sent.
    #[inline(always)]
    pub fn try_send(&mut self, value: T) -> Result<(), TrySendError<T>> {
        match self.lane.push(&value) {
            Ok(()) => Ok(()),
            Err(why) => Err(why.give_back(value)),
        }
    }

    /// Appends `value`, waiting for room.
    ///
    /// # Errors
    ///
    /// The value with why it cannot be sent.
    #[inline(always)]
    pub fn send(&mut self, value: T) -> Result<(), SendError<T>> {
        match self.lane.push(&value) {
            Ok(()) => Ok(()),
            Err(why) => self.send_late(why, value),
        }
    }

    #[cold]
    #[inline(never)]
    fn send_late(&mut self, why: Unsent, value: T) -> Result<(), SendError<T>> {
        let sent = self.persist(why, &value, Deadline::NEVER);
        sent.map_err(|why| why.give_back_final(value))
    }

    /// Appends `value`, waiting for room at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// The value with why it was not sent.
    pub fn send_timeout(&mut self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        let deadline = Deadline::after(timeout);
        let sent = match self.lane.push(&value) {
            Ok(()) => return Ok(()),
            Err(why) => self.persist(why, &value, deadline),
        };
        sent.map_err(|why| why.give_back_late(value))
    }

    /// Goes on after a first attempt that came to nothing: waits if it was for want of room.
    fn persist(&mut self, why: Unsent, value: &T, deadline: Deadline) -> Result<(), Unsent> {
        if why != Unsent::Full {
            return Err(why);
        }
        let awaited = self.lane.wait_longer(deadline, |ring, side| side.push(ring, value))?;
        self.lane.notify_if(awaited);
        Ok(())
    }

    /// Appends as many of `values` as fit now, from the first on, published together. Says how many.
    ///
    /// # Errors
    ///
    /// Why not even one was sent.
    pub fn try_send_batch(&mut self, values: &[T]) -> Result<usize, TrySendError<()>> {
        if values.is_empty() {
            return Ok(0);
        }
        let (sent, awaited) = self
            .lane
            .attempt(|ring, side| side.push_slice(ring, values))
            .map_err(|why| why.give_back(()))?;
        self.lane.notify_if(awaited);
        Ok(sent)
    }

    /// Appends all of `values`, waiting for room as often as it takes.
    ///
    /// # Errors
    ///
    /// How many were sent before it became impossible, and why.
    pub fn send_batch(&mut self, values: &[T]) -> Result<(), SendError<usize>> {
        let mut sent = 0;
        while sent < values.len() {
            let rest = &values[sent..];
            let pushed = self.lane.wait(Deadline::NEVER, |ring, side| side.push_slice(ring, rest));
            let (count, awaited) = pushed.map_err(|why| why.give_back_final(sent))?;
            sent += count;
            self.lane.notify_if(awaited);
        }
        Ok(())
    }

    /// Slots to fill in place: at most `wanted`, at least one, as many as are free and lie side by side.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_reserve(&mut self, wanted: usize) -> Result<WriteGrant<'_, T>, TrySendError<()>> {
        self.lane
            .attempt(|ring, side| side.room(ring, wanted as u64).map(drop))
            .map_err(|why| why.give_back(()))?;
        Ok(WriteGrant::new(self.lane.parts(), wanted))
    }

    /// Ends the stream for both sides: what was accepted is still received, nothing more is accepted.
    pub fn close(&mut self) {
        self.lane.close();
    }

    /// How many values the channel holds at most.
    pub fn capacity(&self) -> usize {
        self.lane.capacity()
    }

    /// How many values were waiting when it looked. The consumer may take some meanwhile: a hint.
    pub fn len(&self) -> usize {
        self.lane.len()
    }

    /// Whether nothing was waiting when it looked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there was no room when it looked.
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// Whether either side has closed.
    pub fn is_closed(&self) -> bool {
        self.lane.is_closed()
    }

    observe!(self, Kind::Spsc, self.lane.attachment());
}

impl<T: Pod> Options<Producer<T>> {
    /// Both ends of a new channel without a name, for two threads of one process.
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub fn pair(&self) -> Result<(Producer<T>, Consumer<T>), Error> {
        self.make_pair()
    }
}

/// Takes what arrived as the whole result of the caller, and in line there. A value that is put into a result later, be it by
/// a function in line, is cut to pieces on the way: 64 bytes cost 16 ns instead of 5.
macro_rules! taken {
    ($arrived:expr) => {{
        let value = Ok($arrived.read());
        $arrived.leave();
        value
    }};
}

impl<T: Pod> Consumer<T> {
    /// The lane that it receives by.
    pub(crate) fn receiving(&self) -> &RecvLane<T> {
        &self.lane
    }

    /// Options for making or opening a channel as its consumer.
    pub fn options() -> Options<Self> {
        Options::default()
    }

    /// Takes the next value if there is one now.
    ///
    /// # Errors
    ///
    /// Why there is none.
    #[inline(always)]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.lane.front() {
            Ok(arrived) => taken!(arrived),
            Err(why) => Err(why.into()),
        }
    }

    /// Takes the next value, waiting for it.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    #[inline(always)]
    pub fn recv(&mut self) -> Result<T, RecvError> {
        match self.lane.front() {
            Ok(arrived) => taken!(arrived),
            Err(why) => Ok(self.persist(why, Deadline::NEVER)?),
        }
    }

    /// Takes the next value, waiting for it at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let deadline = Deadline::after(timeout);
        match self.lane.front() {
            Ok(arrived) => taken!(arrived),
            Err(why) => Ok(self.persist(why, deadline)?),
        }
    }

    /// Goes on after a first attempt that came to nothing: waits if it was for want of a message.
    #[cold]
    #[inline(never)]
    fn persist(&mut self, why: Unreceived, deadline: Deadline) -> Result<T, Unreceived> {
        if why != Unreceived::Empty {
            return Err(why);
        }
        let (value, awaited) = self.lane.wait_longer(deadline, |ring, side| side.pop(ring))?;
        self.lane.notify_if(awaited);
        Ok(value)
    }

    /// Takes as many values as are there now and `buffer` holds, given back together. Says how many.
    ///
    /// # Errors
    ///
    /// Why there is not even one.
    pub fn try_recv_batch(&mut self, buffer: &mut [T]) -> Result<usize, TryRecvError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let (received, awaited) = self.lane.attempt(|ring, side| side.pop_slice(ring, buffer))?;
        self.lane.notify_if(awaited);
        Ok(received)
    }

    /// Takes as many values as `buffer` holds, but waits only for the first. Says how many.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    pub fn recv_batch(&mut self, buffer: &mut [T]) -> Result<usize, RecvError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let popped = self.lane.wait(Deadline::NEVER, |ring, side| side.pop_slice(ring, buffer));
        let (received, awaited) = popped?;
        self.lane.notify_if(awaited);
        Ok(received)
    }

    /// Whether the value that comes next may have been seen by a consumer before this one: all that were there when the end
    /// was taken over from one that died, since it may have looked at them in place, or that had looked at some in place and
    /// left them.
    pub fn is_redelivered(&self) -> bool {
        self.lane.is_redelivered()
    }

    /// Values to read in place: at most `wanted`, at least one, as many as are there and lie side by side.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_peek(&mut self, wanted: usize) -> Result<ReadGrant<'_, T>, TryRecvError> {
        self.lane.attempt(|ring, side| side.available(ring, wanted as u64).map(drop))?;
        let redelivered = self.is_redelivered();
        self.lane.show(wanted as u64);
        Ok(ReadGrant::new(self.lane.parts(), wanted).flagged(redelivered))
    }

    /// The values that come until the channel ends, waiting for each.
    ///
    /// It ends at a fault too; [`recv`](Self::recv) afterwards tells which.
    pub fn iter(&mut self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.recv().ok())
    }

    /// Ends the stream for both sides: what was accepted is still received, nothing more is accepted.
    pub fn close(&mut self) {
        self.lane.close();
    }

    /// How many values the channel holds at most.
    pub fn capacity(&self) -> usize {
        self.lane.capacity()
    }

    /// How many values were waiting when it looked. The producer may add some meanwhile: a hint.
    pub fn len(&self) -> usize {
        self.lane.len()
    }

    /// Whether nothing was waiting when it looked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether either side has closed.
    pub fn is_closed(&self) -> bool {
        self.lane.is_closed()
    }

    observe!(self, Kind::Spsc, self.lane.attachment());
}

/// Size and alignment of a type that can be an element.
pub(super) const fn element_of<T>() -> (usize, usize) {
    assert!(align_of::<T>() <= LINE, "elements are aligned to at most 128 bytes");
    (size_of::<T>(), align_of::<T>())
}

impl<T: Pod> Attached for Producer<T> {
    fn attachment(&self) -> &Attachment {
        self.lane.attachment()
    }
}

impl<T: Pod> sealed::Channel for Producer<T> {
    type Item = T;
    const KIND: Kind = Kind::Spsc;
    const DEFAULT_CAPACITY: usize = 1024;
    const ELEMENT: Option<(usize, usize)> = Some(element_of::<T>());

    fn attach(attachment: Attachment, _: Party, patience: Patience) -> Result<Self, Failure> {
        sealed::Ended::take(claim(attachment, &[0])?, patience)
    }
}

impl<T: Pod> sealed::Ended for Producer<T> {
    fn take(end: Arc<End>, patience: Patience) -> Result<Self, Failure> {
        let lane = SendLane::new(&end, 0, patience);
        Ok(Self { lane: lane.map_err(|_| ErrorKind::NotASegment("its cursors are impossible"))? })
    }
}

impl<T: Pod> Attached for Consumer<T> {
    fn attachment(&self) -> &Attachment {
        self.lane.attachment()
    }
}

impl<T: Pod> sealed::Channel for Consumer<T> {
    type Item = T;
    const KIND: Kind = Kind::Spsc;
    const DEFAULT_CAPACITY: usize = 1024;
    const ELEMENT: Option<(usize, usize)> = Some(element_of::<T>());

    fn attach(attachment: Attachment, _: Party, patience: Patience) -> Result<Self, Failure> {
        sealed::Ended::take(claim(attachment, &[1])?, patience)
    }
}

impl<T: Pod> sealed::Ended for Consumer<T> {
    fn take(end: Arc<End>, patience: Patience) -> Result<Self, Failure> {
        let lane = RecvLane::new(&end, 0, patience, u64::MAX);
        Ok(Self { lane: lane.map_err(|_| ErrorKind::NotASegment("its cursors are impossible"))? })
    }
}

impl<T: Pod> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Producer {{ {:?} }}", self.lane)
    }
}

impl<T: Pod> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Consumer {{ {:?} }}", self.lane)
    }
}

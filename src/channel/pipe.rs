//! Records of bytes between two connections, both ways or one way.
//!
//! Each record arrives whole and alone, empty ones too. An end belongs to one member; the two directions of
//! an end can go to two threads with [`Connection::split`].
//!
//! ```
//! use ringway::pipe;
//!
//! let (mut here, mut there) = pipe::pair(4096)?;
//! here.send(b"question")?;
//! assert_eq!(there.recv()?, b"question");
//! there.send(b"answer")?;
//! assert_eq!(here.recv()?, b"answer");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::lane::{End, RecvLane, SendLane, Unreceived, Unsent};
use super::options::{Options, Party, claim, sealed};
use crate::error::{
    Error, ErrorKind, Failure, Fault, RecvError, RecvTimeoutError, SendError, SendTimeoutError,
    TryRecvError, TrySendError,
};
use crate::event::{Deadline, Patience};
use crate::layout::{FLAG_FIRST_SENDS, FLAG_SECOND_SENDS, Kind};
use crate::member::Attachment;
use crate::ring::bytes;

pub use crate::ring::grant::{ReadRecord as ReadGrant, WriteRecord as WriteGrant};

/// Both ends of a new two-way pipe without a name, for two threads of one process.
///
/// # Errors
///
/// As [`Options::create`].
pub fn pair(capacity: usize) -> Result<(Connection, Connection), Error> {
    Connection::options().capacity(capacity).pair()
}

/// Which way a new pipe goes, seen from who makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// The maker sends, the opener receives.
    Send,
    /// The maker receives, the opener sends.
    Receive,
}

/// One end of a pipe. Exactly one member has it at a time.
#[derive(Debug)]
pub struct Connection {
    sender: Option<Sender>,
    receiver: Option<Receiver>,
}

/// The sending half of an end.
#[derive(Debug)]
pub struct Sender {
    lane: SendLane<u64>,
}

/// The receiving half of an end.
#[derive(Debug)]
pub struct Receiver {
    lane: RecvLane<u64>,
}

impl Sender {
    /// The longest record that the pipe carries, in bytes.
    pub fn max_len(&self) -> usize {
        bytes::max_record(self.lane.capacity() as u64)
    }

    fn check(&self, len: usize) -> Result<(), Unsent> {
        let max = self.max_len();
        if len > max { Err(Unsent::Failed(Fault::TooLong { len, max })) } else { Ok(()) }
    }

    /// Sends `record` if there is room now.
    ///
    /// It is accepted once this returns `Ok`: the receiver, or its successor, will find it.
    ///
    /// # Errors
    ///
    /// Why it was not sent.
    pub fn try_send(&mut self, record: &[u8]) -> Result<(), TrySendError<()>> {
        let awaited = self
            .check(record.len())
            .and_then(|()| self.lane.attempt(|ring, side| bytes::push(ring, side, record)))
            .map_err(|why| why.give_back(()))?;
        self.lane.notify_if(awaited);
        Ok(())
    }

    /// Sends `record`, waiting for room.
    ///
    /// # Errors
    ///
    /// Why it cannot be sent.
    pub fn send(&mut self, record: &[u8]) -> Result<(), SendError<()>> {
        self.send_until(record, Deadline::NEVER).map_err(|why| why.give_back_final(()))
    }

    /// Sends `record`, waiting for room at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why it was not sent.
    pub fn send_timeout(
        &mut self,
        record: &[u8],
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<()>> {
        self.send_until(record, Deadline::after(timeout)).map_err(|why| why.give_back_late(()))
    }

    fn send_until(&mut self, record: &[u8], deadline: Deadline) -> Result<(), Unsent> {
        self.check(record.len())?;
        let awaited = self.lane.wait(deadline, |ring, side| bytes::push(ring, side, record))?;
        self.lane.notify_if(awaited);
        Ok(())
    }

    /// Room for a record of `len` bytes, to fill in place and commit, if there is room now.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_reserve(&mut self, len: usize) -> Result<WriteGrant<'_>, TrySendError<()>> {
        let place = self
            .check(len)
            .and_then(|()| self.lane.attempt(|ring, side| bytes::reserve(ring, side, len)))
            .map_err(|why| why.give_back(()))?;
        Ok(WriteGrant::new(self.lane.parts(), place))
    }

    /// Room for a record of `len` bytes, waiting for it.
    ///
    /// # Errors
    ///
    /// Why there can be none.
    pub fn reserve(&mut self, len: usize) -> Result<WriteGrant<'_>, SendError<()>> {
        self.reserve_until(len, Deadline::NEVER).map_err(|why| why.give_back_final(()))
    }

    /// Room for a record of `len` bytes, waiting for it at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn reserve_timeout(
        &mut self,
        len: usize,
        timeout: Duration,
    ) -> Result<WriteGrant<'_>, SendTimeoutError<()>> {
        self.reserve_until(len, Deadline::after(timeout)).map_err(|why| why.give_back_late(()))
    }

    fn reserve_until(&mut self, len: usize, deadline: Deadline) -> Result<WriteGrant<'_>, Unsent> {
        self.check(len)?;
        let place = self.lane.wait(deadline, |ring, side| bytes::reserve(ring, side, len))?;
        Ok(WriteGrant::new(self.lane.parts(), place))
    }

    /// Ends this direction for both sides: accepted records are still received, no more are accepted.
    pub fn close(&mut self) {
        self.lane.close();
    }

    /// Whether either side has closed this direction.
    pub fn is_closed(&self) -> bool {
        self.lane.is_closed()
    }

    /// Bytes of room, taken or not; each record takes eight more than its own, rounded up to eight.
    pub fn capacity(&self) -> usize {
        self.lane.capacity() * size_of::<u64>()
    }
}

impl Receiver {
    /// The lane that it receives by.
    pub(crate) fn receiving(&self) -> &RecvLane<u64> {
        &self.lane
    }

    /// Takes the next record if there is one now.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_recv(&mut self) -> Result<Vec<u8>, TryRecvError> {
        let popped = self.lane.attempt(|ring, side| bytes::pop(ring, side, <[u8]>::to_vec));
        let (record, awaited) = popped?;
        self.lane.notify_if(awaited);
        Ok(record)
    }

    /// Takes the next record, waiting for it.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    pub fn recv(&mut self) -> Result<Vec<u8>, RecvError> {
        Ok(self.recv_until(Deadline::NEVER)?)
    }

    /// Takes the next record, waiting for it at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Vec<u8>, RecvTimeoutError> {
        Ok(self.recv_until(Deadline::after(timeout))?)
    }

    fn recv_until(&mut self, deadline: Deadline) -> Result<Vec<u8>, Unreceived> {
        let popped = self.lane.wait(deadline, |ring, side| bytes::pop(ring, side, <[u8]>::to_vec));
        let (record, awaited) = popped?;
        self.lane.notify_if(awaited);
        Ok(record)
    }

    /// Copies the next record into `buffer` and takes it, if there is one now. Says how long it is.
    ///
    /// # Errors
    ///
    /// Why there is none. [`Fault::BufferTooShort`] leaves the record where it is and says its length.
    pub fn try_recv_into(&mut self, buffer: &mut [u8]) -> Result<usize, TryRecvError> {
        self.try_peek()?.copy_into(buffer).map_err(TryRecvError::Failed)
    }

    /// Copies the next record into `buffer` and takes it, waiting for it. Says how long it is.
    ///
    /// # Errors
    ///
    /// As [`try_recv_into`](Self::try_recv_into), and why none can come any more.
    pub fn recv_into(&mut self, buffer: &mut [u8]) -> Result<usize, RecvError> {
        self.peek()?.copy_into(buffer).map_err(RecvError::Failed)
    }

    /// Copies the next record into `buffer` and takes it, waiting at most `timeout`. Says how long it is.
    ///
    /// # Errors
    ///
    /// As [`try_recv_into`](Self::try_recv_into).
    pub fn recv_into_timeout(
        &mut self,
        buffer: &mut [u8],
        timeout: Duration,
    ) -> Result<usize, RecvTimeoutError> {
        self.peek_timeout(timeout)?.copy_into(buffer).map_err(RecvTimeoutError::Failed)
    }

    /// The next record in place, if there is one now.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_peek(&mut self) -> Result<ReadGrant<'_>, TryRecvError> {
        let place = self.lane.attempt(bytes::peek)?;
        Ok(self.show(place))
    }

    /// The next record in place, waiting for it.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    pub fn peek(&mut self) -> Result<ReadGrant<'_>, RecvError> {
        let place = self.lane.wait(Deadline::NEVER, bytes::peek)?;
        Ok(self.show(place))
    }

    /// The next record in place, waiting for it at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn peek_timeout(&mut self, timeout: Duration) -> Result<ReadGrant<'_>, RecvTimeoutError> {
        let place = self.lane.wait(Deadline::after(timeout), bytes::peek)?;
        Ok(self.show(place))
    }

    fn show(&mut self, place: bytes::Place) -> ReadGrant<'_> {
        let redelivered = self.is_redelivered();
        self.lane.show(1);
        ReadGrant::new(self.lane.parts(), place).flagged(redelivered)
    }

    /// Whether the record that comes next may have been seen by a receiver before this one, which died or left before it took
    /// it: the first after the end of a dead member was taken over, or one that was looked at in place and left.
    pub fn is_redelivered(&self) -> bool {
        self.lane.is_redelivered()
    }

    /// Waits at most `timeout` for something to receive: a record, the end of the stream or a fault.
    ///
    /// True if receiving would answer at once. Nothing is taken.
    pub fn poll(&mut self, timeout: Duration) -> bool {
        self.lane.wait(Deadline::after(timeout), bytes::peek) != Err(Unreceived::Empty)
    }

    /// Ends this direction for both sides: accepted records are still received, no more are accepted.
    pub fn close(&mut self) {
        self.lane.close();
    }

    /// Whether either side has closed this direction.
    pub fn is_closed(&self) -> bool {
        self.lane.is_closed()
    }

    /// Bytes of room, taken or not; each record takes eight more than its own, rounded up to eight.
    pub fn capacity(&self) -> usize {
        self.lane.capacity() * size_of::<u64>()
    }

    /// Whether nothing was waiting when it looked. The sender may add records meanwhile: a hint.
    pub fn is_empty(&self) -> bool {
        self.lane.len() == 0
    }
}

const WRONG: Fault = Fault::WrongDirection;

impl Connection {
    /// The lane that it receives by, if it does.
    pub(crate) fn receiving(&self) -> Option<&RecvLane<u64>> {
        self.receiver.as_ref().map(|receiver| &receiver.lane)
    }

    /// Options for making or opening a pipe. The capacity is in bytes for each direction.
    pub fn options() -> Options<Self> {
        Options::default()
    }

    /// The two directions of this end, for two threads. A one-way end has only one.
    ///
    /// The end is given up when both halves are gone. To tell the peer that one direction has ended before
    /// that, close it.
    pub fn split(self) -> (Option<Sender>, Option<Receiver>) {
        (self.sender, self.receiver)
    }

    /// The sending half, unless this end only receives.
    pub fn sender(&mut self) -> Option<&mut Sender> {
        self.sender.as_mut()
    }

    /// The receiving half, unless this end only sends.
    pub fn receiver(&mut self) -> Option<&mut Receiver> {
        self.receiver.as_mut()
    }

    /// Ends both directions for both sides: what was accepted is still received, nothing more is accepted.
    pub fn close(&mut self) {
        if let Some(sender) = &mut self.sender {
            sender.close();
        }
        if let Some(receiver) = &mut self.receiver {
            receiver.close();
        }
    }

    /// Whether each direction of this end was closed.
    pub fn is_closed(&self) -> bool {
        self.sender.as_ref().is_none_or(Sender::is_closed)
            && self.receiver.as_ref().is_none_or(Receiver::is_closed)
    }

    /// The longest record that can be sent, in bytes; zero for an end that only receives.
    pub fn max_len(&self) -> usize {
        self.sender.as_ref().map_or(0, Sender::max_len)
    }

    /// As [`Receiver::is_redelivered`]; false for an end that only sends.
    pub fn is_redelivered(&self) -> bool {
        self.receiver.as_ref().is_some_and(Receiver::is_redelivered)
    }

    /// As [`Receiver::poll`]. An end that only sends answers true at once: receiving would fail.
    pub fn poll(&mut self, timeout: Duration) -> bool {
        self.receiver.as_mut().is_none_or(|receiver| receiver.poll(timeout))
    }
}

/// Methods of a connection that are those of one of its halves.
macro_rules! forward {
    ($half:ident or $wrong:expr; $(
        $(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;
    )+) => {
        impl Connection {$(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// As there, and [`Fault::WrongDirection`] if this end only goes the other way.
            pub fn $name(&mut self $(, $argument: $type)*) -> $answer {
                self.$half.as_mut().ok_or($wrong)?.$name($($argument),*)
            }
        )+}
    };
}

forward! { sender or TrySendError::Failed((), WRONG);
    /// As [`Sender::try_send`].
    try_send(record: &[u8]) -> Result<(), TrySendError<()>>;
    /// As [`Sender::try_reserve`].
    try_reserve(len: usize) -> Result<WriteGrant<'_>, TrySendError<()>>;
}
forward! { sender or SendError::Failed((), WRONG);
    /// As [`Sender::send`].
    send(record: &[u8]) -> Result<(), SendError<()>>;
    /// As [`Sender::reserve`].
    reserve(len: usize) -> Result<WriteGrant<'_>, SendError<()>>;
}
forward! { sender or SendTimeoutError::Failed((), WRONG);
    /// As [`Sender::send_timeout`].
    send_timeout(record: &[u8], timeout: Duration) -> Result<(), SendTimeoutError<()>>;
    /// As [`Sender::reserve_timeout`].
    reserve_timeout(len: usize, timeout: Duration) -> Result<WriteGrant<'_>, SendTimeoutError<()>>;
}
forward! { receiver or TryRecvError::Failed(WRONG);
    /// As [`Receiver::try_recv`].
    try_recv() -> Result<Vec<u8>, TryRecvError>;
    /// As [`Receiver::try_recv_into`].
    try_recv_into(buffer: &mut [u8]) -> Result<usize, TryRecvError>;
    /// As [`Receiver::try_peek`].
    try_peek() -> Result<ReadGrant<'_>, TryRecvError>;
}
forward! { receiver or RecvError::Failed(WRONG);
    /// As [`Receiver::recv`].
    recv() -> Result<Vec<u8>, RecvError>;
    /// As [`Receiver::recv_into`].
    recv_into(buffer: &mut [u8]) -> Result<usize, RecvError>;
    /// As [`Receiver::peek`].
    peek() -> Result<ReadGrant<'_>, RecvError>;
}
forward! { receiver or RecvTimeoutError::Failed(WRONG);
    /// As [`Receiver::recv_timeout`].
    recv_timeout(timeout: Duration) -> Result<Vec<u8>, RecvTimeoutError>;
    /// As [`Receiver::recv_into_timeout`].
    recv_into_timeout(buffer: &mut [u8], timeout: Duration) -> Result<usize, RecvTimeoutError>;
    /// As [`Receiver::peek_timeout`].
    peek_timeout(timeout: Duration) -> Result<ReadGrant<'_>, RecvTimeoutError>;
}

impl Connection {
    observe!(self, Kind::Pipe, sealed::Channel::attachment(self));
}

impl Options<Connection> {
    /// Makes the new pipe go one way only.
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Both ends of a new pipe without a name, for two threads of one process; the maker's end first.
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub fn pair(&self) -> Result<(Connection, Connection), Error> {
        self.make_pair()
    }
}

/// Fewest words in a ring of records.
const FEWEST_WORDS: usize = 8;

impl sealed::Channel for Connection {
    type Item = [u8];
    const KIND: Kind = Kind::Pipe;
    const DEFAULT_CAPACITY: usize = 64 * 1024;
    const ELEMENT: Option<(usize, usize)> = Some((size_of::<u64>(), align_of::<u64>()));

    fn elements(capacity: usize) -> usize {
        capacity.div_ceil(size_of::<u64>()).max(FEWEST_WORDS)
    }

    fn flags(options: &Options<Self>) -> u32 {
        match options.direction {
            Direction::Both => 0,
            Direction::Send => FLAG_FIRST_SENDS,
            Direction::Receive => FLAG_SECOND_SENDS,
        }
    }

    fn attach(attachment: Attachment, party: Party, patience: Patience) -> Result<Self, Failure> {
        // Who opens takes its own end if that is to be had, else the maker's.
        let ends: &[usize] = if party == Party::Maker { &[0] } else { &[1, 0] };
        sealed::Ended::take(claim(attachment, ends)?, patience)
    }

    fn attachment(&self) -> &Attachment {
        let sending = self.sender.as_ref().map(|sender| sender.lane.attachment());
        let receiving = self.receiver.as_ref().map(|receiver| receiver.lane.attachment());
        sending.or(receiving).expect("a connection has at least one half")
    }
}

impl sealed::Ended for Connection {
    fn take(end: Arc<End>, patience: Patience) -> Result<Self, Failure> {
        let (sending, receiving) = end.rings_of_pipe();
        let impossible = || ErrorKind::NotASegment("its cursors are impossible");
        let sender = sending.map(|ring| SendLane::new(&end, ring, patience)).transpose();
        let receiver = receiving.map(|ring| RecvLane::new(&end, ring, patience, 1)).transpose();
        Ok(Self {
            sender: sender.map_err(|_| impossible())?.map(|lane| Sender { lane }),
            receiver: receiver.map_err(|_| impossible())?.map(|lane| Receiver { lane }),
        })
    }
}

impl End {
    /// The rings that this end of a pipe sends on and receives on.
    ///
    /// Two-way: ring 0 goes from end 0 to end 1, ring 1 back. One-way: ring 0 goes as the flags say.
    fn rings_of_pipe(&self) -> (Option<u32>, Option<u32>) {
        let flags = self.attachment().segment().shape().flags;
        let one_way = flags & (FLAG_FIRST_SENDS | FLAG_SECOND_SENDS);
        match (one_way, self.number()) {
            (0, 0) => (Some(0), Some(1)),
            (0, _) => (Some(1), Some(0)),
            (FLAG_FIRST_SENDS, 0) | (FLAG_SECOND_SENDS, 1) => (Some(0), None),
            _ => (None, Some(0)),
        }
    }
}

//! Records of bytes between two connections, both ways or one way.
//!
//! Each record arrives whole and alone, empty ones too. An end belongs to one member; the two directions of
//! an end can go to two threads with [`Connection::split`].
//!
//! A record that is longer than half of a direction's capacity goes in *pieces*, through the pipe while the other side reads:
//! [`Sender::send`] and [`Receiver::recv`] do so by themselves; [`Sender::begin`] and [`Receiver::reader`] are for those who
//! would not have all of it in memory. Where a record in pieces comes to nothing, because either side dies or gives it up in
//! the middle, both sides get an error, and the next record is unharmed.
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

mod gather;
mod reader;
mod receiver;
mod sender;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use super::lane::{End, RecvLane, SendLane};
use super::options::{Options, Party, claim, sealed};
use crate::builder::Attached;
use crate::error::{
    Error, ErrorKind, Failure, Fault, RecvError, RecvTimeoutError, SendError, SendTimeoutError,
    TryRecvError, TrySendError,
};
use crate::event::Patience;
use crate::layout::{FEATURE_LONG_RECORDS, FLAG_FIRST_SENDS, FLAG_SECOND_SENDS, Kind};
use crate::member::Attachment;
use crate::ring::spsc::Ring;

pub use crate::ring::grant::{ReadRecord as ReadGrant, WriteRecord as WriteGrant};
pub use reader::RecordReader;
pub use receiver::Receiver;
pub use sender::Sender;
pub use writer::RecordWriter;

type Words<'a> = Ring<'a, u64>;

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

/// Which records a new pipe carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Records {
    /// Of any length, in pieces where they must.
    Any,
    /// Such as go whole.
    Whole,
}

/// One end of a pipe. Exactly one member has it at a time.
#[derive(Debug)]
pub struct Connection {
    sender: Option<Sender>,
    receiver: Option<Receiver>,
}

const WRONG: Fault = Fault::WrongDirection;

impl Connection {
    /// The lane that it receives by, if it does.
    pub(crate) fn receiving(&self) -> Option<&RecvLane<u64>> {
        self.receiver.as_ref().map(|receiver| &receiver.lane)
    }

    /// Whether its receiver has all of a record in hand.
    pub(crate) fn has_record(&self) -> bool {
        self.receiver.as_ref().is_some_and(Receiver::has_record)
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

    /// The longest record that goes whole, in bytes; zero for an end that only receives.
    pub fn max_whole_len(&self) -> usize {
        self.sender.as_ref().map_or(0, Sender::max_whole_len)
    }

    /// As [`Receiver::set_max_len`]; nothing for an end that only sends.
    pub fn set_max_len(&mut self, max: usize) {
        if let Some(receiver) = &mut self.receiver {
            receiver.set_max_len(max);
        }
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
            /// As there, and [`Fault::WrongDirection`](crate::Fault::WrongDirection) if this end only goes the other way.
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
    /// As [`Sender::begin`].
    begin() -> Result<RecordWriter<'_>, SendError<()>>;
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
    /// As [`Receiver::reader`].
    reader() -> Result<RecordReader<'_>, RecvError>;
}
forward! { receiver or RecvTimeoutError::Failed(WRONG);
    /// As [`Receiver::recv_timeout`].
    recv_timeout(timeout: Duration) -> Result<Vec<u8>, RecvTimeoutError>;
    /// As [`Receiver::recv_into_timeout`].
    recv_into_timeout(buffer: &mut [u8], timeout: Duration) -> Result<usize, RecvTimeoutError>;
    /// As [`Receiver::peek_timeout`].
    peek_timeout(timeout: Duration) -> Result<ReadGrant<'_>, RecvTimeoutError>;
    /// As [`Receiver::reader_timeout`].
    reader_timeout(timeout: Duration) -> Result<RecordReader<'_>, RecvTimeoutError>;
}

impl Connection {
    observe!(self, Kind::Pipe, Attached::attachment(self));
}

impl Options<Connection> {
    /// Makes the new pipe go one way only.
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Makes a new pipe carry whole records only, none longer than half its capacity less eight bytes. Builds that do not know
    /// of records in pieces open such a pipe, and no other.
    pub fn whole_records(mut self) -> Self {
        self.records = Records::Whole;
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

impl Attached for Connection {
    fn attachment(&self) -> &Attachment {
        let sending = self.sender.as_ref().map(|sender| sender.lane.attachment());
        let receiving = self.receiver.as_ref().map(|receiver| receiver.lane.attachment());
        sending.or(receiving).expect("a connection has at least one half")
    }
}

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

    fn features(options: &Options<Self>) -> u32 {
        match options.records {
            Records::Any => FEATURE_LONG_RECORDS,
            Records::Whole => 0,
        }
    }

    fn attach(attachment: Attachment, party: Party, patience: Patience) -> Result<Self, Failure> {
        // Who opens takes its own end if that is to be had, else the maker's.
        let ends: &[usize] = if party == Party::Maker { &[0] } else { &[1, 0] };
        sealed::Ended::take(claim(attachment, ends)?, patience)
    }
}

impl sealed::Ended for Connection {
    fn take(end: Arc<End>, patience: Patience) -> Result<Self, Failure> {
        let (sending, receiving) = end.rings_of_pipe();
        let impossible = || ErrorKind::NotASegment("its cursors are impossible");
        let sender = sending.map(|ring| SendLane::new(&end, ring, patience)).transpose();
        let receiver = receiving.map(|ring| RecvLane::new(&end, ring, patience, 1)).transpose();
        let streams = end.attachment().segment().shape().features & FEATURE_LONG_RECORDS != 0;
        Ok(Self {
            sender: sender.map_err(|_| impossible())?.map(|lane| Sender::new(lane, streams)),
            receiver: receiver.map_err(|_| impossible())?.map(|lane| Receiver::new(lane, streams)),
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

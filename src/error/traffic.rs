//! Errors of sending and receiving: small, and what was not sent comes back.

use std::error::Error as StdError;
use std::fmt;

use super::MemberId;

/// Traffic failed for a reason that waiting does not mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Shared memory holds what no correct member writes; the text says what.
    Corrupt(&'static str),
    /// The process forked: the child must attach anew.
    Forked,
    /// The message is longer than the channel can carry.
    TooLong {
        /// Bytes in the message.
        len: usize,
        /// Bytes that fit.
        max: usize,
    },
    /// The message is longer than the buffer; it stays first in line.
    BufferTooShort {
        /// Bytes in the message.
        needed: usize,
        /// Bytes in the buffer.
        len: usize,
    },
    /// The value cannot be serialised; the text says why. Nothing of it was sent.
    Unserializable(&'static str),
    /// The message is no value of its type; the text says why.
    Undecodable(&'static str),
    /// The system refuses memory for a message that is longer than any block which has some.
    NoMemory,
    /// The record goes in pieces, and the call is for records that go whole.
    InPieces,
    /// The record ends in the middle: the other side gave it up or died, or the pipe was closed. The next one is unharmed.
    CutShort,
    /// A receiver before this one took the beginning of the record and died or left. What comes of it is skipped.
    LostInPart,
    /// This end of a one-way pipe only goes the other way.
    WrongDirection,
    /// A wait was given up: this process cannot see any more who lives, because the program has closed a descriptor that
    /// is not its own. Sending and receiving without waiting still works.
    Blind,
    /// A queue that grows needs another segment, which this process cannot make or open; the text says why. Nothing is
    /// lost; what was not sent comes back.
    CannotGrow(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(what) => write!(f, "shared memory is corrupt: {what}"),
            Self::Forked => write!(f, "the process has forked; the child must attach anew"),
            Self::TooLong { len, max } => write!(f, "message of {len} bytes, at most {max} fit"),
            Self::BufferTooShort { needed, len } => {
                write!(f, "message of {needed} bytes, the buffer has {len}")
            }
            Self::Unserializable(why) => write!(f, "the value cannot be serialised: {why}"),
            Self::Undecodable(why) => write!(f, "the message is no value of its type: {why}"),
            Self::NoMemory => write!(f, "the file system has no memory for the message"),
            Self::InPieces => write!(f, "the record goes in pieces; the call is for whole ones"),
            Self::CutShort => write!(f, "the record was cut short: it ends in the middle"),
            Self::LostInPart => {
                write!(f, "the beginning of the record went to a receiver before this one")
            }
            Self::WrongDirection => write!(f, "this end of the pipe only goes the other way"),
            Self::CannotGrow(why) => write!(f, "the queue cannot grow: {why}"),
            Self::Blind => {
                write!(f, "cannot see who lives: the channel's descriptor was closed by others")
            }
        }
    }
}

impl StdError for Fault {}

/// Declares a traffic error: its variants, their texts, `Display` and `Error`.
macro_rules! traffic_error {
    ($(#[$about:meta])* $name:ident $(<$value:ident>)? {
        $($(#[$doc:meta])* $variant:ident $(($($field:ty),+))? => $text:literal,)+
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name $(<$value>)? {
            $($(#[$doc])* $variant $(($($field),+))?,)+
        }

        impl $(<$value>)? fmt::Debug for $name $(<$value>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant { .. } => f.write_str(stringify!($variant)),)+
                }?;
                match self.fault() {
                    Some(fault) => write!(f, "({fault:?})"),
                    None => Ok(()),
                }
            }
        }

        impl $(<$value>)? fmt::Display for $name $(<$value>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant { .. } => f.write_str($text),)+
                }?;
                match self.fault() {
                    Some(fault) => fault.fmt(f),
                    None => Ok(()),
                }
            }
        }

        impl $(<$value>)? StdError for $name $(<$value>)? {}
    };
}

pub(super) use traffic_error;

traffic_error! {
    /// A message was not sent at once. The value comes back.
    TrySendError<T> {
        /// There is no room now.
        Full(T) => "no room now",
        /// The channel was closed.
        Closed(T) => "the channel is closed",
        /// The receiver has gone.
        Disconnected(T) => "the receiver has gone",
        /// It cannot be sent.
        Failed(T, Fault) => "cannot send: ",
    }
}

traffic_error! {
    /// A message was not sent. The value comes back.
    SendError<T> {
        /// The channel was closed.
        Closed(T) => "the channel is closed",
        /// The receiver has gone.
        Disconnected(T) => "the receiver has gone",
        /// It cannot be sent.
        Failed(T, Fault) => "cannot send: ",
    }
}

traffic_error! {
    /// A message was not sent in time. The value comes back.
    SendTimeoutError<T> {
        /// There was no room in time.
        Timeout(T) => "no room in time",
        /// The channel was closed.
        Closed(T) => "the channel is closed",
        /// The receiver has gone.
        Disconnected(T) => "the receiver has gone",
        /// It cannot be sent.
        Failed(T, Fault) => "cannot send: ",
    }
}

traffic_error! {
    /// Nothing was received at once.
    TryRecvError {
        /// There is no message now.
        Empty => "no message now",
        /// The message that comes next in a queue is not complete: that member is in the middle of sending it.
        /// Messages behind it wait for it.
        Busy(MemberId) => "a member is in the middle of sending the next message",
        /// The channel was closed and everything in it was received.
        Closed => "the channel is closed",
        /// The sender has gone and everything it sent was received.
        Disconnected => "the sender has gone",
        /// Receiving is impossible.
        Failed(Fault) => "cannot receive: ",
    }
}

traffic_error! {
    /// Nothing was received.
    RecvError {
        /// The channel was closed and everything in it was received.
        Closed => "the channel is closed",
        /// The sender has gone and everything it sent was received.
        Disconnected => "the sender has gone",
        /// Receiving is impossible.
        Failed(Fault) => "cannot receive: ",
    }
}

traffic_error! {
    /// Nothing was received in time.
    RecvTimeoutError {
        /// There was no message in time.
        Timeout => "no message in time",
        /// The channel was closed and everything in it was received.
        Closed => "the channel is closed",
        /// The sender has gone and everything it sent was received.
        Disconnected => "the sender has gone",
        /// Receiving is impossible.
        Failed(Fault) => "cannot receive: ",
    }
}

macro_rules! fault_of {
    (send $($name:ident)+) => {$(
        impl<T> $name<T> {
            /// What is wrong, where waiting does not mend it.
            pub fn fault(&self) -> Option<Fault> {
                match self {
                    Self::Failed(_, fault) => Some(*fault),
                    _ => None,
                }
            }
        }
    )+};
    (recv $($name:ident)+) => {$(
        impl $name {
            /// What is wrong, where waiting does not mend it.
            pub fn fault(&self) -> Option<Fault> {
                match self {
                    Self::Failed(fault) => Some(*fault),
                    _ => None,
                }
            }
        }
    )+};
}
fault_of!(send TrySendError SendError SendTimeoutError);
fault_of!(recv TryRecvError RecvError RecvTimeoutError);

impl<T> TrySendError<T> {
    /// Takes the value back.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(v) | Self::Closed(v) | Self::Disconnected(v) | Self::Failed(v, _) => v,
        }
    }
}

impl<T> SendError<T> {
    /// Takes the value back.
    pub fn into_inner(self) -> T {
        match self {
            Self::Closed(v) | Self::Disconnected(v) | Self::Failed(v, _) => v,
        }
    }
}

impl<T> SendTimeoutError<T> {
    /// Takes the value back.
    pub fn into_inner(self) -> T {
        match self {
            Self::Timeout(v) | Self::Closed(v) | Self::Disconnected(v) | Self::Failed(v, _) => v,
        }
    }
}

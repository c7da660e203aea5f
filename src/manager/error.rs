//! Why a call came to nothing.

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Fault};

/// Why a server refused a call. It travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// The server has no such object, or no object of that name.
    UnknownObject,
    /// Nobody registered a type of that name at the server.
    UnknownType(String),
    /// The object has no such method.
    UnknownMethod(String),
    /// The object of that name is something else.
    WrongType {
        /// What it is.
        is: String,
        /// What was asked for.
        wanted: String,
    },
    /// The request or a value in it is longer than the server takes.
    TooLong {
        /// Bytes in it.
        len: u64,
        /// Bytes that are taken.
        max: u64,
    },
    /// The arguments are not what the method takes; the text says how.
    Undecodable(String),
    /// The method panicked; the text is what it said. The object stays, as the panic left it.
    Panicked(String),
    /// The wait was given up by who waited.
    Cancelled,
    /// The server is shutting down.
    ShuttingDown,
    /// The server has as many objects, sessions or connections as it takes, or the system gives it no thread, or too few descriptors, for
    /// one more.
    TooMany,
    /// The object has no name, by which it could be let go again.
    Nameless,
    /// There is nothing at that index, or no such range.
    OutOfRange {
        /// The index, or where the range begins or ends.
        index: u64,
        /// How many there are.
        len: u64,
    },
    /// An error of the object's own: a number that its type defines, and a text.
    Object(u32, String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownObject => write!(f, "the server has no such object"),
            Self::UnknownType(name) => write!(f, "the server knows no type {name:?}"),
            Self::UnknownMethod(name) => write!(f, "the object has no method {name:?}"),
            Self::WrongType { is, wanted } => write!(f, "the object is {is}, not {wanted}"),
            Self::TooLong { len, max } => write!(f, "{len} bytes, the server takes {max}"),
            Self::Undecodable(why) => write!(f, "the arguments are not what it takes: {why}"),
            Self::Panicked(text) => write!(f, "the method panicked: {text}"),
            Self::Cancelled => write!(f, "the wait was given up"),
            Self::ShuttingDown => write!(f, "the server is shutting down"),
            Self::TooMany => write!(f, "the server takes no more"),
            Self::Nameless => write!(f, "the object has no name by which to let it go again"),
            Self::OutOfRange { index, len } => write!(f, "index {index} of {len}"),
            Self::Object(_, text) => f.write_str(text),
        }
    }
}

impl StdError for Refusal {}

impl From<Fault> for Refusal {
    /// What a value that cannot be read or written is to who called.
    fn from(fault: Fault) -> Self {
        Self::Undecodable(fault.to_string())
    }
}

/// A call came to nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The server refused it.
    Refused(Refusal),
    /// Nobody serves that name.
    NoServer,
    /// The server died. Whether the call was carried out is not known.
    ServerGone,
    /// The server ended the connection and lives. Whether the call was carried out is not known; the next has another connection.
    CutOff,
    /// The server shut down.
    ShutDown,
    /// The object was one of a server that is gone. Another serves the name now, and does not have it.
    Stale,
    /// Time ran out. The call was not carried out, unless the server itself does not answer any more.
    TimedOut,
    /// Others changed the object each time before this change of all of it was done.
    Contended,
    /// The server speaks another version of the protocol.
    Version {
        /// Its version.
        found: u32,
        /// That of this build.
        expected: u32,
    },
    /// An argument cannot be serialised; nothing was called.
    Unserializable(&'static str),
    /// The answer is no value of its type.
    Undecodable(&'static str),
    /// The server sent what no correct server sends.
    Garbage(&'static str),
    /// The process forked: the child must connect anew.
    Forked,
    /// The connection cannot be made.
    Connect(Error),
    /// The connection is damaged.
    Failed(Fault),
}

impl CallError {
    /// The number of an error of the object's own.
    pub fn object_code(&self) -> Option<u32> {
        match self {
            Self::Refused(Refusal::Object(code, _)) => Some(*code),
            _ => None,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => why.fmt(f),
            Self::NoServer => write!(f, "nobody serves that name"),
            Self::ServerGone => write!(f, "the server died"),
            Self::CutOff => write!(f, "the server ended the connection"),
            Self::ShutDown => write!(f, "the server has shut down"),
            Self::Stale => write!(f, "the object went with the server that had it"),
            Self::TimedOut => write!(f, "time ran out"),
            Self::Contended => write!(f, "others changed it each time"),
            Self::Version { found, expected } => {
                write!(f, "the server speaks version {found}, this build {expected}")
            }
            Self::Unserializable(why) => write!(f, "the argument cannot be serialised: {why}"),
            Self::Undecodable(why) => write!(f, "the answer is no value of its type: {why}"),
            Self::Garbage(what) => write!(f, "the server's answer makes no sense: {what}"),
            Self::Forked => write!(f, "the process has forked; the child must connect anew"),
            Self::Connect(error) => error.fmt(f),
            Self::Failed(fault) => fault.fmt(f),
        }
    }
}

impl StdError for CallError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Refused(why) => Some(why),
            Self::Connect(error) => Some(error),
            Self::Failed(fault) => Some(fault),
            _ => None,
        }
    }
}

impl From<Refusal> for CallError {
    fn from(why: Refusal) -> Self {
        Self::Refused(why)
    }
}

//! Errors: one for setting up, small ones for traffic that give the value back.

use std::error::Error as StdError;
use std::fmt;
use std::io;

mod access;
mod locking;
mod traffic;

pub use access::AccessError;
pub use locking::{BarrierError, LockError, LockTimeoutError, ReleaseError, TryLockError};
pub use traffic::{
    Fault, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};

/// Setting up, opening or removing something failed. The text says doing what, to which, why:
/// `open spsc channel "orders": layout version 3, this build reads 1`.
#[derive(Debug)]
pub struct Error {
    operation: Operation,
    object: &'static str,
    name: String,
    failure: Failure,
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Making a new one.
    Create,
    /// Attaching to one that exists.
    Open,
    /// Attaching to it, or making it.
    OpenOrCreate,
    /// Starting afresh under a name.
    Replace,
    /// Removing a name.
    Unlink,
    /// Asking who is attached.
    Inspect,
    /// Cleaning up after the dead.
    Recover,
}

/// Why it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The name or namespace breaks the rules; the text says which.
    InvalidName(&'static str),
    /// An option has a value that cannot be; the text says which.
    InvalidOption(&'static str),
    /// Nothing has that name.
    NotFound,
    /// Something has that name already.
    AlreadyExists {
        /// Members of it that live.
        alive: u32,
        /// Members that died and were not cleaned up after.
        dead: u32,
    },
    /// A block without a lock, where one is asked for.
    NoLock,
    /// Something has that name already, and it is not known what: of files without a format.
    Taken,
    /// The file has no byte: its maker has not given it a length yet.
    Empty,
    /// What has the name is not a regular file; the text says what it is.
    NotAFile(&'static str),
    /// The file is not a ringway segment; the text says what is wrong with it.
    NotASegment(&'static str),
    /// The file is shorter or longer than its header says.
    WrongLength {
        /// Bytes that the header says.
        expected: u64,
        /// Bytes in the file.
        found: u64,
    },
    /// A block or an array with another number of bytes or elements than was asked for.
    OtherLength {
        /// How many were asked for.
        wanted: u64,
        /// How many it has.
        found: u64,
    },
    /// A lock was to be where it cannot.
    Place(AccessError),
    /// All places of a barrier are taken by parties that live.
    TooManyParties {
        /// How many there may be.
        parties: usize,
    },
    /// The segment was made by a build with another format.
    WrongVersion {
        /// The segment's version.
        found: u32,
        /// This build's.
        expected: u32,
    },
    /// Same version, but the structures differ: one of the builds was changed without raising it.
    WrongLayout,
    /// The segment was made with features of the format that this build does not have.
    UnknownFeatures {
        /// The bits of those.
        bits: u32,
    },
    /// The name belongs to something else, named here where this build knows it.
    WrongKind(&'static str),
    /// Elements of another size or alignment, or another [`type_id`](crate::Options::type_id).
    WrongType(String),
    /// The queue's delivery policy is one that this build does not know.
    UnknownDelivery {
        /// Its code.
        code: u32,
    },
    /// The file belongs to another user.
    ForeignOwner {
        /// Whose it is.
        uid: u32,
    },
    /// Any user may write to the file, so nothing in it can be trusted.
    WritableByOthers,
    /// The kernel refused access.
    PermissionDenied,
    /// No room in the directory's file system.
    NoSpace,
    /// The segment is larger than this process may make a file (`RLIMIT_FSIZE`).
    FileSizeLimit {
        /// Bytes that it takes.
        needed: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// All member records are taken.
    TooManyMembers {
        /// How many there are.
        limit: u32,
    },
    /// Another member owns that end.
    EndTaken(MemberId),
    /// Here nobody could tell a dead member from a live one; the text says why.
    LivenessUnsupported(&'static str),
    /// The channel needs a process-wide barrier that the kernel refuses this process.
    BarrierUnsupported,
    /// Somebody else kept changing the name all the while.
    Contended,
    /// Another answer of the operating system.
    Os,
}

/// A member: one attachment of one process. Numbers are used again once a member has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemberId(pub(crate) u16);

impl MemberId {
    /// Its number, from 0.
    pub fn index(self) -> usize {
        self.0.into()
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error {
    pub(crate) fn new(
        operation: Operation,
        object: &'static str,
        name: &str,
        why: Failure,
    ) -> Self {
        Self { operation, object, name: name.to_owned(), failure: why }
    }

    /// What was being done.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Why it failed.
    pub fn kind(&self) -> &ErrorKind {
        &self.failure.kind
    }

    /// The name that was given.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.operation {
            Operation::Create => "create",
            Operation::Open => "open",
            Operation::OpenOrCreate => "open or create",
            Operation::Replace => "replace",
            Operation::Unlink => "unlink",
            Operation::Inspect => "inspect",
            Operation::Recover => "recover",
        };
        write!(f, "{verb} {}", self.object)?;
        if !self.name.is_empty() {
            write!(f, " {:?}", self.name)?;
        }
        write!(f, ": {}", self.failure.kind)?;
        match &self.failure.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.failure.source.as_ref().map(|source| source as _)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::NotFound => io::ErrorKind::NotFound,
            ErrorKind::AlreadyExists { .. } | ErrorKind::Taken => io::ErrorKind::AlreadyExists,
            ErrorKind::PermissionDenied | ErrorKind::ForeignOwner { .. } => {
                io::ErrorKind::PermissionDenied
            }
            ErrorKind::InvalidName(_) | ErrorKind::InvalidOption(_) => io::ErrorKind::InvalidInput,
            ErrorKind::NoSpace => io::ErrorKind::StorageFull,
            ErrorKind::FileSizeLimit { .. } => io::ErrorKind::FileTooLarge,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidName(why) => write!(f, "invalid name: {why}"),
            Self::InvalidOption(why) => write!(f, "invalid option: {why}"),
            Self::NotFound => write!(f, "nothing has that name"),
            Self::AlreadyExists { alive, dead } => {
                write!(f, "it exists already, with {alive} members alive and {dead} dead")
            }
            Self::NoLock => write!(f, "it was made without a lock"),
            Self::Taken => write!(f, "something has that name already"),
            Self::Empty => write!(f, "the file has no byte yet"),
            Self::NotAFile(what) => write!(f, "the name is held by {what}"),
            Self::NotASegment(why) => write!(f, "not a ringway segment: {why}"),
            Self::WrongLength { expected, found } => {
                write!(f, "the file has {found} bytes, its header says {expected}")
            }
            Self::OtherLength { wanted, found } => {
                write!(f, "it has {found} elements, {wanted} were asked for")
            }
            Self::Place(why) => write!(f, "it cannot be there: {why}"),
            Self::TooManyParties { parties } => write!(f, "all {parties} parties are there"),
            Self::WrongVersion { found, expected } => {
                write!(f, "layout version {found}, this build reads {expected}")
            }
            Self::WrongLayout => write!(f, "its build lays the same version out differently"),
            Self::UnknownFeatures { bits } => {
                write!(f, "it has features {bits:#x}, which this build does not know")
            }
            Self::WrongKind(found) => write!(f, "the name is held by {found}"),
            Self::WrongType(how) => write!(f, "element type differs: {how}"),
            Self::UnknownDelivery { code } => write!(f, "delivery policy {code} is not known here"),
            Self::ForeignOwner { uid } => write!(f, "it belongs to user {uid}"),
            Self::WritableByOthers => write!(f, "any user may write to it"),
            Self::PermissionDenied => write!(f, "permission denied"),
            Self::NoSpace => write!(f, "no room in its file system"),
            Self::FileSizeLimit { needed, limit } => {
                write!(f, "it takes {needed} bytes, this process may make files of {limit}")
            }
            Self::TooManyMembers { limit } => write!(f, "all {limit} member records are taken"),
            Self::EndTaken(member) => write!(f, "member {member} owns that end"),
            Self::LivenessUnsupported(why) => write!(f, "cannot tell who lives: {why}"),
            Self::BarrierUnsupported => {
                write!(f, "it needs membarrier, which this process may not use")
            }
            Self::Contended => write!(f, "others kept changing the name meanwhile"),
            Self::Os => write!(f, "the operating system refused"),
        }
    }
}

/// Why, before it is known what was being done to which.
#[derive(Debug)]
pub struct Failure {
    pub kind: ErrorKind,
    pub source: Option<io::Error>,
}

impl From<AccessError> for Failure {
    fn from(why: AccessError) -> Self {
        ErrorKind::Place(why).into()
    }
}

impl From<ErrorKind> for Failure {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<io::Error> for Failure {
    fn from(source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            io::ErrorKind::StorageFull => ErrorKind::NoSpace,
            _ => ErrorKind::Os,
        };
        Self { kind, source: Some(source) }
    }
}

//! Errors of access to memory that is shared without a protocol.

use std::error::Error as StdError;
use std::fmt;

/// An access to shared memory was refused. Nothing was read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessError {
    /// It ends beyond what there is. Counted in bytes, of arrays and views of several values in values.
    OutOfRange {
        /// Where it begins.
        offset: usize,
        /// How many; the largest number if they are more than can be counted.
        len: usize,
        /// How many there are.
        has: usize,
    },
    /// It begins where its type cannot.
    Misaligned {
        /// Where it begins.
        offset: usize,
        /// What that has to be a multiple of.
        align: usize,
    },
    /// Atomics of another size, or a lock, have been there before.
    Overlap {
        /// Where it begins.
        offset: usize,
    },
    /// The process forked: the child must attach anew.
    Forked,
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { offset, len, has } => {
                write!(f, "access to {len} from {offset} on, of {has}")
            }
            Self::Misaligned { offset, align } => {
                write!(f, "access at {offset}, which is no multiple of {align} in memory")
            }
            Self::Overlap { offset } => {
                write!(f, "access at {offset}, where a lock or atomics of another size have been")
            }
            Self::Forked => write!(f, "the process has forked; the child must attach anew"),
        }
    }
}

impl StdError for AccessError {}

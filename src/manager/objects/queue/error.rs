//! Errors of managed queues.

use std::error::Error as StdError;
use std::fmt;

use super::{CLOSED, NOT_OWED};
use crate::manager::CallError;

/// Nothing was put, got or done.
#[derive(Debug)]
#[non_exhaustive]
pub enum QueueError {
    /// There is no room. Of calls that do not wait.
    Full,
    /// There is nothing. Of calls that do not wait.
    Empty,
    /// Time ran out.
    Timeout,
    /// The queue is closed: nothing can be put any more, or nothing comes any more.
    Closed,
    /// This client has taken nothing that it has not said to be done already.
    NotOwed,
    /// There is no answer.
    Failed(CallError),
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(f, "the queue is full"),
            Self::Empty => write!(f, "the queue is empty"),
            Self::Timeout => write!(f, "time ran out"),
            Self::Closed => write!(f, "the queue is closed"),
            Self::NotOwed => write!(f, "this client has taken nothing that is not done"),
            Self::Failed(why) => write!(f, "no answer of the queue: {why}"),
        }
    }
}

impl StdError for QueueError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed(why) => Some(why),
            _ => None,
        }
    }
}

impl From<CallError> for QueueError {
    fn from(why: CallError) -> Self {
        match (why.object_code(), why) {
            (Some(CLOSED), _) => Self::Closed,
            (Some(NOT_OWED), _) => Self::NotOwed,
            (_, CallError::TimedOut) => Self::Timeout,
            (_, why) => Self::Failed(why),
        }
    }
}

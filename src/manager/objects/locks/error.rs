//! Errors of managed locks. What was taken in spite of a death comes with the error.

use std::error::Error as StdError;
use std::fmt;

use crate::manager::CallError;

/// A lock was not taken, or not as it should be.
#[non_exhaustive]
pub enum LockError<G> {
    /// It was taken, but who had it died, or panicked, with it: look at what it guards, mend it, and mark it consistent.
    OwnerDied(G),
    /// Others have it. Of calls that do not wait.
    Held,
    /// Others had it all the time.
    Timeout,
    /// This very thread has it: it would wait for itself.
    WouldDeadlock,
    /// There is no answer.
    Failed(CallError),
}

impl<G> LockError<G> {
    /// The same without the guard, which is dropped: the lock stays inconsistent. For errors that are handed on, since
    /// one with a guard borrows the lock.
    pub fn without_guard(self) -> LockError<()> {
        self.map(drop)
    }

    /// The lock, if it was taken after a death.
    pub fn into_guard(self) -> Option<G> {
        match self {
            Self::OwnerDied(guard) => Some(guard),
            _ => None,
        }
    }

    pub(super) fn map<H>(self, change: impl FnOnce(G) -> H) -> LockError<H> {
        match self {
            Self::OwnerDied(guard) => LockError::OwnerDied(change(guard)),
            Self::Held => LockError::Held,
            Self::Timeout => LockError::Timeout,
            Self::WouldDeadlock => LockError::WouldDeadlock,
            Self::Failed(why) => LockError::Failed(why),
        }
    }
}

impl<G> fmt::Display for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnerDied(_) => write!(f, "who had the lock died with it"),
            Self::Held => write!(f, "another has the lock"),
            Self::Timeout => write!(f, "others had the lock all the time"),
            Self::WouldDeadlock => write!(f, "this thread has the lock"),
            Self::Failed(why) => write!(f, "cannot lock: {why}"),
        }
    }
}

impl<G> fmt::Debug for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnerDied(_) => f.write_str("OwnerDied(..)"),
            Self::Held => f.write_str("Held"),
            Self::Timeout => f.write_str("Timeout"),
            Self::WouldDeadlock => f.write_str("WouldDeadlock"),
            Self::Failed(why) => f.debug_tuple("Failed").field(why).finish(),
        }
    }
}

impl<G> StdError for LockError<G> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed(why) => Some(why),
            _ => None,
        }
    }
}

/// Parties did not meet.
#[derive(Debug)]
#[non_exhaustive]
pub enum BarrierError {
    /// A party gave up or died, or the barrier was reset: nobody passes before it is reset.
    Broken,
    /// The others did not come in time. That broke the barrier, if the server knew of this party's coming.
    Timeout,
    /// There is no answer.
    Failed(CallError),
}

impl fmt::Display for BarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => write!(f, "the barrier is broken"),
            Self::Timeout => write!(f, "the others did not come in time"),
            Self::Failed(why) => write!(f, "cannot wait: {why}"),
        }
    }
}

impl StdError for BarrierError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed(why) => Some(why),
            _ => None,
        }
    }
}

/// Nothing was released.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReleaseError {
    /// There would be more than there may be; so many there are.
    BeyondBound(u32),
    /// There is no answer.
    Failed(CallError),
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeyondBound(there) => write!(f, "there are {there}, there would be too many"),
            Self::Failed(why) => write!(f, "cannot release: {why}"),
        }
    }
}

impl StdError for ReleaseError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed(why) => Some(why),
            Self::BeyondBound(_) => None,
        }
    }
}

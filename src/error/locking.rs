//! Errors of taking locks. What was taken in spite of a death comes with the error.

use std::error::Error as StdError;
use std::fmt;

use super::traffic::traffic_error;
use super::{Fault, MemberId};

traffic_error! {
    /// A lock was not taken at once, or not as it should be.
    TryLockError<G> {
        /// It was taken, but who had it died, or panicked, with it: look at what it guards, repair it, and mark it consistent.
        OwnerDied(G) => "who had the lock died with it",
        /// That member has it.
        Held(MemberId) => "another has the lock",
        /// This very thread has it: it would wait for itself.
        WouldDeadlock => "this thread has the lock",
        /// It cannot be taken.
        Failed(Fault) => "cannot lock: ",
    }
}

traffic_error! {
    /// A lock was not taken, or not as it should be.
    LockError<G> {
        /// It was taken, but who had it died, or panicked, with it: look at what it guards, repair it, and mark it consistent.
        OwnerDied(G) => "who had the lock died with it",
        /// This very thread has it: it would wait for itself.
        WouldDeadlock => "this thread has the lock",
        /// It cannot be taken.
        Failed(Fault) => "cannot lock: ",
    }
}

traffic_error! {
    /// A lock was not taken in time, or not as it should be.
    LockTimeoutError<G> {
        /// It was taken, but who had it died, or panicked, with it: look at what it guards, repair it, and mark it consistent.
        OwnerDied(G) => "who had the lock died with it",
        /// Others had it all the time.
        Timeout => "others had the lock all the time",
        /// This very thread has it: it would wait for itself.
        WouldDeadlock => "this thread has the lock",
        /// It cannot be taken.
        Failed(Fault) => "cannot lock: ",
    }
}

traffic_error! {
    /// Nothing was released.
    ReleaseError {
        /// There would be more than there may be; so many there are.
        BeyondBound(u32) => "there would be more than there may be",
        /// It cannot be released.
        Failed(Fault) => "cannot release: ",
    }
}

traffic_error! {
    /// Parties did not meet.
    BarrierError {
        /// A party gave up or died, or the barrier was reset: nobody passes before it is reset.
        Broken => "the barrier is broken",
        /// The others did not come in time. That broke the barrier.
        Timeout => "the others did not come in time",
        /// It cannot be waited for.
        Failed(Fault) => "cannot wait: ",
    }
}

macro_rules! of_locks {
    ($($name:ident: $($other:ident $(($field:ident))?),+;)+) => {$(
        impl<G> $name<G> {
            /// The same without the guard, which is dropped: what it guards stays inconsistent. For errors that are handed on, since
            /// one with a guard borrows the lock.
            pub fn without_guard(self) -> $name<()> {
                match self {
                    Self::OwnerDied(_) => $name::OwnerDied(()),
                    $(Self::$other $(($field))? => $name::$other $(($field))?,)+
                }
            }

            /// What is wrong, where waiting does not mend it.
            pub fn fault(&self) -> Option<Fault> {
                match self {
                    Self::Failed(fault) => Some(*fault),
                    _ => None,
                }
            }

            /// The lock, if it was taken after a death.
            pub fn into_guard(self) -> Option<G> {
                match self {
                    Self::OwnerDied(guard) => Some(guard),
                    _ => None,
                }
            }
        }
    )+};
}
of_locks! {
    TryLockError: Held(member), WouldDeadlock, Failed(fault);
    LockError: WouldDeadlock, Failed(fault);
    LockTimeoutError: Timeout, WouldDeadlock, Failed(fault);
}

macro_rules! of_others {
    ($($name:ident)+) => {$(
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
of_others!(ReleaseError BarrierError);

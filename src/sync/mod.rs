//! Locks that processes share, and that survive whoever has them.
//!
//! | | for |
//! |---|---|
//! | [`Mutex`] | a value that one changes at a time |
//! | [`ReentrantMutex`] | the same, where who has it may take it again |
//! | [`RwLock`] | a value that many look at and one changes |
//! | [`Condvar`] | waiting for what a mutex guards to become something |
//! | [`Flag`] | waiting for what happens once, or is on and off |
//! | [`Semaphore`] | counting what one gives and another takes; nobody owns it |
//! | [`Permits`] | so many at a time; each permit is owned, and comes back at its owner's death |
//! | [`Barrier`] | a number of parties that go on together |
//!
//! Each is either *named*, a file of its own that others open by its name (`create`, `open`, `open_or_create`, `options`), or
//! *placed*: `at` an offset of a [`Block`](crate::block::Block), where the first who comes makes it and others find it.
//!
//! ```
//! use ringway::sync::Mutex;
//!
//! let name = format!("balance-{}", std::process::id());
//! let mutex = Mutex::<u64>::options().remove_when_unused().create(&name)?;
//! let other = Mutex::<u64>::open(&name)?; // usually in another process
//! *mutex.lock().unwrap() += 100;
//! assert_eq!(*other.lock().unwrap(), 100);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Death is an outcome.** Who waits for a lock whose owner was killed gets it, with an error that has the guard in it:
//! `OwnerDied`. It may look at what is guarded, repair it, and mark it consistent; until somebody does, everybody gets the lock
//! so. A thread that panics with a lock in its hands leaves it so too. Who waits asks at least once per recheck interval
//! ([`recheck`](Options::recheck)) whether those in its way live; no time limit ever takes a lock from the living, be it
//! stopped for hours. A death is known once the kernel has torn the process down. (A [`watch`](Options::watch) looks out for
//! members, not for who waits for locks: it does not make that any shorter.)
//!
//! **Trust.** What a lock guards is reached by reference while one has it. Other processes can write there without
//! asking, as anywhere in shared memory: those who use a segment are trusted to take the lock first. Any bytes are a value, so one that
//! does not leaves garbage and nothing worse, and words of the lock that make no sense are
//! [`Fault::Corrupt`](crate::Fault::Corrupt), not a hang.
//!
//! A waiting call spins for a moment and then sleeps; taking a lock that is free, and giving one back that nobody waits for,
//! makes no system call. In a forked child everything answers [`Fault::Forked`](crate::Fault::Forked).

#![forbid(unsafe_code)]

#[macro_use]
mod named;
mod barrier;
mod condvar;
mod flag;
mod mutex;
mod options;
mod permits;
mod reentrant;
mod rwlock;
mod semaphore;
mod site;

pub use barrier::{Barrier, Met};
pub use condvar::Condvar;
pub use flag::Flag;
pub use mutex::{Mutex, MutexGuard};
pub use options::{Lock, Options};
pub use permits::{Permit, Permits};
pub use reentrant::{ReentrantGuard, ReentrantMutex};
pub use rwlock::{ReadGuard, RwLock, WriteGuard};
pub use semaphore::Semaphore;

pub use crate::error::{BarrierError, LockError, LockTimeoutError, ReleaseError, TryLockError};

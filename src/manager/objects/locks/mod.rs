//! Locks that a server keeps.
//!
//! Who waits for one stands in a line at the server, first come, first served, and is taken out of it when its client gives up
//! or goes. Who has one has a *lease*, which ends with its client: then the next has it, and is told.

mod barrier;
mod condvar;
mod error;
mod flag;
mod hold;
mod leased;
mod line;
mod mutex;
mod permits;
mod places;
mod reentrant;
mod round;
mod rwlock;
mod semaphore;

pub use barrier::{Barrier, Met};
pub use condvar::Condvar;
pub use error::{BarrierError, LockError, ReleaseError};
pub use flag::Flag;
pub use mutex::{Mutex, MutexGuard};
pub use permits::{Permit, Permits};
pub use reentrant::{ReentrantGuard, ReentrantMutex};
pub use rwlock::{ReadGuard, RwLock, WriteGuard};
pub use semaphore::Semaphore;

use super::super::Server;

/// Registers them all.
pub(super) fn register(server: &mut Server) {
    server.register::<leased::Leased<leased::OfMutex>>();
    server.register::<leased::Leased<leased::OfReentrantMutex>>();
    server.register::<leased::Leased<leased::OfRwLock>>();
    server.register::<leased::Leased<leased::OfPermits>>();
    server.register::<semaphore::Count>();
    server.register::<flag::Signal>();
    server.register::<condvar::Calls>();
    server.register::<barrier::Meeting>();
}

/// The fingerprint of an object that is made with these numbers: only who means the same ones opens it.
fn of_numbers(numbers: [u32; 2]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&numbers[0].to_le_bytes());
    bytes[4..8].copy_from_slice(&numbers[1].to_le_bytes());
    bytes
}

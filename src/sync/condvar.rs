//! Waiting for what a mutex guards to become something.

use std::fmt;
use std::time::Duration;

use bytemuck::Pod;

use super::mutex::{Denied, MutexGuard, Outcome};
use super::options::sealed;
use super::site::Site;
use crate::error::{Failure, Fault, LockError};
use crate::event::{Deadline, Turn};
use crate::layout::{LockKind, LockTag};
use crate::lock::Denial;
use crate::lock::gate::{Gate, Settled};
use crate::segment::{LockPlace, Memory};

/// Where threads of many processes wait for what a [`Mutex`](super::Mutex) guards to become something, and are notified by
/// who changed it.
///
/// A wait may end for no reason: look again, as [`wait_while`](Self::wait_while) does. A notification that goes to a process
/// which is killed before it acts is found by the others within a recheck interval. Nobody ever waits for one who waits.
///
/// ```
/// use ringway::block::Block;
/// use ringway::sync::{Condvar, Mutex};
///
/// let block = Block::anonymous(4096)?;
/// let (mutex, condvar) = (Mutex::<u32>::at(&block, 0)?, Condvar::at(&block, 128)?);
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         *mutex.lock().unwrap() = 7;
///         condvar.notify_one().unwrap();
///     });
///     let guard = condvar.wait_while(mutex.lock().unwrap(), |value| *value == 0).unwrap();
///     assert_eq!(*guard, 7);
/// });
/// # block.unlink()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Condvar {
    place: LockPlace,
    site: Site,
    settled: Settled,
}

/// What came of a wait: the guard, and whether the time was over.
type Waited<'a, T> = (MutexGuard<'a, T>, bool);

impl Condvar {
    const TAG: LockTag = LockTag::new(LockKind::Condvar, 0, 0);

    plainly_named!("condvar");

    /// Gives the mutex back and waits to be notified; then takes it again. The two are one step for who has the mutex meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Mutex::lock`](super::Mutex::lock). The guard is back in any case in which there is one. [`Fault::Forked`] if either of
    /// the two is of a parent.
    pub fn wait<'a, T: Pod>(
        &self,
        guard: MutexGuard<'a, T>,
    ) -> Result<MutexGuard<'a, T>, LockError<MutexGuard<'a, T>>> {
        self.wait_until(guard, Deadline::NEVER).map(|(guard, _)| guard)
    }

    /// The same, waiting at most `timeout`; but it takes the mutex again however long that takes. Says whether the time was over.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_timeout<'a, T: Pod>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> Result<Waited<'a, T>, LockError<MutexGuard<'a, T>>> {
        self.wait_until(guard, Deadline::after(timeout))
    }

    /// Waits for as long as `condition` holds of what is guarded.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_while<'a, T: Pod>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> Result<MutexGuard<'a, T>, LockError<MutexGuard<'a, T>>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// The same, for at most `timeout`. Says whether the time was over, and the condition still held.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_timeout_while<'a, T: Pod>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> Result<Waited<'a, T>, LockError<MutexGuard<'a, T>>> {
        let (deadline, mut late) = (Deadline::after(timeout), false);
        while condition(&mut guard) {
            if late {
                return Ok((guard, true));
            }
            (guard, late) = self.wait_until(guard, deadline)?;
        }
        Ok((guard, false))
    }

    /// Wakes one who waits, if anybody does: whom the kernel chooses.
    ///
    /// # Errors
    ///
    /// [`Fault::Forked`].
    pub fn notify_one(&self) -> Result<(), Fault> {
        self.notify(1)
    }

    /// Wakes all who wait.
    ///
    /// # Errors
    ///
    /// [`Fault::Forked`].
    pub fn notify_all(&self) -> Result<(), Fault> {
        self.notify(u32::MAX)
    }

    lock_handle!(self);

    fn gate(&self) -> Gate<'_> {
        Gate::new(self.place.word())
    }

    fn notify(&self, count: u32) -> Result<(), Fault> {
        if self.place.is_inherited() {
            return Err(Fault::Forked);
        }
        self.gate().call(count, &self.settled);
        Ok(())
    }

    fn wait_until<'a, T: Pod>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Deadline,
    ) -> Result<Waited<'a, T>, LockError<MutexGuard<'a, T>>> {
        // Of either: who waited with a mutex of its parent's would never get it back.
        if self.place.is_inherited() || guard.mutex.is_inherited() {
            return Err(LockError::Failed(Fault::Forked));
        }
        let (mutex, gate) = (guard.mutex, self.gate());
        let seen = gate.about_to_sleep();
        drop(guard);
        let asleep = || Turn::Asleep { word: seen, holder: None };
        let attempt = |_| if gate.was_called(seen) { Turn::Ready(()) } else { asleep() };
        let late = self.site.wait(gate.word(), deadline, attempt).is_none();
        let locked: Result<Outcome<'a, T>, Denied> = mutex.lock_again();
        match locked {
            Ok(Ok(guard)) => Ok((guard, late)),
            Ok(Err(guard)) => Err(LockError::OwnerDied(guard)),
            Err(Denied::Denial(Denial::Own)) => Err(LockError::WouldDeadlock),
            Err(denied) => Err(LockError::Failed(denied.fault())),
        }
    }
}

impl sealed::Lock for Condvar {
    const KIND: LockKind = LockKind::Condvar;

    fn default_tag() -> Option<LockTag> {
        Some(Self::TAG)
    }

    fn place(memory: &Memory, offset: usize, tag: LockTag, site: Site) -> Result<Self, Failure> {
        let place = LockPlace::new(memory, offset, tag, site.max_members())?;
        Ok(Self { place, site, settled: Settled::default() })
    }
}

attached!(plain, Condvar);

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condvar { .. }")
    }
}

//! A mutex that who has it may take again.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bytemuck::Pod;

use super::mutex::tag_of;
use super::options::sealed;
use super::site::{Site, fault_of};
use crate::error::{Failure, Fault, LockError, LockTimeoutError, MemberId, TryLockError};
use crate::event::Deadline;
use crate::layout::{LockKind, LockTag};
use crate::lock::{Denial, Held, mutex};
use crate::member::threads::Named;
use crate::primitive::Ordering::Relaxed;
use crate::segment::{LockPlace, Memory};

/// A value in shared memory that one thread of one process has at a time, as often as it likes.
///
/// Since a thread may have it twice its value is copied in and out. It is free again when the thread has dropped as many guards
/// as it took. How often it has been taken is in shared memory, and begins anew with each owner.
///
/// ```
/// use ringway::sync::ReentrantMutex;
///
/// let name = format!("again-{}", std::process::id());
/// let mutex = ReentrantMutex::<u32>::options().remove_when_unused().create(&name)?;
/// let outer = mutex.lock().unwrap();
/// outer.set(1);
/// let inner = mutex.lock().unwrap();
/// inner.set(inner.get() + 1);
/// assert_eq!(outer.get(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ReentrantMutex<T: Pod> {
    place: LockPlace<T>,
    site: Site,
}

/// Who has it has a [`ReentrantMutex`], among others perhaps of the same thread. Dropping the last of them gives the mutex back.
#[must_use = "a lock that is dropped at once guards nothing"]
pub struct ReentrantGuard<'a, T: Pod> {
    mutex: &'a ReentrantMutex<T>,
    /// What it guards was left in the middle of a change when the thread took the mutex first; by this guard, perhaps.
    inconsistent: bool,
    panicking: bool,
    _named: Named,
    alone: PhantomData<*const ()>,
}

/// Why it was not taken.
enum Denied {
    Late,
    Held(MemberId),
    Failed(Fault),
}

/// Bit of the depth: what is guarded was found inconsistent and has not been marked consistent since.
const DOUBTFUL: u64 = 1 << 63;

impl<T: Pod> ReentrantMutex<T> {
    const TAG: LockTag = tag_of::<T>(LockKind::ReentrantMutex);

    plainly_named!("reentrant mutex");

    /// Takes it, waiting for who has it unless that is this thread.
    ///
    /// # Errors
    ///
    /// [`LockError::OwnerDied`] with the guard.
    pub fn lock(&self) -> Result<ReentrantGuard<'_, T>, LockError<ReentrantGuard<'_, T>>> {
        match self.lock_until(Deadline::NEVER) {
            Ok(guard) if guard.is_first_to_doubt() => Err(LockError::OwnerDied(guard)),
            Ok(guard) => Ok(guard),
            Err(denied) => Err(LockError::Failed(denied.fault())),
        }
    }

    /// Takes it if nobody else has it.
    ///
    /// # Errors
    ///
    /// [`TryLockError::Held`] if another has it; [`TryLockError::OwnerDied`] with the guard.
    pub fn try_lock(&self) -> Result<ReentrantGuard<'_, T>, TryLockError<ReentrantGuard<'_, T>>> {
        match self.try_once() {
            Ok(guard) if guard.is_first_to_doubt() => Err(TryLockError::OwnerDied(guard)),
            Ok(guard) => Ok(guard),
            Err(Denied::Held(member)) => Err(TryLockError::Held(member)),
            Err(denied) => Err(TryLockError::Failed(denied.fault())),
        }
    }

    /// Takes it, waiting for who has it at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// [`LockTimeoutError::Timeout`]; [`LockTimeoutError::OwnerDied`] with the guard.
    pub fn lock_timeout(
        &self,
        timeout: Duration,
    ) -> Result<ReentrantGuard<'_, T>, LockTimeoutError<ReentrantGuard<'_, T>>> {
        match self.lock_until(Deadline::after(timeout)) {
            Ok(guard) if guard.is_first_to_doubt() => Err(LockTimeoutError::OwnerDied(guard)),
            Ok(guard) => Ok(guard),
            Err(Denied::Late) => Err(LockTimeoutError::Timeout),
            Err(denied) => Err(LockTimeoutError::Failed(denied.fault())),
        }
    }

    /// Whether somebody had it, when it looked.
    pub fn is_locked(&self) -> bool {
        !self.place.is_inherited() && self.raw().holder().is_some()
    }

    lock_handle!(self);

    fn raw(&self) -> mutex::Mutex<'_> {
        mutex::Mutex::new(self.place.word())
    }

    fn lock_until(&self, deadline: Deadline) -> Result<ReentrantGuard<'_, T>, Denied> {
        if self.place.is_inherited() {
            return Err(Denied::Failed(Fault::Forked));
        }
        let (me, mut slept) = (self.site.me(), false);
        let attempt =
            |look| self.raw().attempt(me, &mut slept, look, |other| self.site.fate(other));
        self.taken(self.site.wait(self.raw().word(), deadline, attempt).ok_or(Denied::Late)?)
    }

    fn try_once(&self) -> Result<ReentrantGuard<'_, T>, Denied> {
        if self.place.is_inherited() {
            return Err(Denied::Failed(Fault::Forked));
        }
        let me = self.site.me();
        let attempt =
            |look| self.raw().attempt(me, &mut false, look, |other| self.site.fate(other));
        match self.site.once(attempt) {
            Ok(outcome) => self.taken(outcome),
            Err(holder) => Err(Denied::Held(holder.unwrap_or(me.member()))),
        }
    }

    /// The guard of who took it, or had it already.
    fn taken(&self, outcome: Result<Held, Denial>) -> Result<ReentrantGuard<'_, T>, Denied> {
        let depth = self.depth();
        // Relaxed: who has the mutex alone reads and writes it.
        let inconsistent = matches!(outcome, Ok(Held { inconsistent: true }));
        match outcome {
            Ok(held) => depth.store(u64::from(held.inconsistent) * DOUBTFUL + 1, Relaxed),
            Err(Denial::Own) => depth.store(depth.load(Relaxed).wrapping_add(1), Relaxed),
            Err(denial) => return Err(Denied::Failed(fault_of(denial))),
        }
        let (panicking, alone) = (std::thread::panicking(), PhantomData);
        Ok(ReentrantGuard { mutex: self, inconsistent, panicking, _named: Named::new(), alone })
    }

    /// How often its owner has it, and whether what it guards is doubtful.
    fn depth(&self) -> &crate::primitive::LockWord {
        &self.place.words()[0]
    }
}

impl Denied {
    fn fault(self) -> Fault {
        match self {
            Self::Failed(fault) => fault,
            Self::Late | Self::Held(_) => Fault::Corrupt("a wait without end has ended"),
        }
    }
}

impl<T: Pod> sealed::Lock for ReentrantMutex<T> {
    const KIND: LockKind = LockKind::ReentrantMutex;

    fn default_tag() -> Option<LockTag> {
        Some(Self::TAG)
    }

    fn place(memory: &Memory, offset: usize, tag: LockTag, site: Site) -> Result<Self, Failure> {
        Ok(Self { place: LockPlace::new(memory, offset, tag, site.max_members())?, site })
    }
}

attached!(for T, ReentrantMutex<T>);

impl<T: Pod> fmt::Debug for ReentrantMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReentrantMutex").field("locked", &self.is_locked()).finish_non_exhaustive()
    }
}

impl<T: Pod> ReentrantGuard<'_, T> {
    /// Reads the value.
    pub fn get(&self) -> T {
        *self.mutex.place.value().get(&Held { inconsistent: false })
    }

    /// Writes the value.
    pub fn set(&self, value: T) {
        // The only reference for the moment: this thread has the mutex, and its other guards copy too.
        *self.mutex.place.value().get_mut(&mut Held { inconsistent: false }) = value;
    }

    /// Whether what it guards may be in the middle of a change: its owner died, and nobody has marked it consistent since.
    pub fn is_inconsistent(&self) -> bool {
        !self.mutex.place.is_inherited() && self.mutex.depth().load(Relaxed) & DOUBTFUL != 0
    }

    /// Says that what it guards is whole again: whoever takes it next gets it as always.
    pub fn mark_consistent(&self) {
        if !self.mutex.place.is_inherited() {
            let depth = self.mutex.depth();
            depth.store(depth.load(Relaxed) & !DOUBTFUL, Relaxed);
        }
    }

    fn is_first_to_doubt(&self) -> bool {
        self.inconsistent
    }
}

impl<T: Pod> Drop for ReentrantGuard<'_, T> {
    fn drop(&mut self) {
        if self.mutex.place.is_inherited() {
            return;
        }
        let (depth, panicked) = (self.mutex.depth(), !self.panicking && std::thread::panicking());
        let doubt = if panicked { DOUBTFUL } else { 0 };
        let left = depth.load(Relaxed).wrapping_sub(1) | doubt;
        depth.store(left, Relaxed);
        if left & !DOUBTFUL == 0 {
            self.mutex.raw().unlock(Held { inconsistent: left & DOUBTFUL != 0 });
        }
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for ReentrantGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

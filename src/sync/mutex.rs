//! A value that one changes at a time.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use bytemuck::Pod;

use super::options::sealed;
use super::site::{Site, fault_of};
use crate::block::Shared;
use crate::error::{Error, Failure, Fault, LockError, LockTimeoutError, MemberId, TryLockError};
use crate::event::{Deadline, Look, Turn};
use crate::layout::{LockKind, LockTag};
use crate::lock::holder::Holder;
use crate::lock::{Denial, Held, mutex};
use crate::member::threads::Named;
use crate::segment::{LockPlace, Memory};

/// A value in shared memory that one thread of one process changes at a time.
///
/// A thread that waits for itself gets an error, if it comes by the same attachment: opened twice, it is two members. Of those who wait nobody is first: whoever comes when it is free has it.
///
/// ```
/// use ringway::block::Block;
/// use ringway::sync::Mutex;
///
/// let block = Block::anonymous(4096)?;
/// let mutex = Mutex::<[u64; 2]>::at(&block, 128)?;
/// mutex.lock().unwrap()[1] = 7;
/// assert_eq!(*mutex.lock().unwrap(), [0, 7]);
/// # block.unlink()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Mutex<T: Pod> {
    place: LockPlace<T>,
    site: Site,
}

/// Who has it has a [`Mutex`]. Dropping it gives the mutex back; dropped by a panic, it leaves it inconsistent.
///
/// It stays with its thread. One that is forgotten keeps the mutex until its process ends, or the handle's attachment; the thread's
/// number, by which the mutex tells who has it, is then no other thread's.
#[must_use = "a lock that is dropped at once guards nothing"]
pub struct MutexGuard<'a, T: Pod> {
    pub(super) mutex: &'a Mutex<T>,
    held: Held,
    /// Whether the thread was panicking when it took it: then that it still is says nothing.
    panicking: bool,
    _named: Named,
    /// As a guard of the standard library: it stays with its thread, and can be looked at by others where the value can.
    like: PhantomData<std::sync::MutexGuard<'a, T>>,
}

impl Mutex<()> {
    /// The mutex beside the elements of a block, an array or a value that was made
    /// [with one](crate::block::Options::with_lock). It guards what its users agree on: the elements, say, each of which
    /// alone is read and written without it.
    ///
    /// ```
    /// use ringway::block::SharedArray;
    /// use ringway::sync::Mutex;
    ///
    /// let array = SharedArray::<u64>::options().len(2).with_lock().anonymous()?;
    /// let mutex = Mutex::beside(&array)?;
    /// let held = mutex.lock().unwrap();
    /// array.set(0, array.get(0)? + 5)?; // both or none, for all who take it
    /// array.set(1, array.get(1)? - array.get(0)?.min(0))?;
    /// drop(held);
    /// # array.unlink()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoLock`](crate::ErrorKind::NoLock) where there is none.
    pub fn beside(block: &impl Shared) -> Result<Self, Error> {
        super::options::beside(block, Self::TAG)
    }
}

/// Why a mutex was not taken.
pub(super) enum Denied {
    Late,
    Held(MemberId),
    Denial(Denial),
    Forked,
}

impl<T: Pod> Mutex<T> {
    pub(super) const TAG: LockTag = tag_of::<T>(LockKind::Mutex);

    plainly_named!("mutex");

    /// Takes it, waiting for who has it.
    ///
    /// # Errors
    ///
    /// [`LockError::OwnerDied`] with the guard; [`LockError::WouldDeadlock`] if this thread has it.
    #[inline]
    pub fn lock(&self) -> Result<MutexGuard<'_, T>, LockError<MutexGuard<'_, T>>> {
        if let Some(held) = self.lock_at_once() {
            return Ok(MutexGuard::new(self, held));
        }
        self.lock_slowly()
            .map_err(|denied| match denied {
                Denied::Denial(Denial::Own) => LockError::WouldDeadlock,
                other => LockError::Failed(other.fault()),
            })?
            .map_err(LockError::OwnerDied)
    }

    /// Takes it if nobody has it.
    ///
    /// # Errors
    ///
    /// [`TryLockError::Held`] if another has it; [`TryLockError::OwnerDied`] with the guard; [`TryLockError::WouldDeadlock`] if
    /// this thread has it.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError<MutexGuard<'_, T>>> {
        if let Some(held) = self.lock_at_once() {
            return Ok(MutexGuard::new(self, held));
        }
        self.try_slowly()
            .map_err(|denied| match denied {
                Denied::Held(member) => TryLockError::Held(member),
                Denied::Denial(Denial::Own) => TryLockError::WouldDeadlock,
                other => TryLockError::Failed(other.fault()),
            })?
            .map_err(TryLockError::OwnerDied)
    }

    /// Takes it, waiting for who has it at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// [`LockTimeoutError::Timeout`]; [`LockTimeoutError::OwnerDied`] with the guard; [`LockTimeoutError::WouldDeadlock`] if this
    /// thread has it.
    pub fn lock_timeout(
        &self,
        timeout: Duration,
    ) -> Result<MutexGuard<'_, T>, LockTimeoutError<MutexGuard<'_, T>>> {
        if let Some(held) = self.lock_at_once() {
            return Ok(MutexGuard::new(self, held));
        }
        self.lock_until(Deadline::after(timeout))
            .map_err(|denied| match denied {
                Denied::Late => LockTimeoutError::Timeout,
                Denied::Denial(Denial::Own) => LockTimeoutError::WouldDeadlock,
                other => LockTimeoutError::Failed(other.fault()),
            })?
            .map_err(LockTimeoutError::OwnerDied)
    }

    /// Whether somebody had it, when it looked.
    pub fn is_locked(&self) -> bool {
        !self.place.is_inherited() && self.raw().holder().is_some()
    }

    /// Whether its owner had died, when it looked, and nobody has marked it consistent since.
    pub fn is_inconsistent(&self) -> bool {
        !self.place.is_inherited() && self.raw().is_inconsistent()
    }

    lock_handle!(self);

    /// Whether it is of a parent.
    pub(super) fn is_inherited(&self) -> bool {
        self.place.is_inherited()
    }

    #[inline(always)]
    fn raw(&self) -> mutex::Mutex<'_> {
        mutex::Mutex::new(self.place.word())
    }

    #[inline(always)]
    fn lock_at_once(&self) -> Option<Held> {
        // The thread's number comes second: a child has no business with those of its parent.
        if self.place.is_inherited() { None } else { self.raw().lock_at_once(self.site.me()) }
    }

    /// Apart, because it is rare.
    #[cold]
    fn lock_slowly(&self) -> Result<Outcome<'_, T>, Denied> {
        self.lock_until(Deadline::NEVER)
    }

    /// As who had it before, and waited for something.
    pub(super) fn lock_again(&self) -> Result<Outcome<'_, T>, Denied> {
        match self.lock_at_once() {
            Some(held) => self.outcome(Ok(held)),
            None => self.lock_until(Deadline::NEVER),
        }
    }

    fn lock_until(&self, deadline: Deadline) -> Result<Outcome<'_, T>, Denied> {
        if self.place.is_inherited() {
            return Err(Denied::Forked);
        }
        let (me, mut slept) = (self.site.me(), false);
        let attempt = |look| self.attempt(me, &mut slept, look);
        let held = self.site.wait(self.raw().word(), deadline, attempt).ok_or(Denied::Late)?;
        self.outcome(held)
    }

    #[cold]
    fn try_slowly(&self) -> Result<Outcome<'_, T>, Denied> {
        if self.place.is_inherited() {
            return Err(Denied::Forked);
        }
        let me = self.site.me();
        let attempt = |look| self.attempt(me, &mut false, look);
        match self.site.once(attempt) {
            Ok(held) => self.outcome(held),
            Err(holder) => Err(Denied::Held(holder.unwrap_or(me.member()))),
        }
    }

    fn attempt(&self, me: Holder, slept: &mut bool, look: Look) -> Turn<Result<Held, Denial>> {
        self.raw().attempt(me, slept, look, |holder| self.site.fate(holder))
    }

    fn outcome(&self, held: Result<Held, Denial>) -> Result<Outcome<'_, T>, Denied> {
        let held = held.map_err(Denied::Denial)?;
        let inconsistent = held.inconsistent;
        let guard = MutexGuard::new(self, held);
        Ok(if inconsistent { Err(guard) } else { Ok(guard) })
    }
}

/// A guard; in the error if the owner before had died.
pub(super) type Outcome<'a, T> = Result<MutexGuard<'a, T>, MutexGuard<'a, T>>;

impl Denied {
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::Forked => Fault::Forked,
            Self::Denial(denial) => fault_of(denial),
            Self::Late | Self::Held(_) => Fault::Corrupt("a wait without end has ended"),
        }
    }
}

/// The tag of a lock of `kind` that guards a `T`.
pub(super) const fn tag_of<T>(kind: LockKind) -> LockTag {
    assert!(size_of::<T>() as u64 <= LockTag::MOST, "a lock guards less than a GiB");
    assert!(align_of::<T>() <= crate::layout::LINE, "values are aligned to at most 128 bytes");
    LockTag::new(kind, size_of::<T>() as u64, align_of::<T>() as u64)
}

impl<T: Pod> sealed::Lock for Mutex<T> {
    const KIND: LockKind = LockKind::Mutex;

    fn default_tag() -> Option<LockTag> {
        Some(Self::TAG)
    }

    fn place(memory: &Memory, offset: usize, tag: LockTag, site: Site) -> Result<Self, Failure> {
        Ok(Self { place: LockPlace::new(memory, offset, tag, site.max_members())?, site })
    }
}

attached!(for T, Mutex<T>);

impl<T: Pod> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").field("locked", &self.is_locked()).finish_non_exhaustive()
    }
}

impl<'a, T: Pod> MutexGuard<'a, T> {
    #[inline(always)]
    fn new(mutex: &'a Mutex<T>, held: Held) -> Self {
        let panicking = std::thread::panicking();
        Self { mutex, held, panicking, _named: Named::new(), like: PhantomData }
    }

    /// Whether what it guards may be in the middle of a change: its owner died, and nobody has marked it consistent since.
    pub fn is_inconsistent(&self) -> bool {
        self.held.inconsistent
    }

    /// Says that what it guards is whole again: whoever takes it next gets it as always.
    pub fn mark_consistent(&mut self) {
        self.held.inconsistent = false;
    }
}

impl<T: Pod> Deref for MutexGuard<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        self.mutex.place.value().get(&self.held)
    }
}

impl<T: Pod> DerefMut for MutexGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        self.mutex.place.value().get_mut(&mut self.held)
    }
}

impl<T: Pod> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.mutex.place.is_inherited() {
            return;
        }
        let panicked = !self.panicking && std::thread::panicking();
        let inconsistent = self.held.inconsistent | panicked;
        self.mutex.raw().unlock(Held { inconsistent });
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

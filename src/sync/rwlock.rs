//! A value that many look at and one changes.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use bytemuck::Pod;

use super::mutex::{Denied, tag_of};
use super::options::sealed;
use super::site::Site;
use crate::error::{Failure, LockError, LockTimeoutError, TryLockError};
use crate::event::Deadline;
use crate::layout::{LockKind, LockTag};
use crate::lock::holder::Holder;
use crate::lock::{Denial, Held, rwlock};
use crate::member::threads::Named;
use crate::segment::{LockPlace, Memory};

/// A value in shared memory that many threads of many processes look at, or one changes.
///
/// Writers go first: while one waits no reader comes, so readers that keep coming cannot hold it up. Writers that keep coming
/// can hold up readers. A thread that reads and then writes waits for itself, as does one that reads again while a writer waits: it
/// gets no error but that of a time limit. One that writes and takes the lock again gets one.
///
/// A reader that is killed keeps nobody out. A writer that is killed, also while it waits for readers to leave, leaves the lock
/// inconsistent: to readers as well as writers.
///
/// ```
/// use ringway::sync::RwLock;
///
/// let name = format!("table-{}", std::process::id());
/// let lock = RwLock::<[u32; 4]>::options().remove_when_unused().create(&name)?;
/// lock.write().unwrap()[2] = 7;
/// let (one, other) = (lock.read().unwrap(), lock.read().unwrap());
/// assert_eq!(one[2] + other[2], 14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RwLock<T: Pod> {
    place: LockPlace<T>,
    site: Site,
    /// Readers of several threads have references to the value at once.
    like: PhantomData<std::sync::RwLock<T>>,
}

/// Who has it has an [`RwLock`] to look at what it guards, with others perhaps.
#[must_use = "a lock that is dropped at once guards nothing"]
pub struct ReadGuard<'a, T: Pod> {
    lock: &'a RwLock<T>,
    held: Held,
    like: PhantomData<std::sync::MutexGuard<'a, T>>,
}

/// Who has it has an [`RwLock`] alone. Dropping it gives it back; dropped by a panic, it leaves it inconsistent.
#[must_use = "a lock that is dropped at once guards nothing"]
pub struct WriteGuard<'a, T: Pod> {
    lock: &'a RwLock<T>,
    held: Held,
    panicking: bool,
    _named: Named,
    like: PhantomData<std::sync::MutexGuard<'a, T>>,
}

/// Declares the three ways to take the lock as `$role`.
macro_rules! ways {
    ($(
        $role:literal $guard:ident: $plain:ident $try:ident $timed:ident
        by $until:ident $once:ident;
    )*) => { $(
        #[doc = concat!("Takes it as ", $role, ", waiting for those in the way.")]
        ///
        /// # Errors
        ///
        /// [`LockError::OwnerDied`] with the guard; [`LockError::WouldDeadlock`] if this thread writes.
        pub fn $plain(&self) -> Result<$guard<'_, T>, LockError<$guard<'_, T>>> {
            match self.$until(Deadline::NEVER) {
                Ok(guard) if guard.held.inconsistent => Err(LockError::OwnerDied(guard)),
                Ok(guard) => Ok(guard),
                Err(Denied::Denial(Denial::Own)) => Err(LockError::WouldDeadlock),
                Err(other) => Err(LockError::Failed(other.fault())),
            }
        }

        #[doc = concat!("Takes it as ", $role, " if nobody is in the way.")]
        ///
        /// # Errors
        ///
        /// [`TryLockError::Held`] if somebody is; [`TryLockError::OwnerDied`] with the guard; [`TryLockError::WouldDeadlock`] if
        /// this thread writes.
        pub fn $try(&self) -> Result<$guard<'_, T>, TryLockError<$guard<'_, T>>> {
            match self.$once() {
                Ok(guard) if guard.held.inconsistent => Err(TryLockError::OwnerDied(guard)),
                Ok(guard) => Ok(guard),
                Err(Denied::Held(member)) => Err(TryLockError::Held(member)),
                Err(Denied::Denial(Denial::Own)) => Err(TryLockError::WouldDeadlock),
                Err(other) => Err(TryLockError::Failed(other.fault())),
            }
        }

        #[doc = concat!("Takes it as ", $role, ", waiting for those in the way at most `timeout`. Zero tries once.")]
        ///
        /// # Errors
        ///
        /// [`LockTimeoutError::Timeout`]; [`LockTimeoutError::OwnerDied`] with the guard; [`LockTimeoutError::WouldDeadlock`] if
        /// this thread writes.
        pub fn $timed(
            &self,
            timeout: Duration,
        ) -> Result<$guard<'_, T>, LockTimeoutError<$guard<'_, T>>> {
            match self.$until(Deadline::after(timeout)) {
                Ok(guard) if guard.held.inconsistent => Err(LockTimeoutError::OwnerDied(guard)),
                Ok(guard) => Ok(guard),
                Err(Denied::Late) => Err(LockTimeoutError::Timeout),
                Err(Denied::Denial(Denial::Own)) => Err(LockTimeoutError::WouldDeadlock),
                Err(other) => Err(LockTimeoutError::Failed(other.fault())),
            }
        }
    )* };
}

impl<T: Pod> RwLock<T> {
    const TAG: LockTag = tag_of::<T>(LockKind::RwLock);

    plainly_named!("rwlock");

    ways! {
        "a reader" ReadGuard: read try_read read_timeout by read_until read_once;
        "a writer" WriteGuard: write try_write write_timeout by write_until write_once;
    }

    /// Whether a writer had died, when it looked, and nobody has marked it consistent since.
    pub fn is_inconsistent(&self) -> bool {
        !self.place.is_inherited() && self.raw().is_inconsistent()
    }

    lock_handle!(self);

    #[inline(always)]
    fn raw(&self) -> rwlock::RwLock<'_> {
        rwlock::RwLock::new(self.place.word(), self.place.words())
    }

    #[inline(always)]
    fn reader(&self, held: Held) -> ReadGuard<'_, T> {
        ReadGuard { lock: self, held, like: PhantomData }
    }

    fn writer(&self, held: Held) -> WriteGuard<'_, T> {
        let panicking = std::thread::panicking();
        WriteGuard { lock: self, held, panicking, _named: Named::new(), like: PhantomData }
    }

    #[inline]
    fn read_until(&self, deadline: Deadline) -> Result<ReadGuard<'_, T>, Denied> {
        if self.place.is_inherited() {
            return Err(Denied::Forked);
        }
        match self.raw().read_at_once(self.site.member()) {
            Some(held) => Ok(self.reader(held)),
            None => self.wait_to_read(deadline),
        }
    }

    #[cold]
    fn wait_to_read(&self, deadline: Deadline) -> Result<ReadGuard<'_, T>, Denied> {
        let (me, fate) = (self.site.me(), |other| self.site.fate(other));
        let attempt = |look| self.raw().attempt_to_read(me, look, fate);
        let held = self.site.wait(self.raw().word(), deadline, attempt).ok_or(Denied::Late)?;
        held.map(|held| self.reader(held)).map_err(Denied::Denial)
    }

    fn read_once(&self) -> Result<ReadGuard<'_, T>, Denied> {
        if self.place.is_inherited() {
            return Err(Denied::Forked);
        }
        if let Some(held) = self.raw().read_at_once(self.site.member()) {
            return Ok(self.reader(held));
        }
        let (me, fate) = (self.site.me(), |other| self.site.fate(other));
        match self.site.once(|look| self.raw().attempt_to_read(me, look, fate)) {
            Ok(held) => held.map(|held| self.reader(held)).map_err(Denied::Denial),
            Err(holder) => Err(Denied::Held(holder.unwrap_or(me.member()))),
        }
    }

    fn write_until(&self, deadline: Deadline) -> Result<WriteGuard<'_, T>, Denied> {
        if self.place.is_inherited() {
            return Err(Denied::Forked);
        }
        let (me, mut slept, fate) = (self.site.me(), false, |other| self.site.fate(other));
        let attempt = |look| self.raw().attempt_to_claim(me, &mut slept, look, fate);
        let held = self.site.wait(self.raw().word(), deadline, attempt).ok_or(Denied::Late)?;
        let claim = self.writer(held.map_err(Denied::Denial)?);
        // Dropped on the way out, which lets readers in again.
        let mut from = 0;
        while let Some(member) = self.raw().has_readers(from) {
            from = member.index() + 1;
            let readers = self.raw().readers(member.index());
            let attempt = |look| self.raw().attempt_to_drain(member, look, fate);
            let drained = self.site.wait(readers, deadline, attempt).ok_or(Denied::Late)?;
            drained.map_err(Denied::Denial)?;
        }
        Ok(claim)
    }

    fn write_once(&self) -> Result<WriteGuard<'_, T>, Denied> {
        if self.place.is_inherited() {
            return Err(Denied::Forked);
        }
        let (me, fate) = (self.site.me(), |other: Holder| self.site.fate(other));
        let attempt = |look| self.raw().attempt_to_claim(me, &mut false, look, fate);
        let claim = match self.site.once(attempt) {
            Ok(held) => self.writer(held.map_err(Denied::Denial)?),
            Err(holder) => return Err(Denied::Held(holder.unwrap_or(me.member()))),
        };
        let mut from = 0;
        while let Some(member) = self.raw().has_readers(from) {
            from = member.index() + 1;
            match self.site.once(|look| self.raw().attempt_to_drain(member, look, fate)) {
                Ok(drained) => drained.map_err(Denied::Denial)?,
                Err(_) => return Err(Denied::Held(member)),
            }
        }
        Ok(claim)
    }
}

impl<T: Pod> sealed::Lock for RwLock<T> {
    const KIND: LockKind = LockKind::RwLock;

    fn default_tag() -> Option<LockTag> {
        Some(Self::TAG)
    }

    fn place(memory: &Memory, offset: usize, tag: LockTag, site: Site) -> Result<Self, Failure> {
        let place = LockPlace::new(memory, offset, tag, site.max_members())?;
        let lock = Self { place, site, like: PhantomData };
        let corrupt = "the readers of a lock are counted impossibly";
        let enrolled = lock.raw().enroll(lock.site.member());
        enrolled.map_err(|_| crate::error::ErrorKind::NotASegment(corrupt))?;
        Ok(lock)
    }
}

attached!(for T, RwLock<T>);

impl<T: Pod> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock")
            .field("inconsistent", &self.is_inconsistent())
            .finish_non_exhaustive()
    }
}

impl<T: Pod> ReadGuard<'_, T> {
    /// Whether what it guards may be in the middle of a change: a writer died, and nobody has marked it consistent since.
    pub fn is_inconsistent(&self) -> bool {
        self.held.inconsistent
    }
}

impl<T: Pod> WriteGuard<'_, T> {
    /// Whether what it guards may be in the middle of a change: a writer died, and nobody has marked it consistent since.
    pub fn is_inconsistent(&self) -> bool {
        self.held.inconsistent
    }

    /// Says that what it guards is whole again: whoever takes it next gets it as always.
    pub fn mark_consistent(&mut self) {
        self.held.inconsistent = false;
    }
}

impl<T: Pod> Deref for ReadGuard<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        self.lock.place.value().get(&self.held)
    }
}

impl<T: Pod> Deref for WriteGuard<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        self.lock.place.value().get(&self.held)
    }
}

impl<T: Pod> DerefMut for WriteGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        self.lock.place.value().get_mut(&mut self.held)
    }
}

impl<T: Pod> Drop for ReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if !self.lock.place.is_inherited() {
            self.lock.raw().unlock_read(self.lock.site.member(), Held { inconsistent: false });
        }
    }
}

impl<T: Pod> Drop for WriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.lock.place.is_inherited() {
            return;
        }
        let panicked = !self.panicking && std::thread::panicking();
        let inconsistent = self.held.inconsistent | panicked;
        self.lock.raw().unlock_write(Held { inconsistent });
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for ReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

//! Counting what one gives and another takes.

use std::fmt;
use std::time::Duration;

use super::options::{self, Options, sealed};
use super::site::{Site, fault_of};
use crate::block::Block;
use crate::error::{Error, Failure, Fault, ReleaseError};
use crate::event::Deadline;
use crate::layout::{LockKind, LockTag};
use crate::lock::semaphore::{self, Excess};
use crate::segment::{LockPlace, Memory};

/// A count in shared memory: who acquires takes one, waiting while there is none; who releases adds some.
///
/// Nobody owns what is counted: who releases need not have acquired, and what a process had acquired when it died does not come
/// back. For permits that do, see [`Permits`](super::Permits).
///
/// ```
/// use ringway::sync::Semaphore;
///
/// let name = format!("items-{}", std::process::id());
/// let semaphore = Semaphore::options().bound(2).remove_when_unused().create(&name)?;
/// semaphore.release(2)?;
/// semaphore.acquire()?;
/// assert_eq!(semaphore.available(), 1);
/// assert!(semaphore.release(2).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Semaphore {
    place: LockPlace,
    site: Site,
    initial: u32,
    most: u32,
}

impl Semaphore {
    /// The most that can be counted.
    pub const MOST: u32 = (1 << 30) - 1;

    named!("semaphore");

    /// Makes a semaphore of that name that begins with `initial` and may have up to [`MOST`](Self::MOST).
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub fn create(name: &str, initial: u32) -> Result<Self, Error> {
        Self::options().initial(initial).create(name)
    }

    /// The semaphore at `offset` of `block`, which is made there, with `initial` of at most `most`, if its first word is zero: all of it should be.
    ///
    /// It takes 16 bytes at a multiple of 8; nothing else may be put there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Place`](crate::ErrorKind::Place) if it cannot be there,
    /// [`ErrorKind::WrongType`](crate::ErrorKind::WrongType) if something else is, or a semaphore with other numbers.
    pub fn at(block: &Block, offset: usize, initial: u32, most: u32) -> Result<Self, Error> {
        options::at(block, offset, tag(initial, most))
    }

    /// The semaphore that is at `offset` of `block` already, with the numbers that it has.
    ///
    /// # Errors
    ///
    /// As [`at`](Self::at), and [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
    pub fn find(block: &Block, offset: usize) -> Result<Self, Error> {
        options::find(block, offset)
    }

    /// Takes one, waiting while there is none.
    ///
    /// # Errors
    ///
    /// Why none can be taken.
    #[inline]
    pub fn acquire(&self) -> Result<(), Fault> {
        if self.acquire_at_once() {
            return Ok(());
        }
        self.acquire_until(Deadline::NEVER).map(drop)
    }

    /// Takes one if there is one. Says whether it did.
    ///
    /// # Errors
    ///
    /// Why none can be taken.
    pub fn try_acquire(&self) -> Result<bool, Fault> {
        self.check()?;
        match self.site.once(|look| self.raw().attempt(&mut false, look)) {
            Ok(taken) => taken.map(|()| true).map_err(fault_of),
            Err(_) => Ok(false),
        }
    }

    /// Takes one, waiting while there is none at most `timeout`. Says whether it did. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why none can be taken.
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<bool, Fault> {
        if self.acquire_at_once() {
            return Ok(true);
        }
        self.acquire_until(Deadline::after(timeout))
    }

    /// Adds `count`, and wakes as many who wait.
    ///
    /// # Errors
    ///
    /// [`ReleaseError::BeyondBound`] if there would be more than there may be; then none is added.
    #[inline]
    pub fn release(&self, count: u32) -> Result<(), ReleaseError> {
        if !self.place.is_inherited() && self.raw().release_at_once(count) {
            return Ok(());
        }
        self.release_slowly(count)
    }

    /// Apart, as for acquiring.
    #[cold]
    fn release_slowly(&self, count: u32) -> Result<(), ReleaseError> {
        self.check().map_err(ReleaseError::Failed)?;
        self.raw().release(count).map_err(|excess| match excess {
            Excess::Beyond(there) => ReleaseError::BeyondBound(there),
            Excess::Corrupt(what) => ReleaseError::Failed(Fault::Corrupt(what.text())),
        })
    }

    /// How many there were when it looked. Others take and add meanwhile: a hint.
    pub fn available(&self) -> u32 {
        if self.place.is_inherited() { 0 } else { self.raw().available() }
    }

    /// How many there may be.
    pub fn bound(&self) -> u32 {
        self.most
    }

    lock_handle!(self);

    fn raw(&self) -> semaphore::Semaphore<'_> {
        semaphore::Semaphore::new(self.place.word(), self.initial, self.most)
    }

    fn check(&self) -> Result<(), Fault> {
        if self.place.is_inherited() { Err(Fault::Forked) } else { Ok(()) }
    }

    #[inline(always)]
    fn acquire_at_once(&self) -> bool {
        !self.place.is_inherited() && self.raw().acquire_at_once()
    }

    /// Apart, as its result goes through memory.
    #[cold]
    fn acquire_until(&self, deadline: Deadline) -> Result<bool, Fault> {
        self.check()?;
        let mut slept = false;
        let attempt = |look| self.raw().attempt(&mut slept, look);
        match self.site.wait(self.raw().word(), deadline, attempt) {
            None => Ok(false),
            Some(taken) => taken.map(|()| true).map_err(fault_of),
        }
    }
}

fn tag(initial: u32, most: u32) -> Option<LockTag> {
    let possible = initial <= most && most <= Semaphore::MOST;
    possible.then(|| LockTag::new(LockKind::Semaphore, initial.into(), most.into()))
}

impl Options<Semaphore> {
    /// How many a new semaphore begins with; none where nobody says.
    pub fn initial(self, count: u32) -> Self {
        let most = self.tag().map_or(0, LockTag::second);
        let tag = u32::try_from(most).ok().and_then(|most| tag(count, most));
        self.with_tag(tag)
    }

    /// How many a new semaphore may have, at least those that it begins with (say those first).
    pub fn bound(self, most: u32) -> Self {
        let initial = self.tag().map_or(u64::MAX, LockTag::first);
        let tag = u32::try_from(initial).ok().and_then(|initial| tag(initial, most));
        self.with_tag(tag)
    }
}

impl sealed::Lock for Semaphore {
    const KIND: LockKind = LockKind::Semaphore;

    fn default_tag() -> Option<LockTag> {
        tag(0, Self::MOST)
    }

    fn place(memory: &Memory, offset: usize, tag: LockTag, site: Site) -> Result<Self, Failure> {
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let (initial, most) = (number(tag.first()), number(tag.second()));
        let place = LockPlace::new(memory, offset, tag, site.max_members())?;
        Ok(Self { place, site, initial, most })
    }
}

attached!(plain, Semaphore);

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("bound", &self.most).finish_non_exhaustive()
    }
}

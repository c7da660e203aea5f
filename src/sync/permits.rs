//! So many at a time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::options::{self, Options, sealed};
use super::site::{Site, fault_of};
use crate::block::Block;
use crate::error::{Error, Failure, Fault};
use crate::event::Deadline;
use crate::layout::{LockKind, LockTag};
use crate::lock::gate::Settled;
use crate::lock::permits;
use crate::segment::{LockPlace, Memory};

/// A number of permits in shared memory, each of which one process has at a time.
///
/// Who has one gives it back by dropping it; what a process had when it was killed comes back to who waits, within a recheck
/// interval, or to who asks. To count what nobody owns see [`Semaphore`](super::Semaphore).
///
/// ```
/// use ringway::sync::Permits;
///
/// let name = format!("workers-{}", std::process::id());
/// let permits = Permits::options().count(2).remove_when_unused().create(&name)?;
/// let (one, other) = (permits.acquire()?, permits.acquire()?);
/// assert!(permits.try_acquire()?.is_none());
/// drop(one);
/// assert_eq!(permits.available(), 1);
/// # drop(other);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Permits {
    inner: Arc<Inner>,
}

struct Inner {
    place: LockPlace,
    site: Site,
    settled: Settled,
}

/// One of [`Permits`]. Dropping it, in any thread, gives it back.
#[must_use = "a permit that is dropped at once permits nothing"]
pub struct Permit {
    permits: Arc<Inner>,
    number: usize,
}

impl Permits {
    /// The most permits that there can be.
    pub const MOST: u32 = 65_536;

    named!("permits");

    /// Makes `count` permits of that name.
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub fn create(name: &str, count: u32) -> Result<Self, Error> {
        Self::options().count(count).create(name)
    }

    /// The permits at `offset` of `block`, which are made there, `count` of them, if its first word is zero: all of it should be.
    ///
    /// They take 16 bytes, and 8 for each, at a multiple of 8; nothing else may be put there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Place`](crate::ErrorKind::Place) if they cannot be there,
    /// [`ErrorKind::WrongType`](crate::ErrorKind::WrongType) if something else is, or another number of them.
    pub fn at(block: &Block, offset: usize, count: u32) -> Result<Self, Error> {
        options::at(block, offset, tag(count))
    }

    /// The permits that are at `offset` of `block` already, as many as they are.
    ///
    /// # Errors
    ///
    /// As [`at`](Self::at), and [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
    pub fn find(block: &Block, offset: usize) -> Result<Self, Error> {
        options::find(block, offset)
    }

    /// Gets one, waiting while others have them all.
    ///
    /// # Errors
    ///
    /// Why none can be had.
    pub fn acquire(&self) -> Result<Permit, Fault> {
        self.acquire_until(Deadline::NEVER)?.ok_or(Fault::Corrupt("a wait without end has ended"))
    }

    /// Gets one if there is one.
    ///
    /// # Errors
    ///
    /// Why none can be had.
    pub fn try_acquire(&self) -> Result<Option<Permit>, Fault> {
        self.check()?;
        let Inner { site, .. } = &*self.inner;
        let (me, first) = (site.member(), self.first());
        let attempt = |look| self.raw().attempt(me, first, look, |other| site.fate(other));
        match site.once(attempt) {
            Ok(number) => number.map(|number| Some(self.permit(number))).map_err(fault_of),
            Err(_) => Ok(None),
        }
    }

    /// Gets one, waiting while others have them all at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why none can be had.
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Option<Permit>, Fault> {
        self.acquire_until(Deadline::after(timeout))
    }

    /// How many nobody had when it looked, those of the dead left out that nobody has asked for since. A hint.
    pub fn available(&self) -> usize {
        if self.inner.place.is_inherited() { 0 } else { self.raw().available() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.inner.place.words().len()
    }

    observe!(self, crate::layout::Kind::Lock, self.inner.site.attachment());

    fn raw(&self) -> permits::Permits<'_> {
        self.inner.raw()
    }

    fn check(&self) -> Result<(), Fault> {
        if self.inner.place.is_inherited() { Err(Fault::Forked) } else { Ok(()) }
    }

    /// Where this member begins to look, so that members meet seldom.
    fn first(&self) -> usize {
        self.inner.site.member().member().index() % self.count()
    }

    fn permit(&self, number: usize) -> Permit {
        Permit { permits: Arc::clone(&self.inner), number }
    }

    fn acquire_until(&self, deadline: Deadline) -> Result<Option<Permit>, Fault> {
        self.check()?;
        let Inner { site, .. } = &*self.inner;
        let (me, first) = (site.member(), self.first());
        let attempt = |look| self.raw().attempt(me, first, look, |other| site.fate(other));
        match site.wait(self.raw().word(), deadline, attempt) {
            None => Ok(None),
            Some(number) => number.map(|number| Some(self.permit(number))).map_err(fault_of),
        }
    }
}

impl Inner {
    fn raw(&self) -> permits::Permits<'_> {
        permits::Permits::new(self.place.word(), self.place.words())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.permits.place.is_inherited() {
            self.permits.raw().give_back(self.number, &self.permits.settled);
        }
    }
}

fn tag(count: u32) -> Option<LockTag> {
    let possible = (1..=Permits::MOST).contains(&count);
    possible.then(|| LockTag::new(LockKind::Permits, count.into(), 0))
}

impl Options<Permits> {
    /// How many permits there are of new ones, 1 to [`Permits::MOST`]. It must be said.
    pub fn count(self, count: u32) -> Self {
        self.with_tag(tag(count))
    }
}

impl sealed::Lock for Permits {
    const KIND: LockKind = LockKind::Permits;

    fn default_tag() -> Option<LockTag> {
        None
    }

    fn place(memory: &Memory, offset: usize, tag: LockTag, site: Site) -> Result<Self, Failure> {
        let place = LockPlace::new(memory, offset, tag, site.max_members())?;
        Ok(Self { inner: Arc::new(Inner { place, site, settled: Settled::default() }) })
    }
}

impl crate::builder::Attached for Permits {
    fn attachment(&self) -> &crate::member::Attachment {
        self.inner.site.attachment()
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("number", &self.number).finish_non_exhaustive()
    }
}

//! Waiting for what happens once, or is on and off.

use std::fmt;
use std::time::Duration;

use super::options::sealed;
use super::site::{Site, fault_of};
use crate::error::{Failure, Fault};
use crate::event::Deadline;
use crate::layout::{LockKind, LockTag};
use crate::lock::flag;
use crate::segment::{LockPlace, Memory};

/// A flag in shared memory that is set or not, and for which any number may wait.
///
/// ```
/// use ringway::sync::Flag;
/// use std::time::Duration;
///
/// let name = format!("ready-{}", std::process::id());
/// let flag = Flag::options().remove_when_unused().create(&name)?;
/// assert!(!flag.wait_timeout(Duration::ZERO)?);
/// flag.set()?;
/// flag.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Flag {
    place: LockPlace,
    site: Site,
}

impl Flag {
    const TAG: LockTag = LockTag::new(LockKind::Flag, 0, 0);

    plainly_named!("flag");

    /// Sets it, and wakes all who wait. Says whether it was not set before.
    ///
    /// # Errors
    ///
    /// [`Fault::Forked`], [`Fault::Corrupt`].
    pub fn set(&self) -> Result<bool, Fault> {
        self.check()?;
        self.raw().set().map_err(|what| Fault::Corrupt(what.text()))
    }

    /// Clears it. Says whether it was set before.
    ///
    /// # Errors
    ///
    /// [`Fault::Forked`].
    pub fn clear(&self) -> Result<bool, Fault> {
        self.check()?;
        Ok(self.raw().clear())
    }

    /// Whether it was set when it looked.
    pub fn is_set(&self) -> bool {
        !self.place.is_inherited() && self.raw().is_set()
    }

    /// Waits until it is set, or has been set since the call began, even if it was cleared at once.
    ///
    /// # Errors
    ///
    /// [`Fault::Forked`], [`Fault::Corrupt`].
    pub fn wait(&self) -> Result<(), Fault> {
        self.wait_until(Deadline::NEVER).map(drop)
    }

    /// The same, for at most `timeout`. Says whether it was set. Zero looks once.
    ///
    /// # Errors
    ///
    /// [`Fault::Forked`], [`Fault::Corrupt`].
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, Fault> {
        self.wait_until(Deadline::after(timeout))
    }

    lock_handle!(self);

    fn raw(&self) -> flag::Flag<'_> {
        flag::Flag::new(self.place.word())
    }

    fn check(&self) -> Result<(), Fault> {
        if self.place.is_inherited() { Err(Fault::Forked) } else { Ok(()) }
    }

    fn wait_until(&self, deadline: Deadline) -> Result<bool, Fault> {
        self.check()?;
        let begun = self.raw().now();
        let attempt = |look| self.raw().attempt(begun, look);
        match self.site.wait(self.raw().word(), deadline, attempt) {
            None => Ok(false),
            Some(set) => set.map(|()| true).map_err(fault_of),
        }
    }
}

impl sealed::Lock for Flag {
    const KIND: LockKind = LockKind::Flag;

    fn default_tag() -> Option<LockTag> {
        Some(Self::TAG)
    }

    fn place(memory: &Memory, offset: usize, tag: LockTag, site: Site) -> Result<Self, Failure> {
        Ok(Self { place: LockPlace::new(memory, offset, tag, site.max_members())?, site })
    }
}

attached!(plain, Flag);

impl fmt::Debug for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flag").field("set", &self.is_set()).finish_non_exhaustive()
    }
}

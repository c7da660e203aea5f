//! A number of parties that go on together.

use std::fmt;
use std::time::Duration;

use super::options::{self, Options, sealed};
use super::site::{Site, fault_of};
use crate::block::Block;
use crate::error::{BarrierError, Error, ErrorKind, Failure, Fault};
use crate::event::Deadline;
use crate::layout::{LockKind, LockTag};
use crate::lock::barrier::{self, Arrival, Breach, MOST_PARTIES};
use crate::segment::{LockPlace, Memory};

/// One party at a barrier in shared memory: it waits until all are there, and then all go on.
///
/// Each handle is a party, from when it is opened until it is dropped; there are no more than the barrier has parties. The
/// barrier *breaks* for all who wait, and stays broken until somebody calls [`reset`](Self::reset), when one of them does not
/// want to wait any longer, or is dead: that is found within a recheck interval. A successor that opens the barrier takes the place of the
/// dead.
///
/// ```
/// use ringway::sync::Barrier;
///
/// let name = format!("start-{}", std::process::id());
/// let mut mine = Barrier::options().parties(2).remove_when_unused().create(&name)?;
/// let mut theirs = Barrier::open(&name)?; // usually in another process
/// std::thread::scope(|scope| {
///     let other = scope.spawn(|| theirs.wait().unwrap().index());
///     let met = mine.wait().unwrap();
///     assert_eq!(met.index() + other.join().unwrap(), 1);
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Barrier {
    place: LockPlace,
    site: Site,
    number: usize,
}

/// What a party gets that has met the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    index: u32,
    parties: u32,
}

impl Met {
    /// As which it came, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Whether it is the one of all that came last.
    pub fn is_leader(self) -> bool {
        self.index + 1 == self.parties
    }
}

impl Barrier {
    /// The most parties that a barrier can have.
    pub const MOST: u32 = MOST_PARTIES;

    named!("barrier");

    /// Makes a barrier of that name for so many parties, of which the caller is one.
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub fn create(name: &str, parties: u32) -> Result<Self, Error> {
        Self::options().parties(parties).create(name)
    }

    /// The barrier at `offset` of `block`, which is made there for so many parties if its first word is zero: all of it should be.
    ///
    /// It takes 16 bytes, and 8 for each party, at a multiple of 8; nothing else may be put there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooManyParties`]; [`ErrorKind::Place`] if it cannot be there, [`ErrorKind::WrongType`] if something else is, or
    /// a barrier for another number of parties.
    pub fn at(block: &Block, offset: usize, parties: u32) -> Result<Self, Error> {
        options::at(block, offset, tag(parties))
    }

    /// The barrier that is at `offset` of `block` already, for as many parties as it is.
    ///
    /// # Errors
    ///
    /// As [`at`](Self::at), and [`ErrorKind::NotFound`].
    pub fn find(block: &Block, offset: usize) -> Result<Self, Error> {
        options::find(block, offset)
    }

    /// Waits for the other parties.
    ///
    /// # Errors
    ///
    /// [`BarrierError::Broken`].
    pub fn wait(&mut self) -> Result<Met, BarrierError> {
        self.wait_until(Deadline::NEVER)
    }

    /// Waits for the other parties at most `timeout`. Zero looks whether this is the last.
    ///
    /// # Errors
    ///
    /// [`BarrierError::Broken`]; [`BarrierError::Timeout`], and then it is broken for all.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Result<Met, BarrierError> {
        self.wait_until(Deadline::after(timeout))
    }

    /// Begins anew with nobody waiting. Who waits finds the barrier broken; who comes after does not.
    ///
    /// # Errors
    ///
    /// [`Fault::Forked`], [`Fault::Corrupt`].
    pub fn reset(&self) -> Result<(), Fault> {
        self.check()?;
        self.raw().reset().map_err(|what| Fault::Corrupt(what.text()))
    }

    /// Whether it was broken when it looked.
    pub fn is_broken(&self) -> bool {
        !self.place.is_inherited() && self.raw().is_broken()
    }

    /// How many waited when it looked.
    pub fn waiting(&self) -> usize {
        if self.place.is_inherited() { 0 } else { self.raw().waiting() }
    }

    /// For how many parties it is.
    pub fn parties(&self) -> usize {
        self.place.words().len()
    }

    lock_handle!(self);

    fn raw(&self) -> barrier::Barrier<'_> {
        barrier::Barrier::new(self.place.word(), self.place.words())
    }

    fn check(&self) -> Result<(), Fault> {
        if self.place.is_inherited() { Err(Fault::Forked) } else { Ok(()) }
    }

    fn wait_until(&mut self, deadline: Deadline) -> Result<Met, BarrierError> {
        self.check().map_err(BarrierError::Failed)?;
        let parties = u32::try_from(self.parties()).unwrap_or(u32::MAX);
        let met = |index| Met { index, parties };
        let (index, begun) = match self.raw().arrive().map_err(broken)? {
            Arrival::Completed(index) => return Ok(met(index)),
            Arrival::Waits { index, begun } => (index, begun),
        };
        let fate = |other| self.site.fate(other);
        let attempt = |look| self.raw().attempt(begun, look, fate);
        match self.site.wait(self.raw().word(), deadline, attempt) {
            Some(Err(breach @ Breach::Denied(_))) => {
                // It waits no more, so the others are not to count on it.
                let _ = self.raw().give_up(begun);
                Err(broken(breach))
            }
            Some(outcome) => outcome.map(|()| met(index)).map_err(broken),
            None => match self.raw().give_up(begun) {
                // The others came at the last moment.
                Ok(()) => Ok(met(index)),
                Err(Breach::Broken) => Err(BarrierError::Timeout),
                Err(breach) => Err(broken(breach)),
            },
        }
    }
}

fn broken(breach: Breach) -> BarrierError {
    match breach {
        Breach::Broken => BarrierError::Broken,
        Breach::Denied(denial) => BarrierError::Failed(fault_of(denial)),
    }
}

impl Drop for Barrier {
    fn drop(&mut self) {
        if !self.place.is_inherited() {
            self.raw().leave(self.number);
        }
    }
}

fn tag(parties: u32) -> Option<LockTag> {
    let possible = (1..=Barrier::MOST).contains(&parties);
    possible.then(|| LockTag::new(LockKind::Barrier, parties.into(), 0))
}

impl Options<Barrier> {
    /// For how many parties a new barrier is, 1 to [`Barrier::MOST`]. It must be said.
    pub fn parties(self, parties: u32) -> Self {
        self.with_tag(tag(parties))
    }
}

impl sealed::Lock for Barrier {
    const KIND: LockKind = LockKind::Barrier;

    fn default_tag() -> Option<LockTag> {
        None
    }

    fn place(memory: &Memory, offset: usize, tag: LockTag, site: Site) -> Result<Self, Failure> {
        let place = LockPlace::new(memory, offset, tag, site.max_members())?;
        let raw = barrier::Barrier::new(place.word(), place.words());
        let joined = raw.join(site.member(), |other| site.fate(other));
        let number = joined.map_err(|_| ErrorKind::NotASegment("its parties are impossible"))?;
        let parties = place.words().len();
        let number = number.ok_or(ErrorKind::TooManyParties { parties })?;
        Ok(Self { place, site, number })
    }
}

attached!(plain, Barrier);

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("parties", &self.parties()).finish_non_exhaustive()
    }
}

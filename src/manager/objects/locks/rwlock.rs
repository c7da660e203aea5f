//! A lock that many have who look, or one who changes.

use std::fmt;
use std::time::Duration;

use super::error::LockError;
use super::hold::{Grip, Wait};
use super::leased::{ALL, Leased, OfRwLock, State};
use crate::manager::{CallError, Client};

proxy! {
    /// A lock that any number have who look at what it guards, or one who changes it.
    ///
    /// Readers and writers are served in the order of coming, so neither starve: a reader that comes while a writer waits stands behind
    /// it. Only one that reads already may read again at once. Who dies or panics while it writes leaves the lock *inconsistent*, as a
    /// [`Mutex`](super::Mutex); who dies while it reads leaves nothing.
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("rwlock-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let lock = client.rwlock("prices")?;
    /// let (one, another) = (lock.read().unwrap(), lock.read().unwrap());
    /// drop((one, another));
    /// lock.write().unwrap().unlock()?;
    /// # drop((lock, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    RwLock
}

/// Who has it reads under a [`RwLock`]. It stays with its thread.
#[must_use = "a lock that is dropped at once guards nothing"]
pub struct ReadGuard<'a> {
    grip: Grip<'a>,
}

/// Who has it writes under a [`RwLock`]. Dropped by a panic, it leaves the lock inconsistent. It stays with its thread.
#[must_use = "a lock that is dropped at once guards nothing"]
pub struct WriteGuard<'a> {
    grip: Grip<'a>,
}

type Taken<G> = Result<G, LockError<G>>;

impl RwLock {
    /// Reads, waiting for who writes, and for writers that came before.
    ///
    /// # Errors
    ///
    /// [`LockError::OwnerDied`] with the guard; [`LockError::WouldDeadlock`] if this thread writes; why there is no answer.
    pub fn read(&self) -> Taken<ReadGuard<'_>> {
        self.read_within(Wait::Ever)
    }

    /// Reads if nobody writes or waits.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and [`LockError::Held`].
    pub fn try_read(&self) -> Taken<ReadGuard<'_>> {
        self.read_within(Wait::No)
    }

    /// Reads, waiting at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and [`LockError::Timeout`].
    pub fn read_timeout(&self, timeout: Duration) -> Taken<ReadGuard<'_>> {
        self.read_within(Wait::AtMost(timeout))
    }

    /// Writes, waiting for all who read or write, or came before.
    ///
    /// # Errors
    ///
    /// [`LockError::OwnerDied`] with the guard; [`LockError::WouldDeadlock`] if this thread reads or writes; why there is no answer.
    pub fn write(&self) -> Taken<WriteGuard<'_>> {
        self.write_within(Wait::Ever)
    }

    /// Writes if nobody reads, writes or waits.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write), and [`LockError::Held`].
    pub fn try_write(&self) -> Taken<WriteGuard<'_>> {
        self.write_within(Wait::No)
    }

    /// Writes, waiting at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write), and [`LockError::Timeout`].
    pub fn write_timeout(&self, timeout: Duration) -> Taken<WriteGuard<'_>> {
        self.write_within(Wait::AtMost(timeout))
    }

    /// Whether a writer died, and nobody has marked it consistent since.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn is_inconsistent(&self) -> Result<bool, CallError> {
        Ok(self.proxy.call::<State>("state", &())?.inconsistent)
    }

    /// How many waited for it.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn waiting(&self) -> Result<u64, CallError> {
        Ok(self.proxy.call::<State>("state", &())?.waiting)
    }

    fn read_within(&self, wait: Wait) -> Taken<ReadGuard<'_>> {
        let guard = |grip| ReadGuard { grip };
        let taken = Grip::take(&self.proxy, 1, |has| has == 1, wait);
        taken.map(guard).map_err(|why| why.map(guard))
    }

    fn write_within(&self, wait: Wait) -> Taken<WriteGuard<'_>> {
        let guard = |grip| WriteGuard { grip };
        let taken = Grip::take(&self.proxy, ALL, |_| false, wait);
        taken.map(guard).map_err(|why| why.map(guard))
    }
}

impl ReadGuard<'_> {
    /// Whether what it guards may be in the middle of a change: a writer died, and nobody has marked it consistent since.
    pub fn is_inconsistent(&self) -> bool {
        self.grip.is_inconsistent()
    }

    /// Reads no more, and waits until the server knows.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn unlock(self) -> Result<(), CallError> {
        self.grip.unlock()
    }
}

impl WriteGuard<'_> {
    /// Whether what it guards may be in the middle of a change: a writer died, and nobody has marked it consistent since.
    pub fn is_inconsistent(&self) -> bool {
        self.grip.is_inconsistent()
    }

    /// Says that what it guards is whole again: whoever takes it next gets it as always.
    pub fn mark_consistent(&mut self) {
        self.grip.mark_consistent();
    }

    /// Writes no more, and waits until the server knows.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn unlock(self) -> Result<(), CallError> {
        self.grip.unlock()
    }
}

impl fmt::Debug for ReadGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadGuard").field(self.grip.proxy()).finish()
    }
}

impl fmt::Debug for WriteGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteGuard").field(self.grip.proxy()).finish()
    }
}

impl Client {
    /// The lock for readers and a writer of that name, made if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`](crate::manager::Refusal::WrongType) if it is something else; why there is no answer.
    pub fn rwlock(&self, name: &str) -> Result<RwLock, CallError> {
        self.make::<Leased<OfRwLock>>(Some(name), [0; 16], |_| Ok(())).map(RwLock::of)
    }

    /// A new one without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_rwlock(&self) -> Result<RwLock, CallError> {
        self.make::<Leased<OfRwLock>>(None, [0; 16], |_| Ok(())).map(RwLock::of)
    }
}

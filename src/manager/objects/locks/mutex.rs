//! A lock that one has at a time.

use std::fmt;
use std::time::Duration;

use super::error::LockError;
use super::hold::{Grip, Wait};
use super::leased::{Leased, OfMutex, State};
use crate::manager::{CallError, Client};

proxy! {
    /// A lock that one thread of one client has at a time, for what all agree on: objects of the server, or anything else.
    ///
    /// Who waits is served in the order of coming. Who has it and dies, or panics, leaves it *inconsistent*: the next is told, and all
    /// after it, until one says that what the lock guards is mended.
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("mutex-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let (from, to) = (client.value("from", &10)?, client.value("to", &0)?);
    /// let mutex = client.mutex("transfers")?;
    /// let guard = mutex.lock().unwrap();
    /// from.update(|old| old - 3)?;
    /// to.update(|old| old + 3)?;
    /// guard.unlock()?;
    /// # drop((from, to, mutex, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Mutex
}

/// Who has it has a [`Mutex`]. Dropping it gives the mutex back without waiting until the server knows; dropped by a panic, it leaves the
/// mutex inconsistent.
///
/// It stays with its thread. One that is forgotten keeps the mutex until its client ends.
#[must_use = "a lock that is dropped at once guards nothing"]
pub struct MutexGuard<'a> {
    grip: Grip<'a>,
}

/// A guard, or with the error that who had it before died.
type Taken<'a> = Result<MutexGuard<'a>, LockError<MutexGuard<'a>>>;

impl Mutex {
    /// Takes it, waiting for who has it.
    ///
    /// # Errors
    ///
    /// [`LockError::OwnerDied`] with the guard; [`LockError::WouldDeadlock`] if this thread has it; why there is no answer.
    pub fn lock(&self) -> Taken<'_> {
        MutexGuard::take(self, Wait::Ever)
    }

    /// Takes it if nobody has it, and nobody waits for it.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock), and [`LockError::Held`].
    pub fn try_lock(&self) -> Taken<'_> {
        MutexGuard::take(self, Wait::No)
    }

    /// Takes it, waiting for who has it at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock), and [`LockError::Timeout`].
    pub fn lock_timeout(&self, timeout: Duration) -> Taken<'_> {
        MutexGuard::take(self, Wait::AtMost(timeout))
    }

    /// Whether somebody had it.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn is_locked(&self) -> Result<bool, CallError> {
        Ok(self.proxy.call::<State>("state", &())?.free == 0)
    }

    /// Whether who had it died with it, and nobody has marked it consistent since.
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
}

impl<'a> MutexGuard<'a> {
    fn take(mutex: &'a Mutex, wait: Wait) -> Taken<'a> {
        Self::again(Grip::take(&mutex.proxy, 1, |_| false, wait))
    }

    fn again(taken: Result<Grip<'a>, LockError<Grip<'a>>>) -> Taken<'a> {
        let guard = |grip| MutexGuard { grip };
        taken.map(guard).map_err(|why| why.map(guard))
    }

    /// Gives the mutex back and does something else; then takes it again.
    pub(super) fn without<R>(
        self,
        act: impl FnOnce() -> Result<R, CallError>,
    ) -> Result<(Self, R), LockError<Self>> {
        let proxy = self.grip.proxy();
        self.unlock().map_err(LockError::Failed)?;
        let result = act().map_err(LockError::Failed)?;
        let guard = Self::again(Grip::take(proxy, 1, |_| false, Wait::Ever))?;
        Ok((guard, result))
    }

    /// Whether what it guards may be in the middle of a change: who had it died, and nobody has marked it consistent since.
    pub fn is_inconsistent(&self) -> bool {
        self.grip.is_inconsistent()
    }

    /// Says that what it guards is whole again: whoever takes it next gets it as always.
    pub fn mark_consistent(&mut self) {
        self.grip.mark_consistent();
    }

    /// Gives it back, and waits until the server has it: then anybody can take it.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn unlock(self) -> Result<(), CallError> {
        self.grip.unlock()
    }
}

impl fmt::Debug for MutexGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MutexGuard").field(self.grip.proxy()).finish()
    }
}

impl Client {
    /// The mutex of that name, made if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`](crate::manager::Refusal::WrongType) if it is something else; why there is no answer.
    pub fn mutex(&self, name: &str) -> Result<Mutex, CallError> {
        self.make::<Leased<OfMutex>>(Some(name), [0; 16], |_| Ok(())).map(Mutex::of)
    }

    /// A new mutex without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_mutex(&self) -> Result<Mutex, CallError> {
        self.make::<Leased<OfMutex>>(None, [0; 16], |_| Ok(())).map(Mutex::of)
    }
}

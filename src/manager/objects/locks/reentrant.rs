//! A lock that who has it may take again.

use std::fmt;
use std::time::Duration;

use super::error::LockError;
use super::hold::{Grip, Wait};
use super::leased::{Leased, OfReentrantMutex, State};
use crate::manager::{CallError, Client};

proxy! {
    /// A [`Mutex`](super::Mutex) that the thread that has it may take again: it is given back as often as it was taken. To take it
    /// again is no call.
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("reentrant-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let mutex = client.reentrant_mutex("tree")?;
    /// let outer = mutex.lock().unwrap();
    /// let inner = mutex.lock().unwrap();
    /// drop(outer);
    /// assert!(mutex.is_locked()?);
    /// # drop(inner);
    /// # drop((mutex, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ReentrantMutex
}

/// Who has it has a [`ReentrantMutex`]. Dropping the last of a thread gives it back, without waiting until the server knows; dropped by
/// a panic, it leaves the mutex inconsistent.
#[must_use = "a lock that is dropped at once guards nothing"]
pub struct ReentrantGuard<'a> {
    grip: Grip<'a>,
}

type Taken<'a> = Result<ReentrantGuard<'a>, LockError<ReentrantGuard<'a>>>;

impl ReentrantMutex {
    /// Takes it, waiting for who has it unless that is this thread.
    ///
    /// # Errors
    ///
    /// [`LockError::OwnerDied`] with the guard, the first time; why there is no answer.
    pub fn lock(&self) -> Taken<'_> {
        ReentrantGuard::take(self, Wait::Ever)
    }

    /// Takes it if nobody else has it, and nobody waits for it.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock), and [`LockError::Held`].
    pub fn try_lock(&self) -> Taken<'_> {
        ReentrantGuard::take(self, Wait::No)
    }

    /// Takes it, waiting for who has it at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock), and [`LockError::Timeout`].
    pub fn lock_timeout(&self, timeout: Duration) -> Taken<'_> {
        ReentrantGuard::take(self, Wait::AtMost(timeout))
    }

    /// Whether somebody had it.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn is_locked(&self) -> Result<bool, CallError> {
        Ok(self.proxy.call::<State>("state", &())?.free == 0)
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

impl<'a> ReentrantGuard<'a> {
    fn take(mutex: &'a ReentrantMutex, wait: Wait) -> Taken<'a> {
        let guard = |grip| ReentrantGuard { grip };
        let taken = Grip::take(&mutex.proxy, 1, |_| true, wait);
        taken.map(guard).map_err(|why| why.map(guard))
    }

    /// Whether what it guards may be in the middle of a change: who had it died, and nobody has marked it consistent since.
    pub fn is_inconsistent(&self) -> bool {
        self.grip.is_inconsistent()
    }

    /// Says that what it guards is whole again: whoever takes it next gets it as always.
    pub fn mark_consistent(&self) {
        self.grip.mark_consistent();
    }

    /// One guard less; if it was the last, gives it back, and waits until the server has it.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn unlock(self) -> Result<(), CallError> {
        self.grip.unlock()
    }
}

impl fmt::Debug for ReentrantGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReentrantGuard").field(self.grip.proxy()).finish()
    }
}

impl Client {
    /// The reentrant mutex of that name, made if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`](crate::manager::Refusal::WrongType) if it is something else; why there is no answer.
    pub fn reentrant_mutex(&self, name: &str) -> Result<ReentrantMutex, CallError> {
        let made = self.make::<Leased<OfReentrantMutex>>(Some(name), [0; 16], |_| Ok(()));
        made.map(ReentrantMutex::of)
    }

    /// A new reentrant mutex without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_reentrant_mutex(&self) -> Result<ReentrantMutex, CallError> {
        let made = self.make::<Leased<OfReentrantMutex>>(None, [0; 16], |_| Ok(()));
        made.map(ReentrantMutex::of)
    }
}

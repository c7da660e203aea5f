//! So many at a time.

use std::fmt;
use std::time::Duration;

use super::hold::{self, Wait};
use super::leased::{LeaseKey, Leased, OfPermits, State};
use crate::manager::{CallError, Client, Proxy};

proxy! {
    /// A number of permits, each of which one has at a time. What a client had that died comes back.
    ///
    /// To count what nobody owns see [`Semaphore`](super::Semaphore).
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("permits-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let permits = client.permits("workers", 2)?;
    /// let (one, other) = (permits.acquire()?, permits.acquire()?);
    /// assert!(permits.try_acquire()?.is_none());
    /// one.give_back()?;
    /// assert_eq!(permits.available()?, 1);
    /// # drop((other, permits, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Permits
}

/// One of [`Permits`]. Dropping it, in any thread, gives it back, without waiting until the server knows.
#[must_use = "a permit that is dropped at once permits nothing"]
pub struct Permit {
    proxy: Proxy,
    lease: Option<LeaseKey>,
}

impl Permits {
    /// Gets one, waiting while others have them all.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn acquire(&self) -> Result<Permit, CallError> {
        let taken = self.acquire_within(Wait::Ever)?;
        taken.ok_or(CallError::Garbage("a wait without end has ended"))
    }

    /// Gets one if there is one, and nobody waits.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn try_acquire(&self) -> Result<Option<Permit>, CallError> {
        self.acquire_within(Wait::No)
    }

    /// Gets one, waiting while others have them all at most `timeout`.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Option<Permit>, CallError> {
        self.acquire_within(Wait::AtMost(timeout))
    }

    /// How many nobody had.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn available(&self) -> Result<u32, CallError> {
        Ok(self.proxy.call::<State>("state", &())?.free)
    }

    /// How many there are.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn count(&self) -> Result<u32, CallError> {
        Ok(self.proxy.call::<State>("state", &())?.units)
    }

    /// How many waited for one.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn waiting(&self) -> Result<u64, CallError> {
        Ok(self.proxy.call::<State>("state", &())?.waiting)
    }

    fn acquire_within(&self, wait: Wait) -> Result<Option<Permit>, CallError> {
        let granted = hold::take(&self.proxy, 1, wait)?;
        Ok(granted.map(|granted| Permit { proxy: self.proxy.clone(), lease: Some(granted.lease) }))
    }
}

impl Permit {
    /// Gives it back, and waits until the server has it.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn give_back(mut self) -> Result<(), CallError> {
        match self.lease.take() {
            Some(lease) => hold::return_lease(&self.proxy, lease, false),
            None => Ok(()),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(lease) = self.lease {
            hold::give_back(&self.proxy, lease, false);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.proxy).finish()
    }
}

impl Client {
    /// The permits of that name, `count` of them if they are made now, at least one.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`](crate::manager::Refusal::WrongType) if they are something else, or another number; why there is no answer.
    pub fn permits(&self, name: &str, count: u32) -> Result<Permits, CallError> {
        let fingerprint = super::of_numbers([count, 0]);
        let made = self.make::<Leased<OfPermits>>(Some(name), fingerprint, |to| to.put(&count));
        made.map(Permits::of)
    }

    /// New permits without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_permits(&self, count: u32) -> Result<Permits, CallError> {
        let fingerprint = super::of_numbers([count, 0]);
        self.make::<Leased<OfPermits>>(None, fingerprint, |to| to.put(&count)).map(Permits::of)
    }
}

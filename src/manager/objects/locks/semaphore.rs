//! Counting what one gives and another takes.

use std::collections::VecDeque;
use std::time::Duration;

use super::error::ReleaseError;
use crate::manager::{Answer, Arguments, CallError, Caller, Client, Object, Refusal, Ticket};

/// In the server: a count, and who waits for it to be above zero.
pub struct Count {
    available: u32,
    bound: u32,
    waiting: VecDeque<Ticket>,
}

/// How a semaphore is.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct State {
    available: u32,
    bound: u32,
    waiting: u64,
}

impl Count {
    /// Takes one; waits for it, or answers that there is none.
    fn acquire(&mut self, waits: bool, ticket: Ticket) -> Result<Answer, Refusal> {
        if self.available > 0 && self.waiting.is_empty() {
            self.available -= 1;
            return Ok(Answer::value(&true)?.needs_ack());
        }
        if waits {
            self.waiting.push_back(ticket);
            return Ok(Answer::later());
        }
        Answer::value(&false)
    }

    /// Adds as many as there is room for all of. Whether there is.
    fn release(&mut self, count: u32) -> bool {
        let sum = self.available.checked_add(count).filter(|sum| *sum <= self.bound);
        self.available = sum.unwrap_or(self.available);
        sum.is_some()
    }

    fn admit(&mut self, caller: &mut Caller<'_>) {
        while self.available > 0
            && let Some(ticket) = self.waiting.pop_front()
        {
            let answer = Answer::value(&true).map(Answer::needs_ack);
            self.available -= u32::from(caller.answer(ticket, answer));
        }
    }
}

impl Object for Count {
    const TYPE: &'static str = "semaphore";

    fn create(mut arguments: Arguments<'_>) -> Result<Self, Refusal> {
        let (available, bound) = arguments.read()?;
        arguments.finish()?;
        if available > bound {
            return Err(Refusal::Undecodable(format!("{available} of at most {bound}")));
        }
        Ok(Self { available, bound, waiting: VecDeque::new() })
    }

    fn call(
        &mut self,
        method: &str,
        mut arguments: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        match method {
            "acquire" => {
                let waits = arguments.read()?;
                arguments.finish()?;
                self.acquire(waits, caller.ticket())
            }
            // Nothing, or if that is too many how many there are.
            "release" => {
                let count = arguments.read()?;
                arguments.finish()?;
                let refused = (!self.release(count)).then_some(self.available);
                self.admit(caller);
                Answer::value(&refused)
            }
            "state" => {
                arguments.finish()?;
                let waiting = self.waiting.len() as u64;
                Answer::value(&State { available: self.available, bound: self.bound, waiting })
            }
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn cancel(&mut self, caller: &mut Caller<'_>) {
        self.waiting.retain(|ticket| *ticket != caller.ticket());
    }

    /// What was not taken is there again, unless others have filled its place.
    fn undo(&mut self, caller: &mut Caller<'_>) {
        self.release(1);
        self.admit(caller);
    }
}

proxy! {
    /// A count that anybody may raise and lower, and that is waited for where it is zero. Nobody owns what it counts, so nothing comes
    /// back when somebody dies; for that see [`Permits`](super::Permits).
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("semaphore-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let loaves = client.semaphore("loaves", 0, 100)?;
    /// assert!(!loaves.try_acquire()?);
    /// loaves.release(2)?;
    /// loaves.acquire()?;
    /// assert_eq!(loaves.available()?, 1);
    /// # drop((loaves, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Semaphore
}

impl Semaphore {
    /// Takes one, waiting for it, first come, first served.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn acquire(&self) -> Result<(), CallError> {
        self.proxy.call::<bool>("acquire", &true).map(drop)
    }

    /// Takes one if there is one, and nobody waits. Says whether it did.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn try_acquire(&self) -> Result<bool, CallError> {
        self.proxy.call("acquire", &false)
    }

    /// Takes one, waiting for it at most `timeout`. Says whether it did.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<bool, CallError> {
        match self.proxy.call_timeout("acquire", timeout, |to| to.put(&true)) {
            Err(CallError::TimedOut) => Ok(false),
            outcome => outcome,
        }
    }

    /// Adds `count`, all or none.
    ///
    /// # Errors
    ///
    /// [`ReleaseError::BeyondBound`]; why there is no answer.
    pub fn release(&self, count: u32) -> Result<(), ReleaseError> {
        match self.proxy.call("release", &count) {
            Ok(None) => Ok(()),
            Ok(Some(there)) => Err(ReleaseError::BeyondBound(there)),
            Err(why) => Err(ReleaseError::Failed(why)),
        }
    }

    /// How many there were.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn available(&self) -> Result<u32, CallError> {
        Ok(self.state()?.available)
    }

    /// How many there may be.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn bound(&self) -> Result<u32, CallError> {
        Ok(self.state()?.bound)
    }

    /// How many waited for one.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn waiting(&self) -> Result<u64, CallError> {
        Ok(self.state()?.waiting)
    }

    fn state(&self) -> Result<State, CallError> {
        self.proxy.call("state", &())
    }
}

impl Client {
    /// The semaphore of that name. If it is made now there are `initial`, of at most `bound`.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`] if it is something else, or was made with other numbers; [`Refusal::Undecodable`] for more than the bound; why there is
    /// no answer.
    pub fn semaphore(&self, name: &str, initial: u32, bound: u32) -> Result<Semaphore, CallError> {
        let fingerprint = super::of_numbers([initial, bound]);
        let made = self.make::<Count>(Some(name), fingerprint, |to| to.put(&(initial, bound)));
        made.map(Semaphore::of)
    }

    /// A new semaphore without a name.
    ///
    /// # Errors
    ///
    /// As [`semaphore`](Self::semaphore).
    pub fn new_semaphore(&self, initial: u32, bound: u32) -> Result<Semaphore, CallError> {
        let fingerprint = super::of_numbers([initial, bound]);
        let made = self.make::<Count>(None, fingerprint, |to| to.put(&(initial, bound)));
        made.map(Semaphore::of)
    }
}

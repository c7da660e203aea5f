//! Waiting for what a mutex guards to become something.

use std::mem::ManuallyDrop;
use std::time::Duration;

use super::error::LockError;
use super::mutex::MutexGuard;
use super::places::{Asked, Places};
use crate::manager::{Answer, Arguments, CallError, Caller, Client, Object, Proxy, Refusal};

/// In the server: who waits to be notified.
#[derive(Default)]
pub struct Calls {
    places: Places,
}

impl Calls {
    /// Tells those who were called.
    fn tell(&mut self, caller: &mut Caller<'_>) {
        while let Some(ticket) = self.places.told() {
            if !caller.answer(ticket, Ok(Answer::nothing().needs_ack())) {
                self.places.call(1);
            }
        }
    }
}

impl Object for Calls {
    const TYPE: &'static str = "condvar";

    fn create(arguments: Arguments<'_>) -> Result<Self, Refusal> {
        arguments.finish()?;
        Ok(Self::default())
    }

    fn call(
        &mut self,
        method: &str,
        mut arguments: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        match method {
            "enter" => {
                arguments.finish()?;
                Answer::value(&self.places.take(caller.session()))
            }
            "wait" => {
                let number = arguments.read()?;
                arguments.finish()?;
                match self.places.ask(number, caller.session(), caller.ticket()) {
                    Asked::Called => Ok(Answer::nothing().needs_ack()),
                    Asked::Waits => Ok(Answer::later()),
                    Asked::Unknown => Err(Refusal::Undecodable("no such place".to_owned())),
                }
            }
            "leave" => {
                let number = arguments.read()?;
                arguments.finish()?;
                self.places.leave(number, caller.session());
                self.tell(caller);
                Ok(Answer::nothing())
            }
            "waiting" => {
                arguments.finish()?;
                Answer::value(&self.places.waiting())
            }
            "notify" => {
                let count = arguments.read()?;
                arguments.finish()?;
                self.places.call(count);
                self.tell(caller);
                Ok(Answer::nothing())
            }
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn cancel(&mut self, caller: &mut Caller<'_>) {
        self.places.cancel(caller.ticket());
    }

    /// Who was called has not heard it: another is.
    fn undo(&mut self, caller: &mut Caller<'_>) {
        self.places.call(1);
        self.tell(caller);
    }

    fn session_ended(&mut self, _: bool, caller: &mut Caller<'_>) {
        self.places.bury(caller.session());
        self.tell(caller);
    }
}

proxy! {
    /// Where threads of many processes wait for what a [`Mutex`](super::Mutex) guards to become something, and are notified by
    /// who changed it, in the order of coming.
    ///
    /// A wait may end for no reason: look again, as [`wait_while`](Self::wait_while) does. A notification that goes to a client
    /// which dies before it hears it goes to the next.
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("condvar-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let (mutex, condvar) = (client.mutex("m")?, client.condvar("c")?);
    /// let count = client.value("count", &0)?;
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         let guard = mutex.lock().unwrap();
    ///         count.set(&7).unwrap();
    ///         guard.unlock().unwrap();
    ///         condvar.notify_one().unwrap();
    ///     });
    ///     let guard = mutex.lock().unwrap();
    ///     let guard = condvar.wait_while(guard, || Ok(count.get()? == 0)).unwrap();
    ///     # drop(guard);
    /// });
    /// # drop((mutex, condvar, count, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Condvar
}

/// What came of a wait: the guard, and whether the time was over.
type Waited<'a> = (MutexGuard<'a>, bool);

impl Condvar {
    /// Gives the mutex back and waits to be notified; then takes it again. No notification after the mutex was given back is missed.
    ///
    /// # Errors
    ///
    /// As [`Mutex::lock`](super::Mutex::lock). Where there is no answer the guard is lost: the mutex is given back.
    pub fn wait<'a>(
        &self,
        guard: MutexGuard<'a>,
    ) -> Result<MutexGuard<'a>, LockError<MutexGuard<'a>>> {
        self.wait_within(guard, None).map(|(guard, _)| guard)
    }

    /// The same, waiting at most `timeout`; but it takes the mutex again however long that takes. Says whether the time was over.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_timeout<'a>(
        &self,
        guard: MutexGuard<'a>,
        timeout: Duration,
    ) -> Result<Waited<'a>, LockError<MutexGuard<'a>>> {
        self.wait_within(guard, Some(timeout))
    }

    /// Waits for as long as `condition` says.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), and those of `condition`.
    pub fn wait_while<'a>(
        &self,
        mut guard: MutexGuard<'a>,
        mut condition: impl FnMut() -> Result<bool, CallError>,
    ) -> Result<MutexGuard<'a>, LockError<MutexGuard<'a>>> {
        while condition().map_err(LockError::Failed)? {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Wakes one who waits, if anybody does.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn notify_one(&self) -> Result<(), CallError> {
        self.proxy.call("notify", &1u32)
    }

    /// How many waited to be notified.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn waiting(&self) -> Result<u64, CallError> {
        self.proxy.call("waiting", &())
    }

    /// Wakes all who wait.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn notify_all(&self) -> Result<(), CallError> {
        self.proxy.call("notify", &u32::MAX)
    }

    fn wait_within<'a>(
        &self,
        guard: MutexGuard<'a>,
        timeout: Option<Duration>,
    ) -> Result<Waited<'a>, LockError<MutexGuard<'a>>> {
        let number = self.proxy.call("enter", &()).map_err(LockError::Failed)?;
        let place = Stay { proxy: &self.proxy, number };
        guard.without(move || place.wait(timeout))
    }
}

/// A place among those who wait. Dropped, it is left: no call is to go to who does not wait.
struct Stay<'a> {
    proxy: &'a Proxy,
    number: u64,
}

impl Stay<'_> {
    /// Waits to be called. Whether the time was over, if need be before the server knew that anybody waits.
    fn wait(self, timeout: Option<Duration>) -> Result<bool, CallError> {
        let called = match timeout {
            None => self.proxy.call("wait", &self.number),
            Some(limit) => self.proxy.call_timeout("wait", limit, |to| to.put(&self.number)),
        };
        match called {
            Ok(()) => {
                // Who was called has no place any more.
                let _ = ManuallyDrop::new(self);
                Ok(false)
            }
            Err(CallError::TimedOut) => Ok(true),
            Err(why) => Err(why),
        }
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        let number = self.number;
        self.proxy.post("leave", |to| to.put(&number));
    }
}

impl Client {
    /// The condvar of that name, made if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`] if it is something else; why there is no answer.
    pub fn condvar(&self, name: &str) -> Result<Condvar, CallError> {
        self.make::<Calls>(Some(name), [0; 16], |_| Ok(())).map(Condvar::of)
    }

    /// A new condvar without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_condvar(&self) -> Result<Condvar, CallError> {
        self.make::<Calls>(None, [0; 16], |_| Ok(())).map(Condvar::of)
    }
}

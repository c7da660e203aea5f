//! Waiting for what happens once, or is on and off.

use std::time::Duration;

use crate::manager::{Answer, Arguments, CallError, Caller, Client, Object, Refusal, Ticket};

/// In the server: set or not, and who waits until it is.
#[derive(Default)]
pub struct Signal {
    set: bool,
    waiting: Vec<Ticket>,
}

impl Object for Signal {
    const TYPE: &'static str = "flag";

    fn create(arguments: Arguments<'_>) -> Result<Self, Refusal> {
        arguments.finish()?;
        Ok(Self::default())
    }

    fn call(
        &mut self,
        method: &str,
        arguments: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        arguments.finish()?;
        match method {
            "set" => {
                for ticket in self.waiting.drain(..) {
                    caller.answer(ticket, Ok(Answer::nothing()));
                }
                Answer::value(&!std::mem::replace(&mut self.set, true))
            }
            "clear" => Answer::value(&std::mem::replace(&mut self.set, false)),
            "is_set" => Answer::value(&self.set),
            "waiting" => Answer::value(&self.waiting.len()),
            "wait" if self.set => Ok(Answer::nothing()),
            "wait" => {
                self.waiting.push(caller.ticket());
                Ok(Answer::later())
            }
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn cancel(&mut self, caller: &mut Caller<'_>) {
        self.waiting.retain(|ticket| *ticket != caller.ticket());
    }
}

proxy! {
    /// A flag that is set or not, and for which any number may wait.
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    /// use std::time::Duration;
    ///
    /// let name = format!("flag-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let ready = client.flag("ready")?;
    /// assert!(!ready.wait_timeout(Duration::from_millis(1))?);
    /// ready.set()?;
    /// ready.wait()?;
    /// # drop((ready, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Flag
}

impl Flag {
    /// Sets it, and wakes all who wait. Says whether it was not set before.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn set(&self) -> Result<bool, CallError> {
        self.proxy.call("set", &())
    }

    /// Clears it. Says whether it was set before.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn clear(&self) -> Result<bool, CallError> {
        self.proxy.call("clear", &())
    }

    /// Whether it was set.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn is_set(&self) -> Result<bool, CallError> {
        self.proxy.call("is_set", &())
    }

    /// How many waited for it.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn waiting(&self) -> Result<u64, CallError> {
        self.proxy.call("waiting", &())
    }

    /// Waits until it is set, or has been set since, even if it was cleared at once.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn wait(&self) -> Result<(), CallError> {
        self.proxy.call("wait", &())
    }

    /// The same, for at most `timeout`. Says whether it was set.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, CallError> {
        match self.proxy.call_timeout("wait", timeout, |_| Ok(())) {
            Err(CallError::TimedOut) => Ok(false),
            outcome => outcome.map(|()| true),
        }
    }
}

impl Client {
    /// The flag of that name, made if there is none, not set then.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`] if it is something else; why there is no answer.
    pub fn flag(&self, name: &str) -> Result<Flag, CallError> {
        self.make::<Signal>(Some(name), [0; 16], |_| Ok(())).map(Flag::of)
    }

    /// A new flag without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_flag(&self) -> Result<Flag, CallError> {
        self.make::<Signal>(None, [0; 16], |_| Ok(())).map(Flag::of)
    }
}

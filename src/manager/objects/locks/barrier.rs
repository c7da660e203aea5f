//! A number of parties that go on together.

use std::fmt;
use std::time::Duration;

use super::error::BarrierError;
use super::round::{Arrival, Outcome, Round};
use crate::manager::{Answer, Arguments, CallError, Caller, Client, Lease, Object, Proxy, Refusal};

/// In the server: who is a party, and who has arrived. What a party gets is its number, or nothing where the round is broken.
pub struct Meeting {
    round: Round<Lease>,
}

impl Meeting {
    /// Tells all whose wait is over.
    fn tell(&mut self, caller: &mut Caller<'_>) {
        while let Some((ticket, outcome)) = self.round.told() {
            let met = match outcome {
                Outcome::Met(number) => Some(number),
                Outcome::Broken => None,
            };
            caller.answer(ticket, Answer::value(&met));
        }
    }

    fn arrive(&mut self, number: u64, caller: &mut Caller<'_>) -> Result<Answer, Refusal> {
        match self.round.arrive(number, caller.session(), caller.ticket()) {
            Arrival::Waits => Ok(Answer::later()),
            Arrival::Broken => Answer::value(&None::<u32>),
            Arrival::Met(number) => {
                self.tell(caller);
                Answer::value(&Some(number))
            }
            Arrival::Unknown => Err(Refusal::Undecodable("no such party".to_owned())),
        }
    }
}

impl Object for Meeting {
    const TYPE: &'static str = "barrier";

    fn create(mut arguments: Arguments<'_>) -> Result<Self, Refusal> {
        let parties = arguments.read()?;
        arguments.finish()?;
        if parties == 0 {
            return Err(Refusal::Undecodable("no parties at all".to_owned()));
        }
        Ok(Self { round: Round::new(parties) })
    }

    fn call(
        &mut self,
        method: &str,
        mut arguments: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        match method {
            "join" => {
                arguments.finish()?;
                let (session, ticket) = (caller.session(), caller.ticket());
                let number = self.round.join(session, ticket, |to| caller.lend(to));
                Ok(Answer::value(&number.ok_or(Refusal::TooMany)?)?.needs_ack())
            }
            "arrive" => {
                let number = arguments.read()?;
                arguments.finish()?;
                self.arrive(number, caller)
            }
            "leave" => {
                let number = arguments.read()?;
                arguments.finish()?;
                self.round.leave(number, caller.session());
                self.tell(caller);
                Ok(Answer::nothing())
            }
            "reset" => {
                arguments.finish()?;
                self.round.reset();
                self.tell(caller);
                Ok(Answer::nothing())
            }
            "state" => {
                arguments.finish()?;
                Answer::value(&(self.round.is_broken(), self.round.waiting()))
            }
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn cancel(&mut self, caller: &mut Caller<'_>) {
        self.round.give_up(caller.ticket());
        self.tell(caller);
    }

    fn undo(&mut self, caller: &mut Caller<'_>) {
        self.round.undo(caller.ticket());
        self.tell(caller);
    }

    fn session_ended(&mut self, died: bool, caller: &mut Caller<'_>) {
        self.round.bury(caller.session(), died);
        self.tell(caller);
    }
}

/// One party at a barrier of a server: it waits until all are there, and then all go on.
///
/// Each is a party from when it is opened until it is dropped; there are no more than the barrier has parties. The barrier
/// *breaks* for all who wait, and stays broken until somebody calls [`reset`](Self::reset), when one of them does not want to wait any
/// longer, or when a party dies, waiting or not. Another can take the place of the dead.
///
/// ```
/// use ringway::manager::{Client, Server};
///
/// let name = format!("barrier-{}", std::process::id());
/// let server = Server::bind(&name)?.spawn();
/// let client = Client::connect(&name)?;
///
/// let (mut mine, mut theirs) = (client.barrier("start", 2)?, client.barrier("start", 2)?);
/// std::thread::scope(|scope| {
///     let other = scope.spawn(|| theirs.wait().unwrap().index());
///     assert_eq!(mine.wait().unwrap().index() + other.join().unwrap(), 1);
/// });
/// # drop((mine, theirs, client));
/// # server.shutdown()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Barrier {
    proxy: Proxy,
    number: u64,
    parties: u32,
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
    fn join(proxy: Proxy, parties: u32) -> Result<Self, CallError> {
        let number = proxy.call("join", &())?;
        Ok(Self { proxy, number, parties })
    }

    /// Waits for the other parties.
    ///
    /// # Errors
    ///
    /// [`BarrierError::Broken`]; why there is no answer.
    pub fn wait(&mut self) -> Result<Met, BarrierError> {
        self.met(self.proxy.call("arrive", &self.number))
    }

    /// Waits for the other parties at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`BarrierError::Broken`]; [`BarrierError::Timeout`], and then it is broken for all, unless the server could not even be told in time that this party
    /// had come; why there is no answer.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Result<Met, BarrierError> {
        let number = self.number;
        self.met(self.proxy.call_timeout("arrive", timeout, |to| to.put(&number)))
    }

    /// Begins anew with nobody waiting. Who waits finds the barrier broken; who comes after does not.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn reset(&self) -> Result<(), CallError> {
        self.proxy.call("reset", &())
    }

    /// Whether it was broken.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn is_broken(&self) -> Result<bool, CallError> {
        Ok(self.proxy.call::<(bool, usize)>("state", &())?.0)
    }

    /// How many waited.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn waiting(&self) -> Result<usize, CallError> {
        Ok(self.proxy.call::<(bool, usize)>("state", &())?.1)
    }

    /// For how many parties it is.
    pub fn parties(&self) -> u32 {
        self.parties
    }

    fn met(&self, answer: Result<Option<u32>, CallError>) -> Result<Met, BarrierError> {
        match answer {
            Ok(Some(index)) => Ok(Met { index, parties: self.parties }),
            Ok(None) => Err(BarrierError::Broken),
            Err(CallError::TimedOut) => Err(BarrierError::Timeout),
            Err(why) => Err(BarrierError::Failed(why)),
        }
    }
}

impl Drop for Barrier {
    fn drop(&mut self) {
        let number = self.number;
        self.proxy.post("leave", |to| to.put(&number));
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("parties", &self.parties).finish_non_exhaustive()
    }
}

impl Client {
    /// Becomes a party at the barrier of that name, which is made for so many parties if there is none, at least one.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`] if it is something else, or for another number; [`Refusal::TooMany`] if there are as many; why there is no answer.
    pub fn barrier(&self, name: &str, parties: u32) -> Result<Barrier, CallError> {
        let fingerprint = super::of_numbers([parties, 0]);
        let made = self.make::<Meeting>(Some(name), fingerprint, |to| to.put(&parties));
        Barrier::join(made?, parties)
    }
}

//! In the server: locks whose holders have a lease, which ends with their session.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::line::{Line, Party};
use crate::manager::{Answer, Arguments, Caller, Lease, Object, Refusal, Ticket};

/// What is different of each of them.
pub trait Kind: Send + 'static {
    const TYPE: &'static str;

    /// How many units there are of a new one.
    fn units(arguments: &mut Arguments<'_>) -> Result<u32, Refusal>;

    /// Whether who ends with so many units leaves in doubt what the lock guards.
    fn leaves_doubt(units: u32) -> bool;
}

/// One unit, which is the right to change.
pub enum OfMutex {}
/// The same.
pub enum OfReentrantMutex {}
/// A unit is the right to look, all are the right to change.
pub enum OfRwLock {}
/// A unit is a permit.
pub enum OfPermits {}

/// What a writer takes: all.
pub const ALL: u32 = u32::MAX;

impl Kind for OfMutex {
    const TYPE: &'static str = "mutex";

    fn units(_: &mut Arguments<'_>) -> Result<u32, Refusal> {
        Ok(1)
    }

    fn leaves_doubt(_: u32) -> bool {
        true
    }
}

impl Kind for OfReentrantMutex {
    const TYPE: &'static str = "reentrant mutex";

    fn units(_: &mut Arguments<'_>) -> Result<u32, Refusal> {
        Ok(1)
    }

    fn leaves_doubt(_: u32) -> bool {
        true
    }
}

impl Kind for OfRwLock {
    const TYPE: &'static str = "rwlock";

    fn units(_: &mut Arguments<'_>) -> Result<u32, Refusal> {
        Ok(ALL)
    }

    fn leaves_doubt(units: u32) -> bool {
        units == ALL
    }
}

impl Kind for OfPermits {
    const TYPE: &'static str = "permits";

    fn units(arguments: &mut Arguments<'_>) -> Result<u32, Refusal> {
        match arguments.read()? {
            0 => Err(Refusal::Undecodable("no permits at all".to_owned())),
            units => Ok(units),
        }
    }

    fn leaves_doubt(_: u32) -> bool {
        false
    }
}

/// By which a lease is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseKey {
    connection: u64,
    request: u64,
}

impl LeaseKey {
    fn of(ticket: Ticket) -> Self {
        Self { connection: ticket.connection, request: ticket.request }
    }

    fn ticket(self) -> Ticket {
        Ticket { connection: self.connection, request: self.request }
    }
}

/// What who takes a lock gets.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Granted {
    pub lease: LeaseKey,
    /// Somebody ended in the middle of a change, and nobody has said since that it is mended.
    pub inconsistent: bool,
}

/// How a lock is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct State {
    pub units: u32,
    pub free: u32,
    pub waiting: u64,
    pub inconsistent: bool,
}

/// Any of these locks.
pub struct Leased<K> {
    line: Line<Lease>,
    units: u32,
    inconsistent: bool,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Leased<K> {
    /// Takes so many units; waits for them, or answers that there are none.
    fn take(
        &mut self,
        units: u32,
        waits: bool,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        if !(1..=self.units).contains(&units) {
            return Err(Refusal::Undecodable(format!("{units} of {} units", self.units)));
        }
        let party = Party { ticket: caller.ticket(), session: caller.session(), units };
        if self.line.take(party, |to| caller.lend(to)) {
            return self.granted(party.ticket);
        }
        if waits {
            self.line.wait(party);
            return Ok(Answer::later());
        }
        Answer::value(&None::<Granted>)
    }

    fn granted(&self, ticket: Ticket) -> Result<Answer, Refusal> {
        let granted = Granted { lease: LeaseKey::of(ticket), inconsistent: self.inconsistent };
        Ok(Answer::value(&Some(granted))?.needs_ack())
    }

    /// Takes a lease back from who has it.
    fn give_back(&mut self, lease: LeaseKey, inconsistent: bool, caller: &mut Caller<'_>) -> bool {
        let ticket = lease.ticket();
        match self.line.holder(ticket) {
            Some(party) if party.session == caller.session() => {
                if K::leaves_doubt(party.units) {
                    self.inconsistent = inconsistent;
                }
                self.line.give_back(ticket);
                self.admit(caller);
                true
            }
            _ => false,
        }
    }

    fn state(&self) -> State {
        State {
            units: self.units,
            free: self.line.free(),
            waiting: self.line.waiting() as u64,
            inconsistent: self.inconsistent,
        }
    }

    /// Lets in whoever can be.
    fn admit(&mut self, caller: &mut Caller<'_>) {
        while let Some(party) = self.line.admit(|to| caller.lend(to)) {
            if !caller.answer(party.ticket, self.granted(party.ticket)) {
                self.line.give_back(party.ticket);
            }
        }
    }
}

impl<K: Kind> Object for Leased<K> {
    const TYPE: &'static str = K::TYPE;

    fn create(mut arguments: Arguments<'_>) -> Result<Self, Refusal> {
        let units = K::units(&mut arguments)?;
        arguments.finish()?;
        Ok(Self { line: Line::new(units), units, inconsistent: false, kind: PhantomData })
    }

    fn call(
        &mut self,
        method: &str,
        mut arguments: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        match method {
            "take" => {
                let (units, waits) = arguments.read()?;
                arguments.finish()?;
                self.take(units, waits, caller)
            }
            // Whether it was the caller's.
            "give_back" => {
                let (lease, inconsistent) = arguments.read()?;
                arguments.finish()?;
                Answer::value(&self.give_back(lease, inconsistent, caller))
            }
            "state" => {
                arguments.finish()?;
                Answer::value(&self.state())
            }
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn cancel(&mut self, caller: &mut Caller<'_>) {
        self.line.leave(caller.ticket());
        self.admit(caller);
    }

    /// Who never knew that it had the lock has changed nothing.
    fn undo(&mut self, caller: &mut Caller<'_>) {
        self.line.give_back(caller.ticket());
        self.admit(caller);
    }

    fn session_ended(&mut self, _: bool, caller: &mut Caller<'_>) {
        while let Some(party) = self.line.bury(caller.session()) {
            self.inconsistent |= K::leaves_doubt(party.units);
        }
        self.admit(caller);
    }
}

//! What a server does: the objects, and every frame that a client may send.
//!
//! All of it happens under one lock, a frame at a time, so each call is whole. Frames are claims: what no correct client
//! sends ends its connection and harms nobody else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::error::Refusal;
use super::super::item::ObjectNumber;
use super::super::ledger::Ledger;
use super::super::object::{Answer, Arguments, Caller, Object, SessionId, Ticket};
use super::super::place::{Place, random};
use super::super::wire::{LONGEST_NAME, Request};
use super::Limits;
use super::counters::{Count, Counters};
use super::exchange::{Exchange, Unacknowledged};
use super::names::keep;
use super::objects::{Entry, Make, Objects, guarded, guarded_quietly, make};
use crate::error::Error;

/// The objects of a server, and everybody's place at it.
pub(super) struct Hub {
    objects: Objects,
    pub(super) exchange: Exchange,
    types: HashMap<&'static str, Make>,
    names: HashMap<Box<str>, ObjectNumber>,
    ledger: Arc<Ledger>,
    limits: Limits,
    pub(super) incarnation: u64,
}

/// A client did what no correct one does; the text says what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Violation;

/// Nobody: of what concerns no call.
const NO_TICKET: Ticket = Ticket { connection: 0, request: 0 };

impl Hub {
    pub(super) fn new(place: &Place, limits: Limits) -> Result<Self, Error> {
        let incarnation = random();
        let ledger = Arc::new(Ledger::default());
        let counters = Counters::make(place, incarnation)?;
        Ok(Self {
            objects: Objects::default(),
            exchange: Exchange::new(Arc::clone(&ledger), counters),
            types: HashMap::new(),
            names: HashMap::new(),
            ledger,
            limits,
            incarnation,
        })
    }

    pub(super) fn register<T: Object>(&mut self) {
        let before = self.types.insert(T::TYPE, make::<T>);
        assert!(before.is_none(), "a type of the name {:?} is there already", T::TYPE);
    }

    /// Does what a frame of `connection` asks for.
    pub(super) fn take(
        &mut self,
        connection: u64,
        head: Request<'_>,
        body: &[u8],
    ) -> Result<(), Violation> {
        let session = self.exchange.session_of(connection).ok_or(Violation)?;
        match head {
            Request::Call { request, object, method } => {
                self.check_idle(connection)?;
                self.call(session, Ticket { connection, request }, object, method, body);
            }
            Request::Create { request, ty, name, fingerprint } => {
                self.check_idle(connection)?;
                let ticket = Ticket { connection, request };
                let made = self.create(ty, name, fingerprint, body);
                self.exchange.reply(ticket, ObjectNumber::SERVER, made);
            }
            Request::Release { object } => self.exchange.release(session, object),
            Request::Ack { request } => {
                let note = self.exchange.acknowledge(connection, request).ok_or(Violation)?;
                if let Some(object) = note.object {
                    let tell = |entry: &mut Entry, caller: &mut Caller<'_>| {
                        entry.object.acknowledged(caller);
                    };
                    self.tell(object, session, Ticket { connection, request }, tell);
                }
            }
            Request::Took { request } => {
                if !self.exchange.took(connection, request) {
                    return Err(Violation);
                }
            }
            Request::Cancel { request } => self.cancel(session, Ticket { connection, request }),
            Request::More { request } => self.exchange.more(connection, request),
            Request::Goodbye => self.exchange.close_session(session, true),
            Request::Part { .. } => return Err(Violation),
        }
        self.bury();
        Ok(())
    }

    /// One call at a time.
    fn check_idle(&self, connection: u64) -> Result<(), Violation> {
        if self.exchange.waiting(connection).is_none() { Ok(()) } else { Err(Violation) }
    }

    fn call(
        &mut self,
        session: SessionId,
        ticket: Ticket,
        object: ObjectNumber,
        method: &str,
        body: &[u8],
    ) {
        self.exchange.count(ticket.connection, object, Count::Calls, 1);
        let arguments = Arguments::new(body, &self.ledger);
        let outcome = match self.objects.get_mut(object) {
            Some(entry) => {
                let exchange = &mut self.exchange;
                if entry.last_caller.replace(session) != Some(session) {
                    exchange.note_call(ticket.connection, object);
                }
                let mut caller = Caller { exchange, object, session, ticket };
                guarded(|| entry.object.call(method, arguments, &mut caller))
            }
            None if object == ObjectNumber::SERVER => {
                keep(&mut self.objects, &mut self.names, &self.ledger, method, arguments)
            }
            None => Err(Refusal::UnknownObject),
        };
        match outcome {
            Ok(Answer { later: true, .. }) => self.wait(ticket, object),
            outcome => self.exchange.reply(ticket, object, outcome),
        }
    }

    fn wait(&mut self, ticket: Ticket, object: ObjectNumber) {
        if let Some(entry) = self.objects.get_mut(object) {
            entry.has_waited = true;
        }
        self.exchange.wait(ticket, object);
    }

    /// The object of that name, or a new one.
    fn create(
        &mut self,
        ty: &str,
        name: Option<&str>,
        fingerprint: [u8; 16],
        body: &[u8],
    ) -> Result<Answer, Refusal> {
        if name.is_some_and(|name| name.len() > LONGEST_NAME || name.is_empty()) {
            return Err(Refusal::Undecodable("a name has 1 to 200 bytes".to_owned()));
        }
        if let Some(number) = name.and_then(|name| self.names.get(name)) {
            let entry = self.objects.get(*number).ok_or(Refusal::UnknownObject)?;
            return if entry.ty != ty {
                Err(Refusal::WrongType { is: entry.ty.to_owned(), wanted: ty.to_owned() })
            } else if entry.fingerprint != fingerprint {
                let other = |what: [u8; 16]| format!("{ty} of {:032x}", u128::from_le_bytes(what));
                Err(Refusal::WrongType { is: other(entry.fingerprint), wanted: other(fingerprint) })
            } else {
                Answer::nothing().put_object(*number)
            };
        }
        let (&ty, make) = self
            .types
            .get_key_value(ty)
            .ok_or_else(|| Refusal::UnknownType(ty.chars().take(LONGEST_NAME).collect()))?;
        if self.objects.len() >= self.limits.objects {
            return Err(Refusal::TooMany);
        }
        let object = guarded(|| make(Arguments::new(body, &self.ledger)))?;
        let number = self.ledger.open();
        self.objects.put(number, Entry::new(object, ty, fingerprint, name));
        self.exchange.counters.open(number, ty, name);
        if let Some(name) = name {
            self.names.insert(name.into(), number);
        }
        // The reference that it was opened with is the session's in a moment: what nobody refers to dies after the request.
        let answer = Answer::nothing().put_object(number);
        self.ledger.let_go(number);
        answer
    }

    /// Has `act` done to an object, if it is there still.
    fn tell(
        &mut self,
        object: ObjectNumber,
        session: SessionId,
        ticket: Ticket,
        act: impl FnOnce(&mut Entry, &mut Caller<'_>),
    ) {
        if let Some(entry) = self.objects.get_mut(object) {
            let exchange = &mut self.exchange;
            let mut caller = Caller { exchange, object, session, ticket };
            guarded_quietly(|| act(entry, &mut caller));
        }
    }

    fn cancel(&mut self, session: SessionId, ticket: Ticket) {
        let Some((request, object)) = self.exchange.waiting(ticket.connection) else { return };
        if request != ticket.request {
            return;
        }
        self.tell(object, session, ticket, |entry, caller| entry.object.cancel(caller));
        self.exchange.answer_later(object, ticket, Err(Refusal::Cancelled));
    }

    /// Ends a connection: what waits is cancelled, what was not taken is undone, and with the last one the session ends.
    pub(super) fn disconnect(&mut self, connection: u64) {
        let Some(remains) = self.exchange.disconnect(connection) else { return };
        let session = remains.session;
        for note in remains.unacknowledged {
            self.undo(session, connection, &note);
        }
        if let Some((request, object)) = remains.waiting {
            let ticket = Ticket { connection, request };
            self.tell(object, session, ticket, |entry, caller| entry.object.cancel(caller));
        }
        if let Some(died) = self.exchange.has_ended(session) {
            self.end(session, died);
        }
        self.bury();
    }

    fn undo(&mut self, session: SessionId, connection: u64, note: &Unacknowledged) {
        if let Some(object) = note.object {
            let ticket = Ticket { connection, request: note.request };
            self.tell(object, session, ticket, |entry, caller| entry.object.undo(caller));
        }
        for object in &note.references {
            self.exchange.release(session, *object);
        }
    }

    fn end(&mut self, session: SessionId, died: bool) {
        for object in self.exchange.known_to(session) {
            let tell = |entry: &mut Entry, caller: &mut Caller<'_>| {
                entry.object.session_ended(died, caller);
            };
            self.tell(object, session, NO_TICKET, tell);
        }
        self.exchange.end(session);
        self.bury();
        self.collect();
    }

    /// Frees what nobody refers to any more, and what only that referred to.
    fn bury(&mut self) {
        while let Some(number) = self.ledger.next_dead() {
            self.free(number);
            self.ledger.close(number);
        }
        self.exchange.settle_leases();
        let counters = &mut self.exchange.counters;
        self.ledger.tell_changed(|number, references| counters.references(number, references));
    }

    fn free(&mut self, number: ObjectNumber) {
        let Some(entry) = self.objects.take(number) else { return };
        if let Some(name) = &entry.name
            && self.names.get(name) == Some(&number)
        {
            self.names.remove(name);
        }
        if entry.has_waited {
            self.exchange.refuse_waiting(number, &Refusal::UnknownObject);
        }
        self.exchange.counters.close(number);
        guarded_quietly(|| drop(entry));
    }

    /// Frees objects that only each other refer to.
    fn collect(&mut self) {
        // Values that refer to something have the ledger; the hub and its exchange do in any case.
        if Arc::strong_count(&self.ledger) <= 2 {
            return;
        }
        let mut within: HashMap<ObjectNumber, u64> = HashMap::new();
        let mut refers: HashMap<ObjectNumber, Vec<ObjectNumber>> = HashMap::new();
        for (number, entry) in self.objects.iter() {
            let mut found = Vec::new();
            guarded_quietly(|| entry.object.references(&mut |to| found.push(to)));
            for to in &found {
                *within.entry(*to).or_insert(0) += 1;
            }
            if !found.is_empty() {
                refers.insert(number, found);
            }
        }
        if within.is_empty() {
            return;
        }
        let is_root = |number: &ObjectNumber| {
            self.ledger.references(*number) > within.get(number).copied().unwrap_or(0)
        };
        let numbers: Vec<ObjectNumber> = self.objects.iter().map(|(number, _)| number).collect();
        let mut reached: HashSet<ObjectNumber> = HashSet::new();
        let mut open: Vec<ObjectNumber> = numbers.iter().copied().filter(is_root).collect();
        while let Some(number) = open.pop() {
            if reached.insert(number) {
                open.extend(refers.get(&number).into_iter().flatten());
            }
        }
        numbers
            .iter()
            .filter(|number| !reached.contains(number))
            .for_each(|number| self.free(*number));
        self.bury();
    }

    /// The end: who waits is refused, nobody is answered any more, and all objects go.
    pub(super) fn close(&mut self) {
        self.exchange.close();
        self.names.clear();
        let objects = std::mem::take(&mut self.objects);
        guarded_quietly(|| drop(objects));
    }
}

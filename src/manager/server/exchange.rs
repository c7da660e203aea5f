//! Answers: who waits for one, how it goes out, and what is undone if nobody takes it.
//!
//! Nothing here waits. A client has one call at a time on a connection, so its pipe has room for the answer; one that leaves
//! answers lying is cut off.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::error::Refusal;
use super::super::item::ObjectNumber;
use super::super::ledger::Ledger;
use super::super::object::{Answer, SessionId, Ticket};
use super::super::slots::Slots;
use super::super::wire::{self, Reply};
use super::counters::{Count, Counters};
use super::leases::{Lease, Returns};
use super::line::Line;
pub(super) use super::line::Unacknowledged;
use super::round::Bell;
use super::sitting::Sitting;
use crate::channel::pipe;

/// Connections, as far as answers go; sessions; counters.
pub(in crate::manager) struct Exchange {
    lines: Slots<Line>,
    sessions: HashMap<SessionId, Sitting>,
    ledger: Arc<Ledger>,
    pub(super) counters: Counters,
    returns: Arc<Returns>,
    frame: Vec<u8>,
    /// Sessions so far.
    begun: u64,
}

/// What was left of a connection.
pub(super) struct Remains {
    pub session: SessionId,
    pub waiting: Option<(u64, ObjectNumber)>,
    pub unacknowledged: Vec<Unacknowledged>,
}

/// So many answers at most may be without an acknowledgement on a connection.
const UNACKNOWLEDGED: usize = 16;

impl Exchange {
    pub(super) fn new(ledger: Arc<Ledger>, counters: Counters) -> Self {
        let (lines, sessions) = (Slots::default(), HashMap::new());
        let (returns, frame) = (Arc::default(), Vec::new());
        Self { lines, sessions, ledger, counters, returns, frame, begun: 0 }
    }

    /// How many connections there are.
    pub(super) fn connections(&self) -> usize {
        self.sessions.values().map(|sitting| sitting.connections).sum()
    }

    /// Begins a session. For people it is counted: who knows its number could join it.
    pub(super) fn begin(&mut self, session: SessionId) {
        self.begun += 1;
        let row = self.counters.open_session(SessionId(self.begun));
        self.sessions.insert(session, Sitting::new(row));
    }

    /// Whether there is such a session, and it takes more connections.
    pub(super) fn takes(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(|sitting| !sitting.closing)
    }

    /// Adds a connection to a session. `None` if there is no such session.
    pub(super) fn connect(
        &mut self,
        session: SessionId,
        sender: pipe::Sender,
        bell: &Arc<Bell>,
    ) -> Option<u64> {
        let sitting = self.sessions.get_mut(&session)?;
        sitting.connections += 1;
        Some(self.lines.insert(Line {
            sender,
            session,
            row: sitting.row,
            bell: Arc::clone(bell),
            waiting: None,
            last_called: ObjectNumber::SERVER,
            unacknowledged: Vec::new(),
            long: None,
            doomed: false,
        }))
    }

    /// Sends the answer to what was said at the door.
    pub(super) fn greet(&mut self, connection: u64, frame: &[u8]) {
        if let Some(line) = self.lines.get_mut(connection) {
            line.put(frame, &[]);
        }
    }

    /// Counts for a connection's session and an object.
    pub(super) fn count(
        &mut self,
        connection: u64,
        object: ObjectNumber,
        what: Count,
        change: i64,
    ) {
        if let Some(line) = self.lines.get(connection) {
            self.counters.count(line.row, object, what, change);
        }
    }

    /// Whose connection it is.
    pub(super) fn session_of(&self, connection: u64) -> Option<SessionId> {
        self.lines.get(connection).map(|line| line.session)
    }

    /// Whether a connection is to be ended, or was.
    pub(super) fn is_doomed(&self, connection: u64) -> bool {
        self.lines.get(connection).is_none_or(|line| line.doomed)
    }

    /// The call of a connection that waits.
    pub(super) fn waiting(&self, connection: u64) -> Option<(u64, ObjectNumber)> {
        self.lines.get(connection)?.waiting
    }

    /// Has a call wait.
    pub(super) fn wait(&mut self, ticket: Ticket, object: ObjectNumber) {
        if let Some(line) = self.lines.get_mut(ticket.connection) {
            line.waiting = Some((ticket.request, object));
            self.counters.count(line.row, object, Count::Waiting, 1);
        }
    }

    /// Ends the wait of a call, if it waits.
    pub(super) fn stop_waiting(&mut self, ticket: Ticket, object: ObjectNumber) -> bool {
        let Some(line) = self.lines.get_mut(ticket.connection) else { return false };
        if line.waiting != Some((ticket.request, object)) {
            return false;
        }
        line.waiting = None;
        self.counters.count(line.row, object, Count::Waiting, -1);
        true
    }

    /// Answers a call that waits.
    pub(in crate::manager) fn answer_later(
        &mut self,
        object: ObjectNumber,
        ticket: Ticket,
        answer: Result<Answer, Refusal>,
    ) -> bool {
        let waits = self.stop_waiting(ticket, object);
        if waits {
            self.reply(ticket, object, answer);
        }
        waits
    }

    /// Counts something that `object` lends in a call of `connection`, for as long as the lease lives.
    pub(in crate::manager) fn lend(
        &mut self,
        connection: u64,
        object: ObjectNumber,
        to: SessionId,
    ) -> Lease {
        let row = match self.lines.get(connection) {
            // Mostly it is to who calls.
            Some(line) if line.session == to => Some(line.row),
            // Others may have called another object, which shares what is lent with this one.
            _ => self.sessions.get_mut(&to).map(|sitting| {
                sitting.note(object, &self.ledger);
                sitting.row
            }),
        };
        Lease::new(to, self.counters.lend(row, object), &self.returns)
    }

    /// Counts the leases that have come back.
    pub(super) fn settle_leases(&mut self) {
        self.returns.settle(&mut self.counters);
    }

    /// Notes that the session of a connection has called an object, which is told of its end.
    pub(super) fn note_call(&mut self, connection: u64, object: ObjectNumber) {
        let Some(line) = self.lines.get_mut(connection) else { return };
        if std::mem::replace(&mut line.last_called, object) != object
            && let Some(sitting) = self.sessions.get_mut(&line.session)
        {
            sitting.note(object, &self.ledger);
        }
    }

    /// The objects that may know a session, and such as are gone.
    pub(super) fn known_to(&mut self, session: SessionId) -> HashSet<ObjectNumber> {
        let sitting = self.sessions.get_mut(&session);
        sitting.map_or_else(HashSet::new, |sitting| std::mem::take(&mut sitting.known))
    }

    /// Sends what a call came to.
    pub(super) fn reply(
        &mut self,
        ticket: Ticket,
        object: ObjectNumber,
        outcome: Result<Answer, Refusal>,
    ) {
        // Who reads the answer finds the counters so.
        self.settle_leases();
        let request = ticket.request;
        let Some(line) = self.lines.get_mut(ticket.connection) else { return };
        let (head, body) = match outcome {
            Ok(answer) => {
                let Answer { bytes, references, .. } = answer;
                let needs_ack = answer.needs_ack;
                if needs_ack || !references.is_empty() {
                    if let Some(sitting) = self.sessions.get_mut(&line.session) {
                        let granted = sitting.grant(&references, &self.ledger);
                        self.counters.count_references(line.row, granted);
                    }
                    let object = needs_ack.then_some(object);
                    let references = references.clone();
                    line.unacknowledged.push(Unacknowledged { request, object, references });
                    if line.unacknowledged.len() > UNACKNOWLEDGED {
                        line.doom();
                    }
                }
                (Reply::Answer { request, needs_ack, references }, bytes)
            }
            Err(why) => {
                self.counters.count(line.row, object, Count::Errors, 1);
                (Reply::Refused { request, why }, Vec::new())
            }
        };
        self.frame.clear();
        wire::append(&head, &mut self.frame).expect("a head has a form");
        line.post(request, &self.frame, &body);
    }

    /// Sends the next part of a long reply.
    pub(super) fn more(&mut self, connection: u64, request: u64) {
        if let Some(line) = self.lines.get_mut(connection)
            && line.long.as_ref().is_some_and(|(of, ..)| *of == request)
        {
            line.post_part();
        }
    }

    /// Notes that the references of an answer are the client's. False if there is no such note.
    pub(super) fn took(&mut self, connection: u64, request: u64) -> bool {
        let Some(line) = self.lines.get_mut(connection) else { return false };
        let notes = &mut line.unacknowledged;
        let Some(at) = notes.iter().position(|note| note.request == request) else { return false };
        notes[at].references.clear();
        if notes[at].object.is_none() {
            notes.swap_remove(at);
        }
        true
    }

    /// Takes the note of an answer that was taken. `None` if there is none.
    pub(super) fn acknowledge(&mut self, connection: u64, request: u64) -> Option<Unacknowledged> {
        let notes = &mut self.lines.get_mut(connection)?.unacknowledged;
        let at = notes.iter().position(|note| note.request == request)?;
        Some(notes.swap_remove(at))
    }

    /// Takes a reference of a session back, if it has one.
    pub(super) fn release(&mut self, session: SessionId, object: ObjectNumber) {
        if let Some(sitting) = self.sessions.get_mut(&session)
            && sitting.release(object)
        {
            self.ledger.let_go(object);
            self.counters.count_references(sitting.row, -1);
        }
    }

    /// Takes no more connections of a session whose first one has ended, `orderly` if it said goodbye.
    pub(super) fn close_session(&mut self, session: SessionId, orderly: bool) {
        if let Some(sitting) = self.sessions.get_mut(&session) {
            sitting.closing = true;
            sitting.orderly |= orderly;
        }
    }

    /// Forgets a connection.
    pub(super) fn disconnect(&mut self, connection: u64) -> Option<Remains> {
        let line = self.lines.remove(connection)?;
        if let Some((_, object)) = line.waiting {
            self.counters.count(line.row, object, Count::Waiting, -1);
        }
        if let Some(sitting) = self.sessions.get_mut(&line.session) {
            sitting.connections -= 1;
        }
        let Line { session, waiting, unacknowledged, .. } = line;
        Some(Remains { session, waiting, unacknowledged })
    }

    /// Whether a session has no connection any more; if so whether it died.
    pub(super) fn has_ended(&self, session: SessionId) -> Option<bool> {
        let sitting = self.sessions.get(&session)?;
        (sitting.connections == 0).then_some(!sitting.orderly)
    }

    /// Forgets a session, and lets go what it held.
    pub(super) fn end(&mut self, session: SessionId) {
        let Some(sitting) = self.sessions.remove(&session) else { return };
        for (object, count) in &sitting.held {
            (0..*count).for_each(|_| self.ledger.let_go(*object));
            self.counters.count_references(sitting.row, -count.cast_signed());
        }
        self.counters.close_session(sitting.row);
    }

    /// Refuses every call of `object` that waits.
    pub(super) fn refuse_waiting(&mut self, object: ObjectNumber, why: &Refusal) {
        let waits = |(connection, line): (u64, &Line)| {
            let (request, of) = line.waiting?;
            (of == object).then_some(Ticket { connection, request })
        };
        let tickets: Vec<Ticket> = self.lines.iter().filter_map(waits).collect();
        for ticket in tickets {
            self.answer_later(object, ticket, Err(why.clone()));
        }
    }

    /// Refuses every call that waits, and sends nothing more.
    pub(super) fn close(&mut self) {
        let waits = |(connection, line): (u64, &Line)| {
            let (request, object) = line.waiting?;
            Some((Ticket { connection, request }, object))
        };
        let waiting: Vec<(Ticket, ObjectNumber)> = self.lines.iter().filter_map(waits).collect();
        for (ticket, object) in waiting {
            self.answer_later(object, ticket, Err(Refusal::ShuttingDown));
        }
        self.lines.iter_mut().for_each(|(_, line)| line.sender.close());
        self.lines = Slots::default();
        self.sessions.clear();
        self.counters.shut_down();
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exchange({} sessions)", self.sessions.len())
    }
}

#[cfg(test)]
mod tests {
    use crate::manager::{Client, Server};

    /// Of those that are gone it knows no more than of those that are there, or a few.
    #[test]
    fn all_objects_that_a_session_has_called_are_known_and_few_that_are_gone() {
        let name = format!("unit-known-{}", std::process::id());
        let server = Server::bind(&name).unwrap().spawn();
        let client = Client::connect(&name).unwrap();
        let call = |number: u64| {
            let value = client.new_value(&number).unwrap();
            value.set(&1).unwrap();
            value
        };
        let known = || {
            let hub = server.shutdown.shared.hub();
            let known = &hub.exchange.sessions.values().next().unwrap().known;
            let there = known.iter().filter(|object| hub.exchange.ledger.has(**object));
            (there.count(), known.len())
        };
        (0..1000).for_each(|number| drop(call(number)));
        assert!(known().1 <= super::super::sitting::FEW, "{:?}", known());
        let kept: Vec<_> = (0..200).map(call).collect();
        (0..1000).for_each(|number| drop(call(number)));
        assert!(known().0 >= 200 && known().1 <= 402, "{:?}", known());
        drop((kept, client));
        server.shutdown().unwrap();
    }
}

//! A queue that a server keeps.

mod error;
mod proxy;
mod shelf;

pub use error::QueueError;
pub use proxy::{Delivery, Iter, Queue};

use shelf::{Item, Settled, Shelf};

use crate::manager::{
    Answer, Arguments, Caller, Lease, Object, ObjectNumber, Refusal, Stored, Ticket,
};

/// Refused because the queue is closed.
const CLOSED: u32 = 1;
/// Refused because the session has nothing to be done.
const NOT_OWED: u32 = 2;

/// How a queue is.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct State {
    len: u64,
    closed: bool,
    unfinished: u64,
    lost: u64,
    getters: u64,
    putters: u64,
}

/// In the server: items as clients encoded them.
pub struct Line {
    shelf: Shelf<Stored, Lease>,
}

impl Line {
    /// Puts it; waits for room, or answers that there is none.
    fn put(
        &mut self,
        value: Stored,
        waits: bool,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        if self.shelf.is_closed() {
            return Err(closed());
        }
        match self.shelf.put(value) {
            Ok(()) => {
                self.settle(caller);
                Answer::value(&true)
            }
            Err(value) if waits => {
                self.shelf.wait_to_put(caller.ticket(), value);
                Ok(Answer::later())
            }
            Err(_) => Answer::value(&false),
        }
    }

    /// Hands out the first; waits for one, or answers that there is none.
    fn get(&mut self, waits: bool, caller: &mut Caller<'_>) -> Result<Answer, Refusal> {
        let (ticket, session) = (caller.ticket(), caller.session());
        if let Some(item) = self.shelf.get(ticket, session, |to| caller.lend(to)) {
            let answer = handed_out(item);
            self.settle(caller);
            return answer;
        }
        if self.shelf.is_over() {
            return Err(closed());
        }
        if waits {
            self.shelf.wait_to_get(ticket, session);
            return Ok(Answer::later());
        }
        Ok(Answer::none())
    }

    fn close(&mut self, caller: &mut Caller<'_>) -> Answer {
        for (ticket, _) in self.shelf.close() {
            caller.answer(ticket, Err(closed()));
        }
        self.settle(caller);
        Answer::nothing()
    }

    fn join(&mut self, ticket: Ticket) -> Result<Answer, Refusal> {
        if self.shelf.wait_until_done(ticket) {
            return Ok(Answer::later());
        }
        Answer::value(&self.shelf.lost())
    }

    fn state(&self) -> State {
        let (getters, putters) = self.shelf.waiting();
        State {
            len: self.shelf.len() as u64,
            closed: self.shelf.is_closed(),
            unfinished: self.shelf.unfinished(),
            lost: self.shelf.lost(),
            getters: getters as u64,
            putters: putters as u64,
        }
    }

    /// Answers all whose wait is over.
    fn settle(&mut self, caller: &mut Caller<'_>) {
        while let Some(settled) = self.shelf.settle(|to| caller.lend(to)) {
            match settled {
                Settled::Given(ticket) => self.give(ticket, caller),
                Settled::Put(ticket) => drop(caller.answer(ticket, Answer::value(&true))),
                Settled::Closed(ticket) => drop(caller.answer(ticket, Err(closed()))),
                Settled::Done(ticket) => {
                    caller.answer(ticket, Answer::value(&self.shelf.lost()));
                }
            }
        }
    }

    fn give(&mut self, ticket: Ticket, caller: &mut Caller<'_>) {
        let Some(item) = self.shelf.in_hand(ticket) else { return };
        if !caller.answer(ticket, handed_out(item)) {
            self.shelf.put_back(ticket);
        }
    }
}

/// What who gets an item reads: an option of whether somebody may have seen it, and the item.
fn handed_out(item: &Item<Stored>) -> Result<Answer, Refusal> {
    let some = Answer::nothing().put(&1u8)?.put(&item.redelivered)?;
    Ok(some.put_stored(&item.value).needs_ack())
}

fn closed() -> Refusal {
    Refusal::Object(CLOSED, "the queue is closed".to_owned())
}

impl Object for Line {
    const TYPE: &'static str = "queue";

    fn create(mut arguments: Arguments<'_>) -> Result<Self, Refusal> {
        let bound: Option<u64> = arguments.read()?;
        arguments.finish()?;
        if bound == Some(0) {
            return Err(Refusal::Undecodable("no room at all".to_owned()));
        }
        let bound = bound.map(|bound| usize::try_from(bound).unwrap_or(usize::MAX));
        Ok(Self { shelf: Shelf::new(bound) })
    }

    fn call(
        &mut self,
        method: &str,
        mut arguments: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        match method {
            "put" => {
                let waits = arguments.read()?;
                let value = arguments.value()?;
                arguments.finish()?;
                self.put(value, waits, caller)
            }
            "get" => {
                let waits = arguments.read()?;
                arguments.finish()?;
                self.get(waits, caller)
            }
            "close" => {
                arguments.finish()?;
                Ok(self.close(caller))
            }
            "task_done" => {
                arguments.finish()?;
                if !self.shelf.done(caller.session()) {
                    let text = "this client has taken nothing that is not done".to_owned();
                    return Err(Refusal::Object(NOT_OWED, text));
                }
                self.settle(caller);
                Ok(Answer::nothing())
            }
            "join" => {
                arguments.finish()?;
                self.join(caller.ticket())
            }
            "state" => {
                arguments.finish()?;
                Answer::value(&self.state())
            }
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn cancel(&mut self, caller: &mut Caller<'_>) {
        self.shelf.leave(caller.ticket());
        self.settle(caller);
    }

    fn acknowledged(&mut self, caller: &mut Caller<'_>) {
        self.shelf.taken(caller.ticket());
        self.settle(caller);
    }

    fn undo(&mut self, caller: &mut Caller<'_>) {
        self.shelf.put_back(caller.ticket());
        self.settle(caller);
    }

    fn session_ended(&mut self, _: bool, caller: &mut Caller<'_>) {
        self.shelf.bury(caller.session());
        self.settle(caller);
    }

    fn references(&self, found: &mut dyn FnMut(ObjectNumber)) {
        self.shelf.values().flat_map(Stored::references).copied().for_each(found);
    }
}

//! Items in the order in which they came, those who wait for one, and those who wait for room.
//!
//! An item that was handed out stays in hand until it is known that it was taken; if it was not, it goes back to its place in
//! front of all that came later, flagged. Each item is a task until who took it says that it is done, or ends.
//!
//! Invariants, once [`settle`](Shelf::settle) has nothing to say: nobody waits for an item while there is one, or for room while there
//! is some; what was put is on the shelf, in hand, or taken, once.

use std::collections::VecDeque;

use crate::manager::{SessionId, Ticket};

#[derive(Debug)]
pub struct Item<I> {
    number: u64,
    pub value: I,
    /// It was handed out before, and perhaps seen.
    pub redelivered: bool,
}

/// `L` is a lease, which lives while the item is in hand.
#[derive(Debug)]
struct InHand<I, L> {
    ticket: Ticket,
    session: SessionId,
    item: Item<I>,
    _lease: L,
}

/// What is to be told to one who waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It has an item in hand now.
    Given(Ticket),
    /// What it wanted to put is there.
    Put(Ticket),
    /// Nothing comes any more, or goes.
    Closed(Ticket),
    /// Nothing is left to be done.
    Done(Ticket),
}

#[derive(Debug)]
pub struct Shelf<I, L> {
    bound: usize,
    items: VecDeque<Item<I>>,
    in_hand: Vec<InHand<I, L>>,
    getters: VecDeque<(Ticket, SessionId)>,
    putters: VecDeque<(Ticket, I)>,
    closed: bool,
    next: u64,
    tasks: Tasks,
}

/// What was taken and is not done.
#[derive(Debug, Default)]
struct Tasks {
    lost: u64,
    /// How many each session has.
    owed: Vec<(SessionId, u64)>,
    waiting: VecDeque<Ticket>,
}

impl<I, L> Shelf<I, L> {
    /// Room for `bound` items; for any number if there is none.
    pub fn new(bound: Option<usize>) -> Self {
        Self {
            bound: bound.unwrap_or(usize::MAX),
            items: VecDeque::new(),
            in_hand: Vec::new(),
            getters: VecDeque::new(),
            putters: VecDeque::new(),
            closed: false,
            next: 0,
            tasks: Tasks::default(),
        }
    }

    /// Puts `value` at the end, or gives it back if there is no room: nobody waits for some while there is.
    pub fn put(&mut self, value: I) -> Result<(), I> {
        if !self.has_room() {
            return Err(value);
        }
        self.append(value);
        Ok(())
    }

    /// `value` is to be put as soon as there is room.
    pub fn wait_to_put(&mut self, ticket: Ticket, value: I) {
        self.putters.push_back((ticket, value));
    }

    /// Hands out the first item, as `lend` makes the lease, unless there is none: nobody waits for one while there is.
    pub fn get(
        &mut self,
        ticket: Ticket,
        session: SessionId,
        lend: impl FnOnce(SessionId) -> L,
    ) -> Option<&Item<I>> {
        let item = self.items.pop_front()?;
        self.tasks.owe(session);
        self.in_hand.push(InHand { ticket, session, item, _lease: lend(session) });
        self.in_hand.last().map(|hand| &hand.item)
    }

    pub fn wait_to_get(&mut self, ticket: Ticket, session: SessionId) {
        self.getters.push_back((ticket, session));
    }

    /// Waits until nothing is left to be done; not if that is so.
    pub fn wait_until_done(&mut self, ticket: Ticket) -> bool {
        let waits = self.unfinished() > 0;
        if waits {
            self.tasks.waiting.push_back(ticket);
        }
        waits
    }

    /// The next to be told what became of its wait. To be asked until there is none, after each call that changes something.
    pub fn settle(&mut self, lend: impl FnOnce(SessionId) -> L) -> Option<Settled> {
        if let (Some(&(ticket, session)), false) = (self.getters.front(), self.items.is_empty()) {
            self.getters.pop_front();
            self.get(ticket, session, lend);
            return Some(Settled::Given(ticket));
        }
        if self.has_room()
            && let Some((ticket, value)) = self.putters.pop_front()
        {
            self.append(value);
            return Some(Settled::Put(ticket));
        }
        if self.is_over()
            && let Some((ticket, _)) = self.getters.pop_front()
        {
            return Some(Settled::Closed(ticket));
        }
        if self.unfinished() == 0 {
            return self.tasks.waiting.pop_front().map(Settled::Done);
        }
        None
    }

    /// What `ticket` has in hand.
    pub fn in_hand(&self, ticket: Ticket) -> Option<&Item<I>> {
        self.in_hand.iter().find(|hand| hand.ticket == ticket).map(|hand| &hand.item)
    }

    /// What `ticket` had in hand is its own now.
    pub fn taken(&mut self, ticket: Ticket) -> Option<I> {
        let index = self.in_hand.iter().position(|hand| hand.ticket == ticket)?;
        Some(self.in_hand.swap_remove(index).item.value)
    }

    /// What `ticket` had in hand was not taken: it goes back. False if it had nothing.
    pub fn put_back(&mut self, ticket: Ticket) -> bool {
        let in_hand = self.in_hand.iter().position(|hand| hand.ticket == ticket);
        let Some(index) = in_hand else { return false };
        let InHand { session, mut item, .. } = self.in_hand.swap_remove(index);
        self.tasks.done(session);
        item.redelivered = true;
        let place = self.items.partition_point(|other| other.number < item.number);
        self.items.insert(place, item);
        true
    }

    /// Who waits as `ticket` does not any more; what it wanted to put is given back.
    pub fn leave(&mut self, ticket: Ticket) -> Option<I> {
        self.getters.retain(|(other, _)| *other != ticket);
        self.tasks.waiting.retain(|other| *other != ticket);
        let place = self.putters.iter().position(|(other, _)| *other == ticket)?;
        self.putters.remove(place).map(|(_, value)| value)
    }

    /// A session has ended that has nothing in hand and waits no more: what it has taken and not done is lost.
    pub fn bury(&mut self, session: SessionId) {
        self.tasks.bury(session);
    }

    /// Nothing can be put any more. Who wanted to is to be told, and what it wanted to put dropped.
    pub fn close(&mut self) -> VecDeque<(Ticket, I)> {
        self.closed = true;
        std::mem::take(&mut self.putters)
    }

    /// Something that `session` took is done. Not if there is no such thing.
    pub fn done(&mut self, session: SessionId) -> bool {
        self.tasks.done(session)
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether nothing comes any more, not even from a hand.
    pub fn is_over(&self) -> bool {
        self.closed && self.items.is_empty() && self.in_hand.is_empty()
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// How many are on the shelf, or were handed out and are not done.
    pub fn unfinished(&self) -> u64 {
        self.items.len() as u64 + self.tasks.owed.iter().map(|(_, count)| count).sum::<u64>()
    }

    pub fn lost(&self) -> u64 {
        self.tasks.lost
    }

    /// How many wait for an item, and how many for room.
    pub fn waiting(&self) -> (usize, usize) {
        (self.getters.len(), self.putters.len())
    }

    /// All that it has, wherever.
    pub fn values(&self) -> impl Iterator<Item = &I> {
        let in_hand = self.in_hand.iter().map(|hand| &hand.item.value);
        let items = self.items.iter().map(|item| &item.value);
        items.chain(in_hand).chain(self.putters.iter().map(|(_, value)| value))
    }

    fn has_room(&self) -> bool {
        self.items.len() < self.bound
    }

    fn append(&mut self, value: I) {
        let number = self.next;
        self.next += 1;
        self.items.push_back(Item { number, value, redelivered: false });
    }
}

impl Tasks {
    fn owe(&mut self, session: SessionId) {
        match self.owed.iter_mut().find(|(other, _)| *other == session) {
            Some((_, count)) => *count += 1,
            None => self.owed.push((session, 1)),
        }
    }

    fn done(&mut self, session: SessionId) -> bool {
        let theirs = self.owed.iter_mut().find(|(other, count)| *other == session && *count > 0);
        let Some((_, count)) = theirs else { return false };
        *count -= 1;
        true
    }

    fn bury(&mut self, session: SessionId) {
        let Some(place) = self.owed.iter().position(|(other, _)| *other == session) else { return };
        let (_, count) = self.owed.swap_remove(place);
        self.lost += count;
    }
}

#[cfg(test)]
mod tests;

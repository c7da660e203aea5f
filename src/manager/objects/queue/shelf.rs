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
mod tests {
    #![allow(clippy::cast_possible_truncation, reason = "small numbers")]

    use super::*;
    use crate::manager::objects::dice::{Dice, ticket};

    const SESSIONS: u64 = 3;

    /// What was promised about each item that was put, in the order of the numbers that are the items.
    #[derive(Default)]
    struct Model {
        bound: usize,
        on_shelf: Vec<(u64, bool)>,
        in_hand: Vec<(Ticket, SessionId, u64)>,
        getters: Vec<(Ticket, SessionId)>,
        putters: Vec<(Ticket, u64)>,
        joiners: Vec<Ticket>,
        owed: [u64; SESSIONS as usize],
        closed: bool,
        gone: u64,
        put: u64,
    }

    impl Model {
        fn unfinished(&self) -> u64 {
            self.on_shelf.len() as u64 + self.owed.iter().sum::<u64>()
        }

        fn give(&mut self, tested: &Shelf<u64, ()>, ticket: Ticket, session: SessionId) {
            let (value, redelivered) = self.on_shelf.remove(0);
            let item = tested.in_hand(ticket).expect("what was given is in hand");
            assert_eq!((item.value, item.redelivered), (value, redelivered), "out of turn");
            self.in_hand.push((ticket, session, value));
            self.owed[session.0 as usize] += 1;
        }

        fn put(&mut self, value: u64) {
            self.put += 1;
            self.on_shelf.push((value, false));
        }

        fn put_back(&mut self, (_, session, value): (Ticket, SessionId, u64)) {
            let owed = &mut self.owed[session.0 as usize];
            // Done before it came back: then it is to be done once more.
            self.gone -= u64::from(*owed == 0);
            *owed = owed.saturating_sub(1);
            self.on_shelf.push((value, true));
            self.on_shelf.sort_unstable();
        }

        fn settle(&mut self, tested: &mut Shelf<u64, ()>) {
            while let Some(settled) = tested.settle(|_| ()) {
                match settled {
                    Settled::Given(ticket) => {
                        let (first, session) = self.getters.remove(0);
                        assert_eq!(first, ticket, "somebody overtook");
                        self.give(tested, ticket, session);
                    }
                    Settled::Put(ticket) => {
                        let (first, value) = self.putters.remove(0);
                        assert_eq!(first, ticket, "somebody overtook");
                        assert!(self.on_shelf.len() < self.bound && !self.closed);
                        self.put(value);
                    }
                    Settled::Closed(ticket) => {
                        assert!(self.closed && self.on_shelf.is_empty() && self.in_hand.is_empty());
                        assert_eq!(self.getters.remove(0).0, ticket);
                    }
                    Settled::Done(ticket) => {
                        assert_eq!(self.unfinished(), 0);
                        assert_eq!(self.joiners.remove(0), ticket);
                    }
                }
            }
        }

        fn check(&self, tested: &Shelf<u64, ()>) {
            assert_eq!(tested.len(), self.on_shelf.len());
            assert_eq!(tested.unfinished(), self.unfinished());
            assert_eq!(
                tested.unfinished() + tested.lost() + self.gone,
                self.put,
                "a task is nowhere"
            );
            assert!(self.getters.is_empty() || self.on_shelf.is_empty(), "waits beside an item");
            let full = self.on_shelf.len() >= self.bound;
            assert!(self.putters.is_empty() || full || self.closed, "waits beside room");
            assert!(self.joiners.is_empty() || self.unfinished() > 0);
            let over = self.closed && self.on_shelf.is_empty() && self.in_hand.is_empty();
            assert_eq!((tested.is_closed(), tested.is_over()), (self.closed, over));
            assert!(self.getters.is_empty() || !over, "waits for what does not come");
        }
    }

    fn arrive(dice: &mut Dice, tested: &mut Shelf<u64, ()>, model: &mut Model, ticket: Ticket) {
        let session = SessionId(dice.below(SESSIONS as usize) as u64);
        if dice.below(2) == 0 {
            if model.closed {
                return;
            }
            let vacant = model.on_shelf.len() < model.bound && model.putters.is_empty();
            match tested.put(ticket.request) {
                Ok(()) => {
                    assert!(vacant);
                    model.put(ticket.request);
                }
                Err(value) => {
                    assert!(!vacant);
                    tested.wait_to_put(ticket, value);
                    model.putters.push((ticket, value));
                }
            }
        } else if tested.get(ticket, session, |_| ()).is_some() {
            assert!(model.getters.is_empty());
            model.give(tested, ticket, session);
        } else if !tested.is_over() {
            tested.wait_to_get(ticket, session);
            model.getters.push((ticket, session));
        }
    }

    fn step(dice: &mut Dice, tested: &mut Shelf<u64, ()>, model: &mut Model, ticket: Ticket) {
        let session = SessionId(dice.below(SESSIONS as usize) as u64);
        let place = session.0 as usize;
        match dice.below(20) {
            0..=9 => arrive(dice, tested, model, ticket),
            10 | 11 => {
                let Some((ticket, _, value)) = dice.pick(&model.in_hand) else { return };
                assert_eq!(tested.taken(ticket), Some(value));
                assert_eq!(tested.taken(ticket), None);
                model.in_hand.retain(|hand| hand.0 != ticket);
            }
            12 | 13 => {
                let Some(hand) = dice.pick(&model.in_hand) else { return };
                assert!(tested.put_back(hand.0));
                assert!(!tested.put_back(hand.0));
                model.in_hand.retain(|other| *other != hand);
                model.put_back(hand);
            }
            14 if dice.below(2) == 0 => {
                let Some(ticket) = dice.pick(&model.joiners) else { return };
                assert_eq!(tested.leave(ticket), None);
                model.joiners.retain(|joiner| *joiner != ticket);
            }
            14 => {
                let Some((ticket, _)) = dice.pick(&model.getters) else { return };
                assert_eq!(tested.leave(ticket), None);
                model.getters.retain(|getter| getter.0 != ticket);
            }
            15 => {
                let Some((ticket, value)) = dice.pick(&model.putters) else { return };
                assert_eq!(tested.leave(ticket), Some(value));
                model.putters.retain(|putter| putter.0 != ticket);
            }
            16 => {
                assert_eq!(tested.done(session), model.owed[place] > 0);
                model.gone += u64::from(model.owed[place] > 0);
                model.owed[place] = model.owed[place].saturating_sub(1);
            }
            17 => {
                assert_eq!(tested.wait_until_done(ticket), model.unfinished() > 0);
                model.joiners.extend((model.unfinished() > 0).then_some(ticket));
            }
            18 => end(tested, model, session),
            _ if dice.below(12) == 0 => {
                let refused: Vec<_> = tested.close().into();
                assert_eq!(refused, model.putters);
                model.putters.clear();
                model.closed = true;
            }
            _ => {}
        }
    }

    /// As the server does it: what waits and what is in hand first.
    fn end(tested: &mut Shelf<u64, ()>, model: &mut Model, session: SessionId) {
        for (ticket, _) in model.getters.extract_if(.., |getter| getter.1 == session) {
            assert_eq!(tested.leave(ticket), None);
        }
        let theirs: Vec<_> = model.in_hand.extract_if(.., |hand| hand.1 == session).collect();
        for hand in theirs {
            assert!(tested.put_back(hand.0));
            model.put_back(hand);
        }
        tested.bury(session);
        model.owed[session.0 as usize] = 0;
    }

    #[test]
    fn each_item_is_somewhere_once_and_in_turn_in_random_schedules() {
        for seed in 1..=800 {
            let bound = [None, Some(1), Some(2)][(seed % 3) as usize];
            let (mut dice, mut tested) = (Dice(seed * 0x9e37_79b9), Shelf::new(bound));
            let mut model = Model { bound: bound.unwrap_or(usize::MAX), ..Model::default() };
            for number in 0..200 {
                step(&mut dice, &mut tested, &mut model, ticket(number));
                model.settle(&mut tested);
                model.check(&tested);
            }
            (0..SESSIONS).for_each(|number| end(&mut tested, &mut model, SessionId(number)));
            assert_eq!(tested.unfinished(), tested.len() as u64, "counts come back");
        }
    }
}

//! Against a model, in random schedules.

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
        assert_eq!(tested.unfinished() + tested.lost() + self.gone, self.put, "a task is nowhere");
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

//! The parties of a barrier, and the round in which they meet.
//!
//! A party has a place from when it joins until it leaves. The round is over when as many wait as the barrier has parties.
//! It breaks when one that waited gives up or leaves, or when any party dies; it stays broken until it is reset.

use crate::manager::{SessionId, Ticket};

/// `L` is a lease, which lives while it is one.
#[derive(Debug)]
struct Party<L> {
    number: u64,
    session: SessionId,
    /// The call that made it one.
    joined: Ticket,
    waits: Option<Ticket>,
    _lease: L,
}

/// What is to be told to one who waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All have met; it came as that one.
    Met(u32),
    Broken,
}

/// What came of arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was the last.
    Met(u32),
    Waits,
    Broken,
    /// There is no such party, or it waits already.
    Unknown,
}

#[derive(Debug)]
pub struct Round<L> {
    most: u32,
    parties: Vec<Party<L>>,
    /// Who waits, in the order of arrival.
    arrived: Vec<Ticket>,
    broken: bool,
    next: u64,
    outcomes: Vec<(Ticket, Outcome)>,
}

impl<L> Round<L> {
    pub fn new(most: u32) -> Self {
        let (parties, arrived, outcomes) = (Vec::new(), Vec::new(), Vec::new());
        Self { most, parties, arrived, broken: false, next: 0, outcomes }
    }

    /// Makes `session` a party, with the lease that `lend` makes, and says its number; none if there are as many as there can be.
    pub fn join(
        &mut self,
        session: SessionId,
        joined: Ticket,
        lend: impl FnOnce(SessionId) -> L,
    ) -> Option<u64> {
        if self.parties.len() >= self.most as usize {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let lease = lend(session);
        self.parties.push(Party { number, session, joined, waits: None, _lease: lease });
        Some(number)
    }

    /// The party is there, and waits as `ticket` unless it is the last.
    pub fn arrive(&mut self, number: u64, session: SessionId, ticket: Ticket) -> Arrival {
        let Some(index) = self.index(number, session) else {
            return Arrival::Unknown;
        };
        if self.parties[index].waits.is_some() {
            return Arrival::Unknown;
        }
        if self.broken {
            return Arrival::Broken;
        }
        if self.arrived.len() + 1 == self.most as usize {
            let last = self.most - 1;
            self.finish(Outcome::Met);
            return Arrival::Met(last);
        }
        self.parties[index].waits = Some(ticket);
        self.arrived.push(ticket);
        Arrival::Waits
    }

    /// The next to be told what came of its wait. To be asked until there is none, after each call that may end one.
    pub fn told(&mut self) -> Option<(Ticket, Outcome)> {
        self.outcomes.pop()
    }

    /// Who waits as `ticket` gives up: the round is broken for the others.
    pub fn give_up(&mut self, ticket: Ticket) {
        if let Some(place) = self.arrived.iter().position(|other| *other == ticket) {
            self.arrived.remove(place);
            let given_up = |party: &&mut Party<L>| party.waits == Some(ticket);
            self.parties.iter_mut().filter(given_up).for_each(|party| party.waits = None);
            self.shatter();
        }
    }

    /// The party is none any more. If it waited, the round is broken.
    pub fn leave(&mut self, number: u64, session: SessionId) {
        let Some(index) = self.index(number, session) else { return };
        if let Some(ticket) = self.parties[index].waits {
            self.give_up(ticket);
        }
        self.parties.swap_remove(index);
    }

    /// Who joined as `ticket` never knew.
    pub fn undo(&mut self, ticket: Ticket) {
        let undone = self.parties.iter().find(|party| party.joined == ticket);
        if let Some((number, session)) = undone.map(|party| (party.number, party.session)) {
            self.leave(number, session);
        }
    }

    /// The parties of a session that has ended are none any more; if it died, or one of them waited, the round is broken.
    pub fn bury(&mut self, session: SessionId, died: bool) {
        let (arrived, mut breaks) = (&mut self.arrived, false);
        self.parties.retain(|party| {
            let theirs = party.session == session;
            if theirs {
                breaks |= died || party.waits.is_some();
                arrived.retain(|ticket| Some(*ticket) != party.waits);
            }
            !theirs
        });
        if breaks {
            self.shatter();
        }
    }

    /// Begins anew; who waits finds it broken.
    pub fn reset(&mut self) {
        self.shatter();
        self.broken = false;
    }

    pub fn is_broken(&self) -> bool {
        self.broken
    }

    pub fn waiting(&self) -> usize {
        self.arrived.len()
    }

    fn shatter(&mut self) {
        self.broken = true;
        self.finish(|_| Outcome::Broken);
    }

    /// All who wait are to be told.
    fn finish(&mut self, outcome: impl Fn(u32) -> Outcome) {
        let told = self.arrived.drain(..).zip(0..).map(|(ticket, came)| (ticket, outcome(came)));
        self.outcomes.extend(told);
        self.parties.iter_mut().for_each(|party| party.waits = None);
    }

    fn index(&self, number: u64, session: SessionId) -> Option<usize> {
        let this = |party: &Party<L>| party.number == number && party.session == session;
        self.parties.iter().position(this)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation, reason = "small numbers")]

    use super::*;
    use crate::manager::objects::dice::{Dice, ticket};
    use std::collections::BTreeMap;

    #[derive(Clone, Copy, Debug)]
    struct Known {
        number: u64,
        session: SessionId,
        joined: Ticket,
        waits: Option<Ticket>,
    }

    struct Model {
        most: usize,
        parties: Vec<Known>,
        order: Vec<Ticket>,
        broken: bool,
    }

    type Told = BTreeMap<Ticket, Outcome>;

    impl Model {
        fn end(&mut self, broken: bool) -> Told {
            self.parties.iter_mut().for_each(|party| party.waits = None);
            self.broken |= broken;
            let outcome = |came| if broken { Outcome::Broken } else { Outcome::Met(came) };
            self.order.drain(..).zip(0..).map(|(ticket, came)| (ticket, outcome(came))).collect()
        }

        /// Parties go; those who waited break it, and any does if it died.
        fn go(&mut self, gone: impl Fn(&Known) -> bool, died: bool) -> Told {
            let going: Vec<Known> =
                self.parties.iter().filter(|party| gone(party)).copied().collect();
            self.parties.retain(|party| !gone(party));
            let waited = |party: &Known| party.waits.is_some();
            if going.iter().any(|party| waited(party) || died) {
                let theirs: Vec<Ticket> = going.iter().filter_map(|party| party.waits).collect();
                self.order.retain(|ticket| !theirs.contains(ticket));
                return self.end(true);
            }
            Told::new()
        }
    }

    fn arrive(round: &mut Round<()>, model: &mut Model, party: Known, ticket: Ticket) -> Told {
        let arrival = round.arrive(party.number, party.session, ticket);
        if party.waits.is_some() {
            assert_eq!(arrival, Arrival::Unknown);
        } else if model.broken {
            assert_eq!(arrival, Arrival::Broken);
        } else if model.order.len() + 1 == model.most {
            assert_eq!(arrival, Arrival::Met(model.most as u32 - 1));
            return model.end(false);
        } else {
            assert_eq!(arrival, Arrival::Waits);
            let mut all = model.parties.iter_mut();
            all.find(|other| other.number == party.number).unwrap().waits = Some(ticket);
            model.order.push(ticket);
        }
        Told::new()
    }

    fn step(dice: &mut Dice, round: &mut Round<()>, model: &mut Model, ticket: Ticket) -> Told {
        let some = dice.pick(&model.parties);
        match (dice.below(13), some) {
            (0..=2, _) | (3..=8, None) => {
                let session = SessionId(dice.below(4) as u64);
                let number = round.join(session, ticket, |_| ());
                assert_eq!(number.is_some(), model.parties.len() < model.most);
                let known = |number| Known { number, session, joined: ticket, waits: None };
                model.parties.extend(number.map(known));
                Told::new()
            }
            (3..=6, Some(party)) => arrive(round, model, party, ticket),
            (7, Some(party)) => {
                let Some(ticket) = party.waits else { return Told::new() };
                round.give_up(ticket);
                model.order.retain(|other| *other != ticket);
                model.end(true)
            }
            (8 | 11, Some(party)) => {
                if dice.below(2) == 0 {
                    round.leave(party.number, party.session);
                } else {
                    round.undo(party.joined);
                }
                model.go(|other| other.number == party.number, false)
            }
            (9 | 10, _) => {
                let told = model.end(true);
                model.broken = false;
                round.reset();
                told
            }
            _ => {
                let (session, died) = (SessionId(dice.below(4) as u64), dice.below(2) == 0);
                round.bury(session, died);
                model.go(|party| party.session == session, died)
            }
        }
    }

    #[test]
    fn all_meet_or_all_are_told_in_random_schedules() {
        for seed in 1..=600 {
            let (mut dice, most) = (Dice(seed * 0x9e37_79b9), 1 + (seed % 4) as usize);
            let mut round = Round::new(most as u32);
            let (parties, order) = (Vec::new(), Vec::new());
            let mut model = Model { most, parties, order, broken: false };
            for number in 0..150 {
                let expected = step(&mut dice, &mut round, &mut model, ticket(number));
                let told: Told = std::iter::from_fn(|| round.told()).collect();
                assert_eq!(told, expected);
                assert_eq!(round.is_broken(), model.broken);
                assert_eq!(round.waiting(), model.order.len());
                assert!(round.waiting() < most, "all are there and nobody goes on");
            }
            (0..4).for_each(|session| round.bury(SessionId(session), true));
            assert_eq!((round.waiting(), round.parties.len()), (0, 0));
        }
    }
}

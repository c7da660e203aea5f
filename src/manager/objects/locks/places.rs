//! Who waits to be notified: places in the order in which they were taken.
//!
//! A place is taken before its owner gives its mutex back, so no notification between the two is missed. Called, a place is
//! gone once its owner was told; an owner that never learnt it hands the call on.

use std::collections::VecDeque;

use crate::manager::{SessionId, Ticket};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its owner has not asked yet.
    Taken,
    Waits(Ticket),
    /// Called before its owner asked.
    Called,
}

#[derive(Debug)]
struct Place {
    number: u64,
    session: SessionId,
    state: State,
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Called,
    Waits,
    /// There is no such place.
    Unknown,
}

#[derive(Debug, Default)]
pub struct Places {
    line: VecDeque<Place>,
    next: u64,
    /// Tickets of those that were called, for [`told`](Self::told).
    told: VecDeque<Ticket>,
}

impl Places {
    /// Takes a place at the end, and says its number.
    pub fn take(&mut self, session: SessionId) -> u64 {
        let number = self.next;
        self.next += 1;
        self.line.push_back(Place { number, session, state: State::Taken });
        number
    }

    /// The owner of the place waits there as `ticket`, unless it was called.
    pub fn ask(&mut self, number: u64, session: SessionId, ticket: Ticket) -> Asked {
        let Some(index) = self.index(number, session) else {
            return Asked::Unknown;
        };
        match self.line[index].state {
            State::Called => {
                self.line.remove(index);
                Asked::Called
            }
            State::Taken => {
                self.line[index].state = State::Waits(ticket);
                Asked::Waits
            }
            State::Waits(_) => Asked::Unknown,
        }
    }

    /// Calls as many as `count`, the first first.
    pub fn call(&mut self, count: u32) {
        let mut left = count;
        let told = &mut self.told;
        self.line.retain_mut(|place| match place.state {
            State::Taken if left > 0 => {
                left -= 1;
                place.state = State::Called;
                true
            }
            State::Waits(ticket) if left > 0 => {
                left -= 1;
                told.push_back(ticket);
                false
            }
            _ => true,
        });
    }

    /// The next to be told that it was called. To be asked until there is none, after [`call`](Self::call) and what may call.
    pub fn told(&mut self) -> Option<Ticket> {
        self.told.pop_front()
    }

    /// How many wait and were not called.
    pub fn waiting(&self) -> usize {
        self.line.iter().filter(|place| place.state != State::Called).count()
    }

    /// The owner of the place does not want it any more. A call that it has not heard goes to the next.
    pub fn leave(&mut self, number: u64, session: SessionId) {
        if let Some(index) = self.index(number, session) {
            let place = self.line.remove(index);
            self.hand_on(place.is_some_and(|place| place.state == State::Called).into());
        }
    }

    /// Who waits as `ticket` does not any more.
    pub fn cancel(&mut self, ticket: Ticket) {
        self.line.retain(|place| place.state != State::Waits(ticket));
    }

    /// The places of a session that has ended are gone; calls that it has not heard go to the next.
    pub fn bury(&mut self, session: SessionId) {
        let mut unheard = 0;
        self.line.retain(|place| {
            unheard += u32::from(place.session == session && place.state == State::Called);
            place.session != session
        });
        self.hand_on(unheard);
    }

    /// So many were called that never learnt it.
    pub fn hand_on(&mut self, unheard: u32) {
        if unheard > 0 {
            self.call(unheard);
        }
    }

    fn index(&self, number: u64, session: SessionId) -> Option<usize> {
        let index = self.line.binary_search_by_key(&number, |place| place.number).ok()?;
        (self.line[index].session == session).then_some(index)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation, reason = "small numbers")]

    use super::*;
    use crate::manager::objects::dice::{Dice, ticket};

    /// A waiter as the model sees it.
    #[derive(Clone, Copy, Debug)]
    struct Waiter {
        number: u64,
        session: SessionId,
        ticket: Option<Ticket>,
        called: bool,
    }

    struct Model {
        waiters: Vec<Waiter>,
    }

    impl Model {
        /// Calls the first `count` that are not called; those who wait hear it at once.
        fn call(&mut self, count: usize) -> Vec<Ticket> {
            let uncalled = self.waiters.iter_mut().filter(|waiter| !waiter.called);
            for waiter in uncalled.take(count) {
                waiter.called = true;
            }
            let hear = |waiter: &Waiter| if waiter.called { waiter.ticket } else { None };
            let heard = self.waiters.iter().filter_map(hear).collect();
            self.waiters.retain(|waiter| hear(waiter).is_none());
            heard
        }

        fn remove(&mut self, gone: impl Fn(&Waiter) -> bool) -> Vec<Ticket> {
            let unheard =
                self.waiters.iter().filter(|waiter| gone(waiter) && waiter.called).count();
            self.waiters.retain(|waiter| !gone(waiter));
            self.call(unheard)
        }
    }

    fn step(
        dice: &mut Dice,
        places: &mut Places,
        model: &mut Model,
        ticket: Ticket,
    ) -> Vec<Ticket> {
        let some = dice.pick(&model.waiters);
        match (dice.below(8), some) {
            (0 | 1, _) | (2..=5, None) => {
                let session = SessionId(dice.below(3) as u64);
                let number = places.take(session);
                model.waiters.push(Waiter { number, session, ticket: None, called: false });
                Vec::new()
            }
            (2 | 3, Some(waiter)) => {
                let asked = places.ask(waiter.number, waiter.session, ticket);
                let expected = match (waiter.ticket, waiter.called) {
                    (Some(_), _) => Asked::Unknown,
                    (None, true) => Asked::Called,
                    (None, false) => Asked::Waits,
                };
                assert_eq!(asked, expected);
                let is_it = |other: &Waiter| other.number == waiter.number;
                match asked {
                    Asked::Called => model.waiters.retain(|other| !is_it(other)),
                    Asked::Waits => {
                        let mut all = model.waiters.iter_mut();
                        all.find(|other| is_it(other)).unwrap().ticket = Some(ticket);
                    }
                    Asked::Unknown => {}
                }
                Vec::new()
            }
            (4, Some(waiter)) => {
                places.leave(waiter.number, waiter.session);
                model.remove(|other| other.number == waiter.number)
            }
            (5, Some(waiter)) => {
                let Some(ticket) = waiter.ticket else { return Vec::new() };
                places.cancel(ticket);
                model.remove(|other| other.ticket == Some(ticket))
            }
            (6, _) => {
                let session = SessionId(dice.below(3) as u64);
                places.bury(session);
                model.remove(|waiter| waiter.session == session)
            }
            _ => {
                let count = [1, 1, 2, u32::MAX][dice.below(4)];
                places.call(count);
                model.call(count as usize)
            }
        }
    }

    #[test]
    fn each_call_goes_to_the_first_who_can_hear_it_in_random_schedules() {
        for seed in 1..=400 {
            let mut dice = Dice(seed * 0x9e37_79b9);
            let (mut places, mut model) = (Places::default(), Model { waiters: Vec::new() });
            for number in 0..120 {
                let expected = step(&mut dice, &mut places, &mut model, ticket(number));
                let told: Vec<Ticket> = std::iter::from_fn(|| places.told()).collect();
                assert_eq!(told, expected);
                assert_eq!(places.line.len(), model.waiters.len());
            }
            (0..3).for_each(|session| places.bury(SessionId(session)));
            assert!(places.line.is_empty());
        }
    }

    #[test]
    fn a_place_is_its_sessions_alone() {
        let mut places = Places::default();
        let number = places.take(SessionId(1));
        assert_eq!(places.ask(number, SessionId(2), ticket(5)), Asked::Unknown);
        places.leave(number, SessionId(2));
        assert_eq!(places.ask(number, SessionId(1), ticket(6)), Asked::Waits);
    }
}

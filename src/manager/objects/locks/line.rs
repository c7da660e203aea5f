//! So many units, those who have some of them, and those who wait for some: in a line, first come, first served.
//!
//! A mutex is one unit. Of a lock with readers and a writer a reader takes one and a writer all. Of permits each takes one.
//!
//! Invariants: what is free and what the leases have is all there is; who stands first in the line wants more than is free, once
//! [`admit`](Line::admit) has said that there is nobody to admit. Nobody overtakes, so nobody starves.

use std::collections::VecDeque;

use crate::manager::{SessionId, Ticket};

/// Who wants so many units, or has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    pub ticket: Ticket,
    pub session: SessionId,
    pub units: u32,
}

/// `L` is a lease, which lives while its party has what it wanted.
#[derive(Debug)]
pub struct Line<L> {
    free: u32,
    leases: Vec<(Party, L)>,
    waiting: VecDeque<Party>,
}

impl<L> Line<L> {
    pub fn new(units: u32) -> Self {
        Self { free: units, leases: Vec::new(), waiting: VecDeque::new() }
    }

    /// Gives `party` what it wants, as `lend` makes the lease, if nobody stands before it.
    pub fn take(&mut self, party: Party, lend: impl FnOnce(SessionId) -> L) -> bool {
        let taken = self.waiting.is_empty() && party.units <= self.free;
        if taken {
            self.lease(party, lend);
        }
        taken
    }

    /// `party` stands at the end of the line.
    pub fn wait(&mut self, party: Party) {
        self.waiting.push_back(party);
    }

    /// The next who gets what it waited for. To be asked until there is none, whenever somebody gave back or left.
    pub fn admit(&mut self, lend: impl FnOnce(SessionId) -> L) -> Option<Party> {
        let party = *self.waiting.front()?;
        if party.units > self.free {
            return None;
        }
        self.waiting.pop_front();
        self.lease(party, lend);
        Some(party)
    }

    /// Who waited as `ticket` does not any more.
    pub fn leave(&mut self, ticket: Ticket) {
        self.waiting.retain(|party| party.ticket != ticket);
    }

    /// Takes back what was leased to `ticket`.
    pub fn give_back(&mut self, ticket: Ticket) -> Option<Party> {
        let place = self.leases.iter().rposition(|(party, _)| party.ticket == ticket)?;
        let (party, _) = self.leases.swap_remove(place);
        self.free += party.units;
        Some(party)
    }

    /// Takes back one lease of a session that has ended and waits no more. To be asked until there is none.
    pub fn bury(&mut self, session: SessionId) -> Option<Party> {
        let (party, _) = self.leases.iter().find(|(party, _)| party.session == session)?;
        self.give_back(party.ticket)
    }

    /// Who has what was leased to `ticket`.
    pub fn holder(&self, ticket: Ticket) -> Option<&Party> {
        let party = self.leases.iter().find(|(party, _)| party.ticket == ticket);
        party.map(|(party, _)| party)
    }

    pub fn free(&self) -> u32 {
        self.free
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn lease(&mut self, party: Party, lend: impl FnOnce(SessionId) -> L) {
        self.free -= party.units;
        self.leases.push((party, lend(party.session)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation, reason = "small numbers")]

    use super::*;
    use crate::manager::objects::dice::{Dice, ticket};

    /// A lease that says whose it is.
    fn lend(to: SessionId) -> SessionId {
        to
    }

    /// What a line must be, said without saying how: each event, and who was before whom.
    struct Reference {
        units: u32,
        came: Vec<Party>,
        has: Vec<Party>,
    }

    impl Reference {
        fn check(&self, line: &Line<SessionId>) {
            let taken: u32 = self.has.iter().map(|party| party.units).sum();
            assert!(taken <= self.units, "more is leased than there is");
            assert_eq!(line.free(), self.units - taken);
            assert_eq!(line.leases.len(), self.has.len());
            assert!(line.leases.iter().all(|(party, lease)| party.session == *lease));
            assert_eq!(line.waiting.iter().copied().collect::<Vec<_>>(), self.came);
            if let Some(first) = self.came.first() {
                assert!(first.units > line.free(), "somebody waits for what is free");
            }
        }

        fn admitted(&mut self, party: Party) {
            assert_eq!(self.came.remove(0), party, "somebody overtook");
            self.has.push(party);
        }
    }

    fn step(dice: &mut Dice, line: &mut Line<SessionId>, model: &mut Reference, number: u64) {
        match dice.below(8) {
            0..=3 => {
                let units = if dice.below(4) == 0 { model.units } else { 1 };
                let session = SessionId(dice.below(4) as u64);
                let party = Party { ticket: ticket(number), session, units };
                if line.take(party, lend) {
                    assert!(model.came.is_empty(), "somebody overtook");
                    model.has.push(party);
                } else {
                    line.wait(party);
                    model.came.push(party);
                }
            }
            4 | 5 => {
                let Some(party) = dice.pick(&model.has) else { return };
                assert_eq!(line.give_back(party.ticket), Some(party));
                assert_eq!(line.give_back(party.ticket), None);
                model.has.retain(|other| *other != party);
            }
            6 => {
                let Some(party) = dice.pick(&model.came) else { return };
                line.leave(party.ticket);
                model.came.retain(|other| *other != party);
            }
            _ => {
                let session = SessionId(dice.below(4) as u64);
                let theirs = model.came.iter().filter(|party| party.session == session);
                theirs.for_each(|party| line.leave(party.ticket));
                while let Some(party) = line.bury(session) {
                    assert!(model.has.contains(&party));
                    model.has.retain(|other| *other != party);
                }
                assert!(model.has.iter().all(|party| party.session != session));
                model.came.retain(|party| party.session != session);
            }
        }
    }

    #[test]
    fn nobody_overtakes_or_waits_for_what_is_free_in_random_schedules() {
        for seed in 1..=400 {
            let (mut dice, units) = (Dice(seed * 0x9e37_79b9), 1 + (seed % 3) as u32);
            let mut line = Line::new(units);
            let mut model = Reference { units, came: Vec::new(), has: Vec::new() };
            for number in 0..120 {
                step(&mut dice, &mut line, &mut model, number);
                while let Some(party) = line.admit(lend) {
                    model.admitted(party);
                }
                model.check(&line);
            }
            model.came.iter().for_each(|party| line.leave(party.ticket));
            for session in 0..4 {
                while line.bury(SessionId(session)).is_some() {}
            }
            assert_eq!((line.free(), line.leases.len()), (units, 0), "counts come back");
            assert!(line.waiting.is_empty());
        }
    }

    #[test]
    fn who_comes_while_a_writer_waits_stands_behind_it() {
        let party = |number, units| Party { ticket: ticket(number), session: SessionId(0), units };
        let mut line = Line::new(u32::MAX);
        assert!(line.take(party(1, 1), lend));
        assert!(!line.take(party(2, u32::MAX), lend));
        line.wait(party(2, u32::MAX));
        assert!(!line.take(party(3, 1), lend), "a reader would starve the writer");
        line.wait(party(3, 1));
        line.give_back(ticket(1));
        assert_eq!(line.admit(lend), Some(party(2, u32::MAX)));
        assert_eq!(line.admit(lend), None);
    }
}

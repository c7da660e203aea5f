//! Send, as far as it matters to waiting.

use super::config::{Config, Mutant, Role, Slot};
use super::machine::Machine;
use super::state::{At, CLOSED, Event, Todo, Word};

impl Machine<'_> {
    /// Whether its claims are of several slots, and done with before the wait is over.
    pub fn is_batch(&self) -> bool {
        Config::most(self.config.threads[self.me].role) > 1
    }

    /// How many slots the next claim may have.
    pub fn most(&self) -> u8 {
        let role = self.config.threads[self.me].role;
        let left = Config::messages(role) - self.state.threads[self.me].done;
        Config::most(role).min(left).min(self.config.slots)
    }

    pub fn send(&mut self, at: At) -> At {
        match at {
            At::ReadTail => At::ReadRoom { tail: self.load(Word::Tail), count: 0 },
            At::ReadRoom { tail, .. } if tail & CLOSED != 0 => self.end(),
            At::ReadRoom { tail, count } => {
                let position = tail + count;
                let vacant = self.config.word(position, Slot::Vacant);
                match self.load(self.config.slot(position)) == vacant {
                    true if count + 1 < self.most() => At::ReadRoom { tail, count: count + 1 },
                    true => At::ClaimTail { tail, count: count + 1 },
                    false if count > 0 => At::ClaimTail { tail, count },
                    false => At::ReadTailAgain { tail },
                }
            }
            At::ReadTailAgain { tail } => match self.load(Word::Tail) {
                now if now != tail => At::ReadRoom { tail: now, count: 0 },
                _ => self.found_nothing(),
            },
            At::ClaimTail { tail, count } if !self.swap(Word::Tail, tail, tail + count) => {
                At::ReadTail
            }
            At::ClaimTail { tail, count } if self.is_batch() => {
                At::Commit { position: tail, left: count, count }
            }
            // What was waited for is the claim.
            At::ClaimTail { tail: position, .. } => {
                self.then(&[Todo::Leave, Todo::Commit { position }])
            }
            At::Commit { position, .. } if self.is_victim() => At::Dead { position },
            At::Commit { position, .. } if self.gives_up() => {
                self.store(self.config.slot(position), self.config.word(position, Slot::Aborted));
                if self.config.is(Mutant::QuitTellsNobody) {
                    return self.then(&[Todo::Count(1)]);
                }
                self.then(&[Todo::Tell(Event::NotEmpty, u8::MAX), Todo::Count(1)])
            }
            At::Commit { position, left, count } => {
                self.store(self.config.slot(position), self.config.word(position, Slot::Filled));
                if left > 1 {
                    return At::Commit { position: position + 1, left: left - 1, count };
                }
                let told = Todo::Tell(Event::NotEmpty, count);
                self.then(&[Todo::Leave, told, Todo::Count(count)])
            }
            _ => unreachable!("a producer is elsewhere"),
        }
    }

    fn is_victim(&self) -> bool {
        self.config.threads[self.me].role == Role::Victim
    }

    /// Whether this operation is the one that comes to nothing.
    pub fn gives_up(&self) -> bool {
        let role = self.config.threads[self.me].role;
        matches!(role, Role::Quitter(_) | Role::PutsBack(_))
            && self.state.threads[self.me].done == 0
    }
}

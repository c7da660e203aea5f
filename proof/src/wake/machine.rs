//! One step of one thread: an access to memory through its store buffer, or a call of the kernel.
//!
//! A store goes into the thread's own buffer and from there, later, to memory; its own loads see it
//! at once. A read-modify-write, and a call of the kernel, waits until the buffer is empty.

use super::config::{Config, Mutant, Role, Slot};
use super::state::{At, CLOSED, Event, State, Todo, Word};

/// A state while thread `me` makes a step in it.
pub struct Machine<'c> {
    /// What is modelled.
    pub config: &'c Config,
    /// The state.
    pub state: State,
    /// The thread.
    pub me: usize,
}

impl Machine<'_> {
    pub fn load(&self, word: Word) -> u8 {
        let stores = self.state.threads[self.me].stores.iter().rev().flatten();
        let own = stores.filter(|(to, _)| *to == word).map(|(_, value)| *value);
        own.into_iter().next().unwrap_or(self.state.memory[word.place()])
    }

    pub fn store(&mut self, word: Word, value: u8) {
        if !self.config.buffered {
            self.state.memory[word.place()] = value;
            return;
        }
        let room = self.state.threads[self.me].stores.iter_mut().find(|store| store.is_none());
        *room.expect("stores are few") = Some((word, value));
    }

    pub fn swap(&mut self, word: Word, from: u8, to: u8) -> bool {
        let won = self.state.memory[word.place()] == from;
        if won {
            self.state.memory[word.place()] = to;
        }
        won
    }

    pub fn change(&mut self, word: Word, change: impl Fn(u8) -> u8) {
        self.state.memory[word.place()] = change(self.state.memory[word.place()]);
    }

    /// What it waits for.
    pub fn event(&self) -> Event {
        match self.config.threads[self.me].role {
            Role::Sender(_) | Role::PairSender(_) | Role::Quitter(_) | Role::Victim => {
                Event::NotFull
            }
            _ => Event::NotEmpty,
        }
    }

    pub fn is_enrolled(&self) -> bool {
        self.state.threads[self.me].enrolled.is_some()
    }

    /// Whether the next step needs an empty buffer.
    pub fn is_ordered(&self) -> bool {
        matches!(
            self.state.threads[self.me].at,
            At::ClaimTail { .. }
                | At::TakeAgain { .. }
                | At::ClearPending { .. }
                | At::HelpClose { .. }
                | At::ClaimHead { .. }
                | At::GiveBack { .. }
                | At::Announce { .. }
                | At::CloseTail
                | At::Enrol
                | At::CountSleep
                | At::FallAsleep { .. }
                | At::Reap
                | At::Leave
                | At::ChangeEpoch { .. }
                | At::Wake { .. }
        )
    }

    /// Makes the step; `choice` is the sleeper to wake.
    pub fn step(&mut self, choice: usize) {
        let at = self.state.threads[self.me].at;
        let next = match at {
            At::Done | At::Holding | At::Dead { .. } | At::Next => at,
            At::ReadTail
            | At::ReadRoom { .. }
            | At::ReadTailAgain { .. }
            | At::ClaimTail { .. }
            | At::Commit { .. } => self.send(at),
            At::ReadRedeliver
            | At::Look { .. }
            | At::TakeAgain { .. }
            | At::ClearPending { .. }
            | At::Announce { .. } => self.take_again(at),
            At::ReadHead
            | At::ReadSlot { .. }
            | At::ReadHeadAgain { .. }
            | At::ReadClosed { .. }
            | At::HelpClose { .. }
            | At::ReadPending
            | At::ClaimHead { .. }
            | At::GiveBack { .. }
            | At::Finish { .. } => self.receive(at),
            At::RaiseFlag => {
                self.store(Word::Closed, 1);
                At::CloseTail
            }
            At::CloseTail => {
                self.change(Word::Tail, |tail| tail | CLOSED);
                if self.config.is(Mutant::CloseTellsNobody) {
                    self.then(&[Todo::Count(1)])
                } else {
                    let both = [Event::NotEmpty, Event::NotFull].map(Todo::TellAll);
                    self.then(&[both[0], both[1], Todo::Count(1)])
                }
            }
            _ => self.wait(at, choice),
        };
        self.state.threads[self.me].at = next;
        self.go_on();
    }

    /// Sets what is to be done after an operation.
    pub fn then(&mut self, todo: &[Todo]) -> At {
        self.state.threads[self.me].todo[..todo.len()].copy_from_slice(todo);
        At::Next
    }

    /// Goes to what is to be done next, which takes no step.
    fn go_on(&mut self) {
        while self.state.threads[self.me].at == At::Next {
            let role = self.config.threads[self.me].role;
            let thread = &mut self.state.threads[self.me];
            thread.at = match thread.next_todo() {
                Todo::Nothing if thread.done == Config::messages(role) => At::Done,
                Todo::Nothing | Todo::Retry => Config::begin(role),
                Todo::Tell(event, count) => At::ReadWaiters { event, count },
                Todo::TellAll(event) => At::ChangeEpoch { event, count: u8::MAX },
                Todo::Leave if thread.enrolled.is_some() => At::Leave,
                Todo::Leave => At::Next,
                Todo::Commit { position } => At::Commit { position, left: 1, count: 1 },
                Todo::Finish { position } => At::Finish { position, left: 1, count: 1 },
                Todo::Count(count) => {
                    thread.done += count;
                    At::Next
                }
                Todo::Hold => At::Holding,
            };
        }
    }

    /// Ends all operations of this thread: the ring is closed.
    pub fn end(&mut self) -> At {
        self.state.threads[self.me].done = Config::messages(self.config.threads[self.me].role) - 1;
        self.then(&[Todo::Leave, Todo::Count(1)])
    }

    /// Whether the operation that this thread sleeps on could succeed as memory is.
    pub fn could_succeed(&self) -> bool {
        let memory = &self.state.memory;
        let tail = memory[Word::Tail.place()];
        let head = memory[Word::Head.place()];
        let closed = tail & CLOSED != 0;
        let slot = |position| memory[self.config.slot(position).place()];
        match self.event() {
            Event::NotFull => {
                let at = tail & !CLOSED;
                closed || slot(at) == self.config.word(at, Slot::Vacant)
            }
            Event::NotEmpty => {
                let waits = |index| memory[Word::Slot(index).place()] % 8 == Slot::Redeliver as u8;
                slot(head) == self.config.word(head, Slot::Filled)
                    || slot(head) == self.config.word(head, Slot::Aborted)
                    || (0..self.config.slots).any(waits)
                    || (closed && tail & !CLOSED == head)
            }
        }
    }
}

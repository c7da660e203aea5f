//! One step of one thread: an access to memory through its store buffer, or a call of the kernel.
//!
//! A store goes into the thread's own buffer and from there, later, to memory; its own loads see it at
//! once. A read-modify-write, and a call of the kernel, waits until the buffer is empty.

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
    fn load(&self, word: Word) -> u8 {
        let stores = self.state.threads[self.me].stores.iter().rev().flatten();
        let own = stores.filter(|(to, _)| *to == word).map(|(_, value)| *value);
        own.into_iter().next().unwrap_or(self.state.memory[word.place()])
    }

    fn store(&mut self, word: Word, value: u8) {
        if !self.config.buffered {
            self.state.memory[word.place()] = value;
            return;
        }
        let room = self.state.threads[self.me].stores.iter_mut().find(|store| store.is_none());
        *room.expect("stores are few") = Some((word, value));
    }

    fn swap(&mut self, word: Word, from: u8, to: u8) -> bool {
        let won = self.state.memory[word.place()] == from;
        if won {
            self.state.memory[word.place()] = to;
        }
        won
    }

    fn change(&mut self, word: Word, change: impl Fn(u8) -> u8) {
        self.state.memory[word.place()] = change(self.state.memory[word.place()]);
    }

    /// What it waits for.
    fn event(&self) -> Event {
        match self.config.threads[self.me].role {
            Role::Sender(_) | Role::Quitter(_) => Event::NotFull,
            _ => Event::NotEmpty,
        }
    }

    fn is_enrolled(&self) -> bool {
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
                | At::FallAsleep { .. }
                | At::Leave
                | At::ChangeEpoch { .. }
                | At::Wake { .. }
        )
    }

    /// Makes the step; `choice` is the sleeper to wake.
    pub fn step(&mut self, choice: usize) {
        let at = self.state.threads[self.me].at;
        let next = match at {
            At::Done | At::Holding | At::Next => at,
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
                    self.then(&[Todo::Count])
                } else {
                    let both = [Event::NotEmpty, Event::NotFull].map(Todo::TellAll);
                    self.then(&[both[0], both[1], Todo::Count])
                }
            }
            _ => self.wait(at, choice),
        };
        self.state.threads[self.me].at = next;
        self.go_on();
    }

    /// Sets what is to be done after an operation.
    fn then(&mut self, todo: &[Todo]) -> At {
        self.state.threads[self.me].todo[..todo.len()].copy_from_slice(todo);
        At::Next
    }

    /// Goes to what is to be done next, which takes no step.
    fn go_on(&mut self) {
        while self.state.threads[self.me].at == At::Next {
            let role = self.config.threads[self.me].role;
            let thread = &mut self.state.threads[self.me];
            thread.at = match thread.next_todo() {
                Todo::Nothing if thread.done == Config::operations(role) => At::Done,
                Todo::Nothing | Todo::Retry => Config::begin(role),
                Todo::Tell(event, count) => At::ReadWaiters { event, count },
                Todo::TellAll(event) => At::ChangeEpoch { event, count: u8::MAX },
                Todo::Leave if thread.enrolled.is_some() => At::Leave,
                Todo::Leave => At::Next,
                Todo::Commit { position } => At::Commit { position },
                Todo::Finish { slot, index } => At::Finish { slot, index },
                Todo::Count => {
                    thread.done += 1;
                    At::Next
                }
                Todo::Hold => At::Holding,
            };
        }
    }

    /// Ends all operations of this thread: the ring is closed.
    fn end(&mut self) -> At {
        self.state.threads[self.me].done =
            Config::operations(self.config.threads[self.me].role) - 1;
        self.then(&[Todo::Leave, Todo::Count])
    }

    fn send(&mut self, at: At) -> At {
        match at {
            At::ReadTail => At::ReadRoom { tail: self.load(Word::Tail) },
            At::ReadRoom { tail } if tail & CLOSED != 0 => self.end(),
            At::ReadRoom { tail } => {
                let vacant = self.config.word(tail, Slot::Vacant);
                match self.load(self.config.slot(tail)) == vacant {
                    true => At::ClaimTail { tail },
                    false => At::ReadTailAgain { tail },
                }
            }
            At::ReadTailAgain { tail } => match self.load(Word::Tail) {
                now if now != tail => At::ReadRoom { tail: now },
                _ => self.found_nothing(),
            },
            At::ClaimTail { tail } if !self.swap(Word::Tail, tail, tail + 1) => At::ReadTail,
            At::ClaimTail { tail } if self.gives_up() => {
                // A reservation: receivers are told of nothing yet, as the code does.
                let told = Todo::Tell(Event::NotEmpty, 1);
                self.then(&[told, Todo::Leave, Todo::Commit { position: tail }])
            }
            At::ClaimTail { tail } => At::Commit { position: tail },
            At::Commit { position } if self.gives_up() => {
                self.store(self.config.slot(position), self.config.word(position, Slot::Aborted));
                if self.config.is(Mutant::QuitTellsNobody) {
                    return self.then(&[Todo::Count]);
                }
                self.then(&[Todo::Tell(Event::NotEmpty, u8::MAX), Todo::Count])
            }
            At::Commit { position } => {
                self.store(self.config.slot(position), self.config.word(position, Slot::Filled));
                self.then(&[Todo::Tell(Event::NotEmpty, 1), Todo::Leave, Todo::Count])
            }
            _ => unreachable!("a producer is elsewhere"),
        }
    }

    /// Whether this operation is the one that comes to nothing.
    fn gives_up(&self) -> bool {
        let role = self.config.threads[self.me].role;
        matches!(role, Role::Quitter(_) | Role::PutsBack(_))
            && self.state.threads[self.me].done == 0
    }

    fn take_again(&mut self, at: At) -> At {
        match at {
            At::ReadRedeliver => match self.load(Word::Redeliver) {
                word if word & 1 == 0 => At::ReadHead,
                word => At::Look { word, index: 0 },
            },
            At::Look { word, index } if index == self.config.slots => At::ClearPending { word },
            At::Look { word, index } => match self.load(Word::Slot(index)) {
                slot if slot % 8 == Slot::Redeliver as u8 => At::TakeAgain { word, index, slot },
                _ => At::Look { word, index: index + 1 },
            },
            At::TakeAgain { word, index, slot } => {
                let reading = slot / 8 * 8 + Slot::Reading as u8;
                match self.swap(Word::Slot(index), slot, reading) {
                    true => self.received(slot, index),
                    false => At::Look { word, index: index + 1 },
                }
            }
            At::ClearPending { word } => {
                self.swap(Word::Redeliver, word, word & !1);
                At::ReadHead
            }
            At::Announce { word } if !self.swap(Word::Redeliver, word, (word | 1) + 2) => {
                At::Announce { word: self.state.memory[Word::Redeliver.place()] }
            }
            At::Announce { .. } if self.config.is(Mutant::PutBackTellsNobody) => {
                self.then(&[Todo::Count])
            }
            At::Announce { .. } => self.then(&[Todo::Tell(Event::NotEmpty, 1), Todo::Count]),
            _ => unreachable!("a consumer is elsewhere"),
        }
    }

    /// A message is in hand: the wait is over, and then it is acknowledged, put back or held.
    fn received(&mut self, slot: u8, index: u8) -> At {
        if self.config.threads[self.me].role == Role::Holder {
            return self.then(&[Todo::Leave, Todo::Hold]);
        }
        if self.gives_up() {
            return self.then(&[Todo::Leave, Todo::Finish { slot, index }]);
        }
        At::Finish { slot, index }
    }

    fn receive(&mut self, at: At) -> At {
        match at {
            At::ReadHead => At::ReadSlot { head: self.load(Word::Head) },
            At::ReadSlot { head } => match self.load(self.config.slot(head)) {
                word if word == self.config.word(head, Slot::Filled) => {
                    At::ClaimHead { head, aborted: false }
                }
                word if word == self.config.word(head, Slot::Aborted) => {
                    At::ClaimHead { head, aborted: true }
                }
                _ => At::ReadHeadAgain { head },
            },
            At::ReadHeadAgain { head } => match self.load(Word::Head) {
                now if now != head => At::ReadSlot { head: now },
                _ => At::ReadClosed { head },
            },
            At::ReadClosed { .. } if self.load(Word::Closed) == 0 => self.found_nothing(),
            At::ReadClosed { head } => At::HelpClose { head },
            At::HelpClose { head } => {
                self.change(Word::Tail, |tail| tail | CLOSED);
                match self.state.memory[Word::Tail.place()] & !CLOSED == head {
                    true => At::ReadPending,
                    false => self.found_work(),
                }
            }
            At::ReadPending if self.load(Word::Redeliver) & 1 != 0 => self.found_nothing(),
            At::ReadPending => self.end(),
            At::ClaimHead { head, .. } if !self.swap(Word::Head, head, head + 1) => At::ReadHead,
            At::ClaimHead { head, aborted: true } => At::GiveBack { head },
            At::ClaimHead { head, .. } => {
                let slot = self.config.word(head, Slot::Reading);
                self.received(slot, head % self.config.slots)
            }
            At::GiveBack { head } => {
                let next = self.config.word(head + self.config.slots, Slot::Vacant);
                self.change(self.config.slot(head), |_| next);
                if self.config.is(Mutant::SkipTellsNobody) {
                    return self.then(&[Todo::Retry]);
                }
                self.then(&[Todo::Tell(Event::NotFull, 1), Todo::Retry])
            }
            At::Finish { slot, index } if self.gives_up() => {
                self.store(Word::Slot(index), slot / 8 * 8 + Slot::Redeliver as u8);
                At::Announce { word: self.load(Word::Redeliver) }
            }
            At::Finish { slot, index } => {
                self.store(Word::Slot(index), slot / 8 * 8 + 8 + Slot::Vacant as u8);
                self.then(&[Todo::Leave, Todo::Tell(Event::NotFull, 1), Todo::Count])
            }
            _ => unreachable!("a consumer is elsewhere"),
        }
    }

    /// A try came to nothing: enrol and try again, or see whether anybody is at work.
    fn found_nothing(&self) -> At {
        match self.is_enrolled() {
            false => At::Enrol,
            true if self.config.is(Mutant::NobodyIsAtWork) => At::FallAsleep { capped: false },
            true => At::QuietFirst,
        }
    }

    /// A try found somebody at work.
    fn found_work(&self) -> At {
        match self.is_enrolled() {
            false => At::Enrol,
            true => At::FallAsleep { capped: self.config.capped },
        }
    }

    fn wait(&mut self, at: At, choice: usize) -> At {
        let event = self.event();
        match at {
            At::Enrol => {
                self.enrol(event);
                At::ReadEpoch
            }
            At::ReadEpoch => {
                self.state.threads[self.me].enrolled = Some(true);
                Config::begin(self.config.threads[self.me].role)
            }
            // A consumer reads the tail first, a producer the head.
            At::QuietFirst if event == Event::NotEmpty => {
                At::QuietSecond { first: self.load(Word::Tail) & !CLOSED }
            }
            At::QuietFirst => At::QuietSecond { first: self.load(Word::Head) },
            At::QuietSecond { first } if event == Event::NotEmpty => {
                match self.load(Word::Head) == first {
                    true => At::QuietRedeliver,
                    false => self.found_work(),
                }
            }
            At::QuietSecond { first } => {
                let tail = self.load(Word::Tail) & !CLOSED;
                match tail.wrapping_sub(first).min(self.config.slots) == self.config.slots {
                    true => At::FallAsleep { capped: false },
                    false => self.found_work(),
                }
            }
            At::QuietRedeliver if self.load(Word::Redeliver) & 1 != 0 => self.found_work(),
            At::QuietRedeliver => At::FallAsleep { capped: false },
            At::FallAsleep { capped } => {
                let as_read = self.state.threads[self.me].enrolled.replace(false) == Some(true);
                match as_read || self.config.is(Mutant::EpochAfterTry) {
                    true => At::Asleep { capped },
                    false => At::ReadEpoch,
                }
            }
            At::Asleep { .. } => At::ReadEpoch,
            At::Leave | At::MoreHead | At::MoreTail { .. } | At::MoreRedeliver => {
                self.leave(at, event)
            }
            _ => self.notify(at, choice),
        }
    }

    fn enrol(&mut self, event: Event) {
        let member = self.config.threads[self.me].member;
        let threads = &mut self.state.enrolled[usize::from(member)][event as usize];
        *threads += 1;
        if *threads == 1 && !self.config.is(Mutant::NoBits) {
            self.change(Word::Waiters(event), |bits| bits | 1 << member);
        }
        self.state.threads[self.me].enrolled = Some(false);
    }

    fn leave(&mut self, at: At, event: Event) -> At {
        match at {
            At::Leave => {
                let member = self.config.threads[self.me].member;
                let threads = &mut self.state.enrolled[usize::from(member)][event as usize];
                *threads -= 1;
                if *threads == 0 {
                    self.change(Word::Waiters(event), |bits| bits & !(1 << member));
                }
                self.state.threads[self.me].enrolled = None;
                if self.config.is(Mutant::NoBaton) { At::Next } else { At::MoreHead }
            }
            At::MoreHead => At::MoreTail { head: self.load(Word::Head) },
            At::MoreTail { head } => {
                let slots = self.config.slots;
                let len = (self.load(Word::Tail) & !CLOSED).wrapping_sub(head).min(slots);
                match event {
                    Event::NotEmpty if len == 0 => At::MoreRedeliver,
                    Event::NotFull if len == slots => At::Next,
                    _ => At::ReadWaiters { event, count: 1 },
                }
            }
            At::MoreRedeliver if self.load(Word::Redeliver) & 1 == 0 => At::Next,
            _ => At::ReadWaiters { event, count: 1 },
        }
    }

    fn notify(&mut self, at: At, choice: usize) -> At {
        match at {
            At::ReadWaiters { event, .. } if self.load(Word::Waiters(event)) == 0 => At::Next,
            At::ReadWaiters { event, count } => At::ChangeEpoch { event, count },
            At::ChangeEpoch { event, count } => {
                if !self.config.is(Mutant::EpochStays) {
                    self.change_epoch(event);
                }
                At::Wake { event, count }
            }
            At::Wake { event, count } => {
                let sleepers: Vec<usize> = self.sleepers(event).collect();
                let first = if count == 1 { choice } else { 0 };
                for &sleeper in sleepers.iter().skip(first).take(usize::from(count)) {
                    self.state.threads[sleeper].at = At::ReadEpoch;
                }
                At::Next
            }
            _ => unreachable!("every place has its step"),
        }
    }

    /// All who wait at `event` and have read the epoch find that it has changed.
    fn change_epoch(&mut self, event: Event) {
        for me in 0..self.config.threads.len() {
            let theirs = Machine { config: self.config, state: self.state, me }.event();
            let read = &mut self.state.threads[me].enrolled;
            if theirs == event && read.is_some() {
                *read = Some(false);
            }
        }
    }

    /// Threads asleep at `event`.
    pub fn sleepers(&self, event: Event) -> impl Iterator<Item = usize> {
        let is_asleep = move |&thread: &usize| {
            let machine = Machine { config: self.config, state: self.state, me: thread };
            matches!(self.state.threads[thread].at, At::Asleep { .. }) && machine.event() == event
        };
        (0..self.config.threads.len()).filter(is_asleep)
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

//! Receive, as far as it matters to waiting.

use super::config::{Mutant, Role, Slot};
use super::machine::Machine;
use super::state::{At, CLOSED, Event, Todo, Word};

impl Machine<'_> {
    pub fn take_again(&mut self, at: At) -> At {
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
                if self.swap(Word::Slot(index), slot, reading) {
                    return self.received(slot / 8 * self.config.slots + index, 1);
                }
                At::Look { word, index: index + 1 }
            }
            At::ClearPending { word } => {
                self.swap(Word::Redeliver, word, word & !1);
                At::ReadHead
            }
            At::Announce { word } if !self.swap(Word::Redeliver, word, (word | 1) + 2) => {
                At::Announce { word: self.state.memory[Word::Redeliver.place()] }
            }
            At::Announce { .. } if self.config.is(Mutant::PutBackTellsNobody) => {
                self.then(&[Todo::Count(1)])
            }
            At::Announce { .. } => self.then(&[Todo::Tell(Event::NotEmpty, 1), Todo::Count(1)]),
            _ => unreachable!("a consumer is elsewhere"),
        }
    }

    /// Messages are in hand. The wait is over, unless they are a batch: then they are acknowledged first.
    fn received(&mut self, position: u8, count: u8) -> At {
        if self.config.threads[self.me].role == Role::Holder {
            return self.then(&[Todo::Leave, Todo::Hold]);
        }
        if self.is_batch() {
            return At::Finish { position, left: count, count };
        }
        self.then(&[Todo::Leave, Todo::Finish { position }])
    }

    pub fn receive(&mut self, at: At) -> At {
        match at {
            At::ReadHead => At::ReadSlot { head: self.load(Word::Head), count: 0 },
            At::ReadSlot { head, count } => {
                let position = head + count;
                match self.load(self.config.slot(position)) {
                    word if word == self.config.word(position, Slot::Filled) => {
                        let count = count + 1;
                        if count < self.most() {
                            At::ReadSlot { head, count }
                        } else {
                            At::ClaimHead { head, count }
                        }
                    }
                    _ if count > 0 => At::ClaimHead { head, count },
                    word if word == self.config.word(head, Slot::Aborted) => {
                        At::ClaimHead { head, count }
                    }
                    _ => At::ReadHeadAgain { head },
                }
            }
            At::ReadHeadAgain { head } => match self.load(Word::Head) {
                now if now != head => At::ReadSlot { head: now, count: 0 },
                _ => At::ReadClosed { head },
            },
            At::ReadClosed { .. } if self.load(Word::Closed) == 0 => self.found_nothing(),
            At::ReadClosed { head } => At::HelpClose { head },
            At::HelpClose { head } => {
                self.change(Word::Tail, |tail| tail | CLOSED);
                let tail = self.state.memory[Word::Tail.place()] & !CLOSED;
                if tail == head { At::ReadPending } else { self.found_work() }
            }
            At::ReadPending if self.load(Word::Redeliver) & 1 != 0 => self.found_nothing(),
            At::ReadPending => self.end(),
            At::ClaimHead { head, count } if !self.swap(Word::Head, head, head + count.max(1)) => {
                At::ReadHead
            }
            At::ClaimHead { head, count: 0 } => At::GiveBack { head },
            At::ClaimHead { head, count } => self.received(head, count),
            At::GiveBack { head } => self.give_back(head),
            At::Finish { position, .. } if self.gives_up() => {
                self.store(self.config.slot(position), self.config.word(position, Slot::Redeliver));
                At::Announce { word: self.load(Word::Redeliver) }
            }
            At::Finish { position, left, count } => {
                let next = self.config.word(position + self.config.slots, Slot::Vacant);
                self.store(self.config.slot(position), next);
                if left > 1 {
                    return At::Finish { position: position + 1, left: left - 1, count };
                }
                let told = Todo::Tell(Event::NotFull, count);
                self.then(&[Todo::Leave, told, Todo::Count(count)])
            }
            _ => unreachable!("a consumer is elsewhere"),
        }
    }

    /// Receive 6, for an aborted slot: the caller tells a producer and begins again.
    fn give_back(&mut self, head: u8) -> At {
        let next = self.config.word(head + self.config.slots, Slot::Vacant);
        self.change(self.config.slot(head), |_| next);
        if self.config.is(Mutant::SkipTellsNobody) {
            return self.then(&[Todo::Retry]);
        }
        self.then(&[Todo::Tell(Event::NotFull, 1), Todo::Retry])
    }
}

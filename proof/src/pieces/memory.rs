//! What both sides do to shared memory, and the rules about it.

use super::config::Config;
use super::receiving::Receive;
use super::sending::Send;
use super::state::{At, Got, Item, State};
use crate::cursor::OutgoingWord;
use crate::frame;

/// A state while a side makes a step in it.
pub type Memory<'c> = frame::Memory<'c, Config, State>;

impl Memory<'_> {
    /// The producer goes on with `next`.
    pub fn send(&mut self, next: Send) {
        self.go(At::Send(next));
    }

    /// The consumer goes on with `next`.
    pub fn receive(&mut self, next: Receive) {
        self.go(At::Receive(next));
    }

    /// Whether there is room for a piece of `record` and, if it has several, the mark behind it.
    pub fn has_room(&self, record: u8) -> bool {
        let shared = &self.state.shared;
        let keeps = !self.config.is(super::Mutant::MarkWithoutRoom);
        let mark = u8::from(self.config.pieces(record) > 1 && keeps);
        // More than there is after a mark too many.
        (self.config.slots + shared.head).saturating_sub(shared.tail) > mark
    }

    /// Says that a record begins at the tail.
    pub fn say_beginning(&mut self) {
        let shared = &mut self.state.shared;
        shared.outgoing = OutgoingWord::begun_at(shared.tail.into()).bits();
    }

    /// Says that the record ends with what comes at the tail.
    pub fn say_end(&mut self) {
        let shared = &mut self.state.shared;
        shared.outgoing = OutgoingWord::ended_at(u64::from(shared.tail) + 1).bits();
    }

    /// Makes `item` visible.
    pub fn put(&mut self, item: Item) {
        let shared = &mut self.state.shared;
        let vacant = shared.tail < shared.head + self.config.slots;
        shared.slots[self.config.index(shared.tail)] = item;
        shared.tail += 1;
        self.rule(vacant, "there was no room for what was written");
    }

    /// The producer is done with `record`.
    pub fn end_record(&mut self, record: u8) {
        // An heir that cut its predecessor's short has its own to send.
        if self.config.next(self.state.threads[self.me].left) == record {
            return self.count();
        }
        self.begin();
    }

    /// The record that was begun last: the one that a producer who died was at.
    pub fn last_begun(&self) -> u8 {
        self.config.next(self.state.threads[self.me].left).saturating_sub(1)
    }

    /// Receivers have this much of `record` now.
    pub fn got(&mut self, record: u8, got: Got) {
        let fate = &mut self.state.shared.fates[usize::from(record)];
        let before = fate.got;
        fate.got = got;
        let (sent, fresh) = (fate.sent, before == Got::Nothing);
        match got {
            Got::Whole => {
                self.rule(sent, "a record was received that was not accepted");
                self.rule(fresh || before == Got::Part, "a record came again");
            }
            Got::Part => self.rule(fresh, "a record began again"),
            _ => {}
        }
    }
}

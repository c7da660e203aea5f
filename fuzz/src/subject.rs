//! Channels in use: one interface over all kinds, whose steps are calls of the library.
//!
//! No step waits longer than [`BRIEF`] for a peer, and each holds what must be so whatever lies in memory:
//! lengths are at most the capacity, messages at most as long as the channel carries, texts are made without a panic.

mod pair;
mod queue;

use std::fmt::Debug;
use std::time::Duration;

use arbitrary::Arbitrary;
use ringway::queue::{DeliveryPolicy, Message, Queue};
use ringway::{Barrier, Channel, Options, Wait};

use crate::place::{Name, small};

/// How long a step that waits does so.
pub const BRIEF: Duration = Duration::from_micros(100);

/// What a channel carries between whom.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Values, from many to many.
    Values,
    /// Bytes, from many to many.
    Bytes,
    /// Values, from one to one.
    Stream,
    /// Records, between two.
    Records,
}

/// What becomes of a message of a queue that is not acknowledged.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Delivery {
    AtLeastOnce,
    AtMostOnce,
    /// It is delivered again, and soon it is a dead letter.
    Few,
}

/// How a channel is made.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Setting {
    /// What it carries.
    pub kind: Kind,
    capacity: u8,
    delivery: Delivery,
    fence: bool,
    /// Seldom: to end a watch takes the kernel some ten milliseconds.
    watched: u8,
    waiting: u8,
}

impl Setting {
    /// Slots, or words of a pipe: 1 to 16, or 16 to 64.
    pub fn capacity(self) -> usize {
        let slots = 1 << (self.capacity % 5);
        if self.kind == Kind::Records { 16 * slots.min(4) * size_of::<u64>() } else { slots }
    }

    /// Options of a queue.
    fn queue<M: Message + ?Sized>(self, options: Options<Queue<M>>) -> Options<Queue<M>>
    where
        Queue<M>: Channel,
    {
        let options = self.options(options).max_members(3);
        match self.delivery {
            Delivery::AtLeastOnce => options,
            Delivery::AtMostOnce => options.delivery(DeliveryPolicy::AtMostOnce),
            Delivery::Few => options.dead_letters(2, 2),
        }
    }

    fn options<C: Channel>(self, options: Options<C>) -> Options<C> {
        let waits = [Wait::SpinThenPark, Wait::Park, Wait::Spin];
        let options = small(options)
            .capacity(self.capacity())
            .barrier(if self.fence { Barrier::Fence } else { Barrier::Auto })
            .wait(waits[usize::from(self.waiting) % waits.len()]);
        if self.watched % 32 == 31 { options.watch() } else { options }
    }

    /// Makes the channel, with a handle at each side.
    pub fn build(self, name: &Name) -> Box<dyn Subject> {
        match self.kind {
            Kind::Values => Box::new(queue::Many::new(self.queue(Queue::<u64>::options()), name)),
            Kind::Bytes => {
                let options = self.queue(Queue::<[u8]>::options()).message_len(32);
                // Longer ones in blocks; those that no block is long enough for in attachments.
                let options = if self.capacity & 64 != 0 {
                    options.blocks(64, 2).blocks(128, 1).max_message(255).attachments(1)
                } else {
                    options
                };
                Box::new(queue::Many::new(options, name))
            }
            Kind::Stream => Box::new(pair::Stream::new(self, name)),
            Kind::Records => Box::new(pair::Records::new(self, name)),
        }
    }
}

/// How a message goes in or out.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Manner {
    /// At once or not at all.
    Try,
    /// Waiting a little.
    Wait,
    /// Several at once, or into a buffer.
    Many,
    /// In place: finished, or given up.
    InPlace(bool),
}

/// One call, or few.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Step {
    /// Sends a message of so many bytes.
    Send(Manner, u8),
    /// Receives a message, with room for so many bytes.
    Receive(Manner, u8),
    /// Keeps a message or a place in hand: true for a message.
    Hold(bool),
    /// Finishes what is in hand, or gives it up.
    LetGo(bool),
    /// One more handle, or the end that is missing.
    Join,
    /// One attachment more.
    Attach,
    /// One handle less.
    Leave(bool),
    /// Looks for the dead, and counts.
    Recover,
    /// Closes.
    Close,
    /// Looks at all that can be looked at.
    Look,
}

/// A channel in use.
pub trait Subject {
    /// Makes one step. Its answer is not looked at: there may be any.
    fn step(&mut self, step: Step);
}

/// Makes the text of `thing`, which must not panic.
fn describe(thing: &dyn Debug) {
    assert!(!format!("{thing:?}").is_empty());
}

/// A message of `len` bytes.
fn message(len: u8) -> Vec<u8> {
    vec![len; len.into()]
}

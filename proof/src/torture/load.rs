//! What a queue under torture carries: words of eight in its slots, or messages of all lengths.

use std::ops::Range;
use std::time::Duration;

use ringway::queue::{Delivery, Message as Carried, Queue, Receiver, Sender};
use ringway::{Options, TryRecvError};

use super::Problem;
use super::board::{Carries, MOST};
use super::long::{self, BLOCKS, LONGEST, SLOT};
use super::message::{Message, Random, Words};
use super::receiving::{Dry, Receiving};
use super::sending::{Outcome, Sending};

/// How to make, send, receive and read what a queue carries.
pub trait Load: Carried {
    /// What it is.
    const CARRIES: Carries;
    /// The family of names of its queues.
    const NAMESPACE: &'static str;
    /// Messages in one operation at most.
    const MOST: u64;
    /// Room for dead letters.
    const LETTERS: usize;
    /// Who opens its queue, with nothing chosen.
    fn options() -> Options<Queue<Self>>;
    /// What a maker adds.
    fn made(options: Options<Queue<Self>>, random: &mut Random) -> Options<Queue<Self>>;
    /// Sends messages `ids` in one of the ways that there are.
    fn send(sending: &mut Sending<'_>, sender: &Sender<Self>, ids: &Range<u64>) -> Outcome;
    /// Receives by a call that acknowledges before it returns; several, if they are to be a `batch`.
    fn receive(
        receiving: &mut Receiving<'_>,
        receiver: &Receiver<Self>,
        batch: bool,
    ) -> Result<(), Dry>;
    /// A delivery, if there is one now.
    fn try_guard(receiver: &Receiver<Self>) -> Result<Delivery<Self>, TryRecvError>;
    /// A delivery that is waited for, so long at most if there is a limit.
    fn guard(receiver: &Receiver<Self>, patience: Option<Duration>) -> Result<Delivery<Self>, Dry>;
    /// What was delivered; the number that it says it has if it is not whole.
    fn read(delivery: &Delivery<Self>, key: u64) -> Result<Message, u64>;
    /// That there is room for `room` messages, and what goes in there comes out.
    fn check_room(
        queue: &Queue<Self>,
        room: u64,
        sender: &Sender<Self>,
        receiver: &Receiver<Self>,
    ) -> Result<(), Problem>;
}

impl Load for Words {
    const CARRIES: Carries = Carries::Words;
    const NAMESPACE: &'static str = "torture";
    const MOST: u64 = MOST as u64;
    const LETTERS: usize = 16;

    fn options() -> Options<Queue<Self>> {
        Queue::<Self>::options().namespace(Self::NAMESPACE)
    }

    fn made(options: Options<Queue<Self>>, _: &mut Random) -> Options<Queue<Self>> {
        options
    }

    fn send(sending: &mut Sending<'_>, sender: &Sender<Self>, ids: &Range<u64>) -> Outcome {
        sending.send(sender, ids)
    }

    fn receive(
        receiving: &mut Receiving<'_>,
        receiver: &Receiver<Self>,
        batch: bool,
    ) -> Result<(), Dry> {
        if batch { receiving.receive_batch(receiver) } else { receiving.receive_blindly(receiver) }
    }

    fn try_guard(receiver: &Receiver<Self>) -> Result<Delivery<Self>, TryRecvError> {
        receiver.try_recv_guard()
    }

    fn guard(receiver: &Receiver<Self>, patience: Option<Duration>) -> Result<Delivery<Self>, Dry> {
        Ok(match patience {
            Some(patience) => receiver.recv_guard_timeout(patience)?,
            None => receiver.recv_guard()?,
        })
    }

    fn read(delivery: &Delivery<Self>, key: u64) -> Result<Message, u64> {
        Message::read(delivery, key).ok_or(delivery[1])
    }

    fn check_room(
        _: &Queue<Self>,
        room: u64,
        sender: &Sender<Self>,
        receiver: &Receiver<Self>,
    ) -> Result<(), Problem> {
        super::ending::fill("slots", room, |n| sender.try_send([n; 8]))?;
        for number in 0..room {
            if receiver.try_recv() != Ok([number; 8]) {
                return Err(Problem(format!("message {number} of a full queue is wrong")));
            }
        }
        Ok(())
    }
}

impl Load for [u8] {
    const CARRIES: Carries = Carries::Lengths;
    const NAMESPACE: &'static str = "torture-large";
    const MOST: u64 = 1;
    // Fewer than blocks of each length: who waits for a block must not need somebody to look at the dead letters.
    const LETTERS: usize = 4;

    fn options() -> Options<Queue<Self>> {
        Queue::<Self>::options().namespace(Self::NAMESPACE)
    }

    fn made(options: Options<Queue<Self>>, random: &mut Random) -> Options<Queue<Self>> {
        let mut some = |most: u64| Self::LETTERS + 1 + usize::try_from(random.below(most)).unwrap();
        let options = options.message_len(SLOT).max_message(LONGEST).attachments(some(8));
        options.blocks(BLOCKS[0], some(24)).blocks(BLOCKS[1], some(12))
    }

    fn send(sending: &mut Sending<'_>, sender: &Sender<Self>, ids: &Range<u64>) -> Outcome {
        sending.send_long(sender, ids.start)
    }

    fn receive(
        receiving: &mut Receiving<'_>,
        receiver: &Receiver<Self>,
        _: bool,
    ) -> Result<(), Dry> {
        receiving.receive_long(receiver)
    }

    fn try_guard(receiver: &Receiver<Self>) -> Result<Delivery<Self>, TryRecvError> {
        receiver.try_recv_guard()
    }

    fn guard(receiver: &Receiver<Self>, patience: Option<Duration>) -> Result<Delivery<Self>, Dry> {
        Ok(match patience {
            Some(patience) => receiver.recv_guard_timeout(patience)?,
            None => receiver.recv_guard()?,
        })
    }

    fn read(delivery: &Delivery<Self>, key: u64) -> Result<Message, u64> {
        long::read(delivery, key)
    }

    fn check_room(
        queue: &Queue<Self>,
        room: u64,
        sender: &Sender<Self>,
        receiver: &Receiver<Self>,
    ) -> Result<(), Problem> {
        check_blocks(queue)?;
        let classes = queue.blocks();
        let places = [(SLOT, u64::MAX)].into_iter();
        for (len, count) in places.chain(classes.iter().map(|of| (of.len, of.count as u64))) {
            let count = count.min(room);
            let message = |number: u64| vec![number.to_le_bytes()[0]; len];
            super::ending::fill(&format!("messages of {len} bytes"), count, |number| {
                sender.try_send(&message(number))
            })?;
            for number in 0..count {
                if receiver.try_recv() != Ok(message(number)) {
                    return Err(Problem(format!("message {number} of {len} bytes is wrong")));
                }
            }
        }
        check_blocks(queue)
    }
}

/// Every block is nobody's, and no attachment has memory.
fn check_blocks(queue: &Queue<[u8]>) -> Result<(), Problem> {
    queue.trim();
    let usages = queue.blocks();
    let is_new = |usage: &&ringway::queue::BlockUsage| {
        usage.free == usage.count && (!usage.attachments || usage.memory == 0)
    };
    match usages.iter().find(|usage| !is_new(usage)) {
        Some(usage) => Err(Problem(format!("blocks that should be free: {usage:?}"))),
        None if usages.len() == BLOCKS.len() => Ok(()),
        None => Err(Problem(format!("blocks of other lengths: {usages:?}"))),
    }
}

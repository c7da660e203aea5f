//! A queue of values on the heap, for any of [`MEMBERS`] members, and what the dead among them leave behind.
//!
//! [`Queue::send`] and [`Queue::recv`] attempt, look who is at work, and sleep as a station of the library does.
//! What stops half-way (`…_and_die`) does the first steps of the protocol and no more: a process that was killed, or one
//! that never comes to run again.

mod deaths;
mod waiting;

use std::sync::Arc;

use loom::sync::atomic::Ordering::{self, Acquire, Relaxed};
use loom::thread::JoinHandle;
use ringway::MemberId;
use ringway::parts::mpmc::{
    ConsumerSide, Dry, Filling, ProducerSide, Refusal, Ring, Sweeper, Taken,
};
use ringway::parts::word::{CursorWord, Geometry, POSITION_MASK, SlotWord, State, after};
use ringway::parts::{HeapSlots, LocalWaiters, QueueHeader};

use super::member;

/// How many members a queue has.
pub const MEMBERS: u16 = 4;

/// A start from which positions, and with them laps, run over their end within a few messages.
pub const WRAPPING: u64 = POSITION_MASK - 1;

/// A queue that every member has attached.
#[derive(Debug)]
pub struct Queue {
    header: QueueHeader,
    slots: HeapSlots<u64>,
    /// Of each member: its threads that wait for messages, and for room.
    local: [[LocalWaiters; 2]; MEMBERS as usize],
}

impl Queue {
    /// An empty queue of `capacity` slots.
    pub fn new(capacity: usize) -> Arc<Self> {
        Self::starting_at(0, capacity)
    }

    /// An empty queue through which `position` messages have passed.
    pub fn starting_at(position: u64, capacity: usize) -> Arc<Self> {
        let queue = Self {
            header: QueueHeader::default(),
            slots: HeapSlots::vacant(capacity, size_of::<u64>()),
            local: std::array::from_fn(|_| <[LocalWaiters; 2]>::default()),
        };
        queue.header.initialise();
        let cursor = CursorWord::new(position, 0).0;
        queue.header.tail.tail.store(cursor, Relaxed);
        queue.header.head.head.store(cursor, Relaxed);
        for count in 0..capacity as u64 {
            let next = after(position, count);
            queue.store(next, queue.geometry().vacant(next), Relaxed);
        }
        Arc::new(queue)
    }

    /// An empty queue that has `values` in it: not by claims of anybody who is still there.
    pub fn holding(position: u64, capacity: usize, values: &[u64]) -> Arc<Self> {
        let queue = Self::starting_at(position, capacity);
        assert_eq!(queue.push_each(&ProducerSide::new(member(0)), values), values);
        queue
    }

    /// Runs `act` on a thread of its own.
    pub fn beside<R: 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Queue) -> R + 'static,
    ) -> JoinHandle<R> {
        let queue = Arc::clone(self);
        loom::thread::spawn(move || act(&queue))
    }

    /// The ring.
    pub fn ring(&self) -> Ring<'_, u64> {
        Ring::new(&self.header, self.slots.slots(), MEMBERS.into())
    }

    /// The words that all share.
    pub fn header(&self) -> &QueueHeader {
        &self.header
    }

    fn geometry(&self) -> Geometry {
        Geometry::new(self.slots.slots().len() as u64)
    }

    /// Stores a slot's word, by a swap: see `overwrite` of the library's facade.
    fn store(&self, position: u64, word: SlotWord, ordering: Ordering) {
        self.slots.slots().word(self.geometry().index(position)).swap(word.0, ordering);
    }

    /// The states of all slots and whose they are, in the order of the memory.
    ///
    /// # Panics
    ///
    /// When a word is none that a correct member writes.
    pub fn states(&self) -> Vec<(State, u16)> {
        let word = |index| SlotWord(self.slots.slots().word(index).load(Acquire));
        let states = (0..self.slots.slots().len()).map(word);
        states.map(|word| (word.state().expect("a possible word"), word.member())).collect()
    }

    /// What the slot of `position` holds, for who knows that nobody changes it. No reason for loom to try other orders.
    pub fn peek(&self, position: u64) -> SlotWord {
        SlotWord(self.slots.slots().word(self.geometry().index(position)).peek())
    }

    /// Whether the message of `position` was acknowledged, as `word`, the one of its slot, says.
    pub fn is_done(&self, position: u64, word: SlotWord) -> bool {
        !self.geometry().is_current(word, position)
    }

    /// Checks what a reaper relies on: each position before the last claim to fill, which is of at most `last` slots,
    /// has a stamp. In a ring that began at zero and whose first lap it is.
    ///
    /// # Panics
    ///
    /// When that is not so.
    pub fn assert_fills_certified(&self, last: u64) {
        self.assert_certified(self.header.tail.tail.load(Acquire), last, State::Vacant);
    }

    /// The same for claims to take.
    ///
    /// # Panics
    ///
    /// When that is not so.
    pub fn assert_takes_certified(&self, last: u64) {
        self.assert_certified(self.header.head.head.load(Acquire), last, State::Filled);
    }

    /// Relaxed: what counts is what comes with the cursor.
    fn assert_certified(&self, cursor: u64, last: u64, unstamped: State) {
        for position in 0..CursorWord(cursor).position().saturating_sub(last) {
            let index = self.geometry().index(position);
            let word = SlotWord(self.slots.slots().word(index).load(Relaxed));
            let current = self.geometry().is_current(word, position);
            assert!(!current || word.state() != Some(unstamped), "position {position}: {word:?}");
        }
    }

    /// Tries to push `value` once, as the library does: first as if there were no obstacle.
    ///
    /// # Panics
    ///
    /// When the ring says that it is corrupt.
    pub fn push(&self, side: &ProducerSide, value: u64) -> Result<(), Refusal> {
        let ring = self.ring();
        let claimed = ring.reserve_at_once(side, 0).map_or_else(|| ring.reserve(side, 0), Ok);
        let claim =
            claimed.inspect_err(|why| assert!(!matches!(why, Refusal::Corrupt(_)), "{why:?}"));
        ring.fill_with(claim?, &value);
        Ok(())
    }

    /// Tries to claim the next message once, as the library does: first as if there were no obstacle.
    ///
    /// # Panics
    ///
    /// When the ring says that it is corrupt.
    pub fn take(&self, side: &ConsumerSide) -> Result<Taken, Dry> {
        let ring = self.ring();
        let taken = ring.take_at_once(side).map_or_else(|| ring.take(side), Ok);
        taken.inspect_err(|why| assert!(!matches!(why, Dry::Corrupt(_)), "{why:?}"))
    }

    /// Tries to pop once.
    pub fn pop(&self, side: &ConsumerSide) -> Result<u64, Dry> {
        let (ring, claim) = (self.ring(), self.take(side)?);
        let value = ring.copy(&claim);
        ring.acknowledge(claim);
        Ok(value)
    }

    /// Tries to push each of `values` once, and gives back those that were accepted.
    pub fn push_each(&self, side: &ProducerSide, values: &[u64]) -> Vec<u64> {
        values.iter().copied().filter(|value| self.push(side, *value).is_ok()).collect()
    }

    /// Takes at most `limit` values, and stops at the first time that there is none.
    pub fn pop_some(&self, side: &ConsumerSide, limit: usize) -> Vec<u64> {
        let mut received = Vec::new();
        while received.len() < limit {
            match self.pop(side) {
                Ok(value) => received.push(value),
                Err(Dry::Skipped) => {}
                Err(_) => break,
            }
        }
        received
    }

    /// Takes values until there is none, and says why.
    pub fn pop_until(&self, side: &ConsumerSide) -> (Vec<u64>, Dry) {
        let mut received = Vec::new();
        loop {
            match self.pop(side) {
                Ok(value) => received.push(value),
                Err(Dry::Skipped) => {}
                Err(why) => return (received, why),
            }
        }
    }

    /// Takes at most `limit` values as [`pop_some`](Self::pop_some) does, each with how often it was delivered before.
    pub fn pop_counted(&self, side: &ConsumerSide, limit: usize) -> Vec<(u64, u32)> {
        let mut received = Vec::new();
        while received.len() < limit {
            match self.take(side) {
                Ok(claim) => {
                    received.push((self.ring().copy(&claim), claim.tries()));
                    self.ring().acknowledge(claim);
                }
                Err(Dry::Skipped) => {}
                Err(_) => break,
            }
        }
        received
    }

    /// What is left once everybody has gone, taken by member 0.
    ///
    /// # Panics
    ///
    /// When it ends in anything but an empty or a drained ring.
    pub fn rest(&self) -> Vec<u64> {
        let (received, why) = self.pop_until(&receiver(0));
        assert!(matches!(why, Dry::Empty | Dry::Drained), "{why:?}: {:?}", self.states());
        received
    }

    /// Checks that nobody owns any slot, and that the ring takes and gives as many messages as it has slots.
    ///
    /// # Panics
    ///
    /// When that is not so.
    pub fn assert_whole(&self) {
        let (side, capacity) = (ProducerSide::new(member(0)), self.ring().capacity());
        assert_eq!(self.rest(), []);
        assert!(self.states().iter().all(|state| state.0 == State::Vacant), "{:?}", self.states());
        let values: Vec<u64> = (70..70 + capacity).collect();
        assert_eq!(self.push_each(&side, &values), values);
        assert_eq!(self.push(&side, 99), Err(Refusal::Full));
        assert_eq!(self.rest(), values);
    }

    /// Puts a message back that was seen, and says so.
    pub fn put_back(&self, side: &ConsumerSide, claim: Taken) {
        self.ring().put_back(side.sweeper(), claim, true);
        self.tell_receivers(1);
    }

    /// Gives a claim to fill up, and says so.
    pub fn abort(&self, claim: Filling) {
        self.ring().abort(claim);
        self.tell_receivers(u32::MAX);
    }

    /// Closes, and wakes both sides.
    pub fn close(&self) {
        self.ring().close();
        self.not_empty(0).notify_all();
        self.not_full(0).notify_all();
    }
}

/// A handle of member `number` that sends.
pub fn sender(number: u16) -> ProducerSide {
    ProducerSide::new(member(number))
}

/// A handle of member `number` that receives.
pub fn receiver(number: u16) -> ConsumerSide {
    ConsumerSide::new(member(number), &Arc::<Sweeper>::default())
}

/// The member `number`, as answers name it.
pub fn named(number: u16) -> MemberId {
    member(number)
}

//! What the model is a state of: the words in shared memory, where each thread and each reaper is,
//! which members live, and what only the checker knows.

use super::consumer::Receive;
use super::producer::Send;
use super::reaper::Reap;
pub use crate::frame::Life;
use crate::word::{CursorWord, POSITION_MASK, RedeliverWord, SlotWord};

/// The largest ring that is modelled.
pub const MAX_SLOTS: usize = 4;
/// The most threads in one configuration.
pub const MAX_THREADS: usize = 5;
/// The most members that own threads.
pub const MAX_MEMBERS: usize = 4;
/// The most reapers at work at once.
pub const MAX_REAPERS: usize = 3;
/// The most positions claimed in one run.
pub const MAX_CLAIMS: usize = 10;

/// One state of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// What all see.
    pub shared: Shared,
    /// What the checker knows, and the members.
    pub ghost: Ghost,
    /// What each thread knows.
    pub threads: [Thread; MAX_THREADS],
    /// What their handles remember.
    pub handles: [Handle; MAX_THREADS],
    /// What members know of messages to take again.
    pub sweeps: [Sweep; MAX_MEMBERS],
    /// What each reaper knows; sorted, for it does not matter which of them is where.
    pub reapers: [Reap; MAX_REAPERS],
}

/// The words in shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shared {
    /// Bits of a [`CursorWord`].
    pub tail: u64,
    /// Bits of a [`CursorWord`].
    pub head: u64,
    /// Bits of a [`RedeliverWord`].
    pub redeliver: u64,
    /// The closed flag.
    pub closed: bool,
    /// Bits of a [`SlotWord`] each.
    pub slots: [u64; MAX_SLOTS],
    /// The two halves of each slot's message.
    pub payload: [[u8; 2]; MAX_SLOTS],
}

impl Shared {
    /// The tail's word.
    pub fn tail(&self) -> CursorWord {
        CursorWord(self.tail)
    }

    /// The head's word.
    pub fn head(&self) -> CursorWord {
        CursorWord(self.head)
    }

    /// The redelivery word.
    pub fn redeliver(&self) -> RedeliverWord {
        RedeliverWord(self.redeliver)
    }

    /// The word of slot `index`.
    pub fn slot(&self, index: usize) -> SlotWord {
        SlotWord(self.slots[index])
    }
}

/// What the checker knows and no thread can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// What became of each position that was or will be claimed.
    pub fates: [Fate; MAX_CLAIMS],
    /// Bit *i*: a user has been given the message at the *i*th position.
    pub seen: u16,
    /// How many positions the last claim at the tail and at the head took.
    pub last_claims: [u8; 2],
    /// Somebody was told that the ring is drained.
    pub drained: bool,
    /// How the members are.
    pub members: [Life; MAX_MEMBERS],
    /// Crashes of members to come.
    pub crashes: u8,
    /// Crashes of reapers to come.
    pub reaper_crashes: u8,
}

/// What became of a claimed position. A number is the thread in whose hands it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Nobody has claimed it yet.
    Unclaimed,
    /// Claimed at the tail: accepted, and not committed.
    Writing(u8),
    /// Committed.
    Filled,
    /// There will be no message.
    Aborted,
    /// Claimed at the head, or taken when it waited to be delivered again.
    Taken(u8),
    /// Claimed at the head, and there is no message.
    Skipped(u8),
    /// Waits to be delivered again.
    Waiting,
    /// Acknowledged.
    Done,
    /// Dropped with the consumer that had it, by the at-most-once policy.
    Dropped,
    /// The slot of an aborted position is free again.
    GivenBack,
}

impl Fate {
    /// Nothing more will happen to it.
    pub fn is_final(self) -> bool {
        matches!(self, Fate::Done | Fate::Dropped | Fate::GivenBack)
    }

    /// In whose hands it is.
    pub fn holder(self) -> Option<u8> {
        match self {
            Fate::Writing(thread) | Fate::Taken(thread) | Fate::Skipped(thread) => Some(thread),
            _ => None,
        }
    }
}

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    /// How many messages it will still send, or how many it may still put back.
    pub left: u8,
    /// Where it is.
    pub at: At,
}

/// What a handle remembers: memory of its process, which dies with the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    /// The last position that this very handle stamped, or [`NEVER`].
    pub last: u64,
}

impl Handle {
    /// A handle that has done nothing yet.
    pub const NEW: Self = Self { last: NEVER };
}

/// How far the handles of a member have looked for messages to take again: memory of its process
/// too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sweep {
    /// A thread is looking, and has the lock.
    pub is_locked: bool,
    /// With the redelivery word as in here,
    pub word: u64,
    /// everything before here was seen not to be in REDELIVER.
    pub next: u64,
}

impl Sweep {
    /// Nobody has looked yet.
    pub const NEW: Self = Self { is_locked: false, word: 0, next: 0 };
}

/// No position: what a handle that stamped nothing has for its last one.
pub const NEVER: u64 = POSITION_MASK + 1;

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// There is no such thread, or it has nothing more to do.
    Rest,
    /// Its member died.
    Dead,
    /// It sends.
    Send(Send),
    /// It receives.
    Receive(Receive),
    /// It closes: the flag is next.
    RaiseFlag,
    /// It closes: the bit in `tail` is next.
    CloseTail,
}

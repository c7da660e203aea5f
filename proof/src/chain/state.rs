//! What the model is a state of: the chain's word, segments, where each thread is, and what only the checker knows.

use super::changing::Change;
use super::closing::Close;
use super::reaping::Reap;
use super::receiving::Receive;
use super::sending::Send;
use crate::chain_word::ChainWord;
use crate::frame;

/// The most slots of one segment.
pub const MAX_SLOTS: usize = 2;
/// The most segments: the anchor, and annexes of the generations from 1 on.
pub const MAX_SEGMENTS: usize = 5;

/// One state of everything.
pub type State = frame::State<Shared, At>;
/// A thread.
pub type Thread = frame::Thread<At>;

/// Shared memory, files, the lock, and what became of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shared {
    /// Bits of a [`ChainWord`].
    pub word: u64,
    /// The generation that is being made or removed, or zero.
    pub leaving: u8,
    /// Bit *g*: there is a file of generation *g*.
    pub files: u8,
    /// Who is changing the chain.
    pub lock: Option<u8>,
    /// The anchor's ring, then those of generations.
    pub rings: [Ring; MAX_SEGMENTS],
    /// What the checker knows.
    pub ghost: Ghost,
}

/// What no thread can see. Claims are numbered in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// How many claims to fill were accepted.
    pub claims: u8,
    /// Bit *i*: claim *i* was neither given up nor received.
    pub open: u16,
    /// The first claim that nobody has taken yet.
    pub next: u8,
    /// The highest generation in which one was accepted.
    pub highest: u8,
    /// Somebody was told that there is nothing more.
    pub drained: bool,
}

/// A ring. A claim and its stamp are one step: what lies between is for `crate::slots`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ring {
    /// No claim to fill it is accepted.
    pub shut: bool,
    /// Claims to fill.
    pub tail: u8,
    /// Claims to take.
    pub head: u8,
    /// The slots.
    pub slots: [Slot; MAX_SLOTS],
}

/// A slot. Members and claims are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// To be filled.
    Vacant,
    /// Of one who fills it.
    Writing { member: u8, claim: u8 },
    /// With a message.
    Filled { claim: u8 },
    /// Given up.
    Aborted,
    /// Of one who reads it.
    Reading { member: u8, claim: u8 },
    /// To be read again.
    Redeliver { claim: u8 },
    /// Its memory is gone with its file.
    Blank,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// It has nothing to do, or is dead.
    Rest,
    /// It sends.
    Send(Send),
    /// It receives.
    Receive(Receive),
    /// It closes.
    Close(Close),
    /// It reaps this member.
    Reap(u8, Reap),
    /// It wants to change the chain, or does.
    Change(Change),
}

impl Ring {
    /// Whether nothing is in it, nor in anybody's hands.
    pub fn is_idle(&self, slots: usize) -> bool {
        let vacant = |slot: &Slot| *slot == Slot::Vacant;
        self.head == self.tail && self.slots[..slots].iter().all(vacant)
    }

    /// Whether something is to be read again.
    pub fn is_pending(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot, Slot::Redeliver { .. }))
    }
}

impl Shared {
    /// The chain's word.
    pub fn seen(&self) -> ChainWord {
        ChainWord(self.word)
    }
}

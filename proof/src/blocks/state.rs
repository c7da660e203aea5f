//! What the model is a state of: slots, blocks, where each thread is, and what only the checker knows.

use super::reaping::Reap;
use super::receiving::Receive;
use super::sending::Send;
use crate::block::{BlockWord, Place};
use crate::frame;
use crate::word::{Geometry, SlotWord};

/// The most slots of one ring.
pub const MAX_SLOTS: usize = 2;
/// The most blocks.
pub const MAX_BLOCKS: usize = 2;
/// The most messages.
pub const MAX_MESSAGES: usize = 5;
/// What is in a block that nobody wrote to.
pub const NOTHING: u8 = u8::MAX;

/// One state of everything.
pub type State = frame::State<Shared, At>;
/// A thread.
pub type Thread = frame::Thread<At>;

/// Shared memory, the kernel's memory, and fates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shared {
    /// The queue, and its dead letters.
    pub rings: [Ring; 2],
    /// The blocks.
    pub blocks: [Block; MAX_BLOCKS],
    /// What became of each message: only the checker knows.
    pub fates: [Fate; MAX_MESSAGES],
}

/// A ring. Its claims are stamped in the same step: what lies between is for `crate::slots`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ring {
    /// The next position to fill.
    pub tail: u8,
    /// The next position to take.
    pub head: u8,
    /// Bits of a [`SlotWord`] each.
    pub slots: [u64; MAX_SLOTS],
    /// The number of the block, as the slot says it.
    pub numbers: [u8; MAX_SLOTS],
}

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// Bits of a [`BlockWord`].
    pub word: u64,
    /// Its line says that it has memory.
    pub noted: bool,
    /// It has memory.
    pub held: bool,
    /// Which message is in it: each half is written, and read, by itself.
    pub halves: [u8; 2],
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It was not sent, or given up, or its sender died before.
    Unsent,
    /// It was sent, and belongs to this position of this ring.
    At(u8, u8),
    /// It was acknowledged, or dropped with who read it, by the policy.
    Done,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// It has nothing to do, or is dead.
    Rest,
    /// It sends.
    Send(Send),
    /// It receives, or moves.
    Receive(Receive),
    /// It reaps this member.
    Reap(u8, Reap),
}

/// A claim: which ring, which position, and in which block its message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The ring.
    pub ring: u8,
    /// The position.
    pub position: u8,
    /// The block.
    pub block: u8,
}

impl Claim {
    /// As a block's word says it.
    pub fn place(self) -> Place {
        Place::new(self.ring == 1, self.position.into())
    }
}

impl Block {
    /// Nobody's, without memory.
    pub const NEW: Self =
        Self { word: BlockWord::FREE.0, noted: false, held: false, halves: [NOTHING; 2] };

    /// Its word.
    pub fn word(&self) -> BlockWord {
        BlockWord(self.word)
    }
}

impl Ring {
    /// An empty ring.
    pub fn new(slots: usize) -> Self {
        let geometry = Geometry::new(slots as u64);
        let mut ring = Self { tail: 0, head: 0, slots: [0; MAX_SLOTS], numbers: [0; MAX_SLOTS] };
        for position in 0..geometry.slots() {
            ring.slots[geometry.index(position)] = geometry.vacant(position).0;
        }
        ring
    }

    /// The word of the slot at `index`.
    pub fn slot(&self, index: usize) -> SlotWord {
        SlotWord(self.slots[index])
    }
}

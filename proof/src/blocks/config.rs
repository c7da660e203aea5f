//! What can be modelled of blocks: who sends, receives, moves and reaps; and the mistakes that are caught.

use clap::ValueEnum;

use super::reaping::Reap;
use crate::catalogue::Title;
use crate::word::Geometry;

/// One model.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Config {
    /// What it is called, and what is wrong with it.
    pub title: Title<Mutant>,
    /// Slots of either ring.
    pub slots: usize,
    /// How many blocks there are.
    pub blocks: usize,
    /// They are holes.
    pub sparse: bool,
    /// What a dead receiver had is dropped.
    pub at_most_once: bool,
    /// Who does what: each a member of its own.
    pub threads: Vec<Role>,
    /// How many of the first threads may die,
    pub mortals: usize,
    /// and how many times that may happen.
    pub crashes: u8,
    /// The number of a dead sender is used again, for what is left to send.
    pub respawn: bool,
    /// Whether to look at invariants. What comes of those that do not hold is found also without, only later.
    pub invariants: bool,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends so many messages; it may give one up, if it `aborts`.
    Sender { messages: u8, aborts: bool },
    /// Receives for ever from either ring, and puts up to so many messages back.
    Receiver { puts_back: u8 },
    /// Moves so many messages to the dead letters.
    Mover { messages: u8 },
    /// Reaps whoever is dead.
    Reaper,
}

impl Role {
    /// How many messages it sends.
    pub fn sends(self) -> u8 {
        if let Self::Sender { messages, .. } = self { messages } else { 0 }
    }

    /// How many things it has to do.
    pub fn amount(self) -> u8 {
        match self {
            Self::Sender { messages, .. } | Self::Mover { messages } => messages,
            Self::Receiver { puts_back } => puts_back,
            Self::Reaper => 0,
        }
    }
}

/// A mistake made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mutant {
    /// A block is taken by a look and a store.
    TakeByStore,
    /// The slot is committed before the block is bound.
    CommitBeforeBind,
    /// The block of a message is freed whosever it is by then.
    FreeOfAnother,
    /// A message is given whose block is bound elsewhere.
    MovedIsGiven,
    /// Who moves a message gives its slot back first.
    LeaveBeforeMove,
    /// Memory goes after the block is free.
    PunchWhenFree,
    /// A reap leaves the blocks that the dead owned.
    ReapLeavesOwned,
    /// A reap frees a hole that the dead owned as it is.
    ReapFreesMemory,
    /// A reap leaves the blocks of messages that are gone.
    ReapLeavesBound,
    /// A reap takes a slot that is being written for one without a message.
    ReapIgnoresWriting,
    /// A reap aborts what was bound and not committed.
    ReapAbortsBound,
    /// A reap commits what was bound after it went through the slots.
    CommitAfterSlots,
    /// A reap goes through the blocks before the slots.
    BlocksBeforeSlots,
    /// A reaper stores what it would swap.
    ReapStores,
    /// A reaper that frees a hole leaves it in the name of the dead meanwhile.
    PunchInTheirName,
    /// A number is used again while a reaper of it is still at work.
    NumberUnderReaper,
}

impl Config {
    /// Whether the mistake is `mutant`.
    pub fn is(&self, mutant: Mutant) -> bool {
        self.title.mutant == Some(mutant)
    }

    /// How positions map to slots.
    pub fn geometry(&self) -> Geometry {
        Geometry::new(self.slots as u64)
    }

    /// The number of the message that thread `me` sends when it has `left` to send.
    pub fn message(&self, me: usize, left: u8) -> u8 {
        self.threads[..=me].iter().map(|role| role.sends()).sum::<u8>() - left
    }

    /// The first thing that a reaper does.
    pub fn first_of_reap(&self) -> Reap {
        if self.is(Mutant::ReapAbortsBound) || self.is(Mutant::CommitAfterSlots) {
            return Reap::Slot { ring: 0, index: 0 };
        }
        if self.is(Mutant::BlocksBeforeSlots) {
            return Reap::Line { at: 0 };
        }
        Reap::Bound { at: 0 }
    }
}

//! What can be modelled of chains: who sends, receives, closes and reaps; and the mistakes that are caught.

use clap::ValueEnum;

use crate::catalogue::Title;

/// One model.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it is called, and what is wrong with it.
    pub title: Title<Mutant>,
    /// Slots of each segment.
    pub slots: usize,
    /// The last generation that may be an annex.
    pub annexes: u8,
    /// Who does what: each a member of its own.
    pub threads: Vec<Role>,
    /// How many of the first threads may die,
    pub mortals: usize,
    /// and how many times that may happen.
    pub crashes: u8,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends so many messages; it may give one up, if it `aborts`.
    Sender { messages: u8, aborts: bool },
    /// Receives for ever, and puts up to so many messages back.
    Receiver { puts_back: u8 },
    /// Closes once.
    Closer,
    /// Reaps whoever is dead.
    Reaper,
}

impl Role {
    /// How many things it has to do.
    pub fn amount(self) -> u8 {
        match self {
            Self::Sender { messages, .. } => messages,
            Self::Receiver { puts_back } => puts_back,
            Self::Closer => 1,
            Self::Reaper => 0,
        }
    }
}

/// A mistake made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mutant {
    /// Nobody shuts the segment before the last.
    NobodyShuts,
    /// A new last segment counts as settled at once.
    SettledAtOnce,
    /// A sender fills a segment that is not settled.
    FillsUnsettled,
    /// The anchor is opened again before the segment in front of it is shut.
    OpenBeforeShut,
    /// A segment is passed that was not settled, and not shut.
    PassesOpen,
    /// A segment is passed although somebody has a message of it in hand.
    PassesHeld,
    /// The file of a segment goes before the word leaves it out.
    RemoveBeforeSwap,
    /// The word names a segment before there is a file.
    SwapBeforeMake,
    /// Nobody notes what is being made or removed.
    NothingNoted,
    /// What was noted is removed even if the chain has it.
    RemovesTheLiving,
    /// Who dies changing the chain is followed by nobody.
    LockStays,
    /// A reap looks at the anchor only.
    ReapForgetsAnnexes,
    /// A receiver begins with the last segment.
    TakesLastFirst,
    /// A receiver that found a message in the anchor does not look whether that has come home since.
    ClaimsUnsure,
    /// A receiver goes on from a segment that is open.
    LeavesOpen,
    /// A receiver that finds the last one exhausted does not look whether it still is the last.
    DrainedUnseen,
    /// The word is swapped without looking whether somebody closed the queue.
    SwapLosesClosed,
    /// The anchor comes home, and nobody opens it.
    HomeStaysShut,
}

impl Config {
    /// Whether the mistake is `mutant`.
    pub fn is(&self, mutant: Mutant) -> bool {
        self.title.mutant == Some(mutant)
    }

    /// Whether somebody closes the queue.
    pub fn closes(&self) -> bool {
        self.threads.contains(&Role::Closer)
    }
}

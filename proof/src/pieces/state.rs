//! What the model is a state of: a ring, what each side says beside it, where each side is, and what only the checker knows.

use super::receiving::Receive;
use super::sending::Send;
use crate::cursor::OutgoingWord;
use crate::frame;

/// The most slots.
pub const MAX_SLOTS: usize = 4;
/// The most records.
pub const MAX_RECORDS: usize = 5;
/// Who sends, in turn.
pub const PRODUCER: usize = 0;
/// Who receives, in turn.
pub const CONSUMER: usize = 1;

/// One state of everything.
pub type State = frame::State<Shared, At>;
/// One of the two sides: `left` is how many records it will still send, or may still give up.
pub type Thread = frame::Thread<At>;

/// Shared memory, and what became of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shared {
    /// The next position to fill.
    pub tail: u8,
    /// The next position to take.
    pub head: u8,
    /// Bits of an [`OutgoingWord`].
    pub outgoing: u64,
    /// The rest of a record that began before this position is not wanted.
    pub unwanted: u8,
    /// What was written, each in a slot of its own.
    pub slots: [Item; MAX_SLOTS],
    /// What became of each record: only the checker knows.
    pub fates: [Fate; MAX_RECORDS],
}

/// What is in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Of which record.
    pub record: u8,
    /// How many of its pieces come before.
    pub piece: u8,
}

/// What lies on the ring. Padding has no place of its own here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A whole record.
    Whole,
    /// A first piece.
    First,
    /// One between.
    Piece,
    /// A last one.
    Last,
    /// The record is cut short.
    Cut,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fate {
    /// It was accepted: its last piece was visible.
    pub sent: bool,
    /// What receivers had of it.
    pub got: Got,
}

/// What receivers had of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Got {
    /// Nothing.
    Nothing,
    /// One has its beginning.
    Part,
    /// The one who had its beginning died.
    Lost,
    /// One did not want the rest.
    GivenUp,
    /// One was told that nothing comes of it.
    Told,
    /// All of it.
    Whole,
}

/// Where a side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// It has nothing to do, or is dead.
    Rest,
    /// It sends.
    Send(Send),
    /// It receives.
    Receive(Receive),
}

impl Shared {
    /// The word that says which record is on its way.
    pub fn outgoing(&self) -> OutgoingWord {
        OutgoingWord::from_bits(self.outgoing)
    }
}

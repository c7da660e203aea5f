//! What a segment may hold, and what that says of its numbers.

use super::{
    FEATURE_GROWTH, FEATURE_LONG_MESSAGES, FEATURE_LONG_RECORDS, FLAG_ASYMMETRIC, FLAG_FIRST_SENDS,
    FLAG_LOCK, FLAG_REMOVE_WHEN_UNUSED, FLAG_SECOND_SENDS, MAX_MEMBERS,
};

/// What a segment holds.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One ring of fixed-size values between one producer and one consumer.
    Spsc = 1,
    /// One or two rings of records between two connections.
    Pipe = 2,
    /// One ring of fixed-size values between many senders and many receivers.
    Queue = 3,
    /// The same for messages of bytes up to a length, which is the element size.
    ByteQueue = 4,
    /// No ring: elements in a row that members read and write as they like.
    Block = 5,
    /// A block that is one lock.
    Lock = 6,
}

impl Kind {
    /// The kind that a header names, if this build knows it.
    pub fn from_code(code: u32) -> Option<Self> {
        let known = [Kind::Spsc, Kind::Pipe, Kind::Queue, Kind::ByteQueue, Kind::Block, Kind::Lock];
        known.into_iter().find(|kind| *kind as u32 == code)
    }

    /// Whether it has a ring between many.
    pub const fn is_queue(self) -> bool {
        matches!(self, Kind::Queue | Kind::ByteQueue)
    }

    /// Whether it is between two, each of whom owns an end.
    pub const fn has_ends(self) -> bool {
        matches!(self, Kind::Spsc | Kind::Pipe)
    }

    /// Whether it has as many elements as its maker said, in a row, and no ring.
    pub const fn is_block(self) -> bool {
        matches!(self, Kind::Block | Kind::Lock)
    }

    /// The most members that a segment of this kind can have. With two ends their bits and [`CLOSING`](super::CLOSING) share a
    /// word.
    pub const fn max_members(self) -> u32 {
        if self.has_ends() { 63 } else { MAX_MEMBERS }
    }

    /// How many members a segment of this kind has room for where nobody says.
    pub const fn default_members(self) -> u32 {
        if self.has_ends() { 63 } else { 64 }
    }

    /// The kind of `code` with its article.
    pub fn described(code: u32) -> &'static str {
        match Self::from_code(code) {
            Some(Kind::Spsc) => "an spsc channel",
            Some(Kind::Pipe) => "a pipe",
            Some(Kind::Queue) => "a queue of values",
            Some(Kind::ByteQueue) => "a queue of bytes",
            Some(Kind::Block) => "a block",
            Some(Kind::Lock) => "a lock",
            None => "something this build does not know",
        }
    }

    /// The `FLAG_` bits that a segment of this kind can have.
    pub fn flags(self) -> u32 {
        match self {
            Kind::Spsc => FLAG_REMOVE_WHEN_UNUSED | FLAG_ASYMMETRIC,
            Kind::Pipe => Kind::Spsc.flags() | FLAG_FIRST_SENDS | FLAG_SECOND_SENDS,
            Kind::Block => FLAG_REMOVE_WHEN_UNUSED | FLAG_LOCK,
            Kind::Queue | Kind::ByteQueue | Kind::Lock => FLAG_REMOVE_WHEN_UNUSED,
        }
    }

    /// The `FEATURE_` bits that this build can deal with in a segment of this kind: it opens none that has others.
    pub const fn features(self) -> u32 {
        match self {
            Kind::ByteQueue => FEATURE_LONG_MESSAGES | FEATURE_GROWTH,
            Kind::Queue => FEATURE_GROWTH,
            Kind::Pipe => FEATURE_LONG_RECORDS,
            Kind::Spsc | Kind::Block | Kind::Lock => 0,
        }
    }

    /// How messages call it.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Spsc => "spsc channel",
            Kind::Pipe => "pipe",
            Kind::Queue | Kind::ByteQueue => "queue",
            Kind::Block => "block",
            Kind::Lock => "lock",
        }
    }
}

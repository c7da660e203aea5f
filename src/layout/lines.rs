//! The lines that members change: one structure each, grouped by who writes it. All zeros is the valid empty state, but
//! for `present`.

use super::describe::{constants, shared};
use crate::primitive::{AtomicU32, AtomicU64, ContestedU64, FutexWord};

constants! {
    /// States, bits and kinds in what members change.
    pub const WORDS;

    /// Set in [`Control::attaches`] by whoever removes the name: nobody may attach any more.
    pub const REMOVED: u64 = 1 << 63;
    /// Nobody has the record.
    pub const MEMBER_UNUSED: u32 = 0;
    /// A member has the record, dead or alive.
    pub const MEMBER_ACTIVE: u32 = 1;
    /// What a dead member left behind is being taken back.
    pub const MEMBER_REAPING: u32 = 2;
    /// Set in [`SealLine::present`] before the segment has a name.
    pub const PRESENT: u64 = 1;
    /// Set in [`SealLine::seal`] once the final position is agreed.
    pub const SEALED: u64 = 1 << 63;
    /// Set in the first waiter word of [`RingHeader::not_empty`] once anybody has asked to close: the one word
    /// that a producer reads after every publication says whether there is anything to do.
    pub const CLOSING: u64 = 1 << 63;
    /// Kind of a record of a pipe, in its header word: the bytes that follow are one.
    pub const RECORD_WHOLE: u32 = 1;
    /// What follows, to the end of the ring's memory, is none.
    pub const RECORD_PADDING: u32 = 2;
    /// The bytes that follow are a piece of one that has begun and goes on.
    pub const RECORD_PIECE: u32 = 3;
    /// The bytes that follow are the last piece of one.
    pub const RECORD_LAST_PIECE: u32 = 4;
    /// The record that the pieces before began will not be completed. No bytes follow.
    pub const RECORD_CUT_SHORT: u32 = 5;
    /// What follows is the first piece of a record: a word with the record's length, then bytes.
    pub const RECORD_FIRST_PIECE: u32 = 6;
    /// In place of the length of a record that was not known when it began.
    pub const RECORD_LENGTH_UNKNOWN: u64 = u64::MAX;
}

shared! {
    /// Words about the whole segment that members change.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct Control {
        /// How often somebody attached, and [`REMOVED`] once the segment's name is being removed.
        pub attaches: AtomicU64,
        /// How often somebody took an end of a channel between two. A queue counts by side, in [`Ends`].
        pub roster: AtomicU64,
        /// Of the first segment of a chain: a [`crate::ring::chain::ChainWord`], which says what the others are.
        pub next: ContestedU64,
        /// The segment that is being put into the chain, or taken out of it: its file may be there without. Zero for none.
        pub leaving: AtomicU64,
    }

    /// Who owns the two ends of a channel, or which side of a queue has nobody.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct Ends {
        /// Producer and consumer of a ring; first and second end of a pipe: end words, see
        /// [`crate::ring::cursor::EndWord`]. In a queue: how often somebody became a sender, and a receiver.
        pub words: [AtomicU64; 2],
        /// In a queue: what `words` said when it was last found to have no sender, and no receiver. Where the two
        /// are equal there is none.
        pub deserted: [AtomicU64; 2],
    }

    /// One attached process-mapping; the kernel lock on its liveness byte says whether it lives.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct MemberRecord {
        /// [`MEMBER_UNUSED`], [`MEMBER_ACTIVE`] or [`MEMBER_REAPING`].
        pub state: AtomicU32,
        /// Process id in the member's own namespace, for people only.
        pub pid: AtomicU32,
        /// How often this record was taken.
        pub incarnation: AtomicU64,
        /// Start time of the process in clock ticks since boot, for people only.
        pub start_time: AtomicU64,
        /// Senders of a queue, and receivers, that the member has; only the member counts, and who cleans up
        /// after it.
        pub roles: [AtomicU32; 2],
    }

    /// What one member did, and others before it with the same number, for people. Only the member writes it;
    /// zero where nothing was counted.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct Counters {
        /// Messages accepted from it. Reserved.
        pub sent: AtomicU64,
        /// Messages it took. Reserved.
        pub received: AtomicU64,
        /// Times it slept because there was no room. Reserved.
        pub full_waits: AtomicU64,
        /// Times it slept because there was no message. Reserved.
        pub empty_waits: AtomicU64,
        /// Times it woke somebody. Reserved.
        pub wakes: AtomicU64,
        /// Dead members it cleaned up after.
        pub recoveries: AtomicU64,
        /// Messages it took that somebody may have seen before.
        pub redeliveries: AtomicU64,
        /// Claims of the dead that it aborted.
        pub aborted: AtomicU64,
        /// Corruptions it found. Reserved.
        pub corrupt: AtomicU64,
        /// Messages in the hands of the dead that it dropped.
        pub dropped: AtomicU64,
        /// Messages it moved to the dead letters.
        pub dead_letters: AtomicU64,
    }

    /// Written by the producer only.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct ProducerLine {
        /// Position of the next slot to fill.
        pub tail: AtomicU64,
        /// Whether a record goes in pieces: a [`crate::ring::cursor::OutgoingWord`].
        pub outgoing: AtomicU64,
    }

    /// Written by the consumer only.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct ConsumerLine {
        /// Position of the next slot to take.
        pub head: AtomicU64,
        /// The rest of a record in pieces that began before this position is not wanted.
        pub unwanted: AtomicU64,
    }

    /// Where the stream ends: written once.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct SealLine {
        /// [`SEALED`] and the position behind the last accepted message; zero until agreed.
        pub seal: AtomicU64,
        /// [`PRESENT`] in every ring; zero where a forked child has blank pages in place of the segment.
        pub present: AtomicU64,
        /// One more than the bytes of the longest record that the consumer accepts; zero for any.
        pub max_record: AtomicU64,
    }

    /// Where members sleep until something happens.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct EventLine {
        /// Counts notifications that somebody may have slept through; the word slept on.
        pub epoch: FutexWord,
        /// Counts sleeps that somebody was about to begin: who notifies in vain need not do so again before it moves.
        pub sleeps: AtomicU32,
        /// One bit per member with a thread that sleeps or is about to; and [`CLOSING`].
        pub waiters: [AtomicU64; 8],
    }

    /// The shared state of a ring with one producer and one consumer. Slots follow elsewhere.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct RingHeader {
        /// Written by the producer only.
        pub producer: ProducerLine,
        /// Written by the consumer only.
        pub consumer: ConsumerLine,
        /// Closing.
        pub seal: SealLine,
        /// The consumer waits here.
        pub not_empty: EventLine,
        /// The producer waits here.
        pub not_full: EventLine,
    }

    /// Where claims go that fill slots.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct TailLine {
        /// A [`crate::ring::word::CursorWord`].
        pub tail: ContestedU64,
    }

    /// Where claims go that take messages.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct HeadLine {
        /// A [`crate::ring::word::CursorWord`].
        pub head: ContestedU64,
        /// A [`crate::ring::word::RedeliverWord`].
        pub redeliver: ContestedU64,
    }

    /// What nearly never changes.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct GateLine {
        /// Not zero once somebody has begun to close; the bit in the tail decides.
        pub closed: ContestedU64,
        /// [`PRESENT`], as in [`SealLine::present`].
        pub present: AtomicU64,
    }

    /// The shared state of a ring between many. Slots follow elsewhere, each with a
    /// [`crate::ring::word::SlotWord`] in front.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct QueueHeader {
        /// Written by producers.
        pub tail: TailLine,
        /// Written by consumers.
        pub head: HeadLine,
        /// Written once.
        pub gate: GateLine,
        /// Consumers wait here.
        pub not_empty: EventLine,
        /// Producers wait here.
        pub not_full: EventLine,
    }
    /// Who may touch one block of the slab.
    #[repr(C, align(128))]
    #[derive(Debug, Default)]
    pub struct BlockLine {
        /// A [`crate::ring::block::BlockWord`].
        pub word: ContestedU64,
        /// Bytes from the block's start that are known to have memory; written by who owns the block. Only where blocks are
        /// holes of the file.
        pub backed: AtomicU64,
    }
}

//! The memory format as data, for programs that put it into another language: `cargo xtask header` makes
//! `include/ringway.h` of it.
//!
//! Nothing is said twice: structures and constants are those that the library is compiled from, and the parts of words
//! are given by the masks with which it takes them apart.

use crate::layout::{
    BlockLine, CODES, ClassWord, ConsumerLine, Control, Counters, Ends, EventLine, GENERAL,
    GateLine, HeadLine, Kind, LAYOUT_HASH, LockHead, LockKind, LockTag, MemberRecord, ProducerLine,
    QueueHeader, REMOVED, RingHeader, SEALED, SLOTS, SealLine, SegmentHeader, TailLine, WORDS,
};
use crate::lock::holder::Holder;
use crate::lock::{barrier, flag, gate, rwlock, semaphore};
use crate::ring::block::BlockWord;
use crate::ring::chain::ChainWord;
use crate::ring::cursor::{EndWord, OutgoingWord};
use crate::ring::word::{CursorWord, MessageWord, RedeliverWord, SlotWord, State};

pub use crate::layout::{Constant, Field, Structure, Type};

/// Every structure, each after those that it consists of.
pub const STRUCTURES: &[Structure] = &[
    SegmentHeader::DESCRIBED,
    Control::DESCRIBED,
    Ends::DESCRIBED,
    EventLine::DESCRIBED,
    MemberRecord::DESCRIBED,
    Counters::DESCRIBED,
    ProducerLine::DESCRIBED,
    ConsumerLine::DESCRIBED,
    SealLine::DESCRIBED,
    RingHeader::DESCRIBED,
    TailLine::DESCRIBED,
    HeadLine::DESCRIBED,
    GateLine::DESCRIBED,
    QueueHeader::DESCRIBED,
    BlockLine::DESCRIBED,
    LockHead::DESCRIBED,
];

/// Every constant, in groups.
pub const CONSTANTS: &[(&str, &[Constant])] = &[
    ("What is the same in every segment", GENERAL),
    ("The fingerprint of this version", &[HASH]),
    ("What a segment holds", KINDS),
    ("Codes and bits of the header", CODES),
    ("States, bits and kinds of what members change", WORDS),
    ("Where things lie in a slot of a queue", SLOTS),
    ("States of a slot of a queue", STATES),
    ("States of a block of a queue", BLOCKS),
    ("Kinds of locks", LOCKS),
];

const HASH: Constant = Constant {
    name: "LAYOUT_HASH",
    doc: &["What a header of this version has as its layout_hash."],
    value: LAYOUT_HASH,
    size: 8,
};

const fn code(name: &'static str, doc: &'static [&'static str], value: u32) -> Constant {
    Constant { name, doc, value: value as u64, size: 4 }
}

const KINDS: &[Constant] = &[
    code("KIND_SPSC", &["Values, between one producer and one consumer."], Kind::Spsc as u32),
    code("KIND_PIPE", &["Records, one way or both ways."], Kind::Pipe as u32),
    code("KIND_QUEUE", &["Values, between many."], Kind::Queue as u32),
    code("KIND_BYTE_QUEUE", &["Messages of bytes, between many."], Kind::ByteQueue as u32),
    code("KIND_BLOCK", &["Elements in a row, without a ring."], Kind::Block as u32),
    code("KIND_LOCK", &["A lock: max_message is its tag."], Kind::Lock as u32),
];

const STATES: &[Constant] = &[
    code("SLOT_VACANT", &["To be filled."], State::Vacant as u32),
    code("SLOT_WRITING", &["Claimed by the member that fills it."], State::Writing as u32),
    code("SLOT_FILLED", &["Holds a message that was committed."], State::Filled as u32),
    code("SLOT_ABORTED", &["Claimed, and there will be no message."], State::Aborted as u32),
    code("SLOT_READING", &["Claimed by the member that reads it."], State::Reading as u32),
    code(
        "SLOT_REDELIVER",
        &["Was claimed before, for whoever comes next."],
        State::Redeliver as u32,
    ),
];

const BLOCKS: &[Constant] = &[
    code("BLOCK_FREE", &["Nobody's."], 0),
    code("BLOCK_OWNED", &["Of the member that fills it, or gives it back."], 1),
    code("BLOCK_BOUND", &["Of the message at a position of a ring."], 2),
];

const LOCKS: &[Constant] = &[
    code("LOCK_MUTEX", &["Guards a value."], LockKind::Mutex as u32),
    code("LOCK_REENTRANT", &["The same, again and again."], LockKind::ReentrantMutex as u32),
    code("LOCK_RWLOCK", &["Guards a value, also for many readers."], LockKind::RwLock as u32),
    code("LOCK_SEMAPHORE", &["Counts what nobody owns."], LockKind::Semaphore as u32),
    code("LOCK_CONDVAR", &["Wakes who waits."], LockKind::Condvar as u32),
    code("LOCK_FLAG", &["Is set or not."], LockKind::Flag as u32),
    code("LOCK_BARRIER", &["Where parties meet."], LockKind::Barrier as u32),
    code("LOCK_PERMITS", &["A number of permits, each owned."], LockKind::Permits as u32),
];

/// A word of 64 bits that has parts.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Its name.
    pub name: &'static str,
    /// Where it is found.
    pub doc: &'static str,
    /// Its parts from the top, each with a mask of its bits.
    pub parts: &'static [(&'static str, u64)],
}

/// Every word that has parts.
pub const PARTED: &[Word] = &[
    Word {
        name: "attaches",
        doc: "A word of struct ringway_control.",
        parts: &[("removed", REMOVED), ("count", !REMOVED)],
    },
    Word {
        name: "end",
        doc: "Who owns an end of a channel between two: owner is a member and one, zero where nobody does.",
        parts: &EndWord::PARTS,
    },
    Word {
        name: "seal",
        doc: "Where the messages of a ring between two end.",
        parts: &[("agreed", SEALED), ("position", !SEALED)],
    },
    Word {
        name: "outgoing",
        doc: "The last record in pieces: where it begins, once its first piece may be visible; where it ends, once its last may be.",
        parts: &OutgoingWord::PARTS,
    },
    Word {
        name: "cursor",
        doc: "Tail and head of a queue: the next position, and who claimed the one before.",
        parts: &CursorWord::PARTS,
    },
    Word {
        name: "chain",
        doc: "Which segments a queue that grows has, in its first: generations from last - ahead to last.",
        parts: &ChainWord::PARTS,
    },
    Word {
        name: "redeliver",
        doc: "Whether a slot of a queue may be in RINGWAY_SLOT_REDELIVER.",
        parts: &RedeliverWord::PARTS,
    },
    Word { name: "slot", doc: "What a slot of a queue begins with.", parts: &SlotWord::PARTS },
    Word {
        name: "message",
        doc: "What lies before a message of bytes in its slot. Flags are zero, or RINGWAY_MESSAGE_IN_BLOCK.",
        parts: &MessageWord::PARTS,
    },
    Word {
        name: "class",
        doc: "A class of blocks, in the header: so many, of that length, holes of the file or not.",
        parts: &ClassWord::PARTS,
    },
    Word {
        name: "block",
        doc: "Whose a block is. Position and ring are those of the message that it belongs to.",
        parts: &BlockWord::PARTS,
    },
    Word {
        name: "record",
        doc: "What lies before a record of a pipe, or before padding.",
        parts: &[("kind", !0 << 32), ("length", !0 >> 32)],
    },
    Word {
        name: "tag",
        doc: "What lock it is, in the header of one that has a name and in front of any.",
        parts: &LockTag::PARTS,
    },
    Word {
        name: "holder",
        doc: "Who has a lock: member is its number and one, zero where nobody has it.",
        parts: &Holder::PARTS,
    },
    Word {
        name: "readers",
        doc: "How many threads of a member read what a rwlock guards.",
        parts: &rwlock::READERS,
    },
    Word {
        name: "count",
        doc: "The word of a semaphore: how many more than it began with, modulo 2^31.",
        parts: &semaphore::PARTS,
    },
    Word { name: "flag", doc: "The word of a flag.", parts: &flag::PARTS },
    Word { name: "gate", doc: "The word of a condvar and of permits.", parts: &gate::PARTS },
    Word { name: "round", doc: "The word of a barrier.", parts: &barrier::PARTS },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_word_are_all_its_bits_each_once_and_in_a_row() {
        for word in PARTED {
            let mut rest = u64::MAX;
            for (name, mask) in word.parts {
                assert!(*mask != 0 && rest & mask == *mask, "{} of {}", name, word.name);
                let (from, bits) = (mask.trailing_zeros(), mask.count_ones());
                assert_eq!(mask >> from, u64::MAX >> (64 - bits), "{} of {}", name, word.name);
                assert_eq!(rest >> from >> (bits - 1), 1, "{} of {} is not next", name, word.name);
                rest &= !mask;
            }
            assert_eq!(rest, 0, "bits of {} belong to nothing", word.name);
        }
    }

    #[test]
    fn names_are_told_apart() {
        let constants = CONSTANTS.iter().flat_map(|(_, group)| *group).map(|one| one.name);
        let mut names: Vec<&str> = constants.chain(STRUCTURES.iter().map(|one| one.name)).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

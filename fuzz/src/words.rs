//! Rings of any words, read by the library and by a reader that knows the format only: both find the same.

use arbitrary::Arbitrary;
use ringway::pipe::{Connection, Direction};
use ringway::queue::Queue;
use ringway::{Fault, TryRecvError};

use crate::memory::{Fences, Memory};
use crate::place::{Name, small};

/// What lies in a ring.
#[derive(Arbitrary, Debug)]
pub enum Input {
    /// In a pipe's.
    Pipe {
        /// How many records went through before, which moves the cursors.
        before: u8,
        /// The ring's words.
        words: [Word; PIPE],
        /// How many of them are filled, as the tail says: up to one more than there are, or anything.
        filled: Count,
    },
    /// In a queue's, of bytes.
    Queue {
        /// Its slots.
        slots: [Slot; SLOTS],
        /// Where it is read from.
        head: u8,
        /// Whose claim moved the head last.
        member: u8,
    },
}

/// A word in a pipe's ring.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Word {
    /// Anything.
    Raw(u64),
    /// A record's header, with a length that may fit.
    Record(u8),
    /// A padding's header, likewise.
    Padding(u8),
}

/// A number.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Count {
    /// One that may fit.
    Small(u8),
    /// Anything.
    Raw(u64),
}

/// A slot in a queue's ring.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Slot {
    word: SlotWord,
    len: Count,
    text: u8,
}

/// What a slot's word says.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum SlotWord {
    /// A state of the lap that the slot is in, of nobody.
    Right(u8),
    /// Anything in its parts.
    Parts {
        /// Turn.
        lap: u8,
        /// How often delivered.
        tries: u8,
        /// Whose.
        member: u8,
        /// State.
        state: u8,
    },
}

/// Words of a pipe's ring.
const PIPE: usize = 16;
/// Lengths below this may fit a pipe's ring, or just not.
const LONG: u8 = 140;
/// Slots of a queue's ring, and the longest message.
const SLOTS: usize = 4;
const MESSAGE: usize = 32;
const FILLED: u64 = 2;
const ABORTED: u64 = 3;
const REDELIVER: u64 = 5;

impl Word {
    fn bits(self) -> u64 {
        match self {
            Self::Raw(word) => word,
            Self::Record(len) => 1 << 32 | u64::from(len % LONG),
            Self::Padding(len) => 2 << 32 | u64::from(len % LONG),
        }
    }
}

/// Plays one input.
pub fn run(input: &Input) {
    match input {
        Input::Pipe { before, words, filled } => {
            read_pipe(*before, words.map(Word::bits), filled.below(PIPE as u64 + 2));
        }
        Input::Queue { slots, head, member } => {
            read_queue(slots, (*head).into(), (*member).into());
        }
    }
}

fn read_pipe(before: u8, words: [u64; PIPE], filled: u64) {
    let name = Name::fresh();
    let options = small(Connection::options()).capacity(PIPE * 8).direction(Direction::Send);
    let mut sender = options.create(name.as_str()).expect("nobody has the name");
    let mut receiver = options.open(name.as_str()).expect("it was made a moment ago");
    for _ in 0..before {
        sender.try_send(&[]).expect("a word of room");
        receiver.try_recv().expect("a record");
    }
    let (memory, _fences) = (Memory::of(name.path()), Fences::around(name.path()));
    let field = |offset: usize| usize::try_from(memory.get(offset / 8) / 8).expect("small");
    let (ring, slots) = (field(120), field(128));
    words.iter().enumerate().for_each(|(n, word)| memory.put(slots + n, *word));
    let tail = u64::from(before).wrapping_add(filled);
    let mut reader = Reader { words, head: before.into(), tail };
    memory.put(ring, reader.tail);
    loop {
        let found = match receiver.try_recv() {
            Ok(record) => Some(Ok(record)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Failed(Fault::Corrupt(_))) => Some(Err(NoRecord)),
            Err(other) => panic!("{other:?} of a pipe with both ends"),
        };
        assert_eq!(found, reader.next());
        if !matches!(found, Some(Ok(_))) {
            return;
        }
    }
}

/// There is something that is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NoRecord;

/// A reader of a pipe's ring, written from the format's description.
struct Reader {
    words: [u64; PIPE],
    head: u64,
    tail: u64,
}

impl Iterator for Reader {
    type Item = Result<Vec<u8>, NoRecord>;

    /// The record at the head, if there is anything.
    fn next(&mut self) -> Option<Self::Item> {
        let filled = self.tail.wrapping_sub(self.head);
        if filled == 0 {
            return None;
        }
        Some(if filled > PIPE as u64 { Err(NoRecord) } else { self.record(filled, true) })
    }
}

impl Reader {
    /// The record at the head, of which so many words are filled. Padding may come before, once.
    fn record(&mut self, filled: u64, or_padding: bool) -> Result<Vec<u8>, NoRecord> {
        let at = usize::try_from(self.head).expect("small") % PIPE;
        let (header, run) = (self.words[at], PIPE - at);
        let (kind, len) = (header >> 32, usize::try_from(header & 0xffff_ffff).expect("half"));
        match kind {
            1 => {
                let words = len.div_ceil(8) + 1;
                if words > run || words as u64 > filled {
                    return Err(NoRecord);
                }
                self.head += words as u64;
                let bytes = self.words[at + 1..at + words].iter().flat_map(|w| w.to_le_bytes());
                Ok(bytes.take(len).collect())
            }
            // It leads to the start of the memory, and to something.
            2 if or_padding && len / 8 + 1 == run && (run as u64) < filled => {
                self.head += run as u64;
                self.record(filled - run as u64, false)
            }
            _ => Err(NoRecord),
        }
    }
}

impl Count {
    fn below(self, limit: u64) -> u64 {
        match self {
            Self::Small(number) => u64::from(number) % limit,
            Self::Raw(number) => number,
        }
    }
}

impl Slot {
    /// Its word, where it is in `lap`.
    fn word(self, right: u64) -> u64 {
        match self.word {
            SlotWord::Right(state) => right << 18 | u64::from(state % 6),
            SlotWord::Parts { lap, tries, member, state } => {
                let (lap, tries) = (u64::from(lap % 4), u64::from(tries % 16));
                lap << 18 | tries << 14 | u64::from(member) << 3 | u64::from(state % 8)
            }
        }
    }
}

/// The lap of slot `index` for who reads from `head` on.
fn lap_of(index: u64, head: u64) -> u64 {
    let slots = SLOTS as u64;
    (head + (index + slots - head % slots) % slots) / slots
}

fn read_queue(slots: &[Slot; SLOTS], head: u64, member: u64) {
    let name = Name::fresh();
    let options = small(Queue::<[u8]>::options()).capacity(SLOTS).message_len(MESSAGE);
    let queue = options.create(name.as_str()).expect("nobody has the name");
    let (_sender, receiver) = (queue.sender(), queue.receiver());
    let (memory, _fences) = (Memory::of(name.path()), Fences::around(name.path()));
    let field = |offset: usize| usize::try_from(memory.get(offset / 8) / 8).expect("small");
    let (ring, stride, start) = (field(120), field(96), field(128));
    for (n, slot) in slots.iter().enumerate() {
        let at = start + n * stride;
        memory.put(at, slot.word(lap_of(n as u64, head)));
        memory.put(at + 1, slot.len.below(2 * MESSAGE as u64));
        (2..stride).for_each(|n| memory.put(at + n, u64::from(slot.text) * 0x0101_0101_0101_0101));
    }
    memory.put(ring + 16, head << 12 | member);
    memory.put(ring, (head + 1) << 12);
    let answer = receiver.try_recv();
    let Some((slot, lap)) = first_not_aborted(slots, head) else {
        return assert!(answer.is_err(), "{answer:?} although all was aborted");
    };
    match answer {
        Ok(message) => {
            assert_eq!(slot.word(lap), lap << 18 | FILLED, "it was no message");
            assert_eq!(message.len() as u64, slot.len.below(2 * MESSAGE as u64));
            assert!(message.len() <= MESSAGE && message.iter().all(|byte| *byte == slot.text));
        }
        Err(TryRecvError::Failed(Fault::Corrupt(_)) | TryRecvError::Busy(_)) => {}
        Err(TryRecvError::Empty) => assert!(slot.word(lap) % 8 <= REDELIVER, "it is no state"),
        Err(other) => panic!("{other:?} of an open queue with a sender"),
    }
}

/// The first slot from `head` on that a receiver does not pass over, with its lap there, if it is not all of them.
fn first_not_aborted(slots: &[Slot; SLOTS], head: u64) -> Option<(Slot, u64)> {
    let ahead = (head..head + SLOTS as u64).map(|position| {
        (slots[usize::try_from(position).expect("small") % SLOTS], position / SLOTS as u64)
    });
    ahead.into_iter().find(|(slot, lap)| slot.word(*lap) != lap << 18 | ABORTED)
}

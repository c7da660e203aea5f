//! A channel in use while somebody writes to its words: between the calls, or from another thread all the while.
//!
//! The words that are written are made of what the format has, so that they are often nearly right: cursors a little
//! off, slots of the wrong lap, records a word too long. DESIGN.md §4 has the format; nothing of it comes from
//! the library here.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use arbitrary::Arbitrary;

use crate::memory::{Fences, Memory};
use crate::place::Name;
use crate::subject::{Setting, Step};

/// A channel, what is done with it, and what is done to it.
#[derive(Arbitrary, Debug)]
pub struct Input {
    setting: Setting,
    /// From another thread all the while, instead of between the steps.
    meanwhile: bool,
    steps: Vec<Step>,
    writes: Vec<Write>,
}

/// As many steps and as many writes count.
const MOST: usize = 48;

/// A word that is overwritten.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Write {
    place: Place,
    value: Value,
}

/// Which word: all counted around at the end of what they count.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    /// Of the file's first lines: header, control, ends.
    Front(u8),
    /// Of a member's record.
    Record(u8, u8),
    /// Of a ring's header.
    Ring(u8),
    /// Of the slots.
    Slots(u8),
    /// Of the whole file.
    Anywhere(u16),
}

/// What a word is made to say.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Value {
    /// Anything.
    Raw(u64),
    /// A small number.
    Small(u8),
    /// What it says and a little more or less.
    Near(i8),
    /// What it says with one bit turned.
    Flip(u8),
    /// Half of it, as one member's count or state.
    Half(bool, u8),
    /// A queue's cursor.
    Cursor { position: u8, closed: bool, member: u8 },
    /// A queue's slot.
    Slot { lap: u8, tries: u8, member: u8, state: u8 },
    /// A pipe's record or padding.
    Record { kind: u8, len: u32 },
    /// What another word says.
    Copy(u16),
}

/// Offsets of the header's fields that say where things lie, in words.
const MEMBERS_OFFSET: usize = 104 / 8;
const RINGS_OFFSET: usize = 120 / 8;
const SLOTS_OFFSET: usize = 128 / 8;
/// Words before the members' records, of one record, and of a ring's header.
const FRONT: usize = 512 / 8;
const RECORD: usize = 128 / 8;
const RING: usize = 640 / 8;

/// Where a segment's parts begin, in words.
#[derive(Clone, Copy, Debug)]
struct Parts {
    members: usize,
    rings: usize,
    slots: usize,
    end: usize,
}

impl Parts {
    fn of(memory: &Memory) -> Self {
        let part = |field| usize::try_from(memory.get(field) / 8).expect("a segment is small");
        let (members, rings) = (part(MEMBERS_OFFSET), part(RINGS_OFFSET));
        Self { members, rings, slots: part(SLOTS_OFFSET), end: memory.words() }
    }

    fn index(self, place: Place) -> usize {
        match place {
            Place::Front(word) => usize::from(word) % FRONT,
            Place::Record(member, word) => {
                self.members + usize::from(member % 4) * RECORD + usize::from(word) % RECORD
            }
            Place::Ring(word) => self.rings + usize::from(word) % (2 * RING),
            Place::Slots(word) => self.slots + usize::from(word) % (self.end - self.slots),
            Place::Anywhere(word) => usize::from(word),
        }
    }
}

impl Write {
    fn to(self, memory: &Memory, parts: Parts) {
        let index = parts.index(self.place);
        let value = match self.value {
            Value::Raw(value) => value,
            Value::Small(value) => value.into(),
            Value::Near(step) => memory.get(index).wrapping_add_signed(step.into()),
            Value::Flip(bit) => memory.get(index) ^ (1 << (bit % 64)),
            Value::Half(high, value) => return memory.put_half(index, high, value.into()),
            Value::Cursor { position, closed, member } => {
                u64::from(position) << 12 | u64::from(closed) << 11 | u64::from(member)
            }
            Value::Slot { lap, tries, member, state } => {
                let (lap, tries) = (u64::from(lap), u64::from(tries % 16));
                lap << 18 | tries << 14 | u64::from(member) << 3 | u64::from(state % 8)
            }
            Value::Record { kind, len } => u64::from(kind % 7) << 32 | u64::from(len),
            Value::Copy(other) => memory.get(other.into()),
        };
        memory.put(index, value);
    }
}

/// Plays one input.
pub fn run(input: &Input) {
    let name = Name::fresh();
    let mut subject = input.setting.build(&name);
    let (memory, _fences) = (Memory::of(name.path()), Fences::around(name.path()));
    let parts = Parts::of(&memory);
    let steps = input.steps.iter().take(MOST);
    let writes = &input.writes[..input.writes.len().min(MOST)];
    if input.meanwhile {
        let (started, over) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    for write in writes {
                        write.to(&memory, parts);
                    }
                    started.store(true, Relaxed);
                }
            });
            // Also when a step panics, or nobody would hear of it.
            let _end = OnDrop(&over);
            while !started.load(Relaxed) {
                std::thread::yield_now();
            }
            steps.for_each(|step| subject.step(*step));
            drop(subject);
        });
    } else {
        let mut writes = writes.iter();
        for step in steps {
            writes.next().inspect(|write| write.to(&memory, parts));
            subject.step(*step);
        }
        writes.for_each(|write| write.to(&memory, parts));
    }
}

/// Raises a flag at the end of a scope.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

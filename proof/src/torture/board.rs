//! Memory that all processes of a torture share besides the queue: who sits where, what became of each message.
//!
//! It outlives whoever is killed, so the living read here what the dead were about: each says what it is going to do before it
//! does it, and what came of it after. All zeros is its valid empty state.
#![allow(unsafe_code, reason = "a shared mapping becomes references to atomics")]

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use memmap2::{MmapOptions, MmapRaw};

use super::fault::{Fault, Told};
use super::ledger::Ledger;
use super::message::Words;
use super::os;

/// Messages in one operation at most.
pub const MOST: usize = 16;
/// Threads of one process at most.
pub const LANES: usize = 2;
/// Processes at most, and one more: who drains at the end.
pub const SEATS: usize = 33;
/// Where who drains at the end sits.
pub const LAST: usize = SEATS - 1;
/// Messages in the ledger.
pub const MESSAGES: u64 = 1 << 24;
/// Numbers of messages that a thread takes at once.
const BLOCK: u64 = 1024;
/// Stalls of one round that are remembered.
const STALLS: usize = 1 << 14;
const FAULTS: usize = 64;
/// Shorter gaps between two receipts are not remembered.
const SHORTEST_NS: u64 = 500_000;

/// On lines that nothing else is on.
#[repr(C, align(128))]
#[derive(Debug)]
pub struct Line<T>(T);

impl<T> Deref for Line<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// What one thread is in the middle of.
#[repr(C, align(128))]
#[derive(Debug)]
pub struct Lane {
    /// Of a sender: the first message that it may have claimed a place for.
    pub first: AtomicU64,
    /// How many messages it may have claimed and not noted.
    pub armed: AtomicU64,
    /// Of a receiver: whether what it takes is acknowledged before it is noted. Zero is no.
    pub blind: AtomicU64,
    /// The message that it acknowledges now, plus one.
    pub acknowledging: AtomicU64,
    /// What it received last, copied here by the library itself.
    hand: [[AtomicU64; 8]; MOST],
}

/// One process of a role, and the next when that one has died.
#[repr(C, align(128))]
#[derive(Debug)]
pub struct Seat {
    /// What decides its choices. Written before the process starts.
    pub seed: AtomicU64,
    /// How many processes sat here before. Written before the process starts.
    pub incarnation: AtomicU64,
    /// The queue's number for its attachment plus one; zero without.
    pub member: AtomicU64,
    /// When it first was attached; zero before.
    pub ready_at: AtomicU64,
    /// How often an operation answered that the other side has gone.
    pub disconnects: AtomicU64,
    /// Messages that came behind a later one of their stream, and messages flagged that nobody had noted.
    pub surprises: AtomicU64,
    /// Messages that found too short a buffer and were put back.
    pub put_back: AtomicU64,
    /// Dead letters that came a second time and did not say so.
    pub letters_again: AtomicU64,
    /// What its threads are in the middle of.
    pub lanes: [Lane; LANES],
}

#[repr(C)]
#[derive(Debug)]
struct Shared {
    key: Line<AtomicU64>,
    at_most_once: AtomicU64,
    watching: AtomicU64,
    carries: AtomicU64,
    last_record: AtomicU64,
    leaving: AtomicU64,
    next_block: Line<AtomicU64>,
    last_receipt: Line<AtomicU64>,
    stalls_made: Line<AtomicU64>,
    stalls: [[AtomicU64; 2]; STALLS],
    faults_made: Line<AtomicU64>,
    faults: [[AtomicU64; 4]; FAULTS],
    present: Line<[AtomicU64; SEATS]>,
    seats: [Seat; SEATS],
}

/// What is sent, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Messages of eight words, by a queue.
    Words,
    /// Messages of all lengths, by a queue.
    Lengths,
    /// Records of all lengths, by a pipe.
    Pipe,
}

/// A process that is about to be killed: it is not taken for present any more.
const DOOMED: u64 = u64::MAX;

/// The board as one process sees it. It stays mapped until the process ends.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    shared: &'static Shared,
    ledger: Ledger,
}

/// The length of the file.
fn len() -> u64 {
    size_of::<Shared>() as u64 + MESSAGES * size_of::<u32>() as u64
}

impl Board {
    /// A new board in a file without a name.
    pub fn create() -> io::Result<(Self, File)> {
        let file = os::nameless_file(len())?;
        Ok((Self::of(&file)?, file))
    }

    /// Where a child of this process finds the board in `file`.
    pub fn path(file: &File) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
    }

    /// The board of the process that started this one.
    pub fn open(path: &str) -> io::Result<Self> {
        Self::of(&OpenOptions::new().read(true).write(true).open(path)?)
    }

    fn of(file: &File) -> io::Result<Self> {
        let len = usize::try_from(len()).expect("a 64-bit machine");
        let map: &'static MmapRaw = Box::leak(Box::new(MmapOptions::new().len(len).map_raw(file)?));
        #[allow(clippy::cast_ptr_alignment, reason = "a mapping begins on a page")]
        let shared = map.as_mut_ptr().cast::<Shared>();
        // SAFETY: the mapping is of that length, on a page, never unmapped, and any bits are valid atomics.
        let shared = unsafe { &*shared };
        // SAFETY: the mapping has room for the ledger behind the rest.
        let entries = unsafe { map.as_mut_ptr().add(size_of::<Shared>()) };
        let count = usize::try_from(MESSAGES).expect("a 64-bit machine");
        // SAFETY: it lies inside the mapping, on a multiple of 128, and any bits are valid atomics.
        let entries = unsafe { std::slice::from_raw_parts(entries.cast(), count) };
        Ok(Self { shared, ledger: Ledger::new(entries) })
    }

    /// Makes all zero for a new round. Nobody else has the board then.
    pub fn clear(
        &self,
        file: &File,
        key: u64,
        at_most_once: bool,
        watching: bool,
        carries: Carries,
    ) -> io::Result<()> {
        file.set_len(0)?;
        file.set_len(len())?;
        self.shared.key.store(key, Relaxed);
        self.shared.at_most_once.store(at_most_once.into(), Relaxed);
        self.shared.watching.store(watching.into(), Relaxed);
        self.shared.carries.store(carries as u64, Relaxed);
        Ok(())
    }

    /// What became of each message.
    pub fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// What is in each message of this round.
    pub fn key(&self) -> u64 {
        self.shared.key.load(Relaxed)
    }

    /// Whether the queue drops what was not acknowledged.
    pub fn at_most_once(&self) -> bool {
        self.shared.at_most_once.load(Relaxed) != 0
    }

    /// Whether some watch for deaths.
    pub fn some_watch(&self) -> bool {
        self.shared.watching.load(Relaxed) != 0
    }

    /// What is sent.
    pub fn carries(&self) -> Carries {
        match self.shared.carries.load(Relaxed) {
            0 => Carries::Words,
            1 => Carries::Lengths,
            _ => Carries::Pipe,
        }
    }

    /// Whether record `id` comes behind all that were received before. Only the receiver asks.
    pub fn is_next(&self, id: u64) -> bool {
        self.shared.last_record.swap(id + 1, AcqRel) <= id
    }

    /// Asks everybody to leave.
    pub fn ask_to_leave(&self) {
        self.shared.leaving.store(1, Release);
    }

    /// Whether everybody was asked to leave.
    pub fn is_leaving(&self) -> bool {
        self.shared.leaving.load(Acquire) != 0
    }

    /// Numbers for more messages; `None` when the ledger is full.
    pub fn more_numbers(&self) -> Option<std::ops::Range<u64>> {
        let first = self.shared.next_block.fetch_add(1, Relaxed) * BLOCK;
        (first + BLOCK <= MESSAGES).then(|| first..first + BLOCK)
    }

    /// How many numbers were given.
    pub fn numbers(&self) -> u64 {
        (self.shared.next_block.load(Relaxed) * BLOCK).min(MESSAGES)
    }

    /// Seat `number`.
    pub fn seat(&self, number: usize) -> &'static Seat {
        &self.shared.seats[number]
    }

    /// All seats.
    pub fn seats(&self) -> &'static [Seat] {
        &self.shared.seats
    }
}

/// Who is there for certain.
impl Board {
    /// The process at `seat` has its role from now on, unless it is to be killed. `stay` is another each time.
    pub fn arrive(&self, seat: usize, stay: u64) {
        let _ = self.shared.present[seat].compare_exchange(0, stay, AcqRel, Relaxed);
    }

    /// It is about to give its role up.
    pub fn depart(&self, seat: usize, stay: u64) {
        let _ = self.shared.present[seat].compare_exchange(stay, 0, AcqRel, Relaxed);
    }

    /// It is about to be killed.
    pub fn doom(&self, seat: usize) {
        self.shared.present[seat].store(DOOMED, Release);
    }

    /// Another process may sit there.
    pub fn vacate(&self, seat: usize) {
        self.shared.present[seat].store(0, Release);
    }

    /// Which stays there are now at `seats`.
    pub fn stays(&self, seats: std::ops::Range<usize>) -> [u64; SEATS] {
        let mut stays = [0; SEATS];
        for seat in seats {
            stays[seat] = self.shared.present[seat].load(Acquire);
        }
        stays
    }
}

/// Whether somebody stayed from one look to the next.
pub fn somebody_stayed(before: &[u64; SEATS], after: &[u64; SEATS]) -> bool {
    let same = |(one, other): (&u64, &u64)| *one != 0 && *one != DOOMED && one == other;
    before.iter().zip(after).any(same)
}

/// What goes wrong, and how long nothing was received.
impl Board {
    /// Remembers a fault for the parent to find.
    pub fn tell(&self, told: Told) {
        let number = self.shared.faults_made.fetch_add(1, Relaxed);
        if let Some(place) = usize::try_from(number).ok().and_then(|n| self.shared.faults.get(n)) {
            for (word, value) in place.iter().zip(told.words()) {
                word.store(value, Relaxed);
            }
        }
    }

    /// A fault of `kind` about message `id`, seen at `seat`.
    pub fn complain(&self, kind: Fault, seat: usize, id: u64, entry: u32) {
        self.tell(Told { kind, seat, id, entry });
    }

    /// The faults so far, and how many there were in all.
    pub fn faults(&self) -> (Vec<Told>, u64) {
        let made = self.shared.faults_made.load(Acquire);
        let known = usize::try_from(made).map_or(FAULTS, |made| made.min(FAULTS));
        let words = |place: &[AtomicU64; 4]| [0, 1, 2, 3].map(|n: usize| place[n].load(Relaxed));
        (self.shared.faults[..known].iter().map(|place| Told::of(words(place))).collect(), made)
    }

    /// Something was received that was sent at `sent_at`.
    ///
    /// If nothing was received anywhere for a while before, although this was there, then that was a stall.
    pub fn receipt(&self, sent_at: u64) {
        let now = os::now();
        let last = self.shared.last_receipt.swap(now, Relaxed);
        let begin = last.max(sent_at);
        if last != 0 && now.saturating_sub(begin) > SHORTEST_NS {
            let number = self.shared.stalls_made.fetch_add(1, Relaxed);
            let place = usize::try_from(number).ok().and_then(|n| self.shared.stalls.get(n));
            if let Some([from, to]) = place {
                from.store(begin, Relaxed);
                to.store(now, Release);
            }
        }
    }

    /// When something was last received anywhere; zero before.
    pub fn last_receipt(&self) -> u64 {
        self.shared.last_receipt.load(Relaxed)
    }

    /// When stalls began and ended, and how many were too many to be remembered.
    pub fn stalls(&self) -> (Vec<(u64, u64)>, u64) {
        let made = self.shared.stalls_made.load(Acquire);
        let known = made.min(STALLS as u64);
        let known_here = usize::try_from(known).unwrap_or(STALLS);
        let times = |place: &[AtomicU64; 2]| {
            let to = place[1].load(Acquire);
            (place[0].load(Relaxed), to)
        };
        let stalls = self.shared.stalls[..known_here].iter().map(times).filter(|(_, to)| *to != 0);
        (stalls.collect(), made - known)
    }
}

impl Lane {
    /// Says that up to `count` messages may be claimed from now on.
    pub fn arm(&self, count: usize, blind: bool) {
        self.blind.store(blind.into(), Relaxed);
        self.armed.store(count as u64, Release);
    }

    /// Says that all that was claimed is noted.
    pub fn disarm(&self) {
        self.armed.store(0, Release);
    }

    /// A place for the library to put up to `count` received messages in, marked as holding none.
    ///
    /// # Safety
    ///
    /// Only the thread whose lane this is calls it, and has no other such place.
    #[allow(
        clippy::mut_from_ref,
        reason = "the memory is another's only when this process is dead"
    )]
    pub unsafe fn empty_hand(&self, count: usize) -> &mut [Words] {
        let hand = &self.hand[..count];
        for message in hand {
            message[0].store(0, Release);
        }
        // SAFETY: atomics are cells of the same layout, inside the mapping, and nobody else uses them now.
        unsafe { std::slice::from_raw_parts_mut(hand.as_ptr().cast::<Words>().cast_mut(), count) }
    }

    /// The words of what a dead thread had in its hand.
    pub fn hand(&self) -> Vec<Words> {
        let words = |message: &[AtomicU64; 8]| {
            let mut words: Words = [0; 8];
            for (word, place) in words.iter_mut().zip(message) {
                *word = place.load(Relaxed);
            }
            words
        };
        self.hand.iter().map(words).collect()
    }

    /// Says that nobody is in the middle of anything. What is in the hand is not there any more.
    pub fn clear(&self) {
        [&self.first, &self.armed, &self.blind, &self.acknowledging]
            .into_iter()
            .chain(self.hand.iter().map(|message| &message[0]))
            .for_each(|word| word.store(0, Relaxed));
    }
}

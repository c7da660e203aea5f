//! What the processes of a torture of locks write down, beside the locks in the same block: words that outlive their writers.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use ringway::block::{Block, Place};

use super::super::Problem;

/// Processes at a time.
pub const SEATS: usize = 4;
/// Where the words are, behind all locks, and how far one seat's are from the next.
const WORDS: usize = 4096;
const STRIDE: usize = 256;
/// Bytes of a block.
pub const LEN: usize = WORDS + (SEATS + 1) * STRIDE;

/// What a process does, as it is counted when it begins and when it has done it: what is begun and not done is in its hand.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// It takes the mutex, and changes nothing.
    Take,
    /// It takes the mutex, and adds one.
    Add,
    /// It takes the lock as a writer, and adds one.
    Write,
    /// It takes one from the semaphore.
    Acquire,
    /// It gives one.
    Release,
    /// It meets another at the barrier.
    Meet,
}

/// How many deeds there are.
pub const DEEDS: usize = 6;

/// A word of a seat that is not a count of deeds.
#[derive(Clone, Copy, Debug)]
pub enum Word {
    /// It is about to be killed.
    Doomed,
    /// Which permit it has, another number each time; zero for none.
    Permit,
    /// It is inside the mutex, or inside the lock as a writer.
    InMutex,
    InLock,
    /// How often it was told of a death by the mutex, or as a writer.
    ToldMutex,
    ToldLock,
    /// Rounds of the barrier that it led, or was met in.
    Led,
    Met,
}

/// How many there are, the deeds' behind them.
const PLAIN: usize = 8;

/// The words as one process sees them.
#[derive(Clone, Copy)]
pub struct Book<'b>(pub &'b Block);

impl Book<'_> {
    fn at(self, offset: usize) -> Place<AtomicU64> {
        self.0.atomic(offset).expect("the block has room for all words")
    }

    /// A word of `seat`.
    pub fn word(self, seat: usize, word: Word) -> Place<AtomicU64> {
        self.at(WORDS + (seat + 1) * STRIDE + word as usize * 8)
    }

    fn begun(self, seat: usize, deed: usize) -> Place<AtomicU64> {
        self.at(WORDS + (seat + 1) * STRIDE + (PLAIN + deed) * 8)
    }

    fn done(self, seat: usize, deed: usize) -> Place<AtomicU64> {
        self.at(WORDS + (seat + 1) * STRIDE + (PLAIN + DEEDS + deed) * 8)
    }

    /// Counts what `seat` is about to do.
    pub fn begin(self, seat: usize, deed: Deed) {
        self.begun(seat, deed as usize).fetch_add(1, SeqCst);
    }

    /// Counts that it is done, or that it came to nothing.
    pub fn end(self, seat: usize, deed: Deed, is_done: bool) {
        if is_done {
            self.done(seat, deed as usize).fetch_add(1, SeqCst);
        } else {
            self.begun(seat, deed as usize).fetch_sub(1, SeqCst);
        }
    }

    /// What `seat` has done, and what it began and has not done.
    pub fn deeds(self, seat: usize) -> [(u64, u64); DEEDS] {
        std::array::from_fn(|deed| {
            let done = self.done(seat, deed).load(SeqCst);
            (done, self.begun(seat, deed).load(SeqCst) - done)
        })
    }

    /// Nobody has anything in hand at `seat` any more. The permit goes first: who sees it sees also that its owner was doomed.
    pub fn vacate(self, seat: usize) {
        self.word(seat, Word::Permit).store(0, SeqCst);
        for word in [Word::InMutex, Word::InLock, Word::Doomed] {
            self.word(seat, word).store(0, SeqCst);
        }
        for (deed, (done, _)) in self.deeds(seat).into_iter().enumerate() {
            self.begun(seat, deed).store(done, SeqCst);
        }
    }

    /// Asks everybody to leave.
    pub fn ask_to_leave(self) {
        self.at(WORDS).store(1, Relaxed);
    }

    pub fn is_leaving(self) -> bool {
        self.at(WORDS).load(Relaxed) != 0
    }

    /// How many have a permit at two looks, between which it was not doomed: all of them have it at one moment.
    pub fn permitted(self) -> usize {
        let look = || -> [u64; SEATS] {
            std::array::from_fn(|seat| self.word(seat, Word::Permit).load(SeqCst))
        };
        let before = look();
        let live = |seat: &usize| self.word(*seat, Word::Doomed).load(SeqCst) == 0;
        let live = (0..SEATS).filter(|seat| before[*seat] != 0 && live(seat)).count();
        if look() == before { live } else { 0 }
    }
}

/// A value that is changed in steps, under a lock: who is in, and two numbers that are equal when nobody is.
pub type Value = [u64; 3];

/// Adds one, as the only one who does so meanwhile. After a death, which may have been in the middle, it is made whole first.
pub fn add(value: &mut Value, died: bool, ticket: u64, work: impl FnOnce()) -> Result<(), Problem> {
    is_whole(value, died)?;
    value[0] = ticket;
    value[2] = value[1];
    // Each step is a store that a death may come behind.
    let value = std::hint::black_box(value);
    value[1] += 1;
    let value = std::hint::black_box(value);
    work();
    value[2] += 1;
    let value = std::hint::black_box(value);
    if value[0] != ticket || value[1] != value[2] {
        return Err(Problem(format!("another was in too: {value:?}, ticket {ticket}")));
    }
    value[0] = 0;
    Ok(())
}

/// Where nobody died, nobody is in, and it is whole.
pub fn is_whole(value: &Value, died: bool) -> Result<(), Problem> {
    if !died && (value[0] != 0 || value[1] != value[2]) {
        return Err(Problem(format!("torn or taken, and nobody is told: {value:?}")));
    }
    Ok(())
}

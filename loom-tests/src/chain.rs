//! A queue that grows, on the heap: an anchor of one slot and annexes of one slot, for members 0 to 3.
//!
//! [`Chain::send`] and [`Chain::recv`] do what a station of the library does. The lock is loom's; who is killed lets it go.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::{AcqRel, Relaxed, Release};
use loom::thread::JoinHandle;
use ringway::parts::chain::{ChainWord, Links};
use ringway::parts::mpmc::{Dry, Refusal, Ring, Taken};
use ringway::parts::reap::{DeliveryPolicy, reap};
use ringway::parts::{AtomicU64, ContestedU64, Corruption, HeapSlots, QueueHeader};

use super::member;
use super::queue::{MEMBERS, receiver, sender};

/// So many annexes a model may make.
const ANNEXES: usize = 5;

/// The segments of a queue that grows.
#[derive(Debug)]
pub struct Chain {
    word: ContestedU64,
    leaving: AtomicU64,
    /// The anchor's, then those of the generations from 1 on.
    rings: Vec<(QueueHeader, HeapSlots<u64>)>,
    /// The annexes that there are: not what loom explores, as files are not.
    made: Mutex<BTreeSet<u64>>,
    change: AtomicBool,
}

impl Chain {
    /// An empty queue of an anchor alone.
    pub fn new() -> Arc<Self> {
        let ring = |_| {
            let header = QueueHeader::default();
            header.initialise();
            (header, HeapSlots::vacant(1, size_of::<u64>()))
        };
        Arc::new(Self {
            word: ContestedU64::new(0),
            leaving: AtomicU64::new(0),
            rings: (0..=ANNEXES).map(ring).collect(),
            made: Mutex::default(),
            change: AtomicBool::new(false),
        })
    }

    /// A queue that holds `values`, sent by member 0.
    ///
    /// # Panics
    ///
    /// When it does not take them.
    pub fn holding(values: &[u64]) -> Arc<Self> {
        let chain = Self::new();
        for value in values {
            assert_eq!(chain.send(0, *value), Ok(()));
        }
        chain
    }

    /// Runs `act` on a thread of its own.
    pub fn beside<R: 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Chain) -> R + 'static,
    ) -> JoinHandle<R> {
        let chain = Arc::clone(self);
        loom::thread::spawn(move || act(&chain))
    }

    /// Sends `value` as member `number`, in another segment if there is no room: but not if somebody else is changing the
    /// chain.
    ///
    /// # Panics
    ///
    /// When the chain is corrupt.
    pub fn send(&self, number: u16, value: u64) -> Result<(), Refusal> {
        loop {
            let filled = self.fill(|ring| ring.reserve(&sender(number), 0)).expect("a whole chain");
            let (refusal, seen) = match filled {
                Ok((claim, link)) => {
                    self.ring(&link).fill_with(claim, &value);
                    return Ok(());
                }
                Err(refused) => refused,
            };
            let grow = || {
                let make = |generation| {
                    self.files().insert(generation);
                    Ok(true)
                };
                Ok::<bool, Corruption>(self.pass_alone()? || self.append(seen, make)?)
            };
            let grown = refusal != Refusal::Closed && self.alone(grow) == Some(Ok(true));
            if !grown {
                return Err(refusal);
            }
        }
    }

    /// Claims the next message as member `number`.
    ///
    /// # Panics
    ///
    /// When the chain is corrupt.
    pub fn claim(&self, number: u16) -> Result<(Taken, usize), Dry> {
        loop {
            let taken = self.take(|_, ring| ring.take(&receiver(number)));
            match taken.expect("a whole chain") {
                Err(Dry::Skipped) => {}
                done => return done,
            }
        }
    }

    /// Receives the next message as member `number`.
    ///
    /// # Panics
    ///
    /// When the chain is corrupt.
    pub fn recv(&self, number: u16) -> Result<u64, Dry> {
        let (claim, link) = self.claim(number)?;
        let ring = self.ring(&link);
        let value = ring.copy(&claim);
        ring.acknowledge(claim);
        let seen = self.look().expect("a whole chain");
        let generation = if link == 0 { seen.anchor() } else { Some(link as u64) };
        if let Some(generation) = generation {
            self.tidy(&link, generation).expect("a whole chain");
        }
        Ok(value)
    }

    /// Receives until there is nothing, and says why.
    pub fn rest(&self, number: u16) -> (Vec<u64>, Dry) {
        let mut received = Vec::new();
        loop {
            match self.recv(number) {
                Ok(value) => received.push(value),
                Err(why) => return (received, why),
            }
        }
    }

    /// Puts a message back that was seen.
    pub fn put_back(&self, number: u16, (claim, link): (Taken, usize)) {
        self.ring(&link).put_back(receiver(number).sweeper(), claim, true);
    }

    /// Takes back what member `number` left in any segment of the chain, and beside it.
    ///
    /// # Panics
    ///
    /// When the chain is corrupt.
    pub fn reap(&self, number: u16) {
        let seen = self.look().expect("a whole chain");
        for generation in seen.first()..=seen.last() {
            let link = self.link(seen, generation).expect("a whole chain");
            if let Some(link) = link.filter(|link| *link != 0) {
                reap(&self.ring(&link), member(number), DeliveryPolicy::AtLeastOnce);
            }
        }
        reap(&self.ring(&0), member(number), DeliveryPolicy::AtLeastOnce);
        let cleaned = self.alone(|| self.clean_up());
        assert!(cleaned.is_none_or(|cleaned| cleaned.is_ok()));
    }

    /// Goes home and dies once the word says so; and sends `value` as one who has seen the older word. False if the chain is not
    /// such that anybody would go home, or somebody else is changing it.
    ///
    /// # Panics
    ///
    /// When the chain is corrupt.
    pub fn go_home_and_die_before(&self, number: u16, value: u64) -> bool {
        let mut went = false;
        let filled = self.fill(|ring| {
            let go = || {
                let seen = self.look().expect("a whole chain");
                let next = seen.returning().filter(|_| seen.is_away() && ring.is_idle());
                let swap = |next: ChainWord| {
                    self.word.compare_exchange(seen.0, next.0, AcqRel, Relaxed).is_ok()
                };
                next.is_some_and(swap)
            };
            went = went || self.alone(go) == Some(true);
            let claim = if went { ring.reserve(&sender(number), 0) } else { Err(Refusal::Full) };
            claim.map(|claim| ring.fill_with(claim, &value))
        });
        filled.expect("a whole chain").is_ok()
    }

    /// Receives the next message as member `number`, and looks no further.
    ///
    /// # Panics
    ///
    /// When the chain is corrupt.
    pub fn recv_only(&self, number: u16) -> Result<u64, Dry> {
        let (claim, link) = self.claim(number)?;
        let value = self.ring(&link).copy(&claim);
        self.ring(&link).acknowledge(claim);
        Ok(value)
    }

    /// Closes the queue.
    ///
    /// # Panics
    ///
    /// When the chain is corrupt.
    pub fn close_queue(&self) {
        self.close().expect("a whole chain");
    }

    /// Checks that the anchor is alone again, no annex is there, and messages still come and go.
    ///
    /// # Panics
    ///
    /// When that is not so.
    pub fn assert_home(&self) {
        assert_eq!(self.send(0, 90), Ok(()));
        assert_eq!(self.rest(0), (vec![90], Dry::Empty));
        let seen = self.look().expect("a whole chain");
        assert!(seen.ahead() == 0 && seen.is_anchor(seen.last()), "{seen:x?}");
        assert!(self.files().is_empty(), "{:?}", self.files());
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeSet<u64>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Links<u64> for Chain {
    type Link = usize;
    type Trouble = Corruption;

    fn word(&self) -> &ContestedU64 {
        &self.word
    }

    fn leaving(&self) -> &AtomicU64 {
        &self.leaving
    }

    fn link(&self, seen: ChainWord, generation: u64) -> Result<Option<usize>, Corruption> {
        if seen.is_anchor(generation) {
            return Ok(Some(0));
        }
        let there = self.files().contains(&generation);
        Ok(there.then(|| usize::try_from(generation).expect("few")))
    }

    fn ring<'l>(&'l self, link: &'l usize) -> Ring<'l, u64> {
        let (header, slots) = &self.rings[*link];
        Ring::new(header, slots.slots(), MEMBERS.into())
    }

    fn discard(&self, generation: u64) {
        // A call of the system: who is to die may die before it.
        self.leaving.load(Relaxed);
        self.files().remove(&generation);
    }

    fn alone<R>(&self, act: impl FnOnce() -> R) -> Option<R> {
        let held = Held::of(&self.change)?;
        let done = act();
        drop(held);
        Some(done)
    }
}

/// The right to change the chain: as with the kernel's lock, whoever gets it sees what the last one did, dead or not.
struct Held<'a>(&'a AtomicBool);

impl<'a> Held<'a> {
    fn of(change: &'a AtomicBool) -> Option<Self> {
        // No swap: loom would let the holder's store come between what it reads and what it writes.
        change.compare_exchange(false, true, AcqRel, Relaxed).is_ok().then(|| Self(change))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.store(false, Release);
    }
}

/// The chain's word, for who knows that nobody changes it.
impl Chain {
    /// Whether it says that the queue is closed.
    pub fn is_closed(&self) -> bool {
        ChainWord(self.word.load(Relaxed)).is_closed()
    }
}

//! Fixtures for the models: a channel on the heap, an abstract thing to wait for, and how a model is run.
//!
//! A model is one hazard: at most three threads and about three messages. Threads never spin: they try a
//! fixed number of times, or sleep through [`Event::wait_until`]. The futex of a loom build knows no
//! time-outs, so a lost wake-up is a deadlock, which loom reports.
//!
//! **Sides are taken up before threads start.** loom 0.7 remembers one last access of each word when it looks
//! for orders to try: a thread that loads a word and then stores it hides the other thread's earlier load,
//! and the search ends too soon. A thread must not begin by loading the word that it will store; [`model`]
//! refuses a search that ended after one interleaving. In a ring between many everybody loads a word and then changes
//! it: there the facade's `ContestedU64` has loom try all orders. They are many more, so [`crowded`] allows fewer
//! preemptions where three are at it.
//!
//! Fixtures live in `std`'s `Arc`, which loom does not explore: who drops a fixture last is no hazard here.
//! Empty unless built for loom: `cargo xtask loom`.
#![cfg(loom)]

pub mod chain;
pub mod crash;
pub mod locks;
pub mod queue;
pub mod scene;
pub mod slab;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use loom::thread::JoinHandle;
use ringway::parts::cursor::EndWord;
use ringway::parts::grant::WriteGrant;
use ringway::parts::spsc::{ConsumerSide, Dry, ProducerSide, Refusal, Ring};
use ringway::parts::{
    AtomicU64, Attempt, Barrier, Deadline, Event, EventLine, HeapCells, LocalWaiters, Patience,
    Recheck, RingHeader, fence, wait_at_several,
};
use ringway::{MemberId, Wait};

/// A position that no ring reaches in practice and that every ring must serve.
pub const HIGH: u64 = (1 << 62) - 1;

/// Sleeps at once, and never for a recheck: nothing but a notification ends a sleep.
pub(crate) const PARK: Patience = Patience { wait: Wait::Park, recheck_ns: u64::MAX, alone: false };

/// Checks `model` in every interleaving with at most so many preemptions as `RINGWAY_LOOM_BOUND` says (3
/// when unset, `none` for no bound).
///
/// # Panics
///
/// When an interleaving panics, deadlocks or lets two threads meet in one cell, when there is only one
/// interleaving, which checks nothing, or when the variable is not a number.
pub fn model(model: impl Fn() + Send + Sync + 'static) {
    check(bound(), model);
}

/// The same with `fewer` preemptions, where three are at it at once or two do much.
pub fn crowded(fewer: usize, model: impl Fn() + Send + Sync + 'static) {
    check(bound().map(|bound| bound.saturating_sub(fewer)), model);
}

fn check(bound: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let started = Instant::now();
    let runs = search(bound, model);
    // Seen with `--nocapture`, or when the model fails.
    println!("{runs} interleavings in {:.2} s", started.elapsed().as_secs_f64());
    assert!(runs > 1, "the model has one interleaving only");
}

/// Searches all interleavings of `model`, and says how many there are.
fn search(bound: Option<usize>, model: impl Fn() + Send + Sync + 'static) -> usize {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound;
    // Only a finished search counts: whatever would end it early is off.
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.max_branches = 10_000;
    builder.max_threads = 4;
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    builder.check(move || {
        counter.fetch_add(1, Relaxed);
        model();
    });
    runs.load(Relaxed)
}

fn bound() -> Option<usize> {
    match std::env::var("RINGWAY_LOOM_BOUND") {
        Err(_) => Some(3),
        Ok(text) if text == "none" => None,
        Ok(text) => Some(text.parse().expect("RINGWAY_LOOM_BOUND is a number or `none`")),
    }
}

/// Member number `number`.
pub fn member(number: u16) -> MemberId {
    EndWord::from_bits(u64::from(number) + 1).owner().expect("the word names an owner")
}

/// One direction between a producer (member 0) and a consumer (member 1): values, or words of records.
#[derive(Debug)]
pub struct Channel {
    header: RingHeader,
    slots: HeapCells<u64>,
    waits_for_room: LocalWaiters,
    waits_for_more: LocalWaiters,
}

impl Channel {
    /// An empty channel of `capacity` slots.
    pub fn new(capacity: usize) -> Arc<Self> {
        Self::starting_at(0, capacity)
    }

    /// An empty channel through which `position` messages have passed.
    pub fn starting_at(position: u64, capacity: usize) -> Arc<Self> {
        let header = RingHeader::default();
        header.initialise();
        header.producer.tail.store(position, Relaxed);
        header.consumer.head.store(position, Relaxed);
        Arc::new(Self {
            header,
            slots: HeapCells::zeroed(capacity),
            waits_for_room: LocalWaiters::default(),
            waits_for_more: LocalWaiters::default(),
        })
    }

    /// Runs `act` on a thread of its own.
    pub fn beside<R: 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Channel) -> R + 'static,
    ) -> JoinHandle<R> {
        let channel = Arc::clone(self);
        loom::thread::spawn(move || act(&channel))
    }

    /// The ring.
    pub fn ring(&self) -> Ring<'_, u64> {
        Ring::new(&self.header, self.slots.cells(), Barrier::Fence)
    }

    /// The words that both sides share.
    pub fn header(&self) -> &RingHeader {
        &self.header
    }

    /// Takes the producer's side up.
    ///
    /// # Panics
    ///
    /// When the cursors are impossible.
    pub fn producer(&self) -> ProducerSide {
        ProducerSide::resume(&self.ring()).expect("the cursors are possible")
    }

    /// Takes the consumer's side up.
    ///
    /// # Panics
    ///
    /// When the cursors are impossible.
    pub fn consumer(&self) -> ConsumerSide {
        ConsumerSide::resume(&self.ring()).expect("the cursors are possible")
    }

    /// The event that the consumer waits at.
    pub fn not_empty(&self) -> Event<'_> {
        let line = &self.header.not_empty;
        Event::new(line, &self.waits_for_more, member(1), Barrier::Fence)
    }

    /// The event that the producer waits at.
    pub fn not_full(&self) -> Event<'_> {
        let line = &self.header.not_full;
        Event::new(line, &self.waits_for_room, member(0), Barrier::Fence)
    }

    /// Sends `value`, sleeping while there is no room.
    pub fn send(&self, side: &mut ProducerSide, value: u64) -> Result<(), Refusal> {
        if self.wait_for_room(|| side.push(&self.ring(), &value))? {
            self.not_empty().notify(1);
        }
        Ok(())
    }

    /// Receives a value, sleeping while there is none.
    pub fn recv(&self, side: &mut ConsumerSide) -> Result<u64, Dry> {
        let (value, awaited) = self.wait_for_more(|| side.pop(&self.ring()))?;
        if awaited {
            self.not_full().notify(1);
        }
        Ok(value)
    }

    /// Repeats `operation` until it finds room, asleep between.
    ///
    /// # Panics
    ///
    /// When the wait ends without an answer.
    pub fn wait_for_room<R>(
        &self,
        mut operation: impl FnMut() -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        let attempt = |_| match operation() {
            Err(Refusal::Full) => Attempt::Idle,
            done => Attempt::Ready(done),
        };
        let more = || self.ring().len() < self.ring().capacity().slots();
        self.not_full()
            .wait_until(PARK, &mut Recheck::default(), Deadline::NEVER, attempt, more)
            .expect("it has no deadline")
    }

    /// Repeats `operation` until it finds something, asleep between.
    ///
    /// # Panics
    ///
    /// When the wait ends without an answer.
    pub fn wait_for_more<R>(
        &self,
        mut operation: impl FnMut() -> Result<R, Dry>,
    ) -> Result<R, Dry> {
        let attempt = |_| match operation() {
            Err(Dry::Empty) => Attempt::Idle,
            done => Attempt::Ready(done),
        };
        let more = || !self.ring().is_empty();
        self.not_empty()
            .wait_until(PARK, &mut Recheck::default(), Deadline::NEVER, attempt, more)
            .expect("it has no deadline")
    }

    /// Waits as the consumer of both `places` until one has something, and leaves it. Says which.
    ///
    /// # Panics
    ///
    /// When the wait ends without an answer.
    pub fn select(places: [&Channel; 2]) -> usize {
        // As a lane of the library looks.
        let ready = |place: &&Channel| !place.ring().is_empty() || place.ring().is_closing();
        let attempt = |_| places.iter().position(ready).map_or(Attempt::Idle, Attempt::Ready);
        let more = |at: usize| !places[at].ring().is_empty();
        let (events, mut recheck) = (places.map(Channel::not_empty), Recheck::default());
        wait_at_several(&events, PARK, &mut recheck, Deadline::NEVER, attempt, more)
            .expect("it has no deadline")
    }

    /// Closes, and wakes both sides.
    pub fn close(&self) {
        self.ring().close();
        self.not_empty().notify_all();
        self.not_full().notify_all();
    }

    /// Fills the next slot and publishes it, and is killed before the barrier that a publication ends with.
    ///
    /// loom runs a store and the fence behind it as one step, so only the dead show what is between.
    ///
    /// # Panics
    ///
    /// When there is no room.
    pub fn push_and_die(&self, mut side: ProducerSide, value: u64) {
        let (ring, event) = (self.ring(), self.not_empty());
        side.room(&ring, 1).expect("there is room");
        let mut grant = WriteGrant::new((&ring, &mut side, &event), 1);
        grant[0] = value;
        drop(grant);
        self.header.producer.tail.store(side.tail() + 1, Release);
    }

    /// Tries to push each of `values` once, and gives back those that were accepted.
    ///
    /// # Panics
    ///
    /// When the ring says that it is corrupt.
    pub fn push_each(&self, side: &mut ProducerSide, values: &[u64]) -> Vec<u64> {
        let mut accept = |value: &u64| match side.push(&self.ring(), value) {
            Err(Refusal::Corrupt(what)) => panic!("{what:?}"),
            outcome => outcome.is_ok(),
        };
        values.iter().copied().filter(|value| accept(value)).collect()
    }

    /// Takes at most `limit` values, and stops at the first time that there is none.
    ///
    /// # Panics
    ///
    /// When the ring says that it is corrupt.
    pub fn pop_some(&self, side: &mut ConsumerSide, limit: usize) -> Vec<u64> {
        let take = || match side.pop(&self.ring()) {
            Err(Dry::Corrupt(what)) => panic!("{what:?}"),
            outcome => outcome.ok().map(|(value, _)| value),
        };
        std::iter::from_fn(take).take(limit).collect()
    }
}

/// Something to wait for that any number of threads may take: tokens, and an event beside them.
#[derive(Debug)]
pub struct Tokens {
    count: AtomicU64,
    line: EventLine,
    local: [LocalWaiters; 2],
}

impl Tokens {
    /// No tokens yet.
    pub fn new() -> Arc<Self> {
        let (count, line) = (AtomicU64::new(0), EventLine::default());
        Arc::new(Self { count, line, local: [(); 2].map(|()| LocalWaiters::default()) })
    }

    /// Runs `act` on a thread of its own.
    pub fn beside<R: 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Tokens) -> R + 'static,
    ) -> JoinHandle<R> {
        let tokens = Arc::clone(self);
        loom::thread::spawn(move || act(&tokens))
    }

    /// The event as one of the two members sees it: the first, or the last that there can be.
    fn event(&self, which: usize) -> Event<'_> {
        let id = member([0, 62][which]);
        Event::new(&self.line, &self.local[which], id, Barrier::Fence)
    }

    /// Adds a token and wakes one waiter.
    pub fn add(&self) {
        self.count.fetch_add(1, AcqRel);
        // What `Barrier::light` is in a loom build.
        fence(SeqCst);
        self.event(0).notify(1);
    }

    /// Adds a token for everybody and wakes all, as a change that happens once.
    pub fn flood(&self) {
        self.count.fetch_add(100, AcqRel);
        self.event(0).notify_all();
    }

    /// Buries the first of the two members, and makes good what it may have taken: adds a token, and tells everybody once.
    pub fn bury_first(&self) {
        self.line.waiters[0].fetch_and(!1, SeqCst);
        self.count.fetch_add(1, AcqRel);
        self.line.epoch.fetch_add(1, SeqCst);
        self.line.epoch.wake(u32::MAX);
    }

    /// Whether anybody's bit says that it waits.
    pub fn anybody_waits(&self) -> bool {
        self.line.waiters[0].load(Acquire) != 0
    }

    /// Takes a token as one of the two members, sleeping while there is none.
    pub fn take(&self, which: usize) {
        self.wait(which, || self.try_take(), || self.count() > 0);
    }

    /// Waits as one of the two members until there is a token, and leaves it.
    pub fn look(&self, which: usize) {
        self.wait(which, || self.count() > 0, || self.count() > 0);
    }

    /// Waits as one of the two members until there is a token, as for a state: it leaves nothing for others
    /// to do, so nobody passes a wake-up on.
    pub fn watch(&self, which: usize) {
        self.wait(which, || self.count() > 0, || false);
    }

    /// How many tokens there are.
    pub fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// Waits as one of the two members at both of `places` until there is a token at either, and leaves it. Says at which.
    ///
    /// # Panics
    ///
    /// When the wait ends without an answer.
    pub fn look_at_both(places: [&Tokens; 2], which: usize) -> usize {
        let found = || places.iter().position(|place| place.count() > 0);
        Self::wait_at_both(places, which, found)
    }

    /// The same, but takes it.
    pub fn take_at_either(places: [&Tokens; 2], which: usize) -> usize {
        let found = || places.iter().position(|place| place.try_take());
        Self::wait_at_both(places, which, found)
    }

    fn wait_at_both(
        places: [&Tokens; 2],
        which: usize,
        mut found: impl FnMut() -> Option<usize>,
    ) -> usize {
        let attempt = |_| found().map_or(Attempt::Idle, Attempt::Ready);
        let more = |at: usize| places[at].count() > 0;
        let (events, mut recheck) = (places.map(|place| place.event(which)), Recheck::default());
        wait_at_several(&events, PARK, &mut recheck, Deadline::NEVER, attempt, more)
            .expect("it has no deadline")
    }

    fn try_take(&self) -> bool {
        let count = self.count.load(Relaxed);
        // A failed exchange is another taker: whoever loses to it looks again by the same rule.
        count > 0
            && (self.count.compare_exchange(count, count - 1, AcqRel, Relaxed).is_ok()
                || self.try_take())
    }

    fn wait(&self, which: usize, mut found: impl FnMut() -> bool, more: impl Fn() -> bool) {
        let attempt = |_| if found() { Attempt::Ready(()) } else { Attempt::Idle };
        let waited = self.event(which).wait_until(
            PARK,
            &mut Recheck::default(),
            Deadline::NEVER,
            attempt,
            more,
        );
        waited.expect("it has no deadline");
    }
}

//! Locks on the heap, with what they guard, for members 0 to 2 with a thread each.
//!
//! Who waits sleeps until it is woken: models have no time, so a nap for a holder would be no sleep. Whether somebody is dead
//! is known from who has joined its thread.

use std::sync::Arc;

use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::{Acquire, Release};
use loom::thread::JoinHandle;
use ringway::parts::lock::barrier::{Arrival, Barrier, Breach};
use ringway::parts::lock::data::Guarded;
use ringway::parts::lock::flag::Flag;
use ringway::parts::lock::gate::{Gate, Settled};
use ringway::parts::lock::holder::Holder;
use ringway::parts::lock::mutex::Mutex;
use ringway::parts::lock::permits::Permits;
use ringway::parts::lock::rwlock::RwLock;
use ringway::parts::lock::semaphore::Semaphore;
use ringway::parts::lock::{Denial, Fate, Held};
use ringway::parts::{Deadline, HeapCells, LockWord, Look, Recheck, Turn, wait_at_word};

use super::{PARK, member};

/// So many members.
const MEMBERS: usize = 3;
/// A look that asks who lives and does not sleep.
const CLOSER: Look = Look { overdue: true, last: false };
/// A look that asks nothing.
const QUICK: Look = Look { overdue: false, last: false };

/// Words that are whatever lock the model takes them for, and a value of two words that a lock guards.
#[derive(Debug)]
pub struct Place {
    word: LockWord,
    gate: LockWord,
    counts: [LockWord; MEMBERS],
    slots: [LockWord; 2],
    value: HeapCells<u64>,
    other: HeapCells<u64>,
    dead: [AtomicBool; MEMBERS],
}

/// Thread of member `number`.
fn holder(number: u16) -> Holder {
    Holder::new(member(number), 1).thread(1)
}

impl Place {
    /// All zero.
    pub fn new() -> Arc<Self> {
        let place = Self {
            word: LockWord::default(),
            gate: LockWord::default(),
            counts: Default::default(),
            slots: Default::default(),
            value: HeapCells::zeroed(1),
            other: HeapCells::zeroed(1),
            dead: Default::default(),
        };
        for number in 0..3 {
            place.rwlock().enroll(holder(number)).unwrap();
        }
        Arc::new(place)
    }

    /// Runs `act` on a thread of its own.
    pub fn beside<R: 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Place) -> R + 'static,
    ) -> JoinHandle<R> {
        let place = Arc::clone(self);
        loom::thread::spawn(move || act(&place))
    }

    /// Says that member `number` is dead: for who has joined its thread.
    pub fn is_dead(&self, number: u16) {
        self.dead[usize::from(number)].store(true, Release);
    }

    fn fate(&self, holder: Holder) -> Fate {
        match self.dead.get(holder.member().index()) {
            Some(dead) if dead.load(Acquire) => Fate::Dead,
            Some(_) => Fate::Lives,
            None => Fate::Impossible,
        }
    }

    /// Waits at `word` until `attempt` is ready.
    fn wait<R>(word: &LockWord, mut attempt: impl FnMut(Look) -> Turn<R>) -> R {
        let attempt = |look| match attempt(look) {
            Turn::Asleep { word, .. } => Turn::Asleep { word, holder: None },
            Turn::Ready(done) => Turn::Ready(done),
        };
        wait_at_word(word, PARK, &mut Recheck::default(), Deadline::NEVER, attempt)
            .expect("it has no deadline")
    }

    fn once<R>(turn: Turn<Result<R, Denial>>) -> Option<R> {
        match turn {
            Turn::Ready(result) => Some(result.expect("a sound lock")),
            Turn::Asleep { .. } => None,
        }
    }

    fn value(&self) -> [Guarded<'_, u64>; 2] {
        [&self.value, &self.other].map(|cells| Guarded::new(cells.cells()))
    }

    /// Adds one to both words of the value, one after the other.
    fn add(&self, held: &mut Held) {
        for word in self.value() {
            *word.get_mut(held) += 1;
        }
    }

    fn look(&self, held: &Held) -> [u64; 2] {
        self.value().map(|word| *word.get(held))
    }

    fn mutex(&self) -> Mutex<'_> {
        Mutex::new(&self.word)
    }

    /// Locks the mutex as member `number`.
    pub fn lock(&self, number: u16) -> Held {
        let (mutex, me, mut slept) = (self.mutex(), holder(number), false);
        mutex.lock_at_once(me).unwrap_or_else(|| {
            let attempt = |look| mutex.attempt(me, &mut slept, look, |other| self.fate(other));
            Self::wait(mutex.word(), attempt).expect("a sound lock")
        })
    }

    /// Locks the mutex if nobody who lives has it.
    pub fn lock_after_deaths(&self, number: u16) -> Option<Held> {
        let attempt =
            self.mutex().attempt(holder(number), &mut false, CLOSER, |other| self.fate(other));
        Self::once(attempt)
    }

    /// Unlocks the mutex.
    pub fn unlock(&self, held: Held) {
        self.mutex().unlock(held);
    }

    /// Adds one under the mutex.
    pub fn add_locked(&self, number: u16) {
        let mut held = self.lock(number);
        self.add(&mut held);
        self.unlock(held);
    }

    /// What the mutex guards, and gives it back.
    pub fn read_locked(&self, held: Held) -> [u64; 2] {
        let value = self.look(&held);
        self.unlock(held);
        value
    }

    fn rwlock(&self) -> RwLock<'_> {
        RwLock::new(&self.word, &self.counts)
    }

    /// Looks at the value as a reader.
    pub fn read(&self, number: u16) -> [u64; 2] {
        let (lock, me) = (self.rwlock(), holder(number));
        let held = lock.read_at_once(me).unwrap_or_else(|| {
            let attempt = |look| lock.attempt_to_read(me, look, |other| self.fate(other));
            Self::wait(lock.word(), attempt).expect("a sound lock")
        });
        let value = self.look(&held);
        lock.unlock_read(me, held);
        value
    }

    /// Adds one as a writer.
    pub fn write(&self, number: u16) {
        let (lock, me, mut slept) = (self.rwlock(), holder(number), false);
        let attempt = |look| lock.attempt_to_claim(me, &mut slept, look, |other| self.fate(other));
        let mut held = Self::wait(lock.word(), attempt).expect("a sound lock");
        let mut from = 0;
        while let Some(of) = lock.has_readers(from) {
            from = of.index() + 1;
            let attempt = |look| lock.attempt_to_drain(of, look, |other| self.fate(other));
            Self::wait(lock.readers(of.index()), attempt).expect("a sound lock");
        }
        self.add(&mut held);
        lock.unlock_write(held);
    }

    /// Looks at the value if no writer that lives is there. Says whether one died, too.
    pub fn read_after_deaths(&self, number: u16) -> Option<([u64; 2], bool)> {
        let (lock, me) = (self.rwlock(), holder(number));
        let held = Self::once(lock.attempt_to_read(me, CLOSER, |other| self.fate(other)))?;
        let seen = (self.look(&held), held.inconsistent);
        lock.unlock_read(me, held);
        Some(seen)
    }

    /// Looks at the value as a writer if nobody who lives is there. Says whether a writer died, too.
    pub fn write_after_deaths(&self, number: u16) -> Option<([u64; 2], bool)> {
        let (lock, me) = (self.rwlock(), holder(number));
        let fate = |other| self.fate(other);
        let mut held = Self::once(lock.attempt_to_claim(me, &mut false, CLOSER, fate))?;
        for number in 0..MEMBERS {
            let of = member(u16::try_from(number).expect("few"));
            if Self::once(lock.attempt_to_drain(of, CLOSER, fate)).is_none() {
                lock.unlock_write(held);
                return None;
            }
        }
        let seen = (self.look(&held), held.inconsistent);
        self.add(&mut held);
        lock.unlock_write(held);
        Some(seen)
    }

    fn semaphore(&self, initial: u32) -> Semaphore<'_> {
        Semaphore::new(&self.word, initial, 3)
    }

    /// Acquires one of a semaphore that began with `initial`.
    pub fn acquire(&self, initial: u32) {
        if self.semaphore(initial).acquire_at_once() {
            return;
        }
        let mut slept = false;
        let attempt = |look| self.semaphore(initial).attempt(&mut slept, look);
        Self::wait(&self.word, attempt).expect("a sound semaphore");
    }

    /// Releases one of it.
    pub fn release(&self, initial: u32) {
        let semaphore = self.semaphore(initial);
        if !semaphore.release_at_once(1) {
            semaphore.release(1).expect("a sound semaphore");
        }
    }

    /// How many it has.
    pub fn available(&self, initial: u32) -> u32 {
        self.semaphore(initial).available()
    }

    /// Adds one to what nothing but the model's rule guards.
    pub fn add_unguarded(&self) {
        self.add(&mut Held { inconsistent: false });
    }

    /// Looks at it.
    pub fn look_unguarded(&self) -> [u64; 2] {
        self.look(&Held { inconsistent: false })
    }

    fn flag(&self) -> Flag<'_> {
        Flag::new(&self.word)
    }

    /// What a wait for the flag that begins now goes by.
    pub fn flag_now(&self) -> u64 {
        self.flag().now()
    }

    /// Sets the flag.
    pub fn set(&self) {
        self.flag().set().expect("a sound flag");
    }

    /// Clears the flag.
    pub fn clear(&self) {
        self.flag().clear();
    }

    /// Waits for the flag, as one who began when it was `begun`.
    pub fn wait_for_flag(&self, begun: u64) {
        Self::wait(&self.word, |look| self.flag().attempt(begun, look)).expect("a sound flag");
    }

    /// Waits under the mutex until both words of the value are `enough`, at the gate as a condition.
    pub fn wait_for_value(&self, number: u16, enough: u64) {
        let gate = Gate::new(&self.gate);
        let mut held = self.lock(number);
        while self.look(&held) < [enough; 2] {
            let seen = gate.about_to_sleep();
            self.unlock(held);
            let attempt = |_| {
                if gate.was_called(seen) {
                    return Turn::Ready(());
                }
                Turn::Asleep { word: seen, holder: None }
            };
            Self::wait(gate.word(), attempt);
            held = self.lock(number);
        }
        self.unlock(held);
    }

    /// Calls `count` of those who wait for the value.
    pub fn call(&self, count: u32, settled: &Settled) {
        Gate::new(&self.gate).call(count, settled);
    }

    fn permits(&self) -> Permits<'_> {
        Permits::new(&self.gate, &self.slots[..1])
    }

    /// Waits for the one permit.
    pub fn get_permit(&self, number: u16) -> usize {
        let (permits, me) = (self.permits(), holder(number));
        let attempt = |look| permits.attempt(me, 0, look, |other| self.fate(other));
        Self::wait(permits.word(), attempt).expect("sound permits")
    }

    /// The one permit if nobody who lives has it.
    pub fn permit_after_deaths(&self, number: u16) -> Option<usize> {
        Self::once(self.permits().attempt(holder(number), 0, CLOSER, |other| self.fate(other)))
    }

    /// Gives it back.
    pub fn give_back(&self, number: usize, settled: &Settled) {
        self.permits().give_back(number, settled);
    }

    fn barrier(&self) -> Barrier<'_> {
        Barrier::new(&self.word, &self.slots)
    }

    /// Takes a place at a barrier of two.
    pub fn join(&self, number: u16) -> Option<usize> {
        self.barrier().join(holder(number), |other| self.fate(other)).expect("a sound barrier")
    }

    /// Waits at the barrier. Says as which it came, or that the round was broken.
    pub fn meet(&self) -> Result<u32, Breach> {
        match self.barrier().arrive()? {
            Arrival::Completed(index) => Ok(index),
            Arrival::Waits { index, begun } => {
                let attempt = |look| self.barrier().attempt(begun, look, |other| self.fate(other));
                Self::wait(&self.word, attempt).map(|()| index)
            }
        }
    }

    /// Arrives at the barrier, as one who is not the last.
    ///
    /// # Panics
    ///
    /// When it is the last.
    pub fn arrive(&self) -> u64 {
        match self.barrier().arrive() {
            Ok(Arrival::Waits { begun, .. }) => begun,
            other => panic!("{other:?}"),
        }
    }

    /// Gives up the round in which one arrived as `begun`.
    pub fn give_up(&self, begun: u64) -> Result<(), Breach> {
        self.barrier().give_up(begun)
    }

    /// Whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        self.barrier().is_broken()
    }

    /// Waits for the end of the round in which one arrived as `begun`.
    pub fn see_the_end(&self, begun: u64) -> Result<(), Breach> {
        Self::wait(&self.word, |look| self.barrier().attempt(begun, look, |other| self.fate(other)))
    }

    /// Arrives at the barrier, looks once, and gives up unless the round is over.
    pub fn meet_now(&self) -> Result<u32, Breach> {
        match self.barrier().arrive()? {
            Arrival::Completed(index) => Ok(index),
            Arrival::Waits { index, begun } => {
                match self.barrier().attempt(begun, QUICK, |other| self.fate(other)) {
                    Turn::Ready(outcome) => outcome.map(|()| index),
                    Turn::Asleep { .. } => self.barrier().give_up(begun).map(|()| index),
                }
            }
        }
    }

    /// Arrives at the barrier, asks who lives, and gives up unless the round is over.
    pub fn meet_after_deaths(&self) -> Result<u32, Breach> {
        match self.barrier().arrive()? {
            Arrival::Completed(index) => Ok(index),
            Arrival::Waits { index, begun } => {
                match self.barrier().attempt(begun, CLOSER, |other| self.fate(other)) {
                    Turn::Ready(outcome) => outcome.map(|()| index),
                    Turn::Asleep { .. } => panic!("the other party is dead"),
                }
            }
        }
    }

    /// Begins the barrier anew.
    pub fn reset(&self) {
        self.barrier().reset().expect("a sound barrier");
    }
}

//! Words, locks and the futex in a loom build, where each access may be a thread's last: see `crash.rs`.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError};

use loom::sync::atomic::{self, Ordering, Ordering::Relaxed, Ordering::SeqCst};
use loom::sync::{self, Condvar};

use super::crash::{access, is_dead};

mod lock_word;

pub use lock_word::LockWord;

/// An atomic of loom whose every access counts. To the dead it reads as zero, and does not change.
macro_rules! counted {
    ($name:ident of $value:ty) => {
        #[doc = concat!("`", stringify!($name), "` as the facade has it.")]
        #[derive(Debug, Default)]
        pub struct $name(atomic::$name);

        #[allow(missing_docs, reason = "as in the standard library")]
        impl $name {
            pub fn new(value: $value) -> Self {
                Self(atomic::$name::new(value))
            }

            pub fn load(&self, ordering: Ordering) -> $value {
                if access() { self.0.load(ordering) } else { 0 }
            }

            pub fn store(&self, value: $value, ordering: Ordering) {
                if access() {
                    self.0.store(value, ordering);
                }
            }

            pub fn fetch_add(&self, count: $value, ordering: Ordering) -> $value {
                if access() { self.0.fetch_add(count, ordering) } else { 0 }
            }

            pub fn fetch_or(&self, bits: $value, ordering: Ordering) -> $value {
                if access() { self.0.fetch_or(bits, ordering) } else { 0 }
            }

            pub fn fetch_and(&self, bits: $value, ordering: Ordering) -> $value {
                if access() { self.0.fetch_and(bits, ordering) } else { 0 }
            }

            pub fn compare_exchange(
                &self,
                expected: $value,
                value: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let may = access();
                if may {
                    self.0.compare_exchange(expected, value, success, failure)
                } else {
                    Err(0)
                }
            }
        }
    };
}

counted!(AtomicU32 of u32);
counted!(AtomicU64 of u64);

/// A fence.
pub fn fence(ordering: Ordering) {
    if access() {
        atomic::fence(ordering);
    }
}

/// One access to a [`ContestedU64`]: its address, how (`l`oaded, `s`tored or s`w`apped), and what it held afterwards.
pub type Recorded = (usize, char, u64);

thread_local! {
    static RECORD: RefCell<Option<Vec<Recorded>>> = const { RefCell::new(None) };
}

/// The accesses that `act` makes. For a model of one thread.
pub fn record(act: impl FnOnce()) -> Vec<Recorded> {
    RECORD.set(Some(Vec::new()));
    act();
    RECORD.take().expect("set before")
}

/// An atomic that is loaded and then changed by each of several, in every order.
///
/// Of each atomic loom 0.7 remembers one last access when it looks for orders to try: a thread that loads a word and
/// then stores it would hide that another had loaded it before, and the search would end too soon. So each access
/// comes with a swap of another word that always fails: it orders no memory, but loom takes any two for a race.
#[derive(Debug, Default)]
pub struct ContestedU64 {
    word: atomic::AtomicU64,
    turn: atomic::AtomicU64,
}

#[allow(missing_docs, reason = "as in the standard library")]
impl ContestedU64 {
    pub fn new(value: u64) -> Self {
        Self { word: atomic::AtomicU64::new(value), turn: atomic::AtomicU64::new(0) }
    }

    fn note(&self, how: char, value: u64) {
        RECORD.with_borrow_mut(|record| {
            if let Some(record) = record {
                record.push((std::ptr::from_ref(self).addr(), how, value));
            }
        });
    }

    /// A load that is neither recorded nor counted nor a reason to try other orders.
    pub fn peek(&self) -> u64 {
        self.word.load(Relaxed)
    }

    /// A store; see `overwrite` outside.
    pub fn overwrite(&self, value: u64, ordering: Ordering) {
        if let Some(word) = self.turn() {
            word.swap(value, ordering);
            self.note('s', value);
        }
    }

    /// The word, for one access by a thread that lives.
    fn turn(&self) -> Option<&atomic::AtomicU64> {
        access().then(|| {
            let _ = self.turn.compare_exchange(1, 1, Relaxed, Relaxed);
            &self.word
        })
    }

    pub fn load(&self, ordering: Ordering) -> u64 {
        let Some(word) = self.turn() else { return 0 };
        let value = word.load(ordering);
        self.note('l', value);
        value
    }

    pub fn store(&self, value: u64, ordering: Ordering) {
        if let Some(word) = self.turn() {
            word.store(value, ordering);
            self.note('s', value);
        }
    }

    pub fn swap(&self, value: u64, ordering: Ordering) -> u64 {
        self.turn().map_or(0, |word| word.swap(value, ordering))
    }

    pub fn fetch_add(&self, count: u64, ordering: Ordering) -> u64 {
        let Some(word) = self.turn() else { return 0 };
        let before = word.fetch_add(count, ordering);
        self.note('w', before.wrapping_add(count));
        before
    }

    pub fn fetch_sub(&self, count: u64, ordering: Ordering) -> u64 {
        let Some(word) = self.turn() else { return 0 };
        let before = word.fetch_sub(count, ordering);
        self.note('w', before.wrapping_sub(count));
        before
    }

    pub fn fetch_or(&self, bits: u64, ordering: Ordering) -> u64 {
        let Some(word) = self.turn() else { return 0 };
        let before = word.fetch_or(bits, ordering);
        self.note('w', before | bits);
        before
    }

    pub fn fetch_and(&self, bits: u64, ordering: Ordering) -> u64 {
        let Some(word) = self.turn() else { return 0 };
        let before = word.fetch_and(bits, ordering);
        self.note('w', before & bits);
        before
    }

    pub fn compare_exchange(
        &self,
        expected: u64,
        value: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        let Some(word) = self.turn() else { return Err(0) };
        let outcome = word.compare_exchange(expected, value, success, failure);
        self.note('w', outcome.map_or_else(|now| now, |_| value));
        outcome
    }
}

/// The futex as loom can check it: no time-outs, so a lost wake-up is a deadlock that loom reports.
///
/// Who was killed in its sleep is one who is killed as it falls asleep, or as it wakes with a wake-up in hand.
#[derive(Debug, Default)]
pub struct FutexWord {
    word: AtomicU32,
    bucket: sync::Mutex<Bucket>,
    sleepers: Condvar,
}

/// Who sleeps on a word.
#[derive(Debug, Default)]
struct Bucket {
    /// Those who sleep on other words, too, in the order in which they came.
    several: Vec<Arc<Sleeper>>,
    /// How many others have not been woken.
    others: u32,
}

/// A thread that sleeps on several words.
#[derive(Debug, Default)]
struct Sleeper {
    woken: sync::Mutex<bool>,
    condvar: Condvar,
}

impl FutexWord {
    /// Sleeps if the word is still `expected`; as in the kernel, the look and the falling asleep are
    /// one step for those who wake.
    ///
    /// There is no clock: a sleep that would end by itself ends at once, any other only when woken.
    pub fn wait(&self, expected: u32, until_ns: u64) {
        if until_ns < u64::MAX {
            return loom::thread::yield_now();
        }
        if !access() {
            return;
        }
        let mut bucket = self.bucket.lock().unwrap();
        if self.word.0.load(SeqCst) == expected {
            bucket.others += 1;
            drop(self.sleepers.wait(bucket).unwrap());
        }
    }

    /// Sleeps if each of `words` is still what is expected of it. As in the kernel, the look at each word and the falling asleep
    /// there are one step, one word after the other; and a wake on any ends the sleep, while those on others that come before
    /// the sleeper has left them are used up as well.
    pub fn wait_any(words: &[(&Self, u32)], until_ns: u64) -> bool {
        if until_ns < u64::MAX {
            loom::thread::yield_now();
            return true;
        }
        if !access() {
            return true;
        }
        let sleeper = Arc::new(Sleeper::default());
        let queued = words.iter().all(|(word, expected)| {
            let mut bucket = word.bucket.lock().unwrap();
            let as_expected = word.word.0.load(SeqCst) == *expected;
            if as_expected {
                bucket.several.push(Arc::clone(&sleeper));
            }
            as_expected
        });
        if queued {
            let mut woken = sleeper.woken.lock().unwrap();
            while !*woken {
                woken = sleeper.condvar.wait(woken).unwrap();
            }
        }
        for (word, _) in words {
            word.bucket.lock().unwrap().several.retain(|other| !Arc::ptr_eq(other, &sleeper));
        }
        true
    }

    /// Wakes up to `count` sleepers, of one those who sleep on other words too before others: they are the likelier to have no
    /// use for it. Says how many there were.
    pub fn wake(&self, count: u32) -> u32 {
        if !access() {
            return 0;
        }
        let mut bucket = self.bucket.lock().unwrap();
        let several = bucket.several.len().min(count as usize);
        for sleeper in bucket.several.drain(..several) {
            *sleeper.woken.lock().unwrap() = true;
            sleeper.condvar.notify_one();
        }
        let several = u32::try_from(several).unwrap_or(count);
        let others = bucket.others.min(count - several);
        (0..others).for_each(|_| self.sleepers.notify_one());
        bucket.others -= others;
        several + others
    }
}

impl Deref for FutexWord {
    type Target = AtomicU32;
    fn deref(&self) -> &AtomicU32 {
        &self.word
    }
}

/// A lock in private memory.
///
/// The dead take it without a turn: to wait for one would let other threads run in the middle of unwinding. Nobody else
/// has it then, for threads of one process die together.
#[derive(Debug, Default)]
pub struct Mutex<T> {
    turn: sync::Mutex<()>,
    data: std::sync::Mutex<T>,
}

/// Exclusive access to what a [`Mutex`] holds.
pub struct Guard<'a, T> {
    data: std::sync::MutexGuard<'a, T>,
    /// Given up last.
    _turn: Option<sync::MutexGuard<'a, ()>>,
}

#[allow(missing_docs, clippy::unnecessary_wraps, reason = "as in the standard library")]
impl<T> Mutex<T> {
    pub fn new(data: T) -> Self {
        Self { turn: sync::Mutex::new(()), data: std::sync::Mutex::new(data) }
    }

    pub fn lock(&self) -> Result<Guard<'_, T>, PoisonError<Guard<'_, T>>> {
        let turn = (!is_dead()).then(|| self.turn.lock().unwrap());
        Ok(self.entered(turn))
    }

    pub fn try_lock(&self) -> Result<Guard<'_, T>, &'static str> {
        let turn = self.turn.try_lock().map_err(|_| "another thread has it")?;
        Ok(self.entered(Some(turn)))
    }

    fn entered<'a>(&'a self, turn: Option<sync::MutexGuard<'a, ()>>) -> Guard<'a, T> {
        Guard { data: self.data.lock().unwrap_or_else(PoisonError::into_inner), _turn: turn }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

//! The facade: atomics, shared cells, locks, time and the futex, from the standard library or from loom.
//!
//! Everything above this file is written once and runs on a mapping, on the heap and under loom alike.
//! Only the module list in `lib.rs` and what `layout.rs` says of sizes ask which one it is besides.
//!
//! Two rules live here because both builds must keep them:
//!
//! - **Store-load order goes through one primitive**, [`Barrier`]: a full fence under loom, and in a real
//!   build either a full fence on both sides or a compiler fence on the frequent side and a
//!   process-wide barrier on the rare one.
//! - **Payload memory is touched through [`Cells`]**, whose every access is an `unsafe fn`: the caller
//!   says why nobody else uses those cells meanwhile. Under loom each cell has a tracked shadow, so a
//!   protocol that lets two sides meet in one cell fails its model.

mod cells;
mod slots;

pub use self::cells::Cells;
#[cfg(any(test, loom))]
pub use self::cells::HeapCells;
#[cfg(any(test, loom))]
pub use self::slots::HeapSlots;
pub use self::slots::{Message, Slots, stride as slot_stride};

#[cfg(loom)]
pub use loom::sync::{
    Mutex,
    atomic::{AtomicU32, AtomicU64, Ordering, fence},
};
#[cfg(not(loom))]
pub use std::sync::{
    Mutex,
    atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

#[cfg(loom)]
pub use self::under_loom::{ContestedU64, FutexWord, Recorded, record};
#[cfg(not(loom))]
pub use self::under_std::FutexWord;

/// An atomic that several load and then change. Loom needs to be helped with those.
#[cfg(not(loom))]
pub type ContestedU64 = AtomicU64;

/// Nanoseconds on the monotonic clock; zero for ever under loom, where nothing times out.
pub fn now_ns() -> u64 {
    #[cfg(not(loom))]
    return crate::sys::futex::now_ns();
    #[cfg(loom)]
    return 0;
}

/// Processors of the machine, whichever of them this thread may use; two under loom.
pub fn processors() -> usize {
    #[cfg(not(loom))]
    return crate::sys::processors();
    #[cfg(loom)]
    return 2;
}

/// One step of a spinning wait.
#[inline]
pub fn pause() {
    #[cfg(not(loom))]
    std::hint::spin_loop();
    #[cfg(loom)]
    loom::thread::yield_now();
}

/// Starts fetching the cache line of `address`, to read or to `WRITE` it, where the processor has an
/// instruction for that. It may be any address.
#[inline(always)]
#[allow(unsafe_code, reason = "an instruction without effect on what a program computes")]
fn prefetch<const WRITE: bool>(address: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch};
        if WRITE {
            // SAFETY: a prefetch does nothing as far as the language is concerned, for any address.
            unsafe { _mm_prefetch::<_MM_HINT_ET0>(address.cast()) }
        } else {
            // SAFETY: as above.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
        }
    }
    let _ = address;
}

/// Lets the other side get a distance ahead: a few hundred nanoseconds, nothing under loom.
#[cold]
pub fn hold_back() {
    if !cfg!(loom) {
        (0..HOLD_BACK).for_each(|_| std::hint::spin_loop());
    }
}

/// Hints in [`hold_back`]: some hundred nanoseconds, in which the other side passes some tens of slots.
const HOLD_BACK: u32 = 64;

/// Gives the processor away once.
pub fn yield_now() {
    #[cfg(not(loom))]
    std::thread::yield_now();
    #[cfg(loom)]
    loom::thread::yield_now();
}

/// Waits between the attempts of one operation that keeps losing to others: each time longer, up to some hundred
/// nanoseconds. Without it two who claim against each other take four to nine times as long.
#[derive(Debug, Default)]
pub struct Backoff {
    #[cfg(not(loom))]
    spins: crossbeam_utils::Backoff,
}

impl Backoff {
    /// Waits a little; not under loom, which explores what comes of trying again at once.
    #[inline]
    pub fn wait(&self) {
        #[cfg(not(loom))]
        self.spins.spin();
        let _ = self;
    }
}

/// The order that a sequentially consistent read-modify-write just passed gives: nothing it had before it passes
/// what comes after it, stores and loads alike. Nothing to be done in a real build; loom takes such an access for one
/// that acquires and releases only, so there it is a fence.
#[inline(always)]
pub fn passed_rmw() {
    if cfg!(loom) {
        fence(Ordering::SeqCst);
    }
}

/// Whether protocols assert what they rely on: in unit tests and in models. Elsewhere another process may write anything
/// at any time, and nobody panics for that.
pub const ASSERTS: bool = cfg!(any(test, loom));

/// What `word` holds, for an assertion: it is no part of a protocol.
pub fn peek(word: &ContestedU64) -> u64 {
    #[cfg(not(loom))]
    return word.load(Ordering::Relaxed);
    #[cfg(loom)]
    return word.peek();
}

/// Stores `value` in `word`, which others swap at the same time for the very same value.
///
/// Under loom it is a swap as well: loom 0.7 does not know that no store comes between what a swap reads and what it
/// writes, so it would let the others' earlier swap undo a store.
#[inline(always)]
pub fn overwrite(word: &ContestedU64, value: u64, ordering: Ordering) {
    #[cfg(not(loom))]
    word.store(value, ordering);
    #[cfg(loom)]
    word.overwrite(value, ordering);
}

/// How a store is kept from passing a later load, for two sides that must not both miss each other.
///
/// One side runs often ([`Barrier::light`]: store my position, then look whether anybody waits), the
/// other rarely ([`Barrier::heavy`]: say that I wait, then look at the position). One of the two sees the
/// other in every execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// A sequentially consistent fence on both sides.
    Fence,
    /// A compiler fence on the frequent side; the rare side makes the kernel run a full barrier on every
    /// processor that executes a registered process.
    Asymmetric,
}

impl Barrier {
    /// The frequent side's barrier.
    #[inline(always)]
    pub fn light(self) {
        if cfg!(loom) || self == Barrier::Fence {
            fence(Ordering::SeqCst);
        } else {
            std::sync::atomic::compiler_fence(Ordering::SeqCst);
        }
    }

    /// The rare side's barrier. False when the kernel refused: the other side may be missed once, so the
    /// caller must look again soon instead of sleeping long.
    #[must_use]
    pub fn heavy(self) -> bool {
        fence(Ordering::SeqCst);
        #[cfg(not(loom))]
        if self == Barrier::Asymmetric {
            return crate::sys::barrier::everywhere();
        }
        true
    }
}

#[cfg(not(loom))]
mod under_std {
    use std::ops::Deref;
    use std::sync::atomic::AtomicU32;

    /// A word that processes can sleep on.
    #[repr(transparent)]
    #[derive(Debug, Default)]
    pub struct FutexWord(AtomicU32);

    impl FutexWord {
        /// Sleeps while the word is `expected`, until a wake or `until_ns` on the monotonic clock.
        /// May also return for no reason.
        pub fn wait(&self, expected: u32, until_ns: u64) {
            crate::sys::futex::wait(&self.0, expected, until_ns);
        }

        /// Wakes up to `count` sleepers. Says how many there were.
        pub fn wake(&self, count: u32) -> u32 {
            crate::sys::futex::wake(&self.0, count)
        }
    }

    impl Deref for FutexWord {
        type Target = AtomicU32;
        fn deref(&self) -> &AtomicU32 {
            &self.0
        }
    }
}

#[cfg(loom)]
mod under_loom {
    use loom::sync::atomic::{self, AtomicU32, Ordering, Ordering::Relaxed};
    use loom::sync::{Condvar, Mutex};
    use std::cell::RefCell;
    use std::ops::Deref;

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

        /// A load that is neither recorded nor a reason to try other orders.
        pub fn peek(&self) -> u64 {
            self.word.load(Relaxed)
        }

        /// A store; see `overwrite` outside.
        pub fn overwrite(&self, value: u64, ordering: Ordering) {
            self.turn().swap(value, ordering);
            self.note('s', value);
        }

        fn turn(&self) -> &atomic::AtomicU64 {
            let _ = self.turn.compare_exchange(1, 1, Relaxed, Relaxed);
            &self.word
        }

        pub fn load(&self, ordering: Ordering) -> u64 {
            let value = self.turn().load(ordering);
            self.note('l', value);
            value
        }

        pub fn store(&self, value: u64, ordering: Ordering) {
            self.turn().store(value, ordering);
            self.note('s', value);
        }

        pub fn swap(&self, value: u64, ordering: Ordering) -> u64 {
            self.turn().swap(value, ordering)
        }

        pub fn fetch_or(&self, bits: u64, ordering: Ordering) -> u64 {
            let before = self.turn().fetch_or(bits, ordering);
            self.note('w', before | bits);
            before
        }

        pub fn fetch_and(&self, bits: u64, ordering: Ordering) -> u64 {
            self.turn().fetch_and(bits, ordering)
        }

        pub fn compare_exchange(
            &self,
            expected: u64,
            value: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            let outcome = self.turn().compare_exchange(expected, value, success, failure);
            self.note('w', outcome.map_or_else(|now| now, |_| value));
            outcome
        }
    }

    /// The futex as loom can check it: no time-outs, so a lost wake-up is a deadlock that loom reports.
    #[derive(Debug, Default)]
    pub struct FutexWord {
        word: AtomicU32,
        bucket: Mutex<()>,
        sleepers: Condvar,
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
            let bucket = self.bucket.lock().unwrap();
            if self.word.load(loom::sync::atomic::Ordering::SeqCst) == expected {
                drop(self.sleepers.wait(bucket).unwrap());
            }
        }

        /// Wakes up to `count` sleepers. How many there were is not known: as many.
        pub fn wake(&self, count: u32) -> u32 {
            let _bucket = self.bucket.lock().unwrap();
            if count == 1 {
                self.sleepers.notify_one();
            } else {
                self.sleepers.notify_all();
            }
            count
        }
    }

    impl Deref for FutexWord {
        type Target = AtomicU32;
        fn deref(&self) -> &AtomicU32 {
            &self.word
        }
    }
}

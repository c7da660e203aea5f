//! The facade: atomics, shared cells, locks, time and the futex, from the standard library or from loom.
//!
//! Everything above this file is written once and runs on a mapping, on the heap and under loom alike.
//! Only the module list in `lib.rs` and what `layout` says of sizes ask which one it is besides.
//!
//! Two rules live here because both builds must keep them:
//!
//! - **Store-load order goes through one primitive**, [`Barrier`]: a full fence under loom, and in a real
//!   build either a full fence on both sides or a compiler fence on the frequent side and a
//!   process-wide barrier on the rare one.
//! - **Payload memory is touched through [`Cells`]**, whose every access is an `unsafe fn`: the caller
//!   says why nobody else uses those cells meanwhile. Under loom each cell has a tracked shadow, so a
//!   protocol that lets two sides meet in one cell fails its model.
//!
//! Under loom every access to shared memory passes here, which is where a model has a thread killed: `crash.rs`.

mod cells;
mod copy;
#[cfg(loom)]
mod crash;
#[cfg(not(loom))]
mod shared;
mod slots;
#[cfg(loom)]
mod under_loom;

pub use self::cells::Cells;
#[cfg(any(test, loom))]
pub use self::cells::HeapCells;
#[cfg(not(loom))]
pub use self::copy::append;
pub use self::copy::copy;
#[cfg(not(loom))]
pub use self::shared::SharedBytes;
#[cfg(any(test, loom))]
pub use self::slots::HeapSlots;
pub use self::slots::{Message, SLOT_ALIGN, Slots, stride as slot_stride};

#[cfg(loom)]
pub use loom::sync::atomic::Ordering;
#[cfg(not(loom))]
pub use std::sync::{
    Mutex,
    atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

#[cfg(loom)]
pub use self::crash::killed_after;
#[cfg(loom)]
pub use self::under_loom::{
    AtomicU32, AtomicU64, ContestedU64, FutexWord, LockWord, Mutex, Recorded, fence, record,
};
#[cfg(not(loom))]
pub use self::under_std::{FutexWord, LockWord};

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

/// As many words a thread may sleep on at once.
pub const MOST_WORDS: usize = {
    #[cfg(not(loom))]
    let most = crate::sys::futex::MOST_WORDS;
    #[cfg(loom)]
    let most = 2;
    most
};

/// One step of a spinning wait.
#[inline]
pub fn pause() {
    #[cfg(not(loom))]
    std::hint::spin_loop();
    #[cfg(loom)]
    loom::thread::yield_now();
}

/// Bytes of a cache line.
pub const CACHE_LINE: usize = 64;

/// A number that one side remembers for the sake of speed alone: lost or mixed up by threads that share the side, it
/// costs time and nothing else. So loom does not see it, and always reads the largest.
#[derive(Debug, Default)]
pub struct Hint(#[cfg(not(loom))] std::sync::atomic::AtomicU64);

impl Hint {
    #[inline(always)]
    pub fn get(&self) -> u64 {
        #[cfg(not(loom))]
        return self.0.load(std::sync::atomic::Ordering::Relaxed);
        #[cfg(loom)]
        {
            let _ = self;
            u64::MAX
        }
    }

    #[inline(always)]
    pub fn set(&self, number: u64) {
        #[cfg(not(loom))]
        self.0.store(number, std::sync::atomic::Ordering::Relaxed);
        let _ = (self, number);
    }
}

/// Starts fetching the cache line of `address`, to read or to `WRITE` it, where the processor has an
/// instruction for that. It may be any address.
#[inline(always)]
#[allow(unsafe_code, reason = "an instruction without effect on what a program computes")]
fn prefetch<const WRITE: bool>(address: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::asm;
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        if WRITE {
            // Not `_mm_prefetch` with its hint to write: without a target feature that the base of x86-64 lacks, the
            // compiler makes it a prefetch to read, and the store then waits for the line all over again. Processors
            // without the instruction take it for one that does nothing.
            // SAFETY: a prefetch does nothing as far as the language is concerned, for any address.
            unsafe {
                asm!("prefetchw [{}]", in(reg) address, options(readonly, nostack, preserves_flags));
            }
        } else {
            // SAFETY: as above.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
        }
    }
    let _ = address;
}

/// Makes the lines that end among the `len` bytes from `start` this processor's alone, by writing one byte of each as it
/// is.
///
/// A line that is only read stays with the processor that wrote it as well, and the next write there waits until every
/// copy is gone, a few lines at a time: a fetch ahead does not help, since it finds the line at home. A line that was
/// written here comes back whole, and as soon as it is fetched. Measured on x86-64 (AMD Zen 4): 28 ns for each line that
/// is written again after it was read, 3 ns after it was read and kept.
///
/// # Safety
///
/// The bytes are mapped, and the caller's to write: nobody else reads or writes them now.
#[inline(always)]
#[allow(unsafe_code, reason = "writes to memory that the caller owns")]
unsafe fn keep_lines(start: *mut u8, len: usize) {
    let mut last = (start.addr() | (CACHE_LINE - 1)) - start.addr();
    while last < len {
        let byte = start.wrapping_add(last);
        // SAFETY: it lies before `len`, where the caller lets nobody write.
        let found = unsafe { byte.read_volatile() };
        // SAFETY: nor read; and what it writes is what was there, so a death before or after changes nothing.
        unsafe { byte.write_volatile(found) };
        last += CACHE_LINE;
    }
}

/// Lets the other side get a distance ahead: one to two microseconds, nothing under loom.
#[cold]
pub fn hold_back() {
    if !cfg!(loom) {
        (0..HOLD_BACK).for_each(|_| std::hint::spin_loop());
    }
}

/// Hints in [`hold_back`]: time in which the other side passes some tens of slots or more.
const HOLD_BACK: u32 = 160;

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
            std::hint::cold_path();
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
    use std::sync::atomic::{AtomicU32, AtomicU64};

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

        /// Sleeps while each of `words` is what is expected of it, until a wake of one or `until_ns`. May also return for no
        /// reason. False where there is no such wait: then it did not sleep.
        pub fn wait_any(words: &[(&Self, u32)], until_ns: u64) -> bool {
            let words = words.iter().map(|(word, expected)| (&word.0, *expected));
            crate::sys::futex::wait_any(words, until_ns)
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

    /// A word of 64 bits whose lower half processes can sleep on: it changes as a whole.
    #[repr(transparent)]
    #[derive(Debug, Default)]
    pub struct LockWord(AtomicU64);

    impl LockWord {
        /// Sleeps while the lower half is that of `expected`, until a wake or `until_ns` on the monotonic clock. May also
        /// return for no reason.
        pub fn wait(&self, expected: u64, until_ns: u64) {
            #[allow(
                clippy::cast_possible_truncation,
                reason = "the half that the kernel looks at"
            )]
            crate::sys::futex::wait(crate::sys::futex::half(&self.0), expected as u32, until_ns);
        }

        /// Wakes up to `count` sleepers. Says how many there were.
        pub fn wake(&self, count: u32) -> u32 {
            crate::sys::futex::wake(crate::sys::futex::half(&self.0), count)
        }
    }

    impl Deref for LockWord {
        type Target = AtomicU64;
        #[inline(always)]
        fn deref(&self) -> &AtomicU64 {
            &self.0
        }
    }
}

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
#![allow(
    unsafe_code,
    reason = "the one place that reads and writes payload memory through raw pointers"
)]

use std::cell::UnsafeCell;
use std::fmt;

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
pub use self::under_loom::FutexWord;
#[cfg(not(loom))]
pub use self::under_std::FutexWord;

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

/// A run of cells in shared memory, borrowed for `'a`.
///
/// The run itself is only an address: each access is unsafe and states who owns the cells. Elements are
/// `Pod`, so whatever bytes another process left there are a value.
pub struct Cells<'a, T> {
    data: &'a [UnsafeCell<T>],
    #[cfg(loom)]
    shadow: &'a [loom::cell::UnsafeCell<()>],
}

impl<T> Clone for Cells<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Cells<'_, T> {}

impl<T> fmt::Debug for Cells<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cells({})", self.data.len())
    }
}

// SAFETY: a run of cells is an address; every access goes through an unsafe method whose caller vouches for it.
unsafe impl<T: Send> Send for Cells<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Cells<'_, T> {}

impl<'a, T: bytemuck::Pod> Cells<'a, T> {
    /// The run of `len` cells that starts at `start`.
    ///
    /// # Safety
    ///
    /// - `start` is aligned for `T`, and `len` elements from it stay mapped, readable and writable for `'a`.
    /// - During `'a` this process reads and writes that memory only through `Cells` and atomics.
    #[cfg(not(loom))]
    pub unsafe fn new(start: *mut T, len: usize) -> Self {
        // SAFETY: the caller vouches for the range; `UnsafeCell<T>` has the layout of `T`.
        Self { data: unsafe { std::slice::from_raw_parts(start.cast(), len) } }
    }

    /// How many cells the run has.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// The address of cell `index`.
    ///
    /// # Safety
    ///
    /// `index` is below the length of the run.
    #[inline(always)]
    unsafe fn at(&self, index: usize) -> *mut T {
        debug_assert!(index < self.data.len());
        // SAFETY: the caller vouches for the index.
        unsafe { self.data.get_unchecked(index) }.get()
    }

    /// Tells loom that `count` cells from `index` are written (or only read) now.
    #[inline(always)]
    fn touch(&self, index: usize, count: usize, write: bool) {
        debug_assert!(index + count <= self.len());
        #[cfg(loom)]
        for cell in &self.shadow[index..index + count] {
            if write { cell.with_mut(|_| ()) } else { cell.with(|_| ()) }
        }
        let _ = write;
    }

    /// Starts fetching the cache line of cell `index`, to read or to `WRITE` it, where the processor has an
    /// instruction for that.
    #[inline(always)]
    pub fn prefetch<const WRITE: bool>(&self, index: usize) {
        let address = self.data.as_ptr().wrapping_add(index).cast::<i8>();
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch};
            if WRITE {
                // SAFETY: a prefetch does nothing as far as the language is concerned, for any address.
                unsafe { _mm_prefetch::<_MM_HINT_ET0>(address) }
            } else {
                // SAFETY: as above.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(address) }
            }
        }
        let _ = address;
    }

    /// Stores `value` in cell `index`.
    ///
    /// # Safety
    ///
    /// - `index` is below the length of the run.
    /// - The protocol gives cell `index` to the caller: nobody else reads or writes it now.
    #[inline(always)]
    pub unsafe fn write(&self, index: usize, value: T) {
        self.touch(index, 1, true);
        // SAFETY: the caller vouches for the index.
        let cell = unsafe { self.at(index) };
        // SAFETY: the caller owns the cell.
        unsafe { cell.write(value) }
    }

    /// Copies cell `index` out.
    ///
    /// # Safety
    ///
    /// - `index` is below the length of the run.
    /// - The protocol keeps writers away from cell `index` now.
    #[inline(always)]
    pub unsafe fn read(&self, index: usize) -> T {
        self.touch(index, 1, false);
        // SAFETY: the caller vouches for the index.
        let cell = unsafe { self.at(index) };
        // SAFETY: the caller keeps writers away.
        unsafe { cell.read() }
    }

    /// Copies cell `index` out by exactly one load, so that what was checked is what is used.
    ///
    /// # Safety
    ///
    /// As for [`Cells::read`].
    #[inline(always)]
    pub unsafe fn read_once(&self, index: usize) -> T {
        self.touch(index, 1, false);
        // SAFETY: the caller vouches for the index.
        let cell = unsafe { self.at(index) };
        // SAFETY: the caller keeps writers away.
        unsafe { cell.read_volatile() }
    }

    /// The cells `index..index + count` as a slice.
    ///
    /// # Safety
    ///
    /// The protocol keeps writers away from those cells for as long as the slice lives.
    #[inline(always)]
    pub unsafe fn slice(&self, index: usize, count: usize) -> &'a [T] {
        self.touch(index, count, false);
        let run = &self.data[index..index + count];
        // SAFETY: the bounds were checked; the caller keeps writers away.
        unsafe { std::slice::from_raw_parts(run.as_ptr().cast(), count) }
    }

    /// The cells `index..index + count` as an exclusive slice.
    ///
    /// # Safety
    ///
    /// The protocol gives those cells to the caller for as long as the slice lives, and the caller makes
    /// one such slice of them at a time.
    #[inline(always)]
    #[allow(
        clippy::mut_from_ref,
        reason = "cells are interior-mutable; exclusiveness is the contract"
    )]
    pub unsafe fn slice_mut(&self, index: usize, count: usize) -> &'a mut [T] {
        self.touch(index, count, true);
        let run = &self.data[index..index + count];
        let start = run.as_ptr().cast::<T>().cast_mut();
        // SAFETY: the bounds were checked, `UnsafeCell` allows the write, the caller owns the cells.
        unsafe { std::slice::from_raw_parts_mut(start, count) }
    }
}

/// Cells on the heap, for models and unit tests.
#[cfg(any(test, loom))]
pub struct HeapCells<T> {
    data: Vec<UnsafeCell<T>>,
    #[cfg(loom)]
    shadow: Vec<loom::cell::UnsafeCell<()>>,
}

#[cfg(any(test, loom))]
#[allow(missing_docs, reason = "used by models and unit tests only")]
impl<T: bytemuck::Pod> HeapCells<T> {
    pub fn zeroed(len: usize) -> Self {
        Self {
            data: (0..len).map(|_| UnsafeCell::new(T::zeroed())).collect(),
            #[cfg(loom)]
            shadow: (0..len).map(|_| loom::cell::UnsafeCell::new(())).collect(),
        }
    }

    pub fn cells(&self) -> Cells<'_, T> {
        Cells {
            data: &self.data,
            #[cfg(loom)]
            shadow: &self.shadow,
        }
    }
}

#[cfg(any(test, loom))]
impl<T> fmt::Debug for HeapCells<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeapCells({})", self.data.len())
    }
}

// SAFETY: as for `Cells`.
#[cfg(any(test, loom))]
unsafe impl<T: Send> Sync for HeapCells<T> {}
// SAFETY: as for `Cells`.
#[cfg(any(test, loom))]
unsafe impl<T: Send> Send for HeapCells<T> {}

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

        /// Wakes up to `count` sleepers.
        pub fn wake(&self, count: u32) {
            crate::sys::futex::wake(&self.0, count);
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
    use loom::sync::{Condvar, Mutex, atomic::AtomicU32};
    use std::ops::Deref;

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
        pub fn wait(&self, expected: u32, _until_ns: u64) {
            let bucket = self.bucket.lock().unwrap();
            if self.word.load(loom::sync::atomic::Ordering::SeqCst) == expected {
                drop(self.sleepers.wait(bucket).unwrap());
            }
        }

        /// Wakes up to `count` sleepers.
        pub fn wake(&self, count: u32) {
            let _bucket = self.bucket.lock().unwrap();
            if count == 1 { self.sleepers.notify_one() } else { self.sleepers.notify_all() }
        }
    }

    impl Deref for FutexWord {
        type Target = AtomicU32;
        fn deref(&self) -> &AtomicU32 {
            &self.word
        }
    }
}

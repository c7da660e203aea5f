//! Payload memory: runs of cells that the protocol gives to one side at a time.
#![allow(
    unsafe_code,
    reason = "the one place that reads and writes payload memory through raw pointers"
)]

use std::cell::UnsafeCell;
use std::fmt;

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
        for cell in self.shadow[index..index + count].iter().filter(|_| super::crash::access()) {
            if write { cell.with_mut(|_| ()) } else { cell.with(|_| ()) }
        }
        let _ = write;
    }

    /// Starts fetching the cache line of cell `index`, to read or to `WRITE` it, where the processor has an
    /// instruction for that.
    #[inline(always)]
    pub fn prefetch<const WRITE: bool>(&self, index: usize) {
        super::prefetch::<WRITE>(self.data.as_ptr().wrapping_add(index).cast());
    }

    /// Stores `value` in cell `index`.
    ///
    /// # Safety
    ///
    /// - `index` is below the length of the run.
    /// - The protocol gives cell `index` to the caller: nobody else reads or writes it now.
    #[inline(always)]
    pub unsafe fn write(&self, index: usize, value: &T) {
        self.touch(index, 1, true);
        // SAFETY: the caller vouches for the index.
        let cell = unsafe { self.at(index) };
        // SAFETY: the caller owns the cell.
        unsafe { cell.copy_from_nonoverlapping(value, 1) }
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

    /// Keeps the lines that end in the cells `index..index + count` for this processor, before they are given back: see
    /// [`keep_lines`](super::keep_lines).
    ///
    /// # Safety
    ///
    /// The cells lie in the run, and the protocol gives them to the caller: nobody else reads or writes them now.
    #[inline(always)]
    pub unsafe fn keep_lines(&self, index: usize, count: usize) {
        self.touch(index, count, true);
        let start = self.data.as_ptr().wrapping_add(index).cast_mut().cast::<u8>();
        // SAFETY: the caller vouches for the cells.
        unsafe { super::keep_lines(start, count * size_of::<T>()) }
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

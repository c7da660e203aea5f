//! Bytes of a mapping that users share without a protocol of this library, for as long as anybody has a part of them.
//!
//! All access is checked against the length and copies, or goes through atomics. Two things are kept in private memory:
//! what keeps the mapping, and which words were given out as atomics of which size, since the language forbids that two of
//! different size overlap.
#![allow(unsafe_code, reason = "a borrow of a mapping outlives its expression, and raw pointers")]

mod lock;
mod place;
mod view;

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, MutexGuard, PoisonError};

use bytemuck::Pod;

use crate::error::AccessError;
use crate::primitive::Ordering::Relaxed;
use crate::primitive::{Mutex, SharedBytes};
use crate::sys::fork;

pub use lock::{LockPlace, tag_at};
pub use place::{Atomic, AtomicSlice, HasAtomic, Place, Shareable};
pub use view::{SliceView, View};

/// What keeps bytes mapped, whatever else it does.
pub type Keeper = Arc<dyn Any + Send + Sync>;

/// Bytes in shared memory. A clone is another hold on the same ones; they stay mapped until the last hold and the last
/// view is dropped.
///
/// Other processes read and write them at any time, so no reference to them is given out: they are copied in and out, or
/// are [atomics](Self::atomic). A copy is not one moment's: bytes that somebody writes meanwhile are partly old, partly
/// new.
///
/// ```
/// use ringway::block::Block;
///
/// let block = Block::anonymous(4096)?;
/// block.write_at(100, b"hello")?;
/// let mut found = [0; 5];
/// block.read_at(100, &mut found)?;
/// assert_eq!(&found, b"hello");
/// assert!(block.write_at(4092, b"hello").is_err());
/// # block.unlink()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Memory {
    inner: Arc<Inner>,
}

struct Inner {
    bytes: SharedBytes<'static>,
    generation: u64,
    words: Mutex<Words>,
    /// Whether there is a lock among those.
    has_locks: AtomicBool,
    /// Dropped last of all holds and views.
    _keeper: Keeper,
}

impl Memory {
    /// `bytes`, which stay mapped at least as long as `keeper`.
    ///
    /// # Safety
    ///
    /// - The bytes stay mapped, readable and writable, where they are, while `keeper` or a clone of it is there.
    /// - A fork handler cares for the mapping (`sys::fork`).
    pub unsafe fn new(start: NonNull<u8>, len: usize, keeper: Keeper) -> Self {
        // SAFETY: the result keeps the keeper, and gives nothing out that outlives a hold on it.
        let bytes = unsafe { SharedBytes::new(start, len) };
        let (words, has_locks) = (Mutex::default(), AtomicBool::new(false));
        let generation = fork::generation();
        Self { inner: Arc::new(Inner { bytes, generation, words, has_locks, _keeper: keeper }) }
    }

    /// How many bytes: exactly as many as were asked for when they were made.
    pub fn len(&self) -> usize {
        self.inner.bytes.len()
    }

    /// Never: there is at least one byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the bytes from `offset` on, as many as `into` has; also those of locks and of what they guard, which may be in the
    /// middle of a change.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], [`AccessError::Forked`].
    pub fn read_at(&self, offset: usize, into: &mut [u8]) -> Result<(), AccessError> {
        self.check(offset, into.len())?;
        self.inner.bytes.copy_out(offset, into);
        Ok(())
    }

    /// Copies `from` to `offset`.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], [`AccessError::Forked`]; [`AccessError::Overlap`] if this attachment had placed a lock
    /// there before: what that guards is reached through it. Then nothing was written. (A lock that another thread is just
    /// placing may be missed, as are those of other attachments and processes.)
    pub fn write_at(&self, offset: usize, from: &[u8]) -> Result<(), AccessError> {
        self.check(offset, from.len())?;
        self.check_unlocked(offset, from.len())?;
        self.inner.bytes.copy_in(offset, from);
        Ok(())
    }

    /// The value at `offset`, to be read and written as a whole.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], [`AccessError::Misaligned`], [`AccessError::Forked`].
    pub fn view<T: Pod>(&self, offset: usize) -> Result<View<T>, AccessError> {
        self.check_place::<T>(offset, 1)?;
        Ok(View::new(self.clone(), offset))
    }

    /// `len` values from `offset` on, to be read and written one by one.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], [`AccessError::Misaligned`], [`AccessError::Forked`].
    pub fn slice_view<T: Pod>(
        &self,
        offset: usize,
        len: usize,
    ) -> Result<SliceView<T>, AccessError> {
        self.check_place::<T>(offset, len)?;
        Ok(SliceView::new(self.clone(), offset, len))
    }

    /// The atomic at `offset`. It is a plain atomic of the standard library, and another process that uses one there
    /// sees what this one does.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    ///
    /// # let block = ringway::block::Block::anonymous(4096)?;
    /// let counter = block.atomic::<AtomicU64>(64)?;
    /// counter.fetch_add(1, Relaxed);
    /// # block.unlink()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], [`AccessError::Misaligned`], [`AccessError::Forked`]; [`AccessError::Overlap`] if this
    /// attachment has had atomics of another size there, which the memory model forbids.
    pub fn atomic<A: Atomic>(&self, offset: usize) -> Result<Place<A>, AccessError> {
        self.claim::<A>(offset, 1)?;
        Ok(Place::new(self.clone(), offset))
    }

    /// `len` atomics from `offset` on.
    ///
    /// # Errors
    ///
    /// As [`atomic`](Self::atomic).
    pub fn atomic_slice<A: Atomic>(
        &self,
        offset: usize,
        len: usize,
    ) -> Result<AtomicSlice<A>, AccessError> {
        self.claim::<A>(offset, len)?;
        Ok(AtomicSlice::new(self.clone(), offset, len))
    }

    /// All of it as values, of which nobody has taken atomics yet, nor can take others than of their size.
    pub(crate) fn whole<T: Pod>(&self) -> SliceView<T> {
        let (size, len) = (size_of::<T>(), self.len() / size_of::<T>().max(1));
        let claim = || self.words().claim(0, len * size, Unit::Word(size));
        let numbers = size == align_of::<T>() && size <= size_of::<u64>() && claim().is_ok();
        SliceView::new(self.clone(), 0, len).with_atomics(numbers)
    }

    /// The structure of atomics at `offset`, and what keeps it mapped.
    #[allow(dead_code, reason = "locks are placed so")]
    pub(crate) fn place<S: Shareable>(&self, offset: usize) -> Result<Place<S>, AccessError> {
        self.claim::<S>(offset, 1)?;
        Ok(Place::new(self.clone(), offset))
    }

    /// Where the bytes begin.
    ///
    /// # Safety
    ///
    /// The pointer is good for [`len`](Self::len) bytes while a hold on them or a view is there, in this process and not
    /// in a forked child. Whoever uses it sees to it that
    ///
    /// - no access through it that is not atomic happens at the same time as a write by any other thread of this process or by
    ///   another process: that is a data race. A lock that all of them respect gives that;
    /// - no reference made from it lives while anybody else may write there: Rust takes what is behind a reference for
    ///   unchanging;
    /// - what is read as a type is a valid value of it whatever bytes another process has left there;
    /// - atomics made from it do not overlap others of another size.
    pub unsafe fn as_ptr(&self) -> NonNull<u8> {
        self.inner.bytes.start()
    }

    /// Whether this process was forked since it attached.
    #[inline(always)]
    pub(crate) fn is_inherited(&self) -> bool {
        self.inner.generation != fork::generation()
    }

    #[inline(always)]
    fn check(&self, offset: usize, len: usize) -> Result<(), AccessError> {
        if !self.inner.bytes.has(offset, len) {
            return Err(AccessError::OutOfRange { offset, len, has: self.len() });
        }
        if self.is_inherited() { Err(AccessError::Forked) } else { Ok(()) }
    }

    /// Whether no lock lies at `offset` or in the `len` bytes from there, of which there are so many: somebody may have a
    /// reference to what it guards.
    #[inline(always)]
    fn check_unlocked(&self, offset: usize, len: usize) -> Result<(), AccessError> {
        // Relaxed: who placed the lock in another thread has told of it in some way, or it comes later.
        if self.inner.has_locks.load(Relaxed) { self.look_for_locks(offset, len) } else { Ok(()) }
    }

    #[cold]
    fn look_for_locks(&self, offset: usize, len: usize) -> Result<(), AccessError> {
        let free = !self.words().has_structure(offset, offset + len);
        if free { Ok(()) } else { Err(AccessError::Overlap { offset }) }
    }

    /// Notes that what lies between `start` and `end` is used as `unit` from now on.
    pub(super) fn note(&self, start: usize, end: usize, unit: Unit) -> Result<(), AccessError> {
        self.words().claim(start, end, unit)?;
        if matches!(unit, Unit::Structure(_)) {
            self.inner.has_locks.store(true, Relaxed);
        }
        Ok(())
    }

    /// Whether `len` elements may lie at `offset`.
    fn check_place<T>(&self, offset: usize, len: usize) -> Result<(), AccessError> {
        let bytes = len.saturating_mul(size_of::<T>());
        self.check(offset, bytes)?;
        let address = self.inner.bytes.start().addr().get() + offset;
        if !address.is_multiple_of(align_of::<T>()) {
            return Err(AccessError::Misaligned { offset, align: align_of::<T>() });
        }
        Ok(())
    }

    /// Notes that `len` atomics or structures of atomics lie at `offset` from now on.
    pub(crate) fn claim<S: Shareable>(&self, offset: usize, len: usize) -> Result<(), AccessError> {
        self.check_place::<S>(offset, len)?;
        self.note(offset, offset + len * size_of::<S>(), S::unit())
    }

    fn words(&self) -> MutexGuard<'_, Words> {
        self.inner.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The row of `len` structures from `offset` on.
    ///
    /// # Safety
    ///
    /// As for [`shared`](Self::shared), of all of them.
    #[inline(always)]
    unsafe fn shared_row<S: Shareable>(&self, offset: usize, len: usize) -> &[S] {
        debug_assert!(self.inner.bytes.has(offset, len * size_of::<S>()));
        let place = self.inner.bytes.start().as_ptr().wrapping_add(offset);
        // SAFETY: as in `shared`.
        unsafe { std::slice::from_raw_parts(place.cast::<S>(), len) }
    }

    /// The structure at `offset`.
    ///
    /// # Safety
    ///
    /// [`claim`](Self::claim) was asked for it.
    #[inline(always)]
    pub(crate) unsafe fn shared<S: Shareable>(&self, offset: usize) -> &S {
        debug_assert!(self.inner.bytes.has(offset, size_of::<S>()));
        let place = self.inner.bytes.start().as_ptr().wrapping_add(offset);
        // SAFETY: `claim` saw that it lies in the run, aligned, and that no atomics of another size are there; any bytes are an
        // `S`, whose parts are atomics; it stays mapped while `self` is there.
        unsafe { &*place.cast::<S>() }
    }

    /// The bytes.
    #[inline(always)]
    pub(super) fn bytes(&self) -> SharedBytes<'_> {
        self.inner.bytes
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Which bytes are atomics of which size: runs that do not overlap, by where they begin.
#[derive(Debug, Default)]
struct Words(BTreeMap<usize, (usize, Unit)>);

/// What a run of atomics consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Atomics of so many bytes, each at a multiple of that.
    Word(usize),
    /// Structures of this type.
    Structure(TypeId),
}

impl Words {
    /// Whether anything but single words lies between `start` and `end`.
    fn has_structure(&self, start: usize, end: usize) -> bool {
        let mut before = self.0.range(..end).rev().take_while(|(_, (last, _))| *last > start);
        before.any(|(_, (_, unit))| matches!(unit, Unit::Structure(_)))
    }

    /// Whether that very run was noted.
    fn has(&self, start: usize, end: usize, unit: Unit) -> bool {
        self.0.get(&start) == Some(&(end, unit))
    }

    /// Takes back what was noted of the run that begins at `start`.
    fn forget(&mut self, start: usize) {
        self.0.remove(&start);
    }

    /// Notes a run, joined with those of its kind that it meets. Nothing if it meets others.
    fn claim(&mut self, start: usize, end: usize, unit: Unit) -> Result<(), AccessError> {
        if start == end {
            return Ok(());
        }
        let (mut from, mut to) = (start, end);
        let mut met = Vec::new();
        for (&first, &(last, theirs)) in self.0.range(..end).rev() {
            if last < start {
                break;
            }
            let joins = matches!(unit, Unit::Word(_)) || (first, last) == (start, end);
            if theirs == unit && joins {
                (from, to) = (from.min(first), to.max(last));
                met.push(first);
            } else if last > start {
                return Err(AccessError::Overlap { offset: start });
            }
        }
        self.0.retain(|first, _| !met.contains(first));
        self.0.insert(from, (to, unit));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_claims_nothing_and_lets_go_of_nothing() {
        let mut words = Words::default();
        words.claim(8, 16, Unit::Word(8)).unwrap();
        words.claim(8, 8, Unit::Word(1)).unwrap();
        assert_eq!(words.claim(8, 12, Unit::Word(4)), Err(AccessError::Overlap { offset: 8 }));
    }

    const WORD: Unit = Unit::Word(8);
    const HALF: Unit = Unit::Word(4);

    #[test]
    fn atomics_of_one_size_meet_each_other_and_no_others() {
        let mut words = Words::default();
        let overlap = |offset| Err(AccessError::Overlap { offset });
        assert_eq!(words.claim(8, 16, WORD), Ok(()));
        assert_eq!(words.claim(8, 16, WORD), Ok(()));
        assert_eq!(words.claim(16, 24, WORD), Ok(()));
        assert_eq!(words.0.len(), 1, "they are one run");
        assert_eq!(words.claim(4, 8, HALF), Ok(()));
        assert_eq!(words.claim(24, 28, HALF), Ok(()));
        assert_eq!(words.claim(20, 24, HALF), overlap(20));
        assert_eq!(words.claim(0, 12, HALF), overlap(0));
        assert_eq!(words.claim(0, 64, WORD), overlap(0));
        assert_eq!(words.claim(24, 32, WORD), overlap(24));
        assert_eq!(words.claim(8, 24, WORD), Ok(()));
        assert_eq!(words.0.len(), 3);
    }

    #[test]
    fn structures_are_met_by_themselves_only() {
        let mut words = Words::default();
        let (one, other) = (TypeId::of::<[u8; 16]>(), TypeId::of::<[u8; 32]>());
        let overlap = |offset| Err(AccessError::Overlap { offset });
        assert_eq!(words.claim(16, 32, Unit::Structure(one)), Ok(()));
        assert_eq!(words.claim(16, 32, Unit::Structure(one)), Ok(()));
        assert_eq!(words.claim(32, 48, Unit::Structure(one)), Ok(()));
        assert_eq!(words.claim(24, 40, Unit::Structure(one)), overlap(24), "of two");
        assert_eq!(words.claim(0, 32, Unit::Structure(other)), overlap(0));
        assert_eq!(words.claim(24, 32, WORD), overlap(24));
        assert_eq!(words.claim(48, 56, WORD), Ok(()));
        let met = |start, end| words.has_structure(start, end);
        assert!(met(0, 17) && met(31, 32) && met(47, 49) && met(0, 100) && met(20, 21));
        assert!(!met(0, 16) && !met(48, 100) && !met(50, 51));
    }
}

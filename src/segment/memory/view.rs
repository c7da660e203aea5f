//! Values in shared memory that are read and written by copying.
#![allow(unsafe_code, reason = "numbers of a row that was claimed are atomics as well")]

use std::fmt;
use std::marker::PhantomData;

use bytemuck::Pod;

use super::{HasAtomic, Memory};
use crate::error::AccessError;

/// One value in shared memory.
///
/// Values of 1, 2, 4 and 8 bytes that lie at a multiple of their size are read and written whole. Of others one that is
/// written meanwhile is read partly old, partly new.
pub struct View<T> {
    memory: Memory,
    offset: usize,
    value: PhantomData<fn(T) -> T>,
}

impl<T: Pod> View<T> {
    /// The value at `offset` of `memory`, where there is room for one, aligned.
    pub(super) fn new(memory: Memory, offset: usize) -> Self {
        Self { memory, offset, value: PhantomData }
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`AccessError::Forked`].
    #[inline]
    pub fn get(&self) -> Result<T, AccessError> {
        if self.memory.is_inherited() {
            return Err(AccessError::Forked);
        }
        Ok(self.memory.bytes().load(self.offset))
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// [`AccessError::Forked`]; [`AccessError::Overlap`] if this attachment has placed a lock there.
    #[inline]
    pub fn set(&self, value: T) -> Result<(), AccessError> {
        if self.memory.is_inherited() {
            return Err(AccessError::Forked);
        }
        self.memory.check_unlocked(self.offset, size_of::<T>())?;
        self.memory.bytes().store(self.offset, value);
        Ok(())
    }
}

impl<T> Clone for View<T> {
    fn clone(&self) -> Self {
        Self { memory: self.memory.clone(), ..*self }
    }
}

impl<T> fmt::Debug for View<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// Values in a row in shared memory.
///
/// Values of 1, 2, 4 and 8 bytes that lie at a multiple of their size are read and written whole, each by itself. Of
/// others one that is written meanwhile is read partly old, partly new.
pub struct SliceView<T> {
    memory: Memory,
    offset: usize,
    len: usize,
    /// Whether the values can be used as atomics of their size.
    has_atomics: bool,
    value: PhantomData<fn(T) -> T>,
}

impl<T: Pod> SliceView<T> {
    /// `len` values at `offset` of `memory`, where there is room for them, aligned.
    pub(super) fn new(memory: Memory, offset: usize, len: usize) -> Self {
        Self { memory, offset, len, has_atomics: false, value: PhantomData }
    }

    /// The same, after [`Words::claim`](super::Words::claim) was asked for atomics of the values' size, and said yes if `has`.
    pub(super) fn with_atomics(self, has: bool) -> Self {
        Self { has_atomics: has, ..self }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads the one at `index`.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], counted in values; [`AccessError::Forked`].
    #[inline]
    pub fn get(&self, index: usize) -> Result<T, AccessError> {
        self.check(index, 1)?;
        Ok(self.memory.bytes().load(self.offset + index * size_of::<T>()))
    }

    /// Writes the one at `index`.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], counted in values; [`AccessError::Forked`]; [`AccessError::Overlap`] if this attachment
    /// has placed a lock there.
    #[inline]
    pub fn set(&self, index: usize, value: T) -> Result<(), AccessError> {
        self.check(index, 1)?;
        let offset = self.offset + index * size_of::<T>();
        self.memory.check_unlocked(offset, size_of::<T>())?;
        self.memory.bytes().store(offset, value);
        Ok(())
    }

    /// Copies those from `index` on, as many as `into` has, as bytes: any of them may be partly old, partly new.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], counted in values; [`AccessError::Forked`].
    pub fn read_at(&self, index: usize, into: &mut [T]) -> Result<(), AccessError> {
        self.check(index, into.len())?;
        let bytes = bytemuck::cast_slice_mut(into);
        self.memory.read_at(self.offset + index * size_of::<T>(), bytes)
    }

    /// Copies `from` to those from `index` on, as bytes: whoever reads one meanwhile may find it partly old, partly new.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], counted in values; [`AccessError::Forked`].
    pub fn write_at(&self, index: usize, from: &[T]) -> Result<(), AccessError> {
        self.check(index, from.len())?;
        let bytes = bytemuck::cast_slice(from);
        self.memory.write_at(self.offset + index * size_of::<T>(), bytes)
    }

    /// Copies all of them.
    ///
    /// # Errors
    ///
    /// [`AccessError::Forked`].
    pub fn to_vec(&self) -> Result<Vec<T>, AccessError> {
        let mut values = vec![T::zeroed(); self.len];
        self.read_at(0, &mut values)?;
        Ok(values)
    }

    #[inline(always)]
    fn check(&self, index: usize, len: usize) -> Result<(), AccessError> {
        if index.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(AccessError::OutOfRange { offset: index, len, has: self.len });
        }
        if self.memory.is_inherited() { Err(AccessError::Forked) } else { Ok(()) }
    }
}

impl<T: HasAtomic> SliceView<T> {
    /// The values as atomics; none if it was not made for that.
    #[inline(always)]
    pub(crate) fn atomics(&self) -> &[T::Atomic] {
        let len = if self.has_atomics { self.len } else { 0 };
        // SAFETY: `claim` was asked; the atomic has the number's size and alignment.
        unsafe { self.memory.shared_row(self.offset, len) }
    }
}

impl<T> Clone for SliceView<T> {
    fn clone(&self) -> Self {
        Self { memory: self.memory.clone(), ..*self }
    }
}

impl<T> fmt::Debug for SliceView<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SliceView")
            .field("offset", &self.offset)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

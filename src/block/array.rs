//! Values of one type in a row, in a block of their own.

use std::fmt;

use bytemuck::Pod;

use super::held::{Chosen, Held};
use super::options::{Options, sealed};
use crate::builder::Attached;
use crate::error::{AccessError, Error};
use crate::member::Attachment;
use crate::segment::{HasAtomic, SliceView};

/// Values of one type in a row, in shared memory, with a name. They are zero at first.
///
/// Values of 1, 2, 4 and 8 bytes whose alignment is their size are read and written whole; numbers can be used as
/// [atomics](Self::atomics) too. Of any other a value that is written meanwhile is read partly old, partly new.
///
/// ```
/// use ringway::block::SharedArray;
/// use std::sync::atomic::Ordering::Relaxed;
///
/// let name = format!("histogram-{}", std::process::id());
/// let array = SharedArray::<u64>::create(&name, 100)?;
/// let other = SharedArray::<u64>::open(&name)?; // usually in another process
/// array.set(7, 40)?;
/// other.atomics()[7].fetch_add(2, Relaxed);
/// assert_eq!(array.get(7)?, 42);
/// assert!(array.get(100).is_err());
/// # array.unlink()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SharedArray<T> {
    held: Held,
    values: SliceView<T>,
}

impl<T: Pod> SharedArray<T> {
    /// Options for making or opening an array.
    pub fn options() -> Options<Self> {
        Options::default()
    }

    /// Makes an array of `len` values.
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub fn create(name: &str, len: usize) -> Result<Self, Error> {
        Self::options().len(len).create(name)
    }

    /// Opens an array of any length.
    ///
    /// # Errors
    ///
    /// As [`Options::open`].
    pub fn open(name: &str) -> Result<Self, Error> {
        Self::options().open(name)
    }

    /// Opens the array, which must have `len` values, or makes it where there is none.
    ///
    /// # Errors
    ///
    /// As [`Options::open_or_create`]; [`ErrorKind::OtherLength`](crate::ErrorKind::OtherLength).
    pub fn open_or_create(name: &str, len: usize) -> Result<Self, Error> {
        Self::options().len(len).open_or_create(name)
    }

    /// Its values, as [`view`](super::Memory::slice_view) that keeps them mapped.
    pub fn view(&self) -> &SliceView<T> {
        &self.values
    }

    /// How many values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Never: there is at least one.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Reads the value at `index`.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], [`AccessError::Forked`].
    #[inline]
    pub fn get(&self, index: usize) -> Result<T, AccessError> {
        self.values.get(index)
    }

    /// Writes the value at `index`.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], [`AccessError::Forked`].
    #[inline]
    pub fn set(&self, index: usize, value: T) -> Result<(), AccessError> {
        self.values.set(index, value)
    }

    /// Copies the values from `index` on, as many as `into` has; any of them may be partly old, partly new.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], [`AccessError::Forked`].
    pub fn read_at(&self, index: usize, into: &mut [T]) -> Result<(), AccessError> {
        self.values.read_at(index, into)
    }

    /// Copies `from` to the values from `index` on; who reads one meanwhile may find it partly old, partly new.
    ///
    /// # Errors
    ///
    /// [`AccessError::OutOfRange`], [`AccessError::Forked`]. Then nothing was written.
    pub fn write_at(&self, index: usize, from: &[T]) -> Result<(), AccessError> {
        self.values.write_at(index, from)
    }

    /// Copies all values.
    ///
    /// # Errors
    ///
    /// [`AccessError::Forked`].
    pub fn to_vec(&self) -> Result<Vec<T>, AccessError> {
        self.values.to_vec()
    }

    held!(self);
}

impl<T: HasAtomic> SharedArray<T> {
    /// The values as atomics. In a forked child they are others, that nobody shares.
    #[inline]
    pub fn atomics(&self) -> &[T::Atomic] {
        self.values.atomics()
    }
}

impl<T: Pod> Options<SharedArray<T>> {
    /// How many values a new array has: exactly so many. Who opens an array and says so gets
    /// [`ErrorKind::OtherLength`](crate::ErrorKind::OtherLength) where it has another number.
    pub fn len(self, values: usize) -> Self {
        self.elements(values)
    }
}

impl<T> Attached for SharedArray<T> {
    fn attachment(&self) -> &Attachment {
        self.held.attachment()
    }
}

impl<T: Pod> sealed::Shape for SharedArray<T> {
    type Item = T;
    const PREFIX: &'static str = "array";
    fn attach(attachment: Attachment, chosen: Chosen) -> Self {
        let held = Held::new(attachment, chosen);
        let values = held.memory().whole();
        Self { held, values }
    }

    fn held(&self) -> &Held {
        &self.held
    }
}

impl<T> Clone for SharedArray<T> {
    fn clone(&self) -> Self {
        Self { held: self.held.clone(), values: self.values.clone() }
    }
}

impl<T> fmt::Debug for SharedArray<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.describe(f, "SharedArray")
    }
}

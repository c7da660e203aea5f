//! One value in a block of its own.

use std::fmt;

use bytemuck::Pod;

use super::held::{Chosen, Held};
use super::options::{Options, sealed};
use crate::builder::Attached;
use crate::error::{AccessError, Error};
use crate::member::Attachment;
use crate::segment::{HasAtomic, SliceView};

/// One value in shared memory, with a name. It is zero at first.
///
/// A value of 1, 2, 4 or 8 bytes whose alignment is its size is read and written whole; a number can be used as
/// [atomic](Self::atomic) too. Any other that is written meanwhile is read partly old, partly new.
///
/// ```
/// use ringway::block::SharedValue;
/// use std::sync::atomic::Ordering::Relaxed;
///
/// let name = format!("progress-{}", std::process::id());
/// let value = SharedValue::<u32>::create(&name)?;
/// let other = SharedValue::<u32>::open(&name)?; // usually in another process
/// value.set(99)?;
/// other.atomic().fetch_add(1, Relaxed);
/// assert_eq!(value.get()?, 100);
/// # value.unlink()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SharedValue<T> {
    held: Held,
    /// A row of one.
    value: SliceView<T>,
}

impl<T: Pod> SharedValue<T> {
    /// Options for making or opening a value. There is no length to choose.
    pub fn options() -> Options<Self> {
        Options::default()
    }

    /// Makes a value.
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub fn create(name: &str) -> Result<Self, Error> {
        Self::options().create(name)
    }

    /// Opens a value.
    ///
    /// # Errors
    ///
    /// As [`Options::open`].
    pub fn open(name: &str) -> Result<Self, Error> {
        Self::options().open(name)
    }

    /// Opens a value, or makes it where there is none.
    ///
    /// # Errors
    ///
    /// As [`Options::open_or_create`].
    pub fn open_or_create(name: &str) -> Result<Self, Error> {
        Self::options().open_or_create(name)
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`AccessError::Forked`].
    #[inline]
    pub fn get(&self) -> Result<T, AccessError> {
        self.value.get(0)
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// [`AccessError::Forked`].
    #[inline]
    pub fn set(&self, value: T) -> Result<(), AccessError> {
        self.value.set(0, value)
    }

    held!(self);
}

impl<T: HasAtomic> SharedValue<T> {
    /// The value as an atomic. In a forked child it is another, that nobody shares.
    #[inline]
    pub fn atomic(&self) -> &T::Atomic {
        &self.value.atomics()[0]
    }
}

impl<T> Attached for SharedValue<T> {
    fn attachment(&self) -> &Attachment {
        self.held.attachment()
    }
}

impl<T: Pod> sealed::Shape for SharedValue<T> {
    type Item = T;
    const PREFIX: &'static str = "value";
    const ELEMENTS: usize = 1;
    fn attach(attachment: Attachment, chosen: Chosen) -> Self {
        let held = Held::new(attachment, chosen);
        let value = held.memory().whole();
        Self { held, value }
    }

    fn held(&self) -> &Held {
        &self.held
    }
}

impl<T> Clone for SharedValue<T> {
    fn clone(&self) -> Self {
        Self { held: self.held.clone(), value: self.value.clone() }
    }
}

impl<T> fmt::Debug for SharedValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.describe(f, "SharedValue")
    }
}

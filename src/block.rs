//! Blocks: memory that several processes read and write without copies, and arrays and values in it.
//!
//! A [`Block`] is so many bytes with a name. A [`SharedArray`] is so many values of one type with a name, a
//! [`SharedValue`] one. All of them are segments with members: who uses one can be asked, and it can go with its last user.
//! A [`RawBlock`] has neither: it is a file as other programs make and open it, bytes from the first to the last.
//!
//! ```
//! use ringway::block::Block;
//! use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
//!
//! let name = format!("picture-{}", std::process::id());
//! let block = Block::create(&name, 1_000_000)?;
//! let other = Block::open(&name)?; // usually in another process
//! block.write_at(4096, b"pixels")?;
//! let mut found = [0; 6];
//! other.read_at(4096, &mut found)?;
//! assert_eq!(&found, b"pixels");
//! block.atomic::<AtomicU64>(0)?.fetch_add(1, Relaxed);
//! assert_eq!(other.atomic::<AtomicU64>(0)?.load(Relaxed), 1);
//! # block.unlink()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing here hands out a `&[u8]` of memory that others write: bytes are copied in and out, or used as atomics. What is
//! made of a block keeps it mapped, whatever is dropped first.

#[macro_use]
pub(crate) mod held;
mod array;
mod options;
mod raw;
#[cfg(feature = "shared_memory")]
mod shmem;
mod value;

use std::fmt;
use std::ops::Deref;

use crate::builder::Attached;
use crate::error::Error;
use crate::member::Attachment;

use held::{Chosen, Held};
use options::sealed;

pub use crate::segment::{Atomic, AtomicSlice, HasAtomic, Memory, Place, SliceView, View};
pub use array::SharedArray;
pub use held::HugePages;
pub use options::{Options, Shared};
pub use raw::{RawBlock, RawOptions};
pub use value::SharedValue;

/// So many bytes in shared memory, with a name. They are zero at first.
///
/// It derefs to [`Memory`], which has the access. A clone is the same attachment; what is made of it, views included,
/// keeps the attachment, and with it the mapping.
///
/// In the file the bytes begin at a multiple of 4096, behind what the library keeps there: other programs read that place
/// in the header (`slots_offset`), or use a [`RawBlock`].
#[derive(Clone)]
pub struct Block {
    held: Held,
}

impl Block {
    /// Options for making or opening a block.
    pub fn options() -> Options<Self> {
        Options::default()
    }

    /// Makes a block of `len` bytes.
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub fn create(name: &str, len: usize) -> Result<Self, Error> {
        Self::options().len(len).create(name)
    }

    /// Opens a block of any length.
    ///
    /// # Errors
    ///
    /// As [`Options::open`].
    pub fn open(name: &str) -> Result<Self, Error> {
        Self::options().open(name)
    }

    /// Opens the block, which must have `len` bytes, or makes it where there is none.
    ///
    /// # Errors
    ///
    /// As [`Options::open_or_create`]; [`ErrorKind::OtherLength`](crate::ErrorKind::OtherLength).
    pub fn open_or_create(name: &str, len: usize) -> Result<Self, Error> {
        Self::options().len(len).open_or_create(name)
    }

    /// Makes a block of `len` bytes under a name that nobody has had: [`name`](Self::name) tells it.
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub fn anonymous(len: usize) -> Result<Self, Error> {
        Self::options().len(len).anonymous()
    }
}

impl Block {
    held!(self);

    /// What locks that are placed in it need of it.
    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    /// Its bytes: what a block derefs to.
    pub fn memory(&self) -> &Memory {
        self.held.memory()
    }
}

impl Deref for Block {
    type Target = Memory;
    fn deref(&self) -> &Memory {
        self.memory()
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.describe(f, "Block")
    }
}

impl Options<Block> {
    /// How many bytes a new block has: exactly so many. Who opens a block and says so gets
    /// [`ErrorKind::OtherLength`](crate::ErrorKind::OtherLength) where it has another number.
    pub fn len(self, bytes: usize) -> Self {
        self.elements(bytes)
    }
}

impl Attached for Block {
    fn attachment(&self) -> &Attachment {
        self.held.attachment()
    }
}

impl sealed::Shape for Block {
    type Item = u8;
    const PREFIX: &'static str = "block";
    fn attach(attachment: Attachment, chosen: Chosen) -> Self {
        Self { held: Held::new(attachment, chosen) }
    }

    fn held(&self) -> &Held {
        &self.held
    }
}

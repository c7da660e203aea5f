//! What a block has in place of rings: its elements, and a lock where it was made with one.
#![allow(unsafe_code, reason = "hands parts of the mapping out as bytes that are kept")]

use std::sync::Arc;

use super::{Keeper, Memory, Segment, in_memory};
use crate::layout::{FLAG_LOCK, LINE};

impl Segment {
    /// The elements of a block, for as long as `keeper`, which keeps `self`, and all that is made of them.
    pub fn memory(self: &Arc<Self>, keeper: impl Send + Sync + 'static) -> Memory {
        assert!(self.shape.kind.is_block(), "the caller has looked");
        let len = in_memory(self.shape.data_len().unwrap_or(0));
        self.kept(self.header.slots_offset, len, keeper)
    }

    /// The line with the lock of a block that has one, as [`memory`](Self::memory).
    pub fn lock_line(self: &Arc<Self>, keeper: impl Send + Sync + 'static) -> Option<Memory> {
        let has_one = self.shape.flags & FLAG_LOCK != 0;
        has_one.then(|| self.kept(self.header.rings_offset, LINE, keeper))
    }

    fn kept(
        self: &Arc<Self>,
        offset: u64,
        len: usize,
        keeper: impl Send + Sync + 'static,
    ) -> Memory {
        let offset = in_memory(offset);
        assert!(offset + len <= self.mapping().len(), "validated geometry fits the mapping");
        // SAFETY: the assertion keeps the place inside the mapping.
        let start = unsafe { self.mapping().start().byte_add(offset) };
        let keeper: Keeper = Arc::new((Arc::clone(self), keeper));
        // SAFETY: the segment keeps the bytes mapped and is kept; it never moves its mapping, which was registered when it
        // was joined; of this library only what is made of `Memory` touches them.
        unsafe { Memory::new(start, len, keeper) }
    }
}

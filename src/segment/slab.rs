//! The blocks of a segment.
#![allow(unsafe_code, reason = "turns checked offsets in a mapping into references and cells")]

use super::{Segment, in_memory};
use crate::layout::BlockLine;
use crate::primitive::Cells;
use crate::ring::slab::{Pager, Slab};
use crate::sys::shm::{self, Identity};

/// Memory is asked for in pieces of so many bytes, so that a signal does not make the kernel begin a long one again.
const PIECE: u64 = 16 << 20;

impl Segment {
    /// The blocks for messages that are longer than a slot, if it has any.
    pub fn slab(&self) -> Option<Slab<'_>> {
        let plan = self.shape.slab().filter(|plan| plan.blocks > 0)?;
        let (start, len) = (in_memory(self.header.slab_offset), in_memory(plan.len));
        assert!(start + len <= self.mapping().len(), "validated geometry fits the mapping");
        // SAFETY: the assertion keeps the place inside the mapping.
        let lines = unsafe { self.mapping().start().byte_add(start) };
        // SAFETY: as above; the payload lies inside the slab.
        let memory = unsafe { lines.byte_add(in_memory(plan.payload)) };
        // SAFETY: so many lines of atomics lie in front of the payload, page-aligned, and stay mapped while `self` lives.
        let lines = unsafe {
            std::slice::from_raw_parts(lines.cast::<BlockLine>().as_ptr(), in_memory(plan.blocks))
        };
        let words = in_memory(plan.len - plan.payload) / size_of::<u64>();
        // SAFETY: so many words follow to the end of the slab, page-aligned, and stay mapped while `self` lives; only the slab
        // touches them, through `Cells`.
        let memory = unsafe { Cells::new(memory.cast().as_ptr(), words) };
        Some(Slab::new((plan, self.shape.max_message), lines, memory, self))
    }

    /// The descriptor of the file, unless somebody closed it behind the library's back.
    fn own_file(&self) -> Option<&std::fs::File> {
        let probe = self.probe();
        let same = |found: std::fs::Metadata| Identity::of(&found) == self.identity;
        (!self.is_inherited() && probe.metadata().is_ok_and(same)).then_some(probe)
    }
}

impl Pager for Segment {
    fn back(&self, from: u64, len: u64) -> bool {
        let Some(file) = self.own_file() else { return false };
        let start = self.header.slab_offset + from;
        (0..len.div_ceil(PIECE)).all(|piece| {
            let done = piece * PIECE;
            shm::allocate(file, start + done, PIECE.min(len - done)).is_ok()
        })
    }

    fn punch(&self, from: u64, len: u64) {
        if let Some(file) = self.own_file() {
            // Where that fails the memory stays with the block, whose next user has it backed once more.
            let _ = shm::punch(file, self.header.slab_offset + from, len);
        }
    }
}

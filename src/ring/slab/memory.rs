//! The bytes of blocks, and the memory of those that are holes.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a block")]

use super::{Block, Class, Slab};
use crate::primitive::Ordering::Relaxed;

const WORD: usize = size_of::<u64>();
/// Bytes that are read before their lines are kept: these are in the nearest cache still. And few enough for the C library to copy by
/// loads and stores: `rep movsb`, by which it copies more, takes 15 times as long where the target lies a few bytes beyond the
/// source's place in a page (AMD Zen 3), as a buffer of an allocator does beside a block.
const PART: usize = 1024;

impl Slab<'_> {
    /// The first `len` bytes of a block that its holder owns, to be written.
    pub fn bytes_mut<'b>(&'b self, block: &'b mut Block, len: usize) -> &'b mut [u8] {
        let (first, words) = self.words(block, len);
        // SAFETY: the block is its holder's, who is borrowed for as long as the slice lives.
        let words = unsafe { self.memory.slice_mut(first, words) };
        &mut bytemuck::cast_slice_mut(words)[..len]
    }

    /// The first `len` bytes of a block that its holder owns, or that is bound to a message which is.
    pub fn bytes<'b>(&'b self, block: &'b Block, len: usize) -> &'b [u8] {
        let (first, words) = self.words(block, len);
        // SAFETY: nobody writes to it while its holder is borrowed.
        let words = unsafe { self.memory.slice(first, words) };
        &bytemuck::cast_slice(words)[..len]
    }

    /// Shows `take` the first `len` bytes of a block that is bound to a message which is its holder's, part by part, and keeps
    /// their lines for this processor, so that who writes there next gets them whole. Not those of a hole, whose memory goes
    /// back to the system.
    ///
    /// What is written is what was there: who dies on the way leaves the message as it was.
    pub fn read_out(&self, block: &mut Block, len: usize, mut take: impl FnMut(&[u8])) {
        let (first, keeps) = (self.words(block, len).0, !self.is_sparse(block));
        for from in (0..len).step_by(PART) {
            let part = PART.min(len - from);
            let (at, count) = (first + from / WORD, part.div_ceil(WORD));
            // SAFETY: nobody writes to it while its holder is borrowed.
            let words = unsafe { self.memory.slice(at, count) };
            take(&bytemuck::cast_slice(words)[..part]);
            if keeps {
                // SAFETY: as above, nor reads: the message is its holder's alone, who is borrowed exclusively.
                unsafe { self.memory.keep_lines(at, count) };
            }
        }
    }

    fn class(&self, block: &Block) -> Class {
        self.class_of(block.number).expect("blocks are numbered by the slab")
    }

    /// Bytes from the start of the slab to a block.
    fn offset(&self, block: &Block) -> u64 {
        let class = self.class(block);
        class.offset + (u64::from(block.number) - class.first) * class.len
    }

    /// Where `len` bytes of a block lie in the memory, in words.
    fn words(&self, block: &Block, len: usize) -> (usize, usize) {
        assert!(len as u64 <= self.class(block).len, "lengths are checked against the class");
        let offset = usize::try_from(self.offset(block) - self.plan.payload);
        (offset.expect("validated geometry fits the mapping") / WORD, len.div_ceil(WORD))
    }

    /// Sees to it that the first `len` bytes of a block that its holder owns have memory. False if that is refused.
    pub fn back(&self, block: &Block, len: usize) -> bool {
        // Relaxed: only who owns the block writes it.
        let backed = &self.line(block).backed;
        if !self.is_sparse(block) || backed.load(Relaxed) >= len as u64 {
            return true;
        }
        let done = self.pager.back(self.offset(block), len as u64);
        if done {
            backed.store(len as u64, Relaxed);
        } else {
            self.punch(block);
        }
        done
    }

    /// Whether a block is a hole.
    pub(super) fn is_sparse(&self, block: &Block) -> bool {
        self.class(block).sparse
    }

    /// Whether a block has memory that it does not need while it is free.
    pub(super) fn is_wasteful(&self, block: &Block) -> bool {
        self.is_sparse(block) && self.line(block).backed.load(Relaxed) > 0
    }

    /// Gives back the memory of a hole, whose holder owns it. Says how many bytes.
    ///
    /// It counts as without from the beginning, so that who dies on the way leaves memory, and no block that lacks it.
    pub(super) fn punch(&self, block: &Block) -> u64 {
        let backed = &self.line(block).backed;
        let before = backed.load(Relaxed);
        backed.store(0, Relaxed);
        self.pager.punch(self.offset(block), self.class(block).len);
        before
    }
}

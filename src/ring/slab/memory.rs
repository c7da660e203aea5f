//! The bytes of blocks, and the memory of those that are holes.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a block")]

use super::{Block, Class, Slab};
use crate::primitive::Ordering::Relaxed;

const WORD: usize = size_of::<u64>();

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

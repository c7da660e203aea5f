//! The bytes of blocks.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a block")]

use super::{Block, Class, Long, Slab};
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

    /// The first `len` bytes of a block that its holder owns: whatever it held before, until they are written.
    pub fn bytes<'b>(&'b self, block: &'b Block, len: usize) -> &'b [u8] {
        let (first, words) = self.words(block, len);
        // SAFETY: as above.
        let words = unsafe { self.memory.slice(first, words) };
        &bytemuck::cast_slice(words)[..len]
    }

    /// The bytes of a message that was claimed to be read.
    pub fn message<'b>(&'b self, long: &'b Long) -> &'b [u8] {
        self.bytes(&long.block, long.len)
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

    /// What of the slab needs memory before `len` bytes of a block can be used, if anything does: from where, how much.
    pub fn to_back(&self, block: &Block, len: usize) -> Option<(u64, u64)> {
        let class = self.class(block);
        // Relaxed: only who owns the block writes it.
        let backed = self.line(block).backed.load(Relaxed);
        (class.sparse && (len as u64) > backed).then(|| (self.offset(block), len as u64))
    }

    /// Notes that the first `len` bytes of a block have memory.
    pub fn note_backed(&self, block: &Block, len: usize) {
        self.line(block).backed.store(len as u64, Relaxed);
    }

    /// What of the slab has memory that a block does not need while it is free: from where, how much. It counts as without
    /// from now on, so that who dies before it is given back leaves memory, and no block that lacks it.
    pub fn to_punch(&self, block: &Block) -> Option<(u64, u64)> {
        let (class, line) = (self.class(block), self.line(block));
        let backed = line.backed.load(Relaxed);
        if !class.sparse || backed == 0 {
            return None;
        }
        line.backed.store(0, Relaxed);
        Some((self.offset(block), class.len))
    }

    /// Whether a message is in a hole of the file.
    pub fn is_sparse(&self, long: &Long) -> bool {
        self.class(&long.block).sparse
    }

    /// The numbers of free blocks that have memory which they do not need.
    pub fn wasteful(&self) -> impl Iterator<Item = u32> {
        let sparse = self.classes().filter(|class| class.sparse);
        let numbers = sparse.flat_map(|class| class.first..class.first + class.count);
        numbers.map(|number| self.numbered(number)).filter_map(|(number, line)| {
            let wasteful = line.word.load(Relaxed) == 0 && line.backed.load(Relaxed) > 0;
            wasteful.then_some(number)
        })
    }
}

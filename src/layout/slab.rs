//! Blocks for messages that are longer than a slot: classes of one length each, and where they lie.
//!
//! The slab lies behind the last ring: a line for each block, then the blocks, class after class, the shortest first.
//! Classes are four words of the header; the last class may be holes of the file, pages of which are taken when a message
//! needs them.

use super::{FEATURE_LONG_MESSAGES, Kind, LINE, Shape};

/// One class of blocks, as a header has it: `[sparse:1 | count:31 | length:32]`. Zero is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassWord(pub u64);

const COUNT_SHIFT: u32 = 32;
const SPARSE: u64 = 1 << 63;
const LENGTH_MASK: u64 = (1 << COUNT_SHIFT) - 1;

impl ClassWord {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 3] =
        [("sparse", SPARSE), ("count", !SPARSE & !LENGTH_MASK), ("length", LENGTH_MASK)];

    /// The class of `count` blocks of `len` bytes each, which are holes if `sparse`; `None` if a word cannot say that.
    pub fn new(len: u64, count: u64, sparse: bool) -> Option<Self> {
        let fits = len <= LENGTH_MASK && count < SPARSE >> COUNT_SHIFT;
        let sparse = if sparse { SPARSE } else { 0 };
        fits.then_some(Self(sparse | count << COUNT_SHIFT | len))
    }

    /// Bytes in each block.
    pub fn block_len(self) -> u64 {
        self.0 & LENGTH_MASK
    }

    /// How many blocks.
    pub fn count(self) -> u64 {
        (self.0 & !SPARSE) >> COUNT_SHIFT
    }

    /// Whether its blocks are holes of the file until they are used.
    pub fn is_sparse(self) -> bool {
        self.0 & SPARSE != 0
    }

    /// Whether there is no such class.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// How many classes a slab can have.
pub const CLASSES: usize = 4;
/// The length of a block is a multiple of this, and its start too.
pub const BLOCK_ALIGN: u64 = 64;
/// The same for holes: no page is of two.
pub const HOLE_ALIGN: u64 = 4096;
/// The most blocks in all classes.
pub const MOST_BLOCKS: u64 = 1 << 24;

/// One class and where its blocks lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Class {
    /// Bytes in each block.
    pub len: u64,
    /// How many.
    pub count: u64,
    /// The number of its first block among all.
    pub first: u64,
    /// Bytes from the start of the slab to its first block.
    pub offset: u64,
    /// Whether its blocks are holes of the file until they are used.
    pub sparse: bool,
}

/// A slab: a function of its classes alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlabPlan {
    /// Its classes, of ascending length; what is not there has no blocks.
    pub classes: [Class; CLASSES],
    /// Blocks in all.
    pub blocks: u64,
    /// Bytes from its start to the first block.
    pub payload: u64,
    /// Bytes that have memory from the beginning.
    pub dense: u64,
    /// Bytes in all.
    pub len: u64,
}

impl SlabPlan {
    /// The slab of these classes; `None` where they make no sense. Without any it has no bytes.
    pub fn of(words: [ClassWord; CLASSES]) -> Option<Self> {
        let blocks: u64 = words.iter().map(|word| word.count()).sum();
        if blocks == 0 {
            return words.iter().all(|word| word.is_none()).then(Self::default);
        }
        let payload = (blocks * LINE as u64).checked_next_multiple_of(HOLE_ALIGN)?;
        let mut plan = Self { blocks, payload, dense: payload, len: payload, ..Self::default() };
        let (mut first, mut last_len, mut over) = (0, 0, false);
        for (class, word) in plan.classes.iter_mut().zip(words) {
            if word.is_none() {
                over = true;
                continue;
            }
            let (len, count, sparse) = (word.block_len(), word.count(), word.is_sparse());
            let align = if sparse { HOLE_ALIGN } else { BLOCK_ALIGN };
            if over || count == 0 || len <= last_len || len % align != 0 {
                return None;
            }
            let offset = plan.len.next_multiple_of(align);
            *class = Class { len, count, first, offset, sparse };
            plan.len = offset + len * count;
            if !sparse {
                plan.dense = plan.len;
            }
            // Holes are last.
            (first, last_len, over) = (first + count, len, sparse);
        }
        plan.len = plan.len.checked_next_multiple_of(HOLE_ALIGN)?;
        (blocks <= MOST_BLOCKS).then_some(plan)
    }

    /// The longest message that has a block.
    pub fn longest(&self) -> u64 {
        self.classes.iter().map(|class| class.len).max().unwrap_or(0)
    }
}

impl Shape {
    /// Its slab, of no bytes where it has none; `None` where that makes no sense.
    pub fn slab(&self) -> Option<SlabPlan> {
        SlabPlan::of(self.classes)
    }

    /// Bytes at its end that are holes of the file.
    pub fn holes(&self) -> u64 {
        self.slab().map_or(0, |slab| slab.len - slab.dense)
    }

    /// Whether blocks are none, or of a queue of bytes and have room for its longest message, which has none in a slot.
    pub(super) fn blocks_are_possible(&self) -> bool {
        let says = self.features & FEATURE_LONG_MESSAGES != 0;
        match self.slab() {
            None => false,
            Some(slab) if slab.blocks == 0 => {
                // Of a lock it says which one.
                (self.max_message == 0 || self.kind == Kind::Lock) && !says
            }
            Some(slab) => {
                self.kind == Kind::ByteQueue
                    && says
                    && self.max_message > self.element_size
                    && self.max_message <= slab.longest()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(classes: &[(u64, u64, bool)]) -> [ClassWord; CLASSES] {
        let mut words = [ClassWord::default(); CLASSES];
        for (word, (len, count, sparse)) in words.iter_mut().zip(classes) {
            *word = ClassWord::new(*len, *count, *sparse).unwrap();
        }
        words
    }

    #[test]
    fn a_class_word_says_what_it_was_made_of() {
        let word = ClassWord::new(4096, 7, true).unwrap();
        assert_eq!((word.block_len(), word.count(), word.is_sparse()), (4096, 7, true));
        assert_eq!(ClassWord::new(1 << 32, 1, false), None);
        assert_eq!(ClassWord::new(64, 1 << 31, false), None);
    }

    #[test]
    fn blocks_lie_behind_their_lines_and_never_in_each_other() {
        let plan =
            SlabPlan::of(words(&[(64, 3, false), (192, 5, false), (8192, 2, true)])).unwrap();
        assert_eq!((plan.blocks, plan.payload), (10, 4096));
        let mut end = plan.payload;
        for class in plan.classes.iter().filter(|class| class.count > 0) {
            assert!(class.offset >= end && class.offset.is_multiple_of(64));
            end = class.offset + class.len * class.count;
        }
        assert_eq!((plan.dense, plan.len), (4096 + 192 + 960, 8192 + 16384));
        assert_eq!(SlabPlan::of(words(&[])).unwrap().len, 0);
    }

    #[test]
    fn classes_that_make_no_sense_are_none() {
        for wrong in [
            &[(64, 1, false), (64, 1, false)][..],
            &[(128, 1, false), (64, 1, false)],
            &[(100, 1, false)],
            &[(64, 1, true)],
            &[(4096, 1, true), (8192, 1, false)],
            &[(0, 1, false)],
            &[(64, 0, false)],
        ] {
            assert_eq!(SlabPlan::of(words(wrong)), None, "{wrong:?}");
        }
        let gap = [
            ClassWord::default(),
            words(&[(64, 1, false)])[0],
            ClassWord::default(),
            ClassWord::default(),
        ];
        assert_eq!(SlabPlan::of(gap), None);
    }
}

//! Blocks for messages that are longer than a slot: a word for each says whose it is.
//!
//! ```text
//! FREE -> OWNED(m) -> BOUND(position) -> FREE        a sender takes it, fills it, binds it to its message; whoever is done with that frees it
//! OWNED(m) -> FREE                                   it gives up, or was reaped
//! BOUND(position) -> BOUND(position of ring 1)       the message moves to the dead letters
//! BOUND(position) -> OWNED(m) -> FREE                the pages of a hole are given back on the way
//! ```
//!
//! **Bound is what counts.** A message in a block is one from the store that binds it on: of a slot in WRITING whose owner
//! died, a reaper makes FILLED if a block is bound to it, and ABORTED if none is. One that was moved, and whose mover died, is
//! where its block is bound; who takes the other finds that and passes it over.
//!
//! **No block is lost.** The slot is given back before its block. So a block that is bound to a position which its slot has
//! left, or at which it was aborted, is nobody's: a reaper frees all of those, whoever bound them, and what the dead owned.
//! Each is a compare-and-swap on the exact word. A position comes once in 2^46, so no word is met twice.
//!
//! There is no list of free blocks, which a death could break: who needs one looks through the words of its class.

use super::Corruption;
use super::block::{BlockState, BlockWord, Place};
use super::mpmc::Ring;
use super::word::{MessageWord, SlotWord, State};
use crate::error::MemberId;
use crate::layout::{BlockLine, CLASSES, Class, MESSAGE_IN_BLOCK, SlabPlan};
use crate::primitive::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::primitive::{ASSERTS, Cells, Hint, Message, passed_rmw, peek};

const _: () = assert!(MessageWord::IN_BLOCK == MESSAGE_IN_BLOCK);

/// The blocks of a segment: borrowed lines and memory.
#[derive(Clone, Copy, Debug)]
pub struct Slab<'a> {
    pub(super) lines: &'a [BlockLine],
    /// From the first block to the end of the last.
    pub(super) memory: Cells<'a, u64>,
    plan: SlabPlan,
    max_message: usize,
}

/// A block that its holder owns, or that is bound to a message which is. There is one of these for each.
#[derive(Debug)]
pub struct Block {
    pub(super) number: u32,
}

/// A message in a block, found by who claimed it.
#[derive(Debug)]
pub struct Long {
    pub(super) block: Block,
    pub(super) place: Place,
    pub(super) len: usize,
}

impl Long {
    /// Bytes in it.
    pub fn len(&self) -> usize {
        self.len
    }
}

/// Why the block of a message is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Astray {
    /// The message was moved elsewhere, by one who died before it could give the slot back.
    Moved,
    /// Shared memory holds what no correct member writes.
    Corrupt(Corruption),
}

/// Where a handle last found free blocks: it costs time if it is wrong.
#[derive(Debug, Default)]
pub struct Found([Hint; CLASSES]);

/// How the blocks of one class were when somebody looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Nobody's.
    pub free: u64,
    /// Being filled, or given back.
    pub owned: u64,
    /// With a message.
    pub bound: u64,
    /// In no state that there is.
    pub corrupt: u64,
    /// Bytes of memory, where blocks are holes.
    pub backed: u64,
}

impl<'a> Slab<'a> {
    /// The slab of `plan` over `lines` and `memory`, for messages of at most `max_message` bytes.
    ///
    /// # Panics
    ///
    /// When they do not fit the plan: geometry was validated before.
    pub fn new(
        plan: SlabPlan,
        lines: &'a [BlockLine],
        memory: Cells<'a, u64>,
        max_message: u64,
    ) -> Self {
        let bytes = (memory.len() * size_of::<u64>()) as u64;
        assert!(lines.len() as u64 == plan.blocks && bytes == plan.len - plan.payload);
        let max_message = usize::try_from(max_message).expect("validated geometry");
        Self { lines, memory, plan, max_message }
    }

    /// The longest message.
    pub fn max_message(&self) -> usize {
        self.max_message
    }

    /// The classes that there are.
    pub fn classes(&self) -> impl Iterator<Item = Class> + use<> {
        self.plan.classes.into_iter().filter(|class| class.count > 0)
    }

    /// The class of block `number`.
    pub fn class_of(&self, number: u32) -> Option<Class> {
        self.classes().find(|class| (class.first..class.first + class.count).contains(&number.into()))
    }

    /// Takes a block for a message of `len` bytes for `member`, if one of its class is free: the shortest that holds it.
    ///
    /// # Panics
    ///
    /// When there is no class for it: lengths are checked before.
    pub fn allocate(&self, member: MemberId, len: usize, found: &Found) -> Option<Block> {
        let fits = |class: &(usize, Class)| class.1.len >= len as u64;
        let (number, class) = self.classes().enumerate().find(fits).expect("lengths are checked");
        let hint = &found.0[number];
        let start = if hint.get() < class.count { hint.get() } else { 0 };
        let owned = BlockWord::owned(member.0);
        for step in 0..class.count {
            let at = (start + step) % class.count;
            let (number, line) = self.numbered(class.first + at);
            // ORDERING(block): pairs with the Release of who freed it: the message was read.
            if line.word.load(Relaxed) == BlockWord::FREE.0
                && line.word.compare_exchange(BlockWord::FREE.0, owned.0, Acquire, Relaxed).is_ok()
            {
                hint.set(at);
                return Some(Block { number });
            }
        }
        None
    }

    #[allow(clippy::cast_possible_truncation, reason = "a plan has fewer blocks than that")]
    fn numbered(&self, number: u64) -> (u32, &'a BlockLine) {
        (number as u32, &self.lines[number as usize])
    }

    fn line(&self, block: &Block) -> &'a BlockLine {
        &self.lines[block.number as usize]
    }

    /// Makes a block that its holder filled that of the message at `place`: the message exists from here on.
    pub(super) fn bind(&self, block: &Block, place: Place, member: MemberId) {
        let line = self.line(block);
        self.assert_word(line, BlockWord::owned(member.0));
        // ORDERING(bound): pairs with the Acquire of a reaper: descriptor and message are written, the slot is stamped.
        line.word.store(BlockWord::bound(place, member.0).0, Release);
    }

    /// Makes the block of a message that of its copy at `place`. False if it is not there any more.
    pub(super) fn rebind(&self, long: &Long, place: Place, member: MemberId) -> bool {
        let word = &self.line(&long.block).word;
        // ORDERING(bound): as in `bind`. Acquire: it is as it was bound.
        let seen = BlockWord(word.load(Acquire));
        let moved = BlockWord::bound(place, member.0).0;
        seen.place() == Some(long.place)
            && word.compare_exchange(seen.0, moved, SeqCst, Relaxed).is_ok()
    }

    /// Gives back a block that its holder owns. The caller then asks whether producers wait.
    pub fn free(&self, block: Block, member: MemberId) {
        self.swap(block.number, BlockWord::owned(member.0), BlockWord::FREE);
    }

    /// Gives back the block of a message whose slot was given back. The caller then asks whether producers wait.
    ///
    /// Whoever reaped meanwhile may have done so, and it may be another's by now.
    pub fn release(&self, long: Long) {
        let seen = BlockWord(self.line(&long.block).word.load(Relaxed));
        if seen.place() == Some(long.place) {
            self.swap(long.block.number, seen, BlockWord::FREE);
        }
    }

    /// The block of a message whose slot was given back, for `member` to own; nothing if it was reaped.
    pub fn reclaim(&self, long: Long, member: MemberId) -> Option<Block> {
        let seen = BlockWord(self.line(&long.block).word.load(Relaxed));
        let owned = BlockWord::owned(member.0);
        let mine = seen.place() == Some(long.place) && self.swap(long.block.number, seen, owned);
        mine.then_some(long.block)
    }

    /// Block `number`, for `member` to own, if it is free.
    pub fn take_free(&self, number: u32, member: MemberId) -> Option<Block> {
        let owned = BlockWord::owned(member.0);
        self.swap(number, BlockWord::FREE, owned).then_some(Block { number })
    }

    fn swap(&self, number: u32, from: BlockWord, to: BlockWord) -> bool {
        let word = &self.lines[number as usize].word;
        // ORDERING(block): pairs with the Acquire in `allocate`. ORDERING(claims): in one order with waiters.
        let done = word.compare_exchange(from.0, to.0, SeqCst, Relaxed).is_ok();
        passed_rmw();
        done
    }

    /// Whose block the message is, which a descriptor says is in `number` and `len` long.
    pub(super) fn find(&self, place: Place, number: u64, len: u32) -> Result<Long, Astray> {
        let number = u32::try_from(number).ok().filter(|&n| u64::from(n) < self.plan.blocks);
        let number = number.ok_or(Astray::Corrupt(Corruption::Block))?;
        let class = self.class_of(number).ok_or(Astray::Corrupt(Corruption::Block))?;
        if u64::from(len) > class.len || len as usize > self.max_message {
            return Err(Astray::Corrupt(Corruption::Length));
        }
        let block = Block { number };
        // Relaxed: it was bound before the slot became what the claim was made of.
        let word = BlockWord(self.line(&block).word.load(Relaxed));
        if word.place() != Some(place) {
            return Err(Astray::Moved);
        }
        Ok(Long { block, place, len: len as usize })
    }

    /// Whether a block is bound to the message at `place`.
    pub(super) fn is_bound(&self, place: Place) -> bool {
        // ORDERING(bound): pairs with the Release in `bind`.
        self.lines.iter().any(|line| BlockWord(line.word.load(Acquire)).place() == Some(place))
    }

    /// Frees what `dead` owned, and what is bound to messages that are gone. After all slots of `rings`, which are all
    /// that there are.
    pub fn reap<M: Message + ?Sized>(&self, rings: &[Ring<'_, M>], dead: MemberId) {
        for line in self.lines {
            // ORDERING(bound): the slot was stamped before.
            let word = BlockWord(line.word.load(Acquire));
            let gone = match (word.state(), word.place()) {
                (Some(BlockState::Owned), _) => word.member() == dead.0,
                (_, Some(place)) => !has_message(rings, place),
                _ => false,
            };
            if gone {
                // ORDERING(block): as in `swap`. It fails if its holder, or another reaper, was first.
                let _ = line.word.compare_exchange(word.0, BlockWord::FREE.0, SeqCst, Relaxed);
            }
        }
    }

    /// How the blocks of `class` are.
    pub fn usage(&self, class: &Class) -> Usage {
        let mut usage = Usage::default();
        for number in class.first..class.first + class.count {
            let line = self.numbered(number).1;
            *match BlockWord(line.word.load(Relaxed)).state() {
                Some(BlockState::Free) => &mut usage.free,
                Some(BlockState::Owned) => &mut usage.owned,
                Some(BlockState::Bound) => &mut usage.bound,
                None => &mut usage.corrupt,
            } += 1;
            usage.backed = usage.backed.saturating_add(line.backed.load(Relaxed));
        }
        usage
    }

    /// Whether a block for messages of `len` bytes was free when it looked.
    pub fn has_free(&self, len: usize) -> bool {
        let class = self.classes().find(|class| class.len >= len as u64);
        class.is_some_and(|class| {
            (class.first..class.first + class.count)
                .any(|number| self.numbered(number).1.word.load(Relaxed) == BlockWord::FREE.0)
        })
    }

    fn assert_word(&self, line: &BlockLine, expected: BlockWord) {
        if ASSERTS {
            assert_eq!(BlockWord(peek(&line.word)), expected, "{:?}", self.plan);
        }
    }
}

/// Whether there is, or may be, a message at `place`.
fn has_message<M: Message + ?Sized>(rings: &[Ring<'_, M>], place: Place) -> bool {
    let Some(ring) = rings.get(usize::from(place.ring)) else { return false };
    let index = place.tag & (ring.capacity() - 1);
    // ORDERING(vacant), ORDERING(stamp): what its reader did before it gave the slot back is done.
    let slot = SlotWord(ring.word(index).load(Acquire));
    let there = matches!(
        slot.state(),
        Some(State::Writing | State::Filled | State::Reading | State::Redeliver)
    );
    there && Place::of_slot(place.ring, ring.geometry, index, slot) == place
}

mod memory;
#[cfg(test)]
mod tests;

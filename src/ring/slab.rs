//! Blocks for messages that are longer than a slot: a word for each says whose it is.
//!
//! ```text
//! FREE -> OWNED(m) -> BOUND(position) -> FREE     a sender takes it, fills it, binds it to its message; who is done with that frees it
//! OWNED(m) -> FREE                                it gives up, or was reaped
//! BOUND(position) -> BOUND(position of ring 1)    the message moves to the dead letters
//! BOUND(position) -> OWNED(m) -> FREE             the pages of a hole are given back on the way
//! ```
//!
//! **Bound is what counts.** A message in a block is one from the store that binds it on: of a slot in WRITING whose owner
//! died, a reaper makes FILLED if a block is bound to it, and ABORTED if none is. One that was moved, and whose mover died, is
//! where its block is bound; who takes what stayed behind finds that and passes it over.
//!
//! **No block is lost.** The slot is given back before its block. So a block that is bound to a position which its slot has
//! left, or at which it was aborted, is nobody's: a reaper frees all of those, whoever bound them, and what the dead owned.
//! Each is a compare-and-swap on the exact word. A position comes once in 2^46 claims, so no word is met twice.
//!
//! There is no list of free blocks, which a death could break: who needs one looks through the words of its class.
#![allow(clippy::needless_pass_by_value, reason = "who passes a block has used it up")]

mod memory;
mod reap;

use std::fmt;

use super::Corruption;
use super::block::{BlockState, BlockWord, Place};
use super::mpmc::Ring;
use super::word::{MessageWord, SlotWord, State};
use crate::error::MemberId;
use crate::layout::{BlockLine, CLASSES, Class, MESSAGE_IN_BLOCK, SlabPlan};
use crate::primitive::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::primitive::{ASSERTS, Cells, ContestedU64, Hint, Message, passed_rmw, peek};

const _: () = assert!(MessageWord::IN_BLOCK == MESSAGE_IN_BLOCK);

/// Gets and gives back the memory of holes. Rings know no files.
pub trait Pager: fmt::Debug + Send + Sync {
    /// Has memory for `len` bytes from `from`, counted from the start of the slab. False if it is refused.
    fn back(&self, from: u64, len: u64) -> bool;
    /// Gives back what memory there is in `len` bytes from `from`.
    fn punch(&self, from: u64, len: u64);
}

/// The blocks of a segment: borrowed lines and memory.
#[derive(Clone, Copy, Debug)]
pub struct Slab<'a> {
    lines: &'a [BlockLine],
    /// From the first block to the end of the last.
    memory: Cells<'a, u64>,
    plan: SlabPlan,
    max_message: usize,
    pager: &'a dyn Pager,
}

/// A block that its holder owns, or that is bound to a message which is. There is one of these for each.
#[derive(Debug)]
pub struct Block {
    pub(super) number: u32,
}

/// Why no message is to be had of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Astray {
    /// It was moved elsewhere, by one who died before it could give the slot back.
    Moved,
    /// Shared memory holds what no correct member writes.
    Corrupt(Corruption),
}

impl From<Corruption> for Astray {
    fn from(what: Corruption) -> Self {
        Astray::Corrupt(what)
    }
}

/// Where a handle last found free blocks: it costs time if it is wrong.
#[derive(Debug, Default)]
pub struct Found([Hint; CLASSES]);

/// So many blocks before the one that it took last a handle looks at first.
const BEFORE: u64 = 2;

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
    /// When they do not fit the plan: geometry was validated before. On the heap there may be less behind the last block.
    pub fn new(
        (plan, max_message): (SlabPlan, u64),
        lines: &'a [BlockLine],
        memory: Cells<'a, u64>,
        pager: &'a dyn Pager,
    ) -> Self {
        let bytes = (memory.len() * size_of::<u64>()) as u64;
        assert!(lines.len() as u64 == plan.blocks && bytes <= plan.len - plan.payload);
        let max_message = usize::try_from(max_message).expect("validated geometry");
        Self { lines, memory, plan, max_message, pager }
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
    fn class_of(&self, number: u32) -> Option<Class> {
        let number = u64::from(number);
        self.classes().find(|class| (class.first..class.first + class.count).contains(&number))
    }

    #[allow(clippy::cast_possible_truncation, reason = "a plan has fewer blocks than that")]
    fn numbered(&self, number: u64) -> (u32, &'a BlockLine) {
        (number as u32, &self.lines[number as usize])
    }

    fn line(&self, block: &Block) -> &'a BlockLine {
        &self.lines[block.number as usize]
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
        // From some before the last one on: what was given back meanwhile is in some cache yet, what was never used is not.
        let last = if hint.get() < class.count { hint.get() } else { 0 };
        let start = last.saturating_sub(BEFORE);
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

    /// Makes a block that its holder filled that of the message at `place`: the message exists from here on.
    pub(super) fn bind(&self, block: &Block, place: Place, member: MemberId) {
        let line = self.line(block);
        self.assert_owned(line, member);
        // ORDERING(bound): pairs with the Acquire of a reaper: descriptor and message are written, the slot is stamped.
        line.word.store(BlockWord::bound(place, member.0).0, Release);
    }

    /// Makes the block of the message at `from` that of its copy at `to`. False if it is not there any more.
    pub(super) fn rebind(
        &self,
        block: &Block,
        (from, to): (Place, Place),
        member: MemberId,
    ) -> bool {
        let word = &self.line(block).word;
        let seen = BlockWord(word.load(Relaxed));
        let moved = BlockWord::bound(to, member.0).0;
        // ORDERING(bound): as in `bind`.
        seen.place() == Some(from) && word.compare_exchange(seen.0, moved, Release, Relaxed).is_ok()
    }

    /// Gives back a block that its holder owns. The caller then asks whether producers wait.
    pub fn free(&self, block: Block, member: MemberId) {
        self.swap(block.number, BlockWord::owned(member.0), BlockWord::FREE);
    }

    /// Gives back the block of the message at `place`, the slot of which was given back. The caller then asks whether producers
    /// wait.
    ///
    /// Whoever reaped meanwhile may have done so, and it may be another's by now.
    pub fn release(&self, block: Block, place: Place, member: MemberId) {
        let seen = BlockWord(self.line(&block).word.load(Relaxed));
        if seen.place() != Some(place) {
            return;
        }
        if !self.is_wasteful(&block) {
            self.swap(block.number, seen, BlockWord::FREE);
        } else if self.swap(block.number, seen, BlockWord::owned(member.0)) {
            self.punch(&block);
            self.free(block, member);
        }
    }

    /// Gives back the memory of holes that nobody uses. Says how many bytes.
    pub fn trim(&self, member: MemberId) -> u64 {
        let mut trimmed = 0;
        let sparse = self.classes().filter(|class| class.sparse);
        for number in sparse.flat_map(|class| class.first..class.first + class.count) {
            let block = Block { number: self.numbered(number).0 };
            let free = || self.line(&block).word.load(Relaxed) == BlockWord::FREE.0;
            if self.is_wasteful(&block)
                && free()
                && self.swap(block.number, BlockWord::FREE, BlockWord::owned(member.0))
            {
                trimmed = self.punch(&block).saturating_add(trimmed);
                self.free(block, member);
            }
        }
        trimmed
    }

    fn swap(&self, number: u32, from: BlockWord, to: BlockWord) -> bool {
        let word = &self.lines[number as usize].word;
        // ORDERING(block): pairs with the Acquire in `allocate`. ORDERING(claims): in one order with waiters.
        let done = word.compare_exchange(from.0, to.0, SeqCst, Relaxed).is_ok();
        passed_rmw();
        done
    }

    /// The block of the message at `place`, of which its slot says that it is in `number` and `len` long.
    pub(super) fn find(&self, place: Place, number: u64, len: u32) -> Result<Block, Astray> {
        let number = u32::try_from(number).map_err(|_| Corruption::Block)?;
        let class = self.class_of(number).ok_or(Corruption::Block)?;
        if u64::from(len) > class.len || len as usize > self.max_message {
            return Err(Corruption::Length.into());
        }
        let block = Block { number };
        // Relaxed: it was bound before the slot became what the claim was made of.
        let word = BlockWord(self.line(&block).word.load(Relaxed));
        if word.place() == Some(place) { Ok(block) } else { Err(Astray::Moved) }
    }

    /// A member other than `me` that had a block for messages of `len` bytes when it looked: its owner, or who is reading its
    /// message in `ring`, the first.
    pub fn a_holder<M: Message + ?Sized>(
        &self,
        ring: &Ring<'_, M>,
        me: MemberId,
        len: usize,
    ) -> Option<MemberId> {
        let class = self.classes().find(|class| class.len >= len as u64)?;
        let words = (class.first..class.first + class.count)
            .map(|number| BlockWord(self.numbered(number).1.word.load(Relaxed)));
        let holder = |word: BlockWord| match (word.state(), word.place()) {
            (Some(BlockState::Owned), _) => Some(MemberId(word.member())),
            (_, Some(place)) => slot_of(std::slice::from_ref(ring), place)
                .filter(|(_, slot)| slot.state() == Some(State::Reading))
                .map(|(_, slot)| MemberId(slot.member())),
            _ => None,
        };
        words.filter_map(holder).find(|holder| *holder != me)
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

    fn assert_owned(&self, line: &BlockLine, member: MemberId) {
        if ASSERTS {
            assert_eq!(peek(&line.word), BlockWord::owned(member.0).0, "{:?}", self.plan);
        }
    }
}

/// The slot at `place` and its word, if it has come there and not left.
fn slot_of<'r, M: Message + ?Sized>(
    rings: &'r [Ring<'_, M>],
    place: Place,
) -> Option<(&'r ContestedU64, SlotWord)> {
    let ring = rings.get(usize::from(place.ring))?;
    let index = place.tag & (ring.capacity() - 1);
    let word = ring.word(index);
    // ORDERING(vacant), ORDERING(stamp): what its reader did before it gave the slot back is done.
    let slot = SlotWord(word.load(Acquire));
    (Place::of_slot(place.ring, ring.geometry, index, slot) == place).then_some((word, slot))
}

#[cfg(test)]
mod tests;

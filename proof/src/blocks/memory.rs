//! One shared access after another, and the rules about what each may do.

use super::config::Config;
use super::state::{Block, Claim, Fate, State};
use crate::block::{BlockState, BlockWord, Place};
use crate::frame::{self, small};
use crate::word::{SlotWord, State as Slot};

/// A state while a thread makes a step in it.
pub type Memory<'c> = frame::Memory<'c, Config, State>;

impl Memory<'_> {
    /// Its own number.
    pub fn number(&self) -> u16 {
        small(self.me).into()
    }

    /// OWNED by this thread.
    pub fn mine(&self) -> BlockWord {
        BlockWord::owned(self.number())
    }

    /// A block.
    pub fn block(&mut self, number: u8) -> &mut Block {
        &mut self.state.shared.blocks[usize::from(number)]
    }

    /// Compare-and-swaps the word of a block.
    pub fn swap_block(&mut self, number: u8, from: BlockWord, to: BlockWord) -> bool {
        let won = self.block(number).word == from.0;
        if won {
            self.block(number).word = to.0;
        }
        won
    }

    /// The slot of a position, by ring and index.
    pub fn index(&self, position: u8) -> usize {
        self.config.geometry().index(position.into())
    }

    /// The word of the slot of `position`.
    pub fn slot(&self, ring: u8, position: u8) -> SlotWord {
        self.state.shared.rings[usize::from(ring)].slot(self.index(position))
    }

    /// Stores the word of a slot that is this thread's.
    pub fn store_slot(&mut self, claim: Claim, state: Slot, to: SlotWord) {
        let found = self.slot(claim.ring, claim.position);
        let mine = found.state() == Some(state) && found.member() == self.number();
        let current = self.config.geometry().is_current(found, claim.position.into());
        self.rule(mine && current, "a slot was changed by one whose it is not");
        let index = self.index(claim.position);
        self.state.shared.rings[usize::from(claim.ring)].slots[index] = to.0;
    }

    /// The word of the slot at `place`, if it is there.
    pub fn slot_at(&self, place: Place) -> Option<SlotWord> {
        let ring = &self.state.shared.rings[usize::from(place.ring)];
        let geometry = self.config.geometry();
        let index = geometry.index(place.tag);
        let slot = ring.slot(index);
        (Place::of_slot(place.ring, geometry, index as u64, slot) == place).then_some(slot)
    }

    /// Writes one half of `message` to a block.
    pub fn write(&mut self, number: u8, half: usize, message: u8) {
        let (mine, sparse) = (self.mine(), self.config.sparse);
        let block = self.block(number);
        block.halves[half] = message;
        let (owned, backed) = (block.word() == mine, block.held || !sparse);
        self.rule(owned, "a block was written by one whose it is not (B2)");
        self.rule(backed, "a block was written that has no memory");
    }

    /// Reads one half of the message of `claim`.
    pub fn read(&mut self, claim: Claim, half: usize) {
        let place = claim.place();
        let block = *self.block(claim.block);
        self.rule(
            block.word().place() == Some(place),
            "a block was read by one whose it is not (B2)",
        );
        let fate = Fate::At(claim.ring, claim.position);
        let of = self.state.shared.fates.iter().position(|known| *known == fate);
        let whole = of.is_some_and(|message| usize::from(block.halves[half]) == message);
        self.rule(whole, "a message was not the one of its position, or torn");
    }

    /// The message `number` is at the place of `claim` now.
    pub fn belongs(&mut self, number: usize, claim: Claim) {
        self.state.shared.fates[number] = Fate::At(claim.ring, claim.position);
    }

    /// The message at `position` of `ring`, if there is one.
    pub fn message_at(&self, ring: u8, position: u8) -> Option<usize> {
        self.state.shared.fates.iter().position(|fate| *fate == Fate::At(ring, position))
    }

    /// The message at `position` of `ring` is done with: whoever sent it, nobody sees it again.
    pub fn is_done(&mut self, ring: u8, position: u8) {
        if let Some(message) = self.message_at(ring, position) {
            self.state.shared.fates[message] = Fate::Done;
        }
    }

    /// A hole has memory that it does not need once it is free.
    pub fn is_wasteful(&self, number: u8) -> bool {
        self.config.sparse && self.state.shared.blocks[usize::from(number)].noted
    }

    /// Whether nothing in memory names `member` any more.
    pub fn is_forgotten(&self, member: u16) -> bool {
        let shared = &self.state.shared;
        let blocks = &shared.blocks[..self.config.blocks];
        let owned = |block: &Block| {
            block.word().state() == Some(BlockState::Owned) && block.word().member() == member
        };
        let claimed = |slot: &u64| {
            let slot = SlotWord(*slot);
            matches!(slot.state(), Some(Slot::Writing | Slot::Reading)) && slot.member() == member
        };
        let slots = |ring: &super::state::Ring| ring.slots[..self.config.slots].iter().any(claimed);
        !blocks.iter().any(owned) && !shared.rings.iter().any(slots)
    }
}

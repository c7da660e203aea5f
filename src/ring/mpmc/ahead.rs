//! Fetching slots before they are needed.
//!
//! Each claim is a locked operation, which waits until all stores before it are done: so without help the lines of one
//! message only are on their way at a time, and each costs the way from the other processor. A side that uses one slot
//! after the other, with nobody between, has the lines of a later one fetched meanwhile: as far ahead as the slots are
//! its own to touch, because to fetch a line to write takes it away from whoever works on it. That is what it saw when
//! it last looked at the other cursor, which it does seldom.
//!
//! All of this is hints: it changes when lines move, never what is read or written.

use super::super::word::CursorWord;
use super::Ring;
use crate::primitive::Hint;
use crate::primitive::Message;
use crate::primitive::Ordering::Relaxed;

/// What a handle knows of the slots before it.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Where those end that are its own to touch.
    limit: Hint,
    /// The position from which on it asks anew where that is.
    ask_at: Hint,
}

/// Most slots between two looks at the other cursor: a look takes its line from those who move it.
const LOOK_EVERY: u64 = 64;

impl<M: Message + ?Sized> Ring<'_, M> {
    /// After a slot was claimed to be filled, by a handle that also claimed the one before it.
    #[inline(always)]
    pub(super) fn fetch_to_fill(&self, ahead: &Ahead, position: u64) {
        self.fetch(ahead, position, Self::end_of_vacant);
    }

    /// After a slot was claimed to be taken, by a handle that also claimed the one before it.
    #[inline(always)]
    pub(super) fn fetch_to_take(&self, ahead: &Ahead, position: u64) {
        self.fetch(ahead, position, Self::end_of_filled);
    }

    /// After 2^52 messages limits are wrong, and lines are fetched that are not needed.
    #[inline(always)]
    fn fetch(&self, ahead: &Ahead, position: u64, limit: fn(&Self) -> u64) {
        if position & (self.slots.per_line() - 1) != 0 {
            return;
        }
        let later = position + self.slots.ahead();
        if later < ahead.limit.get() {
            self.slots.prefetch(self.geometry.index(later));
        } else if position >= ahead.ask_at.get() {
            self.ask(ahead, position, limit);
        }
    }

    #[cold]
    fn ask(&self, ahead: &Ahead, position: u64, limit: fn(&Self) -> u64) {
        ahead.limit.set(limit(self));
        ahead.ask_at.set(position + LOOK_EVERY.min(self.capacity() / 8));
    }

    fn end_of_vacant(&self) -> u64 {
        CursorWord(self.header.head.head.load(Relaxed)).position() + self.capacity()
    }

    fn end_of_filled(&self) -> u64 {
        CursorWord(self.header.tail.tail.load(Relaxed)).position()
    }
}

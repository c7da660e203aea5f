//! The word of a block: who may touch it. Pure.

use super::word::{Geometry, SlotWord};

/// What a block is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockState {
    /// Nobody's.
    Free,
    /// Of the member that fills it, or gives it back.
    Owned,
    /// Of the message at a position of a ring: whoever may touch that slot may touch it.
    Bound,
}

const STATE_MASK: u64 = 0b111;
const MEMBER_SHIFT: u32 = 3;
const MEMBER_MASK: u64 = (1 << 11) - 1;
const RING_SHIFT: u32 = 14;
const ZERO_MASK: u64 = 0b111 << (RING_SHIFT + 1);
const TAG_SHIFT: u32 = 18;

/// The bits of a position that a block's word has: as many as are told by any slot's word and number.
pub const TAG_MASK: u64 = (1 << 46) - 1;

/// A block's word: `[position:46 | zero:3 | ring:1 | member:11 | state:3]`. A free block's is zero.
///
/// `position` and `ring` say whose message it is, in BOUND; `member` who made it so, for people, and in OWNED whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockWord(pub u64);

impl BlockWord {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 5] = [
        ("position", !0 << TAG_SHIFT),
        ("zero", ZERO_MASK),
        ("ring", 1 << RING_SHIFT),
        ("member", MEMBER_MASK << MEMBER_SHIFT),
        ("state", STATE_MASK),
    ];

    /// Nobody's.
    pub const FREE: Self = Self(0);

    /// Of `member`.
    #[must_use]
    pub fn owned(member: u16) -> Self {
        Self(u64::from(member) << MEMBER_SHIFT | 1)
    }

    /// Of the message at `place`, bound by `member`.
    #[must_use]
    pub fn bound(place: Place, member: u16) -> Self {
        Self(place.bits() | u64::from(member) << MEMBER_SHIFT | 2)
    }

    /// Its state, if any correct member writes such a word.
    pub fn state(self) -> Option<BlockState> {
        match self.0 & STATE_MASK {
            0 if self.0 == 0 => Some(BlockState::Free),
            1 if self.0 >> RING_SHIFT == 0 => Some(BlockState::Owned),
            2 if self.0 & ZERO_MASK == 0 => Some(BlockState::Bound),
            _ => None,
        }
    }

    /// Whose it is, or who bound it.
    #[allow(clippy::cast_possible_truncation, reason = "masked to eleven bits")]
    pub fn member(self) -> u16 {
        (self.0 >> MEMBER_SHIFT & MEMBER_MASK) as u16
    }

    /// Whose message it holds, if it is bound to one.
    pub fn place(self) -> Option<Place> {
        (self.state() == Some(BlockState::Bound))
            .then_some(Place { ring: self.0 >> RING_SHIFT & 1 != 0, tag: self.0 >> TAG_SHIFT })
    }
}

/// A position of one of the two rings that a queue can have, as far as a block's word tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whether it is the second.
    pub ring: bool,
    /// The position.
    pub tag: u64,
}

impl Place {
    /// That of `position`.
    pub fn new(ring: bool, position: u64) -> Self {
        Self { ring, tag: position & TAG_MASK }
    }

    /// That of the slot at `index`, whose word is `word`.
    pub fn of_slot(ring: bool, geometry: Geometry, index: u64, word: SlotWord) -> Self {
        Self::new(ring, geometry.position(index, word))
    }

    fn bits(self) -> u64 {
        self.tag << TAG_SHIFT | u64::from(self.ring) << RING_SHIFT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_what_it_was_made_of() {
        assert_eq!(BlockWord::FREE.state(), Some(BlockState::Free));
        for member in [0, 1, 511, 2047] {
            let owned = BlockWord::owned(member);
            assert_eq!((owned.state(), owned.member()), (Some(BlockState::Owned), member));
            assert_eq!(owned.place(), None);
            for (ring, position) in [(false, 0), (true, 7), (true, TAG_MASK), (false, 1 << 51)] {
                let place = Place::new(ring, position);
                let bound = BlockWord::bound(place, member);
                assert_eq!((bound.state(), bound.member()), (Some(BlockState::Bound), member));
                assert_eq!(bound.place(), Some(place));
            }
        }
        for wrong in [3, 4, 7, 8, 1 << 14 | 1, 1 << 15 | 2] {
            assert_eq!(BlockWord(wrong).state(), None);
        }
    }

    #[test]
    fn a_slot_tells_its_position_as_far_as_a_block_does() {
        for slots in [1, 2, 8, 64, 1 << 20] {
            let geometry = Geometry::new(slots);
            for position in [0, 1, 77, (1 << 46) - 1, 1 << 46, (1 << 52) - 1] {
                let word = geometry.reading(position, 5).put_back();
                let index = geometry.index(position) as u64;
                assert_eq!(
                    Place::of_slot(true, geometry, index, word),
                    Place::new(true, position),
                    "{slots} {position:x}"
                );
            }
        }
    }
}

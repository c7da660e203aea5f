//! Position and index arithmetic: pure, and tested exhaustively for small rings.
//!
//! A *position* counts slots since the ring was made. SPSC positions are `u64` and never wrap (at a
//! thousand million slots a second that takes 500 years); bit 63 stays free for flags. Only
//! [`Capacity::index`] narrows a position to an index.

use crate::error::MemberId;

/// A ring's number of slots: a power of two, held privately and never read back from shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    slots: u64,
    mask: u64,
}

impl Capacity {
    /// The capacity that holds `slots`, which must be a power of two.
    ///
    /// # Panics
    ///
    /// When it is not: geometry was validated before.
    pub fn new(slots: usize) -> Self {
        assert!(slots.is_power_of_two(), "capacity {slots} is not a power of two");
        Self { slots: slots as u64, mask: slots as u64 - 1 }
    }

    /// How many slots.
    #[inline(always)]
    pub fn slots(self) -> u64 {
        self.slots
    }

    /// Where the slot of `position` lies.
    #[inline(always)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the mask makes it smaller than a usize capacity"
    )]
    pub fn index(self, position: u64) -> usize {
        (position & self.mask) as usize
    }

    /// Slots from `position` to the end of the memory.
    #[inline(always)]
    pub fn run(self, position: u64) -> u64 {
        self.slots - (position & self.mask)
    }

    /// Slots in `head..tail`, or `None` when no correct pair of members writes such cursors.
    #[inline(always)]
    pub fn filled(self, head: u64, tail: u64) -> Option<u64> {
        let filled = tail.wrapping_sub(head);
        (filled <= self.slots && tail >> 63 == 0).then_some(filled)
    }
}

/// An end of a channel and who owns it: `[died:1 | incarnation:51 | member + 1:12]`.
///
/// The owner part is zero while nobody owns the end; the incarnation counts owners and never goes back, so
/// one word tells "nobody came yet" from "everybody left", and a late compare-and-swap on an old word fails. The first
/// bit says that the last owner died, or left what one who died had in hand: what comes first at that end may have been
/// seen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndWord(u64);

const OWNER_BITS: u32 = 12;
const OWNER_MASK: u64 = (1 << OWNER_BITS) - 1;
const DIED: u64 = 1 << 63;

impl EndWord {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 3] =
        [("died", DIED), ("incarnation", !(DIED | OWNER_MASK)), ("owner", OWNER_MASK)];

    /// The word as it is in memory.
    #[inline(always)]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The word as it goes to memory.
    #[inline(always)]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Who owns the end now.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "masked to twelve bits")]
    pub fn owner(self) -> Option<MemberId> {
        ((self.0 & OWNER_MASK) as u16).checked_sub(1).map(MemberId)
    }

    /// Whether somebody owns the end.
    #[inline(always)]
    pub fn is_owned(self) -> bool {
        self.0 & OWNER_MASK != 0
    }

    /// Whether somebody owned the end and nobody does now.
    #[inline(always)]
    pub fn is_deserted(self) -> bool {
        self.0 & OWNER_MASK == 0 && self.0 != 0
    }

    /// The word after `member` took the vacant end.
    #[must_use]
    pub fn taken_by(self, member: MemberId) -> Self {
        let incarnation = ((self.0 & !DIED) >> OWNER_BITS) + 1;
        Self(incarnation << OWNER_BITS | (u64::from(member.0) + 1))
    }

    /// The word after the owner left; after its death, if `died`.
    #[must_use]
    pub fn vacated(self, died: bool) -> Self {
        Self(self.0 & !OWNER_MASK | if died { DIED } else { 0 })
    }

    /// Whether the end is vacant because its owner died.
    pub fn is_of_the_dead(self) -> bool {
        self.0 & DIED != 0
    }
}

/// The last record that a producer sent in pieces: `[position:63 | begun:1]`.
///
/// Before its first piece is published the word says where that begins, before its last piece where that ends. So with
/// the tail it says whether a record is unfinished, whatever was published when the word was last written. Zero: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutgoingWord(u64);

const BEGUN: u64 = 1;

impl OutgoingWord {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 2] = [("position", !BEGUN), ("begun", BEGUN)];

    /// The word as it is in memory.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The word as it goes to memory.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Of a record whose first piece is published at `tail`.
    pub fn begun_at(tail: u64) -> Self {
        Self(tail << 1 | BEGUN)
    }

    /// Of a record that is over when the tail is `tail`.
    pub fn ended_at(tail: u64) -> Self {
        Self(tail << 1)
    }

    /// Whether it says where a record begins.
    pub fn is_begun(self) -> bool {
        self.0 & BEGUN != 0
    }

    /// Whether at `tail` a record has begun and is not over.
    pub fn is_unfinished(self, tail: u64) -> bool {
        let position = self.0 >> 1;
        if self.is_begun() { tail > position } else { tail < position }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_and_run_cover_the_ring_for_every_small_capacity() {
        for capacity in [1u64, 2, 4, 8, 16] {
            let ring = Capacity::new(usize::try_from(capacity).unwrap());
            for start in [0, 1, capacity - 1, capacity, (1 << 63) - 2 * capacity - 1] {
                for position in start..start + 2 * capacity {
                    let index = ring.index(position) as u64;
                    assert_eq!(index, position % capacity);
                    assert_eq!(index + ring.run(position), capacity);
                }
            }
        }
    }

    #[test]
    fn filled_accepts_exactly_the_cursors_that_a_ring_can_have() {
        for capacity in [1u64, 2, 4, 8] {
            let ring = Capacity::new(usize::try_from(capacity).unwrap());
            for base in [0u64, 1, 7, (1 << 62) - 3, (1 << 63) - 6, u64::MAX - 12] {
                for head in base..base + 12 {
                    for tail in base..base + 12 {
                        let legal = tail >= head && tail - head <= capacity && tail < 1 << 63;
                        assert_eq!(ring.filled(head, tail), legal.then(|| tail - head));
                    }
                }
            }
        }
    }

    #[test]
    fn an_outgoing_word_tells_an_unfinished_record_at_each_tail() {
        assert!(!OutgoingWord::default().is_unfinished(0) && !OutgoingWord::default().is_begun());
        for start in [0, 1, 7, (1 << 63) - 9] {
            let (begun, ended) = (OutgoingWord::begun_at(start), OutgoingWord::ended_at(start + 5));
            assert!(begun.is_begun() && !ended.is_begun());
            assert!(!begun.is_unfinished(start), "nothing was published");
            for tail in start + 1..start + 5 {
                assert!(begun.is_unfinished(tail) && ended.is_unfinished(tail));
            }
            assert!(!ended.is_unfinished(start + 5) && !ended.is_unfinished(start + 6));
            assert_eq!(OutgoingWord::from_bits(begun.bits()), begun);
        }
    }

    #[test]
    #[should_panic(expected = "not a power of two")]
    fn capacity_refuses_what_a_mask_cannot_serve() {
        Capacity::new(6);
    }

    #[test]
    fn an_end_word_tells_never_owned_from_owned_from_deserted() {
        for member in (0..512).map(MemberId) {
            let fresh = EndWord::default();
            assert_eq!((fresh.owner(), fresh.is_deserted()), (None, false));
            let taken = fresh.taken_by(member);
            assert_eq!((taken.owner(), taken.is_deserted()), (Some(member), false));
            for died in [false, true] {
                let left = taken.vacated(died);
                assert_eq!((left.owner(), left.is_deserted()), (None, true));
                assert_eq!((left.is_of_the_dead(), left.is_owned()), (died, false));
                let next = left.taken_by(member);
                assert_ne!(next, taken, "a new owner is a new word");
                assert_eq!((next.owner(), next.is_of_the_dead()), (Some(member), false));
            }
        }
    }
}

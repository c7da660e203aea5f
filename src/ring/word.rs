//! The words of a ring between many: cursors, slot words, the redelivery word. Pure, and compiled a second
//! time into the explicit-state model in `proof/`, so that model and code agree on every bit.
//!
//! A *position* is a count of claims modulo 2^52. With capacity 2^k its slot is `position mod 2^k` and its
//! *lap* the bits above, `position >> k`, of which a slot word keeps 46. Both wrap: positions are compared
//! for equality, or by [`Geometry::ahead`], never by size.

/// A ring's geometry as far as words are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Slots, less one.
    mask: u64,
    /// Binary logarithm of the number of slots.
    shift: u32,
    /// The bits of a lap that there are, where a slot word has them.
    laps: u64,
}

/// Bits of a position.
pub const POSITION_BITS: u32 = 52;
/// Positions run from zero up to here and begin again.
pub const POSITION_MASK: u64 = (1 << POSITION_BITS) - 1;

const CURSOR_SHIFT: u32 = 12;
const MEMBER_MASK: u64 = (1 << 11) - 1;
const CLOSED: u64 = 1 << 11;

const STATE_MASK: u64 = 0b111;
const MEMBER_SHIFT: u32 = 3;
const TRIES_SHIFT: u32 = 14;
const TRIES_MASK: u64 = 0b1111;
const LAP_SHIFT: u32 = 18;

const PENDING: u64 = 1;

const LENGTH_MASK: u64 = (1 << 32) - 1;

/// What a slot is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// To be filled.
    Vacant,
    /// Claimed by the member that fills it.
    Writing,
    /// Holds a message that was committed.
    Filled,
    /// Was claimed, and there will be no message.
    Aborted,
    /// Claimed by the member that reads it.
    Reading,
    /// Holds a message that was claimed before, for whoever comes next.
    Redeliver,
}

impl State {
    const ALL: [State; 6] = [
        State::Vacant,
        State::Writing,
        State::Filled,
        State::Aborted,
        State::Reading,
        State::Redeliver,
    ];
}

/// A slot's word: `[lap:46 | tries:4 | member:11 | state:3]`.
///
/// `member` is whose claim it is, in WRITING and READING; `tries` counts deliveries that came to nothing, in
/// READING and REDELIVER. Elsewhere both are zero, so that each expected word is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotWord(pub u64);

impl SlotWord {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 4] = [
        ("lap", !0 << LAP_SHIFT),
        ("tries", TRIES_MASK << TRIES_SHIFT),
        ("member", MEMBER_MASK << MEMBER_SHIFT),
        ("state", STATE_MASK),
    ];

    /// Its state, if any correct member writes such a word.
    #[inline(always)]
    pub fn state(self) -> Option<State> {
        let state = *State::ALL.get(usize::try_from(self.0 & STATE_MASK).ok()?)?;
        let (owned, tried) = match state {
            State::Vacant | State::Filled | State::Aborted => (false, false),
            State::Writing => (true, false),
            State::Reading => (true, true),
            State::Redeliver => (false, true),
        };
        let legal = (owned || self.member() == 0) && (tried || self.tries() == 0);
        legal.then_some(state)
    }

    /// Whose claim it is.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "masked to eleven bits")]
    pub fn member(self) -> u16 {
        (self.0 >> MEMBER_SHIFT & MEMBER_MASK) as u16
    }

    /// Deliveries that came to nothing.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "masked to four bits")]
    pub fn tries(self) -> u32 {
        (self.0 >> TRIES_SHIFT & TRIES_MASK) as u32
    }

    /// Its lap in place, the rest zero: the word of a vacant slot of the same lap.
    #[inline(always)]
    pub fn lap(self) -> u64 {
        self.0 >> LAP_SHIFT << LAP_SHIFT
    }

    /// WRITING by `member` in the same lap.
    #[inline(always)]
    #[must_use]
    pub fn writing(self, member: u16) -> Self {
        Self(self.lap() | u64::from(member) << MEMBER_SHIFT | State::Writing as u64)
    }

    /// FILLED in the same lap.
    #[inline(always)]
    #[must_use]
    pub fn filled(self) -> Self {
        Self(self.lap() | State::Filled as u64)
    }

    /// ABORTED in the same lap.
    #[must_use]
    pub fn aborted(self) -> Self {
        Self(self.lap() | State::Aborted as u64)
    }

    /// READING by `member` in the same lap, for the first time.
    #[inline(always)]
    #[must_use]
    pub fn reading(self, member: u16) -> Self {
        Self(self.lap() | u64::from(member) << MEMBER_SHIFT | State::Reading as u64)
    }

    /// The message put back after a delivery that came to nothing.
    #[must_use]
    pub fn put_back(self) -> Self {
        let tries = u64::from(self.tries()).saturating_add(1).min(TRIES_MASK);
        Self(self.lap() | tries << TRIES_SHIFT | State::Redeliver as u64)
    }

    /// The message put back although nobody saw it.
    #[must_use]
    pub fn put_back_unseen(self) -> Self {
        Self(self.lap() | u64::from(self.tries()) << TRIES_SHIFT | State::Redeliver as u64)
    }

    /// The message claimed once more, by `member`.
    #[must_use]
    pub fn claimed_again(self, member: u16) -> Self {
        let tries = u64::from(self.tries()) << TRIES_SHIFT;
        Self(self.lap() | tries | u64::from(member) << MEMBER_SHIFT | State::Reading as u64)
    }
}

impl Geometry {
    /// The geometry of a ring of `slots`, a power of two.
    pub fn new(slots: u64) -> Self {
        debug_assert!(slots.is_power_of_two());
        let shift = slots.trailing_zeros();
        Self { mask: slots - 1, shift, laps: POSITION_MASK >> shift << LAP_SHIFT }
    }

    /// How many slots.
    #[inline(always)]
    pub fn slots(self) -> u64 {
        self.mask + 1
    }

    /// Where the slot of `position` lies.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "masked to a capacity that is mapped")]
    pub fn index(self, position: u64) -> usize {
        (position & self.mask) as usize
    }

    /// The position that slot `index` has in the lap of `word`, as far as a slot's word tells: 46 bits at least.
    #[inline(always)]
    pub fn position(self, index: u64, word: SlotWord) -> u64 {
        word.0 >> LAP_SHIFT << self.shift | index
    }

    /// The lap of `position` where a slot word has it.
    #[inline(always)]
    fn lap(self, position: u64) -> u64 {
        position >> self.shift << LAP_SHIFT
    }

    /// VACANT, for `position`.
    #[inline(always)]
    pub fn vacant(self, position: u64) -> SlotWord {
        SlotWord(self.lap(position))
    }

    /// VACANT for the position one lap on: what a slot becomes when `position` is done with.
    pub fn next_vacant(self, position: u64) -> SlotWord {
        self.next_vacant_of(self.vacant(position))
    }

    /// VACANT for the lap after that of `word`.
    #[inline(always)]
    pub fn next_vacant_of(self, word: SlotWord) -> SlotWord {
        SlotWord(word.0.wrapping_add(1 << LAP_SHIFT) & self.laps)
    }

    /// WRITING at `position`, by `member`.
    #[inline(always)]
    pub fn writing(self, position: u64, member: u16) -> SlotWord {
        self.vacant(position).writing(member)
    }

    /// FILLED at `position`.
    #[inline(always)]
    pub fn filled(self, position: u64) -> SlotWord {
        self.vacant(position).filled()
    }

    /// ABORTED at `position`.
    #[inline(always)]
    pub fn aborted(self, position: u64) -> SlotWord {
        self.vacant(position).aborted()
    }

    /// READING at `position` by `member`, for the first time.
    #[inline(always)]
    pub fn reading(self, position: u64, member: u16) -> SlotWord {
        self.vacant(position).reading(member)
    }

    /// Whether `word` is of `position`'s own lap.
    #[inline(always)]
    pub fn is_current(self, word: SlotWord, position: u64) -> bool {
        word.lap() == self.lap(position)
    }

    /// Whether `word` is of the lap before `position`'s.
    #[inline(always)]
    pub fn is_previous(self, word: SlotWord, position: u64) -> bool {
        word.lap() == self.lap(before(position, self.slots()))
    }

    /// Slots from `head` to `tail`, at most all of them: what a look at two cursors can be trusted with.
    #[inline(always)]
    pub fn ahead(self, tail: u64, head: u64) -> u64 {
        before(tail, head).min(self.slots())
    }
}

/// The position `count` after `position`.
#[inline(always)]
pub fn after(position: u64, count: u64) -> u64 {
    position.wrapping_add(count) & POSITION_MASK
}

/// The position `count` before `position`; also how far `position` is ahead of the position `count`.
#[inline(always)]
pub fn before(position: u64, count: u64) -> u64 {
    position.wrapping_sub(count) & POSITION_MASK
}

/// A cursor's word: `[position:52 | closed:1 | member:11]`, the member being the one whose claim moved it
/// last. The position is on top, so that at its end it wraps and carries into nothing. The head is never closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorWord(pub u64);

impl CursorWord {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 3] =
        [("position", !0 << CURSOR_SHIFT), ("closed", CLOSED), ("member", MEMBER_MASK)];

    /// The cursor at `position` after a claim by `member`.
    #[inline(always)]
    pub fn new(position: u64, member: u16) -> Self {
        Self(position << CURSOR_SHIFT | u64::from(member))
    }

    /// The next position to claim.
    #[inline(always)]
    pub fn position(self) -> u64 {
        self.0 >> CURSOR_SHIFT
    }

    /// Who claimed the position before that.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "masked to eleven bits")]
    pub fn member(self) -> u16 {
        (self.0 & MEMBER_MASK) as u16
    }

    /// Whether no claim is accepted any more.
    #[inline(always)]
    pub fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    /// The bit that closes a tail.
    pub const CLOSED: u64 = CLOSED;
}

/// Whether anything waits to be delivered again: `[generation:63 | pending:1]`.
///
/// Each message that is put back makes a new generation. So whoever looked at every slot in vain clears the
/// bit by a compare-and-swap that fails if anything was put back since it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedeliverWord(pub u64);

impl RedeliverWord {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 2] = [("generation", !PENDING), ("pending", PENDING)];

    /// Whether a slot may be in REDELIVER.
    #[inline(always)]
    pub fn is_pending(self) -> bool {
        self.0 & PENDING != 0
    }

    /// After a message was put back.
    #[must_use]
    pub fn raised(self) -> Self {
        Self((self.0 >> 1).wrapping_add(1) << 1 | PENDING)
    }

    /// After all slots were looked at and none was in REDELIVER.
    #[must_use]
    pub fn cleared(self) -> Self {
        Self(self.0 & !PENDING)
    }
}

/// What lies between the word of a slot and a message of bytes: `[flags:32 | length:32]`.
///
/// A flag says that what follows is not just the bytes: [`IN_BLOCK`](MessageWord::IN_BLOCK), that it is the number of the block
/// that has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageWord(pub u64);

impl MessageWord {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 2] = [("flags", !LENGTH_MASK), ("length", LENGTH_MASK)];

    /// The flag of a message in a block, among flags.
    pub const IN_BLOCK: u32 = 1;

    /// Of a message whose `len` bytes are in a block, the number of which follows.
    pub fn in_block(len: u32) -> Self {
        Self(u64::from(Self::IN_BLOCK) << 32 | u64::from(len))
    }

    /// How many bytes are in a block, where the word says that they are and nothing else.
    #[allow(clippy::cast_possible_truncation, reason = "masked to 32 bits")]
    pub fn block_length(self) -> Option<u32> {
        (self.0 >> 32 == u64::from(Self::IN_BLOCK)).then_some((self.0 & LENGTH_MASK) as u32)
    }

    /// Of a message whose `len` bytes follow.
    #[inline(always)]
    pub fn new(len: usize) -> Self {
        debug_assert!(len as u64 <= LENGTH_MASK, "a slot is shorter than that");
        Self(len as u64)
    }

    /// How many bytes follow, where this build knows what they are.
    #[inline(always)]
    pub fn length(self) -> Option<usize> {
        if self.0 & !LENGTH_MASK == 0 { usize::try_from(self.0).ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positions at the start, at the wrap of laps of small rings, and at the wrap of positions.
    fn positions() -> impl Iterator<Item = u64> {
        let near = |at: u64| (0..12).map(move |step| after(at, step));
        [0, (1 << 46) - 6, (1 << 48) - 6, before(0, 6)].into_iter().flat_map(near)
    }

    #[test]
    fn words_say_what_they_were_made_of() {
        for slots in [1, 2, 4, 8, 1024] {
            let ring = Geometry::new(slots);
            for position in positions() {
                for member in [0, 1, 511, 2047] {
                    let writing = ring.writing(position, member);
                    assert_eq!((writing.state(), writing.member()), (Some(State::Writing), member));
                    let reading = ring.reading(position, member);
                    assert_eq!((reading.state(), reading.member()), (Some(State::Reading), member));
                    assert!(
                        ring.is_current(reading, position) && ring.is_current(writing, position)
                    );
                    let cursor = CursorWord::new(position, member);
                    assert_eq!((cursor.position(), cursor.member()), (position, member));
                    assert!(CursorWord(cursor.0 | CursorWord::CLOSED).is_closed());
                }
                assert_eq!(ring.vacant(position).state(), Some(State::Vacant));
                assert_eq!(ring.filled(position).state(), Some(State::Filled));
                assert_eq!(ring.aborted(position).state(), Some(State::Aborted));
                assert_eq!(ring.next_vacant(position), ring.vacant(after(position, slots)));
                assert_eq!(
                    ring.next_vacant(position),
                    ring.next_vacant_of(ring.reading(position, 3))
                );
                assert_eq!(ring.next_vacant(position), ring.vacant(after(position, slots)));
                assert_eq!(ring.filled(position).reading(3), ring.reading(position, 3));
                assert!(ring.is_previous(ring.vacant(position), after(position, slots)));
                assert!(!ring.is_current(ring.vacant(position), after(position, slots)));
            }
        }
    }

    #[test]
    fn tries_count_up_and_stop_and_a_new_claim_keeps_them() {
        let ring = Geometry::new(2);
        let mut word = ring.reading(7, 3);
        for tries in 1..40u32 {
            let back = word.put_back();
            assert_eq!((back.state(), back.tries()), (Some(State::Redeliver), tries.min(15)));
            assert_eq!(back.lap(), word.lap());
            word = back.claimed_again(5);
            assert_eq!(
                (word.state(), word.tries(), word.member()),
                (Some(State::Reading), tries.min(15), 5)
            );
            assert_eq!(word.put_back_unseen(), back);
        }
    }

    #[test]
    fn words_that_nobody_writes_have_no_state() {
        let ring = Geometry::new(4);
        assert_eq!(SlotWord(6).state(), None);
        assert_eq!(SlotWord(7).state(), None);
        for word in [ring.vacant(9), ring.filled(9), ring.aborted(9)] {
            assert_eq!(SlotWord(word.0 | 1 << MEMBER_SHIFT).state(), None);
            assert_eq!(SlotWord(word.0 | 1 << TRIES_SHIFT).state(), None);
        }
        assert_eq!(SlotWord(ring.writing(9, 1).0 | 1 << TRIES_SHIFT).state(), None);
        assert_eq!(SlotWord(ring.reading(9, 1).put_back().0 | 1 << MEMBER_SHIFT).state(), None);
    }

    #[test]
    fn a_message_with_a_flag_has_no_length() {
        for len in [0, 1, 240, u32::MAX] {
            let len = usize::try_from(len).unwrap();
            assert_eq!(MessageWord::new(len).length(), Some(len));
            for flag in 32..64 {
                assert_eq!(MessageWord(MessageWord::new(len).0 | 1 << flag).length(), None);
            }
        }
    }

    #[test]
    fn distances_wrap_with_the_positions() {
        let ring = Geometry::new(4);
        for head in positions() {
            for filled in 0..=4 {
                assert_eq!(ring.ahead(after(head, filled), head), filled);
            }
            assert_eq!(ring.ahead(after(head, 9), head), 4, "a stale look is clamped");
        }
        assert_eq!(after(POSITION_MASK, 1), 0);
        assert_eq!(before(0, 1), POSITION_MASK);
    }

    #[test]
    fn a_generation_is_never_seen_twice() {
        let first = RedeliverWord(0).raised();
        assert!(first.is_pending() && !first.cleared().is_pending());
        assert_ne!(first.cleared().raised(), first);
        assert_eq!(RedeliverWord(u64::MAX).raised().0, 1);
    }
}

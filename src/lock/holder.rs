//! Who has a lock: the word by which it is told.

use super::{INCONSISTENT, WAITED};
use crate::error::MemberId;

/// Who has a lock: `[incarnation:32 | 0:2 | thread:19 | member:11]`. The member's number and one; which of those that had the
/// number; which of its threads, zero where that is not told apart.
///
/// In a word the two bits are [`WAITED`](super::WAITED) and [`INCONSISTENT`](super::INCONSISTENT).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(u64);

const MEMBER_MASK: u64 = (1 << 11) - 1;
const THREAD_SHIFT: u32 = 11;
const THREAD_MASK: u64 = (1 << 19) - 1;
const INCARNATION_SHIFT: u32 = 32;

impl Holder {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 5] = [
        ("incarnation", u64::MAX << INCARNATION_SHIFT),
        ("waited", WAITED),
        ("inconsistent", INCONSISTENT),
        ("thread", THREAD_MASK << THREAD_SHIFT),
        ("member", MEMBER_MASK),
    ];

    /// The most threads of a member that are told apart.
    pub const MOST_THREADS: u64 = THREAD_MASK;

    /// `member`, which took its number as the `incarnation`-th.
    pub fn new(member: MemberId, incarnation: u64) -> Self {
        Self(incarnation << INCARNATION_SHIFT | (u64::from(member.0) + 1) & MEMBER_MASK)
    }

    /// Its thread `number`, at most [`MOST_THREADS`](Self::MOST_THREADS).
    #[must_use]
    #[inline(always)]
    pub fn thread(self, number: u64) -> Self {
        Self(self.0 | (number & THREAD_MASK) << THREAD_SHIFT)
    }

    /// Who is named in `word`.
    #[inline(always)]
    pub fn of(word: u64) -> Option<Self> {
        let named =
            word & (MEMBER_MASK | THREAD_MASK << THREAD_SHIFT | u64::MAX << INCARNATION_SHIFT);
        (named & MEMBER_MASK != 0).then_some(Self(named))
    }

    /// Whether `word` names nobody, and says nothing else but what may be said of what nobody has.
    #[inline(always)]
    pub fn is_none(word: u64) -> bool {
        word & !(WAITED | INCONSISTENT) == 0
    }

    /// What names it in a word.
    #[inline(always)]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Without saying which of its threads.
    #[must_use]
    pub fn member_only(self) -> Self {
        Self(self.0 & !(THREAD_MASK << THREAD_SHIFT))
    }

    /// The member.
    pub fn member(self) -> MemberId {
        // A number and one: never zero, see `of` and `new`.
        MemberId(u16::try_from((self.0 & MEMBER_MASK).saturating_sub(1)).unwrap_or(u16::MAX))
    }

    /// Which of those that had the member's number.
    pub fn incarnation(self) -> u64 {
        self.0 >> INCARNATION_SHIFT
    }

    /// Whether it is a thread that is told apart, and `other` is the same.
    pub fn is_same_thread(self, other: Self) -> bool {
        self == other && self.0 >> THREAD_SHIFT & THREAD_MASK != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_told_by_its_word_whatever_bits_are_beside() {
        for (member, incarnation, thread) in
            [(0, 1, 0), (511, u64::from(u32::MAX), 1), (7, 9, THREAD_MASK)]
        {
            let holder = Holder::new(MemberId(member), incarnation).thread(thread);
            for flags in [0, WAITED, INCONSISTENT, WAITED | INCONSISTENT] {
                let found = Holder::of(holder.bits() | flags).unwrap();
                assert_eq!(found, holder);
                assert_eq!((found.member().0, found.incarnation()), (member, incarnation));
            }
            assert_eq!(holder.is_same_thread(holder), thread != 0);
        }
        assert_eq!(Holder::of(WAITED | INCONSISTENT), None);
        assert!(Holder::is_none(WAITED | INCONSISTENT) && Holder::is_none(0));
        let nameless = Holder::new(MemberId(0), 1).thread(1).bits() & !MEMBER_MASK;
        assert!(Holder::of(nameless).is_none() && !Holder::is_none(nameless));
        let parts = Holder::PARTS.iter().fold(0, |all, (_, bits)| all + bits);
        assert_eq!(parts, u64::MAX);
    }

    #[test]
    fn another_incarnation_or_thread_is_another_holder() {
        let holder = Holder::new(MemberId(3), 1).thread(5);
        assert!(!holder.is_same_thread(Holder::new(MemberId(3), 2).thread(5)));
        assert!(!holder.is_same_thread(Holder::new(MemberId(3), 1).thread(6)));
    }
}

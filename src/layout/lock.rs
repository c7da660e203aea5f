//! Locks: two words, then words of a number that depends on the lock, then what it guards. Zero, but for the tag, is a new one.

use super::describe::shared;
use super::{Kind, Shape};
use crate::primitive::{AtomicU64, LockWord};

shared! {
    /// What every lock begins with.
    #[repr(C, align(8))]
    #[derive(Debug, Default)]
    pub struct LockHead {
        /// A lock word's tag: what lock it is. Zero where there is none yet.
        pub tag: AtomicU64,
        /// Who has it, or what is counted; the lower half is slept on.
        pub word: LockWord,
    }
}

/// Which lock.
#[repr(u64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// Guards a value for one at a time.
    Mutex = 1,
    /// The same, again and again for the same thread.
    ReentrantMutex = 2,
    /// Guards a value for many readers or one writer.
    RwLock = 3,
    /// Counts what nobody owns.
    Semaphore = 4,
    /// Wakes who waits for what a mutex guards.
    Condvar = 5,
    /// Is set or not.
    Flag = 6,
    /// Where a number of parties meet.
    Barrier = 7,
    /// A number of permits, each owned.
    Permits = 8,
}

impl LockKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Mutex,
        Self::ReentrantMutex,
        Self::RwLock,
        Self::Semaphore,
        Self::Condvar,
        Self::Flag,
        Self::Barrier,
        Self::Permits,
    ];

    /// How messages call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Mutex => "mutex",
            Self::ReentrantMutex => "reentrant mutex",
            Self::RwLock => "rwlock",
            Self::Semaphore => "semaphore",
            Self::Condvar => "condvar",
            Self::Flag => "flag",
            Self::Barrier => "barrier",
            Self::Permits => "permits",
        }
    }

    fn guards(self) -> bool {
        matches!(self, Self::Mutex | Self::ReentrantMutex | Self::RwLock)
    }
}

/// What a lock is: `[kind:4 | first:30 | second:30]`, of a kind that is not zero. Of those that guard a value its size and
/// alignment; of a semaphore what it began with and how many there may be; of a barrier and of permits how many, and zero; else
/// zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockTag(u64);

const NUMBER_BITS: u32 = 30;
const KIND_SHIFT: u32 = 2 * NUMBER_BITS;

impl LockTag {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 3] = [
        ("kind", u64::MAX << KIND_SHIFT),
        ("first", Self::MOST << NUMBER_BITS),
        ("second", Self::MOST),
    ];

    /// The largest number in one.
    pub const MOST: u64 = (1 << NUMBER_BITS) - 1;

    /// The tag of a lock with two numbers, each at most [`MOST`](Self::MOST).
    pub const fn new(kind: LockKind, first: u64, second: u64) -> Self {
        assert!(first <= Self::MOST && second <= Self::MOST, "the caller has seen to it");
        Self((kind as u64) << KIND_SHIFT | first << NUMBER_BITS | second)
    }

    /// What `bits` say, if that is a lock.
    pub fn of(bits: u64) -> Option<Self> {
        let tag = Self(bits);
        let kind = LockKind::ALL.into_iter().find(|kind| *kind as u64 == bits >> KIND_SHIFT)?;
        let (first, second) = (tag.first(), tag.second());
        let possible = match kind {
            _ if kind.guards() => second.is_power_of_two() && second <= super::LINE as u64,
            LockKind::Semaphore => first <= second,
            LockKind::Barrier | LockKind::Permits => first > 0 && second == 0,
            _ => first == 0 && second == 0,
        };
        possible.then_some(tag)
    }

    /// Its bits.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Which lock.
    pub fn kind(self) -> LockKind {
        let mut all = LockKind::ALL.into_iter();
        all.find(|kind| *kind as u64 == self.0 >> KIND_SHIFT).expect("checked when it was made")
    }

    /// Its first number.
    pub const fn first(self) -> u64 {
        self.0 >> NUMBER_BITS & Self::MOST
    }

    /// Its second number.
    pub const fn second(self) -> u64 {
        self.0 & Self::MOST
    }

    /// How many words follow the head, where there may be so many members.
    pub fn words(self, members: u32) -> usize {
        let number = match self.kind() {
            LockKind::RwLock => members.into(),
            LockKind::ReentrantMutex => 1,
            LockKind::Barrier | LockKind::Permits => self.first(),
            _ => 0,
        };
        usize::try_from(number).expect("it has 30 bits")
    }

    /// Where the value lies that it guards, from its start.
    pub fn value_offset(self, members: u32) -> usize {
        let words = size_of::<LockHead>() + self.words(members) * size_of::<u64>();
        words.next_multiple_of(self.align())
    }

    /// Bytes that it takes.
    pub fn len(self, members: u32) -> usize {
        let value = if self.kind().guards() { self.first() } else { 0 };
        self.value_offset(members) + usize::try_from(value).expect("it has 30 bits")
    }

    /// What its offset is a multiple of.
    #[allow(clippy::cast_possible_truncation, reason = "it has 30 bits")]
    pub const fn align(self) -> usize {
        let guards = self.0 >> KIND_SHIFT <= LockKind::RwLock as u64;
        let value = if guards { self.second() as usize } else { 1 };
        if value > align_of::<u64>() { value } else { align_of::<u64>() }
    }
}

impl Shape {
    /// Whether `max_message` says which lock it is, and it has as many bytes as that takes.
    pub(super) fn lock_is_possible(&self) -> bool {
        let tag = LockTag::of(self.max_message);
        self.kind == Kind::Lock
            && tag.is_some_and(|tag| tag.len(self.max_members) as u64 == self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_says_what_it_was_made_of() {
        for kind in LockKind::ALL {
            let (first, second) = match kind {
                _ if kind.guards() => (24, 8),
                LockKind::Semaphore => (3, LockTag::MOST),
                LockKind::Barrier | LockKind::Permits => (5, 0),
                _ => (0, 0),
            };
            let tag = LockTag::new(kind, first, second);
            assert_eq!(LockTag::of(tag.bits()), Some(tag));
            assert_eq!((tag.kind(), tag.first(), tag.second()), (kind, first, second));
        }
        assert!(LockTag::PARTS.iter().fold(0, |all, (_, bits)| all + bits) == u64::MAX);
    }

    #[test]
    fn what_is_no_lock_has_no_tag() {
        let bits = |kind: u64, first: u64, second: u64| kind << 60 | first << 30 | second;
        let none = [
            bits(0, 0, 0),
            bits(9, 0, 0),
            bits(15, 1, 1),
            bits(1, 8, 0),
            bits(1, 8, 3),
            bits(3, 8, 256),
            bits(4, 2, 1),
            bits(5, 1, 0),
            bits(7, 0, 0),
            bits(8, 1, 1),
        ];
        assert!(none.into_iter().all(|bits| LockTag::of(bits).is_none()));
    }

    #[test]
    fn locks_take_what_the_format_says() {
        let of = |kind, first, second| LockTag::new(kind, first, second);
        let mutex = of(LockKind::Mutex, 8, 8);
        assert_eq!((mutex.len(64), mutex.align(), mutex.value_offset(64)), (24, 8, 16));
        let aligned = of(LockKind::Mutex, 64, 64);
        assert_eq!((aligned.len(64), aligned.align(), aligned.value_offset(64)), (128, 64, 64));
        let rwlock = of(LockKind::RwLock, 4, 4);
        assert_eq!((rwlock.len(64), rwlock.value_offset(64)), (16 + 512 + 4, 528));
        assert_eq!(of(LockKind::Barrier, 3, 0).len(64), 40);
        assert_eq!(of(LockKind::Flag, 0, 0).len(64), 16);
        assert_eq!(of(LockKind::ReentrantMutex, 1, 1).value_offset(2), 24);
    }
}

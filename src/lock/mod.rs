//! Locks in shared memory, as far as they are words and rules. They borrow their memory, never block or allocate, and know no
//! names: who wants to wait gives an attempt to [`event::wait_at_word`](crate::event::wait_at_word).
//!
//! **Who has what is in the word that decides it**, so at every instant it can be told what the dead had: a mutex and the
//! writers' side of a rwlock name their holder, readers are counted in a word of each member, permits and places at a barrier
//! are a word each. Nothing has to be registered, and a reap need not know of locks: who waits asks whether the one in
//! its way lives, and takes over by a compare-and-swap from the very word that names the dead.
//!
//! **Zero is a new lock.** What it is, and its numbers, is one word more in front (`layout`), which the first who comes sets
//! by compare-and-swap: no death can leave a lock half made.

pub mod barrier;
pub mod data;
pub mod flag;
pub mod gate;
pub mod holder;
mod met;
pub mod mutex;
pub mod permits;
#[cfg_attr(not(feature = "manager"), allow(dead_code, reason = "a manager counts in them"))]
pub mod row;
pub mod rwlock;
pub mod semaphore;

use crate::primitive::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::ring::Corruption;

/// Bit of a word: somebody sleeps on its lower half, or is about to.
pub const WAITED: u64 = 1 << 31;
/// Bit of a word: what the lock guards may be in the middle of a change.
pub const INCONSISTENT: u64 = 1 << 30;

/// As many compare-and-swaps in a row that fail are no honest contention.
const MOST_TURNS: u32 = 1 << 20;

/// What could be found out about a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It may still act.
    Lives,
    /// It never will.
    Dead,
    /// There is no such member.
    Impossible,
    /// This process cannot see who lives.
    Unseen,
}

impl Fate {
    /// Whether nothing more comes of it.
    fn is_dead(self) -> Result<bool, Denial> {
        match self {
            Fate::Lives => Ok(false),
            Fate::Dead => Ok(true),
            Fate::Impossible => Err(Denial::Corrupt(Corruption::Lock)),
            Fate::Unseen => Err(Denial::Blind),
        }
    }
}

/// Why a lock cannot be had, now or ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// This very thread has it.
    Own,
    /// Nobody can see any more who lives.
    Blind,
    /// What no correct member writes.
    Corrupt(Corruption),
}

/// A turn at a lock: who has it now by way of the token.
///
/// Made by a lock that was taken, and used up by giving it back; [`data`] asks for it.
#[derive(Debug)]
#[must_use = "a lock that was taken must be given back"]
pub struct Held {
    /// What the lock guards may be in the middle of a change.
    pub inconsistent: bool,
}

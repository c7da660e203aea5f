//! What a lock guards: one value behind its word, reached by who has the lock.
#![allow(
    unsafe_code,
    reason = "hands out references to a value that the lock gives to one side at a time"
)]

use bytemuck::Pod;

use super::Held;
use crate::primitive::Cells;

/// The value that a lock guards.
///
/// Peers are trusted to take the lock first, as with grants; that any bytes are a `T` keeps one that does not from more than
/// changing the value under a reader's hands.
#[derive(Clone, Copy, Debug)]
pub struct Guarded<'a, T>(Cells<'a, T>);

impl<'a, T: Pod> Guarded<'a, T> {
    /// The value in the only one of `cells`.
    pub fn new(cells: Cells<'a, T>) -> Self {
        assert!(cells.len() == 1, "a lock guards one value");
        Self(cells)
    }

    /// The value, to look at.
    #[inline(always)]
    pub fn get<'h>(&'h self, _held: &'h Held) -> &'h T {
        // SAFETY: who has taken the lock, for reading or alone, keeps writers away until it gives the token back.
        let all = unsafe { self.0.slice(0, 1) };
        &all[0]
    }

    /// The value, to change: for the token of who has the lock alone.
    #[inline(always)]
    pub fn get_mut<'h>(&'h self, _held: &'h mut Held) -> &'h mut T {
        // SAFETY: who has taken the lock alone keeps everybody away, and borrows its token for one such reference at a time.
        let all = unsafe { self.0.slice_mut(0, 1) };
        &mut all[0]
    }
}

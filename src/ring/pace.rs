//! When a side looks at the other's cursor: keeps two sides of the same speed from treading on each other's heels.
//!
//! A side that finds one slot, uses it, looks at once and finds one slot again has both processors fetch
//! the same lines for every slot. After a number of such quick finds in a row a side begins to hold back
//! for a moment before it looks again, and goes on while that pays: while it then finds several slots. Each
//! time that it does not, as in a conversation where messages come singly, twice as many quick finds are
//! needed before it is tried again.
//!
//! It changes when a side looks, never what it sees.

use bytemuck::{Pod, Zeroable};

use crate::primitive::{Hint, hold_back};

/// What a side remembers of its looks.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(4))] // handed over by one load and one store
pub struct Pace {
    /// Looks in a row that found nothing.
    misses: u8,
    /// Two to this many quick finds in a row make a side hold back.
    patience: u8,
    /// Quick finds in a row.
    quick: u16,
}

/// What is quick and what pays for a side that uses so many slots at a time.
#[derive(Clone, Copy, Debug)]
pub struct Stride {
    /// Looks without success after which the other side takes its time.
    quick: u64,
    /// Slots that make holding back pay.
    several: u64,
}

impl Stride {
    /// For one slot at a time.
    pub const SINGLE: Self = Self { quick: 4, several: 16 };
    /// A look counts its predecessors no further than this.
    const LONG: u64 = 200;

    /// For `unit` slots at a time, of as many as there are in all. Where several units are more than a quarter of these, the
    /// other side would come to the end of the ring while this one holds back.
    #[inline(always)]
    pub fn of(unit: u64, slots: u64) -> Self {
        let several = unit.saturating_mul(Self::SINGLE.several);
        if unit <= 1 || several > slots / 4 {
            return Self::SINGLE;
        }
        Self { quick: unit.saturating_mul(Self::SINGLE.quick).min(Self::LONG), several }
    }
}

/// Bounds of [`Pace::patience`]: 4 and 4,096 quick finds.
const PATIENCE: (u8, u8) = (2, 12);

impl Default for Pace {
    fn default() -> Self {
        Self { misses: 0, patience: PATIENCE.0, quick: 0 }
    }
}

impl Pace {
    fn holds_back(self) -> bool {
        self.quick >= 1 << self.patience
    }

    /// After a look that found nothing; may hold back.
    #[must_use]
    #[inline(always)]
    pub fn missed(self) -> Self {
        if self.misses == 0 && self.holds_back() {
            hold_back();
        }
        Self { misses: self.misses.saturating_add(1), ..self }
    }

    /// After a look that found `slots`.
    #[must_use]
    #[inline(always)]
    pub fn found(self, slots: u64, stride: Stride) -> Self {
        match (self.holds_back(), slots >= stride.several) {
            (true, true) => Self { misses: 0, patience: PATIENCE.0, ..self },
            (true, false) if self.misses > 0 => {
                Self { misses: 0, patience: (self.patience + 1).min(PATIENCE.1), quick: 0 }
            }
            (true, false) => Self { misses: 0, ..self },
            (false, false) if u64::from(self.misses) <= stride.quick => {
                Self { misses: 0, quick: self.quick + 1, ..self }
            }
            (false, _) => Self { misses: 0, quick: 0, ..self },
        }
    }
}

/// A [`Pace`] for sides that count nothing on the way: what one has found shows when it next finds nothing.
#[derive(Debug, Default)]
pub struct SharedPace {
    pace: Hint,
    /// The position at which it last found nothing.
    missed_at: Hint,
}

impl SharedPace {
    /// After a look at `position` that found nothing; may hold back.
    pub fn missed(&self, position: u64) {
        let pace = match u32::try_from(self.pace.get()) {
            Ok(known) if known != 0 => bytemuck::cast(known),
            _ => Pace::default(),
        };
        let found = position.wrapping_sub(self.missed_at.get());
        let pace = if found == 0 { pace } else { pace.found(found, Stride::SINGLE) };
        self.missed_at.set(position);
        self.pace.set(u64::from(bytemuck::cast::<Pace, u32>(pace.missed())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A look that finds one slot after `misses` looks that find nothing.
    fn single(pace: Pace, misses: u8) -> Pace {
        (0..misses).fold(pace, |pace, _| pace.missed()).found(1, Stride::SINGLE)
    }

    #[test]
    fn quick_single_finds_lead_to_holding_back_and_several_keep_it() {
        let mut pace = Pace::default();
        for _ in 0..1 << PATIENCE.0 {
            assert!(!pace.holds_back());
            pace = single(pace, 1);
        }
        assert!(pace.holds_back());
        assert!(pace.missed().found(16, Stride::SINGLE).holds_back(), "it pays");
        assert!(!pace.missed().found(15, Stride::SINGLE).holds_back(), "it does not pay");
    }

    #[test]
    fn what_does_not_pay_is_tried_exponentially_less_often() {
        let (mut pace, mut tries) = (Pace::default(), 0);
        for _ in 0..100_000 {
            tries += u32::from(pace.holds_back());
            pace = single(pace, 1);
        }
        assert!((10..40).contains(&tries), "{tries} of 100,000");
    }

    #[test]
    #[cfg(not(loom))]
    fn a_side_that_counts_nothing_learns_from_where_it_misses() {
        let pace = SharedPace::default();
        let held_back = || {
            let known = u32::try_from(pace.pace.get()).expect("what was put there");
            bytemuck::cast::<u32, Pace>(known).holds_back()
        };
        // One message between two misses, each time: it begins to hold back.
        (1..=1 << PATIENCE.0).for_each(|position| pace.missed(position));
        assert!(held_back());
        // Many between two: it goes on. One: it stops.
        pace.missed(100);
        assert!(held_back(), "it pays");
        pace.missed(101);
        assert!(!held_back(), "it does not pay");
    }

    #[test]
    fn who_uses_many_at_a_time_wants_many_and_waits_longer_for_them() {
        let batch = Stride::of(64, 65_536);
        assert_eq!((batch.quick, batch.several), (200, 1024));
        assert_eq!(Stride::of(64, 1024).several, 16, "the ring is too small to keep a distance");
        let held = (0..4).fold(Pace::default(), |pace, _| {
            (0..100).fold(pace, |pace, _| pace.missed()).found(64, batch)
        });
        assert!(held.holds_back());
        assert!(!held.missed().found(1023, batch).holds_back());
    }

    #[test]
    fn whoever_is_waited_for_long_is_not_held_back_from() {
        let pace = (0..1000).fold(Pace::default(), |pace, _| single(pace, 5));
        assert!(!pace.holds_back());
    }
}

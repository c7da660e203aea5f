//! A row of numbers that one writes and any number of others read, none of whom waits: a sequence lock.
//!
//! Its first word is an *edition*, odd while the row comes to be about something else. A reader believes what it read if it found the
//! same even edition before and after: then all of it is about one thing. Each number by itself is what it was at one moment.
//!
//! Who writes keeps edition and numbers in its own memory and reads nothing here. One that dies in [`Row::begin`] leaves the edition
//! odd: the row is skipped.

use super::{Acquire, Relaxed, Release};
use crate::primitive::AtomicU64;

/// As many changes of a row while it is read are no honest coincidence.
const MOST_READS: u32 = 100;

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    edition: &'a AtomicU64,
    numbers: &'a [AtomicU64],
}

impl<'a> Row<'a> {
    /// The row that `words` are: an edition, then numbers.
    pub fn new(words: &'a [AtomicU64]) -> Option<Self> {
        let (edition, numbers) = words.split_first()?;
        Some(Self { edition, numbers })
    }

    /// Makes it `numbers`, about something else than before. `edition` is what it had, zero at first. Gives the new one.
    ///
    /// Its only writer does this.
    pub fn begin(self, edition: u64, numbers: &[u64]) -> u64 {
        self.edition.store(edition | 1, Relaxed);
        for (place, number) in numbers.iter().enumerate() {
            self.set(place, *number);
        }
        let edition = (edition | 1).wrapping_add(1);
        // ORDERING(row): pairs with the first load in `read_once`: who finds this edition finds these numbers, or later ones.
        self.edition.store(edition, Release);
        edition
    }

    /// Changes the number at `place`; the row is about the same as before.
    #[inline(always)]
    pub fn set(self, place: usize, number: u64) {
        if let Some(word) = self.numbers.get(place) {
            // ORDERING(row): pairs with the loads in `read_once`: who finds this number finds an edition that is no older.
            word.store(number, Release);
        }
    }

    /// Reads the row, as many numbers as `into` has. False where there is no telling what it is about.
    pub fn read(self, into: &mut [u64]) -> bool {
        (0..MOST_READS).any(|_| self.read_once(into))
    }

    /// As [`read`](Self::read), looking once: false too if it changed meanwhile.
    pub fn read_once(self, into: &mut [u64]) -> bool {
        // ORDERING(row): before the numbers; pairs with `begin`.
        let edition = self.edition.load(Acquire);
        for (number, word) in into.iter_mut().zip(self.numbers) {
            // ORDERING(row): before the second look at the edition; pairs with `set`.
            *number = word.load(Acquire);
        }
        edition & 1 == 0 && self.edition.load(Relaxed) == edition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let words: Vec<AtomicU64> = (0..4).map(AtomicU64::new).collect();
        let row = Row::new(&words).unwrap();
        let mut found = [0; 3];
        let edition = row.begin(0, &[7, 8]);
        row.set(1, 9);
        assert!(row.read(&mut found) && found == [7, 9, 3] && edition == 2);
        row.set(100, 5);
        assert_eq!(row.begin(edition, &[1, 2, 3, 4]), 4);
        assert!(row.read(&mut found) && found == [1, 2, 3]);
        assert!(Row::new(&[]).is_none());
    }

    #[test]
    fn a_row_whose_writer_died_in_a_change_is_not_believed() {
        let words: Vec<AtomicU64> = [3, 1, 2].map(AtomicU64::new).into();
        assert!(!Row::new(&words).unwrap().read(&mut [0; 2]));
    }
}

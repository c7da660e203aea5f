//! Numbers for the parts of states: many states have few different parts.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// Gives equal parts equal numbers, and parts back for numbers.
#[derive(Debug)]
pub struct Interner<T> {
    numbers: HashTable<u32>,
    parts: Vec<T>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { numbers: HashTable::new(), parts: Vec::new() }
    }
}

impl<T: Copy + Eq + Hash> Interner<T> {
    /// The number of `part`.
    pub fn number(&mut self, part: &T) -> u32 {
        let hash = |part: &T| FxBuildHasher.hash_one(part);
        let parts = &self.parts;
        let is_it = |&number: &u32| parts[number as usize] == *part;
        let rehash = |&number: &u32| hash(&parts[number as usize]);
        match self.numbers.entry(hash(part), is_it, rehash) {
            hashbrown::hash_table::Entry::Occupied(found) => *found.get(),
            hashbrown::hash_table::Entry::Vacant(room) => {
                let number = u32::try_from(self.parts.len()).expect("fewer parts than states");
                room.insert(number);
                self.parts.push(*part);
                number
            }
        }
    }

    /// The part of a number that was given out.
    pub fn part(&self, number: u32) -> &T {
        &self.parts[number as usize]
    }
}

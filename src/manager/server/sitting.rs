//! What the server knows of a session.

use std::collections::{HashMap, HashSet};

use super::super::item::ObjectNumber;
use super::super::ledger::Ledger;
use super::counters::RowId;

/// A session.
pub(super) struct Sitting {
    pub row: RowId,
    pub connections: usize,
    /// References, and how many of each.
    pub held: HashMap<ObjectNumber, u64>,
    /// The objects that it has called and that are there still: they may know it.
    pub called: HashSet<ObjectNumber>,
    /// Its first connection has ended: no more are taken.
    pub closing: bool,
    /// It said goodbye.
    pub orderly: bool,
}

impl Sitting {
    pub(super) fn new(row: RowId) -> Self {
        Self {
            row,
            connections: 0,
            held: HashMap::new(),
            called: HashSet::new(),
            closing: false,
            orderly: false,
        }
    }

    /// How many there are more.
    pub(super) fn grant(&mut self, references: &[ObjectNumber], ledger: &Ledger) -> i64 {
        let mut granted = 0;
        for object in references {
            if ledger.hold(*object) {
                *self.held.entry(*object).or_insert(0) += 1;
                granted += 1;
            }
        }
        granted
    }

    pub(super) fn release(&mut self, object: ObjectNumber) -> bool {
        match self.held.get_mut(&object) {
            Some(1) => {
                self.held.remove(&object);
                true
            }
            Some(count) => {
                *count -= 1;
                true
            }
            None => false,
        }
    }
}

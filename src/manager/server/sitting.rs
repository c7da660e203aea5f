//! What the server knows of a session.

use std::collections::{HashMap, HashSet};

use super::super::item::ObjectNumber;
use super::super::ledger::Ledger;
use super::counters::RowId;

/// So many objects may be known at least, whether they are there or not.
pub(super) const FEW: usize = 64;

/// A session.
pub(super) struct Sitting {
    pub row: RowId,
    pub connections: usize,
    /// References, and how many of each.
    pub held: HashMap<ObjectNumber, u64>,
    /// The objects that it has called, or that lent it something: they may know it. Some of them may be gone.
    pub known: HashSet<ObjectNumber>,
    /// So many may be known before those that are gone are looked for.
    most: usize,
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
            known: HashSet::new(),
            most: FEW,
            closing: false,
            orderly: false,
        }
    }

    /// Notes an object that may know it. Those that are gone are never more than those that are there, or a few.
    pub(super) fn note(&mut self, object: ObjectNumber, ledger: &Ledger) {
        self.known.insert(object);
        if self.known.len() > self.most {
            self.known.retain(|object| ledger.has(*object));
            self.most = FEW.max(2 * self.known.len());
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

//! Who refers to which object: counts, and what nobody refers to any more.
//!
//! A reference is a session's, for each proxy that it has, or a value's, for each proxy that was stored in it
//! ([`Stored`](super::Stored) counts itself). The server frees what the ledger says is dead once a call is over.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ObjectNumber;

/// Counts of all objects of a server. All of it happens under the server's lock; this one is for stored values that go.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pages: Mutex<Pages>,
    any_dead: AtomicBool,
    any_changed: AtomicBool,
}

#[derive(Debug, Default)]
struct Pages {
    /// By slot.
    counts: Vec<Count>,
    free: Vec<u32>,
    dead: Vec<ObjectNumber>,
    /// Whose count changed since it was last told.
    changed: Vec<ObjectNumber>,
}

#[derive(Debug)]
struct Count {
    generation: u32,
    references: u64,
    is_changed: bool,
}

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that nothing had before, with one reference.
    pub(super) fn open(&self) -> ObjectNumber {
        let mut pages = self.pages();
        let slot = pages.free.pop().unwrap_or_else(|| {
            pages.counts.push(Count { generation: 0, references: 0, is_changed: false });
            u32::try_from(pages.counts.len() - 1).expect("memory ends before")
        });
        let count = &mut pages.counts[slot as usize];
        (count.generation, count.references) = (count.generation + 1, 1);
        let number = ObjectNumber::new(slot, count.generation);
        self.note(&mut pages, number);
        number
    }

    /// Counts one reference more, if there is such an object.
    pub(super) fn hold(&self, number: ObjectNumber) -> bool {
        let mut pages = self.pages();
        let Some(count) = pages.count(number) else { return false };
        count.references += 1;
        self.note(&mut pages, number);
        true
    }

    /// Counts one reference less.
    pub(super) fn let_go(&self, number: ObjectNumber) {
        let mut pages = self.pages();
        let Some(count) = pages.count(number) else { return };
        count.references = count.references.saturating_sub(1);
        if count.references == 0 {
            pages.dead.push(number);
            self.any_dead.store(true, Relaxed);
        }
        self.note(&mut pages, number);
    }

    /// Notes that the count of `number` changed.
    fn note(&self, pages: &mut Pages, number: ObjectNumber) {
        if let Some(count) = pages.count(number)
            && !std::mem::replace(&mut count.is_changed, true)
        {
            pages.changed.push(number);
            self.any_changed.store(true, Relaxed);
        }
    }

    /// Tells whose counts changed since this was last asked, and what they are.
    pub(super) fn tell_changed(&self, mut tell: impl FnMut(ObjectNumber, u64)) {
        if !self.any_changed.load(Relaxed) {
            return;
        }
        let mut pages = self.pages();
        self.any_changed.store(false, Relaxed);
        while let Some(number) = pages.changed.pop() {
            if let Some(count) = pages.count(number) {
                count.is_changed = false;
                tell(number, count.references);
            }
        }
    }

    /// Whether there is such an object.
    pub(super) fn has(&self, number: ObjectNumber) -> bool {
        self.pages().count(number).is_some()
    }

    /// How many references there are.
    pub(super) fn references(&self, number: ObjectNumber) -> u64 {
        self.pages().count(number).map_or(0, |count| count.references)
    }

    /// One that nobody refers to any more. Its number is not given again before [`close`](Self::close).
    pub(super) fn next_dead(&self) -> Option<ObjectNumber> {
        if !self.any_dead.load(Relaxed) {
            return None;
        }
        let mut pages = self.pages();
        while let Some(number) = pages.dead.pop() {
            // It may have been stored again meanwhile, or be there twice.
            if pages.count(number).is_some_and(|count| count.references == 0) {
                return Some(number);
            }
        }
        self.any_dead.store(false, Relaxed);
        None
    }

    /// Gives the slot of an object that is gone to others.
    pub(super) fn close(&self, number: ObjectNumber) {
        let mut pages = self.pages();
        if let Some(count) = pages.count(number) {
            // No number has this generation, so none is counted here until the slot is used again.
            (count.references, count.is_changed) = (0, false);
            if count.generation < u32::MAX - 1 {
                count.generation += 1;
                pages.free.push(number.slot());
            }
        }
    }
}

impl Pages {
    fn count(&mut self, number: ObjectNumber) -> Option<&mut Count> {
        let count = self.counts.get_mut(number.slot() as usize)?;
        (count.generation == number.generation()).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_refers_to_dies_once_and_its_number_never_comes_back() {
        let ledger = Ledger::default();
        let number = ledger.open();
        assert!(ledger.hold(number));
        ledger.let_go(number);
        assert_eq!(ledger.next_dead(), None);
        ledger.let_go(number);
        assert_eq!(ledger.next_dead(), Some(number));
        assert!(ledger.has(number));
        ledger.close(number);
        assert_eq!(ledger.next_dead(), None);
        assert!(!ledger.hold(number) && !ledger.has(number));
        ledger.let_go(number);
        let other = ledger.open();
        assert_ne!(other, number);
        assert_eq!(other.slot(), number.slot());
        assert_eq!((ledger.references(other), ledger.references(number)), (1, 0));
    }

    #[test]
    fn counts_that_changed_are_told_once() {
        let ledger = Ledger::default();
        let told = || {
            let mut told = Vec::new();
            ledger.tell_changed(|number, references| told.push((number, references)));
            told
        };
        let number = ledger.open();
        ledger.hold(number);
        assert_eq!(told(), [(number, 2)]);
        assert_eq!(told(), []);
        ledger.let_go(number);
        assert_eq!(told(), [(number, 1)]);
        ledger.let_go(number);
        ledger.close(number);
        assert_eq!(told(), []);
    }

    #[test]
    fn what_is_held_again_before_it_is_looked_for_lives() {
        let ledger = Ledger::default();
        let number = ledger.open();
        ledger.let_go(number);
        assert!(ledger.hold(number));
        assert_eq!(ledger.next_dead(), None);
        ledger.let_go(number);
        ledger.let_go(number);
        assert_eq!(ledger.next_dead(), Some(number));
    }
}

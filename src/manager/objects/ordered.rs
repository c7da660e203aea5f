//! Entries by their keys, in the order in which the keys came: what maps and sets are in the server.
//!
//! Invariant: `places` has each key of `entries` once, with the place where it is; places only grow.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::super::error::Refusal;
use super::super::item::{ObjectNumber, Stored};

/// The stamp of what is not there: versions begin behind it.
pub(super) const ABSENT: u64 = 0;

/// A table that keeps its order. A key that comes again stays where it is.
#[derive(Debug)]
pub(super) struct Ordered<V> {
    places: HashMap<Key, u64>,
    entries: BTreeMap<u64, (Key, V)>,
    next: u64,
}

/// Found by its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key(Arc<Stored>);

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self.0.bytes()
    }
}

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self { places: HashMap::new(), entries: BTreeMap::new(), next: 0 }
    }
}

#[allow(clippy::mutable_key_type, reason = "a key goes by its bytes, which never change")]
impl<V> Ordered<V> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn contains(&self, key: &[u8]) -> bool {
        self.places.contains_key(key)
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&V> {
        let place = self.places.get(key)?;
        self.entries.get(place).map(|(_, value)| value)
    }

    /// Puts `value` there; says what was there.
    pub(super) fn insert(&mut self, key: Stored, value: V) -> Option<V> {
        let place = self.places.get(key.bytes()).copied();
        if let Some((_, there)) = place.and_then(|place| self.entries.get_mut(&place)) {
            return Some(std::mem::replace(there, value));
        }
        let key = Key(Arc::new(key));
        self.places.insert(key.clone(), self.next);
        self.entries.insert(self.next, (key, value));
        self.next += 1;
        None
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<V> {
        let place = self.places.remove(key)?;
        self.entries.remove(&place).map(|(_, value)| value)
    }

    /// Takes out the entry whose key came last.
    pub(super) fn pop(&mut self) -> Option<(Arc<Stored>, V)> {
        let (_, (key, value)) = self.entries.pop_last()?;
        self.places.remove(&key);
        Some((key.0, value))
    }

    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.entries.clear();
    }

    /// Takes out all but those at these indices, counted in the order that it has.
    pub(super) fn keep(&mut self, indices: &[u64]) -> Result<(), Refusal> {
        let len = self.len();
        let mut kept = vec![false; len];
        for index in indices {
            let place = usize::try_from(*index).ok().and_then(|index| kept.get_mut(index));
            *place.ok_or(Refusal::OutOfRange { index: *index, len: len as u64 })? = true;
        }
        let mut kept = kept.into_iter();
        let places = &mut self.places;
        self.entries.retain(|_, (key, _)| {
            let stays = kept.next().unwrap_or(false);
            if !stays {
                places.remove(key);
            }
            stays
        });
        Ok(())
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&Stored, &V)> {
        self.entries.values().map(|(key, value)| (&*key.0, value))
    }

    /// Tells `found` what keys refer to, and what `also` does of values.
    pub(super) fn references(
        &self,
        found: &mut dyn FnMut(ObjectNumber),
        also: impl Fn(&V) -> &[ObjectNumber],
    ) {
        for (key, value) in self.iter() {
            key.references().iter().chain(also(value)).copied().for_each(&mut *found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ledger::Ledger;
    use super::*;

    /// The slow way: a list of pairs.
    #[derive(Default)]
    struct Model(Vec<(Vec<u8>, u32)>);

    impl Model {
        fn find(&self, key: &[u8]) -> Option<usize> {
            self.0.iter().position(|(there, _)| there == key)
        }

        fn insert(&mut self, key: &[u8], value: u32) -> Option<u32> {
            if let Some(n) = self.find(key) {
                return Some(std::mem::replace(&mut self.0[n].1, value));
            }
            self.0.push((key.to_vec(), value));
            None
        }

        fn remove(&mut self, key: &[u8]) -> Option<u32> {
            self.find(key).map(|n| self.0.remove(n).1)
        }
    }

    fn stored(bytes: &[u8]) -> Stored {
        Stored::new(bytes, Vec::new(), &Arc::new(Ledger::default())).unwrap()
    }

    #[test]
    fn it_does_what_a_list_of_pairs_does() {
        let (mut ordered, mut model) = (Ordered::default(), Model::default());
        let mut seed = 1u32;
        for step in 0..10_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = [(seed >> 20).to_le_bytes()[0] % 40];
            match seed >> 28 {
                0..=6 => {
                    assert_eq!(ordered.insert(stored(&key), step), model.insert(&key, step));
                }
                7..=12 => assert_eq!(ordered.remove(&key), model.remove(&key)),
                13 => {
                    let popped = ordered.pop().map(|(key, value)| (key.bytes().to_vec(), value));
                    assert_eq!(popped, model.0.pop());
                }
                14 if step % 10 == 0 => {
                    let even: Vec<u64> = (0..model.0.len() as u64).step_by(2).collect();
                    ordered.keep(&even).unwrap();
                    model.0 = model.0.iter().step_by(2).cloned().collect();
                }
                _ if step % 50 == 0 => {
                    ordered.clear();
                    model.0.clear();
                }
                _ => {}
            }
            let found = model.find(&key).map(|n| &model.0[n].1);
            assert_eq!((ordered.get(&key), ordered.contains(&key)), (found, found.is_some()));
            let entries = ordered.iter().map(|(key, value)| (key.bytes().to_vec(), *value));
            assert!(entries.eq(model.0.iter().cloned()));
            assert_eq!(ordered.len(), model.0.len());
        }
    }
}

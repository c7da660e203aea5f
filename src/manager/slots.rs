//! A table by number: a slot, and which of all that ever were in it.

/// Entries by keys that are never given twice.
#[derive(Debug)]
pub(super) struct Slots<T> {
    entries: Vec<Option<(u64, T)>>,
    free: Vec<u32>,
    generation: u32,
    len: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new(), generation: 0, len: 0 }
    }
}

/// The low half.
#[allow(clippy::cast_possible_truncation, reason = "the low half")]
fn slot(key: u64) -> usize {
    (key as u32) as usize
}

impl<T> Slots<T> {
    /// Puts `value` in, and says under which key.
    pub(super) fn insert(&mut self, value: T) -> u64 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            u32::try_from(self.entries.len() - 1).expect("memory ends before")
        });
        self.generation = self.generation.wrapping_add(1);
        let key = u64::from(self.generation) << 32 | u64::from(slot);
        self.entries[slot as usize] = Some((key, value));
        self.len += 1;
        key
    }

    /// Puts `value` in under a key that somebody else chose.
    pub(super) fn put(&mut self, key: u64, value: T) {
        let slot = slot(key);
        if self.entries.len() <= slot {
            self.entries.resize_with(slot + 1, || None);
        }
        self.len += 1;
        self.entries[slot] = Some((key, value));
    }

    pub(super) fn get(&self, key: u64) -> Option<&T> {
        match self.entries.get(slot(key)) {
            Some(Some((at, value))) if *at == key => Some(value),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        match self.entries.get_mut(slot(key)) {
            Some(Some((at, value))) if *at == key => Some(value),
            _ => None,
        }
    }

    /// Takes one out that was put in under a key of its own: the slot is not used again until somebody puts there.
    pub(super) fn take(&mut self, key: u64) -> Option<T> {
        self.get(key)?;
        self.len -= 1;
        self.entries[slot(key)].take().map(|(_, value)| value)
    }

    /// Takes one out that was inserted.
    pub(super) fn remove(&mut self, key: u64) -> Option<T> {
        let value = self.take(key)?;
        self.free.push(u32::try_from(slot(key)).expect("it was one"));
        Some(value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.entries.iter().flatten().map(|(key, value)| (*key, value))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut T)> {
        self.entries.iter_mut().flatten().map(|(key, value)| (*key, value))
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_one_entry_for_ever() {
        let mut slots = Slots::default();
        let first = slots.insert('a');
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert('b');
        assert_ne!(first, second);
        assert_eq!((slots.get(first), slots.get(second)), (None, Some(&'b')));
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.len(), 1);
    }
}

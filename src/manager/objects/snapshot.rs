//! What clients see of an object at one moment, and changes that go by it.

use std::ops::{Bound, Deref, RangeBounds};

use serde::Deserialize;

use super::super::error::CallError;

/// What an object had at one moment, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Snapshot<T> {
    version: u64,
    values: Vec<T>,
}

impl<T> Snapshot<T> {
    /// The number of the last change that it has. Any change of the object makes it another.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The values.
    pub fn into_vec(self) -> Vec<T> {
        self.values
    }
}

impl<T> Deref for Snapshot<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> IntoIterator for Snapshot<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Snapshot<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.values.iter()
    }
}

/// How often a change of a whole object begins anew because others were faster.
const TRIES: u32 = 1000;

/// How often one of a single value does: so seldom is somebody always too late that this is no matter of chance.
const TRIES_OF_ONE: u32 = 10_000;

/// Tries until `change` has succeeded, which it says by `Some`.
pub(super) fn until_unchanged<R>(
    mut change: impl FnMut() -> Result<Option<R>, CallError>,
) -> Result<R, CallError> {
    for _ in 0..TRIES {
        if let Some(done) = change()? {
            return Ok(done);
        }
    }
    Err(CallError::Contended)
}

/// The same for what only ever changes where it stands, with what it is seen to be.
pub(super) fn exchange<S, R>(
    mut seen: S,
    mut change: impl FnMut(&S) -> Result<Result<R, S>, CallError>,
) -> Result<R, CallError> {
    for _ in 0..TRIES_OF_ONE {
        match change(&seen)? {
            Ok(done) => return Ok(done),
            Err(other) => seen = other,
        }
    }
    Err(CallError::Contended)
}

/// Where `range` begins, and where it ends unless with the object.
pub(super) fn bounds(range: impl RangeBounds<usize>) -> (usize, Option<usize>) {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(last) => Some(last.saturating_add(1)),
        Bound::Excluded(end) => Some(*end),
        Bound::Unbounded => None,
    };
    (start, end)
}

/// The indices of `values` in the order that `by` gives them.
pub(super) fn sorted<T>(
    values: &[T],
    mut by: impl FnMut(&T, &T) -> std::cmp::Ordering,
) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..values.len()).collect();
    indices.sort_by(|one, other| by(&values[*one], &values[*other]));
    indices
}

/// The indices of those of `values` that `keep` keeps; none if it keeps them all.
pub(super) fn kept<T>(values: &[T], mut keep: impl FnMut(&T) -> bool) -> Option<Vec<usize>> {
    let kept = values.iter().enumerate().filter(|(_, value)| keep(value));
    let indices: Vec<usize> = kept.map(|(index, _)| index).collect();
    (indices.len() < values.len()).then_some(indices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_tried_until_it_succeeds_or_has_failed_too_often() {
        let whole = |enough: u32| {
            let mut tries = 0;
            let done = until_unchanged(|| {
                tries += 1;
                Ok((tries == enough).then_some(tries))
            });
            (done.ok(), tries)
        };
        assert_eq!((whole(1), whole(TRIES)), ((Some(1), 1), (Some(TRIES), TRIES)));
        assert_eq!(whole(TRIES + 1), (None, TRIES));
        let one = |enough: u32| {
            let mut last = 0;
            let done = exchange(1, |seen| {
                last = *seen;
                Ok(if last == enough { Ok(last) } else { Err(last + 1) })
            });
            (done.ok(), last)
        };
        assert_eq!((one(1), one(TRIES_OF_ONE)), ((Some(1), 1), (Some(10_000), 10_000)));
        assert_eq!(one(TRIES_OF_ONE + 1), (None, TRIES_OF_ONE));
        let failed = until_unchanged(|| Err::<Option<()>, _>(CallError::ServerGone));
        assert!(matches!(failed, Err(CallError::ServerGone)));
    }

    #[test]
    fn ranges_are_told_by_their_beginning_and_perhaps_their_end() {
        assert_eq!(bounds(..), (0, None));
        assert_eq!(bounds(2..), (2, None));
        assert_eq!(bounds(2..5), (2, Some(5)));
        assert_eq!(bounds(..=5), (0, Some(6)));
        assert_eq!(bounds(..=usize::MAX), (0, Some(usize::MAX)));
        let behind = (Bound::Excluded(3), Bound::Unbounded);
        assert_eq!(bounds(behind), (4, None));
    }

    #[test]
    fn equal_values_stay_in_their_order() {
        let values = [(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')];
        assert_eq!(sorted(&values, |one, other| one.0.cmp(&other.0)), [1, 3, 0, 2]);
        assert_eq!(kept(&values, |value| value.0 == 1), Some(vec![1, 3]));
        assert_eq!(kept(&values, |_| true), None);
    }
}

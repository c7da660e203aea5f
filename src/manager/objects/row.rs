//! Values in a row, in the server: what lists and arrays have in common.
//!
//! Each change has a number, the *version* after it. Each item has the *stamp* of its own: a version that no other item of the row
//! ever had. So who saw a stamp can tell whether the item is still the one that it saw, and who saw a version whether anything has changed.

use std::collections::VecDeque;

use super::super::error::Refusal;
use super::super::item::{ObjectNumber, Stored};
use super::super::object::{Answer, Arguments};

/// Items by their index.
#[derive(Debug, Default)]
pub(super) struct Row {
    items: VecDeque<Stamped>,
    version: u64,
}

#[derive(Debug)]
struct Stamped {
    stamp: u64,
    value: Stored,
}

/// Bytes that so many of a value take at most: all of them are made while everybody waits.
const MOST_BYTES: u64 = 64 << 20;

/// That `len` of `value` are not too many.
fn fits(len: u64, value: &Stored) -> Result<(), Refusal> {
    let each = size_of::<Stamped>() + value.footprint();
    let bytes = len.saturating_mul(each as u64);
    if bytes > MOST_BYTES {
        return Err(Refusal::TooLong { len: bytes, max: MOST_BYTES });
    }
    Ok(())
}

impl Row {
    /// So many of `value`.
    pub(super) fn filled(len: u64, value: &Stored) -> Result<Self, Refusal> {
        fits(len, value)?;
        let items = VecDeque::with_capacity(usize::try_from(len).unwrap_or(0));
        let mut row = Self { items, version: 0 };
        row.extend((0..len).map(|_| value.clone()));
        Ok(row)
    }

    /// Makes each one `value`.
    pub(super) fn fill(&mut self, value: &Stored) -> Result<(), Refusal> {
        fits(self.len() as u64, value)?;
        (0..self.len()).for_each(|place| drop(self.put(place, value.clone())));
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn references(&self, found: &mut dyn FnMut(ObjectNumber)) {
        self.values().flat_map(Stored::references).copied().for_each(found);
    }

    /// The methods that leave the number of items as it is.
    pub(super) fn call(
        &mut self,
        method: &str,
        arguments: &mut Arguments<'_>,
    ) -> Result<Answer, Refusal> {
        match method {
            "len" => self.asked(arguments, |row| Answer::value(&row.len())),
            "version" => self.asked(arguments, |row| Answer::value(&row.version)),
            "get" => self.get(arguments),
            "last" => self.asked(arguments, |row| Ok(optional(row.values().next_back()))),
            "set" => self.set(arguments).map(|_| Answer::nothing()),
            "replace" => self.set(arguments).map(|old| Answer::stored(&old)),
            "swap" => self.swap(arguments),
            "reverse" => self.reverse(arguments),
            "slice" => self.slice(arguments),
            "set_slice" => self.set_slice(arguments),
            "index" => {
                let same = same_as(arguments)?;
                Answer::value(&self.values().position(same))
            }
            "count" => {
                let same = same_as(arguments)?;
                Answer::value(&self.values().filter(|value| same(value)).count())
            }
            "snapshot" => self.asked(arguments, Self::snapshot),
            "compare_exchange" => self.compare_exchange(arguments),
            "look" => self.look(arguments),
            "exchange" => self.exchange(arguments),
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn asked(
        &self,
        arguments: &Arguments<'_>,
        answer: impl FnOnce(&Self) -> Result<Answer, Refusal>,
    ) -> Result<Answer, Refusal> {
        arguments.finish()?;
        answer(self)
    }

    fn get(&self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let index = arguments.read()?;
        arguments.finish()?;
        Ok(optional(self.place(index).ok().map(|place| &self.items[place].value)))
    }

    /// Sets one, and gives what was there.
    fn set(&mut self, arguments: &mut Arguments<'_>) -> Result<Stored, Refusal> {
        let (index, value) = (arguments.read()?, arguments.value()?);
        arguments.finish()?;
        let place = self.place(index)?;
        Ok(self.put(place, value))
    }

    fn swap(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (one, other) = arguments.read()?;
        arguments.finish()?;
        let (one, other) = (self.place(one)?, self.place(other)?);
        self.items.swap(one, other);
        self.version += 1;
        Ok(Answer::nothing())
    }

    fn reverse(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        arguments.finish()?;
        self.items.make_contiguous().reverse();
        self.version += 1;
        Ok(Answer::nothing())
    }

    fn slice(&self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (start, end) = arguments.read()?;
        arguments.finish()?;
        let (start, end) = self.range(start, end)?;
        Ok(Answer::list(self.items.range(start..end).map(|item| &item.value)))
    }

    fn set_slice(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let start: u64 = arguments.read()?;
        let values = several(arguments)?;
        arguments.finish()?;
        let (start, _) = self.range(start, Some(start.saturating_add(values.len() as u64)))?;
        for (n, value) in values.into_iter().enumerate() {
            self.put(start + n, value);
        }
        Ok(Answer::nothing())
    }

    fn snapshot(&self) -> Result<Answer, Refusal> {
        list_behind(Answer::value(&self.version)?, self.values())
    }

    /// Nothing if it was exchanged, else what is there.
    fn compare_exchange(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let index = arguments.read()?;
        let (current, value) = (arguments.value_bytes()?, arguments.value()?);
        arguments.finish()?;
        let place = self.place(index)?;
        let there = &self.items[place].value;
        if there.bytes() != current {
            return Ok(Answer::some(there));
        }
        self.put(place, value);
        Ok(Answer::none())
    }

    /// An item with its stamp.
    fn look(&self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let index = arguments.read()?;
        arguments.finish()?;
        let Stamped { stamp, value } = &self.items[self.place(index)?];
        Ok(Answer::value(stamp)?.put_stored(value))
    }

    /// Nothing if the item of that stamp was exchanged, else what is there, with its stamp.
    fn exchange(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (index, stamp): (u64, u64) = arguments.read()?;
        let value = arguments.value()?;
        arguments.finish()?;
        let place = self.place(index)?;
        let there = &self.items[place];
        if there.stamp != stamp {
            return Ok(Answer::value(&(true, there.stamp))?.put_stored(&there.value));
        }
        self.put(place, value);
        Ok(Answer::none())
    }

    /// Where `index` is.
    pub(super) fn place(&self, index: u64) -> Result<usize, Refusal> {
        let place = usize::try_from(index).ok().filter(|place| *place < self.len());
        place.ok_or_else(|| self.out_of_range(index))
    }

    /// Where a range begins and ends, which ends with the row if it is not told.
    pub(super) fn range(&self, start: u64, end: Option<u64>) -> Result<(usize, usize), Refusal> {
        let end = end.map_or(Ok(self.len()), |end| self.gap(end))?;
        match usize::try_from(start) {
            Ok(start) if start <= end => Ok((start, end)),
            _ => Err(Refusal::OutOfRange { index: start, len: end as u64 }),
        }
    }

    /// The gap before `index`, or behind all.
    pub(super) fn gap(&self, index: u64) -> Result<usize, Refusal> {
        let gap = usize::try_from(index).ok().filter(|gap| *gap <= self.len());
        gap.ok_or_else(|| self.out_of_range(index))
    }

    fn out_of_range(&self, index: u64) -> Refusal {
        Refusal::OutOfRange { index, len: self.len() as u64 }
    }

    fn values(&self) -> impl ExactSizeIterator<Item = &Stored> + DoubleEndedIterator {
        self.items.iter().map(|item| &item.value)
    }

    fn stamped(&mut self, value: Stored) -> Stamped {
        self.version += 1;
        Stamped { stamp: self.version, value }
    }

    fn put(&mut self, place: usize, value: Stored) -> Stored {
        let new = self.stamped(value);
        std::mem::replace(&mut self.items[place], new).value
    }
}

/// What changes the number of items.
impl Row {
    pub(super) fn push(&mut self, value: Stored) {
        let new = self.stamped(value);
        self.items.push_back(new);
    }

    pub(super) fn extend(&mut self, values: impl IntoIterator<Item = Stored>) {
        for value in values {
            self.push(value);
        }
    }

    /// Puts it into that gap.
    pub(super) fn insert(&mut self, gap: usize, value: Stored) {
        let new = self.stamped(value);
        self.items.insert(gap, new);
    }

    /// Takes them out.
    pub(super) fn drain(&mut self, start: usize, end: usize) -> Vec<Stored> {
        self.version += 1;
        self.items.drain(start..end).map(|item| item.value).collect()
    }

    /// Makes it what these items of it are, in their order, if nothing has changed since `version`.
    pub(super) fn pick(&mut self, version: u64, indices: &[u64]) -> Result<bool, Refusal> {
        let mut places = Vec::with_capacity(indices.len());
        if version != self.version {
            return Ok(false);
        }
        let mut picked = vec![false; self.len()];
        for index in indices {
            let place = self.place(*index)?;
            if std::mem::replace(&mut picked[place], true) {
                return Err(Refusal::Undecodable("an index is there twice".to_owned()));
            }
            places.push(place);
        }
        let mut items: Vec<_> = self.items.drain(..).map(Some).collect();
        self.items.extend(places.into_iter().filter_map(|place| items[place].take()));
        self.version += 1;
        Ok(true)
    }

    /// Makes it `values` if nothing has changed since `version`.
    pub(super) fn put_back(&mut self, version: u64, values: Vec<Stored>) -> bool {
        if version != self.version {
            return false;
        }
        self.drain(0, self.len());
        self.extend(values);
        true
    }
}

/// Whether a value is the same as the argument.
fn same_as<'a>(arguments: &mut Arguments<'a>) -> Result<impl Fn(&Stored) -> bool + 'a, Refusal> {
    let wanted = arguments.value_bytes()?;
    arguments.finish()?;
    Ok(move |value: &Stored| value.bytes() == wanted)
}

/// A count, then so many values.
pub(super) fn several(arguments: &mut Arguments<'_>) -> Result<Vec<Stored>, Refusal> {
    let count: u64 = arguments.read()?;
    (0..count).map(|_| arguments.value()).collect()
}

pub(super) fn optional(value: Option<&Stored>) -> Answer {
    value.map_or_else(Answer::none, Answer::some)
}

/// `answer`, then a list of `values`.
pub(super) fn list_behind<'a>(
    answer: Answer,
    values: impl ExactSizeIterator<Item = &'a Stored>,
) -> Result<Answer, Refusal> {
    let answer = answer.put(&values.len())?;
    Ok(values.fold(answer, Answer::put_stored))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde::Serialize;

    use super::super::super::ledger::Ledger;
    use super::super::super::wire;
    use super::*;

    /// Arguments as a client writes them.
    #[derive(Default)]
    struct Given(Vec<u8>);

    impl Given {
        fn put(mut self, argument: &impl Serialize) -> Self {
            wire::append(argument, &mut self.0).unwrap();
            self
        }

        fn value(mut self, value: u16) -> Self {
            let form = |to: &mut Vec<u8>| wire::append(&value, to).map(|()| Vec::new());
            wire::append_value(&mut self.0, form).unwrap();
            self
        }

        fn to(&self, row: &mut Row, method: &str) -> Result<Vec<u8>, Refusal> {
            let ledger = Arc::new(Ledger::default());
            row.call(method, &mut Arguments::new(&self.0, &ledger)).map(|answer| answer.bytes)
        }
    }

    fn stored(value: u16) -> Stored {
        let mut form = Vec::new();
        wire::append(&value, &mut form).unwrap();
        Stored::new(&form, Vec::new(), &Arc::new(Ledger::default())).unwrap()
    }

    fn row(values: impl IntoIterator<Item = u16>) -> Row {
        let mut row = Row::default();
        row.extend(values.into_iter().map(stored));
        row
    }

    fn form(value: &impl Serialize) -> Vec<u8> {
        Given::default().put(value).0
    }

    fn holds(row: &Row, values: &[u16]) {
        assert!(row.values().eq(&values.iter().copied().map(stored).collect::<Vec<_>>()));
    }

    const fn out_of_range<T>(index: u64, len: u64) -> Result<T, Refusal> {
        Err(Refusal::OutOfRange { index, len })
    }

    #[test]
    fn an_index_says_where_or_how_many_there_are() {
        let row = row([1, 2, 3]);
        assert_eq!((row.place(2), row.place(3)), (Ok(2), out_of_range(3, 3)));
        assert_eq!((row.gap(3), row.gap(u64::MAX)), (Ok(3), out_of_range(u64::MAX, 3)));
        assert_eq!((row.range(0, None), row.range(3, None)), (Ok((0, 3)), Ok((3, 3))));
        assert_eq!(
            (row.range(1, Some(4)), row.range(4, None)),
            (out_of_range(4, 3), out_of_range(4, 3))
        );
        assert_eq!(row.range(2, Some(1)), out_of_range(2, 1));
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut row = row([1, 2, 3]);
        let version = row.version;
        let index = |index: u64| Given::default().put(&index);
        assert_eq!(index(3).value(9).to(&mut row, "set"), out_of_range(3, 3));
        assert_eq!(
            index(2).put(&2u64).value(8).value(9).to(&mut row, "set_slice"),
            out_of_range(4, 3)
        );
        let last = index(u64::MAX).put(&1u64).value(8);
        assert_eq!(last.to(&mut row, "set_slice"), out_of_range(u64::MAX, 3));
        assert_eq!(index(0).put(&3u64).to(&mut row, "swap"), out_of_range(3, 3));
        for (given, method) in [
            (index(0), "set"),
            (index(0).value(9).put(&0u8), "set"),
            (Given::default(), "get"),
            (index(0).put(&u64::MAX).value(1), "set_slice"),
            (Given::default().put(&0u8), "reverse"),
        ] {
            let refused = given.to(&mut row, method);
            assert!(matches!(refused, Err(Refusal::Undecodable(_))), "{method}: {refused:?}");
        }
        let unknown = Err(Refusal::UnknownMethod("push".to_owned()));
        assert_eq!(Given::default().value(1).to(&mut row, "push"), unknown);
        assert_eq!(row.pick(version, &[0, 3]), out_of_range(3, 3));
        assert!(matches!(row.pick(version, &[1, 1]), Err(Refusal::Undecodable(_))));
        assert_eq!(
            (row.pick(version - 1, &[]), row.put_back(version - 1, vec![])),
            (Ok(false), false)
        );
        assert_eq!(row.version, version);
        holds(&row, &[1, 2, 3]);
    }

    #[test]
    fn a_stamp_is_of_one_item_and_goes_with_it() {
        let mut row = row([7, 7, 8]);
        let look = |row: &mut Row| Given::default().put(&0u64).to(row, "look").unwrap();
        let exchange = |row: &mut Row, stamp: u64| {
            Given::default().put(&0u64).put(&stamp).value(9).to(row, "exchange").unwrap()
        };
        assert_eq!(look(&mut row), form(&(1u64, 7u16)));
        row.drain(0, 1);
        assert_eq!(exchange(&mut row, 1), form(&Some((2u64, 7u16))), "another, though the same");
        Given::default().put(&(0u64, 1u64)).to(&mut row, "swap").unwrap();
        assert_eq!(exchange(&mut row, 2), form(&Some((3u64, 8u16))));
        assert_eq!(exchange(&mut row, 3), form(&None::<u8>));
        holds(&row, &[9, 7]);
        assert!(row.pick(row.version, &[1, 0]).unwrap());
        assert_eq!(look(&mut row), form(&(2u64, 7u16)));
    }

    #[test]
    fn so_many_of_a_value_are_made_as_fit() {
        let bytes = |len| Row::filled(len, &stored(1)).map(|row| row.len());
        assert_eq!((bytes(0), bytes(1000)), (Ok(0), Ok(1000)));
        for len in [MOST_BYTES / 32, u64::MAX] {
            assert!(matches!(bytes(len), Err(Refusal::TooLong { max: MOST_BYTES, .. })), "{len}");
        }
    }
}

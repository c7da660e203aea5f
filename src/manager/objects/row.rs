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
mod tests;

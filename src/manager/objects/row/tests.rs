//! Rows as their callers see them.

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
    assert_eq!(index(2).put(&2u64).value(8).value(9).to(&mut row, "set_slice"), out_of_range(4, 3));
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
    assert_eq!((row.pick(version - 1, &[]), row.put_back(version - 1, vec![])), (Ok(false), false));
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

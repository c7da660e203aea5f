//! Random calls of one client: each object does what its like of the standard library does.

mod keys;

use ringway::manager::{Array, CallError, Client, List, Refusal, Running};

use super::serve;
use crate::util::{Name, Random};

pub use keys::{Came, step_of_map, step_of_set};

const STEPS: usize = 400;

fn client(name: &Name) -> (Running, Client) {
    let server = serve(name);
    let client = server.client().unwrap();
    (server, client)
}

/// What a call answers, or which index was refused, and how many it said there are.
fn ranged<R>(answer: Result<R, CallError>) -> Result<R, (u64, u64)> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(CallError::Refused(Refusal::OutOfRange { index, len })) => Err((index, len)),
        Err(other) => panic!("{other}"),
    }
}

/// The same of something that is in range or not.
fn within<R>(
    range: bool,
    index: usize,
    len: usize,
    act: impl FnOnce() -> R,
) -> Result<R, (u64, u64)> {
    if range { Ok(act()) } else { Err((index as u64, len as u64)) }
}

fn value(random: &mut Random) -> u16 {
    u16::try_from(random.below(300)).unwrap() / 25
}

/// Calls that let it grow.
fn grow(list: &List<u16>, vec: &mut Vec<u16>, random: &mut Random) {
    let (value, at, len) = (value(random), random.below(vec.len() + 2), vec.len());
    match random.below(3) {
        0 => {
            list.push(&value).unwrap();
            vec.push(value);
        }
        1 => {
            let inserted = ranged(list.insert(at, &value));
            assert_eq!(inserted, within(at <= len, at, len, || vec.insert(at, value)));
        }
        _ => {
            list.extend(&[value, 3, value]).unwrap();
            vec.extend([value, 3, value]);
        }
    }
}

/// Calls that let it shrink.
fn shrink(list: &List<u16>, vec: &mut Vec<u16>, random: &mut Random) {
    let (value, at, len) = (value(random), random.below(vec.len() + 2), vec.len());
    match random.below(9) {
        0 | 1 => assert_eq!(list.pop().unwrap(), vec.pop()),
        2 | 3 => {
            let first = (len > 0).then(|| vec.remove(0));
            assert_eq!(list.pop_first().unwrap(), first);
        }
        4 | 5 => assert_eq!(ranged(list.remove(at)), within(at < len, at, len, || vec.remove(at))),
        6 => {
            list.retain(|there| *there != value).unwrap();
            vec.retain(|there| *there != value);
        }
        7 => {
            let drained = ranged(list.drain(at..));
            assert_eq!(drained, within(at <= len, at, len, || vec.drain(at..).collect()));
        }
        _ => {
            list.truncate(at + len / 2).unwrap();
            vec.truncate(at + len / 2);
        }
    }
}

/// Calls that leave its length. Those of arrays are the same.
macro_rules! change {
    ($row:expr, $slice:expr, $random:expr) => {{
        let (row, slice, random) = ($row, $slice, $random);
        let (value, len) = (value(random), slice.len());
        let (at, to) = (random.below(len + 2), random.below(len + 2));
        let there = at < len;
        match random.below(11) {
            0 => {
                let set = ranged(row.set(at, &value));
                assert_eq!(set, within(there, at, len, || slice[at] = value));
            }
            1 => {
                let old = within(there, at, len, || std::mem::replace(&mut slice[at], value));
                assert_eq!(ranged(row.replace(at, &value)), old);
            }
            2 => {
                let bad = if there { to } else { at };
                let swapped = within(there && to < len, bad, len, || slice.swap(at, to));
                assert_eq!(ranged(row.swap(at, to)), swapped);
            }
            3 => {
                let fits = at + 2 <= len;
                let set = ranged(row.set_slice(at, &[value, 4]));
                let both = || slice[at..at + 2].copy_from_slice(&[value, 4]);
                assert_eq!(set, within(fits, at + 2, len, both));
            }
            4 => {
                let other = within(there, at, len, || {
                    if slice[at] != value {
                        return Err(slice[at]);
                    }
                    slice[at] = 5;
                    Ok(())
                });
                assert_eq!(ranged(row.compare_exchange(at, &value, &5)), other);
            }
            5 => {
                let new = within(there, at, len, || {
                    slice[at] += 1;
                    slice[at]
                });
                assert_eq!(ranged(row.update(at, |old| old + 1)), new);
            }
            6 => {
                row.reverse().unwrap();
                slice.reverse();
            }
            7 => {
                row.sort().unwrap();
                slice.sort_unstable();
            }
            8 => {
                row.sort_by_key(|value| value % 4).unwrap();
                slice.sort_by_key(|value| value % 4);
            }
            9 => {
                let seen = row.snapshot().unwrap();
                let new: Vec<u16> = seen.iter().map(|value| value / 2).collect();
                assert!(row.put_back(seen.version(), &new).unwrap());
                slice.copy_from_slice(&new);
                // An array of none can be put back without a trace.
                assert!(len == 0 || !row.put_back(seen.version(), &new).unwrap());
            }
            _ => {
                let bad = if to > len { to } else { at };
                let has = if to > len { len } else { to };
                let slice = within(to <= len && at <= to, bad, has, || slice[at..to].to_vec());
                assert_eq!(ranged(row.slice(at..to)), slice);
            }
        }
    }};
}

/// Everything that can be asked is as it is in a slice.
macro_rules! look {
    ($row:expr, $slice:expr, $value:expr) => {{
        let (row, slice, value) = ($row, $slice, $value);
        assert_eq!(row.to_vec().unwrap(), slice[..]);
        assert_eq!(row.len().unwrap(), slice.len());
        assert_eq!(row.is_empty().unwrap(), slice.is_empty());
        assert_eq!(row.get(usize::from(value)).unwrap(), slice.get(usize::from(value)).copied());
        assert_eq!(row.first().unwrap(), slice.first().copied());
        assert_eq!(row.last().unwrap(), slice.last().copied());
        assert_eq!(row.contains(&value).unwrap(), slice.contains(&value));
        assert_eq!(row.index(&value).unwrap(), slice.iter().position(|there| *there == value));
        let same = slice.iter().filter(|there| **there == value).count();
        assert_eq!(row.count(&value).unwrap(), same);
        assert_eq!(row.snapshot().unwrap().version(), row.version().unwrap());
    }};
}

pub fn step_of_list(list: &List<u16>, vec: &mut Vec<u16>, random: &mut Random) {
    match random.below(10) {
        0..3 => grow(list, vec, random),
        3..5 => shrink(list, vec, random),
        _ => change!(list, vec, random),
    }
}

pub fn step_of_array(array: &Array<u16>, slice: &mut Vec<u16>, random: &mut Random) {
    change!(array, slice, random);
}

#[test]
fn a_list_is_a_vec() {
    let name = Name::new("model");
    let (_server, client) = client(&name);
    let list = client.list::<u16>("list").unwrap();
    let (mut vec, mut random) = (Vec::<u16>::new(), Random(1));
    for step in 0..STEPS {
        step_of_list(&list, &mut vec, &mut random);
        match step % 40 {
            0 => look!(&list, &vec, value(&mut random)),
            1 => {
                let dedup = |mut all: Vec<u16>| {
                    all.dedup();
                    all
                };
                vec.dedup();
                assert_eq!(list.update_all(dedup).unwrap(), vec);
            }
            2 if step % 3 == 0 => {
                list.clear().unwrap();
                vec.clear();
            }
            _ => assert_eq!(list.to_vec().unwrap(), vec, "step {step}"),
        }
    }
}

#[test]
fn an_array_is_a_slice() {
    let name = Name::new("model");
    let (_server, client) = client(&name);
    for len in [0, 1, 9] {
        let array: Array<u16> = client.new_array(len, &7).unwrap();
        let (mut slice, mut random) = (vec![7u16; len], Random(2));
        for step in 0..STEPS / 2 {
            step_of_array(&array, &mut slice, &mut random);
            if step % 97 == 0 {
                array.fill(&9).unwrap();
                slice.fill(9);
            }
            if step % 16 == 0 {
                look!(&array, &slice, value(&mut random));
            }
        }
    }
}

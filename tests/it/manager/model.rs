//! Random calls of one client: each object does what its like of the standard library does.

use std::collections::BTreeMap;

use ringway::manager::{Array, CallError, Client, List, Map, Namespace, Refusal, Running, Set};

use super::serve;
use crate::util::{Name, Random};

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

/// The entries of a map or set in the order in which they came.
#[derive(Debug, Default, PartialEq)]
pub struct Came(pub Vec<(String, u16)>);

impl Came {
    fn get(&self, key: &str) -> Option<u16> {
        self.0.iter().find(|(there, _)| there == key).map(|(_, value)| *value)
    }

    fn insert(&mut self, key: &str, value: u16) -> Option<u16> {
        match self.0.iter_mut().find(|(there, _)| there == key) {
            Some((_, there)) => return Some(std::mem::replace(there, value)),
            None => self.0.push((key.to_owned(), value)),
        }
        None
    }

    fn remove(&mut self, key: &str) -> Option<u16> {
        let at = self.0.iter().position(|(there, _)| there == key)?;
        Some(self.0.remove(at).1)
    }

    /// Inserts a value, or removes what is there.
    fn put(&mut self, key: &str, value: Option<u16>) {
        match value {
            Some(value) => self.insert(key, value),
            None => self.remove(key),
        };
    }
}

pub fn step_of_map(map: &Map<String, u16>, model: &mut Came, random: &mut Random) {
    let (key, value) = (format!("key {}", random.below(25)), value(random));
    match random.below(12) {
        0..3 => assert_eq!(map.insert(&key, &value).unwrap(), model.insert(&key, value)),
        3..5 => assert_eq!(map.remove(&key).unwrap(), model.remove(&key)),
        5 => {
            let there = model.get(&key).unwrap_or(value);
            model.insert(&key, there);
            assert_eq!(map.get_or_insert(&key, &value).unwrap(), there);
            assert_eq!(map.get_or_insert_with(&key, || 99).unwrap(), there);
        }
        6 => assert_eq!(map.pop().unwrap(), model.0.pop()),
        7 => {
            let more = BTreeMap::from([(key.clone(), value), ("z".to_owned(), 1)]);
            map.extend(&more).unwrap();
            for (key, value) in &more {
                model.insert(key, *value);
            }
        }
        8 => {
            let (current, new) = (Some(6).filter(|_| value > 5), Some(3).filter(|_| value > 3));
            let there = model.get(&key);
            let same = if there == current { Ok(()) } else { Err(there) };
            if same.is_ok() {
                model.put(&key, new);
            }
            let exchanged = map.compare_exchange(&key, current.as_ref(), new.as_ref()).unwrap();
            assert_eq!(exchanged, same);
        }
        9 | 10 => {
            let change = |old: Option<&u16>| old.map_or(Some(6), |old| old.checked_sub(1));
            let new = change(model.get(&key).as_ref());
            model.put(&key, new);
            assert_eq!(map.update(&key, change).unwrap(), new);
        }
        _ => {
            map.retain(|key, there| key.len() < 6 || *there != value).unwrap();
            model.0.retain(|(key, there)| key.len() < 6 || *there != value);
        }
    }
    assert_eq!(map.get(&key).unwrap(), model.get(&key));
    assert_eq!(map.contains_key(&key).unwrap(), model.get(&key).is_some());
}

#[test]
fn a_map_is_a_list_of_pairs_with_keys_that_come_once() {
    let name = Name::new("model");
    let (_server, client) = client(&name);
    let map = client.map::<String, u16>("map").unwrap();
    let (mut model, mut random) = (Came::default(), Random(3));
    for step in 0..STEPS {
        step_of_map(&map, &mut model, &mut random);
        if step % 200 == 0 {
            map.clear().unwrap();
            model.0.clear();
        }
        assert_eq!(map.items().unwrap(), model.0);
        if step % 16 > 0 {
            continue;
        }
        let (keys, values): (Vec<String>, Vec<u16>) = model.0.iter().cloned().unzip();
        assert_eq!((map.keys().unwrap(), map.values().unwrap()), (keys, values));
        assert_eq!(map.len().unwrap(), model.0.len());
        assert_eq!(map.is_empty().unwrap(), model.0.is_empty());
        assert_eq!(map.snapshot().unwrap().version(), map.version().unwrap());
    }
}

pub fn step_of_set(set: &Set<u16>, model: &mut Vec<u16>, random: &mut Random) {
    let value = value(random);
    let is_in = model.contains(&value);
    let add = |model: &mut Vec<u16>, value| {
        let new = !model.contains(&value);
        if new {
            model.push(value);
        }
        new
    };
    match random.below(6) {
        0..2 => assert_eq!(set.insert(&value).unwrap(), add(model, value)),
        2 => {
            assert_eq!(set.remove(&value).unwrap(), is_in);
            model.retain(|there| *there != value);
        }
        3 => assert_eq!(set.pop().unwrap(), model.pop()),
        4 => {
            let more = [value, value / 2, value];
            let new = more.iter().filter(|value| add(model, **value)).count();
            assert_eq!(set.extend(&more).unwrap(), new);
        }
        _ => {
            set.retain(|there| there % 7 != value % 7).unwrap();
            model.retain(|there| there % 7 != value % 7);
        }
    }
    assert_eq!(set.contains(&value).unwrap(), model.contains(&value));
}

#[test]
fn a_set_is_a_list_of_values_that_come_once() {
    let name = Name::new("model");
    let (_server, client) = client(&name);
    let (set, other) = (client.set::<u16>("set").unwrap(), client.new_set::<u16>().unwrap());
    let (mut model, mut theirs, mut random) = (Vec::new(), Vec::new(), Random(4));
    for step in 0..STEPS / 2 {
        step_of_set(&set, &mut model, &mut random);
        step_of_set(&other, &mut theirs, &mut random);
        if step % 200 == 0 {
            set.clear().unwrap();
            model.clear();
        }
        assert_eq!(set.items().unwrap(), model);
        if step % 16 > 0 {
            continue;
        }
        assert_eq!((set.len().unwrap(), set.is_empty().unwrap()), (model.len(), model.is_empty()));
        assert_eq!(set.snapshot().unwrap().version(), set.version().unwrap());
        let (both, mine): (Vec<u16>, Vec<u16>) =
            model.iter().partition(|value| theirs.contains(value));
        let only: Vec<u16> = theirs.iter().copied().filter(|there| !both.contains(there)).collect();
        assert_eq!(set.union(&other).unwrap(), [&model[..], &only].concat());
        assert_eq!(set.intersection(&other).unwrap(), both);
        assert_eq!(set.difference(&other).unwrap(), mine);
        assert_eq!(set.symmetric_difference(&other).unwrap(), [&mine[..], &only].concat());
        assert_eq!(set.is_subset(&other).unwrap(), mine.is_empty());
        assert_eq!(set.is_disjoint(&other).unwrap(), both.is_empty());
    }
}

/// What a namespace may have of a name.
#[derive(Clone, Debug, PartialEq)]
enum Held {
    Number(u64),
    Text(String),
}

impl Held {
    /// What it is if a number is asked for: that, or nothing if it is something else.
    fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }
}

/// The answer, or nothing if it is of another type.
fn typed<R>(answer: Result<R, CallError>) -> Option<R> {
    match answer {
        Ok(answer) => Some(answer),
        Err(CallError::Refused(Refusal::WrongType { is, wanted })) => {
            assert!(is.ends_with("String") && wanted == "u64", "{is}, {wanted}");
            None
        }
        Err(other) => panic!("{other}"),
    }
}

fn step_of_namespace(space: &Namespace, model: &mut BTreeMap<String, Held>, random: &mut Random) {
    let (name, number) = (format!("name {}", random.below(8)), random.next());
    let there = model.get(&name).cloned();
    match random.below(6) {
        0 => {
            space.set(&name, &number).unwrap();
            model.insert(name.clone(), Held::Number(number));
        }
        1 => {
            space.set(&name, &number.to_string()).unwrap();
            model.insert(name.clone(), Held::Text(number.to_string()));
        }
        2 => {
            let got = there.as_ref().map_or(Some(number), Held::number);
            assert_eq!(typed(space.get_or_set(&name, &number)), got);
            model.entry(name.clone()).or_insert(Held::Number(number));
        }
        3 => {
            let change = |old: Option<&u64>| old.map_or(1, |old| old / 2);
            let new = match &there {
                Some(Held::Text(_)) => None,
                other => Some(change(other.as_ref().and_then(Held::number).as_ref())),
            };
            assert_eq!(typed(space.update(&name, change)), new);
            new.map(|new| model.insert(name.clone(), Held::Number(new)));
        }
        4 => assert_eq!(space.remove(&name).unwrap(), model.remove(&name).is_some()),
        _ => {}
    }
    let there = model.get(&name);
    assert_eq!(
        typed(space.get::<u64>(&name)),
        there.map_or(Some(None), |held| held.number().map(Some))
    );
    assert_eq!(space.contains(&name).unwrap(), there.is_some());
}

#[test]
fn a_namespace_is_a_map_of_values_that_know_their_types() {
    let name = Name::new("model");
    let (_server, client) = client(&name);
    let space = client.namespace("space").unwrap();
    let (mut model, mut random) = (BTreeMap::new(), Random(5));
    for step in 0..STEPS {
        step_of_namespace(&space, &mut model, &mut random);
        if step % 200 == 0 {
            space.clear().unwrap();
            model.clear();
        }
        if step % 16 > 0 {
            continue;
        }
        assert!(space.names().unwrap().iter().eq(model.keys()));
        assert_eq!(space.len().unwrap(), model.len());
        assert_eq!(space.is_empty().unwrap(), model.is_empty());
    }
}

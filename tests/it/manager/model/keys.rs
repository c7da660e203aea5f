//! Maps, sets and namespaces.

use std::collections::BTreeMap;

use ringway::manager::{CallError, Map, Namespace, Refusal, Set};

use super::{STEPS, client, value};
use crate::util::{Name, Random};

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

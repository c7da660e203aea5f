//! Values of every shape that serde knows, in every object.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ringway::Fingerprint;
use ringway::manager::{Client, Item};
use serde::{Deserialize, Serialize};

use super::serve;
use crate::util::Name;

#[derive(Serialize, Deserialize, Fingerprint, Clone, Debug, PartialEq)]
struct Unit;

#[derive(Serialize, Deserialize, Fingerprint, Clone, Debug, PartialEq)]
struct Wrapper(i128);

#[derive(Serialize, Deserialize, Fingerprint, Clone, Debug, PartialEq)]
enum Tree {
    Nothing,
    Leaf(f64),
    Pair(char, Box<Tree>),
    Branch { name: Cow<'static, str>, below: Vec<Tree> },
}

#[derive(Serialize, Deserialize, Fingerprint, Clone, Debug, PartialEq)]
struct Everything {
    unit: (),
    structure: Unit,
    wrapper: Wrapper,
    tree: Tree,
    numbers: (i8, u16, i32, u64, u128, f32),
    options: [Option<bool>; 3],
    map: BTreeMap<String, Vec<(u8, Option<String>)>>,
    result: Result<Duration, IpAddr>,
    path: PathBuf,
    #[serde(rename = "bits")]
    bytes: Vec<u8>,
}

fn everything() -> Everything {
    let leaf = Tree::Pair('ß', Box::new(Tree::Leaf(f64::MIN_POSITIVE)));
    Everything {
        unit: (),
        structure: Unit,
        wrapper: Wrapper(i128::MIN),
        tree: Tree::Branch { name: "root".into(), below: vec![Tree::Nothing, leaf] },
        numbers: (-1, u16::MAX, i32::MIN, u64::MAX, u128::MAX, -0.0),
        options: [None, Some(true), Some(false)],
        map: BTreeMap::from([(String::new(), vec![(0, None), (1, Some("x".repeat(500)))])]),
        result: Err("::1".parse().unwrap()),
        path: "/dev/shm".into(),
        bytes: (0..=255).collect(),
    }
}

/// Puts `value` into each object and takes it out.
fn goes_everywhere<T: Item + Clone + PartialEq + std::fmt::Debug>(client: &Client, value: &T) {
    let list = client.new_list::<T>().unwrap();
    list.extend(&[value.clone(), value.clone()]).unwrap();
    assert_eq!(list.index(value).unwrap(), Some(0));
    assert_eq!(list.to_vec().unwrap(), [value.clone(), value.clone()]);
    assert_eq!(list.compare_exchange(1, value, value).unwrap(), Ok(()));
    let map = client.new_map::<T, T>().unwrap();
    assert_eq!(map.insert(value, value).unwrap(), None);
    assert_eq!(map.pop().unwrap(), Some((value.clone(), value.clone())));
    let set = client.new_set::<T>().unwrap();
    assert!(set.insert(value).unwrap() && !set.insert(value).unwrap());
    assert_eq!(set.items().unwrap(), std::slice::from_ref(value));
    let array = client.new_array(3, value).unwrap();
    assert_eq!(array.slice(1..).unwrap(), [value.clone(), value.clone()]);
    let space = client.new_namespace().unwrap();
    space.set("value", value).unwrap();
    assert_eq!(space.get::<T>("value").unwrap().as_ref(), Some(value));
    assert_eq!(client.new_value(value).unwrap().get().unwrap(), *value);
}

#[test]
fn values_of_every_shape_go_into_every_object_and_come_out() {
    let name = Name::new("shapes");
    let server = serve(&name);
    let client = server.client().unwrap();
    goes_everywhere(&client, &everything());
    goes_everywhere(&client, &());
    goes_everywhere(&client, &Unit);
    goes_everywhere(&client, &Some(Some(Option::<u8>::None)));
    goes_everywhere(&client, &vec![everything(); 20]);
    goes_everywhere(&client, &"text".to_owned());
    goes_everywhere(&client, &HashMap::from([(1u8, "one".to_owned())]));
    goes_everywhere(&client, &vec![7u8; 150_000]);
}

#[test]
fn values_are_the_same_if_their_bytes_are() {
    let name = Name::new("bytes");
    let server = serve(&name);
    let client = server.client().unwrap();
    let numbers = client.new_map::<u32, f64>().unwrap();
    numbers.insert(&1, &f64::NAN).unwrap();
    assert_eq!(numbers.compare_exchange(&1, Some(&f64::NAN), Some(&0.0)).unwrap(), Ok(()));
    let zero = numbers.compare_exchange(&1, Some(&-0.0), None).unwrap();
    assert!(matches!(zero, Err(Some(zero)) if zero.is_sign_positive()));
}

#[test]
fn what_has_several_forms_is_updated_all_the_same() {
    let name = Name::new("forms");
    let server = serve(&name);
    let client = server.client().unwrap();
    let start: HashMap<u32, u32> = (0..50).map(|n| (n, n)).collect();
    let next = |old: &HashMap<u32, u32>| old.iter().map(|(key, n)| (*key, n + 1)).collect();
    let next_if = |old: Option<&HashMap<u32, u32>>| Some(old.map_or(HashMap::new(), next));
    let (list, map) = (client.new_list().unwrap(), client.new_map().unwrap());
    let space = client.new_namespace().unwrap();
    list.push(&start).unwrap();
    map.insert(&0u8, &start).unwrap();
    space.set("map", &start).unwrap();
    assert_eq!(list.update(0, next).unwrap(), next(&start));
    assert_eq!(map.update(&0, next_if).unwrap(), Some(next(&start)));
    let updated = space.update("map", |old: Option<&HashMap<u32, u32>>| next(old.unwrap()));
    assert_eq!(updated.unwrap(), next(&start));
    assert_eq!(client.new_value(&start).unwrap().update(next).unwrap(), next(&start));
}

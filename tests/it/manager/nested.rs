//! Objects within objects: reached as proxies, alive while anything has them, gone with the last.

use ringway::Fingerprint;
use ringway::manager::{Client, List, Map, Namespace, Set, Value};
use serde::{Deserialize, Serialize};

use super::{counts, serve};
use crate::util::child::{Child, hear, say};
use crate::util::{LONG, Name, eventually};

/// Lists by name.
type Lists = Map<String, List<u64>>;

pub fn play(role: &str, arguments: &[&str]) {
    let client = Client::connect(arguments[0]).unwrap();
    let lists: Lists = client.map("lists").unwrap();
    match role {
        // Changes a list of another's, and adds one.
        "add" => {
            let even = lists.get(&"even".to_owned()).unwrap().unwrap();
            even.extend(&[4, 6]).unwrap();
            let odd = client.new_list().unwrap();
            odd.push(&1).unwrap();
            lists.insert(&"odd".to_owned(), &odd).unwrap();
            drop((even, odd));
            say("added");
        }
        "hold" => {
            let held: Vec<_> = lists.values().unwrap();
            let new = client.new_list::<u64>().unwrap();
            say(&format!("holds {}", held.len()));
            hear();
            drop(new);
        }
        _ => panic!("no role {role}"),
    }
    hear();
}

/// Waits until there are so many objects.
#[track_caller]
fn comes_to(name: &Name, objects: usize) {
    assert!(eventually(LONG, || counts(name).1 == objects), "{:?}, not {objects}", counts(name));
}

#[test]
fn a_list_in_a_map_is_one_list_to_all_and_stays_with_the_map() {
    let name = Name::new("nested");
    let server = serve(&name);
    let client = server.client().unwrap();
    let lists: Lists = client.map("lists").unwrap();
    let even = client.new_list::<u64>().unwrap();
    even.push(&2).unwrap();
    lists.insert(&"even".to_owned(), &even).unwrap();

    let child = Child::spawn("manager::nested::add", &[&name]);
    child.expect("added");
    assert_eq!(even.to_vec().unwrap(), [2, 4, 6]);
    child.kill();
    let odd = lists.get(&"odd".to_owned()).unwrap().unwrap();
    odd.push(&3).unwrap();
    assert_eq!(lists.get(&"odd".to_owned()).unwrap().unwrap().to_vec().unwrap(), [1, 3]);
    assert_eq!(lists.get(&"even".to_owned()).unwrap(), Some(even.clone()), "the same object");

    // Without proxies the map alone keeps them; taken out they live while anybody has one.
    drop((even, odd));
    comes_to(&name, 3);
    let odd = lists.remove(&"odd".to_owned()).unwrap().unwrap();
    assert_eq!(odd.len().unwrap(), 2);
    drop(odd);
    comes_to(&name, 2);
    drop(lists);
    comes_to(&name, 0);
}

type Way<'a> = &'a dyn Fn();

#[test]
fn each_way_out_of_an_object_lets_go_of_what_was_in_it() {
    let name = Name::new("let-go");
    let server = serve(&name);
    let client = server.client().unwrap();
    let list = client.new_list::<List<u8>>().unwrap();
    let map = client.new_map::<List<u8>, Value<u8>>().unwrap();
    let set = client.new_set::<List<u8>>().unwrap();
    let array = client.new_array::<Option<List<u8>>>(2, &None).unwrap();
    let space = client.new_namespace().unwrap();
    let inner = || client.new_list::<u8>().unwrap();
    let one = || client.new_value(&1u8).unwrap();
    // Each row: puts something in, takes all of it out.
    let ways: [(Way<'_>, Way<'_>); 12] = [
        (&|| list.push(&inner()).unwrap(), &|| drop(list.pop().unwrap())),
        (&|| list.extend(&[inner(), inner()]).unwrap(), &|| list.clear().unwrap()),
        (&|| list.insert(0, &inner()).unwrap(), &|| list.retain(|_| false).unwrap()),
        (&|| list.push(&inner()).unwrap(), &|| drop(list.drain(..).unwrap())),
        (&|| list.push(&inner()).unwrap(), &|| drop(list.update_all(|_| Vec::new()).unwrap())),
        (&|| drop(map.insert(&inner(), &one()).unwrap()), &|| drop(map.pop().unwrap())),
        (&|| drop(map.insert(&inner(), &one()).unwrap()), &|| map.clear().unwrap()),
        (&|| drop(map.insert(&inner(), &one()).unwrap()), &|| map.retain(|_, _| false).unwrap()),
        (&|| assert!(set.insert(&inner()).unwrap()), &|| drop(set.pop().unwrap())),
        (&|| assert!(set.insert(&inner()).unwrap()), &|| set.retain(|_| false).unwrap()),
        (&|| array.fill(&Some(inner())).unwrap(), &|| array.fill(&None).unwrap()),
        (&|| space.set("list", &inner()).unwrap(), &|| space.set("list", &0u8).unwrap()),
    ];
    for (n, (put, take)) in ways.into_iter().enumerate() {
        comes_to(&name, 5);
        put();
        assert!(counts(&name).1 > 5, "way {n}");
        take();
    }
    comes_to(&name, 5);
}

#[test]
fn what_is_sorted_picked_and_exchanged_keeps_what_it_refers_to() {
    let name = Name::new("kept");
    let server = serve(&name);
    let client = server.client().unwrap();
    let list: List<(u32, Value<u32>)> = client.list("list").unwrap();
    for n in [3, 1, 2] {
        list.push(&(n, client.new_value(&n).unwrap())).unwrap();
    }
    comes_to(&name, 4);
    list.sort_by_key(|(n, _)| *n).unwrap();
    list.retain(|(n, _)| *n != 2).unwrap();
    comes_to(&name, 3);
    list.update(0, |(_, value)| (9, value.clone())).unwrap();
    list.swap(0, 1).unwrap();
    let there: Vec<_> = list.to_vec().unwrap();
    assert_eq!(there.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [3, 9]);
    let values = there.iter().map(|(_, value)| value.get().unwrap());
    assert_eq!(values.collect::<Vec<_>>(), [3, 1]);
    let key = client.new_set::<(u32, Value<u32>)>().unwrap();
    key.extend(&there).unwrap();
    assert!(key.contains(&there[1]).unwrap());
    drop((list, there));
    comes_to(&name, 3);
    drop(key);
    comes_to(&name, 0);
}

#[test]
fn what_a_killed_client_held_goes_and_what_others_hold_stays() {
    let name = Name::new("held");
    let server = serve(&name);
    let client = server.client().unwrap();
    let lists: Lists = client.map("lists").unwrap();
    for n in 0..5 {
        lists.insert(&n.to_string(), &client.new_list().unwrap()).unwrap();
    }
    let child = Child::spawn("manager::nested::hold", &[&name]);
    child.expect("holds 5");
    comes_to(&name, 7);
    lists.remove(&"0".to_owned()).unwrap();
    lists.remove(&"1".to_owned()).unwrap();
    assert_eq!(counts(&name).1, 7, "the other holds them");
    child.kill();
    comes_to(&name, 4);
    let left = lists.values().unwrap();
    for list in &left {
        list.push(&1).unwrap();
    }
    assert_eq!(left.len(), 3);
}

/// A list of more of the same.
#[derive(Serialize, Deserialize, Fingerprint)]
struct Node {
    next: Option<List<Node>>,
}

#[test]
fn objects_that_only_refer_to_each_other_go_when_a_session_ends() {
    let name = Name::new("cycles");
    let server = serve(&name);
    let here = server.client().unwrap();
    let there = Client::connect(&name).unwrap();
    let (one, other) = (there.new_list::<Node>().unwrap(), there.new_list::<Node>().unwrap());
    one.push(&Node { next: Some(other.clone()) }).unwrap();
    other.push(&Node { next: Some(one.clone()) }).unwrap();
    let space: Namespace = there.namespace("space").unwrap();
    space.set("itself", &space).unwrap();
    let named = here.namespace("space").unwrap();
    let set: Set<Namespace> = there.new_set().unwrap();
    set.insert(&space).unwrap();
    comes_to(&name, 4);
    drop((one, other, space, set, there));
    comes_to(&name, 1);
    let itself: Namespace = named.get("itself").unwrap().unwrap();
    assert_eq!(itself, named);
    drop((named, itself, here));
    comes_to(&name, 0);
}

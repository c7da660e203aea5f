//! Several processes call each object in turn, at random: whoever's turn it is finds what the one before left, and each call does
//! what its like of the standard library does.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::Duration;

use ringway::manager::{Array, Client, List, Map, Queue, QueueError, Set, Value};

use super::model::{Came, step_of_array, step_of_list, step_of_map, step_of_set};
use super::serve;
use crate::util::child::{Child, hear, say};
use crate::util::{Name, Random};

const KINDS: [&str; 6] = ["list", "array", "map", "set", "value", "queue"];
const PROCESSES: usize = 3;
/// Of each process, with each object.
const TURNS: usize = 4;
const STEPS: usize = 12;
/// Items that the queue has room for.
const BOUND: usize = 6;

pub fn play(role: &str, arguments: &[&str]) {
    let client = Client::connect(arguments[0]).unwrap();
    assert_eq!(role, "act");
    say("ready");
    loop {
        let line = hear();
        let (kind, seed) = line.split_once(' ').unwrap();
        let (found, left) = turn(&client, kind, &mut Random(seed.parse().unwrap()));
        say(&format!("{found} then {left}"));
    }
}

/// Takes steps from what `object` is, and compares what it is then. What it was before and after.
fn turn_of<O, M: PartialEq + Debug>(
    object: &O,
    now: impl Fn(&O) -> M,
    mut step: impl FnMut(&O, &mut M),
) -> (String, String) {
    let mut model = now(object);
    let found = format!("{model:?}");
    for _ in 0..STEPS {
        step(object, &mut model);
    }
    assert_eq!(now(object), model);
    (found, format!("{model:?}"))
}

fn turn(client: &Client, kind: &str, random: &mut Random) -> (String, String) {
    match kind {
        "list" => {
            let list: List<u16> = client.list("list").unwrap();
            turn_of(&list, |it| it.to_vec().unwrap(), |it, model| step_of_list(it, model, random))
        }
        "array" => {
            let array: Array<u16> = client.array("array", 5, &7).unwrap();
            turn_of(&array, |it| it.to_vec().unwrap(), |it, model| step_of_array(it, model, random))
        }
        "map" => {
            let map: Map<String, u16> = client.map("map").unwrap();
            turn_of(
                &map,
                |it| Came(it.items().unwrap()),
                |it, model| step_of_map(it, model, random),
            )
        }
        "set" => {
            let set: Set<u16> = client.set("set").unwrap();
            turn_of(&set, |it| it.items().unwrap(), |it, model| step_of_set(it, model, random))
        }
        "value" => {
            let value: Value<u64> = client.value("value", &0).unwrap();
            turn_of(&value, |it| it.get().unwrap(), |it, model| step_of_value(it, model, random))
        }
        "queue" => {
            let queue: Queue<u64> = client.queue("queue", Some(BOUND as u64)).unwrap();
            turn_of(&queue, items_of, |it, model| step_of_queue(it, model, random))
        }
        _ => panic!("no {kind}"),
    }
}

fn step_of_value(value: &Value<u64>, model: &mut u64, random: &mut Random) {
    let new = random.next() % 4;
    match random.below(4) {
        0 => {
            value.set(&new).unwrap();
            *model = new;
        }
        1 => assert_eq!(value.swap(&new).unwrap(), std::mem::replace(model, new)),
        2 => {
            let there = if *model == new { Ok(()) } else { Err(*model) };
            assert_eq!(value.compare_exchange(&new, &9).unwrap(), there);
            *model = if there.is_ok() { 9 } else { *model };
        }
        _ => {
            *model += new;
            assert_eq!(value.update(|old| old + new).unwrap(), *model);
        }
    }
    assert_eq!(value.get().unwrap(), *model);
}

/// All items, which are taken out to be seen, and put back.
fn items_of(queue: &Queue<u64>) -> VecDeque<u64> {
    let items: VecDeque<u64> = std::iter::from_fn(|| match queue.try_get() {
        Ok(item) => Some(item),
        Err(QueueError::Empty) => None,
        Err(other) => panic!("{other}"),
    })
    .collect();
    for item in &items {
        queue.put(item).unwrap();
    }
    items
}

fn step_of_queue(queue: &Queue<u64>, model: &mut VecDeque<u64>, random: &mut Random) {
    let (item, room) = (random.next() % 100, model.len() < BOUND);
    match random.below(4) {
        0 => {
            let put = queue.try_put(&item);
            assert!(matches!(put, Ok(()) if room) || matches!(put, Err(QueueError::Full) if !room));
            model.extend(room.then_some(item));
        }
        1 => {
            let put = queue.put_timeout(&item, Duration::ZERO);
            let full = matches!(put, Err(QueueError::Timeout));
            assert!(if room { put.is_ok() } else { full }, "{put:?}");
            model.extend(room.then_some(item));
        }
        2 if !model.is_empty() => assert_eq!(Some(queue.get().unwrap()), model.pop_front()),
        _ => match queue.try_get() {
            Ok(item) => assert_eq!(Some(item), model.pop_front()),
            Err(QueueError::Empty) => assert_eq!(model.len(), 0),
            Err(other) => panic!("{other}"),
        },
    }
    assert_eq!(queue.len().unwrap(), model.len() as u64);
}

#[test]
fn whoever_of_several_processes_calls_an_object_is_as_its_like() {
    let name = Name::new("turns");
    let server = serve(&name);
    let client = server.client().unwrap();
    let _held = (
        (client.list::<u16>("list").unwrap(), client.array::<u16>("array", 5, &7).unwrap()),
        (client.map::<String, u16>("map").unwrap(), client.set::<u16>("set").unwrap()),
        client.value::<u64>("value", &0).unwrap(),
        client.queue::<u64>("queue", Some(BOUND as u64)).unwrap(),
    );
    let start = |_| Child::spawn("manager::turns::act", &[&name]);
    let mut children: Vec<Child> = (0..PROCESSES).map(start).collect();
    for child in &children {
        child.expect("ready");
    }
    let mut random = Random(8);
    for kind in KINDS {
        let (_, mut last) = turn(&client, kind, &mut random);
        for number in 0..PROCESSES * TURNS {
            let child = &mut children[number % PROCESSES];
            child.tell(&format!("{kind} {}", random.next()));
            let said = child.line();
            let (found, left) = said.split_once(" then ").unwrap();
            assert_eq!(found, last, "{kind}");
            left.clone_into(&mut last);
        }
    }
}

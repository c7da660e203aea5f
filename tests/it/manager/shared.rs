//! Objects that several processes change at once: nothing is lost, nothing comes twice, and all see the same.

use std::collections::{BTreeMap, HashMap};

use ringway::manager::{CallError, Client, List, Map, Refusal, Set};

use super::serve;
use crate::util::child::{Child, hear, say};
use crate::util::{Name, Random};

/// How many processes, and what each does.
const PROCESSES: u64 = 3;
const STEPS: u64 = 120;

/// What all of them share.
struct Shared {
    map: Map<(u64, u64), Vec<u64>>,
    list: List<(u64, u64)>,
    taken: List<(u64, u64)>,
    set: Set<u64>,
    sums: Map<String, u64>,
}

impl Shared {
    fn open(client: &Client) -> Self {
        Self {
            map: client.map("map").unwrap(),
            list: client.list("list").unwrap(),
            taken: client.list("taken").unwrap(),
            set: client.set("set").unwrap(),
            sums: client.map("sums").unwrap(),
        }
    }
}

pub fn play(role: &str, arguments: &[&str]) {
    let client = Client::connect(arguments[0]).unwrap();
    let me: u64 = arguments[1].parse().unwrap();
    say("ready");
    hear();
    match role {
        "change" => change(&Shared::open(&client), me),
        "sort" => sort(&client, me),
        "look" => look(&client, me),
        _ => panic!("no role {role}"),
    }
    hear();
}

/// Starts `PROCESSES` of `role` and lets them run at once. Gives what each says, once all are done; they stay until dropped.
fn run(name: &Name, role: &str) -> (Vec<Child>, Vec<String>) {
    let start = |me: u64| Child::spawn(role, &[&**name, &me.to_string()]);
    let mut children: Vec<Child> = (0..PROCESSES).map(start).collect();
    for child in &children {
        child.expect("ready");
    }
    for child in &mut children {
        child.tell("go");
    }
    let said = children.iter().map(Child::line).collect();
    (children, said)
}

/// Keys of its own beside a map of its own; values, sums and elements that all change.
fn change(shared: &Shared, me: u64) {
    let (mut own, mut random, mut new) = (BTreeMap::new(), Random(me + 1), 0);
    for step in 0..STEPS {
        let key = (me, random.next() % 20);
        let value = vec![step; random.below(30)];
        match random.below(4) {
            0 | 1 => {
                let old = shared.map.insert(&key, &value).unwrap();
                assert_eq!(old, own.insert(key, value));
            }
            2 => assert_eq!(shared.map.remove(&key).unwrap(), own.remove(&key)),
            _ => assert_eq!(shared.map.get(&key).unwrap().as_ref(), own.get(&key)),
        }
        shared.list.push(&(me, step)).unwrap();
        if step % 3 == 0
            && let Some(one) = shared.list.pop_first().unwrap()
        {
            shared.taken.push(&one).unwrap();
        }
        new += u64::from(shared.set.insert(&(step * 7 % STEPS)).unwrap());
        let sum = |old: Option<&u64>| Some(old.map_or(1, |old| old + 1));
        shared.sums.update(&format!("sum {}", step % 4), sum).unwrap();
    }
    let of_mine = shared.map.items().unwrap().into_iter().filter(|((who, _), _)| *who == me);
    assert_eq!(of_mine.collect::<BTreeMap<_, _>>(), own);
    say(&new.to_string());
}

#[test]
fn what_several_processes_do_at_once_is_done_one_by_one() {
    let name = Name::new("shared");
    let server = serve(&name);
    let client = server.client().unwrap();
    let shared = Shared::open(&client);
    let (_children, said) = run(&name, "manager::shared::change");

    let new: u64 = said.iter().map(|said| said.parse::<u64>().unwrap()).sum();
    assert_eq!(new, STEPS, "each element was new to one of them");
    assert_eq!(shared.set.len().unwrap(), usize::try_from(STEPS).unwrap());
    assert_eq!(shared.sums.values().unwrap().iter().sum::<u64>(), PROCESSES * STEPS);

    let (taken, there) = (shared.taken.to_vec().unwrap(), shared.list.to_vec().unwrap());
    let mut all = [&taken[..], &there].concat();
    all.sort_unstable();
    let each = (0..PROCESSES).flat_map(|who| (0..STEPS).map(move |step| (who, step)));
    assert!(all.into_iter().eq(each), "each was taken once, or is there");
    // Those of one process are in its order.
    for who in 0..PROCESSES {
        let steps = there.iter().filter(|(whose, _)| *whose == who).map(|(_, step)| *step);
        assert!(steps.is_sorted());
    }
}

/// One sorts and rearranges all of it, the others append.
fn sort(client: &Client, me: u64) {
    let list = client.list::<u64>("sorted").unwrap();
    for step in 0..STEPS {
        match (me, step % 4) {
            (0, 0) => list.sort().unwrap(),
            (0, 1) => list.reverse().unwrap(),
            (0, 2) => list.retain(|value| value % 10 != 0).unwrap(),
            (0, _) => {
                let turn = |mut all: Vec<u64>| {
                    all.sort_by_key(|value| value / 10);
                    all
                };
                list.update_all(turn).unwrap();
            }
            _ => list.push(&(me * 10_000 + step * 10 + step % 2)).unwrap(),
        }
    }
    say("done");
}

#[test]
fn a_change_of_all_of_a_list_loses_nothing_that_others_do_meanwhile() {
    let name = Name::new("sorted");
    let server = serve(&name);
    let client = server.client().unwrap();
    let list = client.list::<u64>("sorted").unwrap();
    let (_children, _) = run(&name, "manager::shared::sort");
    list.retain(|value| value % 10 != 0).unwrap();
    list.sort().unwrap();
    let each = (1..PROCESSES).flat_map(|who| {
        (0..STEPS).filter(|step| step % 2 == 1).map(move |step| who * 10_000 + step * 10 + 1)
    });
    assert!(list.to_vec().unwrap().into_iter().eq(each));
}

/// Changes a list and a map, and says what it saw of each version.
fn look(client: &Client, me: u64) {
    let (list, map) = (client.list::<u64>("list").unwrap(), client.map::<u64, u64>("map").unwrap());
    let (mut random, mut before, mut seen) = (Random(me + 9), (0, 0), Vec::new());
    for step in 0..STEPS / 2 {
        match random.below(4) {
            0 => list.push(&(me * 1000 + step)).unwrap(),
            1 => drop(list.pop().unwrap()),
            2 => drop(map.insert(&(step % 7), &(me * 1000 + step)).unwrap()),
            _ => drop(map.remove(&(step % 7)).unwrap()),
        }
        let (one, other) = (list.snapshot().unwrap(), map.snapshot().unwrap());
        let now = (one.version(), other.version());
        assert!(now.0 >= before.0 && now.1 >= before.1, "time goes on");
        before = now;
        seen.push(format!("list {}={:?}", now.0, one.into_vec()));
        seen.push(format!("map {}={:?}", now.1, other.into_vec()));
    }
    say(&seen.join(";"));
}

#[test]
fn what_has_the_same_version_is_the_same_to_all() {
    let name = Name::new("versions");
    let server = serve(&name);
    let client = server.client().unwrap();
    let _kept = (client.list::<u64>("list").unwrap(), client.map::<u64, u64>("map").unwrap());
    let (_children, said) = run(&name, "manager::shared::look");
    let mut first: HashMap<&str, &str> = HashMap::new();
    for (version, content) in said.iter().flat_map(|said| said.split(';')).map(split) {
        assert_eq!(*first.entry(version).or_insert(content), content, "{version}");
    }
}

fn split(seen: &str) -> (&str, &str) {
    seen.split_once('=').unwrap()
}

#[test]
fn one_of_many_who_exchange_the_same_succeeds() {
    let name = Name::new("exchange");
    let server = serve(&name);
    let client = server.client().unwrap();
    let array = client.array::<Option<usize>>("seats", 20, &None).unwrap();
    let map = client.map::<usize, usize>("seats by number").unwrap();
    let won: usize = std::thread::scope(|scope| {
        let compete = |me: usize| {
            let (array, map) = (array.clone(), map.clone());
            move || {
                let take = |seat: &usize| {
                    let seated = array.compare_exchange(*seat, &None, &Some(me)).unwrap();
                    let listed = map.compare_exchange(seat, None, Some(&me)).unwrap();
                    u32::from(seated.is_ok()) + u32::from(listed.is_ok())
                };
                (0..20).map(|seat| take(&seat) as usize).sum::<usize>()
            }
        };
        let threads: Vec<_> = (0..4).map(|me| scope.spawn(compete(me))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(won, 40);
    assert_eq!(array.count(&None).unwrap(), 0);
    assert_eq!(map.len().unwrap(), 20);
}

#[test]
fn a_change_that_others_were_faster_than_begins_anew() {
    let name = Name::new("anew");
    let server = serve(&name);
    let client = server.client().unwrap();
    let list = client.list::<u64>("list").unwrap();
    list.extend(&[1, 2]).unwrap();
    let mut asked = Vec::new();
    let keep = |value: &u64| {
        if asked.len() < 3 {
            list.push(&9).unwrap();
        }
        asked.push(*value);
        *value == 2
    };
    list.retain(keep).unwrap();
    // While the first two were asked about two more came, and a third while the first was once more.
    assert_eq!(asked, [1, 2, 1, 2, 9, 9, 1, 2, 9, 9, 9]);
    assert_eq!(list.to_vec().unwrap(), [2]);
    let mut seen = Vec::new();
    let updated = list.update(0, |old| {
        seen.push(*old);
        if seen.len() < 3 {
            list.set(0, &(old + 10)).unwrap();
        }
        old + 1
    });
    assert_eq!((updated.unwrap(), seen), (23, vec![2, 12, 22]));
    let gone = list.update(0, |_| {
        list.clear().unwrap();
        9
    });
    let refusal = Refusal::OutOfRange { index: 0, len: 0 };
    assert!(matches!(gone, Err(CallError::Refused(why)) if why == refusal));
}

//! What calls do while nothing goes wrong.

use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

use ringway::manager::{self, CallError, Client, Proxy, Server, Value};

use super::{Gate, counts, serve};
use crate::util::{Directory, LONG, Name, eventually, within};

#[test]
fn two_clients_see_each_others_changes() {
    let name = Name::new("shared");
    let server = serve(&name);
    let (here, there) = (Client::connect(&name).unwrap(), Client::connect(&name).unwrap());
    let one = here.value::<String>("text", &"first".to_owned()).unwrap();
    let other = there.value::<String>("text", &"ignored".to_owned()).unwrap();
    assert_eq!(other.get().unwrap(), "first");
    one.set(&"second".to_owned()).unwrap();
    assert_eq!(other.swap(&"third".to_owned()).unwrap(), "second");
    let exchange = |from: &str, to: &str| one.compare_exchange(&from.to_owned(), &to.to_owned());
    assert_eq!(exchange("second", "x").unwrap(), Err("third".to_owned()));
    assert_eq!(exchange("third", "fourth").unwrap(), Ok(()));
    assert_eq!(other.update(|old| format!("{old} and last")).unwrap(), "fourth and last");
    server.shutdown().unwrap();
}

#[test]
fn no_update_is_lost_whoever_makes_it() {
    let name = Name::new("updates");
    let server = serve(&name);
    let client = server.client().unwrap();
    let sum = client.value::<u64>("kept", &0).unwrap();
    client.keep(sum.proxy()).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            let sum = sum.clone();
            scope.spawn(move || (0..50).for_each(|_| _ = sum.update(|n| n + 1).unwrap()));
        }
    });
    drop(sum);
    assert_eq!(client.value::<u64>("kept", &0).unwrap().get().unwrap(), 200);
}

#[test]
fn connections_that_many_calls_took_are_there_for_others_afterwards() {
    let name = Name::new("crowd");
    let server = Server::options().max_connections(24).bind(&name).unwrap().spawn();
    let wait_at_once = |client: &Client, flag: &str, count: u64| {
        let flag = client.flag(flag)?;
        thread::scope(|scope| {
            let waits = || scope.spawn(|| flag.wait_timeout(LONG));
            let waits: Vec<_> = (0..count).map(|_| waits()).collect();
            // Until all wait, or some are refused.
            let done = |flag: &manager::Flag| flag.waiting().unwrap_or(count);
            let come = eventually(LONG, || {
                done(&flag) == count || waits.iter().any(thread::ScopedJoinHandle::is_finished)
            });
            flag.set()?;
            assert!(come);
            waits.into_iter().try_for_each(|wait| wait.join().unwrap().map(drop))
        })
    };
    let (one, other) = (Client::connect(&name).unwrap(), Client::connect(&name).unwrap());
    wait_at_once(&one, "one", 18).unwrap();
    // The server sees a moment later that they have been closed.
    assert!(eventually(LONG, || wait_at_once(&other, "other", 10).is_ok()));
    drop(server);
}

#[test]
fn requests_and_answers_of_any_length_arrive() {
    let name = Name::new("lengths");
    let server = serve(&name);
    let client = Client::options().capacity(4096).connect(&name).unwrap();
    let value = client.value::<Vec<u8>>("bytes", &Vec::new()).unwrap();
    for len in (1900..2100).chain([0, 1, 4000, 4096, 10_000, 100_000, 700_000]) {
        let bytes: Vec<u8> = (0..len).map(|n: u32| (n % 251) as u8).collect();
        value.set(&bytes).unwrap();
        assert!(value.get().unwrap() == bytes, "{len}");
    }
    drop(server);
}

#[test]
fn a_proxy_within_a_value_is_the_same_object_and_keeps_it() {
    let name = Name::new("nested");
    let server = serve(&name);
    let (here, there) = (Client::connect(&name).unwrap(), Client::connect(&name).unwrap());
    let inner = here.new_value(&1u64).unwrap();
    let outer =
        here.value::<Vec<Value<u64>>>("outer", &vec![inner.clone(), inner.clone()]).unwrap();
    let number = inner.proxy().number();
    drop(inner);
    let found = there.value::<Vec<Value<u64>>>("outer", &Vec::new()).unwrap().get().unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|value| value.proxy().number() == number));
    found[0].set(&5).unwrap();
    assert_eq!(outer.get().unwrap()[1].get().unwrap(), 5, "a change through it is kept");
    outer.set(&Vec::new()).unwrap();
    assert_eq!(found[1].get().unwrap(), 5, "while anybody has it");
    drop(server);
}

#[test]
fn a_call_that_waits_holds_up_nobody_else() {
    let name = Name::new("waits");
    let server = serve(&name);
    let client = server.client().unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    enter(&gate);
    let second = gate.clone();
    let waiter = thread::spawn(move || enter(&second));
    while gate.call_with::<usize>("waiting", |_| Ok(())).unwrap() == 0 {
        thread::yield_now();
    }
    for n in 1..100u64 {
        assert_eq!(gate.call::<u64>("add", &1u64).unwrap(), n);
    }
    gate.call_with::<()>("leave", |_| Ok(())).unwrap();
    within(LONG, || waiter.join().unwrap());
    let late = Duration::from_millis(20);
    let timed_out = gate.call_timeout::<()>("enter", late, |_| Ok(()));
    assert!(matches!(timed_out, Err(CallError::TimedOut)), "{timed_out:?}");
    assert_eq!(gate.call_with::<Vec<String>>("log", |_| Ok(())).unwrap(), ["cancelled"]);
    assert_eq!(gate.call::<u64>("add", &1u64).unwrap(), 100, "the connection is in order");
}

fn enter(gate: &Proxy) {
    gate.call_with::<()>("enter", |_| Ok(())).unwrap();
}

#[test]
fn objects_that_only_refer_to_each_other_go_with_the_last_session_that_had_one() {
    let name = Name::new("circle");
    let server = serve(&name);
    let (here, there) = (Client::connect(&name).unwrap(), Client::connect(&name).unwrap());
    let one = here.value::<Vec<Proxy>>("one", &Vec::new()).unwrap();
    let other = here.new_value(&vec![one.proxy().clone(), one.proxy().clone()]).unwrap();
    one.set(&vec![other.proxy().clone(), one.proxy().clone()]).unwrap();
    let alone = there.new_value(&1u64).unwrap();
    let found = there.value::<Vec<Proxy>>("one", &Vec::new()).unwrap();
    drop((here, one, other));
    assert!(eventually(LONG, || counts(&name).0 == 1));
    assert_eq!(counts(&name).1, 3, "somebody has one of them");
    assert_eq!(found.get().unwrap()[1], *found.proxy());
    drop(found);
    let last = Client::connect(&name).unwrap();
    drop((there, alone));
    assert!(eventually(LONG, || counts(&name) == (1, 0, 0, 0)), "{:?}", counts(&name));
    drop((last, server));
}

#[test]
fn what_is_kept_stays_until_its_name_is_removed() {
    let name = Name::new("kept");
    let server = serve(&name);
    let client = server.client().unwrap();
    let value = client.value::<u64>("number", &7).unwrap();
    client.keep(value.proxy()).unwrap();
    client.keep(value.proxy()).unwrap();
    drop(value);
    let value = client.value::<u64>("number", &8).unwrap();
    assert_eq!(value.get().unwrap(), 7);
    assert!(client.remove("number").unwrap());
    let another = client.value::<u64>("number", &8).unwrap();
    assert_eq!((value.get().unwrap(), another.get().unwrap()), (7, 8));
    drop((value, another));
    assert_eq!(client.value::<u64>("number", &9).unwrap().get().unwrap(), 9, "nobody kept it");
    assert!(eventually(LONG, || counts(&name) == (1, 0, 0, 0)), "{:?}", counts(&name));
}

#[test]
fn a_server_is_where_and_for_whom_its_options_say() {
    let name = Name::new("placed");
    let directory = Directory::in_memory("placed");
    let options = Server::options().mode(0o660).namespace("family").directory(directory.path());
    let server = options.bind(&name).unwrap().spawn();
    assert!(matches!(Client::connect(&name), Err(CallError::NoServer)));
    let options = Client::options().mode(0o660).namespace("family").directory(directory.path());
    let client = options.connect(&name).unwrap();
    assert_eq!(client.new_value(&7u64).unwrap().get().unwrap(), 7);
    assert_eq!(server.client().unwrap().new_value(&8u64).unwrap().get().unwrap(), 8);
    let files = directory.listing();
    assert_eq!(files.len(), 3, "door, permit, counters: {files:?}");
    for file in files {
        let mode = std::fs::metadata(directory.path().join(&file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660, "{file}");
    }
    drop(client);
    server.shutdown().unwrap();
    assert_eq!(directory.listing(), [""; 0]);
}

#[test]
fn many_guards_and_proxies_that_go_at_once_leave_nothing() {
    let name = Name::new("at-once");
    let server = serve(&name);
    let client = Client::options().capacity(4096).connect(&name).unwrap();
    let permits = client.permits("permits", 1000).unwrap();
    let all: Vec<_> = (0..1000).map(|_| permits.acquire().unwrap()).collect();
    drop(all);
    let all: Vec<_> = (0..1000).map(|_| permits.acquire().unwrap()).collect();
    assert_eq!(counts(&name).3, 1000);
    drop((all, permits));
    let list = client.new_value(&Vec::<Value<u64>>::new()).unwrap();
    let values: Vec<Value<u64>> = (0..3000).map(|n| client.new_value(&n).unwrap()).collect();
    list.set(&values).unwrap();
    drop(values);
    let values = list.get().unwrap();
    list.set(&Vec::new()).unwrap();
    drop(values);
    assert!(list.get().unwrap().is_empty());
    assert!(eventually(LONG, || counts(&name) == (1, 1, 0, 0)), "{:?}", counts(&name));
    drop(server);
}

#[test]
fn a_patience_longer_than_time_is_one_without_end() {
    let name = Name::new("patience");
    let server = serve(&name);
    let client = Client::options().patience(Duration::MAX).connect(&name).unwrap();
    assert_eq!(client.new_value(&7u64).unwrap().get().unwrap(), 7);
    drop(server);
}

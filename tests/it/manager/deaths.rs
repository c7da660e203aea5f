//! Whoever is killed: clients are told, what they had comes back, and nothing is left lying.

mod servers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use ringway::manager::{
    CallError, Client, LockError, ReentrantGuard, Server, ServerState, Value, inspect,
};

use super::{Gate, counts, left, register, serve};
use crate::util::child::{Child, hear, say};
use crate::util::os::in_fork;
use crate::util::{LONG, Name, Random, eventually};

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "serve" => {
            let mut server = Server::bind(name).unwrap();
            register(&mut server);
            let server = server.spawn();
            say("serving");
            hear();
            server.shutdown().unwrap();
        }
        "enter" => {
            let client = Client::connect(name).unwrap();
            let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
            say("there");
            gate.call_with::<()>("enter", |_| Ok(())).unwrap();
            say("in");
            hear();
        }
        "busy" => {
            let client = Client::options().capacity(4096).connect(name).unwrap();
            say("busy");
            let mut kept: Vec<Value<Vec<Value<u64>>>> = Vec::new();
            for n in 0u64.. {
                let value = client.new_value(&n).unwrap();
                kept.push(client.new_value(&vec![value.clone(), value]).unwrap());
                let sum = client.value::<Vec<u64>>("sum", &Vec::new()).unwrap();
                sum.set(&vec![n; (n % 1000) as usize]).unwrap();
                if kept.len() > 5 {
                    kept.clear();
                }
            }
        }
        "fork" => fork(name),
        _ => panic!("no role {role}"),
    }
}

#[test]
fn what_a_killed_client_had_goes_to_the_next() {
    let name = Name::new("killed-owner");
    let server = serve(&name);
    let client = server.client().unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    let owner = Child::spawn("manager::deaths::enter", &[&name]);
    owner.expect("there");
    owner.expect("in");
    let waiters = [(); 2].map(|()| Child::spawn("manager::deaths::enter", &[&name]));
    for waiter in &waiters {
        waiter.expect("there");
    }
    let waiting = || gate.call_with::<usize>("waiting", |_| Ok(())).unwrap();
    assert!(eventually(LONG, || waiting() == 2));
    assert_eq!(counts(&name), (4, 1, 2, 1));
    let [first, second] = waiters;
    first.kill();
    assert!(eventually(LONG, || waiting() == 1));
    owner.kill();
    second.expect("in");
    second.kill();
    let log = || gate.call_with::<Vec<String>>("log", |_| Ok(())).unwrap();
    assert!(eventually(LONG, || log().len() == 4), "{:?}", log());
    assert_eq!(log()[0], "cancelled");
    assert!(log()[1..].iter().all(|line| line == "died"), "{:?}", log());
    assert!(eventually(LONG, || counts(&name) == (1, 1, 0, 0)), "{:?}", counts(&name));
}

#[test]
fn whenever_clients_are_killed_nothing_of_them_is_left() {
    let name = Name::new("killed-clients");
    let server = serve(&name);
    let client = server.client().unwrap();
    let mut random = Random(7);
    for _ in 0..6 {
        let children = [(); 2].map(|()| Child::spawn("manager::deaths::busy", &[&name]));
        for child in &children {
            child.expect("busy");
        }
        let moves = random.below(3000);
        let value = client.new_value(&0usize).unwrap();
        for n in 0..moves {
            value.set(&n).unwrap();
            assert_eq!(value.get().unwrap(), n, "others do not notice");
        }
        children.into_iter().for_each(Child::kill);
    }
    assert!(eventually(LONG, || counts(&name) == (1, 0, 0, 0)), "{:?}", counts(&name));
    let names = ["", ".counters", ".server"].map(|what| format!("{}{what}", &*name));
    assert!(eventually(LONG, || left(&name) == names), "{:?}", left(&name));
    drop(client);
    server.shutdown().unwrap();
    assert_eq!(left(&name), [""; 0]);
}

#[test]
fn a_call_that_unwinds_or_is_given_up_is_never_answered_with_anothers_answer() {
    struct Fuse;
    impl serde::Serialize for Fuse {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("while it is written")
        }
    }
    impl<'de> serde::Deserialize<'de> for Fuse {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("while it is read")
        }
    }

    let name = Name::new("interrupted");
    let server = serve(&name);
    let client = server.client().unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    gate.call_with::<()>("enter", |_| Ok(())).unwrap();
    for n in 1..20u64 {
        let unwound = catch_unwind(AssertUnwindSafe(|| match n % 3 {
            0 => drop(gate.call::<u64>("add", &Fuse)),
            1 => drop(gate.call::<Fuse>("log", &())),
            _ => drop(gate.call_timeout::<()>("enter", Duration::ZERO, |_| Ok(()))),
        }));
        assert_eq!(unwound.is_err(), n % 3 != 2);
        assert_eq!(gate.call::<u64>("add", &1u64).unwrap(), n);
    }
    drop((gate, client));
    let client = server.client().unwrap();
    assert!(eventually(LONG, || counts(&name) == (1, 0, 0, 0)), "{:?}", counts(&name));
    drop(client);
}

#[test]
fn a_value_whose_reading_unwinds_gives_back_what_came_with_it_once() {
    #[derive(serde::Serialize)]
    struct Holding(Value<u64>);
    impl<'de> serde::Deserialize<'de> for Holding {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let _value = Value::<u64>::deserialize(from)?;
            panic!("while it is read")
        }
    }

    let name = Name::new("unwound");
    let server = serve(&name);
    let client = server.client().unwrap();
    let gate = client.create_object::<Gate>(None, &()).unwrap();
    let value = client.new_value(&7u64).unwrap();
    for _ in 0..3 {
        let echo = || gate.call_with::<Holding>("echo", |to| to.value(&value));
        assert!(catch_unwind(AssertUnwindSafe(echo)).is_err());
    }
    assert_eq!(value.get().unwrap(), 7, "this handle of it is as good as before");
    drop((value, gate));
    let other = server.client().unwrap();
    assert!(eventually(LONG, || counts(&name) == (2, 0, 0, 0)), "{:?}", counts(&name));
    drop((client, other));
}

#[test]
fn a_forked_child_has_nothing_of_client_and_server_and_spoils_nothing() {
    let name = Name::new("forked");
    Child::spawn("manager::deaths::fork", &[&name]).finish();
}

fn fork(name: &str) {
    let mut server = Some(Server::bind(name).unwrap().spawn());
    let other = format!("{name}-unserved");
    let mut unserved = Some(Server::bind(&other).unwrap());
    let client = Client::connect(name).unwrap();
    let value = client.value::<u64>("number", &1).unwrap();
    let mut things = Some((client.clone(), value.clone()));
    let again = client.reentrant_mutex("again").unwrap();
    let held = again.lock().unwrap();
    let code = in_fork(|| {
        let forked = |told: Result<(), CallError>| matches!(told, Err(CallError::Forked));
        let all = [
            forked(value.set(&2)),
            forked(value.get().map(drop)),
            forked(client.new_value(&1u64).map(drop)),
            forked(client.remove("number").map(drop)),
            // This thread of the child has nothing of what the parent's has.
            taken_in_fork(&again.lock()),
            taken_in_fork(&again.try_lock()),
        ];
        drop(things.take());
        server.as_ref().unwrap().shutdown_handle().shutdown();
        drop((server.take(), unserved.take()));
        i32::from(!all.iter().all(|one| *one))
    });
    assert_eq!(code, 0);
    assert_eq!(inspect(&other).unwrap().state, ServerState::Serving);
    assert_eq!(value.get().unwrap(), 1);
    let twice = again.lock().unwrap();
    drop(held);
    assert!(again.is_locked().unwrap(), "it was taken twice, by this process");
    twice.unlock().unwrap();
    assert!(!again.is_locked().unwrap());
    drop((things, again, client, value));
    server.unwrap().shutdown().unwrap();
}

/// Whether it was refused because the process forked.
fn taken_in_fork(taken: &Result<ReentrantGuard<'_>, LockError<ReentrantGuard<'_>>>) -> bool {
    matches!(taken, Err(LockError::Failed(CallError::Forked)))
}

#[test]
fn sixty_four_clients_are_served_by_several_loops() {
    let name = Name::new("many");
    let server = serve(&name);
    let connect = || Client::options().capacity(4096).connect(&name).unwrap();
    let clients: Vec<Client> = (0..64).map(|_| connect()).collect();
    let sums: Vec<Value<u64>> =
        clients.iter().map(|client| client.value("sum", &0).unwrap()).collect();
    thread::scope(|scope| {
        for sum in &sums {
            scope.spawn(|| (0..3).for_each(|_| _ = sum.update(|n| n + 1).unwrap()));
        }
    });
    assert_eq!(sums[63].get().unwrap(), 192);
    assert_eq!(counts(&name), (64, 1, 0, 0));
    drop((sums, clients));
    let client = server.client().unwrap();
    assert!(eventually(LONG, || counts(&name) == (1, 0, 0, 0)), "{:?}", counts(&name));
    drop(client);
}
